use serde::Deserialize;

use crate::diagnostic::Level;
use crate::probe::{Judged, Probing};
use crate::wording::bytes;

#[derive(Deserialize)]
struct Row {
    name: String,
    kind: String,
    active: bool,
    status: Option<String>,
    retained: Option<f64>,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    #[expect(clippy::cast_precision_loss, reason = "a threshold")]
    let most = probing.options().int("retained") as f64;
    let rows: Vec<Row> = probing.rows()?;
    for row in rows {
        let retained = row.retained.unwrap_or_default();
        let name = &row.name;
        let (message, level) = match row.status.as_deref() {
            Some("lost") => (
                format!(
                    "the {} slot `{name}` has lost WAL that its reader needs",
                    row.kind
                ),
                Level::Error,
            ),
            Some("unreserved") => (
                format!(
                    "the {} slot `{name}` is about to lose WAL that its reader needs",
                    row.kind
                ),
                Level::Error,
            ),
            _ if !row.active => (
                format!(
                    "nobody reads from the {} slot `{name}`, and it keeps {} of WAL",
                    row.kind,
                    bytes(retained)
                ),
                Level::Warning,
            ),
            _ if retained >= most => (
                format!(
                    "the {} slot `{name}` keeps {} of WAL",
                    row.kind,
                    bytes(retained)
                ),
                Level::Warning,
            ),
            _ => continue,
        };
        let finding = probing.finding(message).level(level).help(format!(
            "bring its reader back, or drop it: SELECT pg_drop_replication_slot('{}')",
            name.replace('\'', "''")
        ));
        probing.report(finding);
    }
    Ok(())
}
