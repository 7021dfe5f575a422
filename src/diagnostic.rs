//! Findings: what a rule says about a place in a file, with what to do about it.

mod step;

pub use step::{Place, Step, with_steps};

use crate::effect::Effect;
use crate::estimate::Class;
use crate::source::{Beside, Location, SourceId, Span};
use crate::statement::QualifiedName;

/// How serious a finding is. Ordered: `Info < Warning < Error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing; never fails a run by default.
    Info,
    /// Should be looked at before it runs on a database in use.
    Warning,
    /// Stops traffic, loses data, breaks deployed code or fails.
    Error,
}

impl Level {
    /// The word used in every output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The level of that name, if it is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Info, Self::Warning, Self::Error]
            .into_iter()
            .find(|level| level.as_str() == name)
    }
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// What would settle it is not in the files; the help text says what it is.
    Unknown,
    /// It happens under a condition that the files do not decide.
    Possible,
    /// It follows from the files and from how PostgreSQL and the runner work.
    Certain,
}

impl Certainty {
    /// The word used in every output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Possible => "possible",
            Self::Certain => "certain",
        }
    }
}

/// A place with a few words that complete a sentence ("table created here").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub location: Location,
    /// What is there.
    pub text: String,
}

/// Whether a fix may be applied without being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safety {
    /// The text after the fix means the same or is strictly better.
    Safe,
    /// It changes what runs; someone has to read it.
    Unsafe,
}

/// Replaces the bytes of a place by a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; an empty span inserts.
    pub location: Location,
    /// The new text.
    pub text: String,
}

/// A file that a fix creates: settings of the tool for the file of the finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its name, beside the file of the finding.
    pub name: Beside,
    /// Its whole text.
    pub text: String,
}

/// A change that removes a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as a command: "build the index CONCURRENTLY".
    pub title: String,
    /// Whether it may be applied unread.
    pub safety: Safety,
    /// Changes to files that exist; they do not overlap.
    pub edits: Vec<Edit>,
    /// Files to create.
    pub new_files: Vec<NewFile>,
}

/// How long work takes in production, from the numbers of a snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The table.
    pub relation: QualifiedName,
    /// Its rows.
    pub rows: u64,
    /// Its bytes without indexes.
    pub bytes: u64,
    /// How large that is.
    pub class: Class,
    /// Seconds at best and at worst.
    pub seconds: (f64, f64),
    /// The rates behind it.
    pub assumes: &'static str,
}

/// One finding.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// Id of the rule that made it.
    pub rule: &'static str,
    /// How serious it is, after the configuration was asked.
    pub level: Level,
    /// How sure it is.
    pub certainty: Certainty,
    /// One line about this statement; starts in lower case or with a name in backticks, no full stop.
    pub message: String,
    /// The place it is about.
    pub primary: Location,
    /// Other places that explain it.
    pub labels: Vec<Label>,
    /// The next action, with the user's own names: one line, and the steps as lines of their own below it.
    pub help: Option<String>,
    /// The next action as SQL, step by step; empty where words are all there is.
    pub steps: Vec<Step>,
    /// A change that removes it.
    pub fix: Option<Fix>,
    /// What the statement locks and does, where that is the point.
    pub effects: Vec<Effect>,
    /// The table or other object that it is about, where the rule names one.
    pub object: Option<QualifiedName>,
    /// How long its work takes, where a snapshot tells.
    pub estimate: Option<Estimate>,
    /// Version of the migration it is in, where there is one.
    pub migration: Option<String>,
    /// Direction of that migration (`up`, `down`, `repeatable`, `baseline`).
    pub direction: Option<&'static str>,
    /// Survives moved lines: see [`crate::analyze`].
    pub fingerprint: String,
    /// The statement it is about, whose text the fingerprint is made from.
    pub subject: Option<Span>,
}

/// A place whose text was read but not understood; listed in every output, never dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAnalysed {
    /// Where.
    pub location: Location,
    /// What is there and why it could not be analysed.
    pub reason: String,
}

/// A file or directory that could not be read; the run went on without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// Path as shown.
    pub path: String,
    /// What failed, and what to try.
    pub message: String,
}

/// A location from its parts.
#[must_use]
pub fn at(source: SourceId, span: Span) -> Location {
    Location { source, span }
}
