use serde::Deserialize;

use crate::diagnostic::Level;
use crate::probe::{Judged, Probing, Severity, Unknown, readings};

#[derive(Deserialize)]
struct Row {
    now: f64,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let outside = probing.outside();
    if outside.metrics.is_empty() {
        return probing.not_asked();
    }
    let rows: Vec<Row> = probing.rows()?;
    let now = rows.first().map_or(0.0, |row| row.now);
    for (name, text) in &outside.metrics {
        let numbers = text
            .clone()
            .and_then(|text| readings(&text, now, outside.oldest));
        let numbers = match numbers {
            Ok(numbers) => numbers,
            Err(why) => {
                let why = why.strip_prefix("not known: ").unwrap_or(&why).to_owned();
                probing.unknown(Unknown::new(
                    format!("the metric `{name}` is not known: {why}"),
                    "see what writes it",
                ));
                continue;
            }
        };
        let mut gates = outside.gates.clone();
        if gates.lacks_baseline(name) && numbers.len() == 1 {
            probing.unknown(Unknown::new(
                format!("whether the metric `{name}` is too high is not known: nothing says what it was before"),
                format!("give --baseline {name}=NUMBER, or earlier numbers above the last one"),
            ));
            continue;
        }
        // The last one counts; those before it say how long it has been so.
        let mut judged = (Severity::Ok, String::new());
        for (value, at) in &numbers {
            judged = gates.metric(name, *value, *at);
        }
        let (severity, words) = judged;
        let level = match severity {
            Severity::Ok | Severity::Unknown => continue,
            Severity::Warning => Level::Warning,
            Severity::Pause | Severity::Abort => Level::Error,
        };
        let finding = probing
            .finding(format!("the metric `{name}` is {words}"))
            .help(format!(
                "begin nothing more while it is so; another limit: --limit {name}=WARNING,PAUSE,ABORT"
            ))
            .level(level);
        probing.report(finding);
    }
    Ok(())
}
