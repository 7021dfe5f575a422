use serde::Deserialize;

use crate::probe::{Judged, Probing};
use crate::snapshot::compare::has_grown;
use crate::statement::QualifiedName;

/// What is printed as MB.
const MB: u64 = 1024 * 1024;

#[derive(Deserialize)]
struct Row {
    schema: String,
    name: String,
    bytes: u64,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let Some(before) = &probing.settings().stats else {
        return probing.not_asked();
    };
    let rows: Vec<Row> = probing.rows()?;
    for row in rows {
        let known = before.relation(&row.schema, &row.name);
        let Some(bytes) = known.and_then(|relation| relation.total_bytes) else {
            continue;
        };
        if !has_grown(bytes, row.bytes) {
            continue;
        }
        let table = QualifiedName::new(&row.schema, &row.name).short();
        let finding = probing
            .finding(format!(
                "`{table}` takes {} MB, and took {} MB before",
                row.bytes / MB,
                bytes / MB
            ))
            .help(format!("VACUUM {table}, so that the space is used again"));
        probing.report(finding);
    }
    Ok(())
}
