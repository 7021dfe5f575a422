//! The result of a run, and the formats it is written in.
//!
//! A format is one file of `report/` with one function that sees nothing but the [`Report`]. What leaves the process
//! is made harmless in one place, `report/harmless.rs`: names and texts come from files that anyone may have written.

mod github;
pub(crate) mod harmless;
pub mod json;
pub mod locks;
mod short;
mod snippet;
pub(crate) mod text;

use std::io::{self, Write};

use crate::diagnostic::{Diagnostic, FileError, Level, NotAnalysed};
use crate::settings::Settings;
use crate::source::{Source, SourceId};

/// A format that a report can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people: source text, marks, help and a summary.
    #[default]
    Text,
    /// One line for each finding: `path:line:col: level[rule] message`.
    Short,
    /// One JSON document, described by `lockgate schema json`.
    Json,
    /// Workflow commands that GitHub shows as annotations.
    Github,
}

/// How text for people may look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// ANSI colours.
    pub color: bool,
    /// OSC-8 links to the rules' pages.
    pub links: bool,
}

/// Writes a report.
pub fn render(
    report: &Report,
    format: Format,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Text => text::write(report, style, out),
        Format::Short => short::write(report, out),
        Format::Json => json::write(report, out),
        Format::Github => github::write(report, out),
    }
}

/// Everything a run found; the only thing a format's writer sees.
#[derive(Debug)]
pub struct Report {
    /// The files read, indexed by [`SourceId`].
    pub sources: Vec<Source>,
    /// Findings sorted by path, place and rule.
    pub diagnostics: Vec<Diagnostic>,
    /// Text that was read but not understood, sorted by path and place.
    pub not_analysed: Vec<NotAnalysed>,
    /// Files that could not be read, sorted by path.
    pub errors: Vec<FileError>,
    /// Projects found: directory, layout and why.
    pub projects: Vec<ProjectSummary>,
    /// Databases that were asked, in the order in which they were named.
    pub databases: Vec<DatabaseSummary>,
    /// What else there is to say about how the run went; for standard error.
    pub notes: Vec<String>,
    /// Counts.
    pub counts: Counts,
    /// The settings of the run.
    pub settings: Settings,
}

/// The JSON Schema of a line of `lockgate live watch --format json`.
pub const WATCH_SCHEMA: &str = include_str!("report/watch.schema.json");

/// The JSON Schema of the output of `lockgate live compare --format json`.
pub const COMPARISON_SCHEMA: &str = include_str!("report/comparison.schema.json");

/// One directory of migrations that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectSummary {
    /// The directory as shown.
    pub root: String,
    /// Name of the layout.
    pub layout: &'static str,
    /// Why it was taken for one.
    pub reason: String,
    /// Number of migrations (up and down counted apart).
    pub migrations: usize,
}

/// One database that was to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseSummary {
    /// The source that stands for it; its path is a URL without secrets.
    pub source: SourceId,
    /// `PostgreSQL 18.1`; none if it could not be asked.
    pub server: Option<String>,
    /// The role that asked.
    pub role: String,
    /// Number of migrations that are pending there.
    pub pending: usize,
    /// Which ones, in the order in which they will run.
    pub pending_migrations: Vec<Pending>,
    /// The probes that were asked, by id.
    pub answers: Vec<Answered>,
}

/// A migration that is pending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its file.
    pub path: String,
    /// Its version, as its layout writes it; empty where it has none.
    pub version: String,
}

/// What came of one probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// Id of the rule.
    pub probe: &'static str,
    /// Its answer.
    pub answer: Answer,
}

/// The answers of a probe: three, and that nobody asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// All is well.
    Ok,
    /// There is something to report.
    Finding,
    /// It cannot be known; a finding says what would settle it.
    Unknown,
    /// It was not asked: what it needs was not given, or is not installed there.
    NotAsked,
}

impl Answer {
    /// The word used in every output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Finding => "finding",
            Self::Unknown => "unknown",
            Self::NotAsked => "not_asked",
        }
    }
}

impl DatabaseSummary {
    /// Number of probes with that answer.
    #[must_use]
    pub fn count(&self, answer: Answer) -> usize {
        self.answers.iter().filter(|a| a.answer == answer).count()
    }
}

/// What a run went through and what it kept back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Files read.
    pub files: usize,
    /// Migrations, up and down counted apart.
    pub migrations: usize,
    /// Statements.
    pub statements: usize,
    /// Findings silenced by a comment.
    pub suppressed: usize,
    /// Findings in a baseline file.
    pub baselined: usize,
    /// Findings that only a stricter setting shows.
    pub below_strictness: usize,
}

impl Report {
    /// Number of findings of that level.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.level == level)
            .count()
    }

    /// True if the source stands for a database: it has no lines.
    #[must_use]
    pub fn is_database(&self, id: SourceId) -> bool {
        self.databases.iter().any(|database| database.source == id)
    }

    /// The file of that id.
    #[must_use]
    pub fn source(&self, id: SourceId) -> &Source {
        &self.sources[id.0 as usize]
    }
}
