use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::diagnostic::Level;
use crate::probe::{Judged, Probing, ToolState};
use crate::schema::Table;
use crate::statement::QualifiedName;
use crate::wording::names;

#[derive(Deserialize)]
struct Row {
    schema: String,
    name: String,
    /// A partition or a child.
    child: bool,
    columns: Option<Vec<String>>,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let plan = probing.plan();
    let mut expected: BTreeMap<&QualifiedName, &Table> = BTreeMap::new();
    let mut own_tables = BTreeSet::new();
    for planned in &plan.projects {
        let ToolState::Known(applied) = &planned.state else {
            // Without the tool's own table nobody knows what the database should look like.
            return Ok(());
        };
        let Some(schema) = planned.applied_schema() else {
            // Applied out of order: the files were never run in this order.
            return Ok(());
        };
        own_tables.insert(
            applied
                .table
                .rsplit('.')
                .next()
                .unwrap_or_default()
                .to_owned(),
        );
        for table in schema
            .tables()
            .filter(|table| table.known && !table.is_temporary())
        {
            expected.insert(&table.name, table.as_ref());
        }
    }
    let schemas: BTreeSet<&str> = expected.keys().map(|name| &*name.schema).collect();
    if schemas.is_empty() {
        return Ok(());
    }
    let schemas: Vec<&str> = schemas.into_iter().collect();
    let rows: Vec<Row> = probing.rows_for(&schemas.into())?;
    let mut seen = BTreeSet::new();
    for row in &rows {
        let name = QualifiedName::new(&row.schema, &row.name);
        match expected.get(&name) {
            Some(table) => columns(probing, table, row),
            None if row.child || is_of_a_tool(&row.name) || own_tables.contains(&row.name) => {}
            None => {
                let finding = probing
                    .finding(format!("no migration makes the table `{}`", name.short()))
                    .help("write a migration that makes it, or drop it")
                    .level(Level::Info);
                probing.report(finding);
            }
        }
        seen.insert(name);
    }
    for (name, table) in expected {
        if !seen.contains(name) && table.partition.is_none() {
            let finding = probing
                .finding(format!(
                    "the table `{}` that the applied migrations make is not there",
                    name.short()
                ))
                .help("find out who dropped it; a migration makes it anew")
                .label(table.created.location, "made here");
            probing.report(finding);
        }
    }
    Ok(())
}

fn columns(probing: &mut Probing<'_>, table: &Table, row: &Row) {
    let there: BTreeSet<&str> = row.columns.iter().flatten().map(String::as_str).collect();
    let wanted: BTreeSet<&str> = table.columns.iter().map(|column| &*column.name).collect();
    let name = table.name.short();
    let missing: Vec<&&str> = wanted.difference(&there).collect();
    if !missing.is_empty() {
        let finding = probing
            .finding(format!(
                "`{name}` lacks columns that the applied migrations make: {}",
                names(missing)
            ))
            .help("find out who dropped them; a migration makes them anew")
            .label(table.created.location, "table made here");
        probing.report(finding);
    }
    let extra: Vec<&&str> = there.difference(&wanted).collect();
    // What LIKE, OF and INHERITS bring is not always in the files.
    if !extra.is_empty() && table.of_type.is_none() && table.inherits.is_empty() {
        let finding = probing
            .finding(format!(
                "`{name}` has columns that no migration makes: {}",
                names(extra)
            ))
            .help("write a migration that makes them (IF NOT EXISTS), or drop them")
            .label(table.created.location, "table made here");
        probing.report(finding);
    }
}

/// Tables that migration tools keep for themselves.
fn is_of_a_tool(name: &str) -> bool {
    [
        "migrations",
        "schema_version",
        "schema_history",
        "alembic_version",
        "goose_db_version",
        "databasechangelog",
        "databasechangeloglock",
        "ar_internal_metadata",
        "atlas_schema_revisions",
    ]
    .iter()
    .any(|known| name.contains(known))
}
