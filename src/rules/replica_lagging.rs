use serde::Deserialize;

use crate::diagnostic::Level;
use crate::probe::{Judged, Probing};
use crate::wording::{bytes, duration};

#[derive(Deserialize)]
struct Row {
    name: Option<String>,
    state: Option<String>,
    sync: Option<String>,
    /// Seconds; none when there was nothing to replay for a while.
    lag: Option<f64>,
    /// Bytes.
    behind: Option<f64>,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let options = probing.options();
    let (warning, error) = (options.seconds("warning"), options.seconds("error"));
    #[expect(clippy::cast_precision_loss, reason = "a threshold")]
    let most = options.int("bytes") as f64;
    let expected = usize::try_from(options.int("expected")).unwrap_or_default();
    probing.sees_sessions()?;
    let rows: Vec<Row> = probing.rows()?;
    if rows.len() < expected {
        let finding = probing
            .finding(format!(
                "{} of {expected} expected replicas are connected",
                rows.len()
            ))
            .help("see why the others are not: their own logs say it")
            .level(Level::Error);
        probing.report(finding);
    }
    for row in rows {
        let (lag, behind) = (row.lag.unwrap_or_default(), row.behind.unwrap_or_default());
        let streams = row.state.as_deref() == Some("streaming");
        if streams && lag < warning && behind < most {
            continue;
        }
        let name = row.name.unwrap_or_default();
        let state = row.state.unwrap_or_default();
        let sync = match row.sync.as_deref() {
            Some("sync" | "quorum") => "synchronous ",
            _ => "",
        };
        let message = if streams {
            format!(
                "the {sync}replica `{name}` is {} and {} behind",
                duration(lag),
                bytes(behind)
            )
        } else {
            format!(
                "the {sync}replica `{name}` is in the state {state}, {} behind",
                bytes(behind)
            )
        };
        let finding = probing.finding(message).help(
            "wait until it has caught up; if replay is paused there: SELECT pg_wal_replay_resume()",
        );
        probing.report(if lag >= error {
            finding.level(Level::Error)
        } else {
            finding
        });
    }
    Ok(())
}
