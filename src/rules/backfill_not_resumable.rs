//! See `rules/backfill-not-resumable.md`.

use super::ddl_and_data_change::commits;
use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Name, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let step = cx.step();
    if !step.looped || !commits(step.outer) {
        return;
    }
    let (table, what) = match &statement.kind {
        Kind::Change(change) if !change.leaves_out_done_rows() => {
            (&change.table.name, "changes rows")
        }
        Kind::Insert(insert)
            if !insert.leaves_out_done_rows() && !insert.query.reads.is_empty() =>
        {
            (&insert.table, "adds rows")
        }
        _ => return,
    };
    if keeps_its_place(step.outer, table) {
        return;
    }
    let finding = Finding::new(
        statement.span,
        format!("a run that follows one broken off {what} of `{table}` a second time: nothing tells which are done"),
    )
    .on(table)
    .help("ask for what is still to be done, such as `AND column IS NULL`, or keep the last key in a table");
    cx.report(finding);
}

/// True if the loop writes another table as well: its place, perhaps.
fn keeps_its_place(outer: &Statement, table: &Name) -> bool {
    outer
        .nested
        .iter()
        .filter(|nested| nested.looped)
        .any(|nested| match &nested.statement.kind {
            Kind::Change(change) => change.table.name.name != table.name,
            Kind::Insert(insert) => insert.table.name != table.name,
            _ => false,
        })
}
