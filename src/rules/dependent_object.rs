use serde::Deserialize;
use serde_json::json;

use crate::diagnostic::{Certainty, Level};
use crate::probe::{How, Judged, Probing};
use crate::statement::{Kind, ObjectKind};

#[derive(Deserialize)]
struct Row {
    /// Place in the list that was asked about.
    index: usize,
    what: String,
    /// It is a function whose text names the object.
    body: bool,
    schema: Option<String>,
    relation: Option<String>,
    constraint: Option<String>,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let mut gone = probing.plan().gone();
    // A renamed object keeps its dependents; what texts say about it is for `column-still-queried`.
    gone.retain(|gone| gone.how != How::Renamed);
    if gone.is_empty() {
        return Ok(());
    }
    let asked: Vec<_> = gone
        .iter()
        .enumerate()
        .map(|(index, gone)| {
            json!({
                "index": index, "schema": gone.relation.schema, "name": gone.relation.name,
                "column": gone.column, "retyped": gone.how == How::Retyped,
            })
        })
        .collect();
    let rows: Vec<Row> = probing.rows_for(&asked.into())?;
    for row in &rows {
        let Some(gone) = gone.get(row.index) else {
            continue;
        };
        if is_taken_away(probing, row) {
            continue;
        }
        let (name, verb) = (gone.name(), gone.how.verb());
        let finding = if row.body {
            probing
                .finding(format!(
                    "the function `{}` names `{name}`, and PostgreSQL does not notice",
                    row.what
                ))
                .help("read its body, and replace the function before the migration takes it away")
                .level(Level::Warning)
                .certainty(Certainty::Possible)
        } else {
            probing
                .finding(format!("{} depends on `{name}`", row.what))
                .help("drop or change it in the same migration, before this statement")
        };
        let finding = finding.label(gone.place, format!("{verb} `{name}`"));
        probing.report(finding);
    }
    Ok(())
}

/// True if the plan drops the dependent object, or replaces the function.
fn is_taken_away(probing: &Probing<'_>, row: &Row) -> bool {
    probing
        .plan()
        .steps()
        .any(|(step, _)| match &step.statement.kind {
            Kind::Drop(drop) if drop.object == ObjectKind::Function => {
                row.body && drop.names.iter().any(|name| is_function(row, &name.name))
            }
            Kind::CreateFunction(create) => row.body && is_function(row, &create.name.name),
            Kind::Drop(drop) => drop.names.iter().any(|name| {
                let name = step.before.resolve(name);
                row.schema.as_deref() == Some(&*name.schema)
                    && row.relation.as_deref() == Some(&*name.name)
            }),
            _ => step
                .statement
                .dropped_constraints()
                .any(|(_, name)| row.constraint.as_deref() == Some(&*name.text)),
        })
}

fn is_function(row: &Row, name: &str) -> bool {
    let function = row.what.split('(').next().unwrap_or_default();
    function.rsplit('.').next() == Some(name)
}
