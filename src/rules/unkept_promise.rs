use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::probe::{Judged, Probing, ToolState, Unknown};
use crate::schema::{Column, Relation, Schema, Table};
use crate::statement::{QualifiedName, TypeName};
use crate::wording::names;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    schema: String,
    name: String,
    #[serde(rename = "rowSecurity")]
    protected: bool,
    forced: bool,
    columns: Vec<There>,
    constraints: Vec<String>,
    indexes: Vec<String>,
    triggers: Vec<String>,
    policies: Vec<String>,
}

/// A column of the database.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct There {
    name: String,
    #[serde(rename = "type")]
    ty: String,
    array: bool,
    spelled: String,
    not_null: bool,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    for planned in &probing.plan().projects {
        let by_table = matches!(planned.state, ToolState::Known(_));
        let promised = match planned.state {
            ToolState::Known(_) => planned.applied_schema(),
            // Nothing ran; another probe says so.
            ToolState::Fresh => continue,
            ToolState::Given | ToolState::Unknown(_) => planned.whole_schema(),
        };
        match promised {
            Some(schema) => compare(probing, schema, by_table)?,
            None if planned.replay.history.migrations.is_empty() => {}
            None => probing.unknown(Unknown::new(
                "what the migrations promise is not known: they were applied in another order than that of their files",
                "apply the missing ones, then ask again",
            )),
        }
    }
    Ok(())
}

/// `columns_known`: tables and columns that are missing are reported by the probe for drift.
fn compare(probing: &mut Probing<'_>, schema: &Schema, columns_known: bool) -> Judged {
    let promised: BTreeMap<&QualifiedName, &Table> = schema
        .tables()
        .filter(|table| table.known && !table.is_temporary())
        .filter(|table| schema.doubt(&table.name).is_none())
        .map(|table| (&table.name, table.as_ref()))
        .collect();
    let schemas: BTreeSet<&str> = promised.keys().map(|name| &*name.schema).collect();
    if schemas.is_empty() {
        return Ok(());
    }
    let schemas: Vec<&str> = schemas.into_iter().collect();
    let rows: Vec<Row> = probing.rows_for(&schemas.into())?;
    let mut there: BTreeMap<QualifiedName, Row> = BTreeMap::new();
    for row in rows {
        let name = QualifiedName::new(&row.schema, &row.name);
        if matches!(schema.relation_at(&name), Some(Relation::Dropped(_))) {
            let finding = probing
                .finding(format!(
                    "the table `{}` that the migrations drop is still there",
                    name.short()
                ))
                .help("find out why the statement did nothing, and drop it");
            probing.report(finding);
        }
        there.insert(name, row);
    }
    for (name, table) in promised {
        match there.get(name) {
            Some(row) => judge(probing, schema, table, row, columns_known),
            None if columns_known => {}
            None => {
                let finding = probing
                    .finding(format!("the table `{}` is not there", name.short()))
                    .help("find out why the statement did nothing, and make it good with a new migration")
                    .label(table.created.location, "made here");
                probing.report(finding);
            }
        }
    }
    Ok(())
}

fn judge(
    probing: &mut Probing<'_>,
    schema: &Schema,
    table: &Table,
    row: &Row,
    columns_known: bool,
) {
    let name = table.name.short();
    let help = "find out why the statement did nothing, and make it good with a new migration";
    let mut told: Vec<(String, crate::source::Location)> = Vec::new();
    for column in table.columns.iter().filter(|column| column.added) {
        let place = column.created.location;
        match row.columns.iter().find(|there| *there.name == *column.name) {
            Some(there) => {
                let differences = column_differences(column, there);
                told.extend(
                    differences
                        .into_iter()
                        .map(|how| (format!("`{name}.{}` {how}", column.name), place)),
                );
            }
            None if columns_known => {}
            None => told.push((
                format!("`{name}` lacks the column `{}`", column.name),
                place,
            )),
        }
    }
    for constraint in &table.constraints {
        if !row
            .constraints
            .iter()
            .any(|there| **there == *constraint.name)
        {
            told.push((
                format!("`{name}` lacks the constraint `{}`", constraint.name),
                constraint.created.location,
            ));
        }
    }
    for index in schema.indexes_of(&table.name) {
        // That of a constraint goes with it.
        if index.constraint.is_none()
            && !row.indexes.iter().any(|there| **there == *index.name.name)
        {
            told.push((
                format!("`{name}` lacks the index `{}`", index.name.name),
                index.created.location,
            ));
        }
    }
    for trigger in &table.triggers {
        if !row.triggers.iter().any(|there| **there == *trigger.name) {
            told.push((
                format!("`{name}` lacks the trigger `{}`", trigger.name),
                trigger.created.location,
            ));
        }
    }
    for policy in &table.policies {
        if !row.policies.iter().any(|there| **there == *policy.name) {
            told.push((
                format!("`{name}` lacks the policy `{}`", policy.name),
                policy.created.location,
            ));
        }
    }
    if table.row_security && !row.protected {
        told.push((
            format!("row level security of `{name}` is not enabled"),
            table.created.location,
        ));
    } else if table.force_row_security && !row.forced {
        told.push((
            format!("row level security of `{name}` is not forced"),
            table.created.location,
        ));
    }
    for (message, place) in told {
        let finding = probing
            .finding(message)
            .help(help)
            .label(place, "promised here");
        probing.report(finding);
    }
    let dropped: Vec<&String> = row
        .indexes
        .iter()
        .filter(|index| {
            let index = QualifiedName::new(&row.schema, index);
            matches!(schema.relation_at(&index), Some(Relation::Dropped(_)))
        })
        .collect();
    if !dropped.is_empty() {
        let finding = probing
            .finding(format!(
                "indexes of `{name}` that the migrations drop are still there: {}",
                names(dropped)
            ))
            .help("find out why the statement did nothing, and drop them");
        probing.report(finding);
    }
}

fn column_differences(column: &Column, there: &There) -> Vec<String> {
    let mut how = Vec::new();
    if let Some(ty) = &column.ty
        && !ty.is_unknown()
        && !same_type(ty, there)
    {
        how.push(format!(
            "is {}, and the migrations make it {ty}",
            there.spelled
        ));
    }
    if column.not_null && !there.not_null {
        how.push("takes NULL, and the migrations make it NOT NULL".to_owned());
    } else if !column.not_null && column.not_null_not_valid.is_none() && there.not_null {
        how.push("is NOT NULL, and the migrations let it take NULL".to_owned());
    }
    how
}

fn same_type(promised: &TypeName, there: &There) -> bool {
    if *promised.name != *there.ty || (promised.dimensions > 0) != there.array {
        return false;
    }
    // Of these it is known how the numbers behind them are kept.
    if !matches!(&*promised.name, "varchar" | "numeric") || promised.odd_modifier {
        return true;
    }
    let numbers = there.spelled.split_once('(').map_or("", |(_, rest)| rest);
    let numbers: Vec<i32> = numbers
        .split([',', ')'])
        .filter_map(|number| number.parse().ok())
        .collect();
    match (&*promised.name, promised.modifiers.as_slice()) {
        // The scale is 0 where it is not written.
        ("numeric", [precision]) => numbers == [*precision, 0],
        (_, modifiers) => numbers == modifiers,
    }
}
