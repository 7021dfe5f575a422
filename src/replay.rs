//! One walk through a history in the order the tool runs it: schema, session and effects at each statement.

use std::ops::Range;

use crate::diagnostic::Certainty;
use crate::effect::{self, Effects, Situation};
use crate::layout::{Direction, History, Migration};
use crate::schema::{Origin, Schema};
use crate::session::{self, Defaults, Moment};
use crate::settings::Settings;
use crate::source::Location;
use crate::statement::Statement;

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
    /// It stands in a loop of a `DO` block.
    pub looped: bool,
    /// The schema before it.
    pub before: Schema,
    /// What it does.
    pub effects: Effects,
    /// The session.
    pub moment: Moment,
}

impl Step<'_> {
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
    /// The schema behind each migration.
    pub after: Vec<Schema>,
    /// The schema at the end of all forward migrations.
    pub last: Schema,
}

/// Walks through a history.
#[must_use]
pub fn replay<'h>(history: &'h History, settings: &Settings) -> Replay<'h> {
    let mut walker = Walker {
        postgres: settings.postgres,
        defaults: Defaults {
            lock_timeout: settings.lock_timeout,
            statement_timeout: settings.statement_timeout,
        },
        steps: Vec::new(),
        statement: 0,
    };
    let count = history.migrations.len();
    let mut ranges = vec![0..0; count];
    let mut after: Vec<Schema> = vec![Schema::default(); count];
    let mut schema = Schema::on(settings.postgres);
    let mut batch = 0;
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
        }
        ranges[index] = walker.migration(index, migration, &mut schema);
        after[index] = schema.clone();
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
        ranges[index] = walker.migration(index, migration, &mut schema);
        after[index] = schema;
    }
    Replay {
        history,
        steps: walker.steps,
        ranges,
        after,
        last,
    }
}

struct Walker<'h> {
    postgres: u32,
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
        let moments = session::moments(&migration.statements, &migration.units, self.defaults);
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
        let situation = Situation {
            schema,
            postgres: self.postgres,
            time_zone: moment.time_zone.as_deref(),
        };
        let effects = effect::effects(statement, situation);
        self.steps.push(Step {
            migration: place.migration,
            statement,
            outer,
            index: place.index,
            looped,
            before: schema.clone(),
            effects,
            moment: moment.clone(),
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
        for nested in statement.nested.iter().filter(|nested| nested.runs) {
            self.step(
                &nested.statement,
                outer,
                looped || nested.looped,
                place,
                moment,
                schema,
                migration,
            );
        }
    }
}

struct Place {
    migration: usize,
    index: usize,
}
