//! What a migration tool's files mean: which files run, in which order, cut and sent how, in which transaction.
//!
//! A tool is one [`Layout`] value in one file of `layout/`. Its functions are pure: [`crate::discover`] reads the
//! files and hands them in. Rules never ask which tool it is; they ask about [`Unit`]s, directions and pairs.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::source::{Fragment, Location, Source, SourceId, Span};
use crate::statement::Statement;

/// One migration tool.
#[derive(Debug)]
pub struct Layout {
    /// Name in the configuration and in outputs: `golang-migrate`.
    pub name: &'static str,
    /// Finds the tool's migration directories among the files of a project. A result says why.
    pub detect: fn(&dyn Files) -> Vec<Found>,
    /// The paths of a found directory that the tool looks at: migrations, and files that are misnamed ones.
    pub files: fn(&Found, &dyn Files) -> Vec<String>,
    /// Reads one file. Called for many files at once.
    pub read: fn(&Found, &Source) -> Vec<Script>,
    /// Puts the scripts in the order in which the tool runs them, and says what is wrong with the set.
    pub arrange: fn(&Found, Vec<Script>) -> Arrangement,
    /// How the tool runs a script unless the script says otherwise.
    pub runner: Runner,
}

/// The files of a project, as layouts see them.
pub trait Files: Sync {
    /// Every file's path, relative to the project's root, with `/`, sorted.
    fn paths(&self) -> &[String];
    /// The text of a (small) file, where it can be read.
    fn text(&self, path: &str) -> Option<Arc<str>>;
}

/// A directory that a tool's migrations were found in.
#[derive(Debug, Clone)]
pub struct Found {
    /// The tool.
    pub layout: &'static Layout,
    /// The directory, relative to the project's root, with `/`; empty for the root itself.
    pub root: String,
    /// Why it is taken for one, as a part of a sentence: "`000001_create_users.up.sql` has a `.down.sql` beside it".
    pub reason: String,
    /// Settings of the tool that were found in its configuration files, by the tool's own names.
    pub settings: BTreeMap<String, String>,
}

/// How a tool sends a script to the server and in which transaction. Measured; see the tool's file for the source.
#[derive(Debug, Clone, Copy)]
pub struct Runner {
    /// How the text is cut and sent.
    pub send: Send,
    /// The transaction that the tool itself makes.
    pub wraps: Wraps,
    /// Statements for which the tool leaves out its transaction by itself.
    pub leaves_transaction_for: Option<fn(&Statement) -> bool>,
    /// How a script leaves the tool's transaction, as help for a person; for tools that cannot, what to do instead.
    pub way_out: &'static str,
    /// What the tool does about going back.
    pub down: DownScripts,
}

/// How text reaches the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Send {
    /// One statement per message.
    PerStatement,
    /// Many statements in one simple-protocol message: an implicit transaction around them.
    SimpleBatch,
    /// Many statements in one extended-protocol pipeline: an implicit transaction; only its first statement may refuse one.
    Pipeline,
    /// Nobody knows: plain files without a tool.
    Unknown,
}

/// The transaction that a tool makes around a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wraps {
    /// None.
    Nothing,
    /// One for each script.
    Script,
    /// One for all scripts that are pending.
    Run,
}

/// What a tool knows of down scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DownScripts {
    /// It has none.
    Unsupported,
    /// It has them, and most projects do without.
    Optional,
    /// It expects one for each up script.
    Expected,
}

/// Which way a script goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Forward, once.
    Up,
    /// Back.
    Down,
    /// Forward, again whenever its text changes.
    Repeatable,
    /// Forward, instead of everything up to its version, on a new database only.
    Baseline,
}

impl Direction {
    /// The word used in every output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Repeatable => "repeatable",
            Self::Baseline => "baseline",
        }
    }

    /// True for a script that runs on the way forward.
    #[must_use]
    pub fn is_forward(self) -> bool {
        self != Self::Down
    }
}

/// One migration in one direction, before its SQL is parsed.
#[derive(Debug, Clone)]
pub struct Script {
    /// The file.
    pub source: SourceId,
    /// Version as the tool orders it, as written; empty if it has none (repeatables).
    pub version: String,
    /// The rest of its name, as a person reads it.
    pub description: String,
    /// Direction.
    pub direction: Direction,
    /// The place that stands for the whole script: the file's first line, the `def upgrade` line.
    pub span: Span,
    /// Its SQL, in order.
    pub pieces: Vec<Piece>,
    /// Versions it comes after, for tools with a graph.
    pub parents: Vec<(String, Span)>,
    /// Further versions it needs (`depends_on`).
    pub depends_on: Vec<(String, Span)>,
    /// Why it says that it has nothing to do (`pass`, `raise`, only comments).
    pub emptiness: Option<Emptiness>,
    /// Text that was not understood.
    pub not_analysed: Vec<(Span, String)>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// Why a script holds no statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Emptiness {
    /// Nothing but blanks and comments; a comment's text if there is one.
    Blank(Option<String>),
    /// Python's `pass` or a docstring alone.
    Pass,
    /// It raises an error on purpose, with this text.
    Raises(String),
}

/// SQL text with the way it is run.
#[derive(Debug, Clone)]
pub struct Piece {
    /// The SQL.
    pub fragment: Fragment,
    /// How it is sent; none for the tool's own way.
    pub send: Option<Send>,
    /// The transaction around it; none for the tool's own way.
    pub wraps: Option<Wraps>,
    /// It may not run, or not exactly as here (a branch, an unknown value).
    pub conditional: bool,
}

/// What is wrong with a set of migrations or one of its files.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Its kind; each is one rule.
    pub kind: ProblemKind,
    /// Where.
    pub location: Location,
    /// One line, as a finding's message.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Other places.
    pub labels: Vec<(Location, String)>,
}

/// Kinds of problems of a set of migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// Two migrations claim one version.
    DuplicateVersion,
    /// A file that looks like a migration and that the tool silently leaves out.
    Misnamed,
    /// The revision graph is broken: unknown parent, cycle, several heads.
    Graph,
    /// Written for another database.
    Dialect,
    /// The tool ignores or changes what is written.
    Ignored,
}

/// The order in which scripts run.
#[derive(Debug, Clone, Default)]
pub struct Arrangement {
    /// All scripts; forward ones in the order they run, each down script somewhere behind its up script.
    pub scripts: Vec<Script>,
    /// What is wrong with the set.
    pub problems: Vec<Problem>,
}

/// The migrations of one project directory, parsed, in order.
#[derive(Debug)]
pub struct History {
    /// Where and how it was found.
    pub found: Found,
    /// Forward migrations in the order they run, then down migrations.
    pub migrations: Vec<Migration>,
    /// What is wrong with the set.
    pub problems: Vec<Problem>,
}

/// One migration in one direction.
#[derive(Debug)]
pub struct Migration {
    /// Version as written; empty if it has none.
    pub version: String,
    /// The rest of its name.
    pub description: String,
    /// Direction.
    pub direction: Direction,
    /// The file.
    pub source: SourceId,
    /// The place that stands for the whole migration.
    pub span: Span,
    /// Its statements in order.
    pub statements: Vec<Statement>,
    /// How they are run: ranges of `statements`, in order, without gaps.
    pub units: Vec<Unit>,
    /// Index of the migration that goes the other way.
    pub pair: Option<usize>,
    /// Not yet applied: findings are wanted.
    pub pending: bool,
    /// Why it holds no statement.
    pub emptiness: Option<Emptiness>,
    /// Something in it was not understood.
    pub incomplete: bool,
}

impl Migration {
    /// The migration's place as a location.
    #[must_use]
    pub fn location(&self) -> Location {
        Location {
            source: self.source,
            span: self.span,
        }
    }
}

/// Statements that reach the server together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Indices into the migration's statements.
    pub statements: std::ops::Range<usize>,
    /// How they are sent.
    pub send: Send,
    /// The transaction that the tool makes around them.
    pub wraps: Wraps,
}
