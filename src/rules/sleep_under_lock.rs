//! See `rules/sleep-under-lock.md`.

use crate::effect::LockMode;
use crate::rule::{Cx, Finding};
use crate::statement::Statement;
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let sleeps = statement.query().is_some_and(|query| {
        query
            .calls
            .iter()
            .any(|call| call.name.starts_with("pg_sleep"))
    });
    if !sleeps {
        return;
    }
    let held: Vec<_> = cx
        .held_locks()
        .into_iter()
        .filter(|held| held.lock >= LockMode::RowExclusive)
        .collect();
    let Some(first) = held.first() else { return };
    let what = if held.iter().any(|held| held.lock > LockMode::RowExclusive) {
        "locks on"
    } else {
        "locks on rows of"
    };
    let tables = wording::names(held.iter().map(|held| held.relation.short()));
    let finding = Finding::new(
        statement.span,
        format!("the transaction sleeps with its {what} {tables}"),
    )
    .label(cx.location_of(first.since), "locked here")
    .help("COMMIT before the pause");
    cx.report(finding);
}
