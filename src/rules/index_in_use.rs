use serde::Deserialize;
use serde_json::json;

use crate::diagnostic::Level;
use crate::probe::{Judged, Probing, Unknown};
use crate::statement::{Kind, ObjectKind, QualifiedName};
use crate::wording::duration;

#[derive(Deserialize)]
struct Row {
    schema: String,
    name: String,
    table: String,
    scans: i64,
    unique: bool,
    /// Seconds since the last scan; from 16 on.
    last: Option<f64>,
    /// Seconds since the statistics began.
    window: f64,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let window = probing.options().seconds("window");
    let mut dropped = Vec::new();
    for (step, place) in probing.plan().steps() {
        if let Kind::Drop(drop) = &step.statement.kind
            && drop.object == ObjectKind::Index
        {
            dropped.extend(
                drop.names
                    .iter()
                    .map(|name| (step.before.resolve(name), place)),
            );
        }
    }
    if dropped.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = dropped
        .iter()
        .map(|(name, _)| json!({"schema": name.schema, "name": name.name}))
        .collect();
    let rows: Vec<Row> = probing.rows_for(&names.into())?;
    for row in rows {
        let name = QualifiedName::new(&row.schema, &row.name);
        let Some((_, place)) = dropped.iter().find(|(other, _)| *other == name) else {
            continue;
        };
        let index = name.short();
        let recent = row.last.is_none_or(|last| last < window);
        if row.scans > 0 {
            let last = row
                .last
                .map_or_else(String::new, |last| format!(", last {} ago", duration(last)));
            let finding = probing
                .finding(format!(
                    "the index `{index}` of `{}` was used {} times within {}{last}",
                    row.table,
                    row.scans,
                    duration(row.window)
                ))
                .help("find the queries that use it before it is dropped")
                .label(*place, "drops it");
            probing.report(if recent {
                finding
            } else {
                finding.level(Level::Warning)
            });
        } else if row.unique {
            let finding = probing
                .finding(format!(
                    "the index `{index}` keeps rows of `{}` unique",
                    row.table
                ))
                .help("make sure that nothing relies on that, `ON CONFLICT` neither")
                .level(Level::Warning)
                .label(*place, "drops it");
            probing.report(finding);
        } else if row.window < window {
            probing.unknown(Unknown::new(
                format!(
                    "the index `{index}` was not used, and the statistics reach only {} back",
                    duration(row.window)
                ),
                "ask again when they reach over a week, and ask the replicas",
            ));
        }
    }
    Ok(())
}
