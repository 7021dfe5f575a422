//! The formats of `lockgate locks`: one file each, like those of a report.

mod columns;
pub mod json;
mod sentence;
mod table;
mod text;

use std::io::{self, Write};

use super::Style;
use crate::locks::LocksReport;

/// A format of `lockgate locks`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// A table per migration, for people.
    #[default]
    Text,
    /// One JSON document, described by `lockgate schema locks`.
    Json,
}

/// How the table may look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableStyle {
    /// Colours.
    pub style: Style,
    /// Columns of the terminal.
    pub width: usize,
    /// Show also what stops nobody.
    pub all: bool,
}

/// Writes what migrations lock.
pub fn render(
    report: &LocksReport,
    format: Format,
    style: TableStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Text => text::write(report, style, out),
        Format::Json => json::write(report, out),
    }
}
