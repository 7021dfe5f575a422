use serde::Deserialize;

use crate::probe::{Judged, Probing};
use crate::statement::QualifiedName;
use crate::wording::bytes;

/// Less is not worth a word.
const LEAST: f64 = 8.0 * 1024.0 * 1024.0;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    schema: String,
    name: String,
    rows: f64,
    bytes: f64,
    index_bytes: Option<f64>,
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let Some(before) = &probing.settings().stats else {
        return probing.not_asked();
    };
    let most = probing.options().int("warning") as f64;
    let rows: Vec<Row> = probing.rows()?;
    for row in rows {
        let Some(known) = before.relation(&row.schema, &row.name) else {
            continue;
        };
        let Some(then) = known.rows.filter(|rows| *rows > 0) else {
            continue;
        };
        let parts = [
            ("takes", known.bytes, Some(row.bytes), ""),
            (
                "has indexes of",
                known.index_bytes,
                row.index_bytes,
                ", and REINDEX TABLE CONCURRENTLY gives it back",
            ),
        ];
        for (verb, before, now, more) in parts {
            let (Some(before), Some(now)) = (before, now) else {
                continue;
            };
            let needed = before as f64 / then as f64 * row.rows;
            let wasted = now - needed;
            let percent = wasted / now * 100.0;
            if !(wasted >= LEAST && percent >= most) {
                continue;
            }
            let table = QualifiedName::new(&row.schema, &row.name).short();
            let finding = probing
                .finding(format!(
                    "`{table}` {verb} {}, and about {} would do: {percent:.0} % is bloat",
                    bytes(now),
                    bytes(needed)
                ))
                .help(format!(
                    "VACUUM {table}, so that the place is used again{more}"
                ));
            probing.report(finding);
        }
    }
    Ok(())
}
