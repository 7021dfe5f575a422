use serde::Deserialize;

use crate::diagnostic::Level;
use crate::probe::{Judged, Probing};
use crate::statement::QualifiedName;

#[derive(Deserialize)]
struct Row {
    schema: String,
    name: String,
    enabled: bool,
    forced: bool,
    policies: u64,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let wants_forced = probing.options().bool("forced");
    let rows: Vec<Row> = probing.rows()?;
    for row in rows {
        let table = QualifiedName::new(&row.schema, &row.name).short();
        let finding = if !row.enabled {
            probing
                .finding(format!(
                    "`{table}` has policies, and they do nothing: row level security is not enabled"
                ))
                .help(format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"))
        } else if row.policies == 0 {
            probing
                .finding(format!(
                    "row level security of `{table}` is enabled, and no policy lets anybody see a row"
                ))
                .help("create the policies")
                .level(Level::Warning)
        } else if wants_forced && !row.forced {
            probing
                .finding(format!(
                    "the owner of `{table}` is not bound by its policies"
                ))
                .help(format!("ALTER TABLE {table} FORCE ROW LEVEL SECURITY"))
                .level(Level::Warning)
        } else {
            continue;
        };
        probing.report(finding);
    }
    Ok(())
}
