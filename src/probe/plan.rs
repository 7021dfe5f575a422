//! What is about to run on a database.

use std::collections::BTreeMap;

use crate::effect::{LockMode, RelationKind, Work};
use crate::layout::{Direction, Migration};
use crate::replay::{Replay, Step};
use crate::schema::Schema;
use crate::source::{Location, Source};
use crate::statement::QualifiedName;

/// The pending migrations of all projects.
#[derive(Debug, Default)]
pub struct Plan<'a> {
    /// Project by project.
    pub projects: Vec<Planned<'a>>,
    /// The files.
    pub sources: &'a [Source],
}

/// The migrations of one project as they stand on one database.
#[derive(Debug)]
pub struct Planned<'a> {
    /// The replayed files.
    pub replay: &'a Replay<'a>,
    /// Which migrations are about to run, by index.
    pub pending: Vec<bool>,
    /// What the tool's own table says.
    pub state: ToolState,
}

/// What a migration tool's table says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolState {
    /// The tool has no table there: nothing was ever applied.
    Fresh,
    /// It has one.
    Known(Applied),
    /// The tool keeps none that is known, or it cannot be read: why.
    Unknown(super::Unknown),
    /// Nobody asked: the command line says what is pending.
    Given,
}

/// The rows of a migration tool's table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// The table, as shown.
    pub table: String,
    /// Its migrations, in the table's order.
    pub migrations: Vec<Standing>,
    /// Somebody holds the tool's own lock row: who.
    pub locked: Option<String>,
    /// Versions in the table that no file has.
    pub missing: Vec<String>,
    /// Files that are not what they were when they ran, with their versions.
    pub changed: Vec<(Location, String)>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Deserialize)]
pub struct Standing {
    /// Version, or what stands for it.
    pub version: String,
    /// True once it ran to its end.
    pub ok: bool,
    /// How it stands if not: `dirty`, `failed`, `2 of 5 statements applied`.
    #[serde(default)]
    pub trouble: Option<String>,
    /// Checksum, as the tool writes it.
    #[serde(default)]
    pub checksum: Option<String>,
    /// The moment that the tool's journal gives it (Drizzle), in whatever unit.
    #[serde(default)]
    pub moment: Option<i64>,
}

/// A relation that a pending statement locks.
#[derive(Debug, Clone)]
pub struct Target {
    /// The relation.
    pub relation: QualifiedName,
    /// Its kind.
    pub kind: RelationKind,
    /// The strongest lock that a pending statement takes on it.
    pub lock: LockMode,
    /// Work done under it, of all statements.
    pub work: Work,
    /// The statement that takes that lock.
    pub place: Location,
    /// `lock_timeout` in force there, in milliseconds; none if nothing limits the wait.
    pub lock_timeout: Option<u64>,
}

impl<'a> Planned<'a> {
    /// The schema that the applied migrations make; none if one that is not applied stands before one that is.
    #[must_use]
    pub fn applied_schema(&self) -> Option<&'a Schema> {
        let history = self.replay.history;
        let mut last = None;
        let mut open = false;
        for (index, migration) in history.migrations.iter().enumerate() {
            if migration.direction != Direction::Up {
                continue;
            }
            if self.pending[index] {
                open = true;
            } else if open {
                return None;
            } else {
                last = Some(index);
            }
        }
        last.map(|index| &self.replay.after[index])
    }
}

impl<'a> Planned<'a> {
    /// The schema that all migrations make together; none if there is none.
    #[must_use]
    pub fn whole_schema(&self) -> Option<&'a Schema> {
        whole_schema(self.replay)
    }
}

/// The schema that all migrations of a history make together; none if there is none.
#[must_use]
pub fn whole_schema<'a>(replay: &'a Replay<'_>) -> Option<&'a Schema> {
    let migrations = &replay.history.migrations;
    let last = migrations
        .iter()
        .rposition(|migration| migration.direction.is_forward())?;
    replay.after.get(last)
}

impl Target {
    /// True for the relation of that schema and name.
    #[must_use]
    pub fn is(&self, schema: &str, name: &str) -> bool {
        *self.relation.schema == *schema && *self.relation.name == *name
    }
}

impl<'a> Plan<'a> {
    /// The pending statements in the order in which they run, with their places.
    pub fn steps(&self) -> impl Iterator<Item = (&'a Step<'a>, Location)> + '_ {
        self.projects.iter().flat_map(|planned| {
            let history = planned.replay.history;
            planned
                .replay
                .steps
                .iter()
                .filter(|step| {
                    planned.pending[step.migration]
                        && history.migrations[step.migration].direction != Direction::Down
                })
                .map(|step| {
                    let source = history.migrations[step.migration].source;
                    let span = step.statement.span;
                    (step, Location { source, span })
                })
        })
    }

    /// Number of pending migrations.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.projects
            .iter()
            .flat_map(|planned| &planned.pending)
            .filter(|pending| **pending)
            .count()
    }

    /// The pending migrations in the order in which they run, project by project.
    pub fn pending_migrations(&self) -> impl Iterator<Item = &'a Migration> + '_ {
        self.projects.iter().flat_map(|planned| {
            let migrations = planned.replay.history.migrations.iter();
            migrations
                .zip(&planned.pending)
                .filter_map(|(migration, pending)| pending.then_some(migration))
        })
    }

    /// The relations that pending statements lock, sorted by name, with the strongest lock on each.
    #[must_use]
    pub fn targets(&self) -> Vec<Target> {
        let mut targets: BTreeMap<&QualifiedName, Target> = BTreeMap::new();
        for (step, place) in self.steps() {
            for effect in &step.effects.list {
                let new = Target {
                    relation: effect.relation.clone(),
                    kind: effect.kind,
                    lock: effect.lock,
                    work: effect.work,
                    place,
                    lock_timeout: step.moment.lock_timeout.as_ref().map(|t| t.milliseconds),
                };
                targets
                    .entry(&effect.relation)
                    .and_modify(|known| {
                        let work = known.work.and(new.work);
                        if new.lock > known.lock {
                            *known = new.clone();
                        }
                        known.work = work;
                    })
                    .or_insert(new);
            }
        }
        targets.into_values().collect()
    }
}
