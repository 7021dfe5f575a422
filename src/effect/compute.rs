//! From a statement and the schema before it to the locks it takes and the work it does.
//!
//! This file holds the collector and the table of contents; each kind of statement is in the file of its topic.

use std::collections::BTreeMap;

use super::alter::alter_table;
use super::transaction::refuses_transaction;
use super::{Effect, Effects, Failure, Leftover, LockMode, RelationKind, WaitsFor, Work, grammar};
use crate::diagnostic::Certainty;
use crate::schema::{Origin, Relation, Schema, TableKind};
use crate::source::{Location, SourceId};
use crate::statement::{
    Expr, ExprKind, Kind, Name, ObjectKind, PublicationChange, QualifiedName, Statement,
};

/// What the outcome depends on besides the statement.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The schema before the statement.
    pub schema: &'a Schema,
    /// Target major.
    pub postgres: u32,
    /// The session's time zone, if a statement before set it.
    pub time_zone: Option<&'a str>,
    /// `check_function_bodies`: the body of a SQL function is read when it is made.
    pub check_function_bodies: bool,
}

/// Collects effects, strongest lock per relation.
pub(super) struct Collector<'a> {
    pub(super) situation: Situation<'a>,
    effects: BTreeMap<QualifiedName, Effect>,
    pub(super) waits_for: Vec<WaitsFor>,
    pub(super) leaves_behind: Vec<Leftover>,
    pub(super) open_ended: bool,
    fails: Option<Failure>,
}

/// What a statement does, without the statements inside it.
#[must_use]
pub fn effects(statement: &Statement, situation: Situation<'_>) -> Effects {
    if let Some(failure) = grammar::refused(statement, situation.postgres) {
        // Refused before anything is looked up: no lock at all.
        return Effects {
            fails: (!statement.conditional).then_some(failure),
            ..Effects::default()
        };
    }
    let mut collector = Collector::new(situation);
    collector.statement(statement);
    collector.finish(statement.conditional)
}

/// What a statement does together with the statements inside it that run with it (`DO`, `EXPLAIN ANALYZE`), as one.
#[must_use]
pub fn effects_with_nested(statement: &Statement, situation: Situation<'_>) -> Effects {
    let own = effects(statement, situation);
    if own.fails.is_some() || !statement.nested.iter().any(|nested| nested.runs) {
        return own;
    }
    let mut collector = Collector::new(situation);
    collector.take(own, false);
    let mut schema = situation.schema.clone();
    for (number, nested) in (1..).zip(statement.nested.iter().filter(|nested| nested.runs)) {
        if statement.tag == "DO"
            && !nested.conditional
            && let Some(what) = refuses_transaction(&nested.statement, &schema, situation.postgres)
        {
            // The first thing it looks at: nothing is locked.
            collector.refuse("25001", format!("{what} cannot run inside a DO block"));
            break;
        }
        let inner = effects_with_nested(
            &nested.statement,
            Situation {
                schema: &schema,
                ..situation
            },
        );
        let stops = inner.fails.is_some() && !nested.conditional;
        collector.take(inner, nested.conditional);
        if stops {
            break;
        }
        let origin = Origin {
            location: Location {
                source: SourceId(0),
                span: nested.statement.span,
            },
            batch: schema.batch(),
            statement: number,
        };
        schema.apply(&nested.statement, origin);
    }
    collector.finish(statement.conditional)
}

impl<'a> Collector<'a> {
    fn new(situation: Situation<'a>) -> Self {
        Self {
            situation,
            effects: BTreeMap::new(),
            waits_for: Vec::new(),
            leaves_behind: Vec::new(),
            open_ended: false,
            fails: None,
        }
    }

    fn finish(self, conditional: bool) -> Effects {
        let mut list: Vec<Effect> = self.effects.into_values().collect();
        if conditional {
            for effect in &mut list {
                effect.certainty = effect.certainty.min(Certainty::Possible);
            }
        }
        let mut waits_for = self.waits_for;
        waits_for.sort_unstable();
        waits_for.dedup();
        Effects {
            list,
            waits_for,
            fails: self.fails.filter(|_| !conditional),
            leaves_behind: self.leaves_behind,
            open_ended: self.open_ended,
        }
    }

    /// Takes over what a statement inside does, as far as it is about relations that exist before the outer one.
    pub(super) fn take(&mut self, inner: Effects, conditional: bool) {
        for effect in inner.list {
            let exists = self
                .situation
                .schema
                .relation_at(&effect.relation)
                .is_some();
            let certainty = if conditional {
                effect.certainty.min(Certainty::Possible)
            } else {
                effect.certainty
            };
            if exists || certainty == Certainty::Unknown {
                self.lock(&effect.relation, effect.lock, effect.work, certainty);
            }
        }
        self.waits_for.extend(inner.waits_for);
        self.leaves_behind.extend(inner.leaves_behind);
        self.open_ended |= inner.open_ended;
        if !conditional && self.fails.is_none() {
            self.fails = inner.fails;
        }
    }

    /// Notes a lock on a relation that exists before the statement. Temporary tables are nobody else's.
    pub(super) fn lock(
        &mut self,
        relation: &QualifiedName,
        lock: LockMode,
        work: Work,
        certainty: Certainty,
    ) {
        if &*relation.schema == "pg_temp" {
            return;
        }
        let kind = match self.situation.schema.relation_at(relation) {
            Some(Relation::Table(table)) => match table.kind {
                TableKind::Ordinary => RelationKind::Table,
                TableKind::Partitioned => RelationKind::PartitionedTable,
                TableKind::Foreign => RelationKind::ForeignTable,
            },
            Some(Relation::Index(_)) => RelationKind::Index,
            Some(Relation::View(view)) if view.materialized => RelationKind::MaterializedView,
            Some(Relation::View(_)) => RelationKind::View,
            Some(Relation::Sequence(_)) => RelationKind::Sequence,
            Some(Relation::Dropped(_)) | None => RelationKind::Table,
        };
        // Partitioned and foreign tables and views have no rows of their own.
        let work = match kind {
            RelationKind::PartitionedTable | RelationKind::ForeignTable | RelationKind::View => {
                Work::NONE
            }
            _ => work,
        };
        let effect = Effect {
            relation: relation.clone(),
            kind,
            lock,
            work,
            certainty,
        };
        self.effects
            .entry(relation.clone())
            .and_modify(|known| {
                let adds_work = known.work.and(work) != known.work;
                // The certainty is that of the strongest lock and of all the work together.
                known.certainty = if lock > known.lock || adds_work {
                    if known.work.is_none() && lock >= known.lock {
                        certainty
                    } else {
                        known.certainty.min(certainty)
                    }
                } else if lock == known.lock && known.work == work {
                    known.certainty.max(certainty)
                } else {
                    known.certainty
                };
                known.lock = known.lock.max(lock);
                known.work = known.work.and(work);
            })
            .or_insert(effect);
    }

    pub(super) fn certain(&mut self, relation: &QualifiedName, lock: LockMode, work: Work) {
        self.lock(relation, lock, work, Certainty::Certain);
    }

    /// Notes a lock on a relation that the statement names. If the history has dropped it, the statement fails.
    pub(super) fn named(&mut self, name: &Name, lock: LockMode, work: Work) {
        let key = self.situation.schema.resolve(name);
        if let Some(Relation::Dropped(_)) = self.situation.schema.relation_at(&key) {
            self.refuse("42P01", format!("relation {key} does not exist any more"));
            return;
        }
        self.certain(&key, lock, work);
    }

    /// The same for a statement with `IF EXISTS`: what the history does not know may not be there.
    pub(super) fn named_if_exists(&mut self, name: &Name, lock: LockMode, work: Work) {
        let key = self.situation.schema.resolve(name);
        match self.situation.schema.relation_at(&key) {
            Some(Relation::Dropped(_)) => {}
            None => self.lock(&key, lock, work, Certainty::Unknown),
            Some(_) => self.certain(&key, lock, work),
        }
    }

    /// The same lock on a table and all its partitions and children.
    pub(super) fn tree(&mut self, table: &QualifiedName, lock: LockMode, work: Work) {
        self.certain(table, lock, work);
        for child in self.situation.schema.descendants(table) {
            self.certain(&child.name, lock, work);
        }
    }

    /// Locks several relations.
    pub(super) fn all(&mut self, relations: Vec<QualifiedName>, lock: LockMode, work: Work) {
        for relation in relations {
            self.certain(&relation, lock, work);
        }
    }

    /// The statement is certain to be refused. The first reason counts.
    pub(super) fn refuse(&mut self, sqlstate: &'static str, reason: impl Into<String>) {
        if self.fails.is_none() {
            self.fails = Some(Failure {
                sqlstate,
                reason: reason.into(),
            });
        }
    }

    /// The name of something new is taken, unless what has it may be gone.
    pub(super) fn refuse_taken(&mut self, name: &Name) {
        let schema = self.situation.schema;
        if schema.doubt(&schema.resolve(name)).is_none() {
            self.refuse("42P07", format!("{name} exists already"));
        }
    }

    pub(super) fn refused(&self) -> bool {
        self.fails.is_some()
    }

    pub(super) fn statement(&mut self, statement: &Statement) {
        // SQL that is put together at run time may do anything.
        self.open_ended |= !statement.dynamic.is_empty() && statement.tag == "DO";
        match &statement.kind {
            Kind::CreateTable(create) => self.create_table(create),
            Kind::CreateTableAs(create) => self.create_table_as(create),
            Kind::AlterTable(alter) => alter_table(self, alter),
            Kind::Rename(rename) => self.rename(rename),
            Kind::SetSchema(set) => self.set_schema(set),
            Kind::Drop(drop) => self.drop(drop),
            Kind::CreateIndex(create) => self.create_index(create),
            Kind::Reindex(reindex) => self.reindex(reindex),
            Kind::CreateView(create) => self.create_view(create),
            Kind::RefreshMaterializedView(refresh) => self.refresh(refresh),
            Kind::AlterSequence(alter) => {
                let lock = LockMode::ShareRowExclusive;
                if alter.guarded {
                    self.named_if_exists(&alter.name, lock, Work::NONE);
                } else {
                    self.named(&alter.name, lock, Work::NONE);
                }
                if let Some((table, _)) = &alter.owned_by {
                    self.named(table, LockMode::AccessShare, Work::NONE);
                }
            }
            Kind::AlterDomain(alter) => self.alter_domain(alter),
            Kind::CreateFunction(create) => {
                self.new_function(create);
                self.create_function(create, &statement.nested);
            }
            Kind::CreateType(create) => self.new_type(&create.name),
            Kind::CreateDomain(create) => self.new_type(&create.name),
            Kind::AlterEnum(alter) => self.alter_enum(alter),
            Kind::CreateTrigger(create) => self.create_trigger(create),
            Kind::Policy(policy, table) => {
                self.named(table, LockMode::AccessExclusive, Work::NONE);
                for part in policy.expressions().flat_map(Expr::walk) {
                    if let ExprKind::Subquery(query) = &part.kind {
                        self.query(query, false);
                    }
                }
            }
            Kind::CreateStatistics(create) => self.create_statistics(create),
            Kind::CreateRule(rule) => {
                self.named(&rule.table, LockMode::AccessExclusive, Work::NONE);
            }
            Kind::Publication(publication) => {
                for (name, _) in &publication.tables {
                    self.named(name, LockMode::ShareUpdateExclusive, Work::NONE);
                }
                if publication.change == PublicationChange::Set {
                    self.publication_members(&publication.name.text);
                }
            }
            Kind::Truncate {
                tables,
                cascade,
                restart,
            } => self.truncate(tables, *cascade, *restart),
            Kind::Insert(insert) => self.insert(insert),
            Kind::Change(change) | Kind::Merge(change) => self.change(change, true),
            Kind::Select(query) => self.query(query, true),
            Kind::Copy {
                table: Some(table),
                from,
            } => {
                let lock = if *from {
                    LockMode::RowExclusive
                } else {
                    LockMode::AccessShare
                };
                self.named(table, lock, Work::NONE);
            }
            Kind::Lock { tables, mode, .. } => {
                if let Some(mode) = LockMode::from_number(*mode) {
                    self.lock_tables(tables, mode);
                }
            }
            Kind::Vacuum {
                tables,
                full,
                vacuum,
                ..
            } => self.vacuum(tables, *vacuum, *full),
            Kind::Cluster(table) => self.cluster(table.as_ref()),
            Kind::Comment(comment) => self.comment(comment),
            Kind::Grant {
                object: ObjectKind::Table | ObjectKind::Sequence,
                names,
                all_in_schema: false,
                ..
            } if self.situation.postgres >= 18 => {
                for name in names {
                    self.named(name, LockMode::AccessShare, Work::NONE);
                }
            }
            Kind::Call(name) => {
                self.open_ended = true;
                self.call(name);
            }
            Kind::Other(names) => self.other(statement, names),
            Kind::Unparsed => self.open_ended = true,
            _ => {}
        }
        if matches!(statement.kind, Kind::Select(_)) {
            for routine in statement.called_routines() {
                self.call(routine);
            }
        }
        self.labels(statement);
        self.constants(statement);
    }
}
