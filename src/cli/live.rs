//! `lockgate live`.

mod compare;
mod outside;
mod snapshot;
mod watch;

use std::io::{self, Read as _, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args as ClapArgs, Subcommand};

use self::outside::{Before, Handed};
use super::check::{FailOn, outcome, rule_id};
use super::target;
use super::{Failure, Outcome, note};
use crate::explain;
use crate::live::{self, Request, Surroundings, Target};
use crate::probe::When;
use crate::report::{Answer, Format, Report, Style, render};
use crate::settings::Strictness;
use crate::sql;

const EXAMPLES: &str = "\
Examples:
  lockgate live pre                              the database that the PG* variables name
  lockgate live pre --database-url service=prod
  lockgate live pre --databases shards.txt --jobs 8 --format json
  lockgate live watch --application-name deploy  while it runs; ends with its session
  lockgate live pre --backup backups.txt --metric error-rate=rate.txt --migration-role migrator
  lockgate live post --before before.json        did it end well?
  lockgate live snapshot --output before.json
  lockgate live compare before.json postgresql://localhost/shop
  lockgate live --list

A password in --database-url can be read by other users of this machine in its list of processes: better ~/.pgpass,
PGPASSWORD or a file for --databases. Every session is read-only, waits for no lock, and needs the role pg_monitor at most.

Exit status: 0 clean, 1 findings, 2 a database could not be asked.";

/// Databases asked at a time unless --jobs says otherwise.
const JOBS: NonZero<usize> = NonZero::new(4).expect("not zero");

#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub(super) struct Args {
    /// List the probes
    #[arg(long)]
    list: bool,

    #[command(subcommand)]
    moment: Option<Moment>,
}

#[derive(Debug, Subcommand)]
enum Moment {
    /// Before a migration runs: is now a safe moment?
    #[command(after_help = EXAMPLES)]
    Pre(Box<PreArgs>),
    /// While a migration runs: is it going well? Ends nothing itself
    #[command(after_help = watch::EXAMPLES)]
    Watch(Box<watch::Args>),
    /// After a migration ran: is there what it promises, and is all well?
    #[command(after_help = EXAMPLES)]
    Post(Box<PostArgs>),
    /// Write what a database holds and how it is used, as numbers, for --stats and --before
    Snapshot(snapshot::Args),
    /// Compare two databases, or two moments: schema, rows, sizes, times of statements, plans
    Compare(compare::Args),
}

#[derive(Debug, ClapArgs)]
struct PreArgs {
    #[command(flatten)]
    before: Before,

    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, ClapArgs)]
struct PostArgs {
    /// A snapshot from before the migration: what grew or became slower since then is reported
    #[arg(long, value_name = "FILE", conflicts_with = "stats")]
    before: Option<PathBuf>,

    #[command(flatten)]
    asking: Asking,
}

/// What all moments share.
#[derive(Debug, ClapArgs)]
struct Asking {
    /// The database: a URL or a connection string; repeatable. Without one the PG* variables say it
    #[arg(long, value_name = "URL")]
    database_url: Vec<String>,

    /// A file with one URL or connection string on each line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    databases: Option<PathBuf>,

    /// How many databases are asked at a time
    #[arg(long, value_name = "N", default_value_t = JOBS)]
    jobs: NonZero<usize>,

    /// Format of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// Write the report to a file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Ask only these probes
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = rule_id)]
    select: Vec<String>,

    /// Do not ask these probes
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = rule_id)]
    ignore: Vec<String>,

    /// Ask about good habits too
    #[arg(long)]
    strict: bool,

    /// Lowest level that makes the exit status 1
    #[arg(long, value_name = "LEVEL", default_value = "error")]
    fail_on: FailOn,

    /// An answer that is not known makes the exit status 1 as well
    #[arg(long)]
    fail_on_unknown: bool,

    #[command(flatten)]
    handed: Handed,

    #[command(flatten)]
    target: target::Target,
}

pub(super) fn run(args: &Args, style: Style, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let mut before = None;
    let mut handed = &Before::default();
    let (when, asking) = match &args.moment {
        _ if args.list => {
            explain::probes(style, out)?;
            return Ok(Outcome::Clean);
        }
        Some(Moment::Pre(pre)) => {
            handed = &pre.before;
            (When::Pre, &pre.asking)
        }
        Some(Moment::Post(post)) => {
            before = post.before.as_deref();
            (When::Post, &post.asking)
        }
        Some(Moment::Watch(args)) => return watch::run(args, out),
        Some(Moment::Snapshot(args)) => return snapshot::run(args, out),
        Some(Moment::Compare(args)) => return compare::run(args, out),
        None => return Ok(Outcome::Clean),
    };
    sql::self_check().map_err(Failure::Parser)?;
    let request = asking.target.request()?;
    let mut settings = request.settings.clone();
    settings.select.clone_from(&asking.select);
    settings.ignore.clone_from(&asking.ignore);
    if let Some(file) = before {
        settings.stats = Some(Arc::new(target::snapshot_in(file)?));
    }
    if asking.strict {
        settings.strictness = settings.strictness.max(Strictness::Strict);
    }
    let targets = asking.targets()?;
    let outside = asking.handed.outside(handed)?;
    let discovered = request.discover(&settings)?;
    let report = live::run(
        discovered,
        settings,
        &Request {
            when,
            targets,
            jobs: asking.jobs,
            files_named: asking.target.names_files(),
            outside,
        },
    );
    for text in &report.notes {
        note(&format!("note: {text}"));
    }
    match &asking.output {
        None => render(&report, asking.format, style, out)?,
        Some(path) => super::write_file(path, |out| {
            render(&report, asking.format, Style::default(), out)
        })?,
    }
    let unknown = |report: &Report| {
        report
            .databases
            .iter()
            .any(|database| database.count(Answer::Unknown) > 0)
    };
    Ok(match outcome(&report, asking.fail_on.level()) {
        // A database that could not be asked is worse than a finding in another one.
        _ if !report.errors.is_empty() => Outcome::Incomplete,
        Outcome::Clean if asking.fail_on_unknown && unknown(&report) => Outcome::Findings,
        outcome => outcome,
    })
}

impl Asking {
    /// The databases, in the order in which they were named.
    fn targets(&self) -> Result<Vec<Target>, Failure> {
        let surroundings = surroundings();
        let mut targets = Vec::new();
        for string in &self.database_url {
            targets.push(target_of(Some(string), &surroundings)?);
        }
        warn_of_passwords(&self.database_url);
        if let Some(file) = &self.databases {
            let text = read(file).map_err(|error| Failure::Usage {
                message: format!("{}: cannot be read: {error}", file.display()),
                help: "name a file with one database on each line".to_owned(),
            })?;
            let lines = text.split('\n').map(str::trim).enumerate();
            let before = targets.len();
            for (index, line) in lines {
                if line.is_empty() || line.starts_with('#') {
                    continue;
                }
                targets.push(Target::new(Some(line), &surroundings).map_err(|message| {
                    let place = format!("{}:{}", file.display(), index + 1);
                    not_a_database(format!("{place}: {message}"))
                })?);
            }
            if targets.len() == before {
                return Err(Failure::Usage {
                    message: format!("{} names no database", file.display()),
                    help: "write one URL or connection string on each line".to_owned(),
                });
            }
        }
        if targets.is_empty() {
            targets.push(target_of(None, &surroundings)?);
        }
        Ok(targets)
    }
}

/// One database.
#[derive(Debug, ClapArgs)]
struct Connecting {
    /// The database: a URL or a connection string. Without it the PG* variables say it
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
}

impl Connecting {
    fn target(&self) -> Result<Target, Failure> {
        let target = target_of(self.database_url.as_deref(), &surroundings())?;
        warn_of_passwords(self.database_url.as_slice());
        Ok(target)
    }
}

/// Says once that a password on the command line is no secret.
fn warn_of_passwords(strings: &[impl AsRef<str>]) {
    if strings
        .iter()
        .any(|string| Target::holds_password(string.as_ref()))
    {
        note(
            "note: the password on the command line can be read by other users of this machine in its list of processes; \
             put it into ~/.pgpass or PGPASSWORD, or the URL into a file for --databases",
        );
    }
}

fn target_of(string: Option<&str>, surroundings: &Surroundings) -> Result<Target, Failure> {
    Target::new(string, surroundings).map_err(not_a_database)
}

fn not_a_database(message: String) -> Failure {
    Failure::Usage {
        message,
        help: "a database is named like `postgresql://user@host:5432/database`".to_owned(),
    }
}

/// A database that could not be asked.
fn unreachable(target: &Target, trouble: live::Trouble) -> Failure {
    Failure::Usage {
        message: format!("{}: {}", target.label(), trouble.message),
        help: trouble.help,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line reads the files that it names"
)]
fn read(file: &Path) -> io::Result<String> {
    if file.as_os_str() == "-" {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(file)
}

/// What a connection takes from the environment.
#[expect(
    clippy::disallowed_methods,
    reason = "the command line knows the environment"
)]
fn surroundings() -> Surroundings {
    let vars = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        let value = value.into_string().ok()?;
        name.starts_with("PG").then_some((name, value))
    });
    let first = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    };
    Surroundings {
        vars: vars.collect(),
        home: first(&["HOME", "USERPROFILE"]).map(PathBuf::from),
        user: first(&["USER", "LOGNAME", "USERNAME"]),
    }
}
