//! See `rules/several-changes.md`.

use crate::layout::Migration;
use crate::replay::Step;
use crate::rule::{Cx, Finding};
use crate::statement::Kind;

pub(super) fn check(cx: &mut Cx<'_>, _: &Migration) {
    let allowed = usize::try_from(cx.int_option("changes"))
        .unwrap_or(1)
        .max(1);
    let changes: Vec<&Step<'_>> = cx.steps().iter().filter(|step| is_change(step)).collect();
    let Some(next) = changes.get(allowed) else {
        return;
    };
    let count = changes.len();
    let finding = Finding::new(
        next.statement.span,
        format!("{count} changes in one migration, where the configuration allows {allowed}"),
    )
    .certainty(next.certainty())
    .help("give this one a migration of its own");
    cx.report(finding);
}

/// A statement that changes something that was there before.
fn is_change(step: &Step<'_>) -> bool {
    let effects = &step.effects.list;
    let about_new = !effects.is_empty()
        && effects
            .iter()
            .all(|effect| step.before.is_fresh(&effect.relation));
    !step.is_nested()
        && !step.statement.changes_nothing()
        && !matches!(step.statement.kind, Kind::Comment(_) | Kind::Grant { .. })
        && !about_new
}
