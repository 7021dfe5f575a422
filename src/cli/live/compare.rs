//! `lockgate live compare`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, ValueEnum};
use serde_json::json;

use super::super::target::snapshot_in;
use super::super::{Failure, Outcome, note};
use super::{read, surroundings, target_of, warn_of_passwords};
use crate::config;
use crate::discover::{self, discover};
use crate::live::compare::{Compared, Files, Side, run as compare};
use crate::settings::Settings;
use crate::snapshot::compare::{NumberChange, Side as Where};

/// A statement that takes so many percent longer is worth a line.
const SLOWER: f64 = 20.0;
/// One that takes so many percent longer is a finding.
const MUCH_SLOWER: f64 = 50.0;

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// A snapshot (a file), a database (a URL or connection string), or a directory of migrations
    #[arg(value_name = "FIRST")]
    first: String,

    /// The other one
    #[arg(value_name = "SECOND")]
    second: String,

    /// A file of queries whose plans are compared: they are explained, never run
    #[arg(long, value_name = "FILE")]
    queries: Option<PathBuf>,

    /// Format of the output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let queries = match &args.queries {
        None => None,
        Some(file) => Some(read(file).map_err(|error| Failure::Unreadable {
            message: format!("{}: cannot be read: {error}", file.display()),
        })?),
    };
    let (first, second) = (side(&args.first)?, side(&args.second)?);
    let compared =
        compare(first, second, queries.as_deref()).map_err(|trouble| Failure::Usage {
            message: trouble.message,
            help: trouble.help,
        })?;
    for text in &compared.notes {
        note(&format!("note: {text}"));
    }
    match args.format {
        Format::Text => write_text(&compared, out)?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &as_json(&compared))
                .map_err(io::Error::from)?;
            writeln!(out)?;
        }
    }
    let slower = compared
        .statements
        .iter()
        .any(|one| one.percent() >= MUCH_SLOWER);
    let different = compared
        .objects
        .iter()
        .any(|one| one.change.side != Where::Unknown);
    Ok(if different || slower || !compared.plans.is_empty() {
        Outcome::Findings
    } else {
        Outcome::Clean
    })
}

/// A name with `://` or `=` is a database, a directory holds migrations, any other one is a snapshot.
#[expect(
    clippy::disallowed_methods,
    reason = "the command line knows what its paths are"
)]
fn side(name: &str) -> Result<Side, Failure> {
    if name.contains("://") || name.contains('=') {
        let target = target_of(Some(name), &surroundings())?;
        warn_of_passwords(&[name]);
        return Ok(Side::Database(Box::new(target)));
    }
    let path = Path::new(name);
    if path.is_dir() {
        return Ok(Side::Files(Box::new(migrations(name)?)));
    }
    let snapshot = snapshot_in(path)?;
    Ok(Side::Snapshot(name.to_owned(), Box::new(snapshot)))
}

/// The migrations of a directory, with the configuration that applies there.
#[expect(
    clippy::disallowed_methods,
    reason = "the command line knows where it was started"
)]
fn migrations(name: &str) -> Result<Files, Failure> {
    let cwd = std::env::current_dir()?;
    let path = PathBuf::from(name);
    let loaded = config::load(&path)?;
    let mut settings = loaded.map_or_else(Settings::default, |loaded| loaded.settings);
    settings.cwd = Some(cwd.clone());
    let discovered = discover(&discover::Request {
        cwd: &cwd,
        paths: &[path],
        settings: &settings,
        stdin: None,
        changed: None,
    })?;
    Ok(Files {
        name: name.to_owned(),
        discovered,
        settings,
    })
}

fn write_text(compared: &Compared, out: &mut dyn Write) -> io::Result<()> {
    let [first, second] = &compared.names;
    let mut any = false;
    for one in &compared.objects {
        any = true;
        let (kind, name) = (&one.change.kind, &one.change.name);
        match one.change.side {
            Where::First => writeln!(out, "{kind} {name}: only in {first}")?,
            Where::Second => writeln!(out, "{kind} {name}: only in {second}")?,
            Where::Both => {
                writeln!(out, "{kind} {name}: differs")?;
                for (side, definition) in [(first, &one.first), (second, &one.second)] {
                    if let Some(definition) = definition {
                        let definition =
                            definition.split_whitespace().collect::<Vec<_>>().join(" ");
                        writeln!(out, "  {side}: {definition}")?;
                    }
                }
            }
            Where::Unknown => writeln!(out, "{kind} {name}: not known, its table was locked")?,
        }
    }
    for (name, before, after) in &compared.settings {
        any = true;
        writeln!(out, "setting {name}: {before}, then {after}")?;
    }
    for NumberChange {
        table,
        first,
        second,
    } in &compared.rows
    {
        any = true;
        writeln!(out, "rows of {table}: {first}, then {second} (estimates)")?;
    }
    for NumberChange {
        table,
        first,
        second,
    } in &compared.grown
    {
        any = true;
        writeln!(out, "size of {table}: {first} bytes, then {second}")?;
    }
    for one in compared
        .statements
        .iter()
        .filter(|one| one.percent() >= SLOWER)
    {
        any = true;
        let text = one.text.as_deref().unwrap_or_default();
        writeln!(
            out,
            "statement {}: {:.2} ms, then {:.2} ms ({:+.0} %, {} calls) {text}",
            one.query_id,
            one.first_ms,
            one.second_ms,
            one.percent(),
            one.calls
        )?;
    }
    for plan in &compared.plans {
        any = true;
        writeln!(
            out,
            "query {}: {} (cost {:.0}, then {:.0})",
            plan.number, plan.why, plan.costs.0, plan.costs.1
        )?;
    }
    if !any {
        writeln!(out, "no differences")?;
    }
    Ok(())
}

fn as_json(compared: &Compared) -> serde_json::Value {
    let objects = compared.objects.iter().map(|one| {
        let side = match one.change.side {
            Where::First => "first",
            Where::Second => "second",
            Where::Both => "both",
            Where::Unknown => "unknown",
        };
        json!({"kind": one.change.kind, "name": one.change.name, "in": side, "first": one.first, "second": one.second})
    });
    let numbers = |list: &[NumberChange]| -> Vec<serde_json::Value> {
        let one = |one: &NumberChange| json!({"table": one.table, "first": one.first, "second": one.second});
        list.iter().map(one).collect()
    };
    let statements = compared.statements.iter().map(|one| {
        json!({
            "query_id": one.query_id, "text": one.text, "first_ms": one.first_ms, "second_ms": one.second_ms,
            "calls": one.calls, "percent": one.percent(),
        })
    });
    let settings = compared
        .settings
        .iter()
        .map(|(name, first, second)| json!({"name": name, "first": first, "second": second}));
    let plans = compared.plans.iter().map(|plan| {
        json!({"query": plan.number, "why": plan.why, "first_cost": plan.costs.0, "second_cost": plan.costs.1})
    });
    json!({
        "format": "lockgate-comparison",
        "version": "1.0",
        "first": compared.names[0],
        "second": compared.names[1],
        "objects": objects.collect::<Vec<_>>(),
        "settings": settings.collect::<Vec<_>>(),
        "rows": numbers(&compared.rows),
        "sizes": numbers(&compared.grown),
        "statements": statements.collect::<Vec<_>>(),
        "plans": plans.collect::<Vec<_>>(),
        "notes": compared.notes,
    })
}
