//! What `lockgate locks` shows, as plain data: per migration the statements with their locks, the transactions that
//! they stand in, and what each relation goes through.

use std::ops::Range;

use crate::diagnostic::{Certainty, Estimate, FileError, NotAnalysed};
use crate::effect::{
    Effect, Failure, LockMode, RelationKind, Situation, WaitsFor, Work, effects_with_nested,
    refuses_transaction,
};
use crate::estimate::{self, Task};
use crate::footprint::{End, Footprint, Hold, Release};
use crate::layout::{Direction, Migration};
use crate::replay::{Replay, Step};
use crate::schema::Schema;
use crate::session::{Refusal, Timeout, Transaction, TransactionKind};
use crate::settings::Settings;
use crate::snapshot::Snapshot;
use crate::source::{Location, Source, SourceId};
use crate::statement::{Kind, QualifiedName, Subscription};

/// Everything a run of `lockgate locks` has to say; the only thing its formats see.
#[derive(Debug)]
pub struct LocksReport {
    /// The files read, indexed by [`SourceId`].
    pub sources: Vec<Source>,
    /// The migrations asked for, in the order in which they run.
    pub migrations: Vec<MigrationLocks>,
    /// Text that was not understood, sorted by path and place: it may lock anything.
    pub not_analysed: Vec<NotAnalysed>,
    /// Files that could not be read.
    pub errors: Vec<FileError>,
    /// Target major version.
    pub postgres: u32,
}

impl LocksReport {
    /// The file of that id.
    #[must_use]
    pub fn source(&self, id: SourceId) -> &Source {
        &self.sources[id.0 as usize]
    }

    /// The line that a place begins on, from 1.
    #[must_use]
    pub fn line(&self, location: Location) -> u32 {
        self.source(location.source)
            .position(location.span.start)
            .line
    }
}

/// One migration in one direction.
#[derive(Debug)]
pub struct MigrationLocks {
    /// The place that stands for the whole migration.
    pub place: Location,
    /// Version as written; empty if it has none.
    pub version: String,
    /// Direction.
    pub direction: Direction,
    /// Name of the tool's layout.
    pub tool: &'static str,
    /// Its statements in order; those inside a `DO` block follow the block.
    pub rows: Vec<Row>,
    /// Its transactions in order, also those of single statements; together they hold every row.
    pub groups: Vec<Group>,
    /// The worst stops of each relation, in the order in which they begin.
    pub stops: Vec<Stop>,
}

/// One statement.
#[derive(Debug)]
pub struct Row {
    /// Where it stands.
    pub place: Location,
    /// PostgreSQL's command tag; none for text that could not be parsed and may lock anything.
    pub tag: Option<&'static str>,
    /// Its text on one line.
    pub text: String,
    /// It stands inside the `DO` block before it.
    pub inside: bool,
    /// It only steers the session: transactions, settings.
    pub steers: bool,
    /// Its transaction.
    pub transaction: Transaction,
    /// One entry per relation that existed before it and that it locks, sorted by name; for a `DO` block those of the
    /// statements inside it.
    pub effects: Vec<RowEffect>,
    /// What it waits for beyond ordinary locks.
    pub waits_for: Vec<WaitsFor>,
    /// Why it is certain to be refused.
    pub fails: Option<Failure>,
    /// It runs while earlier statements keep others from reading or writing a relation in use.
    pub under_locks: bool,
    /// `lock_timeout` in force.
    pub lock_timeout: Option<Timeout>,
}

/// What a statement does to a relation.
#[derive(Debug)]
pub struct RowEffect {
    /// Lock and work.
    pub effect: Effect,
    /// The relation is new in the same change: nobody waits for it.
    pub fresh: bool,
    /// When the lock is given back.
    pub until: Until,
    /// How long the work takes, where a snapshot tells.
    pub estimate: Option<Estimate>,
}

/// When a lock is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// With the statement.
    Statement,
    /// With the `DO` block around the statement.
    Block,
    /// By a `COMMIT` in the file.
    Commit(Location),
    /// By a `ROLLBACK` in the file, or one to a savepoint.
    Rollback(Location),
    /// By the tool's commit.
    Tool,
    /// By the tool's commit behind the last script of the run.
    Run,
    /// When the message ends.
    Message,
    /// By nothing in the file: `BEGIN` without `COMMIT`, `PREPARE TRANSACTION`.
    Open,
}

/// A transaction, as far as it lies in one migration.
#[derive(Debug)]
pub struct Group {
    /// Who opened it.
    pub kind: TransactionKind,
    /// Its rows.
    pub rows: Range<usize>,
    /// The `BEGIN`, if one in the file opened it.
    pub begin: Option<Location>,
    /// How it ends.
    pub until: Until,
    /// It is the transaction around all scripts of a run.
    pub run: bool,
    /// It was begun for an earlier migration: what is still locked from there, with the statements that locked it.
    pub before: Option<Vec<(QualifiedName, LockMode, Location)>>,
    /// It goes on in the next migration.
    pub goes_on: bool,
}

/// How long others cannot use a relation.
#[derive(Debug)]
pub struct Stop {
    /// The relation.
    pub relation: QualifiedName,
    /// Its kind.
    pub kind: RelationKind,
    /// The statement from which on it cannot be read.
    pub reads: Option<Location>,
    /// The statement from which on it cannot be written; for a sequence, not be used by `nextval`.
    pub writes: Location,
    /// When that ends.
    pub until: Until,
    /// Work done on the relation meanwhile.
    pub work: Work,
    /// Further statements that run meanwhile.
    pub further: usize,
    /// How sure it is.
    pub certainty: Certainty,
}

/// What a replayed project contributes: its migrations that are pending and go the right way.
#[must_use]
pub fn migrations(
    replay: &Replay<'_>,
    settings: &Settings,
    wanted: impl Fn(&Migration) -> bool,
) -> Vec<MigrationLocks> {
    let history = replay.history;
    (0..history.migrations.len())
        .filter(|&index| wanted(&history.migrations[index]))
        .map(|index| migration(replay, index, settings))
        .collect()
}

fn migration(replay: &Replay<'_>, index: usize, settings: &Settings) -> MigrationLocks {
    let migration = &replay.history.migrations[index];
    let range = replay.ranges[index].clone();
    let rows = range
        .clone()
        .map(|step| row(replay, step, settings))
        .collect();
    let mut groups = Vec::new();
    let mut stops = Vec::new();
    let mut step = range.start;
    while step < range.end {
        let footprint = replay.footprint_of(step);
        let end = footprint.steps.end.min(range.end);
        groups.push(group(replay, footprint, step..end, range.start));
        stops.extend(stops_of(replay, footprint, step..end, settings.postgres));
        step = end;
    }
    MigrationLocks {
        place: migration.location(),
        version: migration.version.clone(),
        direction: migration.direction,
        tool: replay.history.found.layout.name,
        rows,
        groups,
        stops: worst(stops),
    }
}

fn location(replay: &Replay<'_>, step: usize) -> Location {
    let step = &replay.steps[step];
    Location {
        source: replay.history.migrations[step.migration].source,
        span: step.statement.span,
    }
}

fn row(replay: &Replay<'_>, index: usize, settings: &Settings) -> Row {
    let step = &replay.steps[index];
    let block = &replay.steps[index..=index + inside(replay, index)];
    let situation = Situation {
        schema: &step.before,
        postgres: settings.postgres,
        time_zone: step.moment.time_zone.as_deref(),
        check_function_bodies: step.moment.check_function_bodies,
    };
    let together = effects_with_nested(step.statement, situation);
    let words: Vec<&str> = step.statement.source.sql.split_whitespace().collect();
    Row {
        place: location(replay, index),
        tag: (!matches!(step.statement.kind, Kind::Unparsed)).then_some(step.statement.tag),
        text: words.join(" "),
        inside: step.is_nested(),
        steers: steers(step),
        transaction: step.moment.transaction,
        effects: effects(replay, index, together.list, settings),
        waits_for: together.waits_for,
        fails: block
            .iter()
            .filter(|step| step.certainty() == Certainty::Certain)
            .find_map(|step| {
                step.effects
                    .fails
                    .clone()
                    .or_else(|| refused(step, settings.postgres))
            }),
        under_locks: replay.holds_at(index).any(stops_others),
        lock_timeout: step.moment.lock_timeout,
    }
}

/// The refusal of a statement that cannot run in a transaction block where it stands.
fn refused(step: &Step<'_>, postgres: u32) -> Option<Failure> {
    let what = refuses_transaction(step.statement, &step.before, postgres)?;
    // Only one that is connected to its publisher is refused, and that is not in the files.
    if matches!(
        step.statement.kind,
        Kind::Subscription(Subscription::Alter { .. } | Subscription::Drop)
    ) {
        return None;
    }
    let place = if step.is_nested() {
        "a DO block"
    } else {
        match step.moment.refusal()? {
            Refusal::Explicit => "the transaction block that is open here",
            Refusal::Runner => "the migration tool's transaction",
            Refusal::Batch => "a message of several statements, which is one transaction",
            Refusal::Pipeline => "a pipeline, unless it is the first statement there",
        }
    };
    Some(Failure {
        sqlstate: "25001",
        reason: format!("{what} cannot run inside {place}"),
    })
}

/// True if others wait for what the lock covers.
fn stops_others(hold: &Hold) -> bool {
    !hold.fresh && hold.lock.blocks_writes()
}

/// Number of steps inside the block that a step is.
fn inside(replay: &Replay<'_>, index: usize) -> usize {
    let step = &replay.steps[index];
    replay.steps[index + 1..]
        .iter()
        .take_while(|inner| !step.is_nested() && std::ptr::eq(inner.outer, step.outer))
        .count()
}

/// The effects of a statement with when its locks are given back.
fn effects(
    replay: &Replay<'_>,
    index: usize,
    list: Vec<Effect>,
    settings: &Settings,
) -> Vec<RowEffect> {
    let block = index..=index + inside(replay, index);
    list.into_iter()
        .map(|mut effect| {
            effect.certainty = effect.certainty.min(replay.steps[index].certainty());
            let takes = |at: &usize| {
                let found = replay.steps[*at].effects.on(&effect.relation);
                found.is_some_and(|found| found.lock == effect.lock)
            };
            let at = block.clone().find(takes).unwrap_or(index);
            let fresh = replay.steps[at].before.is_fresh(&effect.relation);
            let before = &replay.steps[index].before;
            let estimate = settings
                .stats
                .as_deref()
                .filter(|_| !fresh)
                .and_then(|snapshot| estimated(&effect, snapshot, before, settings));
            RowEffect {
                fresh,
                until: until_of(replay, at, &effect.relation),
                estimate,
                effect,
            }
        })
        .collect()
}

/// How long the work of an effect takes on the table of the snapshot.
fn estimated(
    effect: &Effect,
    snapshot: &Snapshot,
    schema: &Schema,
    settings: &Settings,
) -> Option<Estimate> {
    let relation = &effect.relation;
    let size = estimate::size_of(snapshot, schema, relation).filter(|_| !effect.work.is_none())?;
    let task = Task::Work(effect.work);
    Some(estimate::estimate(relation, task, size, &settings.sizing))
}

/// When the lock that a step takes on a relation, or that is held already, is given back.
fn until_of(replay: &Replay<'_>, step: usize, relation: &QualifiedName) -> Until {
    let footprint = replay.footprint_of(step);
    let hold = footprint
        .holds
        .iter()
        .rev()
        .find(|hold| hold.since <= step && step < hold.until && hold.name_at(step) == relation);
    hold.map_or(Until::Statement, |hold| {
        until(replay, footprint, hold.release)
    })
}

fn until(replay: &Replay<'_>, footprint: &Footprint, release: Release) -> Until {
    match release {
        Release::Savepoint(step) => Until::Rollback(location(replay, step)),
        Release::Block(step) => Until::Commit(location(replay, step)),
        Release::End => match footprint.end {
            End::Statement if footprint.steps.len() > 1 => Until::Block,
            End::Statement => Until::Statement,
            End::Commit(step) => Until::Commit(location(replay, step)),
            End::Rollback(step) => Until::Rollback(location(replay, step)),
            End::Tool => Until::Tool,
            End::Run => Until::Run,
            End::Message => Until::Message,
            End::Open | End::Prepared(_) => Until::Open,
        },
    }
}

/// The part of a transaction that lies in one migration.
fn group(
    replay: &Replay<'_>,
    footprint: &Footprint,
    steps: Range<usize>,
    first_row: usize,
) -> Group {
    let begun_before = footprint.steps.start < steps.start;
    let before = footprint
        .holds
        .iter()
        .filter(|hold| hold.covers(steps.start) && stops_others(hold))
        .map(|hold| {
            let name = hold.name_at(steps.start).clone();
            (name, hold.lock, location(replay, hold.since))
        })
        .collect();
    let begins = |step: &usize| {
        matches!(
            replay.steps[*step].statement.kind,
            Kind::Transaction(crate::statement::Transaction::Begin)
        )
    };
    Group {
        kind: footprint.kind,
        rows: steps.start - first_row..steps.end - first_row,
        begin: steps
            .clone()
            .find(begins)
            .filter(|_| footprint.kind == TransactionKind::Explicit)
            .map(|step| location(replay, step)),
        until: until(replay, footprint, Release::End),
        run: footprint.run,
        before: begun_before.then_some(before),
        goes_on: steps.end < footprint.steps.end,
    }
}

/// The stops that the statements of a migration begin in one transaction.
fn stops_of(
    replay: &Replay<'_>,
    footprint: &Footprint,
    steps: Range<usize>,
    postgres: u32,
) -> Vec<Stop> {
    let mut stops: Vec<(Stop, Range<usize>)> = Vec::new();
    for hold in &footprint.holds {
        if !steps.contains(&hold.since) || !stops_others(hold) {
            continue;
        }
        let place = location(replay, hold.since);
        let reads = hold.lock.blocks_reads() && hold.kind != RelationKind::Sequence;
        let known = stops.iter_mut().find(|(stop, range)| {
            stop.relation == *hold.name_at(hold.since) && range.contains(&hold.since)
        });
        match known {
            // A stronger mode in the same transaction.
            Some((stop, range)) => {
                if reads && stop.reads.is_none() {
                    stop.reads = Some(place);
                }
                range.end = range.end.max(hold.until);
                stop.certainty = stop.certainty.max(hold.certainty);
            }
            None => stops.push((
                Stop {
                    relation: hold.relation.clone(),
                    kind: hold.kind,
                    reads: reads.then_some(place),
                    writes: place,
                    until: until(replay, footprint, hold.release),
                    work: Work::NONE,
                    further: 0,
                    certainty: hold.certainty,
                },
                hold.since..hold.until,
            )),
        }
    }
    stops
        .into_iter()
        .map(|(mut stop, range)| {
            for step in &replay.steps[range.clone()] {
                // One that is refused comes to no work.
                if let Some(effect) = step.effects.on(&stop.relation)
                    && step.effects.fails.is_none()
                    && refused(step, postgres).is_none()
                {
                    stop.work = stop.work.and(effect.work);
                }
            }
            stop.further = further(&replay.steps[range]);
            stop
        })
        .collect()
}

/// Statements behind the first one that do something; those of a block count one by one.
fn further(steps: &[Step<'_>]) -> usize {
    let counts = |at: &usize| {
        let step = &steps[*at];
        let is_block = !step.is_nested() && steps.get(at + 1).is_some_and(Step::is_nested);
        !is_block && !steers(step)
    };
    (1..steps.len()).filter(counts).count()
}

/// True for a statement that only steers the session: transactions, settings.
fn steers(step: &Step<'_>) -> bool {
    matches!(step.statement.kind, Kind::Transaction(_) | Kind::Set(_))
}

/// The stops of each relation that none other is worse than, in the order in which they begin.
fn worst(stops: Vec<Stop>) -> Vec<Stop> {
    let mut worst: Vec<Stop> = Vec::new();
    for stop in stops {
        if worst.iter().any(|known| covers(known, &stop)) {
            continue;
        }
        worst.retain(|known| !covers(&stop, known));
        worst.push(stop);
    }
    worst
}

/// True if a stop is as bad as the other one in every way.
fn covers(stop: &Stop, other: &Stop) -> bool {
    stop.relation == other.relation
        && stop.certainty >= other.certainty
        && (stop.reads.is_some() || other.reads.is_none())
        && (!stop.work.is_none() || other.work.is_none())
        && (stop.further > 0 || other.further == 0)
}
