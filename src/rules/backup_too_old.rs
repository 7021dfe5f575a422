use serde::Deserialize;

use crate::diagnostic::Level;
use crate::probe::{How, Judged, Probing, Unknown, figures};
use crate::wording::{bytes, duration, names};

/// Clocks of machines may differ by so many seconds.
const CLOCKS: f64 = 300.0;

#[derive(Deserialize)]
struct Row {
    now: f64,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let Some(text) = &probing.outside().backup else {
        return probing.not_asked();
    };
    let help = "write a line for each backup: its size in bytes, and when it was finished (`5368709120 2026-11-20T02:00:00Z`)";
    let unknown = |why: &str| Unknown::new(format!("when the last backup was made is {why}"), help);
    let text = text.as_ref().map_err(|why| unknown(why))?;
    if text.trim().is_empty() {
        let finding = probing
            .finding("there is no backup")
            .help("make one before anything is migrated");
        probing.report(finding);
        return Ok(());
    }
    let backups =
        figures(text).ok_or_else(|| unknown("not known: no size and moment can be read"))?;
    let rows: Vec<Row> = probing.rows()?;
    let (Some(row), Some(last)) = (rows.first(), backups.last()) else {
        return Err(unknown("not known"));
    };
    let age = row.now - last.at;
    if age < -CLOCKS {
        return Err(unknown(&format!(
            "not known: the moment is {} from now",
            duration(-age)
        )));
    }
    let options = probing.options();
    let (most, before_loss) = (options.seconds("age"), options.seconds("before_loss"));
    let dropped: Vec<String> = probing
        .plan()
        .gone()
        .iter()
        .filter(|gone| gone.how == How::Dropped)
        .map(crate::probe::Gone::name)
        .collect();
    if age > most {
        let finding = probing
            .finding(format!("the last backup is {} old", duration(age)))
            .help("make one before anything is migrated");
        probing.report(finding);
    } else if age > before_loss && !dropped.is_empty() {
        let finding = probing
            .finding(format!(
                "the last backup is {} old, and the migrations drop {}",
                duration(age),
                names(dropped)
            ))
            .help("make one first: what is dropped comes back from nowhere else");
        // A warning where an old backup is an error, and no more than that anywhere.
        let usual = probing.rule.level_in(probing.settings().environment);
        let level = usual.map_or(Level::Warning, |level| level.min(Level::Warning));
        probing.report(finding.level(level));
    }
    let share = probing.options().int("share");
    let before = backups.iter().rev().nth(1).and_then(|backup| backup.value);
    #[expect(clippy::cast_precision_loss, reason = "a percentage")]
    let least = before.map(|before| before * share as f64 / 100.0);
    match (last.value, least) {
        (Some(size), _) if size <= 0.0 => {
            let finding = probing
                .finding("the last backup is empty")
                .help("see why it is");
            probing.report(finding);
        }
        (Some(size), Some(least)) if size < least => {
            let finding = probing
                .finding(format!(
                    "the last backup has {}, and the one before it had {}",
                    bytes(size),
                    bytes(before.unwrap_or_default())
                ))
                .help("see what it lacks")
                .level(Level::Warning);
            probing.report(finding);
        }
        _ => {}
    }
    Ok(())
}
