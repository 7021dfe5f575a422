//! Lockgate reads a project's database migrations the way PostgreSQL and the migration tool will run them, and says what
//! they lock, rewrite, break, lose or cannot take back.
//!
//! # The map
//!
//! ```text
//! discover ──► read ──► split/parse ──► lower ──► replay ──► analyse ──► suppress ──► sort ──► report
//!  (walk,      (only     (per file,     (SQL and   (per        (rules      (comments,   (path,
//!   layout)     I/O)      in parallel)   Python →   history,    over         config)      span,
//!                                        Statement) in order)   effects)                  rule)
//! ```
//!
//! | module | what it knows |
//! |---|---|
//! | [`source`], [`diagnostic`] | files, places in them, findings |
//! | [`statement`] | a statement as the rules see it |
//! | [`sql`] | text to statements: lexer, splitter, PL/pgSQL, and the only code that knows PostgreSQL's parser |
//! | [`python`] | Alembic revisions to the SQL they emit, without running them |
//! | [`layout`], [`discover`] | migration tools: which files, which order, sent how; the only code that reads files |
//! | [`schema`] | the database as the migrations so far have made it |
//! | [`effect`] | what PostgreSQL does for a statement: written once, measured on servers |
//! | [`session`], [`replay`], [`footprint`] | transactions, messages, timeouts; one walk through a history; the locks it piles up |
//! | [`rule`], [`context`], [`rules`] | what a rule is, what it may ask, and the rules |
//! | [`markers`], [`risk`] | what comments say that a migration is; what it puts at stake |
//! | [`probe`], [`live`] | what a live check is; connections, and the only code that makes any |
//! | [`suppress`], [`analyze`] | comments that allow findings; the pipeline |
//! | [`locks`] | what `lockgate locks` shows |
//! | [`usage`] | where the application's sources name a table or column |
//! | [`snapshot`], [`estimate`] | sizes and activity of a production database, from a file; how long work takes there |
//! | [`fix`] | applies what findings offer |
//! | [`policy`], [`approval`] | what a team asks for beyond that; who has agreed to what |
//! | [`settings`], [`config`], [`cli`], [`explain`] | what is asked for, and by whom |
//! | `yaml` | YAML as a tree that knows its places |
//! | [`report`] | the outputs, one file per format |
//!
//! Start with [`statement`], then [`rule`], then any rule: `rules/<id>.md`, `src/rules/<id>.rs`, `fixtures/rules/<id>.sql`.
//!
//! # Invariants
//!
//! Each is held by a test or a lint (`tests/it/tidy.rs`, `clippy.toml`).
//!
//! 1. [`analyze::run`] is a pure function of the files read and the settings: no clock, environment, file system.
//! 2. Parsing never fails: it returns statements, syntax errors and places that were not understood.
//! 3. Only `sql/lower` and `sql/tree` name the parser, only `python/syntax` the Python parser, only `report/text` the
//!    pretty printer, only `discover`, `config` and `cli` read files.
//! 4. Layers point one way: source, diagnostic, statement, schema, effect, rule, rules, analyze, report, cli.
//! 5. Rules see a [`context::Cx`] and a statement, migration or history: no files, no trees, no configuration.
//! 6. Every finding has a place in a file the user owns.
//! 7. Same input, same bytes out.
//! 8. A panic in a rule becomes one finding that names the rule; the run goes on.
//! 9. What leaves the process has its own types with a version.
//! 10. Nothing is generated and committed except what a test rewrites with `BLESS=1`.

pub mod analyze;
pub mod approval;
pub mod cli;
pub mod config;
pub mod context;
pub mod diagnostic;
pub mod discover;
pub mod effect;
pub mod estimate;
pub mod explain;
pub mod fix;
pub mod footprint;
pub mod layout;
#[cfg(feature = "live")]
pub mod live;
pub mod locks;
pub mod markers;
pub mod policy;
pub mod probe;
pub mod python;
pub mod replay;
pub mod report;
pub mod risk;
pub mod rule;
pub mod rules;
pub mod schema;
pub mod session;
pub mod settings;
pub mod snapshot;
pub mod source;
pub mod sql;
pub mod statement;
mod suggest;
pub mod suppress;
pub mod usage;
mod wording;
mod yaml;

#[doc(hidden)]
pub mod testing;
