//! See `rules/attach-scans-partition.md`.

use crate::diagnostic::Certainty;
use crate::effect::bound;
use crate::rule::{Cx, Finding};
use crate::statement::{Bound, PartitionOf, Statement, quoted};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (to, partition, of) in statement.attached_partitions() {
        let (parent, child) = (cx.resolve(to), cx.resolve(partition));
        let schema = cx.before();
        let (table, parent_table) = (schema.table_at(&child), schema.table_at(&parent));
        let by = parent_table.and_then(|table| table.partition_by.as_ref());
        let proof = table
            .zip(by)
            .map(|(table, by)| bound::implied(table, by, &of.values));
        if proof == Some(true) || cx.is_foreign(partition) || cx.effects().fails.is_some() {
            continue;
        }
        let key_column = by
            .and_then(|by| match by.key.as_slice() {
                [element] => element.column.as_ref(),
                _ => None,
            })
            .map(|column| &*column.text);
        let nullable = table
            .zip(by)
            .is_some_and(|(table, by)| bound::implied_but_for_null(table, by, &of.values));
        let certainty = if table.is_some_and(|table| table.known) && key_column.is_some() {
            Certainty::Certain
        } else {
            Certainty::Possible
        };
        let (reason, help) = match key_column {
            Some(column) if nullable => (
                format!(", because `{column}` may be NULL"),
                format!(
                    "let its CHECK say {} IS NOT NULL AND … too, and VALIDATE that before",
                    quoted(column)
                ),
            ),
            _ => (
                String::new(),
                format!(
                    "before it ALTER TABLE {partition} ADD CONSTRAINT {}_bound CHECK ({}) NOT VALID, and VALIDATE it in a transaction of its own",
                    partition.name,
                    condition(of, key_column),
                ),
            ),
        };
        let effects = cx.effects().list.clone();
        cx.report(
            Finding::new(
                statement.span,
                format!(
                    "attaching `{partition}` reads all of its rows under an ACCESS EXCLUSIVE lock on it{reason}: its reads and writes wait"
                ),
            )
            .on(partition)
            .certainty(certainty)
            .help(help)
            .effects(effects),
        );
    }
}

/// The condition that a row of the partition fulfils.
fn condition(of: &PartitionOf, column: Option<&str>) -> String {
    match (&of.values, column) {
        (Bound::Range(..), Some(column)) => {
            let column = quoted(column);
            format!("{column} >= … AND {column} < …")
        }
        (Bound::List(_), Some(column)) => format!("{} IN (…)", quoted(column)),
        _ => "its bound".to_owned(),
    }
}
