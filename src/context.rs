//! What a rule may ask.

mod edit;
mod remedy;
mod words;

pub use self::words::{StringConstant, bare_words};

use crate::diagnostic::{Certainty, Diagnostic, Estimate, Level, with_steps};
use crate::effect::{self, Effect, Effects, LockMode, Work};
use crate::estimate::{self, Size, Task};
use crate::footprint::{Footprint, Held};
use crate::layout::{
    Direction, History, Layout, Migration, Problem, ProblemKind, Runner, Send, Session,
};
use crate::markers::Markers;
use crate::replay::{BackTogether, Fact, Replay, Step};
use crate::rule::{Finding, On, Options, Rule, Scale};
use crate::schema::{Origin, Presence, Relation, Schema, TableKind};
use crate::session::{Moment, Refusal};
use crate::settings::{OptionValue, Settings};
use crate::source::{Location, Source, SourceId, Span};
use crate::statement::{
    AddColumn, AlterAction, AlterTable, ConstraintDef, Ident, Kind, Name, QualifiedName, Statement,
};
use crate::suppress;

/// The world of one rule at one statement, migration or history.
pub struct Cx<'a> {
    pub(crate) rule: &'static Rule,
    pub(crate) settings: &'a Settings,
    pub(crate) replay: &'a Replay<'a>,
    /// Index of the migration, for rules on statements and migrations.
    pub(crate) migration: Option<usize>,
    /// Index of the step, for rules on statements.
    pub(crate) step: Option<usize>,
    /// Options of the rule as configured for the file.
    pub(crate) options: &'a std::collections::BTreeMap<String, OptionValue>,
    /// Problems of suppression comments in the history's files.
    pub(crate) suppressions: &'a [suppress::Problem],
    /// What each migration of the history says about itself.
    pub(crate) markers: &'a [Markers],
    /// What sign-offs of each migration are bound to; empty where none are asked for.
    pub(crate) digests: &'a [String],
    /// All files; rules see those of the application.
    pub(crate) sources: &'a [Source],
    pub(crate) code: &'a [SourceId],
    pub(crate) found: Vec<Diagnostic>,
}

impl<'a> Cx<'a> {
    /// Reports a finding.
    ///
    /// A finding about a table that is new in the same change is dropped if the rule is about existing ones. One about a
    /// statement that may not run is a possible one at most.
    pub fn report(&mut self, finding: Finding) {
        let mut certainty = finding.certainty;
        if let Some(step) = self.current() {
            if self.rule.on == On::Existing
                && let Some(table) = &finding.table
                && (self.is_new(table) || self.goes_with_down(table))
            {
                return;
            }
            certainty = certainty.min(step.certainty());
        }
        let migration = self
            .migration
            .map(|index| &self.replay.history.migrations[index]);
        let primary = finding.source.unwrap_or_else(|| match migration {
            Some(migration) => Location {
                source: migration.source,
                span: finding.span,
            },
            None => Location {
                source: self.first_source(),
                span: finding.span,
            },
        });
        // The engine puts the configured level here; a rule's own one stands until then.
        let level = finding
            .level
            .or(self.rule.level_in(self.settings.environment))
            .unwrap_or(Level::Warning);
        let (level, estimate) = self.weighed(&finding, level);
        let message = match &estimate {
            Some(estimate) => format!("{}; {}", finding.message, estimate::in_words(estimate)),
            None => finding.message,
        };
        self.found.push(Diagnostic {
            rule: self.rule.id,
            level,
            certainty,
            message,
            primary,
            labels: finding.labels,
            help: match (finding.help, self.missing_in_snapshot(&finding.effects)) {
                (Some(help), Some(table)) => Some(format!(
                    "{help} (`{table}` is not in the snapshot: how long this takes stays unknown)"
                )),
                (help, _) => help,
            }
            .map(|help| with_steps(&help, &finding.steps)),
            steps: finding.steps,
            fix: finding.fix,
            effects: finding.effects,
            object: finding.table.as_ref().map(|table| self.resolve(table)),
            estimate,
            migration: migration
                .map(|migration| migration.version.clone())
                .filter(|version| !version.is_empty()),
            direction: migration.map(|migration| migration.direction.as_str()),
            fingerprint: String::new(),
            subject: self.current().map(|step| step.outer.span),
        });
    }

    /// The level that a finding has on tables of the size and activity that the snapshot knows, with the estimate.
    fn weighed(&self, finding: &Finding, level: Level) -> (Level, Option<Estimate>) {
        let Some(snapshot) = self.settings.stats.as_deref() else {
            return (level, None);
        };
        let sizing = &self.settings.sizing;
        let schema = self.before();
        let size = |table: &QualifiedName| estimate::size_of(snapshot, schema, table);
        let busy =
            |table: &QualifiedName| size(table).is_some_and(|size| estimate::is_busy(size, sizing));
        let estimate = match self.rule.size {
            Scale::None => None,
            Scale::Lock => {
                let is_busy = finding.effects.iter().any(|effect| busy(&effect.relation));
                return (estimate::level_of_lock(level, is_busy), None);
            }
            Scale::Work => estimate::longest(&finding.effects, snapshot, schema, sizing),
            Scale::Rows => finding.table.as_ref().and_then(|table| {
                let table = self.resolve(table);
                let size = size(&table)?;
                Some(estimate::estimate(&table, Task::Change, size, sizing))
            }),
        };
        match estimate {
            None => (level, None),
            Some(found) => {
                let level = estimate::level_of_work(level, found.class, busy(&found.relation));
                (level, Some(found))
            }
        }
    }

    /// The first table with work that others wait for, if a snapshot is there and knows none of those tables.
    fn missing_in_snapshot(&self, effects: &[Effect]) -> Option<String> {
        let snapshot = self.settings.stats.as_deref()?;
        let schema = self.before();
        let works = |effect: &&Effect| !effect.blocks().is_empty() && !effect.work.is_none();
        let mut tables = effects.iter().filter(works).map(|effect| &effect.relation);
        let known = |table| estimate::size_of(snapshot, schema, table).is_some();
        if self.rule.size != Scale::Work || tables.clone().any(known) {
            return None;
        }
        tables.next().map(|table| table.short())
    }

    /// What the production snapshot says about a table; none without a snapshot and for tables that are not in it.
    #[must_use]
    pub fn size_of(&self, table: &QualifiedName) -> Option<Size> {
        let snapshot = self.settings.stats.as_deref()?;
        estimate::size_of(snapshot, self.before(), table)
    }

    fn first_source(&self) -> crate::source::SourceId {
        self.replay
            .history
            .migrations
            .first()
            .map_or(crate::source::SourceId(0), |migration| migration.source)
    }

    fn current(&self) -> Option<&'a Step<'a>> {
        self.step.map(|index| &self.replay.steps[index])
    }

    /// The current step.
    ///
    /// # Panics
    /// In a rule that is not about statements; the engine turns it into a finding that names the rule.
    #[must_use]
    pub fn step(&self) -> &'a Step<'a> {
        self.current()
            .expect("only rules on statements ask for the step")
    }

    /// Target major of PostgreSQL.
    #[must_use]
    pub fn postgres(&self) -> u32 {
        self.settings.postgres
    }

    /// The settings of the run.
    #[must_use]
    pub fn settings(&self) -> &'a Settings {
        self.settings
    }

    /// The history.
    #[must_use]
    pub fn history(&self) -> &'a History {
        self.replay.history
    }

    /// The migration being checked.
    ///
    /// # Panics
    /// In a rule about the whole history.
    #[must_use]
    pub fn migration(&self) -> &'a Migration {
        &self.replay.history.migrations[self
            .migration
            .expect("rules on the history have no migration")]
    }

    /// What the comments of the migration being checked say about it, in its up and its down script.
    ///
    /// # Panics
    /// In a rule about the whole history.
    #[must_use]
    pub fn markers(&self) -> &'a Markers {
        let index = self.migration;
        self.markers_of(index.expect("rules on the history have no migration"))
    }

    /// What the comments of a migration of the history say about it, in its up and its down script.
    #[must_use]
    pub fn markers_of(&self, migration: usize) -> &'a Markers {
        &self.markers[migration]
    }

    /// The hash that sign-offs of the migration being checked are bound to; none where none are asked for.
    #[must_use]
    pub fn digest(&self) -> Option<&'a str> {
        self.digests.get(self.migration?).map(String::as_str)
    }

    /// The sources of the application that the configuration names.
    pub fn code(&self) -> impl Iterator<Item = &'a Source> + use<'a> {
        let sources = self.sources;
        self.code.iter().filter_map(|id| sources.get(id.0 as usize))
    }

    /// The tool.
    #[must_use]
    pub fn layout(&self) -> &'static Layout {
        self.replay.history.found.layout
    }

    /// How the tool runs scripts.
    #[must_use]
    pub fn runner(&self) -> &'static Runner {
        &self.layout().runner
    }

    /// The schema before the statement (for rules on migrations: at the end of the history).
    #[must_use]
    pub fn before(&self) -> &'a Schema {
        self.current()
            .map_or(&self.replay.last, |step| &step.before)
    }

    /// The schema behind the migration.
    #[must_use]
    pub fn after_migration(&self) -> &'a Schema {
        self.migration
            .map_or(&self.replay.last, |index| &self.replay.after[index])
    }

    /// The schema before a migration of the history. For a down script that is the schema behind its up script.
    #[must_use]
    pub fn schema_before(&self, migration: usize) -> &'a Schema {
        &self.replay.before[migration]
    }

    /// The first of a migration's statements that is certain to be refused on a schema, and why.
    #[must_use]
    pub fn first_refused(
        &self,
        migration: usize,
        schema: &Schema,
    ) -> Option<(&'a Statement, effect::Failure)> {
        self.replay.run_on(migration, &mut schema.clone())
    }

    /// True for a down script that leads back together with others, being one of several parts of one migration.
    #[must_use]
    pub fn leads_back_with_others(&self) -> bool {
        let together = self.fact::<BackTogether>();
        self.migration
            .is_some_and(|index| together.0.contains(&index))
    }

    /// The schema at the end of the history.
    #[must_use]
    pub fn at_the_end(&self) -> &'a Schema {
        &self.replay.last
    }

    /// What the statement does.
    #[must_use]
    pub fn effects(&self) -> &'a Effects {
        &self.step().effects
    }

    /// What the statement does to a relation.
    #[must_use]
    pub fn effect_on(&self, name: &Name) -> Option<&'a Effect> {
        self.effects().on(&self.before().resolve(name))
    }

    /// The session at the statement.
    #[must_use]
    pub fn moment(&self) -> &'a Moment {
        &self.step().moment
    }

    /// Why a statement here that refuses a transaction block would fail, if it would. Inside of a `DO` block it always
    /// does; that is said by `is_nested`.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        self.moment().refusal()
    }

    /// The schema behind the statement, without what statements inside it do.
    #[must_use]
    pub fn after(&self) -> &'a Schema {
        let step = self.step();
        step.after.get_or_init(|| {
            let origin = Origin {
                location: self.location_of(step),
                batch: step.before.batch(),
                statement: step.number,
            };
            let mut schema = step.before.clone();
            schema.apply(step.statement, origin);
            schema
        })
    }

    /// Lock and work of one sub-command of the current `ALTER TABLE`.
    #[must_use]
    pub fn work_of(&self, alter: &AlterTable, action: &AlterAction) -> (LockMode, Work) {
        let time_zone = self.moment().time_zone.as_deref();
        let (lock, work, _) =
            effect::alter::action_work(action, alter, self.before(), self.postgres(), time_zone);
        (lock, work)
    }

    /// The name that a constraint has once the statement has added it to the table: the one PostgreSQL chooses if none
    /// is written. None if the schema does not take the constraint up.
    #[must_use]
    pub fn added_name(&self, table: &Name, def: &ConstraintDef) -> Option<Ident> {
        if def.name.is_some() {
            return def.name.clone();
        }
        let after = self.after();
        let constraint =
            after.table(table)?.constraints.iter().find(|constraint| {
                constraint.def.span == def.span && constraint.def.name.is_none()
            })?;
        Some(Ident::new(constraint.name.clone(), def.span))
    }

    /// What to do so that a statement which refuses a transaction block can run in place of the current one: none if
    /// it could as it stands. The statement asked about may be another one than the current one, such as its concurrent
    /// form.
    #[must_use]
    pub fn way_out_for(&self, wanted: &Statement) -> Option<String> {
        let step = self.step();
        let runner = self.runner();
        let nested = matches!(step.outer.kind, Kind::Do) && step.is_nested();
        let alone = runner.sets_apart.map(|sets_apart| sets_apart.alone);
        let by_itself = runner
            .leaves_transaction_for
            .or(alone)
            .is_some_and(|leaves| leaves(wanted));
        let place = match self.refusal() {
            None if self.moment().message.send == Send::Unknown => runner.way_out.to_owned(),
            None if nested => return Some("a DO block cannot run it".to_owned()),
            None => return None,
            Some(_) if by_itself => format!(
                "put it in a migration of its own without BEGIN, which {} runs outside of a transaction",
                self.layout().name
            ),
            Some(_) => runner.way_out.to_owned(),
        };
        Some(if nested {
            format!("a DO block cannot run it: {place}")
        } else {
            place
        })
    }

    /// What is known about a table before the statement.
    #[must_use]
    pub fn presence(&self, name: &Name) -> Presence<'a> {
        self.before().presence(name)
    }

    /// True if the relation was made by the same change and holds no rows worth counting, or is temporary.
    #[must_use]
    pub fn is_new(&self, name: &Name) -> bool {
        let schema = self.before();
        name.schema.as_deref() == Some("pg_temp") || schema.is_fresh(&schema.resolve(name))
    }

    /// True for a foreign table: its rows are elsewhere, and no command here scans or rewrites them.
    #[must_use]
    pub fn is_foreign(&self, name: &Name) -> bool {
        self.before()
            .table(name)
            .is_some_and(|table| table.kind == TableKind::Foreign)
    }

    /// Columns that the statement adds to tables with rows here, without those that `IF NOT EXISTS` finds there already.
    pub fn new_columns<'s>(
        &self,
        statement: &'s Statement,
    ) -> impl Iterator<Item = (&'s Name, &'s AddColumn)> + use<'a, 's> {
        let before = self.before();
        statement.added_columns().filter(move |(table, add)| {
            before.table(table).is_none_or(|table| {
                let exists = table.column(&add.column.name.text).is_some();
                table.kind != TableKind::Foreign && !(add.if_not_exists && exists)
            })
        })
    }

    /// True if the script goes back and drops the table in the end: what else it does to it makes no difference.
    fn goes_with_down(&self, name: &Name) -> bool {
        let key = self.before().resolve(name);
        self.migration
            .is_some_and(|index| !self.replay.history.migrations[index].direction.is_forward())
            && matches!(
                self.after_migration().relation_at(&key),
                Some(Relation::Dropped(_))
            )
    }

    /// True if the same change made the table, whatever it has put into it since, or if it is temporary.
    #[must_use]
    pub fn is_made_here(&self, name: &Name) -> bool {
        let before = self.before();
        name.schema.as_deref() == Some("pg_temp")
            || before.table(name).is_some_and(|table| {
                table.is_temporary() || (table.known && table.created.batch == before.batch())
            })
    }

    /// True if the same change added the column: nobody uses it yet.
    #[must_use]
    pub fn is_new_column(&self, table: &Name, column: &str) -> bool {
        let before = self.before();
        before
            .table(table)
            .and_then(|table| table.column(column))
            .is_some_and(|column| column.added && column.created.batch == before.batch())
    }

    /// The full name of a relation.
    #[must_use]
    pub fn resolve(&self, name: &Name) -> QualifiedName {
        self.before().resolve(name)
    }

    /// The table of an index that is named.
    #[must_use]
    pub fn table_of_index(&self, index: &Name) -> Option<Name> {
        match self.before().relation(index) {
            Some(Relation::Index(found)) => Some(Name::new(
                Some(&found.table.schema),
                &found.table.name,
                index.span,
            )),
            _ => None,
        }
    }

    /// Steps of the same transaction before the current one, in order. Empty if there is no transaction.
    pub fn earlier_in_transaction(&self) -> impl DoubleEndedIterator<Item = &'a Step<'a>> {
        let step = self.step();
        let range = self.replay.ranges[step.migration].start..self.step.unwrap_or_default();
        self.replay.steps[range].iter().filter(move |earlier| {
            earlier.moment.transaction.number == step.moment.transaction.number
        })
    }

    /// Locks on relations in use that earlier statements of the same transaction took and that are in force while the
    /// current one runs: the strongest mode of each relation, sorted by relation.
    #[must_use]
    pub fn held_locks(&self) -> Vec<Held<'a>> {
        self.step
            .map_or_else(Vec::new, |step| self.replay.held_locks(step))
    }

    /// The same at any step.
    #[must_use]
    pub fn locks_held_at(&self, step: &Step<'_>) -> Vec<Held<'a>> {
        let steps = &self.replay.steps;
        steps
            .iter()
            .position(|other| std::ptr::eq(other, step))
            .map_or_else(Vec::new, |index| self.replay.held_locks(index))
    }

    /// The transaction of the current step, with all its locks; none for rules that are not about statements.
    #[must_use]
    pub fn footprint(&self) -> Option<&'a Footprint> {
        self.step.map(|step| self.replay.footprint_of(step))
    }

    /// Steps of the same migration before the current one.
    #[must_use]
    pub fn earlier_in_migration(&self) -> &'a [Step<'a>] {
        let step = self.step();
        &self.replay.steps[self.replay.ranges[step.migration].start..self.step.unwrap_or_default()]
    }

    /// Steps of the same migration behind the current one.
    #[must_use]
    pub fn later_in_migration(&self) -> &'a [Step<'a>] {
        let step = self.step();
        &self.replay.steps
            [self.step.unwrap_or_default() + 1..self.replay.ranges[step.migration].end]
    }

    /// The schema that other sessions see once the current statement is committed.
    #[must_use]
    pub fn after_transaction(&self) -> &'a Schema {
        let number = self.moment().transaction.number;
        self.later_in_migration()
            .iter()
            .find(|later| later.moment.transaction.number != number)
            .map_or_else(|| self.after_migration(), |later| &later.before)
    }

    /// All steps of the migration being checked.
    #[must_use]
    pub fn steps(&self) -> &'a [Step<'a>] {
        let index = self.migration.unwrap_or_default();
        &self.replay.steps[self.replay.ranges[index].clone()]
    }

    /// How certain it is that what a migration sets for its session is in force for the next migrations of a run. None
    /// if each has a session of its own.
    pub fn session_goes_on(&self) -> Option<Certainty> {
        match self.runner().session {
            Session::One => Some(Certainty::Certain),
            // One connection of a pool is the usual case.
            Session::Unknown if !self.layout().client.psql => Some(Certainty::Possible),
            Session::Unknown | Session::Each => None,
        }
    }

    /// What the rule has gathered of the whole history, which is done once however often it is asked.
    pub fn fact<T: Fact>(&self) -> std::sync::Arc<T> {
        self.replay.fact()
    }

    /// The place of the current step among all of the history.
    ///
    /// # Panics
    /// If the rule is not about statements.
    pub fn place(&self) -> usize {
        self.step.expect("a rule about statements")
    }

    /// All steps of the history: its forward migrations in order, then the down scripts.
    #[must_use]
    pub fn all_steps(&self) -> &'a [Step<'a>] {
        &self.replay.steps
    }

    /// Steps behind the current one, down scripts left out: what becomes of it as the history goes on.
    pub fn later_steps(&self) -> impl Iterator<Item = &'a Step<'a>> {
        let migrations = &self.history().migrations;
        self.replay.steps[self.step.map_or(0, |step| step + 1)..]
            .iter()
            .filter(|step| migrations[step.migration].direction != Direction::Down)
    }

    /// Steps before the current one.
    #[must_use]
    pub fn earlier_steps(&self) -> &'a [Step<'a>] {
        &self.replay.steps[..self.step.unwrap_or_default()]
    }

    /// All steps of a migration of the history.
    #[must_use]
    pub fn steps_of(&self, migration: usize) -> &'a [Step<'a>] {
        &self.replay.steps[self.replay.ranges[migration].clone()]
    }

    /// Locks on relations that are in use, of at least that mode, that the statement takes.
    pub fn locks_at_least(&self, mode: LockMode) -> impl Iterator<Item = &'a Effect> {
        let step = self.step();
        step.effects
            .list
            .iter()
            .filter(move |effect| effect.lock >= mode && !step.before.is_fresh(&effect.relation))
    }

    /// A place in the file of the migration being checked.
    #[must_use]
    pub fn location(&self, span: Span) -> Location {
        Location {
            source: self.migration().source,
            span,
        }
    }

    /// The place of a step.
    #[must_use]
    pub fn location_of(&self, step: &Step<'_>) -> Location {
        Location {
            source: self.replay.history.migrations[step.migration].source,
            span: step.statement.span,
        }
    }

    /// Problems of the set of migrations, of one kind.
    pub fn problems(&self, kind: ProblemKind) -> impl Iterator<Item = &'a Problem> + use<'a> {
        self.replay
            .history
            .problems
            .iter()
            .filter(move |problem| problem.kind == kind)
    }

    /// Problems of suppression comments, of one kind.
    pub(crate) fn suppression_problems(
        &self,
        kind: suppress::ProblemKind,
    ) -> Vec<suppress::Problem> {
        self.suppressions
            .iter()
            .filter(|problem| problem.kind == kind)
            .cloned()
            .collect()
    }

    /// A duration option in milliseconds.
    #[must_use]
    pub fn duration_option(&self, name: &str) -> u64 {
        self.options().duration(name)
    }

    /// A number option.
    #[must_use]
    pub fn int_option(&self, name: &str) -> i64 {
        self.options().int(name)
    }

    /// A yes-or-no option.
    #[must_use]
    pub fn bool_option(&self, name: &str) -> bool {
        self.options().bool(name)
    }

    /// A list option; one that is written as a text is split at commas.
    #[must_use]
    pub fn list_option(&self, name: &str) -> Vec<String> {
        self.options().list(name)
    }

    fn options(&self) -> Options<'a> {
        Options {
            rule: self.rule,
            values: self.options,
        }
    }

    /// How sure something is about a table: possible if the history does not make it.
    #[must_use]
    pub fn certainty_of(&self, name: &Name) -> Certainty {
        match self.presence(name) {
            Presence::Unknown => Certainty::Possible,
            _ => Certainty::Certain,
        }
    }

    /// The text of a statement on one line, shortened.
    #[must_use]
    pub fn short_text(&self, statement: &Statement) -> String {
        let text: Vec<&str> = statement.source.sql.split_whitespace().collect();
        let mut text = text.join(" ");
        if text.chars().count() > 60 {
            text = text.chars().take(59).collect::<String>() + "…";
        }
        text
    }
}
