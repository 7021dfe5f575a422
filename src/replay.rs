//! One walk through a history in the order the tool runs it: schema, session and effects at each statement.

mod back;
mod fact;
mod rollback;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::diagnostic::Certainty;
use crate::effect::{self, Effects, Situation};
use crate::footprint::{self, Footprint, Held, Hold};
use crate::layout::{Direction, History, Migration, Send, Session, Unit, Wraps};
use crate::schema::{Origin, Schema};
use crate::session::{self, Carried, Defaults, Moment};
use crate::settings::Settings;
use crate::source::Location;
use crate::sql;
use crate::statement::{Kind, QualifiedName, Statement};

pub(crate) use back::BackTogether;
pub use fact::Fact;
pub(crate) use rollback::At;
use rollback::Past;

/// One statement that runs, with everything known about that moment.
#[derive(Debug)]
pub struct Step<'h> {
    /// Index of its migration in the history.
    pub migration: usize,
    /// The statement.
    pub statement: &'h Statement,
    /// The statement of the file it is in: itself, or the `DO` block around it.
    pub outer: &'h Statement,
    /// Index of the outer statement in its migration.
    pub index: usize,
    /// Number of the outer statement in the history, as that in an [`Origin`].
    pub number: u32,
    /// It stands in a loop of a `DO` block.
    pub looped: bool,
    /// The schema before it.
    pub before: Schema,
    /// What it does.
    pub effects: Effects,
    /// The session.
    pub moment: Moment,
    /// The schema behind it, for those who ask.
    pub(crate) after: OnceLock<Schema>,
}

impl Step<'_> {
    /// Where it runs.
    pub(crate) fn at(&self) -> At<'_> {
        At {
            migration: self.migration,
            index: self.index,
            statement: self.statement,
            nested: self.is_nested(),
            transaction: self.moment.transaction,
            batch: self.before.batch(),
        }
    }

    /// True for a statement inside a `DO` block.
    #[must_use]
    pub fn is_nested(&self) -> bool {
        !std::ptr::eq(self.statement, self.outer)
    }

    /// How sure it is that it runs.
    #[must_use]
    pub fn certainty(&self) -> Certainty {
        if self.statement.conditional || self.outer.conditional {
            Certainty::Possible
        } else {
            Certainty::Certain
        }
    }
}

/// A history that was walked through.
#[derive(Debug)]
pub struct Replay<'h> {
    /// The history.
    pub history: &'h History,
    /// All steps: forward migrations in order, then the down scripts, each against the schema its up script leaves.
    pub steps: Vec<Step<'h>>,
    /// The steps of each migration.
    pub ranges: Vec<Range<usize>>,
    /// The schema before each migration.
    pub before: Vec<Schema>,
    /// The schema behind each migration.
    pub after: Vec<Schema>,
    /// The schema at the end of all forward migrations.
    pub last: Schema,
    /// The transactions in order, with the locks they pile up; together they hold every step.
    pub footprints: Vec<Footprint>,
    /// What rules have gathered from all that.
    facts: fact::Facts,
}

impl Replay<'_> {
    /// A fact about the whole history, gathered when it is asked for the first time.
    pub fn fact<T: Fact>(&self) -> Arc<T> {
        self.facts.get(self)
    }

    /// The steps that run forward, with their indexes: down scripts left out.
    pub fn forward(&self) -> impl DoubleEndedIterator<Item = (usize, &Step<'_>)> {
        let migrations = &self.history.migrations;
        self.steps
            .iter()
            .enumerate()
            .filter(|(_, step)| migrations[step.migration].direction != Direction::Down)
    }

    /// The transaction of a step.
    ///
    /// # Panics
    /// If there is no such step.
    #[must_use]
    pub fn footprint_of(&self, step: usize) -> &Footprint {
        let behind = self
            .footprints
            .partition_point(|footprint| footprint.steps.start <= step);
        &self.footprints[behind - 1]
    }

    /// Locks that earlier steps of the same transaction took and that are in force while a step runs, in the order in
    /// which they were taken.
    pub fn holds_at(&self, step: usize) -> impl Iterator<Item = &Hold> {
        self.footprint_of(step)
            .holds
            .iter()
            .take_while(move |hold| hold.since < step)
            .filter(move |hold| hold.covers(step))
    }

    /// The strongest lock on each relation in use that earlier steps of the same transaction took and that is in force
    /// while a step runs, sorted by relation.
    #[must_use]
    pub fn held_locks(&self, step: usize) -> Vec<Held<'_>> {
        let mut strongest: BTreeMap<&QualifiedName, Held<'_>> = BTreeMap::new();
        for hold in self.holds_at(step).filter(|hold| !hold.fresh) {
            let relation = hold.name_at(step);
            let held = Held {
                relation,
                kind: hold.kind,
                lock: hold.lock,
                certainty: hold.certainty,
                since: &self.steps[hold.since],
            };
            let known = strongest.entry(relation).or_insert(held);
            if known.lock < held.lock {
                *known = held;
            }
        }
        strongest.into_values().collect()
    }
}

/// Walks through a history.
#[must_use]
pub fn replay<'h>(history: &'h History, settings: &Settings) -> Replay<'h> {
    let mut walker = Walker {
        postgres: settings.postgres,
        defaults: defaults(history, settings),
        history,
        steps: Vec::new(),
        statement: 0,
        past: Past::default(),
        carried: Carried::default(),
    };
    let count = history.migrations.len();
    let mut ranges = vec![0..0; count];
    let mut before: Vec<Schema> = vec![Schema::default(); count];
    let mut after: Vec<Schema> = vec![Schema::default(); count];
    let mut schema = Schema::on(settings.postgres);
    let mut batch = 0;
    let mut in_front = true;
    for (index, migration) in history.migrations.iter().enumerate() {
        if migration.direction == Direction::Down || migration.direction == Direction::Baseline {
            continue;
        }
        // With `after` the pending migrations are one change; without, each migration is deployed on its own.
        if settings.after.is_none()
            || !migration.pending
            || batch == 0
            || !walker.last_was_pending(history, index)
        {
            batch += 1;
            schema.begin_batch(batch);
            // Another run of the tool, with a session of its own.
            walker.carried = Carried::default();
        }
        before[index] = schema.clone();
        ranges[index] = walker.migration(index, migration, &mut schema);
        after[index] = schema.clone();
        // A script that runs again and again in front of the migrations prepares their session.
        in_front &= migration.direction == Direction::Repeatable;
        if in_front {
            let (statements, units) = (&migration.statements, &migration.units);
            walker.defaults = session::defaults_behind(statements, units, walker.defaults);
        }
    }
    let last = schema.clone();
    for (index, migration) in history.migrations.iter().enumerate() {
        if migration.direction != Direction::Down && migration.direction != Direction::Baseline {
            continue;
        }
        let mut schema = migration
            .pair
            .map_or_else(|| Schema::on(settings.postgres), |up| after[up].clone());
        batch += 1;
        schema.begin_batch(batch);
        before[index] = schema.clone();
        walker.carried = Carried::default();
        ranges[index] = walker.migration(index, migration, &mut schema);
        after[index] = schema;
    }
    Replay {
        history,
        footprints: footprint::footprints(history, &walker.steps),
        steps: walker.steps,
        ranges,
        before,
        after,
        last,
        facts: fact::Facts::default(),
    }
}

/// Timeouts in force before a migration begins: what the configuration says, else what the tool's own files set.
fn defaults(history: &History, settings: &Settings) -> Defaults {
    let found = &history.found.settings;
    // Alembic's `env.py` runs `SET …`; Flyway's `initSql` is SQL for every new connection.
    let by_name = |name: &str| crate::settings::milliseconds(found.get(&format!("set.{name}"))?);
    let tool = Defaults {
        lock_timeout: by_name("lock_timeout"),
        statement_timeout: by_name("statement_timeout"),
    };
    let tool = match found.get("initSql") {
        Some(sql) => {
            let statements = sql::parse_text(sql).statements;
            let unit = Unit {
                statements: 0..statements.len(),
                send: Send::PerStatement,
                wraps: Wraps::Nothing,
            };
            session::defaults_behind(&statements, &[unit], tool)
        }
        None => tool,
    };
    Defaults {
        lock_timeout: settings.lock_timeout.or(tool.lock_timeout),
        statement_timeout: settings.statement_timeout.or(tool.statement_timeout),
    }
}

struct Walker<'h> {
    postgres: u32,
    history: &'h History,
    past: Past,
    carried: Carried,
    defaults: Defaults,
    steps: Vec<Step<'h>>,
    statement: u32,
}

impl<'h> Walker<'h> {
    fn last_was_pending(&self, history: &History, index: usize) -> bool {
        history.migrations[..index]
            .iter()
            .rev()
            .find(|m| m.direction.is_forward())
            .is_some_and(|m| m.pending)
    }

    fn migration(
        &mut self,
        index: usize,
        migration: &'h Migration,
        schema: &mut Schema,
    ) -> Range<usize> {
        let first = self.steps.len();
        let (moments, carried) = session::moments_behind(
            &migration.statements,
            &migration.units,
            self.defaults,
            std::mem::take(&mut self.carried),
        );
        match self.history.found.layout.runner.session {
            Session::One => self.carried = carried,
            Session::Each => schema.begin_session(),
            Session::Unknown => {}
        }
        for (at, (statement, moment)) in migration.statements.iter().zip(moments).enumerate() {
            let place = Place {
                migration: index,
                index: at,
            };
            self.statement += 1;
            self.step(
                statement, statement, false, &place, &moment, schema, migration,
            );
        }
        first..self.steps.len()
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one recursive walk; a struct would only rename them"
    )]
    fn step(
        &mut self,
        statement: &'h Statement,
        outer: &'h Statement,
        looped: bool,
        place: &Place,
        moment: &Moment,
        schema: &mut Schema,
        migration: &Migration,
    ) {
        let at = At {
            migration: place.migration,
            index: place.index,
            statement,
            nested: !std::ptr::eq(statement, outer),
            transaction: moment.transaction,
            batch: schema.batch(),
        };
        let before = self.steps.last();
        if before.is_none_or(|before| !before.at().goes_on(&at, self.history)) {
            self.past.begin(schema);
        }
        let situation = Situation {
            schema,
            postgres: self.postgres,
            time_zone: moment.time_zone.as_deref(),
            check_function_bodies: moment.check_function_bodies,
        };
        let effects = effect::effects(statement, situation);
        self.steps.push(Step {
            migration: place.migration,
            statement,
            outer,
            index: place.index,
            number: self.statement,
            looped,
            before: schema.clone(),
            effects,
            moment: moment.clone(),
            after: OnceLock::new(),
        });
        let origin = Origin {
            location: Location {
                source: migration.source,
                span: statement.span,
            },
            batch: schema.batch(),
            statement: self.statement,
        };
        schema.apply(statement, origin);
        self.past.behind(&at, schema);
        let mut moment = moment.clone();
        for nested in statement.nested.iter().filter(|nested| nested.runs) {
            self.step(
                &nested.statement,
                outer,
                looped || nested.looped,
                place,
                &moment,
                schema,
                migration,
            );
            if let (Kind::Set(set), false) = (&nested.statement.kind, nested.conditional) {
                moment.behind(set, nested.statement.span, self.defaults);
            }
        }
    }
}

struct Place {
    migration: usize,
    index: usize,
}
