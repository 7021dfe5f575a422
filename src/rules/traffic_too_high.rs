use serde::Deserialize;

use crate::probe::{Judged, Probing, Unknown};

/// A session hands in its counters once a second at most, when it has finished something. Milliseconds.
const OWN_COUNTERS: u64 = 1_100;
/// Until 14 a process of its own writes them down, twice a second. Milliseconds.
const COLLECTOR: u64 = 600;

#[derive(Deserialize)]
struct Row {
    transactions: f64,
    active: i64,
    now: f64,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let options = probing.options();
    let (most, most_active) = (options.int("transactions"), options.int("active"));
    let over = options.duration("over").max(1_000);
    if most <= 0 && most_active <= 0 {
        return probing.not_asked();
    }
    if most_active > 0 {
        probing.sees_sessions()?;
        if let Some(row) = sample(probing)?
            && row.active >= most_active
        {
            let finding = probing
                .finding(format!(
                    "sessions at work in this database: {}, and {most_active} are too many",
                    row.active
                ))
                .help("wait for a quieter moment, or switch off what is still at work");
            probing.report(finding);
        }
    }
    if most > 0 {
        // The transactions of the probes before this one are handed in first.
        probing.pause(OWN_COUNTERS);
        sample(probing)?;
        probing.pause(COLLECTOR);
        let first = sample(probing)?;
        probing.pause(over);
        let (Some(first), Some(last)) = (first, sample(probing)?) else {
            return Err(Unknown::new(
                "how many transactions there are is not known: the server does not count them",
                "see that `track_counts` is on",
            ));
        };
        let seconds = (last.now - first.now).max(1.0);
        // One of them is this session's own.
        let rate = (last.transactions - first.transactions - 1.0).max(0.0) / seconds;
        #[expect(clippy::cast_precision_loss, reason = "a threshold")]
        if rate >= most as f64 {
            let finding = probing
                .finding(format!(
                    "the database runs {rate:.0} transactions in a second, and {most} are too many"
                ))
                .help("wait for a quieter moment, or switch off what is still at work");
            probing.report(finding);
        }
    }
    Ok(())
}

fn sample(probing: &mut Probing<'_>) -> Result<Option<Row>, Unknown> {
    let mut rows: Vec<Row> = probing.rows()?;
    Ok(rows.pop())
}
