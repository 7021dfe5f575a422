//! What the command line hands over beside a database: figures from files and programs, queries, facts about the deploy.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::{self, sleep};
use std::time::Duration;

use clap::Args as ClapArgs;

use super::super::Failure;
use super::read;
use crate::probe::{Gates, Limit, Limits, Outside, Text, invariants, limit_from};
use crate::settings::milliseconds;
use crate::snapshot::seconds_since_epoch;

/// So long may a program take that is to print a figure.
const PATIENCE: Duration = Duration::from_secs(10);
/// Time between two looks whether it has ended.
const LOOK: Duration = Duration::from_millis(10);

/// Numbers from outside, and from where on they are too high.
#[derive(Debug, Clone, ClapArgs)]
pub(super) struct Metrics {
    /// A number from outside: `error-rate=FILE`, `p99=FILE`, `cpu=FILE` or another name with a --limit
    #[arg(long, value_name = "NAME=FILE", value_parser = pair)]
    metric: Vec<(String, String)>,

    /// The same from a program, as a JSON array of its arguments: `cpu=["./load","--json"]`
    #[arg(long, value_name = "NAME=ARGV", value_parser = program)]
    metric_command: Vec<(String, Vec<String>)>,

    /// What a metric was before: `error-rate=0.2`; otherwise its first value counts
    #[arg(long, value_name = "NAME=NUMBER", value_parser = baseline)]
    baseline: Vec<(String, f64)>,

    /// Age from which a metric is not known any more
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    metric_age: Duration,

    /// Other limits for a measure: `replication-lag=10,60,300` (warning, pause, abort; `-` for none), `/5min` behind it if the last one must last
    #[arg(long, value_name = "LIMIT", value_parser = limit_from)]
    limit: Vec<(String, Limit)>,
}

impl Metrics {
    /// The limits, once each metric has some.
    pub(super) fn gates(&self) -> Result<Gates, Failure> {
        let limits: Limits = self.limit.iter().cloned().collect();
        let known = Gates::names();
        let names = self.metric.iter().map(|(name, _)| name);
        for name in names.chain(self.metric_command.iter().map(|(name, _)| name)) {
            if !known.contains(&name.as_str()) && !limits.contains_key(name) {
                return Err(Failure::Usage {
                    message: format!("nothing says from where on the metric `{name}` is too high"),
                    help: format!("add --limit {name}=WARNING,PAUSE,ABORT"),
                });
            }
        }
        Ok(Gates::new(limits, self.baseline.iter().cloned().collect()))
    }

    /// Age in seconds from which a metric is not known any more.
    pub(super) fn oldest(&self) -> f64 {
        self.metric_age.as_secs_f64()
    }

    /// What the files and programs say now.
    pub(super) fn texts(&self) -> Vec<(String, Text)> {
        let files = self
            .metric
            .iter()
            .map(|(name, file)| (name.clone(), file_text(Path::new(file))));
        let programs = self
            .metric_command
            .iter()
            .map(|(name, argv)| (name.clone(), output(argv)));
        files.chain(programs).collect()
    }
}

/// What `pre` and `post` take.
#[derive(Debug, Clone, ClapArgs)]
pub(super) struct Handed {
    #[command(flatten)]
    metrics: Metrics,

    /// A file of SELECTs that must return what the comment in front of each says: no rows, `-- expect: 0`, `-- expect: same`
    #[arg(long, value_name = "FILE")]
    invariants: Option<PathBuf>,
}

/// What only `pre` takes.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(super) struct Before {
    /// A file with a line for each backup: its size in bytes, and when it was finished
    #[arg(long, value_name = "FILE", conflicts_with = "backup_command")]
    backup: Option<PathBuf>,

    /// The same from a program, as a JSON array of its arguments: `["stat","-c","%s %Y","shop.dump"]`
    #[arg(long, value_name = "ARGV", value_parser = argv)]
    backup_command: Option<Argv>,

    /// The role that runs the migrations
    #[arg(long, value_name = "ROLE")]
    migration_role: Option<String>,

    /// When the application was deployed: sessions of `outdated-session` that are older run the old one
    #[arg(long, value_name = "TIME", value_parser = moment)]
    deployed_at: Option<f64>,
}

/// A program and its arguments.
#[derive(Debug, Clone)]
struct Argv(Vec<String>);

impl Handed {
    /// Reads the files and runs the programs.
    pub(super) fn outside(&self, before: &Before) -> Result<Outside, Failure> {
        let gates = self.metrics.gates()?;
        let invariants = match &self.invariants {
            None => None,
            Some(file) => Some(invariants_in(file)?),
        };
        let backup = match (&before.backup, &before.backup_command) {
            (Some(file), _) => Some(file_text(file)),
            (None, Some(Argv(argv))) => Some(output(argv)),
            (None, None) => None,
        };
        Ok(Outside {
            metrics: self.metrics.texts(),
            gates,
            oldest: self.metrics.oldest(),
            backup,
            invariants,
            role: before.migration_role.clone(),
            deployed: before.deployed_at,
        })
    }
}

/// Reads a file of queries.
pub(super) fn invariants_in(file: &Path) -> Result<Vec<crate::probe::Invariant>, Failure> {
    let text = read(file).map_err(|error| Failure::Unreadable {
        message: format!("{}: cannot be read: {error}", file.display()),
    })?;
    invariants(&text).map_err(|message| Failure::Usage {
        message: format!("{}: {message}", file.display()),
        help: "write SELECTs, each with its semicolon, and what they must return in a comment in front: `-- expect: 0`"
            .to_owned(),
    })
}

fn file_text(file: &Path) -> Text {
    read(file).map_err(|error| format!("not known: {}: {error}", file.display()))
}

/// What a program prints; it is ended if that takes too long.
#[expect(
    clippy::disallowed_methods,
    reason = "a number from outside may come from a program that the user names"
)]
fn output(argv: &[String]) -> Text {
    let [program, arguments @ ..] = argv else {
        return Err("not known: no program is named".to_owned());
    };
    let failed = |error: &dyn std::fmt::Display| format!("not known: {program}: {error}");
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(&error))?;
    let stdout = child.stdout.take();
    // A program that prints more than a pipe holds would wait for its reader.
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stdout) = stdout {
            // What was read until then counts.
            let _ = stdout.read_to_end(&mut bytes);
        }
        bytes
    });
    let mut waited = Duration::ZERO;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|error| failed(&error))? {
            break status;
        }
        if waited >= PATIENCE {
            // It may have ended just now.
            let _ = child.kill();
            let _ = child.wait();
            return Err(failed(&format!(
                "no answer within {} s",
                PATIENCE.as_secs()
            )));
        }
        sleep(LOOK);
        waited += LOOK;
    };
    if !status.success() {
        return Err(failed(&status));
    }
    let bytes = reader.join().unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    milliseconds(text)
        .filter(|&milliseconds| milliseconds > 0)
        .map(Duration::from_millis)
        .ok_or_else(|| "a duration is written like `500ms`, `10s` or `5min`".to_owned())
}

#[expect(clippy::cast_precision_loss, reason = "no moment is that late")]
fn moment(text: &str) -> Result<f64, String> {
    seconds_since_epoch(text)
        .map(|seconds| seconds as f64)
        .ok_or_else(|| "a moment is written like `2026-11-20T14:00:00Z`".to_owned())
}

fn pair(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .filter(|(name, rest)| !name.is_empty() && !rest.is_empty())
        .map(|(name, rest)| (name.to_owned(), rest.to_owned()))
        .ok_or_else(|| "it is written like `error-rate=FILE`".to_owned())
}

fn argv(text: &str) -> Result<Argv, String> {
    match serde_json::from_str::<Vec<String>>(text) {
        Ok(list) if !list.is_empty() => Ok(Argv(list)),
        _ => Err("it is written like `[\"stat\",\"-c\",\"%s %Y\",\"shop.dump\"]`".to_owned()),
    }
}

fn program(text: &str) -> Result<(String, Vec<String>), String> {
    let (name, list) = pair(text)?;
    match argv(&list) {
        Ok(Argv(list)) => Ok((name, list)),
        Err(_) => Err("it is written like `cpu=[\"./load\",\"--json\"]`".to_owned()),
    }
}

fn baseline(text: &str) -> Result<(String, f64), String> {
    let (name, number) = pair(text)?;
    let number = number
        .parse()
        .map_err(|_| format!("`{number}` is not a number"))?;
    Ok((name, number))
}
