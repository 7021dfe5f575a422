//! See `rules/missing-lock-timeout.md`.

use super::missing_statement_timeout;
use crate::diagnostic::{Fix, Place, Safety};
use crate::effect::{Effect, RelationKind};
use crate::layout::{Migration, Send};
use crate::replay::Step;
use crate::rule::{Cx, Finding};
use crate::session::{Timeout, TransactionKind};
use crate::statement::Kind;

pub(super) fn check(cx: &mut Cx<'_>, _: &Migration) {
    let Some((step, effect)) = first_without_limit(cx) else {
        return;
    };
    // One finding for a file: where both timeouts are missing, the help names both.
    let settings: &[(&str, &str)] = if missing_statement_timeout::lasting(cx).is_some() {
        &[("lock_timeout", "2s"), ("statement_timeout", "30s")]
    } else {
        &[("lock_timeout", "2s")]
    };
    let (relation, lock) = (effect.relation.short(), effect.lock.with_article());
    let finding = limited(cx, step, settings, step.moment.lock_timeout, |state| {
        format!(
            "{state}, so this {} waits without limit for {lock} lock on `{relation}`, and {} queue behind it",
            step.statement.tag,
            effect.blocks().join(" and "),
        )
    });
    cx.report(finding.effects([effect.clone()]));
}

/// The first statement that waits without limit for a lock that stops others, with that lock.
pub(super) fn first_without_limit<'a>(cx: &Cx<'a>) -> Option<(&'a Step<'a>, &'a Effect)> {
    cx.steps()
        .iter()
        .filter(|step| !is_limited(step.moment.lock_timeout) && waits(step))
        .find_map(|step| Some((step, blocking(step)?)))
}

/// True if somebody set a limit that is one.
pub(super) fn is_limited(timeout: Option<Timeout>) -> bool {
    timeout.is_some_and(|timeout| timeout.milliseconds > 0)
}

/// False for statements that a short `lock_timeout` harms (they wait for old transactions by design and leave an invalid
/// object when they are cancelled) and for those that do not wait.
fn waits(step: &Step<'_>) -> bool {
    let refuses_to_wait = matches!(step.statement.kind, Kind::Lock { nowait: true, .. });
    !step.statement.is_concurrent() && !refuses_to_wait
}

/// The strongest lock that stops others on a relation in use; a table's before that of its index or sequence.
pub(super) fn blocking<'s>(step: &'s Step<'_>) -> Option<&'s Effect> {
    step.effects
        .list
        .iter()
        .filter(|effect| !effect.blocks().is_empty() && !step.before.is_fresh(&effect.relation))
        .max_by_key(|effect| {
            let is_part = matches!(effect.kind, RelationKind::Index | RelationKind::Sequence);
            // Of equal ones the first.
            (!is_part, effect.lock, std::cmp::Reverse(&effect.relation))
        })
}

/// A finding about timeouts that are not in force at a step, by name and a good value; the first one is what it is about.
pub(super) fn limited(
    cx: &Cx<'_>,
    step: &Step<'_>,
    settings: &[(&str, &str)],
    timeout: Option<Timeout>,
    message: impl Fn(&str) -> String,
) -> Finding {
    let name = settings.first().map_or("", |(name, _)| *name);
    let state = match timeout {
        Some(_) => format!("{name} is 0"),
        None => format!("no {name} is set"),
    };
    // Two statements in one message are a transaction, so that SET LOCAL works there.
    let local = step.moment.transaction.kind != TransactionKind::None
        || matches!(step.moment.message.send, Send::SimpleBatch | Send::Pipeline);
    let set = if local { "SET LOCAL" } else { "SET" };
    let statements: Vec<String> = settings
        .iter()
        .map(|(name, value)| format!("{set} {name} = '{value}';"))
        .collect();
    let keys: Vec<String> = settings
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    // Behind SET the limit holds for the rest of the session, whatever comes then.
    let safety = if local { Safety::Safe } else { Safety::Unsafe };
    let fix = cx.is_written_as_sent(step).then(|| Fix {
        title: format!("set {name} before it"),
        safety,
        edits: vec![cx.insert(step.statement.span.start, &(statements.join("\n") + "\n"))],
        new_files: Vec::new(),
    });
    let before = (Place::Before, statements.join("\n"));
    let steps = if step.is_nested() {
        Vec::new()
    } else {
        cx.remedy([before])
    };
    let finding = Finding::new(step.statement.span, message(&state))
        .steps(steps)
        .fix_if(fix)
        .certainty(step.certainty())
        .help(format!(
            "set it before; if the role or the tool sets it already, tell Lockgate with `runner: {{ {} }}`",
            keys.join(", "),
        ));
    match timeout.and_then(|timeout| timeout.set_by) {
        Some(span) => finding.label(cx.location(span), "switched off here"),
        None => finding,
    }
}
