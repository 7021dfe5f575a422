//! See `rules/default-after-backfill.md`.

use crate::diagnostic::Certainty;
use crate::effect::LockMode;
use crate::layout::Send;
use crate::rule::{Cx, Finding};
use crate::statement::{ColumnChange, Ident, Kind, QualifiedName, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, alter) in statement.altered_columns() {
        let ColumnChange::SetDefault(value) = &alter.change else {
            continue;
        };
        let column = &alter.column;
        let key = cx.resolve(table);
        let first = cx.schema_before(cx.step().migration);
        let had = [cx.before(), first].into_iter().any(|schema| {
            let known = schema
                .table_at(&key)
                .and_then(|known| known.column(&column.text));
            known.is_some_and(|known| known.default.is_some())
        });
        if value.is_null() || had || cx.is_made_here(table) {
            continue;
        }
        let Some(filled) = backfill(cx, &key, column) else {
            continue;
        };
        // It may be that the tool sends all of it in one transaction.
        let certainty = if cx.moment().message.send == Send::Unknown {
            Certainty::Possible
        } else {
            Certainty::Certain
        };
        cx.report(
            Finding::new(
                column.span,
                format!("rows that are inserted into `{table}` between the UPDATE and this default keep NULL in `{column}`"),
            )
            .on(table)
            .certainty(certainty)
            .label(filled, "old rows are filled here")
            .help(format!("set the default of {column} before the rows are filled"))
            .effects(cx.effects().list.clone()),
        );
    }
}

/// The UPDATE of the same migration that fills the column while others may insert.
fn backfill(cx: &Cx<'_>, table: &QualifiedName, column: &Ident) -> Option<crate::source::Location> {
    let first = cx.replay.ranges[cx.step().migration].start;
    let now = cx.moment().transaction.number;
    cx.earlier_in_migration()
        .iter()
        .enumerate()
        .find(|(index, step)| {
            let Kind::Change(change) = &step.statement.kind else {
                return false;
            };
            let fills = change.assignments.iter().any(|(name, _)| name == column)
                && step.before.resolve(&change.table.name) == *table;
            let alone = step.moment.transaction.number == now
                && cx.replay.held_locks(first + index).iter().any(|held| {
                    held.relation == table && held.lock.conflicts_with(LockMode::RowExclusive)
                });
            fills && !alone
        })
        .map(|(_, step)| cx.location_of(step))
}
