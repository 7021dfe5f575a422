use serde::Deserialize;

use crate::diagnostic::Level;
use crate::probe::{Judged, Probing};
use crate::statement::{QualifiedName, quoted};

#[derive(Deserialize)]
struct Row {
    schema: String,
    table: String,
    name: String,
    kind: String,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let rows: Vec<Row> = probing.rows()?;
    for row in rows {
        let table = QualifiedName::new(&row.schema, &row.table).short();
        let kind = match row.kind.as_str() {
            "f" => "foreign key",
            "n" => "NOT NULL constraint",
            _ => "CHECK constraint",
        };
        let mut finding = probing
            .finding(format!(
                "the {kind} `{}` of `{table}` is not validated",
                row.name
            ))
            .help(format!(
                "ALTER TABLE {table} VALIDATE CONSTRAINT {}",
                quoted(&row.name)
            ));
        let pending = probing.plan().steps().find(|(step, _)| {
            step.statement
                .validated_constraints()
                .any(|(on, name)| *on.name == *row.table && *name.text == *row.name)
        });
        if let Some((_, place)) = pending {
            finding = finding.level(Level::Info).label(place, "validates it");
        }
        probing.report(finding);
    }
    Ok(())
}
