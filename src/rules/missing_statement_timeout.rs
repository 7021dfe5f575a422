//! See `rules/missing-statement-timeout.md`.

use super::missing_lock_timeout::{first_without_limit, is_limited, limited};
use crate::effect::reach::{Reach, data_changes};
use crate::layout::Migration;
use crate::replay::Step;
use crate::rule::{Cx, Finding};

pub(super) fn check(cx: &mut Cx<'_>, _: &Migration) {
    // Where the lock timeout is missing too, that finding names both.
    if first_without_limit(cx).is_some() {
        return;
    }
    let Some((step, lasts)) = lasting(cx) else {
        return;
    };
    let timeout = step.moment.statement_timeout;
    let settings = [("statement_timeout", "30s")];
    let finding: Finding = limited(cx, step, &settings, timeout, |state| {
        format!("{state}, so {lasts}")
    });
    cx.report(finding);
}

/// The first statement without a limit that takes time in proportion to a table, and what it does meanwhile.
pub(super) fn lasting<'a>(cx: &Cx<'a>) -> Option<(&'a Step<'a>, String)> {
    cx.steps()
        .iter()
        .filter(|step| {
            !is_limited(step.moment.statement_timeout) && !step.statement.is_concurrent()
        })
        .find_map(|step| Some((step, what_lasts(step)?)))
}

/// What takes time in proportion to a table while others wait, in words.
pub(super) fn what_lasts(step: &Step<'_>) -> Option<String> {
    let tag = step.statement.tag;
    let blocking = step.effects.list.iter().find(|effect| {
        !effect.blocks().is_empty()
            && !effect.work.is_none()
            && !step.before.is_fresh(&effect.relation)
    });
    if let Some(effect) = blocking {
        let (lock, relation) = (effect.lock.with_article(), effect.relation.short());
        return Some(format!(
            "this {tag} holds {lock} lock on `{relation}` for as long as its {} takes",
            effect.work.words().last().copied().unwrap_or("work"),
        ));
    }
    let changes = data_changes(step.statement, &step.before);
    let change = changes
        .iter()
        .find(|change| change.verb.is_some() && change.reach != Reach::Few)?;
    Some(format!(
        "this {} holds the rows of `{}` that it has changed for as long as it takes",
        change.what, change.table
    ))
}
