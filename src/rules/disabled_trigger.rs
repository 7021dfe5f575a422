use serde::Deserialize;

use crate::diagnostic::Level;
use crate::probe::{Judged, Probing};
use crate::statement::QualifiedName;
use crate::wording::names;

#[derive(Deserialize)]
struct Row {
    schema: String,
    table: String,
    triggers: Option<Vec<String>>,
    constraints: Option<Vec<String>>,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let rows: Vec<Row> = probing.rows()?;
    for row in rows {
        let table = QualifiedName::new(&row.schema, &row.table).short();
        if let Some(constraints) = row.constraints {
            let finding = probing
                .finding(format!(
                    "triggers of `{table}` that check {} are switched off",
                    names(constraints)
                ))
                .help(format!("ALTER TABLE {table} ENABLE TRIGGER ALL, then look for rows without their parent"))
                .level(Level::Error);
            probing.report(finding);
        }
        if let Some(triggers) = row.triggers {
            let finding = probing
                .finding(format!("triggers of `{table}` are switched off: {}", names(triggers)))
                .help(format!("ALTER TABLE {table} ENABLE TRIGGER with its name, or drop it if nobody needs it"));
            probing.report(finding);
        }
    }
    Ok(())
}
