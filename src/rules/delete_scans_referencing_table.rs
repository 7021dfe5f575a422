//! See `rules/delete-scans-referencing-table.md`.

use crate::diagnostic::{Certainty, Place};
use crate::effect::reach::{Reach, data_changes};
use crate::rule::{Cx, Finding};
use crate::schema::Schema;
use crate::statement::{ChangeVerb, ConstraintKind, Name, Statement};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let batch = statement
        .query()
        .is_some_and(|query| !query.batches.is_empty());
    let schema = cx.before();
    for change in data_changes(statement, schema) {
        let few = change.reach == Reach::Few && !batch && !cx.step().looped;
        if change.verb != Some(ChangeVerb::Delete) || few {
            continue;
        }
        let scanned = scanned(schema, change.table);
        let Some((first, columns)) = scanned.first() else {
            continue;
        };
        let certainty = match change.reach {
            // The condition may find a row or two.
            Reach::Many { selective: true } => Certainty::Possible,
            _ => Certainty::Certain,
        };
        let finding = Finding::new(
            statement.span,
            format!(
                "each row deleted from `{}` makes PostgreSQL read all of {}: no index leads with the columns that reference it",
                change.table,
                wording::names(scanned.iter().map(|(other, _)| other))
            ),
        )
        .certainty(certainty)
        .on(change.table)
        .help("build an index on those columns in a migration before")
        .steps(cx.remedy([(
            Place::Earlier,
            format!("CREATE INDEX CONCURRENTLY ON {first} ({columns})"),
        )]));
        cx.report(finding);
    }
}

/// Tables with a foreign key to a table and without an index on it, with its columns.
fn scanned(schema: &Schema, table: &Name) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for (other, constraint) in schema.referencing(&schema.resolve(table)) {
        let ConstraintKind::ForeignKey(key) = &constraint.def.kind else {
            continue;
        };
        let columns: Vec<&str> = key.columns.iter().map(|column| &*column.text).collect();
        let served = schema
            .indexes_of(&other.name)
            .any(|index| index.serves(&columns));
        let (name, is_partition) = (other.name.short(), other.partition.is_some());
        let said = found.iter().any(|(other, _)| *other == name);
        if other.known && !served && !said && !is_partition && !schema.is_fresh(&other.name) {
            found.push((name, columns.join(", ")));
        }
    }
    found
}
