//! See `rules/default-partition-scanned.md`.

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
    let finding = Finding::new(
        statement.span,
        format!(
            "adding `{partition}` reads all of the default partition `{name}` under an ACCESS EXCLUSIVE lock on it: its reads and writes wait"
        ),
    )
    .help(format!(
        "before it ALTER TABLE {name} ADD CONSTRAINT {} CHECK (…) NOT VALID with a condition that excludes the new bound, and VALIDATE it in a transaction of its own",
        quoted(&format!("not_in_{}", partition.name)),
    ))
    .label(default.created.location, "the default partition is made here")
    .effects(cx.effects().list.clone());
    cx.report(finding);
}
