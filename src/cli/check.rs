//! `lockgate check`.

use std::io::Write;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args as ClapArgs, ValueEnum};

use super::target::{Request, Target};
use super::{Failure, Outcome, fix};
use crate::analyze;
use crate::diagnostic::Level;
use crate::report::{Format, Report, Style, render};
use crate::rules::RULES;
use crate::settings::{Settings, Strictness};
use crate::sql;
use crate::suggest::closest;

const EXAMPLES: &str = "\
Examples:
  lockgate check
  lockgate check db/migrations/0042_add_index.up.sql
  lockgate check --postgres 16 --env staging --after 20240101000000
  lockgate check --format github --format json --output lockgate.json
  lockgate check --ignore missing-down --fail-on warning
  cat new.sql | lockgate check - --stdin-filename db/migrations/0043_new.up.sql";

#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Format of the report; may be repeated with an --output for each
    #[arg(long = "format", value_name = "FORMAT", default_value = "text")]
    formats: Vec<Format>,

    /// Write the report of the --format before it to a file
    #[arg(long = "output", value_name = "FILE")]
    outputs: Vec<PathBuf>,

    #[command(flatten)]
    target: Target,

    /// Check only these rules
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = rule_id)]
    select: Vec<String>,

    /// Do not check these rules
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = rule_id)]
    ignore: Vec<String>,

    /// Apply fixes that mean the same or are strictly better; only to the files named, or pending behind --after
    #[arg(long)]
    fix: bool,

    /// With --fix: apply also those that change what runs
    #[arg(long, requires = "fix")]
    unsafe_fixes: bool,

    /// With --fix: show the changes and write nothing
    #[arg(long, requires = "fix")]
    diff: bool,

    /// Report good habits too
    #[arg(long)]
    strict: bool,

    /// Lowest level that makes the exit status 1
    #[arg(long, value_name = "LEVEL", default_value = "error")]
    fail_on: FailOn,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum FailOn {
    Error,
    Warning,
    Info,
    Never,
}

impl FailOn {
    pub(super) fn level(self) -> Option<Level> {
        match self {
            Self::Error => Some(Level::Error),
            Self::Warning => Some(Level::Warning),
            Self::Info => Some(Level::Info),
            Self::Never => None,
        }
    }
}

pub(super) fn rule_id(name: &str) -> Result<String, String> {
    if RULES.iter().any(|rule| rule.id == name) {
        return Ok(name.to_owned());
    }
    Err(match closest(name, RULES.iter().map(|rule| rule.id)) {
        Some(id) => format!("there is no such rule; did you mean `{id}`?"),
        None => "there is no such rule; `lockgate rules` lists them all".to_owned(),
    })
}

/// `--format` and `--output` in the order they were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Format(usize),
    Output(usize),
}

/// The order of the formats and outputs on the command line, as indices into the arguments.
pub(super) fn pairs(matches: &ArgMatches) -> Vec<Written> {
    let given = |id: &str| {
        let given = matches.value_source(id) == Some(ValueSource::CommandLine);
        matches
            .indices_of(id)
            .into_iter()
            .flatten()
            .filter(move |_| given)
    };
    let formats = given("formats")
        .enumerate()
        .map(|(n, at)| (at, Written::Format(n)));
    let outputs = given("outputs")
        .enumerate()
        .map(|(n, at)| (at, Written::Output(n)));
    let mut written: Vec<(usize, Written)> = formats.chain(outputs).collect();
    written.sort_by_key(|(at, _)| *at);
    written.into_iter().map(|(_, written)| written).collect()
}

/// Where each format goes: index of the format (none: the default), index of the output (none: standard output).
/// An output belongs to the format before it, or to the next one if that has its own.
fn destinations(written: &[Written]) -> Vec<(Option<usize>, Option<usize>)> {
    let mut pairs = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut waiting: Vec<usize> = Vec::new();
    for part in written {
        match *part {
            Written::Format(format) if waiting.is_empty() => open.push(format),
            Written::Format(format) => pairs.push((Some(format), Some(waiting.remove(0)))),
            Written::Output(output) => match open.pop() {
                Some(format) => pairs.push((Some(format), Some(output))),
                None => waiting.push(output),
            },
        }
    }
    pairs.extend(open.into_iter().map(|format| (Some(format), None)));
    pairs.extend(waiting.into_iter().map(|output| (None, Some(output))));
    if pairs.is_empty() {
        pairs.push((None, None));
    }
    pairs
}

pub(super) fn run(
    args: &Args,
    written: &[Written],
    style: Style,
    out: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let destinations = destinations(written);
    if destinations
        .iter()
        .filter(|(_, output)| output.is_none())
        .count()
        > 1
    {
        return Err(Failure::Usage {
            message: "several formats go to standard output".to_owned(),
            help: "give each further --format an --output FILE behind it".to_owned(),
        });
    }
    sql::self_check().map_err(Failure::Parser)?;
    let request = args.target.request()?;
    let settings = overlaid(request.settings.clone(), args);
    if args.fix {
        return fixed(args, &request, &settings, &destinations, style, out);
    }
    let expects = request.expects_migrations();
    let report = analyze::run(request.discover(&settings)?, settings);
    written_out(&report, args, &destinations, style, out)?;
    // A check of nothing must not pass: somebody moved the migrations, or stands in the wrong place.
    if expects && report.projects.is_empty() {
        return Ok(Outcome::Incomplete);
    }
    Ok(outcome(&report, args.fail_on.level()))
}

/// `--fix`: shows or writes the changes, and reports what is left.
fn fixed(
    args: &Args,
    request: &Request,
    settings: &Settings,
    destinations: &[(Option<usize>, Option<usize>)],
    style: Style,
    out: &mut dyn Write,
) -> Result<Outcome, Failure> {
    if let Some((message, help)) = request.cannot_fix() {
        return Err(Failure::Usage {
            message: message.to_owned(),
            help: help.to_owned(),
        });
    }
    let fixed = fix::fix(request, settings, args.unsafe_fixes)?;
    if args.diff {
        fix::diff(&fixed, out)?;
        super::note(&fixed.in_words("would fix"));
        return Ok(if fixed.changed.is_empty() {
            outcome(&fixed.report, args.fail_on.level())
        } else {
            Outcome::Findings
        });
    }
    fix::write(request, &fixed)?;
    written_out(&fixed.report, args, destinations, style, out)?;
    super::note(&fixed.in_words("fixed"));
    Ok(outcome(&fixed.report, args.fail_on.level()))
}

fn written_out(
    report: &Report,
    args: &Args,
    destinations: &[(Option<usize>, Option<usize>)],
    style: Style,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    for &(format, output) in destinations {
        let format = format.map_or(Format::default(), |index| args.formats[index]);
        match output {
            None => render(report, format, style, out)?,
            Some(index) => super::write_file(&args.outputs[index], |out| {
                render(report, format, Style::default(), out)
            })?,
        }
    }
    Ok(())
}

pub(super) fn outcome(report: &Report, fail_on: Option<Level>) -> Outcome {
    let worst = report.diagnostics.iter().map(|d| d.level).max();
    match (worst, fail_on) {
        (Some(worst), Some(fail_on)) if worst >= fail_on => Outcome::Findings,
        _ if !report.errors.is_empty() => Outcome::Incomplete,
        _ => Outcome::Clean,
    }
}

/// The settings with what the command line says about rules over them.
fn overlaid(mut settings: Settings, args: &Args) -> Settings {
    settings.select.clone_from(&args.select);
    settings.ignore.clone_from(&args.ignore);
    if args.strict {
        settings.strictness = settings.strictness.max(Strictness::Strict);
    }
    settings.today = Some(today());
    settings
}

/// Today in UTC, as `2026-11-20`.
#[expect(
    clippy::disallowed_methods,
    reason = "`until` dates are compared with today, and only the border knows it"
)]
fn today() -> String {
    let seconds = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    date(seconds / 86_400)
}

/// The date of a number of days since 1970-01-01, counted year by year and month by month.
fn date(mut days: u64) -> String {
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year:04}-{month:02}-{:02}", days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (789, "1972-02-29"),
            (11_016, "2000-02-29"),
            (20_776, "2026-11-19"),
            (20_818, "2026-12-31"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(date(days), expected);
        }
    }

    #[test]
    fn an_output_belongs_to_the_format_beside_it() {
        use Written::{Format as F, Output as O};
        for (written, expected) in [
            (vec![], vec![(None, None)]),
            (vec![F(0)], vec![(Some(0), None)]),
            (vec![F(0), O(0)], vec![(Some(0), Some(0))]),
            (vec![O(0), F(0)], vec![(Some(0), Some(0))]),
            (vec![O(0)], vec![(None, Some(0))]),
            (
                vec![F(0), F(1), O(0)],
                vec![(Some(1), Some(0)), (Some(0), None)],
            ),
            (
                vec![F(0), O(0), F(1), O(1)],
                vec![(Some(0), Some(0)), (Some(1), Some(1))],
            ),
            (
                vec![O(0), O(1), F(0), F(1)],
                vec![(Some(0), Some(0)), (Some(1), Some(1))],
            ),
            (vec![F(0), F(1)], vec![(Some(0), None), (Some(1), None)]),
        ] {
            assert_eq!(destinations(&written), expected, "{written:?}");
        }
    }
}
