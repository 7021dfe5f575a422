//! What the table says in words.

use crate::effect::{RelationKind, WaitsFor, Work};
use crate::estimate;
use crate::locks::{Group, LocksReport, RowEffect, Stop, Until};
use crate::report::harmless::{count, visible};
use crate::session::{Timeout, TransactionKind};
use crate::source::Location;
use crate::statement::QualifiedName;

/// A relation as people call it: without `public`.
pub(super) fn name(relation: &QualifiedName) -> String {
    let full = visible(&relation.to_string());
    match full.strip_prefix("public.") {
        Some(name) => name.to_owned(),
        None => full,
    }
}

/// The work, and how long it takes where that is known.
pub(super) fn work_and_time(found: &RowEffect) -> String {
    let work = work(found.effect.work);
    match &found.estimate {
        None => work.to_owned(),
        Some(estimate) => format!("{work}: {}", estimate::time(estimate)),
    }
}

/// The work as one word; a rewrite builds the indexes and reads the rows anyway.
pub(super) fn work(work: Work) -> &'static str {
    if work.rewrite {
        "rewrite"
    } else if work.file_copy {
        "file copy"
    } else if work.index_build {
        "index build"
    } else if work.scan {
        "scan"
    } else {
        "–"
    }
}

/// When a lock is given back, for a column.
pub(super) fn until(report: &LocksReport, until: Until) -> String {
    match until {
        Until::Statement => "statement end".to_owned(),
        Until::Block => "block end".to_owned(),
        Until::Commit(place) => format!("commit, line {}", report.line(place)),
        Until::Rollback(place) => format!("rollback, line {}", report.line(place)),
        Until::Tool | Until::Message => "commit".to_owned(),
        Until::Run => "end of run".to_owned(),
        Until::Open => "no commit here".to_owned(),
    }
}

/// The same where there is little room.
pub(super) fn short_until(report: &LocksReport, until: Until) -> String {
    match until {
        Until::Statement => "its end".to_owned(),
        Until::Commit(place) | Until::Rollback(place) => format!("line {}", report.line(place)),
        Until::Open => "–".to_owned(),
        other => self::until(report, other),
    }
}

/// Whom a statement waits for.
pub(super) fn waits(waits: &[WaitsFor]) -> String {
    let words: Vec<&str> = waits
        .iter()
        .map(|waits| match waits {
            WaitsFor::OldSnapshots => "with an older snapshot, anywhere in the database",
            WaitsFor::Writers => "that wrote the table",
            WaitsFor::Readers => "that use the table",
        })
        .collect();
    format!("waits for every transaction {}", words.join(", and "))
}

/// The line above a transaction.
pub(super) fn opening(report: &LocksReport, group: &Group, tool: &str) -> String {
    let continued = if group.before.is_some() {
        ", continued"
    } else {
        ""
    };
    match group.kind {
        TransactionKind::Explicit => match group.begin {
            Some(begin) => format!("transaction: BEGIN on line {}", report.line(begin)),
            None => "transaction: COMMIT AND CHAIN".to_owned(),
        },
        TransactionKind::Runner if group.run => {
            format!("transaction by {tool}, for the whole run{continued}")
        }
        TransactionKind::Runner => format!("transaction by {tool}"),
        TransactionKind::Implicit => "sent as one message: an implicit transaction".to_owned(),
        TransactionKind::None => String::new(),
    }
}

/// The line below a transaction.
pub(super) fn closing(report: &LocksReport, group: &Group, tool: &str) -> String {
    if group.goes_on {
        return "goes on in the next migration".to_owned();
    }
    match group.until {
        Until::Statement | Until::Block => String::new(),
        Until::Commit(place) => format!("COMMIT on line {}", report.line(place)),
        Until::Rollback(place) => format!("ROLLBACK on line {}", report.line(place)),
        Until::Tool => format!("commit by {tool}"),
        Until::Run => format!("commit by {tool}, at the end of the run"),
        Until::Message => "commit at the end of the message".to_owned(),
        Until::Open => "not committed in this file".to_owned(),
    }
}

/// `lock_timeout 2s`, or that there is none.
pub(super) fn lock_timeout(timeout: Option<Timeout>) -> String {
    match timeout.map(|timeout| timeout.milliseconds) {
        None | Some(0) => "no lock_timeout".to_owned(),
        Some(milliseconds) => format!("lock_timeout {}", duration(milliseconds)),
    }
}

/// A length of time as PostgreSQL writes it.
fn duration(milliseconds: u64) -> String {
    for (unit, length) in [("h", 3_600_000), ("min", 60_000), ("s", 1_000)] {
        if milliseconds >= length && milliseconds.is_multiple_of(length) {
            return format!("{}{unit}", milliseconds / length);
        }
    }
    format!("{milliseconds}ms")
}

/// `locks on `orders` …` from an earlier migration of the run.
pub(super) fn before(
    report: &LocksReport,
    relation: &QualifiedName,
    lock: &str,
    place: Location,
) -> String {
    format!(
        "`{}` is {lock} since line {} of {}",
        name(relation),
        report.line(place),
        visible(&report.source(place.source).path)
    )
}

/// How long others cannot use a relation, as a sentence.
pub(super) fn stop(report: &LocksReport, stop: &Stop) -> String {
    let line = |place: Location| format!("line {}", report.line(place));
    let writes = line(stop.writes);
    let reads = stop.reads.map(line);
    let what = match (stop.kind, &reads) {
        (RelationKind::Sequence, _) => "nextval stops",
        (_, Some(reads)) if *reads == writes => "reads and writes stop",
        (_, _) => "writes stop",
    };
    let later = reads
        .filter(|reads| *reads != writes)
        .map_or_else(String::new, |reads| format!(", reads from {reads}"));
    let time = match stop.until {
        Until::Statement => format!("while {writes} runs"),
        Until::Block => format!("from {writes}{later} to the end of the block"),
        Until::Commit(place) => format!("from {writes}{later} to the commit on {}", line(place)),
        Until::Rollback(place) => {
            format!("from {writes}{later} to the rollback on {}", line(place))
        }
        Until::Tool | Until::Message => format!("from {writes}{later} to the commit"),
        Until::Run => format!("from {writes}{later} to the end of the run"),
        Until::Open => format!("from {writes}{later} until someone commits"),
    };
    let work = match work(stop.work) {
        "–" => String::new(),
        work => format!(" ({work})"),
    };
    let further = match stop.further {
        0 => String::new(),
        further => format!(
            ", while {} {}",
            count(further, "further statement", "further statements"),
            if further == 1 { "runs" } else { "run" }
        ),
    };
    let maybe = match stop.certainty {
        crate::diagnostic::Certainty::Certain => "",
        _ => "possibly ",
    };
    format!(
        "`{}`: {maybe}{what} {time}{work}{further}",
        name(&stop.relation)
    )
}
