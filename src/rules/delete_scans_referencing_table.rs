//! See `rules/delete-scans-referencing-table.md`.

use crate::effect::reach::{Reach, data_changes};
use crate::rule::{Cx, Finding};
use crate::statement::{ChangeVerb, ConstraintKind, Name, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let batch = statement
        .query()
        .is_some_and(|query| !query.batches.is_empty());
    let schema = cx.before();
    let mut findings = Vec::new();
    for change in data_changes(statement, schema) {
        let few = change.reach == Reach::Few && !batch && !cx.step().looped;
        if change.verb != Some(ChangeVerb::Delete) || few {
            continue;
        }
        for (other, constraint) in schema.referencing(&schema.resolve(change.table)) {
            let ConstraintKind::ForeignKey(key) = &constraint.def.kind else {
                continue;
            };
            let columns: Vec<&str> = key.columns.iter().map(|column| &*column.text).collect();
            let served = schema
                .indexes_of(&other.name)
                .any(|index| index.serves(&columns));
            if !other.known || served || schema.is_fresh(&other.name) || other.partition.is_some() {
                continue;
            }
            let name = Name::new(
                Some(&other.name.schema),
                &other.name.name,
                change.table.span,
            );
            findings.push((change.table, other.name.short(), columns.join(", "), name));
        }
    }
    for (table, other, columns, _) in findings {
        let finding = Finding::new(
            statement.span,
            format!(
                "each row deleted from `{table}` makes PostgreSQL read all of `{other}`: no index leads with `{columns}`"
            ),
        )
        .on(table)
        .help(format!(
            "CREATE INDEX CONCURRENTLY ON {other} ({columns}) in a migration before"
        ));
        cx.report(finding);
    }
}
