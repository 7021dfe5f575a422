use serde::Deserialize;

use crate::diagnostic::Level;
use crate::probe::{Judged, Probing};

#[derive(Deserialize)]
struct Row {
    place: String,
    used: i64,
    usable: i64,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let options = probing.options();
    let (warning, error) = (options.int("warning"), options.int("error"));
    probing.sees_sessions()?;
    let rows: Vec<Row> = probing.rows()?;
    for row in rows {
        let percent = row.used.saturating_mul(100) / row.usable.max(1);
        if percent < warning {
            continue;
        }
        let finding = probing
            .finding(format!(
                "{} of {} usable connections of {} are taken, {percent} %",
                row.used, row.usable, row.place
            ))
            .help("close idle sessions, or put a pooler in between, before the migration makes requests queue up");
        probing.report(if percent >= error {
            finding.level(Level::Error)
        } else {
            finding
        });
    }
    Ok(())
}
