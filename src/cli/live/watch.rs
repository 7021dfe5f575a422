//! `lockgate live watch`.

use std::io::{self, IsTerminal as _, Write};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};
use serde_json::json;

use super::super::{Failure, Outcome, note};
use super::outside::{Metrics, duration};
use super::{Connecting, unreachable};
use crate::live::watch::{Blocked, Followed, Judge, Notice, Sample, Watcher};
use crate::probe::{Severity, Text, readings};

pub(super) const EXAMPLES: &str = "\
Examples:
  lockgate live watch --application-name deploy --for 30min
  lockgate live watch --metric error-rate=/run/error-rate --on-abort ./cancel-migration --now
  lockgate live watch --limit replication-lag=1,5,30 --limit cpu=80,-,90/5min --format json

Measured: lock-wait, lock-share, connections, replication-lag, dead-rows, deadlocks, rollbacks, and metrics from outside.
A metric is a number with its moment: `0.4 2026-11-20T14:00:00Z` or {\"value\": 0.4, \"at\": \"…\"}.
Nothing is ended or cancelled; --on-abort runs a program of yours, once, without a shell.

Exit status: 0 all was well or only worth a warning, 1 something was a reason to pause or to give up, 2 the database could not be asked.";

/// Samples that a followed session may be missing in before it counts as gone.
const PATIENCE: u32 = 2;

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(flatten)]
    connecting: Connecting,

    /// Time between two samples
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    interval: Duration,

    /// Watch so long; otherwise until the followed session ends, or until it is interrupted
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    lasting: Option<Duration>,

    /// Follow the session of this process
    #[arg(long, value_name = "PID")]
    pid: Option<i32>,

    /// Follow the sessions of this application_name
    #[arg(long, value_name = "NAME")]
    application_name: Option<String>,

    #[command(flatten)]
    metrics: Metrics,

    /// Format of the output: `json` prints an object on each line
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// Run this once there is a reason to give up, and end; everything behind it is its arguments
    #[arg(long, value_name = "COMMAND", num_args = 1.., allow_hyphen_values = true)]
    on_abort: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let target = args.connecting.target()?;
    let gates = args.metrics.gates()?;
    let followed = Followed {
        pid: args.pid,
        application: args.application_name.clone(),
    };
    let mut watcher =
        Watcher::open(&target, &followed).map_err(|trouble| unreachable(&target, trouble))?;
    if let Some(blind) = &watcher.blind {
        note(&format!("note: {blind}"));
    }
    let mut judge = Judge::new(gates);
    let in_place = args.format == Format::Text && io::stdout().is_terminal();
    let (mut start, mut seen, mut missing) = (None, false, 0);
    loop {
        let sample = watcher
            .sample()
            .map_err(|trouble| unreachable(&target, trouble))?;
        let Some(sample) = sample else {
            note("note: the server is too busy to answer");
            sleep(args.interval);
            continue;
        };
        let start = *start.get_or_insert(sample.at);
        let metrics = args.metrics(sample.at);
        let notices = judge.judge(&sample, &metrics);
        match args.format {
            Format::Text => write_text(&sample, &notices, judge.now(), in_place, out)?,
            Format::Json => {
                let line = json!({"format": "lockgate-watch", "version": "1.0", "severity": judge.now(), "notices": notices, "sample": sample});
                writeln!(out, "{line}")?;
            }
        }
        out.flush()?;
        if judge.now() == Severity::Abort && !args.on_abort.is_empty() {
            end_line(in_place, out)?;
            act(&args.on_abort)?;
            break;
        }
        missing = if sample.followed.is_empty() {
            missing + 1
        } else {
            0
        };
        seen |= !sample.followed.is_empty();
        let over = args
            .lasting
            .is_some_and(|lasting| sample.at - start >= lasting.as_secs_f64());
        if over || (seen && missing >= PATIENCE) {
            end_line(in_place, out)?;
            break;
        }
        sleep(args.interval);
    }
    Ok(if judge.worst >= Severity::Pause {
        Outcome::Findings
    } else {
        Outcome::Clean
    })
}

impl Args {
    /// The numbers from outside at a moment: of those that tell a course of time the newest.
    fn metrics(&self, now: f64) -> Vec<(String, Result<f64, String>)> {
        let oldest = self.metrics.oldest();
        let newest = |text: Text| -> Result<f64, String> {
            let numbers = readings(&text?, now, oldest)?;
            numbers
                .last()
                .map(|(value, _)| *value)
                .ok_or_else(|| "not known".to_owned())
        };
        let texts = self.metrics.texts().into_iter();
        texts.map(|(name, text)| (name, newest(text))).collect()
    }
}

/// Runs what is to be run when there is a reason to give up.
#[expect(
    clippy::disallowed_methods,
    reason = "the user names the program that is to be run"
)]
fn act(argv: &[String]) -> Result<(), Failure> {
    let [program, arguments @ ..] = argv else {
        return Ok(());
    };
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .status()
        .map_err(|error| Failure::Usage {
            message: format!("{program} cannot be run: {error}"),
            help: "--on-abort takes a program and its arguments, without a shell".to_owned(),
        })?;
    note(&format!("note: {program} ended with {status}"));
    Ok(())
}

fn end_line(in_place: bool, out: &mut dyn Write) -> io::Result<()> {
    if in_place {
        writeln!(out)?;
    }
    out.flush()
}

/// One line for the sample, and one for each change. On a terminal the line is written over.
fn write_text(
    sample: &Sample,
    notices: &[Notice],
    now: Severity,
    in_place: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    if in_place {
        write!(out, "\r\x1b[2K")?;
    }
    let at = clock(sample.at);
    for notice in notices {
        writeln!(out, "{at} {}: {}", notice.severity.as_str(), notice.message)?;
        if notice.name == "lock-wait" && notice.severity > Severity::Ok {
            tree(sample, &notice.subject, out)?;
        }
    }
    write!(out, "{at} {}", status(sample, now))?;
    if !in_place {
        writeln!(out)?;
    }
    Ok(())
}

/// Who waits, and for whom, down to the one that waits for nobody.
fn tree(sample: &Sample, pid: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut next: Option<&Blocked> = sample.blocked.iter().find(|one| one.pid.to_string() == pid);
    let mut depth = 1;
    // Two that wait for each other are a deadlock, which the server ends.
    while let Some(blocked) = next.take_if(|_| depth <= 10) {
        let pad = "  ".repeat(depth);
        let query = blocked.query.as_deref().unwrap_or_default();
        writeln!(
            out,
            "{pad}{} waits {:.1} s with {query}",
            blocked.pid, blocked.seconds
        )?;
        for holder in &blocked.holders {
            if let Some(waiting) = sample.blocked.iter().find(|one| one.pid == *holder) {
                next = Some(waiting);
                continue;
            }
            let known = sample.holders.iter().find(|one| one.pid == *holder);
            let state = known
                .and_then(|one| one.state.as_deref())
                .unwrap_or("prepared transaction");
            let query = known
                .and_then(|one| one.query.as_deref())
                .unwrap_or_default();
            let age = known.and_then(|one| one.seconds).unwrap_or_default();
            writeln!(
                out,
                "{pad}  for {holder}, {state}, transaction of {age:.1} s, last {query}"
            )?;
        }
        depth += 1;
    }
    Ok(())
}

fn status(sample: &Sample, now: Severity) -> String {
    let mut parts = vec![
        now.as_str().to_owned(),
        format!("connections {}/{}", sample.connections, sample.usable),
    ];
    let waits: Vec<String> = sample
        .waits
        .iter()
        .filter(|(kind, _)| *kind != "none")
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    let active: u64 = sample.waits.values().sum();
    parts.push(if waits.is_empty() {
        format!("active {active}")
    } else {
        format!("active {active} ({})", waits.join(", "))
    });
    if !sample.blocked.is_empty() {
        parts.push(format!("blocked {}", sample.blocked.len()));
    }
    let lag = sample.replicas.iter().map(|one| one.seconds);
    if let Some(lag) = lag.max_by(f64::total_cmp) {
        parts.push(format!("lag {lag:.1} s"));
    }
    if let Some(dead) = sample.dead.first() {
        parts.push(format!("dead rows {} {}", dead.table, dead.dead));
    }
    for progress in &sample.progress {
        let share = (progress.done * 100).checked_div(progress.total);
        let share = share.map_or(String::new(), |percent| format!(" {percent} %"));
        parts.push(format!("{}: {}{share}", progress.what, progress.phase));
    }
    for followed in &sample.followed {
        let state = followed.state.as_deref().unwrap_or("unknown");
        let query = followed.query.as_deref().unwrap_or_default();
        let seconds = followed.seconds.unwrap_or_default();
        parts.push(format!("{} {state} {seconds:.0} s {query}", followed.pid));
    }
    parts.join(" · ")
}

/// The time of day, UTC.
#[expect(
    clippy::cast_possible_truncation,
    reason = "seconds of this age of the world"
)]
fn clock(at: f64) -> String {
    let seconds = (at as i64).rem_euclid(86_400);
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}
