//! How large a table is in production, and how long work on it takes: the numbers of a [`Snapshot`] applied to what a
//! statement does.
//!
//! A rule reports work on tables; nothing here knows a rule. Rates are ranges, wide on purpose: they reach from a
//! loaded server with cold disks to an idle one with the table in memory. Measured on PostgreSQL 13 and 18 with
//! 2 000 000 rows (268 MB, warm): reading 480 to 1200 MB/s, one index 140 to 340 MB/s, a rewrite with two indexes 32 to
//! 90 MB/s, UPDATE of every row with two indexes 100 000 to 210 000 rows/s. The lower ends below are a third to a fifth
//! of that.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Estimate, Level};
use crate::effect::{Effect, Work};
use crate::schema::Schema;
use crate::settings::Sizing;
use crate::snapshot::{Relation, Snapshot};
use crate::statement::QualifiedName;

/// How large a table is. The borders are those of [`Sizing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Work on it is over before anyone waits.
    Tiny,
    /// Seconds.
    Small,
    /// From a million rows: low traffic wanted.
    Medium,
    /// From ten million: a maintenance window.
    Large,
    /// From a hundred million: a window of its own.
    Huge,
}

impl Class {
    /// The word used in outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tiny => "tiny",
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
            Self::Huge => "huge",
        }
    }
}

/// What a snapshot says about a table, with its partitions.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Size {
    /// Rows.
    pub rows: u64,
    /// Bytes of the table with its TOAST table, without indexes.
    pub bytes: u64,
    /// Bytes of its indexes.
    pub index_bytes: u64,
    /// Rows written per second; none if the snapshot does not tell.
    pub writes_per_second: Option<f64>,
}

impl Size {
    /// Both together.
    fn and(self, other: Self) -> Self {
        Self {
            rows: self.rows.saturating_add(other.rows),
            bytes: self.bytes.saturating_add(other.bytes),
            index_bytes: self.index_bytes.saturating_add(other.index_bytes),
            writes_per_second: match (self.writes_per_second, other.writes_per_second) {
                (Some(one), Some(other)) => Some(one + other),
                (one, other) => one.or(other),
            },
        }
    }
}

/// Bytes of a row where only one of rows and bytes is known.
const ROW_BYTES: u64 = 150;
/// Partitions below partitions are followed through so many tables.
const MOST_LEAVES: usize = 100_000;

/// The size of a table. A partitioned table has that of its leaves, as the snapshot links them, else as the schema does.
#[must_use]
pub fn size_of(snapshot: &Snapshot, schema: &Schema, table: &QualifiedName) -> Option<Size> {
    let mut names: Vec<(String, String)> = vec![(table.schema.to_string(), table.name.to_string())];
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    let descendants = schema.descendants(table);
    let below = descendants
        .iter()
        .filter(|below| below.partition.is_some())
        .map(|below| (below.name.schema.to_string(), below.name.name.to_string()));
    names.extend(below);
    let mut size: Option<Size> = None;
    let seconds = snapshot.counted_seconds();
    while let Some(name) = names.pop() {
        if seen.len() >= MOST_LEAVES || !seen.insert(name.clone()) {
            continue;
        }
        let children = snapshot.relations.iter().filter(|relation| {
            relation
                .partition_of
                .as_ref()
                .is_some_and(|parent| parent.schema == name.0 && parent.name == name.1)
        });
        names.extend(children.map(|child| (child.schema.clone(), child.name.clone())));
        if let Some(relation) = snapshot.relation(&name.0, &name.1)
            && let Some((rows, bytes)) = rows_and_bytes(relation)
        {
            let writes_per_second = relation
                .activity
                .zip(seconds)
                .map(|(activity, seconds)| approximate(activity.writes()) / approximate(seconds));
            let own = Size {
                rows,
                bytes,
                index_bytes: relation.index_bytes.unwrap_or_default(),
                writes_per_second,
            };
            size = Some(size.map_or(own, |size| size.and(own)));
        }
    }
    size
}

/// Rows and bytes without indexes, one from the other where the snapshot has only one.
fn rows_and_bytes(relation: &Relation) -> Option<(u64, u64)> {
    let total = relation.total_bytes.map(|total| {
        let indexes = relation.index_bytes.unwrap_or_default();
        total.saturating_sub(indexes)
    });
    let bytes = total.or(relation.bytes);
    match (relation.rows, bytes) {
        (Some(rows), Some(bytes)) => Some((rows, bytes)),
        (Some(rows), None) => Some((rows, rows.saturating_mul(ROW_BYTES))),
        (None, Some(bytes)) => Some((bytes / ROW_BYTES, bytes)),
        (None, None) => None,
    }
}

/// The class of a size. A table of few wide rows counts by its bytes.
#[must_use]
pub fn class(size: Size, sizing: &Sizing) -> Class {
    let rows = size.rows.max(size.bytes / 1_000);
    match rows {
        _ if rows >= sizing.huge => Class::Huge,
        _ if rows >= sizing.large => Class::Large,
        _ if rows >= sizing.medium => Class::Medium,
        _ if rows >= sizing.small => Class::Small,
        _ => Class::Tiny,
    }
}

/// What a size is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Work of a command.
    Work(Work),
    /// The rows are changed one by one.
    Change,
}

/// A rate: units per second, slow and fast, and the words for it.
struct Rate {
    units: u64,
    slow: f64,
    fast: f64,
    words: &'static str,
}

fn rate(task: Task, size: Size) -> Rate {
    let mega = 1_000_000;
    match task {
        Task::Change => Rate {
            units: size.rows,
            slow: 10_000.0,
            fast: 200_000.0,
            words: "10,000 to 200,000 changed rows/s",
        },
        Task::Work(work) if work.rewrite => Rate {
            units: size.bytes.saturating_add(size.index_bytes) / mega,
            slow: 10.0,
            fast: 100.0,
            words: "10 to 100 MB/s rewritten",
        },
        Task::Work(work) if work.index_build => Rate {
            units: size.bytes / mega,
            slow: 30.0,
            fast: 300.0,
            words: "30 to 300 MB/s of table for an index",
        },
        Task::Work(work) if work.file_copy => Rate {
            units: size.bytes.saturating_add(size.index_bytes) / mega,
            slow: 50.0,
            fast: 500.0,
            words: "50 to 500 MB/s copied",
        },
        Task::Work(_) => Rate {
            units: size.bytes / mega,
            slow: 100.0,
            fast: 1_000.0,
            words: "100 to 1000 MB/s read",
        },
    }
}

/// How long a task takes on a table of that size.
#[must_use]
pub fn estimate(table: &QualifiedName, task: Task, size: Size, sizing: &Sizing) -> Estimate {
    let rate = rate(task, size);
    let units = approximate(rate.units);
    Estimate {
        relation: table.clone(),
        rows: size.rows,
        bytes: size.bytes,
        class: class(size, sizing),
        seconds: (units / rate.fast, units / rate.slow),
        assumes: rate.words,
    }
}

/// The estimate of whatever takes longest of the work that a statement does while others wait for it. Partitions count
/// for their partitioned table, which is locked until the last of them is done.
#[must_use]
pub fn longest<'e>(
    effects: impl IntoIterator<Item = &'e Effect>,
    snapshot: &Snapshot,
    schema: &Schema,
    sizing: &Sizing,
) -> Option<Estimate> {
    let mut tables: BTreeMap<QualifiedName, (Work, BTreeSet<&QualifiedName>)> = BTreeMap::new();
    let effects = effects
        .into_iter()
        .filter(|effect| !effect.blocks().is_empty() && !effect.work.is_none())
        .filter(|effect| !schema.is_fresh(&effect.relation));
    for effect in effects {
        let whole = tables.entry(root(schema, &effect.relation)).or_default();
        whole.0 = whole.0.and(effect.work);
        whole.1.insert(&effect.relation);
    }
    let mut longest: Option<Estimate> = None;
    for (table, (work, parts)) in tables {
        let size = if parts.contains(&table) {
            size_of(snapshot, schema, &table)
        } else {
            parts
                .iter()
                .filter_map(|part| size_of(snapshot, schema, part))
                .reduce(Size::and)
        };
        let Some(size) = size else { continue };
        let found = estimate(&table, Task::Work(work), size, sizing);
        if longest
            .as_ref()
            .is_none_or(|known| known.seconds.1 < found.seconds.1)
        {
            longest = Some(found);
        }
    }
    longest
}

/// The partitioned table at the top, or the table itself.
fn root(schema: &Schema, table: &QualifiedName) -> QualifiedName {
    // Partitions of partitions go a few levels deep; a circle cannot be, and would end here.
    const DEEPEST: usize = 32;
    let mut name = table;
    for _ in 0..DEEPEST {
        match schema
            .table_at(name)
            .and_then(|table| table.partition.as_ref())
        {
            Some(partition) => name = &partition.parent,
            None => break,
        }
    }
    name.clone()
}

/// The level of a finding about work on a table: a tiny one is no news, a large one an error.
#[must_use]
pub fn level_of_work(level: Level, class: Class, busy: bool) -> Level {
    match class {
        Class::Tiny if busy => level.min(Level::Warning),
        Class::Tiny => Level::Info,
        Class::Small => level.min(Level::Warning),
        Class::Medium => level,
        Class::Large | Class::Huge => match level {
            Level::Info => Level::Info,
            Level::Warning | Level::Error => Level::Error,
        },
    }
}

/// The level of a finding about waiting for a lock: on a table written all the time a warning becomes an error.
#[must_use]
pub fn level_of_lock(level: Level, busy: bool) -> Level {
    match (level, busy) {
        (Level::Warning, true) => Level::Error,
        (level, _) => level,
    }
}

/// True for a table written so often that a queue of seconds hurts.
#[must_use]
pub fn is_busy(size: Size, sizing: &Sizing) -> bool {
    size.writes_per_second
        .is_some_and(|writes| writes >= approximate(sizing.busy))
}

/// A count as a float; the digits lost do not matter to an estimate.
#[expect(clippy::cast_precision_loss, reason = "an estimate has two digits")]
fn approximate(count: u64) -> f64 {
    count as f64
}

/// `120 rows, 20 kB: less than a second`, `12 million rows, 4 GB: about 13 s to 2 min`.
#[must_use]
pub fn in_words(estimate: &Estimate) -> String {
    let (rows, bytes) = (count(estimate.rows), bytes(estimate.bytes));
    let about = match estimate.seconds.1 {
        slow if slow < 1.0 => "",
        _ => "about ",
    };
    format!("{rows} rows, {bytes}: {about}{}", time(estimate))
}

/// `less than a second`, `13 s to 2 min`.
#[must_use]
pub fn time(estimate: &Estimate) -> String {
    let (fast, slow) = estimate.seconds;
    if slow < 1.0 {
        return "less than a second".to_owned();
    }
    let (fast, slow) = (duration(fast), duration(slow));
    if fast == slow {
        slow
    } else {
        format!("{fast} to {slow}")
    }
}

/// `950`, `12 thousand`, `3.4 million`.
#[must_use]
pub fn count(number: u64) -> String {
    scaled(
        number,
        &[
            (1_000_000_000, " billion"),
            (1_000_000, " million"),
            (10_000, " thousand"),
        ],
        "",
    )
}

/// `950 bytes`, `12 kB`, `3.4 GB`, in powers of ten.
#[must_use]
pub fn bytes(number: u64) -> String {
    scaled(
        number,
        &[
            (1_000_000_000_000, " TB"),
            (1_000_000_000, " GB"),
            (1_000_000, " MB"),
            (1_000, " kB"),
        ],
        " bytes",
    )
}

fn scaled(number: u64, units: &[(u64, &str)], plain: &str) -> String {
    for (unit, word) in units {
        if number >= *unit {
            // From ten thousand on thousands are counted.
            let unit = if *unit == 10_000 { 1_000 } else { *unit };
            let tenths = number / (unit / 10);
            return if tenths >= 100 || tenths.is_multiple_of(10) {
                format!("{}{word}", tenths / 10)
            } else {
                format!("{}.{}{word}", tenths / 10, tenths % 10)
            };
        }
    }
    format!("{number}{plain}")
}

/// `1 s`, `40 s`, `7 min`, `3 h`, `2 days`: two digits at most, rounded up.
#[must_use]
pub fn duration(seconds: f64) -> String {
    let (number, unit) = if seconds < 90.0 {
        (seconds.max(1.0), "s")
    } else if seconds < 5_400.0 {
        (seconds / 60.0, "min")
    } else if seconds < 172_800.0 {
        (seconds / 3_600.0, "h")
    } else {
        (seconds / 86_400.0, "days")
    };
    format!("{number:.0} {unit}")
}

#[cfg(test)]
mod tests;
