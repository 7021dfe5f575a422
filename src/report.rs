//! The result of a run, and the formats it is written in.

use crate::diagnostic::{Diagnostic, FileError, NotAnalysed};
use crate::settings::Settings;
use crate::source::{Source, SourceId};

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
    /// Counts.
    pub counts: Counts,
    /// The settings of the run.
    pub settings: Settings,
}

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
    /// The file of that id.
    #[must_use]
    pub fn source(&self, id: SourceId) -> &Source {
        &self.sources[id.0 as usize]
    }
}
