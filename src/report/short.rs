//! One line for each finding, for `grep`, editors and agents; nothing in it is cut or coloured.

use std::io::{self, Write};

use super::Report;
use super::harmless::escaped;
use super::text::{answers, summary};
use crate::diagnostic::{Certainty, Step};
use crate::source::Location;

/// Writes the report.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for diagnostic in &report.diagnostics {
        let certainty = match diagnostic.certainty {
            Certainty::Certain => String::new(),
            other => format!("{}: ", other.as_str()),
        };
        let first = diagnostic
            .help
            .as_deref()
            .map(|help| help.split('\n').next().unwrap_or(help).trim_end());
        let steps = steps(&diagnostic.steps);
        let help = first.map_or_else(String::new, |help| {
            format!(" (help: {}{})", escaped(help), escaped(&steps))
        });
        writeln!(
            out,
            "{}: {}[{}] {certainty}{}{help}",
            place(report, diagnostic.primary),
            diagnostic.level.as_str(),
            diagnostic.rule,
            escaped(&diagnostic.message),
        )?;
    }
    for entry in &report.not_analysed {
        let reason = escaped(&entry.reason);
        let place = place(report, entry.location);
        writeln!(out, "{place}: not analysed: {reason}")?;
    }
    for error in &report.errors {
        let message = escaped(&error.message);
        writeln!(out, "{}: error: {message}", escaped(&error.path))?;
    }
    for database in report.databases.iter().filter(|d| d.server.is_some()) {
        let path = escaped(&report.source(database.source).path);
        writeln!(out, "{path}: {}", answers(database))?;
    }
    writeln!(out, "{}", summary(report))
}

/// Longer ones are left to the other formats.
const LONGEST_STEPS: usize = 400;

/// The steps of a remedy, if they fit into the line.
fn steps(steps: &[Step]) -> String {
    let mut out = String::new();
    for step in steps {
        let Some(sql) = step.one_line() else {
            return String::new();
        };
        out.push_str("; ");
        out.push_str(&step.heading());
        out.push_str(": `");
        out.push_str(&sql);
        out.push('`');
    }
    if out.len() > LONGEST_STEPS {
        out.clear();
    }
    out
}

/// `path:line:col`.
fn place(report: &Report, location: Location) -> String {
    let source = report.source(location.source);
    let position = source.position(location.span.start);
    let path = escaped(&source.path);
    if report.is_database(source.id) {
        return path;
    }
    format!("{path}:{}:{}", position.line, position.column)
}
