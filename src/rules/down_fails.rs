//! See `rules/down-fails.md`.

use crate::rule::{Cx, Finding};
use crate::statement::Statement;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Some(failure) = &cx.effects().fails else {
        return;
    };
    // Only the first one is reached.
    let earlier = cx
        .earlier_in_migration()
        .iter()
        .any(|step| step.effects.fails.is_some());
    if cx.migration().pair.is_none()
        || cx.migration().incomplete
        || earlier
        || cx.leads_back_with_others()
    {
        return;
    }
    let again = if failure.sqlstate == "2BP01" {
        "undo the steps of the up script in reverse order: what depends on others goes first"
    } else {
        "the down script runs on what the up script leaves: undo its steps in reverse order, by the names that they made"
    };
    cx.report(
        Finding::new(
            statement.span,
            format!(
                "the way back from {} fails: {} (SQLSTATE {})",
                cx.migration().version,
                failure.reason,
                failure.sqlstate
            ),
        )
        .effects(cx.effects().list.clone())
        .help(again),
    );
}
