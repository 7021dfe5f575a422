//! See `rules/default-partition-created.md`.

use crate::rule::{Cx, Finding};
use crate::statement::table::Strategy;
use crate::statement::{AlterAction, Kind, Name, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    match &statement.kind {
        Kind::CreateTable(create) => {
            if let Some(of) = create.partition_of.as_ref().filter(|of| of.is_default) {
                report(cx, statement, &create.name, &of.parent);
            }
        }
        Kind::AlterTable(alter) => {
            for action in &alter.actions {
                if let AlterAction::AttachPartition {
                    partition,
                    bound: Some(of),
                } = action
                    && of.is_default
                {
                    report(cx, statement, partition, &alter.name);
                }
            }
        }
        _ => {}
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
