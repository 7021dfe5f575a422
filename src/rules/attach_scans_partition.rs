//! See `rules/attach-scans-partition.md`.

use crate::diagnostic::{Certainty, Place, Step};
use crate::effect::bound;
use crate::rule::{Cx, Finding};
use crate::statement::{Name, Statement, quoted};

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
                    "let a validated CHECK say before that `{}` is not null too",
                    quoted(column)
                ),
            ),
            _ => (
                String::new(),
                "prove it before by a CHECK that is added NOT VALID and validated in a transaction of its own".to_owned(),
            ),
        };
        let steps = key_column
            .and_then(|column| cx.bound_condition(of, column))
            .filter(|_| !cx.is_made_here(partition))
            .map_or_else(Vec::new, |condition| {
                proven(cx, partition, &condition, nullable)
            });
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
            .steps(steps)
            .effects(effects),
        );
    }
}

/// A CHECK that says the same as the bound, validated before and dropped behind.
fn proven(cx: &Cx<'_>, partition: &Name, condition: &str, has_one: bool) -> Vec<Step> {
    let behind = if has_one { "_not_null" } else { "" };
    let name = quoted(&format!("{}_bound{behind}", partition.name));
    cx.remedy([
        (
            Place::Earlier,
            format!("ALTER TABLE {partition} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID"),
        ),
        (
            Place::Earlier,
            format!("ALTER TABLE {partition} VALIDATE CONSTRAINT {name}"),
        ),
        (
            Place::Behind,
            format!("ALTER TABLE {partition} DROP CONSTRAINT {name}"),
        ),
    ])
}
