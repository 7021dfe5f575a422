use serde::Deserialize;

use crate::probe::{Judged, Probing};
use crate::statement::QualifiedName;

#[derive(Deserialize)]
struct Row {
    schema: String,
    name: String,
    live: f64,
    changed: f64,
    never: bool,
}

#[expect(clippy::cast_precision_loss, reason = "a percentage")]
pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let share = probing.options().int("share") as f64;
    let rows: Vec<Row> = probing.rows()?;
    for row in rows {
        let percent = row.changed / row.live * 100.0;
        if percent < share {
            continue;
        }
        let table = QualifiedName::new(&row.schema, &row.name).short();
        let finding = probing
            .finding(if row.never {
                format!("`{table}` was never analyzed, and {:.0} rows of it were written", row.changed)
            } else {
                format!(
                    "{:.0} rows of `{table}` were written since its last ANALYZE, {percent:.0} % of what it holds",
                    row.changed
                )
            })
            .help(format!("ANALYZE {table}"));
        probing.report(finding);
    }
    Ok(())
}
