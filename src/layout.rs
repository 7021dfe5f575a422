//! What a migration tool's files mean: which files run, in which order, cut and sent how, in which transaction.
//!
//! A tool is one [`Layout`] value in one file of `layout/`. Its functions are pure: [`crate::discover`] reads the
//! files and hands them in. Rules never ask which tool it is; they ask about [`Unit`]s, directions and pairs.

mod alembic;
mod annotated;
mod atlas;
pub mod base;
mod code;
mod cut;
mod dbmate;
pub mod dialect;
mod diesel;
mod drizzle;
mod flyway;
mod golang_migrate;
mod goose;
mod keys;
mod liquibase;
mod name;
mod node_pg_migrate;
mod order;
mod outside;
mod path;
mod plain;
mod pop;
mod prisma;
mod refinery;
mod runner;
mod section;
mod sign;
mod sqitch;
mod sql_migrate;
mod sqlx;
mod supabase;
mod tern;
mod text;
mod unit;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

pub use crate::python::tree::Module as PythonModule;
pub use alembic::Imports;
pub use liquibase::Changelogs;
pub use order::{applied, numbers, pairs};
pub use outside::Outside;
pub use runner::{Client, DownScripts, Runner, RunnerLock, Send, Session, Wraps};
pub use unit::{SetsApart, Unit, leaves_transaction, settle_run, units};

use base::{Applied, Late};
use order::{arrange_by_place, arrange_by_version, duplicates};

use crate::python;
use crate::python::models::Model;
use crate::source::{Fragment, Location, Source, SourceId, Span, SpanMap};
use crate::statement::Statement;

/// All layouts, those with the stronger signs first. A directory belongs to the first one that claims it.
pub static ALL: &[&Layout] = &[
    &alembic::LAYOUT,
    // Its changelogs say what they are, whatever they are called.
    &liquibase::LAYOUT,
    // Has Flyway's names, and a package that says whose they are.
    &refinery::LAYOUT,
    &flyway::LAYOUT,
    // Those that a file of their own or the place names.
    &sqitch::LAYOUT,
    &drizzle::LAYOUT,
    &prisma::LAYOUT,
    &supabase::LAYOUT,
    // Those that their files' own text names.
    &goose::LAYOUT,
    &dbmate::LAYOUT,
    &sql_migrate::LAYOUT,
    &tern::LAYOUT,
    &node_pg_migrate::LAYOUT,
    &atlas::LAYOUT,
    // Those that the package around them names.
    &diesel::LAYOUT,
    &sqlx::LAYOUT,
    &pop::LAYOUT,
    // Those that only names tell.
    &golang_migrate::LAYOUT,
    &plain::LAYOUT,
    // Programs stand beside whatever SQL is there.
    &code::RAILS,
    &code::DJANGO,
    &code::ECTO,
    &code::TYPEORM,
    &code::SEQUELIZE,
    &code::KNEX,
    &code::NODE_PG_MIGRATE,
];

/// The layout of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Layout> {
    ALL.iter().copied().find(|layout| layout.name == name)
}

/// The layout of SQL files that no tool is known to run.
#[must_use]
pub fn plain() -> &'static Layout {
    &plain::LAYOUT
}

/// The comments of a migration that is a program, with their marks; none if it is in no language that is read here.
#[must_use]
pub fn program_comments(source: &Source) -> Option<Vec<Span>> {
    code::comments(source)
}

/// True for a layout whose migrations are programs: only constant SQL in them is seen.
#[must_use]
pub fn is_code(layout: &Layout) -> bool {
    code::is_code(layout)
}

/// Every migration directory of a project, sorted by directory; no directory belongs to two, but for programs and SQL.
#[must_use]
pub fn detect(files: &dyn Files) -> Vec<Found> {
    let mut founds: Vec<Found> = Vec::new();
    for layout in ALL {
        for found in (layout.detect)(files) {
            let rivals = |other: &&Found| is_code(layout) == is_code(other.layout);
            let taken = found.directories.iter().any(|directory| {
                let mut rivals = founds.iter().filter(rivals);
                rivals.any(|other| other.claims(directory))
            });
            if !taken {
                founds.push(found);
            }
        }
    }
    let directories = path::directories(files.paths());
    let mut siblings = Vec::new();
    founds.retain(|found| {
        let sibling = sibling(&found.root, &directories);
        siblings.extend(
            sibling
                .iter()
                .map(|ours| (ours.clone(), found.directories.clone())),
        );
        sibling.is_none()
    });
    for (ours, theirs) in siblings {
        let found = founds
            .iter_mut()
            .find(|found| path::is_inside(&found.root, &ours));
        if let Some(found) = found {
            found.left_out.extend(theirs);
        }
    }
    founds.sort_by(|a, b| {
        a.root
            .cmp(&b.root)
            .then_with(|| a.directories.cmp(&b.directories))
    });
    founds
}

/// Names of other databases, for directories and files that hold their variant of the migrations.
const OTHERS: &[&str] = &[
    "mysql",
    "mysql8",
    "mariadb",
    "sqlite",
    "sqlite3",
    "h2",
    "hsqldb",
    "derby",
    "oracle",
    "mssql",
    "sqlserver",
    "db2",
    "cockroach",
    "cockroachdb",
];
/// The same for PostgreSQL.
const OURS: &[&str] = &["postgres", "postgresql", "pg", "pgsql", "psql"];

/// Where PostgreSQL's variant lies of the migrations that a directory holds for another database, if there is one.
fn sibling(root: &str, directories: &[&str]) -> Option<String> {
    let parts: Vec<&str> = root.split('/').collect();
    let other = |index: &usize| is_other_database(parts[*index]);
    (0..parts.len()).filter(other).find_map(|index| {
        let above = parts[..index].join("/");
        let ours = |directory: &&&str| {
            path::parent(directory) == above && is_postgres(path::file_name(directory))
        };
        Some((*directories.iter().find(ours)?).to_owned())
    })
}

/// True for a word that names another database.
fn is_other_database(name: &str) -> bool {
    OTHERS.contains(&name.to_ascii_lowercase().as_str())
}

/// True for a word that names PostgreSQL.
fn is_postgres(name: &str) -> bool {
    OURS.contains(&name.to_ascii_lowercase().as_str())
}

/// One migration tool.
#[derive(Debug)]
pub struct Layout {
    /// Name in the configuration and in outputs: `golang-migrate`.
    pub name: &'static str,
    /// Finds the tool's migration directories among the files of a project. A result says why.
    pub detect: fn(&dyn Files) -> Vec<Found>,
    /// Opens a directory that was named by a person, with settings of the tool over those found in its files.
    pub open: fn(&dyn Files, &str, &BTreeMap<String, String>) -> Found,
    /// The paths of a found directory that the tool looks at, sorted: migrations, and files that are misnamed ones.
    pub files: fn(&Found, &dyn Files) -> Vec<String>,
    /// Reads one file. Called for many files at once.
    pub read: fn(&Found, &File<'_>) -> Reading,
    /// Puts the scripts in the order in which the tool runs them, and says what is wrong with the set.
    pub arrange: fn(&Found, Vec<Script>) -> Arrangement,
    /// Compares two versions as the tool orders them; none for tools whose order is a graph.
    pub compare: Option<fn(&str, &str) -> Ordering>,
    /// What the tool does about migrations that it ran before.
    pub applied: Applied,
    /// What the tool makes of a script before the server sees it.
    pub client: Client,
    /// How the tool runs a script unless the script says otherwise.
    pub runner: Runner,
}

/// The files of a project, as layouts see them.
pub trait Files: Sync {
    /// Every file's path, relative to the project's root, with `/`, sorted.
    fn paths(&self) -> &[String];
    /// The text of a (small) file, where it can be read.
    fn text(&self, path: &str) -> Option<Arc<str>>;
    /// A (small) Python file that others import, parsed.
    fn python(&self, path: &str) -> Option<Arc<PythonModule>> {
        self.text(path).map(|text| parse_python(&text))
    }
}

/// A Python file that others import.
#[must_use]
pub fn parse_python(text: &str) -> Arc<PythonModule> {
    Arc::new(python::syntax::parse_foreign(text))
}

/// One file as [`Layout::read`] gets it.
#[derive(Clone, Copy)]
pub struct File<'a> {
    /// Its path, relative to the project's root, with `/`.
    pub path: &'a str,
    /// Its text.
    pub source: &'a Source,
    /// The files around it.
    pub files: &'a dyn Files,
}

impl File<'_> {
    /// The name without its directory.
    #[must_use]
    pub fn name(&self) -> &str {
        path::file_name(self.path)
    }

    /// A problem of this file as a whole.
    #[must_use]
    pub fn problem(&self, kind: ProblemKind, message: String, help: Option<String>) -> Problem {
        self.problem_at(self.source.first_line(), kind, message, help)
    }

    /// A problem of a place in this file.
    #[must_use]
    pub fn problem_at(
        &self,
        span: Span,
        kind: ProblemKind,
        message: String,
        help: Option<String>,
    ) -> Problem {
        Problem {
            kind,
            location: Location {
                source: self.source.id,
                span,
            },
            message,
            help,
            labels: Vec::new(),
        }
    }
}

/// What one file holds.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Its migrations.
    pub scripts: Vec<Script>,
    /// What is wrong with the file.
    pub problems: Vec<Problem>,
    /// Text that runs and that is not looked at.
    pub not_analysed: Vec<(Span, String)>,
    /// The database that the whole file is for, if that is another one. Such files are named together.
    pub left_out: Option<String>,
}

impl Reading {
    /// A file for another database, whose PostgreSQL variant is beside it or not needed.
    #[must_use]
    pub fn left_out(database: &str) -> Self {
        Self {
            left_out: Some(database.to_owned()),
            ..Self::default()
        }
    }

    /// One migration.
    #[must_use]
    pub fn script(script: Script) -> Self {
        Self {
            scripts: vec![script],
            ..Self::default()
        }
    }

    /// A migration written in a language that is not read.
    fn of_code(file: &File<'_>, tool: &str, language: &str) -> Self {
        let reason = format!("a {tool} migration written in {language}; its SQL is not seen");
        Self {
            not_analysed: vec![(file.source.first_line(), reason)],
            ..Self::default()
        }
    }

    /// No migration, and why.
    #[must_use]
    pub fn problem(problem: Problem) -> Self {
        Self {
            problems: vec![problem],
            ..Self::default()
        }
    }
}

/// A directory that a tool's migrations were found in.
#[derive(Debug, Clone)]
pub struct Found {
    /// The tool.
    pub layout: &'static Layout,
    /// The directory, relative to the project's root, with `/`; empty for the root itself.
    pub root: String,
    /// Directories whose files form its one history: the root itself, or those that the tool's settings name.
    pub directories: Vec<String>,
    /// Why it is taken for one, as a part of a sentence: "`000001_create_users.up.sql` has a `.down.sql` beside it".
    pub reason: String,
    /// Settings of the tool that were found in its configuration files, by the tool's own names.
    pub settings: BTreeMap<String, String>,
    /// Which files Liquibase's changelogs hold together; nothing for other tools.
    pub changelogs: Arc<Changelogs>,
    /// The models of the application that Alembic's environment imports; nothing for other tools.
    pub models: Arc<Vec<Model>>,
    /// The files of those models, once they are read.
    pub model_files: Arc<Vec<(String, SourceId)>>,
    /// Directories with the variant of these migrations for another database.
    pub left_out: Vec<String>,
}

impl Found {
    /// Paths of the files that hold models, sorted.
    #[must_use]
    pub fn files_of_models(&self) -> Vec<&str> {
        let columns = self.models.iter().flat_map(|model| &model.columns);
        let mut files: Vec<&str> = columns
            .map(|column| column.file.as_str())
            .chain(self.models.iter().map(|model| model.file.as_str()))
            .collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// Nothing but the tool.
    pub(crate) fn bare(layout: &'static Layout) -> Self {
        Self {
            layout,
            root: String::new(),
            directories: Vec::new(),
            reason: String::new(),
            settings: BTreeMap::new(),
            changelogs: Arc::default(),
            models: Arc::default(),
            model_files: Arc::default(),
            left_out: Vec::new(),
        }
    }

    /// A directory that holds one history of its own.
    fn of(layout: &'static Layout, directory: &str, reason: String) -> Self {
        Self {
            root: directory.to_owned(),
            directories: vec![directory.to_owned()],
            reason,
            ..Self::bare(layout)
        }
    }

    /// A directory that a person named, with the options that were given for it.
    fn named(layout: &'static Layout, root: &str, options: &BTreeMap<String, String>) -> Self {
        Self {
            settings: options.clone(),
            ..Self::of(layout, root, "the configuration names it".to_owned())
        }
    }

    /// True if the directory is one of those of this history, or lies in one.
    #[must_use]
    pub fn claims(&self, directory: &str) -> bool {
        self.directories
            .iter()
            .any(|own| path::is_inside(directory, own))
    }

    /// A setting that is switched on.
    #[must_use]
    pub fn is_on(&self, setting: &str) -> bool {
        self.settings
            .get(setting)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
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
    /// The file's path, relative to the project's root, with `/`.
    pub path: String,
    /// Version as the tool orders it, as written; empty if it has none (repeatables).
    pub version: String,
    /// What the tool takes for the same: two scripts of one key go one up and one down, or one of them is too many.
    pub key: String,
    /// The rest of its name, as a person reads it.
    pub description: String,
    /// Direction.
    pub direction: Direction,
    /// Its place in the tool's own list (a journal, a plan), from 0; none where versions alone decide the order.
    pub place: Option<usize>,
    /// The place that stands for the whole script: the file's first line, the `def upgrade` line.
    pub span: Span,
    /// Its SQL, in order.
    pub pieces: Vec<Piece>,
    /// Versions it comes after, for tools with a graph.
    pub parents: Vec<(String, Span)>,
    /// Further versions it needs (`depends_on`).
    pub depends_on: Vec<(String, Span)>,
    /// Other names of its branch (`branch_labels`).
    pub labels: Vec<String>,
    /// Versions that run behind it (`run_before`).
    pub before: Vec<String>,
    /// Versions that it runs instead of (`replaces`).
    pub replaces: Vec<String>,
    /// Why it says that it has nothing to do (`pass`, `raise`, only comments).
    pub emptiness: Option<Emptiness>,
    /// Text that was not understood.
    pub not_analysed: Vec<(Span, String)>,
}

impl Script {
    /// The whole text of a file as one migration, sent and wrapped in the tool's own way.
    #[must_use]
    pub fn of_file(file: &File<'_>, direction: Direction) -> Self {
        Self::of_part(file, direction, Span::new(0, file.source.text.len()))
    }

    /// A part of a file as one migration.
    #[must_use]
    pub fn of_part(file: &File<'_>, direction: Direction, part: Span) -> Self {
        let sql = file.source.slice(part);
        Self {
            source: file.source.id,
            path: file.path.to_owned(),
            version: String::new(),
            key: String::new(),
            description: String::new(),
            direction,
            place: None,
            span: text::first_line(file.source, part),
            pieces: vec![Piece::of(file, part)],
            parents: Vec::new(),
            depends_on: Vec::new(),
            labels: Vec::new(),
            before: Vec::new(),
            replaces: Vec::new(),
            emptiness: text::blank(sql),
            not_analysed: Vec::new(),
        }
    }

    /// Sends and wraps the whole script in another way than the tool's usual one.
    fn run_as(&mut self, send: Option<Send>, wraps: Option<Wraps>) {
        for piece in &mut self.pieces {
            (piece.send, piece.wraps) = (send, wraps);
        }
    }

    /// The script's place as a location.
    #[must_use]
    pub fn location(&self) -> Location {
        Location {
            source: self.source,
            span: self.span,
        }
    }
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

impl Piece {
    /// A part of a file, sent and wrapped in the tool's own way.
    fn of(file: &File<'_>, part: Span) -> Self {
        Self {
            fragment: Fragment {
                sql: if part.len() == file.source.text.len() {
                    Arc::clone(&file.source.text)
                } else {
                    Arc::from(file.source.slice(part))
                },
                map: SpanMap::copied(part.start as usize, part.len()),
            },
            send: None,
            wraps: None,
            conditional: false,
        }
    }
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
    /// The tool refuses a script that holds statements for inside and for outside of a transaction.
    Mixed,
    /// A migration that the branch merged into has was edited or renamed.
    Edited,
    /// Migrations that the branch merged into has were removed; said where the next one stands.
    Gone,
    /// The branch merged into has taken the version, or the place in the graph, in the meantime.
    Collision,
    /// A new migration sorts before one that may be applied, and the tool does not run it then.
    Late,
    /// A new migration sorts before one that may be applied, and the tool runs it all the same.
    LateButRuns,
    /// A command that only psql understands, where something else runs the script.
    Psql,
    /// The tool cannot load the file: a syntax error, a mark that is missing or that it does not know.
    Syntax,
    /// An argument of a migration written as code has no effect.
    IgnoredArgument,
    /// A constraint is written down and never created.
    NeverCreated,
    /// A constraint is dropped that has no name.
    UnnamedDrop,
    /// A colon makes a bind parameter that has no value.
    UnsetParameter,
    /// The tool's library raises an exception when the migration runs.
    Refused,
    /// A statement runs ahead of those that stand before it.
    Overtakes,
    /// An expression is taken for a name.
    ExpressionAsName,
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
    /// It joins several branches of a graph.
    pub merges: bool,
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

#[cfg(test)]
mod tests;
