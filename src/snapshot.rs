//! The production snapshot: what a database holds and how it is used, as numbers in a file.
//!
//! `lockgate live snapshot` writes it on a database, `--stats FILE` reads it where there is none, in CI or at a desk.
//! It holds names, sizes and counters; no rows (but what queries return that the user names), and no settings that could be secrets. The form is described by a
//! committed JSON Schema ([`SCHEMA`]) and has a version: within a major version keys are only added, and a file of a
//! newer minor version is read without the keys not known here. Nearly everything may be left out, so that a file
//! written by hand (`{"relations": [{"name": "orders", "rows": 12000000}]}`) will do.

pub mod compare;
mod read;
mod time;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use read::{Problem, parse};
pub use time::seconds_since_epoch;

/// The JSON Schema of a snapshot.
pub const SCHEMA: &str = include_str!("snapshot/schema.json");

/// What the key `format` says.
pub const FORMAT: &str = "lockgate-snapshot";

/// The version written, and the newest understood in full.
pub const VERSION: Version = Version { major: 1, minor: 1 };

/// Version of the form: `1.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Another one cannot be read.
    pub major: u32,
    /// A newer one has keys that are not known here.
    pub minor: u32,
}

/// A whole snapshot.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Snapshot {
    /// [`FORMAT`].
    pub format: Format,
    /// Version of the form.
    pub version: FormatVersion,
    /// When it was taken, as RFC 3339 (`2026-11-20T14:00:00Z`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<String>,
    /// `server_version_num`: 160004.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_version_num: Option<u32>,
    /// Name of the database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Size of the database in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_bytes: Option<u64>,
    /// When its cumulative counters began, as RFC 3339; with `taken_at` they become rates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stats_reset: Option<String>,
    /// Hash of the schema's normalised definition, to tell whether it has changed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema_fingerprint: Option<String>,
    /// What the schema consists of, sorted by kind and name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<SchemaObject>,
    /// Server settings that matter to migrations (`lock_timeout`, `max_connections`), as `SHOW` prints them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// What queries of the user returned (`--invariants`): one value each, by the title of the query.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub invariants: BTreeMap<String, String>,
    /// Tables, materialized views, partitioned tables and foreign tables, sorted by schema and name.
    pub relations: Vec<Relation>,
    /// Statements by total time, from `pg_stat_statements`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<StatementStats>,
}

/// The word [`FORMAT`], and no other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// `lockgate-snapshot`.
    #[default]
    #[serde(rename = "lockgate-snapshot")]
    LockgateSnapshot,
}

/// A [`Version`] as it stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FormatVersion(pub Version);

impl Default for FormatVersion {
    fn default() -> Self {
        Self(VERSION)
    }
}

impl TryFrom<String> for FormatVersion {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts = text.split_once('.');
        let numbers = parts.and_then(|(major, minor)| {
            Some(Version {
                major: major.parse().ok()?,
                minor: minor.parse().ok()?,
            })
        });
        match numbers {
            Some(version) if version.major == VERSION.major => Ok(Self(version)),
            Some(_) => Err(format!(
                "version {text} of the snapshot format cannot be read; this Lockgate knows {}.x",
                VERSION.major
            )),
            None => Err(format!("`{text}` is not a version such as `1.0`")),
        }
    }
}

impl From<FormatVersion> for String {
    fn from(FormatVersion(version): FormatVersion) -> Self {
        format!("{}.{}", version.major, version.minor)
    }
}

/// Kind of a relation that holds rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `r`.
    #[default]
    Table,
    /// `p`: holds no rows itself; its size is that of its leaves.
    PartitionedTable,
    /// `m`.
    MaterializedView,
    /// `f`: its rows are elsewhere.
    ForeignTable,
}

/// One relation. A number that is not known is left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Relation {
    /// Its schema; `public` if left out.
    #[serde(default = "public")]
    pub schema: String,
    /// Its name, without quotes.
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub kind: Kind,
    /// The partitioned table that it is a partition of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_of: Option<RelationName>,
    /// Rows as the planner estimates them (`reltuples`); left out where it never looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Bytes of the table's own files (`pg_relation_size`, main fork).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Bytes of everything: table, TOAST, maps and indexes (`pg_total_relation_size`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_bytes: Option<u64>,
    /// Bytes of all its indexes (`pg_indexes_size`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_bytes: Option<u64>,
    /// Its indexes, sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<Index>,
    /// What was done to it since `stats_reset`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<Activity>,
    /// The last ANALYZE, by hand or automatic, as RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_analyzed: Option<String>,
}

fn public() -> String {
    "public".to_owned()
}

/// Name of a relation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelationName {
    /// Its schema; `public` if left out.
    #[serde(default = "public")]
    pub schema: String,
    /// Its name, without quotes.
    pub name: String,
}

/// One index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Its name; its schema is that of the table.
    pub name: String,
    /// False after a build that failed (`indisvalid`).
    #[serde(default = "yes")]
    pub valid: bool,
    /// It enforces uniqueness.
    #[serde(default)]
    pub unique: bool,
    /// Bytes (`pg_relation_size`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Times it was used since `stats_reset` (`idx_scan`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scans: Option<u64>,
}

fn yes() -> bool {
    true
}

/// Counters since `stats_reset`, as in `pg_stat_all_tables`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Activity {
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows deleted.
    pub deleted: u64,
    /// Sequential scans.
    pub seq_scans: u64,
    /// Index scans.
    pub idx_scans: u64,
    /// Dead rows now.
    pub dead_rows: u64,
}

impl Activity {
    /// Rows written.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.inserted
            .saturating_add(self.updated)
            .saturating_add(self.deleted)
    }
}

/// One object of the schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaObject {
    /// `table`, `column`, `constraint`, `index`, `view` …
    pub kind: String,
    /// Its full name, quoted where SQL needs it; that of a table's part begins with the table's.
    pub name: String,
    /// Hash of its definition; left out if it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// One statement of `pg_stat_statements`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatementStats {
    /// Its `queryid`, as text: JSON readers lose digits of 64-bit numbers.
    pub query_id: String,
    /// Its text with constants replaced by `$1`, where the texts may leave the database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Times it ran since `stats_reset`.
    pub calls: u64,
    /// Mean execution time in milliseconds.
    pub mean_ms: f64,
}

impl Snapshot {
    /// The entry of a relation.
    #[must_use]
    pub fn relation(&self, schema: &str, name: &str) -> Option<&Relation> {
        self.relations
            .iter()
            .find(|relation| relation.schema == schema && relation.name == name)
    }

    /// Seconds that the counters cover; none if the file does not say, or says nonsense.
    #[must_use]
    pub fn counted_seconds(&self) -> Option<u64> {
        let end = seconds_since_epoch(self.taken_at.as_deref()?)?;
        let start = seconds_since_epoch(self.stats_reset.as_deref()?)?;
        u64::try_from(end - start)
            .ok()
            .filter(|&seconds| seconds > 0)
    }

    /// The snapshot as it is written to a file: JSON, one line per value, ending in a newline.
    ///
    /// # Errors
    /// None that a snapshot of finite numbers can cause; a mean of `NaN` has no JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
