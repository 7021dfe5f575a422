//! The way back: scripts that run on another schema than the history has for them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fact, Replay};
use crate::effect::{self, Failure, Situation};
use crate::layout::Direction;
use crate::schema::compare::differences;
use crate::schema::{Origin, Schema};
use crate::source::Location;
use crate::statement::Statement;

impl<'h> Replay<'h> {
    /// Runs the statements of a migration on a schema, up to the first one that is certain to be refused.
    pub(crate) fn run_on(
        &self,
        migration: usize,
        schema: &mut Schema,
    ) -> Option<(&'h Statement, Failure)> {
        for step in &self.steps[self.ranges[migration].clone()] {
            let situation = Situation {
                schema,
                postgres: schema.postgres(),
                time_zone: step.moment.time_zone.as_deref(),
                check_function_bodies: step.moment.check_function_bodies,
            };
            if let Some(failure) = effect::effects(step.statement, situation).fails {
                return Some((step.statement, failure));
            }
            let origin = Origin {
                location: Location {
                    source: self.history.migrations[migration].source,
                    span: step.statement.span,
                },
                batch: schema.batch(),
                statement: step.number,
            };
            schema.apply(step.statement, origin);
        }
        None
    }
}

/// Down scripts that lead back only together: tools that make SQL of another language write one migration as several
/// that bear its name, and what undoes one of them stands beside another.
pub(crate) struct BackTogether(pub(crate) BTreeSet<usize>);

impl Fact for BackTogether {
    fn gather(replay: &Replay<'_>) -> Self {
        let migrations = &replay.history.migrations;
        let downs: BTreeMap<usize, usize> = migrations
            .iter()
            .enumerate()
            .filter(|(_, migration)| !migration.incomplete)
            .filter_map(|(index, migration)| Some((migration.pair?, index)))
            .collect();
        let ups: Vec<usize> = (0..migrations.len())
            .filter(|index| migrations[*index].direction == Direction::Up)
            .collect();
        let mut together = BTreeSet::new();
        let one = |a: &usize, b: &usize| {
            let (a, b) = (&migrations[*a], &migrations[*b]);
            !a.description.is_empty() && a.description == b.description
        };
        for parts in ups.chunk_by(one).filter(|parts| parts.len() > 1) {
            let back: Option<Vec<usize>> = parts.iter().map(|up| downs.get(up).copied()).collect();
            if let Some(back) = back
                && leads_back(replay, parts, &back)
            {
                together.extend(back);
            }
        }
        Self(together)
    }
}

/// True if the down scripts, from the last to the first, undo what those migrations do.
fn leads_back(replay: &Replay<'_>, ups: &[usize], downs: &[usize]) -> bool {
    let (Some(first), Some(last)) = (ups.first(), ups.last()) else {
        return false;
    };
    let mut schema = replay.after[*last].clone();
    let refused = downs
        .iter()
        .rev()
        .any(|down| replay.run_on(*down, &mut schema).is_some());
    !refused && differences(&replay.before[*first], &schema).is_empty()
}
