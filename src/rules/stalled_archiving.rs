use serde::Deserialize;

use crate::diagnostic::Level;
use crate::probe::{Judged, Probing};
use crate::wording::duration;

#[derive(Deserialize)]
struct Row {
    mode: String,
    level: String,
    /// Seconds since WAL was archived.
    archived: Option<f64>,
    /// Seconds since archiving failed.
    failed: Option<f64>,
    failures: i64,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let age = probing.options().seconds("age");
    let rows: Vec<Row> = probing.rows()?;
    for row in rows {
        if row.mode == "off" || row.level == "minimal" {
            let finding = probing
                .finding(format!(
                    "WAL is not archived (`archive_mode` is {}, `wal_level` is {})",
                    row.mode, row.level
                ))
                .help("set up continuous archiving; on a managed service that does it out of sight, switch this rule off")
                .level(Level::Warning);
            probing.report(finding);
            continue;
        }
        let failing = match (row.failed, row.archived) {
            (Some(failed), Some(archived)) => failed < archived,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if failing {
            let finding = probing
                .finding(format!(
                    "archiving WAL fails: {} times so far, last {} ago",
                    row.failures,
                    duration(row.failed.unwrap_or_default())
                ))
                .help("the server's log says what the archive command answers");
            probing.report(finding);
        } else if let Some(archived) = row.archived.filter(|archived| *archived > age) {
            let finding = probing
                .finding(format!("the last WAL was archived {} ago", duration(archived)))
                .help("SELECT pg_switch_wal() as an administrator closes the current piece of WAL, so that it is archived; `archive_timeout` does so regularly")
                .level(Level::Warning);
            probing.report(finding);
        } else if row.archived.is_none() {
            let finding = probing
                .finding("WAL is to be archived, and none has been since the statistics began")
                .help("SELECT pg_switch_wal() as an administrator, and see whether it is archived")
                .level(Level::Warning);
            probing.report(finding);
        }
    }
    Ok(())
}
