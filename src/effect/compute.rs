//! From a statement and the schema before it to the locks it takes and the work it does.

use std::collections::BTreeMap;

use super::alter::alter_table;
use super::{Effect, Effects, Failure, LockMode, RelationKind, WaitsFor, Work};
use crate::diagnostic::Certainty;
use crate::schema::{Relation, Schema, Table, TableKind};
use crate::statement::{
    AlterDomainAction, Change, ConstraintDef, ConstraintKind, CreateIndex, CreateTable, Drop, Kind,
    Name, ObjectKind, QualifiedName, Query, Reindex, ReindexTarget, Rename, Statement,
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
}

/// Collects effects, strongest lock per relation.
pub(super) struct Collector<'a> {
    pub(super) situation: Situation<'a>,
    effects: BTreeMap<QualifiedName, Effect>,
    pub(super) waits_for: Vec<WaitsFor>,
    pub(super) fails: Option<Failure>,
}

/// What a statement does.
#[must_use]
pub fn effects(statement: &Statement, situation: Situation<'_>) -> Effects {
    let mut collector = Collector {
        situation,
        effects: BTreeMap::new(),
        waits_for: Vec::new(),
        fails: None,
    };
    collector.statement(statement);
    let mut list: Vec<Effect> = collector.effects.into_values().collect();
    if statement.conditional {
        for effect in &mut list {
            effect.certainty = effect.certainty.min(Certainty::Possible);
        }
    }
    Effects {
        list,
        waits_for: collector.waits_for,
        fails: collector.fails,
    }
}

impl Collector<'_> {
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
                known.lock = known.lock.max(lock);
                known.work = known.work.and(work);
                known.certainty = known.certainty.max(certainty);
            })
            .or_insert(effect);
    }

    pub(super) fn certain(&mut self, relation: &QualifiedName, lock: LockMode, work: Work) {
        self.lock(relation, lock, work, Certainty::Certain);
    }

    pub(super) fn named(&mut self, name: &Name, lock: LockMode, work: Work) {
        let key = self.situation.schema.resolve(name);
        self.certain(&key, lock, work);
    }

    /// The same lock on a table and all its partitions and children.
    pub(super) fn tree(&mut self, table: &QualifiedName, lock: LockMode, work: Work) {
        self.certain(table, lock, work);
        for child in self.situation.schema.descendants(table) {
            self.certain(&child.name, lock, work);
        }
    }

    fn statement(&mut self, statement: &Statement) {
        match &statement.kind {
            Kind::CreateTable(create) => self.create_table(create),
            Kind::CreateTableAs(create) => self.query(&create.query),
            Kind::AlterTable(alter) => alter_table(self, alter),
            Kind::Rename(rename) => self.rename(rename),
            Kind::SetSchema(set) => match set.object {
                ObjectKind::Table
                | ObjectKind::View
                | ObjectKind::MaterializedView
                | ObjectKind::Sequence
                | ObjectKind::ForeignTable => {
                    self.named(&set.name, LockMode::AccessExclusive, Work::NONE)
                }
                _ => {}
            },
            Kind::Drop(drop) => self.drop(drop),
            Kind::CreateIndex(create) => self.create_index(create),
            Kind::Reindex(reindex) => self.reindex(reindex),
            Kind::CreateView(create) => {
                if create.or_replace
                    && matches!(
                        self.situation.schema.relation(&create.name),
                        Some(Relation::View(_))
                    )
                {
                    self.named(&create.name, LockMode::AccessExclusive, Work::NONE);
                }
                self.query(&create.query);
            }
            Kind::RefreshMaterializedView(refresh) => {
                let lock = if refresh.concurrently {
                    LockMode::Exclusive
                } else {
                    LockMode::AccessExclusive
                };
                let work = if refresh.with_data {
                    Work::REWRITE
                } else {
                    Work::NONE
                };
                self.named(&refresh.name, lock, work);
                let key = self.situation.schema.resolve(&refresh.name);
                if let Some(Relation::View(view)) = self.situation.schema.relation_at(&key) {
                    for read in view.reads.clone() {
                        self.certain(&read, LockMode::AccessShare, Work::NONE);
                    }
                }
            }
            Kind::AlterSequence(alter) => {
                self.named(&alter.name, LockMode::ShareRowExclusive, Work::NONE);
                if let Some((table, _)) = &alter.owned_by {
                    self.named(table, LockMode::AccessShare, Work::NONE);
                }
            }
            Kind::AlterDomain(alter) => {
                let scans = match &alter.action {
                    AlterDomainAction::AddConstraint(def) => !def.not_valid,
                    AlterDomainAction::ValidateConstraint(_) | AlterDomainAction::SetNotNull => {
                        true
                    }
                    _ => false,
                };
                if scans {
                    for table in self.tables_of_type(&alter.name) {
                        self.certain(&table, LockMode::Share, Work::SCAN);
                    }
                }
            }
            Kind::CreateTrigger(create) => {
                self.named(&create.table, LockMode::ShareRowExclusive, Work::NONE);
                if create.row {
                    let key = self.situation.schema.resolve(&create.table);
                    self.tree(&key, LockMode::ShareRowExclusive, Work::NONE);
                }
                if let Some(from) = &create.from {
                    self.named(from, LockMode::ShareRowExclusive, Work::NONE);
                }
            }
            Kind::Policy(_, table) | Kind::CreateRule(_, table) => {
                self.named(table, LockMode::AccessExclusive, Work::NONE);
            }
            Kind::Truncate { tables, cascade } => {
                for table in tables {
                    let key = self.situation.schema.resolve(&table.name);
                    self.truncate(&key, *cascade);
                }
            }
            Kind::Insert(insert) => {
                self.named(&insert.table, LockMode::RowExclusive, Work::NONE);
                self.query(&insert.query);
            }
            Kind::Change(change) | Kind::Merge(change) => self.change(change),
            Kind::Select(query) => self.query(query),
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
                    for table in tables {
                        let key = self.situation.schema.resolve(&table.name);
                        if table.only {
                            self.certain(&key, mode, Work::NONE);
                        } else {
                            self.tree(&key, mode, Work::NONE);
                        }
                    }
                }
            }
            Kind::Vacuum { tables, full, .. } => {
                let (lock, work) = if *full {
                    (LockMode::AccessExclusive, Work::REWRITE)
                } else {
                    (LockMode::ShareUpdateExclusive, Work::SCAN)
                };
                for table in tables {
                    self.named(table, lock, work);
                }
            }
            Kind::Cluster(Some(table)) => {
                self.named(table, LockMode::AccessExclusive, Work::REWRITE)
            }
            Kind::Comment(comment) => match comment.object {
                ObjectKind::Table
                | ObjectKind::Column
                | ObjectKind::View
                | ObjectKind::MaterializedView
                | ObjectKind::Index
                | ObjectKind::Sequence => {
                    self.named(&comment.name, LockMode::ShareUpdateExclusive, Work::NONE);
                }
                ObjectKind::Constraint
                | ObjectKind::Trigger
                | ObjectKind::Policy
                | ObjectKind::Rule => {
                    self.named(&comment.name, LockMode::AccessShare, Work::NONE);
                }
                _ => {}
            },
            Kind::Grant {
                object: ObjectKind::Table,
                names,
                ..
            } if self.situation.postgres >= 18 => {
                for name in names {
                    self.named(name, LockMode::AccessShare, Work::NONE);
                }
            }
            Kind::Publication(publication) => {
                for (name, _) in &publication.tables {
                    self.named(name, LockMode::ShareUpdateExclusive, Work::NONE);
                }
            }
            Kind::Other(names) if statement.tag != "SQL" => {
                for name in names {
                    self.named(name, LockMode::ShareUpdateExclusive, Work::NONE);
                }
            }
            _ => {}
        }
    }

    fn query(&mut self, query: &Query) {
        for name in &query.reads {
            self.named(name, LockMode::AccessShare, Work::NONE);
        }
        for name in &query.locked {
            self.named(name, LockMode::RowShare, Work::NONE);
        }
        for change in &query.changes {
            self.named(&change.table.name, LockMode::RowExclusive, Work::NONE);
        }
    }

    fn change(&mut self, change: &Change) {
        let key = self.situation.schema.resolve(&change.table.name);
        if change.table.only {
            self.certain(&key, LockMode::RowExclusive, Work::NONE);
        } else {
            self.tree(&key, LockMode::RowExclusive, Work::NONE);
        }
        self.query(&change.query);
    }

    fn create_table(&mut self, create: &CreateTable) {
        if create.if_not_exists && self.situation.schema.relation(&create.name).is_some() {
            return;
        }
        let at_columns = create.columns.iter().flat_map(|column| &column.constraints);
        for constraint in create.constraints.iter().chain(at_columns) {
            self.foreign_key_parent(constraint);
        }
        if let Some(of) = &create.partition_of {
            let parent = self.situation.schema.resolve(&of.parent);
            self.certain(&parent, LockMode::AccessExclusive, Work::NONE);
            if !of.is_default
                && let Some(default) = self.situation.schema.default_partition(&parent)
            {
                let name = default.name.clone();
                self.certain(&name, LockMode::AccessExclusive, Work::SCAN);
            }
            self.parent_foreign_keys(&parent);
        }
        for parent in &create.inherits {
            self.named(parent, LockMode::ShareUpdateExclusive, Work::NONE);
        }
        for like in &create.like {
            self.named(&like.table, LockMode::AccessShare, Work::NONE);
        }
    }

    /// A partition takes over its parent's foreign keys: the tables they reference are locked as for a new one.
    pub(super) fn parent_foreign_keys(&mut self, parent: &QualifiedName) {
        let Some(table) = self.situation.schema.table_at(parent) else {
            return;
        };
        let referenced: Vec<QualifiedName> = table
            .constraints
            .iter()
            .filter_map(|c| c.references.clone())
            .collect();
        for table in referenced {
            self.certain(&table, LockMode::ShareRowExclusive, Work::NONE);
        }
    }

    pub(super) fn foreign_key_parent(&mut self, constraint: &ConstraintDef) {
        if let ConstraintKind::ForeignKey(key) = &constraint.kind {
            self.named(&key.table, LockMode::ShareRowExclusive, Work::NONE);
        }
    }

    fn create_index(&mut self, create: &CreateIndex) {
        let table = self.situation.schema.resolve(&create.table);
        if create.if_not_exists
            && let Some(name) = &create.name
            && matches!(
                self.situation
                    .schema
                    .relation_at(&QualifiedName::new(&table.schema, &name.text)),
                Some(Relation::Index(_))
            )
        {
            let lock = if create.concurrently {
                LockMode::ShareUpdateExclusive
            } else {
                LockMode::Share
            };
            self.certain(&table, lock, Work::NONE);
            return;
        }
        if create.concurrently {
            self.certain(&table, LockMode::ShareUpdateExclusive, Work::INDEX_BUILD);
            self.waits_for
                .extend([WaitsFor::Writers, WaitsFor::OldSnapshots]);
            return;
        }
        let partitioned = self
            .situation
            .schema
            .table_at(&table)
            .is_some_and(|table| table.kind == TableKind::Partitioned);
        match (partitioned, create.only) {
            (true, true) => self.certain(&table, LockMode::Share, Work::NONE),
            (true, false) => {
                self.certain(&table, LockMode::Share, Work::NONE);
                for child in self.situation.schema.descendants(&table) {
                    let work = if child.kind == TableKind::Partitioned {
                        Work::NONE
                    } else {
                        Work::INDEX_BUILD
                    };
                    self.certain(&child.name, LockMode::Share, work);
                }
            }
            (false, _) => self.certain(&table, LockMode::Share, Work::INDEX_BUILD),
        }
    }

    fn reindex(&mut self, reindex: &Reindex) {
        let Some(name) = &reindex.name else { return };
        let schema = self.situation.schema;
        let (table, indexes): (Option<QualifiedName>, Vec<QualifiedName>) = match reindex.target {
            ReindexTarget::Index => {
                let key = schema.resolve(name);
                (
                    schema.index(name).map(|index| index.table.clone()),
                    vec![key],
                )
            }
            ReindexTarget::Table => {
                let key = schema.resolve(name);
                let indexes = schema
                    .indexes_of(&key)
                    .map(|index| index.name.clone())
                    .collect();
                (Some(key), indexes)
            }
            _ => return,
        };
        if reindex.concurrently {
            if let Some(table) = table {
                self.certain(&table, LockMode::ShareUpdateExclusive, Work::INDEX_BUILD);
            }
            for index in indexes {
                self.certain(&index, LockMode::ShareUpdateExclusive, Work::NONE);
            }
            self.waits_for
                .extend([WaitsFor::Writers, WaitsFor::Readers, WaitsFor::OldSnapshots]);
            return;
        }
        if let Some(table) = table {
            let partitioned = schema
                .table_at(&table)
                .is_some_and(|table| table.kind == TableKind::Partitioned);
            if partitioned {
                self.certain(&table, LockMode::Share, Work::NONE);
                // Before 14 a warning, and nothing is rebuilt; then one partition after the other, each in a transaction
                // of its own.
                let rebuilt = self.situation.postgres >= 14;
                for child in schema.descendants(&table) {
                    if rebuilt && child.kind != TableKind::Partitioned {
                        self.certain(&child.name, LockMode::Share, Work::INDEX_BUILD);
                    }
                }
                return;
            }
            self.certain(&table, LockMode::Share, Work::INDEX_BUILD);
        }
        for index in indexes {
            self.certain(&index, LockMode::AccessExclusive, Work::NONE);
        }
    }

    fn rename(&mut self, rename: &Rename) {
        let lock = match (rename.object, &rename.part) {
            (ObjectKind::Index, _) => LockMode::ShareUpdateExclusive,
            (
                ObjectKind::Type
                | ObjectKind::Domain
                | ObjectKind::Function
                | ObjectKind::Procedure
                | ObjectKind::Routine
                | ObjectKind::Schema
                | ObjectKind::Database
                | ObjectKind::Role
                | ObjectKind::DomainConstraint
                | ObjectKind::Attribute
                | ObjectKind::Tablespace
                | ObjectKind::Aggregate
                | ObjectKind::Other
                | ObjectKind::Statistics
                | ObjectKind::Publication
                | ObjectKind::Subscription
                | ObjectKind::EventTrigger
                | ObjectKind::Extension,
                _,
            ) => return,
            _ => LockMode::AccessExclusive,
        };
        let key = self.situation.schema.resolve(&rename.relation);
        if rename.object == ObjectKind::Column {
            self.tree(&key, lock, Work::NONE);
        } else {
            self.certain(&key, lock, Work::NONE);
        }
    }

    fn truncate(&mut self, table: &QualifiedName, cascade: bool) {
        self.tree(table, LockMode::AccessExclusive, Work::NONE);
        if !cascade {
            return;
        }
        let mut reached = vec![table.clone()];
        let mut next = reached.clone();
        while let Some(table) = next.pop() {
            let referencing: Vec<QualifiedName> = self
                .situation
                .schema
                .referencing(&table)
                .map(|(other, _)| other.name.clone())
                .collect();
            for other in referencing {
                if !reached.contains(&other) {
                    self.tree(&other, LockMode::AccessExclusive, Work::NONE);
                    reached.push(other.clone());
                    next.push(other);
                }
            }
        }
    }

    /// Tables with a column of a user-defined type.
    fn tables_of_type(&self, name: &Name) -> Vec<QualifiedName> {
        let schema = self.situation.schema;
        let Some(ty) = schema.type_named(name.schema.as_deref(), &name.name) else {
            return Vec::new();
        };
        schema
            .tables_of_type(&ty.name)
            .map(|table| table.name.clone())
            .collect()
    }

    fn drop(&mut self, drop: &Drop) {
        let schema = self.situation.schema;
        for name in &drop.names {
            match drop.object {
                ObjectKind::Table | ObjectKind::ForeignTable => {
                    let key = schema.resolve(name);
                    self.drop_table(&key, drop.cascade);
                }
                ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::Sequence => {
                    if !(drop.if_exists && schema.relation(name).is_none()) {
                        self.named(name, LockMode::AccessExclusive, Work::NONE);
                    }
                }
                ObjectKind::Index => self.drop_index(name, drop),
                ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule => {
                    if let Some(table) = &drop.on {
                        let lock = if drop.object == ObjectKind::Trigger
                            && drop.if_exists
                            && schema.table(table).is_some_and(|table| {
                                table.known
                                    && !table
                                        .triggers
                                        .iter()
                                        .any(|trigger| trigger.name == name.name)
                            }) {
                            LockMode::AccessShare
                        } else {
                            LockMode::AccessExclusive
                        };
                        self.named(table, lock, Work::NONE);
                    }
                }
                ObjectKind::Type | ObjectKind::Domain => {
                    for table in self.tables_of_type(name) {
                        self.certain(&table, LockMode::AccessExclusive, Work::NONE);
                    }
                }
                ObjectKind::Schema => {
                    let inside: Vec<QualifiedName> = schema
                        .tables()
                        .filter(|table| table.name.schema == name.name)
                        .map(|table| table.name.clone())
                        .collect();
                    for table in inside {
                        self.drop_table(&table, drop.cascade);
                    }
                }
                ObjectKind::Function | ObjectKind::Procedure if drop.cascade => {
                    let key = schema.creation_name(name, false);
                    let users: Vec<QualifiedName> = schema
                        .tables_with_trigger(&key)
                        .map(|table| table.name.clone())
                        .collect();
                    for table in users {
                        self.certain(&table, LockMode::AccessExclusive, Work::NONE);
                    }
                }
                _ => {}
            }
        }
    }

    fn drop_table(&mut self, table: &QualifiedName, cascade: bool) {
        let schema = self.situation.schema;
        let Some(known) = schema.table_at(table) else {
            self.certain(table, LockMode::AccessExclusive, Work::NONE);
            return;
        };
        let known: Table = (**known).clone();
        self.tree(table, LockMode::AccessExclusive, Work::NONE);
        self.dropped_foreign_keys(&known);
        if let Some(partition) = &known.partition {
            // The parent is locked first, so that nobody plans with the partition; its default partition's bound changes.
            self.certain(&partition.parent, LockMode::AccessExclusive, Work::NONE);
            if let Some(default) = schema.default_partition(&partition.parent) {
                let name = default.name.clone();
                self.certain(&name, LockMode::AccessExclusive, Work::NONE);
            }
        }
        if cascade {
            let referencing: Vec<QualifiedName> = schema
                .referencing(table)
                .map(|(other, _)| other.name.clone())
                .collect();
            for other in referencing {
                self.certain(&other, LockMode::AccessExclusive, Work::NONE);
            }
            let views: Vec<QualifiedName> = schema
                .views_of(table)
                .map(|view| view.name.clone())
                .collect();
            for view in views {
                self.certain(&view, LockMode::AccessExclusive, Work::NONE);
            }
        }
        let sequences: Vec<QualifiedName> = schema
            .sequences_of(table)
            .map(|sequence| sequence.name.clone())
            .collect();
        for sequence in sequences {
            self.certain(&sequence, LockMode::AccessExclusive, Work::NONE);
        }
    }

    /// Dropping a foreign key takes its triggers off the referenced table: ACCESS EXCLUSIVE there as well. A partition's
    /// inherited foreign keys are left to its parent.
    pub(super) fn dropped_foreign_keys(&mut self, table: &Table) {
        if table.partition.is_some() {
            return;
        }
        for constraint in &table.constraints {
            if let Some(referenced) = &constraint.references {
                self.certain(referenced, LockMode::AccessExclusive, Work::NONE);
            }
        }
    }

    fn drop_index(&mut self, name: &Name, drop: &Drop) {
        let schema = self.situation.schema;
        let Some(index) = schema.index(name) else {
            if !drop.if_exists {
                self.named(name, LockMode::AccessExclusive, Work::NONE);
            }
            return;
        };
        let (table, key) = (index.table.clone(), index.name.clone());
        if drop.concurrently {
            self.certain(&table, LockMode::ShareUpdateExclusive, Work::NONE);
            self.certain(&key, LockMode::ShareUpdateExclusive, Work::NONE);
            self.waits_for
                .extend([WaitsFor::Writers, WaitsFor::Readers]);
            return;
        }
        self.certain(&table, LockMode::AccessExclusive, Work::NONE);
        self.certain(&key, LockMode::AccessExclusive, Work::NONE);
        for child in schema.descendants(&table) {
            self.certain(&child.name, LockMode::AccessExclusive, Work::NONE);
        }
    }
}
