use serde::Deserialize;

use crate::diagnostic::Level;
use crate::probe::{Judged, Probing, Unknown};
use crate::wording::{all, bytes, number};

#[derive(Deserialize)]
struct Row {
    schema: String,
    name: String,
    /// Estimate; negative if the table was never analysed.
    rows: f64,
    heap: f64,
    toast: f64,
    indexes: f64,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let mut targets = probing.plan().targets();
    targets.retain(|target| !target.work.is_none());
    if targets.is_empty() {
        return Ok(());
    }
    let options = probing.options();
    #[expect(clippy::cast_precision_loss, reason = "thresholds")]
    let [warning, error, headroom, free] =
        ["warning", "error", "headroom", "free"].map(|name| options.int(name) as f64);
    let rows: Vec<Row> = probing.rows_on(&targets)?;
    let mut needed = 0.0;
    for row in &rows {
        let Some(target) = targets
            .iter()
            .find(|target| target.is(&row.schema, &row.name))
        else {
            continue;
        };
        let (table, work) = (target.relation.short(), target.work);
        needed += match work {
            work if work.rewrite => row.heap + row.toast + row.indexes,
            work if work.file_copy => row.heap + row.toast,
            // An index on a few columns is smaller than the table.
            work if work.index_build => row.heap / 2.0,
            _ => 0.0,
        };
        if row.rows < 0.0 {
            probing.unknown(Unknown::new(
                format!("the size of `{table}` is not known: it was never analysed"),
                format!("ANALYZE {table}"),
            ));
        }
        if row.rows >= warning && target.lock.blocks_writes() {
            let words = all(work.words().into_iter().map(str::to_owned).collect());
            let finding = probing
                .finding(format!(
                    "`{table}` has about {} rows ({}), and the migration does its work ({words}) under {} lock",
                    number(row.rows),
                    bytes(row.heap + row.toast),
                    target.lock.with_article()
                ))
                .help("use the form that stops nobody (CONCURRENTLY, NOT VALID and VALIDATE, a backfill), or plan a window")
                .label(target.place, "here");
            probing.report(if row.rows >= error {
                finding.level(Level::Error)
            } else {
                finding
            });
        }
    }
    if free > 0.0 && free < needed * 2.0 {
        let finding = probing
            .finding(format!(
                "the migrations write about {} and {} are free: less than twice as much",
                bytes(needed),
                bytes(free)
            ))
            .help("make room on the disk first")
            .level(Level::Error);
        probing.report(finding);
    } else if free <= 0.0 && needed >= headroom {
        probing.unknown(Unknown::new(
            format!(
                "the migrations write about {}, and how much of the disk is free is not known",
                bytes(needed)
            ),
            "say it in lockgate.yaml: `large-target: { free: … }`, in bytes",
        ));
    }
    Ok(())
}
