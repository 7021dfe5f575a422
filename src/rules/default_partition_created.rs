//! See `rules/default-partition-created.md`.

use crate::rule::{Cx, Finding};
use crate::statement::table::Strategy;
use crate::statement::{Name, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (parent, partition, of) in statement.new_partitions() {
        if of.is_default {
            report(cx, statement, partition, parent);
        }
    }
}

fn report(cx: &mut Cx<'_>, statement: &Statement, partition: &Name, parent: &Name) {
    let ranged = cx
        .before()
        .table(parent)
        .and_then(|table| table.partition_by.as_ref())
        .is_some_and(|by| by.strategy == Strategy::Range);
    if !ranged || cx.effects().fails.is_some() {
        return;
    }
    let finding = Finding::new(
        statement.span,
        format!(
            "with the default partition `{partition}` each further partition of `{parent}` makes PostgreSQL read all of it under an ACCESS EXCLUSIVE lock"
        ),
    )
    .help("make partitions ahead of time instead, or watch that it stays empty");
    cx.report(finding);
}
