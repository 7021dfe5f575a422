use serde::Deserialize;

use crate::diagnostic::Level;
use crate::effect::LockMode;
use crate::probe::{Judged, Probing};
use crate::wording::duration;

#[derive(Deserialize)]
struct Row {
    schema: String,
    name: String,
    pid: Option<i32>,
    running: Option<f64>,
    percent: f64,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let mut targets = probing.plan().targets();
    targets.retain(|target| target.lock.conflicts_with(LockMode::ShareUpdateExclusive));
    if targets.is_empty() {
        return Ok(());
    }
    let nearly = probing.options().int("nearly");
    let rows: Vec<Row> = probing.rows_on(&targets)?;
    for row in &rows {
        let Some(target) = targets
            .iter()
            .find(|target| target.is(&row.schema, &row.name))
        else {
            continue;
        };
        let table = target.relation.short();
        let label = format!(
            "takes {} lock on `{table}` here",
            target.lock.with_article()
        );
        #[expect(clippy::cast_precision_loss, reason = "a percentage")]
        let near = row.percent >= nearly as f64;
        if let (Some(pid), running) = (row.pid, row.running.unwrap_or_default()) {
            let finding = probing
                .finding(format!(
                    "autovacuum {pid} has worked on `{table}` for {} to prevent wraparound, and does not give way",
                    duration(running)
                ))
                .help("wait until it is done: pg_stat_progress_vacuum shows how far it is")
                .label(target.place, label);
            probing.report(finding);
        } else if near {
            let finding = probing
                .finding(format!(
                    "`{table}` has reached {:.0} % of `autovacuum_freeze_max_age`: a vacuum that does not give way may begin at any moment",
                    row.percent
                ))
                .help(format!("VACUUM (FREEZE) {table} before the migration"))
                .level(Level::Warning)
                .label(target.place, label);
            probing.report(finding);
        }
    }
    probing.sees_sessions()
}
