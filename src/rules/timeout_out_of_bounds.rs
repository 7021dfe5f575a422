//! See `rules/timeout-out-of-bounds.md`.

use super::missing_lock_timeout::blocking;
use super::missing_statement_timeout::what_lasts;
use crate::diagnostic::Level;
use crate::layout::Migration;
use crate::replay::Step;
use crate::rule::{Cx, Finding};
use crate::session::Timeout;
use crate::source::Span;
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, _: &Migration) {
    lock_timeout(cx);
    statement_timeout(cx);
}

fn lock_timeout(cx: &mut Cx<'_>) {
    let (long, far) = (
        cx.duration_option("lock_timeout"),
        cx.duration_option("lock_timeout_error"),
    );
    let found = first(cx, |step| {
        let timeout = written(step.moment.lock_timeout, long)?;
        // What CONCURRENTLY waits for stops nobody.
        let effect = blocking(step).filter(|_| !step.statement.is_concurrent())?;
        let waiting = effect.blocks().join(" and ");
        let what = format!(
            "{waiting} of `{}` queue that long behind this {} if the lock is not free",
            effect.relation.short(),
            step.statement.tag,
        );
        Some((timeout, what))
    });
    let Some((step, (span, milliseconds), what)) = found else {
        return;
    };
    let mut finding = Finding::new(
        span,
        format!(
            "a lock_timeout of {}: {what}",
            wording::timeout(milliseconds)
        ),
    )
    .certainty(step.certainty())
    .label(cx.location_of(step), "waits here")
    .help("set `lock_timeout = '2s'` and let the migration be tried again when it runs out");
    if milliseconds > far {
        finding = finding.level(Level::Error);
    }
    cx.report(finding);
}

fn statement_timeout(cx: &mut Cx<'_>) {
    let long = cx.duration_option("statement_timeout");
    let found = first(cx, |step| {
        let timeout = written(step.moment.statement_timeout, long)?;
        if blocking(step).is_none() || step.statement.is_concurrent() {
            return None;
        }
        Some((timeout, what_lasts(step)?))
    });
    let Some((step, (span, milliseconds), what)) = found else {
        return;
    };
    let finding = Finding::new(
        span,
        format!(
            "a statement_timeout of {}, and {what}",
            wording::timeout(milliseconds)
        ),
    )
    .certainty(step.certainty())
    .label(cx.location_of(step), "holds the lock here")
    .help("set as long as others can wait, such as `statement_timeout = '30s'`, where a lock stops them");
    cx.report(finding);
}

type Set = (Span, u64);

/// The first step that something holds for, with that.
fn first<'a>(
    cx: &Cx<'a>,
    wanted: impl Fn(&Step<'a>) -> Option<(Set, String)>,
) -> Option<(&'a Step<'a>, Set, String)> {
    cx.steps().iter().find_map(|step| {
        let (set, what) = wanted(step)?;
        Some((step, set, what))
    })
}

/// A timeout above a bound that the file sets; those of the role and the tool are decided elsewhere, and none at all is
/// another rule's finding.
fn written(timeout: Option<Timeout>, bound: u64) -> Option<Set> {
    let timeout = timeout.filter(|timeout| timeout.milliseconds > bound)?;
    Some((timeout.set_by?, timeout.milliseconds))
}
