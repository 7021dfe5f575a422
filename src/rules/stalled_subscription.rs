use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use crate::diagnostic::Level;
use crate::probe::{Judged, Probing};
use crate::source::Location;
use crate::statement::{AlterAction, ColumnChange, Kind, ObjectKind, QualifiedName};

#[derive(Deserialize)]
struct Row {
    what: String,
    name: Option<String>,
    schema: Option<String>,
    table: Option<String>,
    number: Option<f64>,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let changed = changed(probing);
    let asked: Vec<_> = changed
        .keys()
        .map(|name| json!({"schema": name.schema, "name": name.name}))
        .collect();
    let rows: Vec<Row> = probing.rows_for(&asked.into())?;
    for row in rows {
        let name = row.name.unwrap_or_default().replace('`', "'");
        let full = row
            .schema
            .as_deref()
            .zip(row.table.as_deref())
            .map(|(schema, table)| QualifiedName::new(schema, table));
        let table = full.as_ref().map(QualifiedName::short).or(row.table);
        let table = table.unwrap_or_default().replace('`', "'");
        let number = row.number.unwrap_or_default();
        let (message, help, level) = match row.what.as_str() {
            "off" => (
                format!("the subscription `{name}` is switched off"),
                format!("ALTER SUBSCRIPTION {name} ENABLE, or drop it with its slot"),
                Level::Warning,
            ),
            "no worker" => (
                format!("the subscription `{name}` has no worker: it does not run, or it fails again and again"),
                "the server log says why".to_owned(),
                Level::Error,
            ),
            "copying" => (
                format!("tables of the subscription `{name}` do not follow yet, {number:.0} in all, among them `{table}`"),
                "wait until all of them are in the state `r` in pg_subscription_rel".to_owned(),
                Level::Error,
            ),
            "errors" => (
                format!("workers of the subscription `{name}` met errors, {number:.0} so far"),
                "the server log says which; SELECT pg_stat_reset_subscription_stats(NULL) counts from 0 again".to_owned(),
                Level::Error,
            ),
            "no identity" => (
                format!("`{table}` is published by `{name}` and has no replica identity: UPDATE and DELETE of it fail"),
                format!("give it a primary key, or: ALTER TABLE {table} REPLICA IDENTITY FULL"),
                Level::Error,
            ),
            "published" => (
                format!("the migrations change columns of `{table}`, which `{name}` publishes, and no subscriber hears of it"),
                "change subscribers first where something is added, last where something is dropped".to_owned(),
                Level::Warning,
            ),
            _ => (
                format!("the migrations change columns of `{table}`, which the subscription `{name}` fills, and the publisher does not hear of it"),
                "rows that do not fit stop the subscription: see that the publisher's table still fits".to_owned(),
                Level::Warning,
            ),
        };
        let place = full.and_then(|name| changed.get(&name).copied());
        let mut finding = probing.finding(message).help(help).level(level);
        if let Some(place) = place {
            finding = finding.label(place, "changed here");
        }
        probing.report(finding);
    }
    Ok(())
}

/// Tables whose columns pending statements change, with the first of them.
fn changed(probing: &Probing<'_>) -> BTreeMap<QualifiedName, Location> {
    let mut changed = BTreeMap::new();
    for (step, place) in probing.plan().steps() {
        let name = match &step.statement.kind {
            Kind::AlterTable(alter) if alter.actions.iter().any(matters) => Some(&alter.name),
            Kind::Rename(rename)
                if matches!(rename.object, ObjectKind::Column | ObjectKind::Table) =>
            {
                Some(&rename.relation)
            }
            _ => None,
        };
        if let Some(name) = name {
            changed.entry(step.before.resolve(name)).or_insert(place);
        }
    }
    changed
}

/// What the other side would have to be told of.
fn matters(action: &AlterAction) -> bool {
    match action {
        AlterAction::AddColumn(_) | AlterAction::DropColumn { .. } => true,
        AlterAction::AlterColumn(alter) => matches!(alter.change, ColumnChange::Type { .. }),
        _ => false,
    }
}
