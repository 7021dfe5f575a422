//! What a run is asked to do, after configuration file and command line were put together.

use std::collections::BTreeMap;
use std::path::{Component, PathBuf};
use std::sync::Arc;

use crate::approval::Approvals;
use crate::diagnostic::Level;
use crate::policy::Policy;
use crate::snapshot::Snapshot;

/// Where the migrations will run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Environment {
    Local,
    Ci,
    Dev,
    Staging,
    #[default]
    Production,
}

impl Environment {
    /// All of them, weakest first.
    pub const ALL: [Self; 5] = [
        Self::Local,
        Self::Ci,
        Self::Dev,
        Self::Staging,
        Self::Production,
    ];

    /// The word used in configuration and outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Ci => "ci",
            Self::Dev => "dev",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

/// Oldest major version of PostgreSQL that can be named as the target.
pub const OLDEST_POSTGRES: u32 = 13;
/// Newest one, and the default.
pub const NEWEST_POSTGRES: u32 = 18;

/// A length of time as PostgreSQL reads it (`5s`, `500ms`, `1.5 min`; a bare number counts milliseconds), in
/// milliseconds: for what migrations set and for what the configuration says. Units as in PostgreSQL's documentation,
/// "Parameter Names and Values".
#[must_use]
pub fn milliseconds(value: &str) -> Option<u64> {
    let value = value.trim();
    let digits = value
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(value.len());
    let (number, unit) = value.split_at(digits);
    let number: f64 = number.parse().ok()?;
    let factor = match unit.trim() {
        "" | "ms" => 1.0,
        "us" => 0.001,
        "s" => 1_000.0,
        "min" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return None,
    };
    let milliseconds = number * factor;
    // Cannot be negative; a value PostgreSQL would refuse as too large stays large.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounded, not negative, clamped"
    )]
    let milliseconds = milliseconds.round().min(9e15) as u64;
    Some(milliseconds)
}

/// A rule's level in a configuration: a level, or off.
pub type Setting = Option<Level>;

/// Value of a rule's option.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum OptionValue {
    Bool(bool),
    Int(i64),
    /// A string; durations too (`5s`, `500ms`, `2min`).
    Text(String),
    List(Vec<String>),
}

/// What the configuration says about one rule.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RuleSettings {
    /// Level, if it says one: `Some(None)` is off.
    pub level: Option<Setting>,
    /// Options by name.
    pub options: BTreeMap<String, OptionValue>,
}

/// A part of the configuration that holds for some paths only. Later ones win.
#[derive(Debug, Clone)]
pub struct Override {
    /// Globs on paths relative to the configuration file's directory.
    pub paths: globset::GlobSet,
    /// Rules.
    pub rules: BTreeMap<String, RuleSettings>,
}

/// How much is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Strictness {
    /// What everyone wants to know.
    #[default]
    Default,
    /// Good habits too (`--strict`).
    Strict,
    /// Everything a reviewer could ask about.
    Audit,
}

/// A directory of migrations as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Path relative to the project's root.
    pub path: String,
    /// Name of the layout; detected if none is named.
    pub layout: Option<String>,
    /// Settings of the tool, by its own names, over those found in its files.
    pub options: BTreeMap<String, String>,
}

/// Borders between the sizes of tables, in rows, and what counts as busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizing {
    /// From here on a table is small; below, work on it is no news.
    pub small: u64,
    /// From here on it is of medium size.
    pub medium: u64,
    /// From here on it is large: blocking work needs a maintenance window.
    pub large: u64,
    /// From here on it is huge: a window of its own.
    pub huge: u64,
    /// Rows written per second from which on a table is busy.
    pub busy: u64,
}

impl Default for Sizing {
    fn default() -> Self {
        Self {
            small: 10_000,
            medium: 1_000_000,
            large: 10_000_000,
            huge: 100_000_000,
            busy: 100,
        }
    }
}

/// The settings of a run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Target major version, 13 to 18.
    pub postgres: u32,
    /// Target environment.
    pub environment: Environment,
    /// The project's root: the directory of the configuration file, if there is one. Absolute.
    pub root: Option<PathBuf>,
    /// The directory the program was started in, absolute: paths are shown relative to it.
    pub cwd: Option<PathBuf>,
    /// Directories of migrations; found by themselves if empty.
    pub roots: Vec<Root>,
    /// Last version that is already applied; later ones are pending. None: every file is looked at on its own.
    pub after: Option<String>,
    /// What is said about rules.
    pub rules: BTreeMap<String, RuleSettings>,
    /// The same for some paths.
    pub overrides: Vec<Override>,
    /// If not empty: only these rules.
    pub select: Vec<String>,
    /// Not these rules.
    pub ignore: Vec<String>,
    /// How much is reported.
    pub strictness: Strictness,
    /// A suppression comment must give a reason.
    pub require_reason: bool,
    /// Timeouts that the runner or the role sets before every migration, in milliseconds.
    pub lock_timeout: Option<u64>,
    /// The same for `statement_timeout`.
    pub statement_timeout: Option<u64>,
    /// File with the production snapshot, as the configuration names it: relative to the root.
    pub stats_file: Option<PathBuf>,
    /// The snapshot.
    pub stats: Option<Arc<Snapshot>>,
    /// File with the sign-offs, as the configuration names it: relative to the root.
    pub approvals_file: Option<PathBuf>,
    /// The sign-offs; none if nobody has to sign.
    pub approvals: Option<Arc<Approvals>>,
    /// What the team asks for.
    pub policies: Vec<Policy>,
    /// Globs on paths relative to the root: the sources of the application. None: they are not looked into.
    pub sources: Option<globset::GlobSet>,
    /// Sizes of tables.
    pub sizing: Sizing,
    /// Today, for `until` dates in suppression comments (`2026-11-20`).
    pub today: Option<String>,
}

impl Settings {
    /// A path as shown, relative to the project's root where it lies in it: what globs of the configuration match.
    #[must_use]
    pub fn path_in_root(&self, shown: &str) -> String {
        let (Some(root), Some(cwd)) = (&self.root, &self.cwd) else {
            return shown.to_owned();
        };
        let mut path = PathBuf::new();
        for part in cwd.join(shown).components() {
            match part {
                Component::ParentDir => {
                    path.pop();
                }
                Component::CurDir => {}
                part => path.push(part),
            }
        }
        match path.strip_prefix(root) {
            Ok(inside) => inside.to_string_lossy().replace('\\', "/"),
            Err(_) => shown.to_owned(),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            postgres: NEWEST_POSTGRES,
            environment: Environment::default(),
            root: None,
            cwd: None,
            roots: Vec::new(),
            after: None,
            rules: BTreeMap::new(),
            overrides: Vec::new(),
            select: Vec::new(),
            ignore: Vec::new(),
            strictness: Strictness::default(),
            require_reason: false,
            lock_timeout: None,
            statement_timeout: None,
            stats_file: None,
            stats: None,
            approvals_file: None,
            approvals: None,
            policies: Vec::new(),
            sources: None,
            sizing: Sizing::default(),
            today: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_postgresql_reads_them() {
        for (text, expected) in [
            ("5s", Some(5_000)),
            ("500ms", Some(500)),
            ("2min", Some(120_000)),
            ("1h", Some(3_600_000)),
            ("3000", Some(3_000)),
            ("0", Some(0)),
            ("1.5s", Some(1_500)),
            (" 5 s ", Some(5_000)),
            ("2 min", Some(120_000)),
            ("1d", Some(86_400_000)),
            ("", None),
            ("s", None),
            ("5m", None),
            ("-1s", None),
            ("soon", None),
            ("5 parsecs", None),
        ] {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }
}
