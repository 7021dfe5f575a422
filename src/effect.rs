//! What PostgreSQL does for a statement: locks, work under them, waits, certain failures.

pub mod alter;
pub mod bound;
pub mod coercion;
pub mod column;
mod compute;
pub mod dependents;
mod grammar;
pub mod index;
mod input;
mod label;
pub mod loss;
mod maintenance;
mod object;
mod others;
pub mod proof;
mod query;
pub mod reach;
mod refuse;
pub mod retype;
mod table;
mod transaction;
pub mod types;
pub mod volatility;

pub use compute::{Situation, effects, effects_with_nested};
pub use transaction::refuses_transaction;

use crate::diagnostic::Certainty;
use crate::statement::QualifiedName;

/// Everything one statement does.
#[derive(Debug, Clone, Default)]
pub struct Effects {
    /// One entry per relation that exists before the statement and that it locks, sorted by name.
    pub list: Vec<Effect>,
    /// What it waits for beyond ordinary locks.
    pub waits_for: Vec<WaitsFor>,
    /// Why it is certain to be refused. The locks are then those it takes before that; the work is what it would do.
    pub fails: Option<Failure>,
    /// What stays behind if it fails half way.
    pub leaves_behind: Vec<Leftover>,
    /// It may lock relations that the history does not tell: it runs code or changes objects whose members are unknown.
    pub open_ended: bool,
}

/// What a statement that fails half way leaves behind, because it commits before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leftover {
    /// An index that is not valid: it costs writes and serves no query.
    InvalidIndex,
    /// A partition whose detaching is pending, until `DETACH … FINALIZE`.
    PendingDetach,
}

impl Leftover {
    /// In words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidIndex => "invalid index",
            Self::PendingDetach => "pending detach",
        }
    }
}

impl Effects {
    /// The effect on a relation.
    #[must_use]
    pub fn on(&self, relation: &QualifiedName) -> Option<&Effect> {
        self.list.iter().find(|effect| effect.relation == *relation)
    }
}

/// Transactions that a statement waits for although no lock of theirs conflicts with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WaitsFor {
    /// All that hold a snapshot older than its own, anywhere in the database.
    OldSnapshots,
    /// All that wrote the table.
    Writers,
    /// All that use the table in any way.
    Readers,
}

impl WaitsFor {
    /// Words of the JSON format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OldSnapshots => "old snapshots",
            Self::Writers => "writers",
            Self::Readers => "readers",
        }
    }
}

/// A certain refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// SQLSTATE.
    pub sqlstate: &'static str,
    /// In words.
    pub reason: String,
}

/// PostgreSQL's table-level lock modes, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are PostgreSQL's own")]
pub enum LockMode {
    AccessShare,
    RowShare,
    RowExclusive,
    ShareUpdateExclusive,
    Share,
    ShareRowExclusive,
    Exclusive,
    AccessExclusive,
}

impl LockMode {
    /// All of them, weakest first.
    pub const ALL: [Self; 8] = [
        Self::AccessShare,
        Self::RowShare,
        Self::RowExclusive,
        Self::ShareUpdateExclusive,
        Self::Share,
        Self::ShareRowExclusive,
        Self::Exclusive,
        Self::AccessExclusive,
    ];

    /// PostgreSQL's words: `ACCESS EXCLUSIVE`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessShare => "ACCESS SHARE",
            Self::RowShare => "ROW SHARE",
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    /// The same with its article, for sentences: `an ACCESS EXCLUSIVE`, `a SHARE`.
    #[must_use]
    pub fn with_article(self) -> String {
        let word = self.as_str();
        let article = if word.starts_with(['A', 'E']) {
            "an"
        } else {
            "a"
        };
        format!("{article} {word}")
    }

    /// The name `pg_locks.mode` shows: `AccessExclusiveLock`.
    #[must_use]
    pub fn pg_locks_name(self) -> String {
        let words = self.as_str().split(' ').map(|word| {
            let mut word = word.to_ascii_lowercase();
            if let Some(first) = word.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            word
        });
        words.chain(["Lock".to_owned()]).collect()
    }

    /// The mode with PostgreSQL's number 1 to 8.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// True if two sessions cannot hold the two modes on one table at a time.
    #[must_use]
    pub fn conflicts_with(self, other: Self) -> bool {
        use LockMode as L;
        let conflicts: &[L] = match self {
            L::AccessShare => &[L::AccessExclusive],
            L::RowShare => &[L::Exclusive, L::AccessExclusive],
            L::RowExclusive => &[
                L::Share,
                L::ShareRowExclusive,
                L::Exclusive,
                L::AccessExclusive,
            ],
            L::ShareUpdateExclusive => &[
                L::ShareUpdateExclusive,
                L::Share,
                L::ShareRowExclusive,
                L::Exclusive,
                L::AccessExclusive,
            ],
            L::Share => &[
                L::RowExclusive,
                L::ShareUpdateExclusive,
                L::ShareRowExclusive,
                L::Exclusive,
                L::AccessExclusive,
            ],
            L::ShareRowExclusive => &[
                L::RowExclusive,
                L::ShareUpdateExclusive,
                L::Share,
                L::ShareRowExclusive,
                L::Exclusive,
                L::AccessExclusive,
            ],
            L::Exclusive => &L::ALL[1..],
            L::AccessExclusive => &L::ALL,
        };
        conflicts.contains(&other)
    }

    /// True if the mode stops `SELECT`.
    #[must_use]
    pub fn blocks_reads(self) -> bool {
        self.conflicts_with(Self::AccessShare)
    }

    /// True if the mode stops `INSERT`, `UPDATE` and `DELETE`.
    #[must_use]
    pub fn blocks_writes(self) -> bool {
        self.conflicts_with(Self::RowExclusive)
    }
}

/// Work done while a lock is held. Each kind takes time in proportion to the relation's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Work {
    /// The table's rows are read.
    pub scan: bool,
    /// A new table file is written.
    pub rewrite: bool,
    /// An index is built or rebuilt.
    pub index_build: bool,
    /// The files are copied as they are.
    pub file_copy: bool,
}

impl Work {
    /// Catalog changes only.
    pub const NONE: Self = Self {
        scan: false,
        rewrite: false,
        index_build: false,
        file_copy: false,
    };
    /// Reads the rows.
    pub const SCAN: Self = Self {
        scan: true,
        ..Self::NONE
    };
    /// Writes a new file, and all indexes with it.
    pub const REWRITE: Self = Self {
        scan: true,
        rewrite: true,
        index_build: true,
        file_copy: false,
    };
    /// Builds an index.
    pub const INDEX_BUILD: Self = Self {
        scan: true,
        index_build: true,
        ..Self::NONE
    };
    /// Copies the files.
    pub const FILE_COPY: Self = Self {
        file_copy: true,
        ..Self::NONE
    };

    /// True if nothing takes time in proportion to the size.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            scan: self.scan || other.scan,
            rewrite: self.rewrite || other.rewrite,
            index_build: self.index_build || other.index_build,
            file_copy: self.file_copy || other.file_copy,
        }
    }

    /// What takes the longest of it, in one word: a rewrite builds the indexes and reads the rows anyway.
    #[must_use]
    pub fn word(self) -> Option<&'static str> {
        if self.rewrite {
            Some("rewrite")
        } else if self.file_copy {
            Some("file copy")
        } else if self.index_build {
            Some("index build")
        } else if self.scan {
            Some("scan")
        } else {
            None
        }
    }

    /// Words of the JSON format: `scan`, `rewrite`, `index build`, `file copy`.
    #[must_use]
    pub fn words(self) -> Vec<&'static str> {
        [
            (self.scan, "scan"),
            (self.rewrite, "rewrite"),
            (self.index_build, "index build"),
            (self.file_copy, "file copy"),
        ]
        .into_iter()
        .filter_map(|(on, word)| on.then_some(word))
        .collect()
    }
}

/// Kinds of relations that can be locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are PostgreSQL's own")]
pub enum RelationKind {
    Table,
    PartitionedTable,
    ForeignTable,
    Index,
    Sequence,
    View,
    MaterializedView,
}

impl RelationKind {
    /// The word used in outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::PartitionedTable => "partitioned table",
            Self::ForeignTable => "foreign table",
            Self::Index => "index",
            Self::Sequence => "sequence",
            Self::View => "view",
            Self::MaterializedView => "materialized view",
        }
    }
}

/// What one statement does to one relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// The relation.
    pub relation: QualifiedName,
    /// Its kind.
    pub kind: RelationKind,
    /// Strongest mode requested.
    pub lock: LockMode,
    /// Work done while it is held.
    pub work: Work,
    /// How sure that is.
    pub certainty: Certainty,
}

impl Effect {
    /// What other sessions cannot do while the lock is held: any of `reads`, `writes`, `nextval`.
    #[must_use]
    pub fn blocks(&self) -> Vec<&'static str> {
        let mut words = Vec::new();
        match self.kind {
            RelationKind::Sequence => {
                if self.lock.conflicts_with(LockMode::RowExclusive) {
                    words.push("nextval");
                }
            }
            _ => {
                if self.lock.blocks_reads() {
                    words.push("reads");
                }
                if self.lock.blocks_writes() {
                    words.push("writes");
                }
            }
        }
        words
    }
}

#[cfg(test)]
mod tests;
