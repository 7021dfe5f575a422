//! See `rules/backfill-without-analyze.md`.

use super::expression_index_without_analyze::analyzed;
use crate::effect::reach::{Reach, data_changes};
use crate::replay::Step;
use crate::rule::{Cx, Finding};
use crate::schema::Schema;
use crate::statement::{ColumnChange, Name, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Some((table, what)) = outdated(statement, cx.before()) else {
        return;
    };
    let (table, key) = (table.clone(), cx.resolve(table));
    let said = cx.earlier_in_migration().iter().any(|step: &Step<'_>| {
        outdated(step.statement, &step.before)
            .is_some_and(|(other, _)| step.before.resolve(other) == key)
    });
    if said || cx.is_foreign(&table) || analyzed(cx, &table) {
        return;
    }
    let finding = Finding::new(
        statement.span,
        format!("{what}, and no ANALYZE of `{table}` follows: the planner goes on with what it knew before"),
    )
    .on(&table)
    .help("analyze the table behind it; outside of a transaction VACUUM it too")
    .steps(cx.remedy([(cx.behind(), format!("ANALYZE {table}"))]));
    cx.report(finding);
}

/// The table whose statistics a statement leaves outdated, and how.
fn outdated<'s>(statement: &'s Statement, schema: &Schema) -> Option<(&'s Name, String)> {
    let change = data_changes(statement, schema).into_iter().find(|change| {
        change.verb.is_some()
            && matches!(
                change.reach,
                Reach::Every | Reach::Many { selective: false }
            )
    });
    if let Some(change) = change {
        return Some((
            change.table,
            format!("this {} changes many rows", change.what),
        ));
    }
    let (table, alter) = statement
        .altered_columns()
        .find(|(_, alter)| matches!(alter.change, ColumnChange::Type { .. }))?;
    Some((
        table,
        format!("a new type removes the statistics of `{}`", alter.column),
    ))
}
