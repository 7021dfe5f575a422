//! See `rules/run-in-one-transaction.md`.

use super::missing_lock_timeout::blocking;
use crate::effect::RelationKind;
use crate::layout::{Migration, Wraps};
use crate::rule::{Cx, Finding};

pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    if !migration.units.iter().any(|unit| unit.wraps == Wraps::Run) {
        return;
    }
    let Some((step, effect, held)) = cx.steps().iter().find_map(|step| {
        let effect = blocking(step)?;
        let held = cx.locks_held_at(step).into_iter().find(|held| {
            held.since.migration != step.migration
                && held.lock.blocks_writes()
                && *held.relation != effect.relation
                && matches!(
                    held.kind,
                    RelationKind::Table | RelationKind::PartitionedTable
                )
                && !step.before.is_fresh(held.relation)
        })?;
        Some((step, effect, held))
    }) else {
        return;
    };
    let version = &cx.history().migrations[held.since.migration].version;
    let finding = Finding::new(
        step.statement.span,
        format!(
            "`{}` is still locked by {version}, as {} runs all pending migrations in one transaction, while this {} waits for `{}`",
            held.relation.short(),
            cx.layout().name,
            step.statement.tag,
            effect.relation.short(),
        ),
    )
    .certainty(step.certainty().min(held.certainty))
    .label(cx.location_of(held.since), "locked here until the run ends")
    .help("deploy them one by one, or let the tool commit behind each migration");
    cx.report(finding);
}
