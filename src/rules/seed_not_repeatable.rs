//! See `rules/seed-not-repeatable.md`.

use crate::layout::Direction;
use crate::rule::{Cx, Finding};
use crate::statement::{ChangeVerb, Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Insert(insert) = &statement.kind else {
        return;
    };
    let table = &insert.table;
    if cx.migration().direction != Direction::Repeatable
        || insert.leaves_out_done_rows()
        || cx.step().is_nested()
        || cx.is_made_here(table)
    {
        return;
    }
    let key = cx.resolve(table);
    let emptied = cx.earlier_in_migration().iter().any(|step| {
        let is_it = |name| step.before.resolve(name) == key;
        match &step.statement.kind {
            Kind::Change(change) => change.verb == ChangeVerb::Delete && is_it(&change.table.name),
            Kind::Truncate { tables, .. } => tables.iter().any(|relation| is_it(&relation.name)),
            Kind::CreateTable(create) => is_it(&create.name),
            _ => false,
        }
    });
    if emptied {
        return;
    }
    let finding = Finding::new(
        statement.span,
        format!(
            "this file runs again whenever it changes, and puts its rows into `{table}` once more"
        ),
    )
    .on(table)
    .help("ON CONFLICT … DO NOTHING or DO UPDATE, or delete the rows before");
    cx.report(finding);
}
