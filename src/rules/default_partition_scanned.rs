//! See `rules/default-partition-scanned.md`.

use crate::diagnostic::{Place, Step};
use crate::rule::{Cx, Finding};
use crate::statement::{Bound, Name, PartitionOf, Statement, quoted};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (parent, partition, of) in statement.new_partitions() {
        report(cx, statement, partition, parent, of);
    }
}

fn report(
    cx: &mut Cx<'_>,
    statement: &Statement,
    partition: &Name,
    parent: &Name,
    of: &PartitionOf,
) {
    if matches!(of.values, Bound::Default) || cx.effects().fails.is_some() {
        return;
    }
    let schema = cx.before();
    let Some(default) = schema.default_partition(&cx.resolve(parent)) else {
        return;
    };
    let scanned = cx
        .effects()
        .on(&default.name)
        .is_some_and(|effect| effect.work.scan);
    if !scanned || schema.is_fresh(&default.name) {
        return;
    }
    let name = default.name.short();
    let by = schema
        .table(parent)
        .and_then(|parent| parent.partition_by.as_ref());
    let steps = by
        .and_then(|by| match by.key.as_slice() {
            [element] => element.column.as_ref(),
            _ => None,
        })
        .and_then(|column| cx.outside_bound(of, &column.text))
        .map_or_else(Vec::new, |condition| {
            excluded_before(cx, &name, partition, &condition)
        });
    let finding = Finding::new(
        statement.span,
        format!(
            "adding `{partition}` reads all of the default partition `{name}` under an ACCESS EXCLUSIVE lock on it: its reads and writes wait"
        ),
    )
    .help("let a CHECK exclude the new bound before, added NOT VALID and validated in a transaction of its own")
    .steps(steps)
    .label(default.created.location, "the default partition is made here")
    .effects(cx.effects().list.clone());
    cx.report(finding);
}

/// A CHECK on the default partition that no row is of the new one, validated before and dropped behind.
fn excluded_before(cx: &Cx<'_>, default: &str, partition: &Name, condition: &str) -> Vec<Step> {
    let name = quoted(&format!("not_in_{}", partition.name));
    cx.remedy([
        (
            Place::Earlier,
            format!("ALTER TABLE {default} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID;"),
        ),
        (
            Place::Earlier,
            format!("ALTER TABLE {default} VALIDATE CONSTRAINT {name};"),
        ),
        (
            Place::Behind,
            format!("ALTER TABLE {default} DROP CONSTRAINT {name};"),
        ),
    ])
}
