//! What a live check is, and what it is given to work with.
//!
//! A probe is a rule that asks a database instead of a file: page, levels, options and outputs are those of every other
//! rule. Its code is SQL beside a judge function.
//!
//! # Adding one
//!
//! 1. `rules/<id>.md` with `checks: probe` and `moments: [pre, watch, post]` (those it is asked at); thresholds are
//!    `options`. Body: `# title`, the summary, `## Why`, `## Instead`.
//! 2. `src/live/probes/<id>.sql`: one read-only `SELECT`, everything qualified by `pg_catalog.` where it is not already
//!    found there (the search path is `pg_catalog`), limited. Its columns are the fields of the judge's `Row`. Durations
//!    are seconds (`extract(epoch from …)::float8`), names are texts. `$1`, if it stands in the text, is the JSON that
//!    the judge hands to [`Probing::rows_for`]. `<id>.pg17.sql` is used from that major on and returns the same columns.
//!    It never waits for a lock on a table: no `pg_relation_size`, `pg_get_viewdef`, `pg_get_expr` and the like.
//!    A probe without rows of its own (it asks with [`Probing::query`], or looks at the plan alone) has no SQL file.
//! 3. `src/rules/<id>.rs` with its `mod` line: `pub(super) fn check(probing: &mut Probing<'_>) -> Judged`. It reports
//!    with [`Probing::report`]; what it cannot know is an [`Unknown`] (`Err`, or [`Probing::unknown`] when it goes on).
//!    What the user did not hand over, or what is not installed, makes it [`Probing::not_asked`], which is not "fine".
//! 4. Tests in `tests/it/live/`: one where the situation is produced, one where all is well, as superuser and as a
//!    member of `pg_monitor`, on the oldest and the newest major: `for major in showing("<id>")` demands all of it, and
//!    a test demands that there is one for each probe.
//! 5. `BLESS=1 cargo test`.

mod demand;
pub mod drift;
mod figure;
pub(crate) mod gate;
mod gone;
mod outside;
mod plan;
mod server;
mod session;
mod usage;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

#[cfg(feature = "live")]
use crate::diagnostic::Certainty;
use crate::diagnostic::{Diagnostic, Level};
use crate::rule::{Finding, Options, Rule};
use crate::settings::{OptionValue, Settings};
use crate::source::{Location, SourceId, Span};

pub use self::demand::Demand;
pub use self::figure::{Figure, figures, readings};
pub use self::gate::{Gates, Limit, Limits, Severity, limit_from};
pub use self::gone::{Gone, How};
pub use self::outside::{Expected, Invariant, Outside, Text, invariants};
pub use self::plan::{Applied, Plan, Planned, Standing, Target, ToolState, whole_schema};
pub use self::server::Server;
pub use self::session::{Session, excerpt};
pub use self::usage::uses;

/// A probe's part of the rule table.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    /// The moments at which it is asked.
    pub moments: &'static [When],
    /// Its SQL by the first major that it is for, oldest first; empty if it has none.
    pub sql: &'static [(u32, &'static str)],
    /// The judge.
    pub judge: fn(&mut Probing<'_>) -> Judged,
}

impl Probe {
    /// The SQL for a server of that major.
    #[must_use]
    pub fn sql_for(&self, major: u32) -> Option<&'static str> {
        let behind = self.sql.partition_point(|(from, _)| *from <= major);
        self.sql[..behind].last().map(|(_, sql)| *sql)
    }
}

/// The moments of a migration's life at which a database is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// Before it runs.
    Pre,
    /// While it runs.
    Watch,
    /// After it ran.
    Post,
}

impl When {
    /// The word of the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pre => "pre",
            Self::Watch => "watch",
            Self::Post => "post",
        }
    }
}

/// What a judge says: it has reported what there is to report (or said that nobody asked), or it could not know.
pub type Judged = Result<(), Unknown>;

/// Why something is not known, and what would settle it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// What is not known and why, as a message: lower case, no full stop.
    pub reason: String,
    /// What to do about it: the grant that is missing, the extension to install.
    pub help: Option<String>,
}

impl Unknown {
    /// Nothing more is known than this.
    #[must_use]
    pub fn new(reason: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            help: Some(help.into()),
        }
    }
}

/// Why the server did not answer a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What kind of refusal it is.
    pub kind: RefusedKind,
    /// The server's message, on one line.
    pub message: String,
}

/// Kinds of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedKind {
    /// The role may not (SQLSTATE 42501).
    Privilege,
    /// A table, column, function or schema is not there.
    Missing,
    /// Somebody holds a lock that would have to be waited for.
    Locked,
    /// It took longer than a probe may.
    Slow,
    /// The connection is gone, or nobody answers on it; no further question makes sense.
    Lost,
    /// Anything else.
    Other,
}

/// Someone who puts questions to a database, each in a read-only transaction of its own.
pub trait Ask {
    /// The rows of a query as one JSON array of objects.
    ///
    /// `before` runs in the same transaction in front of it; `parameter` is `$1`, a `text`.
    fn ask(
        &mut self,
        before: Option<&str>,
        query: &str,
        parameter: Option<&str>,
    ) -> Result<String, Refused>;
}

/// The world of one probe at one database.
pub struct Probing<'a> {
    pub(crate) rule: &'static Rule,
    pub(crate) probe: Probe,
    pub(crate) settings: &'a Settings,
    pub(crate) options: &'a BTreeMap<String, OptionValue>,
    pub(crate) server: &'a Server,
    pub(crate) plan: &'a Plan<'a>,
    pub(crate) when: When,
    pub(crate) asker: &'a mut dyn Ask,
    /// The source that stands for the database.
    pub(crate) database: SourceId,
    /// What the user handed over.
    pub(crate) outside: &'a Outside,
    /// Lets so many milliseconds pass.
    pub(crate) pause: fn(u64),
    pub(crate) found: Vec<Diagnostic>,
    pub(crate) unknown: Vec<Unknown>,
    /// The question was not put.
    pub(crate) not_asked: bool,
}

impl<'a> Probing<'a> {
    /// The rows of the probe's own SQL.
    pub fn rows<T: DeserializeOwned>(&mut self) -> Result<Vec<T>, Unknown> {
        self.own_rows(None)
    }

    /// The rows of the probe's own SQL, with `$1` in it.
    pub fn rows_for<T: DeserializeOwned>(
        &mut self,
        parameter: &serde_json::Value,
    ) -> Result<Vec<T>, Unknown> {
        self.own_rows(Some(&parameter.to_string()))
    }

    /// The rows of the probe's own SQL for relations that are about to be locked: `$1` is a JSON array of objects with
    /// `schema` and `name`.
    pub fn rows_on<T: DeserializeOwned>(&mut self, targets: &[Target]) -> Result<Vec<T>, Unknown> {
        let names: Vec<_> = targets
            .iter()
            .map(|target| {
                serde_json::json!({"schema": target.relation.schema, "name": target.relation.name})
            })
            .collect();
        self.rows_for(&names.into())
    }

    fn own_rows<T: DeserializeOwned>(
        &mut self,
        parameter: Option<&str>,
    ) -> Result<Vec<T>, Unknown> {
        let sql = self.own_sql()?;
        self.query(sql, parameter)
    }

    /// The probe's own SQL for this server.
    pub fn own_sql(&self) -> Result<&'static str, Unknown> {
        let major = self.server.major();
        self.probe.sql_for(major).ok_or_else(|| {
            Unknown::new(
                format!("PostgreSQL {major} does not have what this probe asks for"),
                "ask again on a newer server",
            )
        })
    }

    /// The rows of any query. What the server refuses is unknown, with what the role lacks.
    pub fn query<T: DeserializeOwned>(
        &mut self,
        sql: &str,
        parameter: Option<&str>,
    ) -> Result<Vec<T>, Unknown> {
        match self.try_query(None, sql, parameter) {
            Ok(rows) => Ok(rows),
            Err(refused) => Err(self.not_known(&refused)),
        }
    }

    /// The rows of any query, or the refusal; `before` runs in the same transaction in front of it.
    pub fn try_query<T: DeserializeOwned>(
        &mut self,
        before: Option<&str>,
        sql: &str,
        parameter: Option<&str>,
    ) -> Result<Vec<T>, Refused> {
        let rows = self.asker.ask(before, sql, parameter)?;
        serde_json::from_str(&rows).map_err(|error| Refused {
            kind: RefusedKind::Other,
            message: format!("its answer is not the expected one: {error}"),
        })
    }

    /// A refusal as what is not known because of it.
    #[must_use]
    pub fn not_known(&self, refused: &Refused) -> Unknown {
        let user = &self.server.user;
        match refused.kind {
            RefusedKind::Privilege => Unknown::new(
                format!("the role `{user}` may not ask: {}", refused.message),
                format!("GRANT pg_monitor TO {user}"),
            ),
            RefusedKind::Slow => Unknown::new(
                "the server did not answer within the time a probe may take",
                "try again when it is less busy",
            ),
            RefusedKind::Locked => Unknown::new(
                format!(
                    "the answer would wait for a lock that somebody holds: {}",
                    refused.message
                ),
                "try again when the lock is gone",
            ),
            RefusedKind::Missing | RefusedKind::Lost | RefusedKind::Other => Unknown {
                reason: format!("the server refused the question: {}", refused.message),
                help: None,
            },
        }
    }

    /// Unknown unless the role sees what other sessions do.
    pub fn sees_sessions(&self) -> Judged {
        if self.server.sees_sessions {
            return Ok(());
        }
        let user = &self.server.user;
        Err(Unknown::new(
            format!("the role `{user}` does not see what the sessions of other roles do"),
            format!("GRANT pg_monitor TO {user}"),
        ))
    }

    /// A finding about the database.
    #[must_use]
    pub fn finding(&self, message: impl Into<String>) -> Finding {
        Finding::at(self.place(), message)
    }

    /// The place that stands for the database.
    #[must_use]
    pub fn place(&self) -> Location {
        Location {
            source: self.database,
            span: Span::default(),
        }
    }

    /// Reports a finding.
    pub fn report(&mut self, finding: Finding) {
        let level = finding
            .level
            .or(self.rule.level_in(self.settings.environment))
            .unwrap_or(Level::Warning);
        self.found.push(Diagnostic {
            rule: self.rule.id,
            level,
            certainty: finding.certainty,
            message: finding.message,
            primary: finding.source.unwrap_or_else(|| self.place()),
            labels: finding.labels,
            help: finding.help,
            steps: Vec::new(),
            fix: None,
            effects: finding.effects,
            object: None,
            estimate: None,
            migration: None,
            direction: None,
            fingerprint: String::new(),
            subject: None,
        });
    }

    /// Says that the question makes no sense here: what it needs was not given, or is not installed. All is not well
    /// because of that; nobody has looked.
    pub fn not_asked(&mut self) -> Judged {
        self.not_asked = true;
        Ok(())
    }

    /// Lets time pass, in milliseconds.
    pub fn pause(&self, milliseconds: u64) {
        (self.pause)(milliseconds);
    }

    /// What the user handed over beside the database.
    #[must_use]
    pub fn outside(&self) -> &'a Outside {
        self.outside
    }

    /// Says that a part of the answer is not known, and goes on.
    pub fn unknown(&mut self, unknown: Unknown) {
        self.unknown.push(unknown);
    }

    /// The unknown parts as findings of the lowest level.
    #[cfg(feature = "live")]
    pub(crate) fn into_diagnostics(mut self) -> (Vec<Diagnostic>, bool) {
        let unknown = std::mem::take(&mut self.unknown);
        let any = !unknown.is_empty();
        for unknown in unknown {
            let finding = Finding {
                help: unknown.help,
                ..self.finding(unknown.reason)
            };
            let finding = finding.certainty(Certainty::Unknown).level(Level::Info);
            self.report(finding);
        }
        (self.found, any)
    }

    /// The server and the role.
    #[must_use]
    pub fn server(&self) -> &'a Server {
        self.server
    }

    /// The pending migrations.
    #[must_use]
    pub fn plan(&self) -> &'a Plan<'a> {
        self.plan
    }

    /// The settings of the run.
    #[must_use]
    pub fn settings(&self) -> &'a Settings {
        self.settings
    }

    /// The moment that is asked about.
    #[must_use]
    pub fn when(&self) -> When {
        self.when
    }

    /// The thresholds.
    #[must_use]
    pub fn options(&self) -> Options<'a> {
        Options {
            rule: self.rule,
            values: self.options,
        }
    }
}
