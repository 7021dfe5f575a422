//! Workflow commands, which GitHub shows as annotations on the changed lines.
//!
//! The log is an interface: a line that begins with `::` runs a command there, and so does `##[` anywhere in a line.
//! Whatever comes from a repository is escaped the way GitHub's own toolkit does it, and stripped of control characters.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::Report;
use super::harmless::{escaped, visible, visible_lines};
use super::text::{condensed, summary};
use crate::diagnostic::{Certainty, Diagnostic, Level};
use crate::source::Location;

/// Writes the report.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for diagnostic in &report.diagnostics {
        writeln!(out, "{}", annotation(report, diagnostic))?;
    }
    for error in &report.errors {
        writeln!(
            out,
            "::error file={},title=lockgate::{}",
            property(&error.path),
            data(&format!("{}: {}", error.path, error.message))
        )?;
    }
    if !report.not_analysed.is_empty() {
        writeln!(out, "::group::not analysed: {}", report.not_analysed.len())?;
        for (shown, left_out) in condensed(&report.not_analysed) {
            for entry in shown {
                let place = place(report, entry.location);
                writeln!(out, "{}", log(&format!("{place}: {}", entry.reason)))?;
            }
            if let (Some(entry), 1..) = (shown.first(), left_out) {
                let path = &report.source(entry.location.source).path;
                writeln!(out, "{}", log(&format!("{path}: and {left_out} more")))?;
            }
        }
        writeln!(out, "::endgroup::")?;
    }
    writeln!(out, "{}", log(&summary(report)))
}

fn annotation(report: &Report, diagnostic: &Diagnostic) -> String {
    let command = match diagnostic.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Info => "notice",
    };
    let source = report.source(diagnostic.primary.source);
    let start = source.position(diagnostic.primary.span.start);
    let end = source.position(diagnostic.primary.span.end);
    let mut message = match diagnostic.certainty {
        Certainty::Certain => String::new(),
        other => format!("{}: ", other.as_str()),
    };
    message.push_str(&visible(&diagnostic.message));
    for label in &diagnostic.labels {
        let place = place(report, label.location);
        // Writing to a string cannot fail.
        let _ = write!(message, "\n{place}: {}", visible(&label.text));
    }
    if let Some(help) = &diagnostic.help {
        message.push_str("\nhelp: ");
        message.push_str(&visible_lines(help).join("\n"));
    }
    format!(
        "::{command} file={},line={},endLine={},col={},endColumn={},title={}::{}",
        property(&source.path),
        start.line,
        end.line,
        start.column,
        end.column,
        property(diagnostic.rule),
        data(&message)
    )
}

/// The text behind the second `::`. Line ends are kept, as GitHub shows them; other control characters are not.
fn data(text: &str) -> String {
    visible_lines(text)
        .join("\n")
        .replace('%', "%25")
        .replace('\n', "%0A")
        // A runner takes this for a command of the older kind, wherever it stands.
        .replace("##[", "## [")
}

/// The value of a property.
fn property(text: &str) -> String {
    visible(text)
        .replace('%', "%25")
        .replace(':', "%3A")
        .replace(',', "%2C")
        .replace("##[", "## [")
}

/// A line of the log that is no command: indented, and never beginning with `::`.
fn log(text: &str) -> String {
    format!("- {}", escaped(text).replace("##[", "## ["))
}

/// `path:line:col`.
fn place(report: &Report, location: Location) -> String {
    let source = report.source(location.source);
    let position = source.position(location.span.start);
    format!("{}:{}:{}", source.path, position.line, position.column)
}
