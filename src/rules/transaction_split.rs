//! See `rules/transaction-split.md`.

use crate::layout::{Migration, Wraps};
use crate::rule::{Cx, Finding};
use crate::statement::Statement;

pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    let mut before: Option<&Statement> = None;
    for unit in &migration.units {
        let statements = migration
            .statements
            .get(unit.statements.clone())
            .unwrap_or_default();
        let mut acting = statements
            .iter()
            .filter(|statement| !statement.changes_nothing());
        if unit.wraps != Wraps::Nothing {
            before = before.or_else(|| acting.next());
            continue;
        }
        let (Some(first), Some(next)) = (before, acting.next()) else {
            continue;
        };
        let finding = Finding::new(
            next.span,
            "what stands before this is committed here, and the version only at the end: should the rest fail, it would run again",
        )
        .label(cx.location(first.span), "committed early")
        .help("give this part a migration of its own");
        cx.report(finding);
        return;
    }
}
