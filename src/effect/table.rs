//! `CREATE TABLE`, `DROP`, `TRUNCATE`, renames and moves.

use super::bound;
use super::compute::Collector;
use super::{LockMode, Work, dependents, types};
use crate::schema::{Relation, Table, TableKind};
use crate::statement::{
    Bound, ConstraintDef, ConstraintKind, CreateTable, Drop, ForeignKey, Ident, ObjectKind,
    PartitionOf, QualifiedName, Relation as Named, Rename, SetSchema,
};

impl Collector<'_> {
    pub(super) fn create_table(&mut self, create: &CreateTable) {
        let schema = self.situation.schema;
        let temporary = create.persistence == crate::statement::Persistence::Temporary;
        let own = schema.creation_name(&create.name, temporary);
        if let Some(existing) = schema.relation_at(&own)
            && !matches!(existing, Relation::Dropped(_))
        {
            // A partial table only stands for what other statements said about it.
            let known = !matches!(existing, Relation::Table(table) if !table.known);
            if create.if_not_exists {
                return;
            }
            if known {
                self.refuse("42P07", format!("{own} exists already"));
                return;
            }
        }
        let at_columns = create.columns.iter().flat_map(|column| &column.constraints);
        for constraint in create.constraints.iter().chain(at_columns) {
            if let ConstraintKind::ForeignKey(key) = &constraint.kind
                && schema.resolve(&key.table) != own
            {
                self.foreign_key_parent(constraint, Work::NONE);
            }
        }
        self.refuse_keys(create);
        if let Some(of) = &create.partition_of {
            let parent = schema.resolve(&of.parent);
            self.named(&of.parent, LockMode::AccessExclusive, Work::NONE);
            self.partition_indexes(&parent);
            self.partition_bound(&parent, of);
            self.default_partition_check(&parent, of);
            self.partition_foreign_keys(&parent, Work::NONE);
        }
        for parent in &create.inherits {
            self.named(parent, LockMode::ShareUpdateExclusive, Work::NONE);
        }
        for like in &create.like {
            self.named(&like.table, LockMode::AccessShare, Work::NONE);
        }
    }

    /// The index of a new partition is entered below the one of its parent (measured on 13 and 18, for both ways to a
    /// partition, and whether it is built or found).
    pub(super) fn partition_indexes(&mut self, parent: &QualifiedName) {
        let indexes: Vec<QualifiedName> = self
            .situation
            .schema
            .indexes_of(parent)
            .map(|index| index.name.clone())
            .collect();
        self.all(indexes, LockMode::ShareUpdateExclusive, Work::NONE);
    }

    /// A bound that is empty or takes another partition's values.
    pub(super) fn partition_bound(&mut self, parent: &QualifiedName, of: &PartitionOf) {
        if let Some(failure) = bound::overlap::refused(self.situation.schema, parent, of) {
            self.refuse(failure.sqlstate, failure.reason);
        }
    }

    /// Foreign keys of a new table whose columns cannot be compared with those they reference, and keys of types without
    /// an order.
    fn refuse_keys(&mut self, create: &CreateTable) {
        let schema = self.situation.schema;
        let type_of = |name: &str| {
            let column = create
                .columns
                .iter()
                .find(|column| &*column.name.text == name)?;
            column.ty.as_ref()
        };
        let of_columns = create.columns.iter().flat_map(|column| {
            let constraints = column.constraints.iter();
            constraints.map(move |constraint| (constraint, Some(&column.name)))
        });
        let of_table = create
            .constraints
            .iter()
            .map(|constraint| (constraint, None));
        for (constraint, column) in of_columns.chain(of_table) {
            let names = |columns: &[Ident]| -> Vec<Ident> {
                column.map_or_else(|| columns.to_vec(), |column| vec![column.clone()])
            };
            match &constraint.kind {
                ConstraintKind::ForeignKey(key) => {
                    let Some(target) = schema.table(&key.table).filter(|target| target.known)
                    else {
                        continue;
                    };
                    let names = names(&key.columns);
                    let types = names.iter().map(|name| type_of(&name.text));
                    if let Some(reason) = types::incomparable_key(schema, types, target, key) {
                        self.refuse("42804", reason);
                    }
                }
                ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => {
                    let names = names(&key.columns);
                    let types = names.iter().filter_map(|name| type_of(&name.text));
                    if let Some(reason) = types::without_order(schema, types, "btree") {
                        self.refuse("42704", reason);
                    }
                }
                _ => {}
            }
        }
    }

    /// A new partition takes values away from the default one, which is scanned for them unless a CHECK excludes them.
    pub(super) fn default_partition_check(&mut self, parent: &QualifiedName, of: &PartitionOf) {
        let schema = self.situation.schema;
        if matches!(of.values, Bound::Default) {
            return;
        }
        let Some(default) = schema.default_partition(parent) else {
            return;
        };
        let key = schema
            .table_at(parent)
            .and_then(|table| table.partition_by.as_ref());
        let work = if key.is_some_and(|key| bound::excluded(default, key, &of.values)) {
            Work::NONE
        } else {
            Work::SCAN
        };
        let name = default.name.clone();
        self.tree(&name, LockMode::AccessExclusive, work);
    }

    /// A partition takes over its parent's foreign keys in both directions: the tables they reference are locked as for a
    /// new one (and read if the partition holds rows), the tables that reference the parent as well from 15 on.
    pub(super) fn partition_foreign_keys(&mut self, parent: &QualifiedName, work: Work) {
        let schema = self.situation.schema;
        let Some(table) = schema.table_at(parent) else {
            return;
        };
        let referenced: Vec<QualifiedName> = table
            .constraints
            .iter()
            .filter_map(|constraint| constraint.references.clone())
            .collect();
        for table in referenced {
            self.tree(&table, LockMode::ShareRowExclusive, work);
        }
        let lock = if self.situation.postgres >= 15 {
            LockMode::ShareRowExclusive
        } else {
            LockMode::AccessShare
        };
        let referencing = self.referencing(parent);
        self.all(referencing, lock, Work::NONE);
    }

    /// A foreign key gets triggers on the table it references, and on all its partitions.
    pub(super) fn foreign_key_parent(&mut self, constraint: &ConstraintDef, work: Work) {
        if let ConstraintKind::ForeignKey(key) = &constraint.kind {
            self.foreign_key_to(key, work);
        }
    }

    pub(super) fn foreign_key_to(&mut self, key: &ForeignKey, work: Work) {
        let table = self.situation.schema.resolve(&key.table);
        self.named(&key.table, LockMode::ShareRowExclusive, work);
        if self.situation.schema.table_at(&table).is_some() {
            self.tree(&table, LockMode::ShareRowExclusive, work);
        }
    }

    /// Names of the tables with a foreign key to a table, without itself.
    pub(super) fn referencing(&self, table: &QualifiedName) -> Vec<QualifiedName> {
        let mut names: Vec<QualifiedName> = self
            .situation
            .schema
            .referencing(table)
            .map(|(other, _)| other.name.clone())
            .filter(|other| other != table)
            .collect();
        names.dedup();
        names
    }

    /// Views that read a relation, and views that read those.
    pub(super) fn dependent_views(
        &self,
        relation: &QualifiedName,
        column: Option<&str>,
    ) -> Vec<QualifiedName> {
        let schema = self.situation.schema;
        let mut found: Vec<QualifiedName> = schema
            .views_of(relation)
            .filter(|view| {
                column.is_none_or(|column| {
                    view.query.star || view.query.columns.iter().any(|c| &*c.text == column)
                })
            })
            .map(|view| view.name.clone())
            .collect();
        let mut next = found.clone();
        while let Some(view) = next.pop() {
            for outer in schema.views_of(&view) {
                if !found.contains(&outer.name) {
                    found.push(outer.name.clone());
                    next.push(outer.name.clone());
                }
            }
        }
        found
    }

    pub(super) fn rename(&mut self, rename: &Rename) {
        let schema = self.situation.schema;
        let key = schema.resolve(&rename.relation);
        let relation = schema.relation_at(&key);
        let lock = match (rename.object, relation) {
            // ALTER INDEX takes the milder lock only if what it names is an index.
            (ObjectKind::Index, Some(Relation::Index(_)) | None) => LockMode::ShareUpdateExclusive,
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
        if rename.if_exists {
            self.named_if_exists(&rename.relation, lock, Work::NONE);
        } else {
            self.named(&rename.relation, lock, Work::NONE);
        }
        if rename.object == ObjectKind::Column && relation.is_some() {
            self.tree(&key, lock, Work::NONE);
        }
        if self.refused() {
            return;
        }
        if rename.part.is_none() {
            let to = QualifiedName::new(&key.schema, &rename.to.text);
            if is_there(schema.relation_at(&to)) {
                self.refuse("42P07", format!("{to} exists already"));
            }
        } else if let Some(table) = schema.table_at(&key)
            && let Some(part) = &rename.part
        {
            match rename.object {
                ObjectKind::Column => {
                    if table.known && table.column(&part.text).is_none() {
                        self.refuse("42703", format!("{key} has no column {part}"));
                    } else if table.column(&rename.to.text).is_some() {
                        self.refuse("42701", format!("{key} has a column {} already", rename.to));
                    }
                }
                ObjectKind::Constraint => {
                    if table.constraint(&rename.to.text).is_some() {
                        self.refuse(
                            "42710",
                            format!("{key} has a constraint {} already", rename.to),
                        );
                    }
                }
                _ => {}
            }
        }
    }

    pub(super) fn set_schema(&mut self, set: &SetSchema) {
        match set.object {
            ObjectKind::Table
            | ObjectKind::View
            | ObjectKind::MaterializedView
            | ObjectKind::Sequence
            | ObjectKind::ForeignTable => {
                let key = self.situation.schema.resolve(&set.name);
                if set.if_exists {
                    self.named_if_exists(&set.name, LockMode::AccessExclusive, Work::NONE);
                } else {
                    self.named(&set.name, LockMode::AccessExclusive, Work::NONE);
                }
                let owned: Vec<QualifiedName> = self
                    .situation
                    .schema
                    .sequences_of(&key)
                    .map(|sequence| sequence.name.clone())
                    .collect();
                self.all(owned, LockMode::AccessExclusive, Work::NONE);
            }
            _ => {}
        }
    }

    pub(super) fn truncate(&mut self, tables: &[Named], cascade: bool, restart: bool) {
        let schema = self.situation.schema;
        let mut reached: Vec<QualifiedName> = Vec::new();
        for table in tables {
            let key = schema.resolve(&table.name);
            self.named(&table.name, LockMode::AccessExclusive, Work::NONE);
            reached.push(key.clone());
            if !table.only {
                reached.extend(schema.descendants(&key).iter().map(|t| t.name.clone()));
            }
            if self.situation.postgres < 14 {
                self.inherited_foreign_keys(&key);
            }
        }
        let mut next = reached.clone();
        while let Some(table) = next.pop() {
            self.certain(&table, LockMode::AccessExclusive, Work::NONE);
            if restart {
                let owned: Vec<QualifiedName> = schema
                    .sequences_of(&table)
                    .map(|sequence| sequence.name.clone())
                    .collect();
                self.all(owned, LockMode::AccessExclusive, Work::NONE);
            }
            for other in self.referencing(&table) {
                if reached.contains(&other) {
                    continue;
                }
                if !cascade {
                    self.refuse("0A000", format!("{other} has a foreign key to {table}"));
                    continue;
                }
                for name in std::iter::once(other.clone()).chain(
                    schema
                        .descendants(&other)
                        .iter()
                        .map(|table| table.name.clone()),
                ) {
                    if !reached.contains(&name) {
                        reached.push(name.clone());
                        next.push(name);
                    }
                }
            }
        }
    }

    /// 13 looks at the parent of a partition with inherited foreign keys.
    fn inherited_foreign_keys(&mut self, table: &QualifiedName) {
        let schema = self.situation.schema;
        let parent = schema
            .table_at(table)
            .and_then(|table| table.partition.as_ref())
            .and_then(|partition| schema.table_at(&partition.parent))
            .filter(|parent| parent.constraints.iter().any(|c| c.references.is_some()));
        if let Some(parent) = parent {
            let name = parent.name.clone();
            self.certain(&name, LockMode::AccessShare, Work::NONE);
        }
    }

    /// `DROP VIEW` of a table and the like: refused before anything is locked, with IF EXISTS too (measured on 13 and 18).
    fn drop_other_kind(&mut self, drop: &Drop) {
        let schema = self.situation.schema;
        for name in &drop.names {
            let kind = match schema.relation(name) {
                Some(Relation::Table(table)) if table.known => match table.kind {
                    TableKind::Foreign => ObjectKind::ForeignTable,
                    _ => ObjectKind::Table,
                },
                Some(Relation::Index(_)) => ObjectKind::Index,
                Some(Relation::View(view)) if view.materialized => ObjectKind::MaterializedView,
                Some(Relation::View(_)) => ObjectKind::View,
                Some(Relation::Sequence(_)) => ObjectKind::Sequence,
                _ => continue,
            };
            let wanted = match drop.object {
                ObjectKind::Table
                | ObjectKind::ForeignTable
                | ObjectKind::Index
                | ObjectKind::View
                | ObjectKind::MaterializedView
                | ObjectKind::Sequence => drop.object,
                _ => continue,
            };
            if kind != wanted {
                let (kind, wanted) = (kind.as_str(), wanted.as_str());
                self.refuse("42809", format!("{name} is a {kind} and no {wanted}"));
                return;
            }
        }
    }

    pub(super) fn drop(&mut self, drop: &Drop) {
        self.drop_other_kind(drop);
        if self.refused() {
            return;
        }
        match drop.object {
            ObjectKind::Table | ObjectKind::ForeignTable => {
                let all: Vec<QualifiedName> = drop
                    .names
                    .iter()
                    .map(|name| self.situation.schema.resolve(name))
                    .collect();
                for name in &drop.names {
                    if drop.if_exists {
                        self.named_if_exists(name, LockMode::AccessExclusive, Work::NONE);
                    } else {
                        self.named(name, LockMode::AccessExclusive, Work::NONE);
                    }
                }
                for key in &all {
                    self.drop_table(key, drop.cascade, &all);
                }
            }
            ObjectKind::View | ObjectKind::MaterializedView => {
                for name in &drop.names {
                    if drop.if_exists {
                        self.named_if_exists(name, LockMode::AccessExclusive, Work::NONE);
                    } else {
                        self.named(name, LockMode::AccessExclusive, Work::NONE);
                    }
                    let key = self.situation.schema.resolve(name);
                    self.drop_dependent_views(&key, None, drop);
                }
            }
            ObjectKind::Sequence => self.drop_sequences(drop),
            ObjectKind::Index => self.drop_indexes(drop),
            ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule => self.drop_part(drop),
            ObjectKind::Type | ObjectKind::Domain => self.drop_types(drop),
            ObjectKind::Schema => self.drop_schemas(drop),
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
                self.drop_functions(drop);
            }
            ObjectKind::Extension => self.drop_extensions(drop),
            // What they hang on is not kept.
            ObjectKind::Publication => self.open_ended = true,
            ObjectKind::Statistics => self.drop_statistics(drop),
            _ => {}
        }
    }

    /// Views on what is dropped: dropped too, or the reason for a refusal.
    pub(super) fn drop_dependent_views(
        &mut self,
        relation: &QualifiedName,
        column: Option<&str>,
        drop: &Drop,
    ) {
        let dropped: Vec<QualifiedName> = drop
            .names
            .iter()
            .map(|name| self.situation.schema.resolve(name))
            .collect();
        let views: Vec<QualifiedName> = self
            .dependent_views(relation, column)
            .into_iter()
            .filter(|view| !dropped.contains(view))
            .collect();
        if let (Some(view), false) = (views.first(), drop.cascade) {
            self.refuse("2BP01", format!("view {view} depends on {relation}"));
            return;
        }
        self.all(views, LockMode::AccessExclusive, Work::NONE);
    }

    pub(super) fn drop_table(
        &mut self,
        table: &QualifiedName,
        cascade: bool,
        together: &[QualifiedName],
    ) {
        let schema = self.situation.schema;
        let Some(known) = schema.table_at(table).cloned() else {
            return;
        };
        // Partitions go with their parent; inheritance children only by CASCADE.
        let children = schema.descendants(table);
        let partitioned = known.kind == TableKind::Partitioned;
        let gone = |name: &QualifiedName| {
            name == table || together.contains(name) || children.iter().any(|c| c.name == *name)
        };
        let mut obstacle: Option<String> = None;
        for name in std::iter::once(table).chain(children.iter().map(|child| &child.name)) {
            let views: Vec<QualifiedName> = self
                .dependent_views(name, None)
                .into_iter()
                .filter(|view| !together.contains(view))
                .collect();
            let referencing: Vec<QualifiedName> = self
                .referencing(name)
                .into_iter()
                .filter(|other| !gone(other))
                .collect();
            if let Some(view) = views.first() {
                obstacle.get_or_insert_with(|| format!("view {view} depends on it"));
            }
            if let Some(other) = referencing.first() {
                obstacle.get_or_insert_with(|| format!("{other} has a foreign key to it"));
            }
            let code = dependents::code_on(schema, name, gone);
            let bodies = schema.sql_bodies_reading(name);
            if let Some(first) = code.first() {
                obstacle.get_or_insert_with(|| format!("{first} depends on it"));
            }
            if let Some(function) = bodies.first() {
                obstacle.get_or_insert_with(|| format!("function {function} depends on it"));
            }
            if cascade {
                let tables = code.into_iter().filter_map(|known| known.of).collect();
                self.all(tables, LockMode::AccessExclusive, Work::NONE);
                self.all(views, LockMode::AccessExclusive, Work::NONE);
                self.all(referencing, LockMode::AccessExclusive, Work::NONE);
            }
        }
        if !partitioned && let Some(child) = children.first() {
            obstacle.get_or_insert_with(|| format!("{} inherits from it", child.name));
        }
        if let (Some(obstacle), false) = (obstacle, cascade) {
            self.refuse("2BP01", format!("{table} cannot be dropped: {obstacle}"));
            if !partitioned {
                return;
            }
        }
        if partitioned || cascade {
            self.tree(table, LockMode::AccessExclusive, Work::NONE);
        }
        self.dropped_foreign_keys(&known);
        if let Some(partition) = &known.partition {
            // The parent is locked first, so that nobody plans with the partition; its default partition's bound changes.
            self.certain(&partition.parent, LockMode::AccessExclusive, Work::NONE);
            if let Some(default) = schema.default_partition(&partition.parent) {
                let name = default.name.clone();
                self.certain(&name, LockMode::AccessExclusive, Work::NONE);
            }
        }
        let sequences: Vec<QualifiedName> = schema
            .sequences_of(table)
            .map(|sequence| sequence.name.clone())
            .collect();
        self.all(sequences, LockMode::AccessExclusive, Work::NONE);
    }

    /// Dropping a foreign key takes its triggers off the referenced table: ACCESS EXCLUSIVE there as well. A partition's
    /// inherited foreign keys are left to its parent.
    fn dropped_foreign_keys(&mut self, table: &Table) {
        if table.partition.is_some() {
            return;
        }
        for constraint in &table.constraints {
            if let Some(referenced) = &constraint.references {
                self.tree(referenced, LockMode::AccessExclusive, Work::NONE);
            }
        }
    }

    fn drop_schemas(&mut self, drop: &Drop) {
        let schema = self.situation.schema;
        for name in &drop.names {
            let inside: Vec<(QualifiedName, bool)> = schema
                .relations()
                .filter(|(key, _)| key.schema == name.name)
                .map(|(key, relation)| (key.clone(), matches!(relation, Relation::Table(_))))
                .collect();
            if !inside.is_empty() && !drop.cascade {
                self.refuse("2BP01", format!("schema {name} is not empty"));
            }
            let all: Vec<QualifiedName> = inside.iter().map(|(key, _)| key.clone()).collect();
            for (key, is_table) in &inside {
                self.certain(key, LockMode::AccessExclusive, Work::NONE);
                if *is_table && drop.cascade {
                    self.drop_table(key, true, &all);
                }
            }
        }
    }
}

/// True for a relation that exists as far as the history knows.
pub(super) fn is_there(relation: Option<&Relation>) -> bool {
    match relation {
        None | Some(Relation::Dropped(_)) => false,
        Some(Relation::Table(table)) => table.known,
        Some(_) => true,
    }
}
