//! What goes on while a migration runs: samples, and a judge that knows how long something has gone on.
//!
//! Times are those of the server's clock, which each sample carries: nothing here looks at one.

mod judge;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::params::Target;
use super::session::Session;
use super::trouble::Trouble;
use crate::probe::{Ask as _, RefusedKind};

pub use judge::{Judge, Notice};

const SQL: &str = include_str!("queries/watch.sql");

/// The session of the migration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Followed {
    /// Its process number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<i32>,
    /// Its `application_name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
}

/// The state of a database at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Seconds since 1970 by the server's clock.
    pub at: f64,
    /// Sessions that wait for a lock, the longest wait first.
    pub blocked: Vec<Blocked>,
    /// Those that they wait for.
    pub holders: Vec<Activity>,
    /// Active sessions by what they wait for.
    pub waits: BTreeMap<String, u64>,
    /// Connections in use.
    pub connections: u64,
    /// Connections that ordinary roles may use.
    pub usable: u64,
    /// Standbys with the age of what they have not replayed yet.
    pub replicas: Vec<Replica>,
    /// Index builds, vacuums and rewrites.
    pub progress: Vec<Progress>,
    /// Tables with the most dead rows.
    pub dead: Vec<DeadRows>,
    /// Transactions that committed, ever.
    pub commits: u64,
    /// Transactions that were rolled back, ever.
    pub rollbacks: u64,
    /// Deadlocks, ever.
    pub deadlocks: u64,
    /// The migration's own sessions.
    pub followed: Vec<Activity>,
}

/// A session that waits for a lock.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Blocked {
    /// Its process.
    pub pid: i32,
    /// Processes that it waits for.
    pub holders: Vec<i32>,
    /// Its `application_name`.
    pub application: Option<String>,
    /// What it wants to run; without texts that may be secrets.
    pub query: Option<String>,
    /// How long it has waited.
    pub seconds: f64,
}

/// What a session does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// Its process; 0 for a prepared transaction.
    pub pid: i32,
    /// Its `application_name`.
    pub application: Option<String>,
    /// `active`, `idle in transaction` …
    pub state: Option<String>,
    /// Its last statement; without texts that may be secrets.
    pub query: Option<String>,
    /// Age of its transaction (of its statement, if it is followed).
    pub seconds: Option<f64>,
}

/// A standby.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replica {
    /// Its `application_name`.
    pub name: String,
    /// How far it is behind.
    pub seconds: f64,
}

/// Work that says how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Its process.
    pub pid: i32,
    /// `CREATE INDEX CONCURRENTLY on orders`.
    pub what: String,
    /// The server's word for the phase.
    pub phase: String,
    /// Blocks or rows done in this phase.
    pub done: u64,
    /// Blocks or rows of this phase; 0 if it does not count.
    pub total: u64,
}

/// Dead rows of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeadRows {
    /// The table.
    pub table: String,
    /// Dead rows.
    pub dead: u64,
    /// Rows that are not.
    pub live: u64,
}

/// A connection that takes samples.
pub struct Watcher {
    session: Session,
    parameter: String,
    /// The role does not see what others do.
    pub blind: Option<String>,
}

impl Watcher {
    /// Connects.
    ///
    /// # Errors
    /// The database cannot be asked.
    pub fn open(target: &Target, followed: &Followed) -> Result<Self, Trouble> {
        let session = Session::open(target)?;
        let blind = (!session.server.sees_sessions).then(|| {
            format!(
                "the role `{0}` does not see what the sessions of other roles do: GRANT pg_monitor TO {0}",
                session.server.user
            )
        });
        Ok(Self {
            session,
            parameter: serde_json::json!(followed).to_string(),
            blind,
        })
    }

    /// Takes a sample; none if the server was too busy to answer in time.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn sample(&mut self) -> Result<Option<Sample>, Trouble> {
        let rows = match self.session.ask(None, SQL, Some(&self.parameter)) {
            Ok(rows) => rows,
            Err(refused) if matches!(refused.kind, RefusedKind::Slow | RefusedKind::Locked) => {
                return Ok(None);
            }
            Err(refused) => {
                return Err(Trouble::new(
                    format!("the database did not answer: {}", refused.message),
                    "is the server up? watch again",
                ));
            }
        };
        let mut samples: Vec<Sample> = serde_json::from_str(&rows).map_err(|error| {
            Trouble::new(
                format!("the server's answer is not the expected one: {error}"),
                "this is a bug in Lockgate, please report it",
            )
        })?;
        let mut sample = samples.pop();
        if let Some(sample) = &mut sample {
            let queries = sample.blocked.iter_mut().map(|one| &mut one.query);
            let others = sample.holders.iter_mut().chain(&mut sample.followed);
            for query in queries.chain(others.map(|one| &mut one.query)) {
                *query = query.as_deref().map(crate::probe::excerpt);
            }
        }
        Ok(sample)
    }
}
