//! Replay: what a statement makes of the schema.
//!
//! Replay follows PostgreSQL where it succeeds: a statement that would fail (a table that exists already) leaves the
//! schema as it is. `IF [NOT] EXISTS` is honoured. A statement that may not run (a branch of a `DO` block) is applied
//! where it adds something and only loosens what is known where it takes something away.

use std::sync::Arc;

use super::naming::{joined, unique_name};
use super::object::{
    Column, Constraint, Domain, EnumLabel, Function, Index, Origin, Partition, Sequence, Table,
    TableKind, Trigger, Type, TypeKind, View,
};
use super::{Relation, Schema};
use crate::statement::table::{ConstraintKind, Key};
use crate::statement::{
    AlterDomainAction, ColumnDef, ConstraintDef, CreateDomain, CreateFunction, CreateIndex,
    CreateTable, CreateTableAs, CreateTrigger, Drop, Element, Ident, InsertRows, Kind, Name,
    ObjectKind, Persistence, QualifiedName, Query, Rename, SetSchema, Statement, TypeDefinition,
    TypeName,
};

impl Schema {
    /// Applies a statement, without those inside it. `origin` says which one it is.
    pub fn apply(&mut self, statement: &Statement, origin: Origin) {
        let certain = !statement.conditional;
        match &statement.kind {
            Kind::CreateTable(create) => self.create_table(create, origin),
            Kind::CreateTableAs(create) => self.create_table_as(create, origin),
            Kind::AlterTable(alter) => self.alter_table(alter, origin, certain),
            Kind::Rename(rename) => self.rename(rename, origin),
            Kind::SetSchema(set) => self.set_schema(set, origin),
            Kind::Drop(drop) => self.drop_objects(drop, origin, certain),
            Kind::CreateIndex(create) => self.create_index(create, origin),
            Kind::CreateView(create) => {
                let name =
                    self.creation_name(&create.name, create.persistence == Persistence::Temporary);
                let replaces = create.or_replace
                    && matches!(self.relations.get(&name), Some(Relation::View(_)));
                if replaces || self.is_free(&name) {
                    self.put_view(name, false, true, &create.columns, &create.query, origin);
                }
            }
            Kind::RefreshMaterializedView(refresh) => {
                let key = self.resolve(&refresh.name);
                if let Some(Relation::View(view)) = self.relations.get_mut(&key) {
                    Arc::make_mut(view).populated = refresh.with_data;
                }
            }
            Kind::CreateSequence(create) => {
                let name =
                    self.creation_name(&create.name, create.persistence == Persistence::Temporary);
                if self.is_free(&name) {
                    let owned_by = create
                        .owned_by
                        .as_ref()
                        .map(|(table, column)| (self.resolve(table), column.text.clone()));
                    let sequence = Sequence {
                        name: name.clone(),
                        owned_by,
                        ty: create.ty.clone(),
                        created: origin,
                    };
                    self.relations
                        .insert_mut(name, Relation::Sequence(Arc::new(sequence)));
                }
            }
            Kind::AlterSequence(alter) => {
                let owner = alter
                    .owned_by
                    .as_ref()
                    .map(|(table, column)| (self.resolve(table), column.text.clone()));
                let key = self.resolve(&alter.name);
                if let Some(Relation::Sequence(sequence)) = self.relations.get_mut(&key) {
                    let sequence = Arc::make_mut(sequence);
                    if owner.is_some() {
                        sequence.owned_by = owner;
                    }
                    if alter.ty.is_some() {
                        sequence.ty.clone_from(&alter.ty);
                    }
                }
            }
            Kind::CreateType(create) => {
                let kind = match &create.definition {
                    TypeDefinition::Enum(labels) => TypeKind::Enum(
                        labels
                            .iter()
                            .map(|label| EnumLabel {
                                label: label.text.clone(),
                                created: origin,
                            })
                            .collect(),
                    ),
                    TypeDefinition::Composite(columns) => TypeKind::Composite(
                        columns
                            .iter()
                            .map(|column| new_column(column, origin))
                            .collect(),
                    ),
                    TypeDefinition::Range | TypeDefinition::Base => TypeKind::Other,
                };
                self.put_type(&create.name, kind, origin);
            }
            Kind::CreateDomain(create) => self.create_domain(create, origin),
            Kind::AlterDomain(alter) => self.alter_domain(&alter.name, &alter.action),
            Kind::AlterEnum(alter) => {
                let label = EnumLabel {
                    label: alter.new_label.text.clone(),
                    created: origin,
                };
                self.change_type(&alter.name, |ty| {
                    let TypeKind::Enum(labels) = &mut ty.kind else {
                        return;
                    };
                    let position =
                        |wanted: &Ident| labels.iter().position(|label| label.label == wanted.text);
                    match (&alter.old_label, &alter.neighbour) {
                        (Some(old), _) => {
                            if let Some(at) = position(old) {
                                labels[at].label = label.label;
                            }
                        }
                        (None, _) if position(&alter.new_label).is_some() => {}
                        (None, Some((neighbour, behind))) => {
                            let at = position(neighbour)
                                .map_or(labels.len(), |at| at + usize::from(*behind));
                            labels.insert(at, label);
                        }
                        (None, None) => labels.push(label),
                    }
                });
            }
            Kind::CreateFunction(create) => self.create_function(create, origin),
            Kind::CreateTrigger(create) => self.create_trigger(create, origin),
            Kind::Policy(policy, table) => {
                self.change_table(table, origin, |table| {
                    if !table.policies.contains(&policy.text) {
                        table.policies.push(policy.text.clone());
                    }
                });
            }
            Kind::Insert(insert) => {
                if insert.rows == InsertRows::Query {
                    self.fill(&insert.table, origin);
                }
            }
            Kind::Copy {
                table: Some(table),
                from: true,
            } => self.fill(table, origin),
            Kind::Comment(comment) => match (&comment.object, &comment.part) {
                (ObjectKind::Table, None) => {
                    self.change_table(&comment.name, origin, |table| {
                        table.comment.clone_from(&comment.text)
                    });
                }
                (ObjectKind::Column, Some(part)) => {
                    self.change_table(&comment.name, origin, |table| {
                        if let Some(column) = table.column_mut(&part.text) {
                            column.comment.clone_from(&comment.text);
                        }
                    })
                }
                _ => {}
            },
            Kind::Select(query) => {
                if let Some(into) = &query.into {
                    let create = CreateTableAs {
                        name: into.clone(),
                        materialized: false,
                        persistence: Persistence::Permanent,
                        if_not_exists: false,
                        with_data: true,
                        columns: Vec::new(),
                        query: (**query).clone(),
                    };
                    self.create_table_as(&create, origin);
                }
            }
            Kind::Set(set) if &*set.name == "search_path" => {
                let schemas = set
                    .value
                    .as_deref()
                    .map_or_else(|| vec!["public".into()], search_path);
                self.set_search_path(schemas);
            }
            _ => {}
        }
    }

    /// True if nothing of that name exists.
    pub(super) fn is_free(&self, name: &QualifiedName) -> bool {
        matches!(self.relations.get(name), None | Some(Relation::Dropped(_)))
    }

    /// Changes a table; one that the history does not know becomes known as far as statements tell.
    pub(super) fn change_table(
        &mut self,
        name: &Name,
        origin: Origin,
        change: impl FnOnce(&mut Table),
    ) {
        let key = self.resolve(name);
        self.change_table_at(&key, origin, change);
    }

    pub(super) fn change_table_at(
        &mut self,
        key: &QualifiedName,
        origin: Origin,
        change: impl FnOnce(&mut Table),
    ) {
        if !self.relations.contains_key(key) {
            let mut table = new_table(key.clone(), origin);
            table.known = false;
            self.relations
                .insert_mut(key.clone(), Relation::Table(Arc::new(table)));
        }
        if let Some(Relation::Table(table)) = self.relations.get_mut(key) {
            change(Arc::make_mut(table));
        }
    }

    fn fill(&mut self, table: &Name, origin: Origin) {
        let key = self.resolve(table);
        if let Some(Relation::Table(table)) = self.relations.get_mut(&key) {
            Arc::make_mut(table).filled = Some(origin);
        }
    }

    fn create_table(&mut self, create: &CreateTable, origin: Origin) {
        let name = self.creation_name(&create.name, create.persistence == Persistence::Temporary);
        if !self.is_free(&name) {
            return;
        }
        let mut table = new_table(name.clone(), origin);
        table.persistence = create.persistence;
        if create.foreign {
            table.kind = TableKind::Foreign;
        }
        if create.partition_by.is_some() {
            table.kind = TableKind::Partitioned;
            table.partition_by.clone_from(&create.partition_by);
        }
        for parent in &create.inherits {
            let parent = self.resolve(parent);
            self.inherit_columns(&mut table, &parent, origin);
            table.inherits.push(parent);
        }
        if let Some(of) = &create.of_type
            && let Some(ty) = self.type_named(of.schema.as_deref(), &of.name)
            && let TypeKind::Composite(columns) = &ty.kind
        {
            table
                .columns
                .extend(columns.iter().cloned().map(|column| Column {
                    created: origin,
                    ..column
                }));
        }
        let mut constraints = Vec::new();
        let mut indexes = Vec::new();
        for like in &create.like {
            let Some(source) = self.table(&like.table).cloned() else {
                continue;
            };
            for column in &source.columns {
                table.columns.push(Column {
                    default: column.default.clone().filter(|_| like.defaults),
                    identity: column.identity.filter(|_| like.identity),
                    generated: column.generated.clone().filter(|_| like.generated),
                    comment: None,
                    created: origin,
                    ..column.clone()
                });
            }
            if like.constraints {
                let checks = source
                    .constraints
                    .iter()
                    .filter(|c| matches!(c.def.kind, ConstraintKind::Check(_)));
                constraints.extend(checks.map(|check| ConstraintDef {
                    name: Some(Ident::new(check.name.clone(), check.def.span)),
                    ..check.def.clone()
                }));
            }
            if like.indexes {
                for index in self.indexes_of(&source.name) {
                    let primary = index
                        .constraint
                        .as_deref()
                        .and_then(|name| source.constraint(name));
                    match primary {
                        Some(constraint) => {
                            constraints.push(ConstraintDef {
                                name: None,
                                ..constraint.def.clone()
                            });
                        }
                        None => indexes.push(Index::clone(index)),
                    }
                }
            }
        }
        if let Some(of) = &create.partition_of {
            let parent = self.resolve(&of.parent);
            self.inherit_columns(&mut table, &parent, origin);
            table.partition = Some(Partition {
                parent,
                is_default: of.is_default,
                bound: of.bound.clone(),
            });
        }
        for column in &create.columns {
            merge_column(&mut table, new_column(column, origin));
            constraints.extend(column.constraints.iter().cloned());
        }
        constraints.extend(create.constraints.iter().cloned());
        let serial: Vec<(Box<str>, TypeName)> = create
            .columns
            .iter()
            .filter_map(|column| owned_sequence(column).map(|ty| (column.name.text.clone(), ty)))
            .collect();
        let parent = table
            .partition
            .as_ref()
            .map(|partition| partition.parent.clone());
        self.relations
            .insert_mut(name.clone(), Relation::Table(Arc::new(table)));
        for (column, ty) in serial {
            self.put_owned_sequence(&name, &column, ty, origin);
        }
        for constraint in &constraints {
            self.add_constraint(&name, constraint, origin);
        }
        for index in indexes {
            let first = joined(element_names(&index.elements));
            let fresh = unique_name(&name.name, Some(&first), "idx", |candidate| {
                !self.is_free(&QualifiedName::new(&name.schema, candidate))
            });
            let index_name = QualifiedName::new(&name.schema, &fresh);
            let copy = Index {
                name: index_name.clone(),
                table: name.clone(),
                created: origin,
                ..index
            };
            self.relations
                .insert_mut(index_name, Relation::Index(Arc::new(copy)));
        }
        if let Some(parent) = parent {
            self.inherit_parent_indexes(&parent, &name, origin);
        }
    }

    /// Columns (and CHECK constraints) that a child takes from its parent.
    fn inherit_columns(&self, table: &mut Table, parent: &QualifiedName, origin: Origin) {
        let Some(parent) = self.table_at(parent) else {
            table.known &= false;
            return;
        };
        for column in &parent.columns {
            merge_column(
                table,
                Column {
                    created: origin,
                    ..column.clone()
                },
            );
        }
        for constraint in &parent.constraints {
            let inherited = matches!(constraint.def.kind, ConstraintKind::Check(_))
                && !constraint.def.no_inherit;
            if inherited && table.constraint(&constraint.name).is_none() {
                table.constraints.push(Constraint {
                    created: origin,
                    ..constraint.clone()
                });
            }
        }
    }

    /// A new partition gets an index for each index of its parent, and the parent's keys and foreign keys.
    pub(super) fn inherit_parent_indexes(
        &mut self,
        parent: &QualifiedName,
        child: &QualifiedName,
        origin: Origin,
    ) {
        let Some(parent_table) = self.table_at(parent).cloned() else {
            return;
        };
        for constraint in &parent_table.constraints {
            if matches!(constraint.def.kind, ConstraintKind::Check(_)) {
                continue;
            }
            let same = self.table_at(child).is_some_and(|table| {
                table
                    .constraints
                    .iter()
                    .any(|own| same_key(&own.def.kind, &constraint.def.kind))
            });
            if !same {
                let def = ConstraintDef {
                    name: None,
                    ..without_index(&constraint.def, &parent_table, self)
                };
                self.add_constraint(child, &def, origin);
            }
        }
        let indexes: Vec<Arc<Index>> = self
            .indexes_of(parent)
            .filter(|index| index.constraint.is_none())
            .cloned()
            .collect();
        for index in indexes {
            let exists = self.indexes_of(child).any(|own| {
                own.columns().eq(index.columns())
                    && own.unique == index.unique
                    && own.method == index.method
            });
            if exists {
                continue;
            }
            let first = joined(element_names(&index.elements));
            let name = unique_name(&child.name, Some(&first), "idx", |candidate| {
                !self.is_free(&QualifiedName::new(&child.schema, candidate))
            });
            let name = QualifiedName::new(&child.schema, &name);
            let copy = Index {
                name: name.clone(),
                table: child.clone(),
                created: origin,
                valid: true,
                ..(*index).clone()
            };
            self.relations
                .insert_mut(name, Relation::Index(Arc::new(copy)));
        }
    }

    pub(super) fn put_owned_sequence(
        &mut self,
        table: &QualifiedName,
        column: &str,
        ty: TypeName,
        origin: Origin,
    ) {
        let name = unique_name(&table.name, Some(column), "seq", |candidate| {
            !self.is_free(&QualifiedName::new(&table.schema, candidate))
        });
        let name = QualifiedName::new(&table.schema, &name);
        let sequence = Sequence {
            name: name.clone(),
            owned_by: Some((table.clone(), column.into())),
            ty: Some(ty),
            created: origin,
        };
        self.relations
            .insert_mut(name, Relation::Sequence(Arc::new(sequence)));
    }

    /// Adds a constraint to a table, with the index that comes with it. NOT NULL only changes its column.
    pub(super) fn add_constraint(
        &mut self,
        table: &QualifiedName,
        def: &ConstraintDef,
        origin: Origin,
    ) {
        let written = def.name.as_ref().map(|name| name.text.clone());
        let references = match &def.kind {
            ConstraintKind::ForeignKey(key) => Some(self.resolve(&key.table)),
            _ => None,
        };
        if let ConstraintKind::NotNull(column) = &def.kind {
            let name = written.unwrap_or_else(|| {
                unique_name(&table.name, Some(&column.text), "not_null", |_| false).into()
            });
            self.change_table_at(table, origin, |table| {
                if let Some(column) = table.column_mut(&column.text) {
                    if def.not_valid {
                        column.not_null_not_valid = Some(name);
                    } else {
                        column.not_null = true;
                    }
                }
            });
            return;
        }
        let using_index = match &def.kind {
            ConstraintKind::PrimaryKey(Key {
                using_index: Some(index),
                ..
            })
            | ConstraintKind::Unique(Key {
                using_index: Some(index),
                ..
            }) => Some(index.text.clone()),
            _ => None,
        };
        let taken = |candidate: &str| {
            !self.is_free(&QualifiedName::new(&table.schema, candidate))
                || self
                    .table_at(table)
                    .is_some_and(|table| table.constraint(candidate).is_some())
        };
        let name: Box<str> = match (written, &using_index) {
            (Some(name), _) => name,
            (None, Some(index)) => index.clone(),
            (None, None) => self.constraint_name(table, &def.kind, taken),
        };
        if self
            .table_at(table)
            .is_some_and(|table| table.constraint(&name).is_some())
        {
            return;
        }
        if let Some(index) = using_index {
            self.adopt_index(table, &index, &name, &def.kind, origin);
        } else if let Some(index) = backing_index(table, &name, &def.kind, origin) {
            self.relations
                .insert_mut(index.name.clone(), Relation::Index(Arc::new(index)));
        }
        let valid = !def.not_valid && !def.not_enforced;
        self.change_table_at(table, origin, |table| {
            if let ConstraintKind::PrimaryKey(key) = &def.kind {
                for column in &key.columns {
                    if let Some(column) = table.column_mut(&column.text) {
                        column.not_null = true;
                    }
                }
            }
            let def = def.clone();
            table.constraints.push(Constraint {
                name,
                def,
                valid,
                references,
                created: origin,
                validated: None,
            });
        });
    }

    fn constraint_name(
        &self,
        table: &QualifiedName,
        kind: &ConstraintKind,
        taken: impl Fn(&str) -> bool,
    ) -> Box<str> {
        let columns: Option<String> = match kind {
            ConstraintKind::PrimaryKey(_) | ConstraintKind::NotNull(_) => None,
            ConstraintKind::Check(expr) => {
                // A CHECK over exactly one column is named after it.
                let mut names: Vec<&str> = expr.columns().collect();
                names.dedup();
                (names.len() == 1).then(|| names[0].to_owned())
            }
            ConstraintKind::Unique(key) => {
                Some(joined(key.columns.iter().map(|column| &*column.text)))
            }
            ConstraintKind::Exclude { elements, .. } => Some(joined(element_names(elements))),
            ConstraintKind::ForeignKey(key) => {
                Some(joined(key.columns.iter().map(|column| &*column.text)))
            }
        };
        let label = match kind {
            ConstraintKind::PrimaryKey(_) => "pkey",
            ConstraintKind::Check(_) => "check",
            ConstraintKind::Unique(_) => "key",
            ConstraintKind::Exclude { .. } => "excl",
            ConstraintKind::ForeignKey(_) => "fkey",
            ConstraintKind::NotNull(_) => "not_null",
        };
        unique_name(&table.name, columns.as_deref(), label, taken).into()
    }

    /// `ADD CONSTRAINT … USING INDEX`: the index is renamed to the constraint and belongs to it.
    fn adopt_index(
        &mut self,
        table: &QualifiedName,
        index: &str,
        constraint: &str,
        kind: &ConstraintKind,
        origin: Origin,
    ) {
        let old = QualifiedName::new(&table.schema, index);
        let Some(Relation::Index(found)) = self.relations.get(&old).cloned() else {
            return;
        };
        let new = QualifiedName::new(&table.schema, constraint);
        let adopted = Index {
            name: new.clone(),
            constraint: Some(constraint.into()),
            ..(*found).clone()
        };
        if matches!(kind, ConstraintKind::PrimaryKey(_)) {
            let columns: Vec<Box<str>> = adopted.columns().map(Into::into).collect();
            self.change_table_at(table, origin, |table| {
                for column in &columns {
                    if let Some(column) = table.column_mut(column) {
                        column.not_null = true;
                    }
                }
            });
        }
        self.relations.remove_mut(&old);
        self.relations
            .insert_mut(new, Relation::Index(Arc::new(adopted)));
    }

    fn create_table_as(&mut self, create: &CreateTableAs, origin: Origin) {
        let name = self.creation_name(&create.name, create.persistence == Persistence::Temporary);
        if !self.is_free(&name) {
            return;
        }
        if create.materialized {
            self.put_view(
                name,
                true,
                create.with_data,
                &create.columns,
                &create.query,
                origin,
            );
            return;
        }
        let mut table = new_table(name.clone(), origin);
        table.persistence = create.persistence;
        table.filled = create.with_data.then_some(origin);
        table.columns = create
            .columns
            .iter()
            .map(|column| Column {
                ty: None,
                ..bare_column(&column.text, origin)
            })
            .collect();
        self.relations
            .insert_mut(name, Relation::Table(Arc::new(table)));
    }

    fn put_view(
        &mut self,
        name: QualifiedName,
        materialized: bool,
        populated: bool,
        columns: &[Ident],
        query: &Query,
        origin: Origin,
    ) {
        let view = View {
            name: name.clone(),
            materialized,
            populated,
            columns: columns.iter().map(|column| column.text.clone()).collect(),
            reads: query.reads.iter().map(|name| self.resolve(name)).collect(),
            query: query.clone(),
            created: origin,
        };
        self.relations
            .insert_mut(name, Relation::View(Arc::new(view)));
    }

    fn create_index(&mut self, create: &CreateIndex, origin: Origin) {
        let table = self.resolve(&create.table);
        let name = match &create.name {
            Some(name) => QualifiedName::new(&table.schema, &name.text),
            None => {
                let columns = joined(element_names(&create.elements));
                let taken =
                    |candidate: &str| !self.is_free(&QualifiedName::new(&table.schema, candidate));
                QualifiedName::new(
                    &table.schema,
                    &unique_name(&table.name, Some(&columns), "idx", taken),
                )
            }
        };
        if !self.is_free(&name) {
            return;
        }
        let partitioned = self
            .table_at(&table)
            .is_some_and(|table| table.kind == TableKind::Partitioned);
        let index = Index {
            name: name.clone(),
            table: table.clone(),
            unique: create.unique,
            method: create.method.clone(),
            elements: create.elements.clone(),
            include: create.include.clone(),
            predicate: create.predicate.clone(),
            nulls_not_distinct: create.nulls_not_distinct,
            valid: !(partitioned && create.only),
            constraint: None,
            created: origin,
            concurrently: create.concurrently,
        };
        self.relations
            .insert_mut(name, Relation::Index(Arc::new(index)));
        if partitioned && !create.only {
            let children: Vec<QualifiedName> = self
                .children(&table)
                .map(|child| child.name.clone())
                .collect();
            for child in children {
                self.inherit_parent_indexes(&table, &child, origin);
            }
        }
    }

    fn put_type(&mut self, name: &Name, kind: TypeKind, origin: Origin) {
        let name = self.creation_name(name, false);
        if !self.types.contains_key(&name) {
            self.types.insert_mut(
                name.clone(),
                Arc::new(Type {
                    name,
                    kind,
                    created: origin,
                }),
            );
        }
    }

    pub(super) fn change_type(&mut self, name: &Name, change: impl FnOnce(&mut Type)) {
        let Some(key) = self
            .type_named(name.schema.as_deref(), &name.name)
            .map(|ty| ty.name.clone())
        else {
            return;
        };
        if let Some(ty) = self.types.get_mut(&key) {
            change(Arc::make_mut(ty));
        }
    }

    fn create_domain(&mut self, create: &CreateDomain, origin: Origin) {
        let mut domain = Domain {
            base: create.base.clone(),
            not_null: false,
            checks: Vec::new(),
            default: create.default.clone(),
        };
        for constraint in &create.constraints {
            add_domain_constraint(&mut domain, &create.name.name, constraint);
        }
        self.put_type(&create.name, TypeKind::Domain(Box::new(domain)), origin);
    }

    fn alter_domain(&mut self, name: &Name, action: &AlterDomainAction) {
        self.change_type(name, |ty| {
            let type_name = ty.name.name.clone();
            let TypeKind::Domain(domain) = &mut ty.kind else {
                return;
            };
            match action {
                AlterDomainAction::AddConstraint(constraint) => {
                    add_domain_constraint(domain, &type_name, constraint);
                }
                AlterDomainAction::ValidateConstraint(name) => {
                    for check in domain
                        .checks
                        .iter_mut()
                        .filter(|check| check.0 == name.text)
                    {
                        check.2 = true;
                    }
                }
                AlterDomainAction::DropConstraint(name) => {
                    domain.checks.retain(|check| check.0 != name.text)
                }
                AlterDomainAction::SetNotNull => domain.not_null = true,
                AlterDomainAction::DropNotNull => domain.not_null = false,
                AlterDomainAction::Default(default) => domain.default.clone_from(default),
            }
        });
    }

    fn create_function(&mut self, create: &CreateFunction, origin: Origin) {
        let name = self.creation_name(&create.name, false);
        let function = Function {
            arguments: create.arguments.clone(),
            language: create.language.clone(),
            volatility: create.volatility,
            sql_expression: create.sql_expression.clone(),
            procedure: create.procedure,
            returns: create.returns.clone(),
            created: origin,
        };
        let mut list = self
            .functions
            .get(&name)
            .map(|list| (**list).clone())
            .unwrap_or_default();
        match list
            .iter_mut()
            .find(|existing| existing.arguments == function.arguments)
        {
            Some(existing) if create.or_replace => *existing = function,
            Some(_) => {}
            None => list.push(function),
        }
        self.functions.insert_mut(name, Arc::new(list));
    }

    fn create_trigger(&mut self, create: &CreateTrigger, origin: Origin) {
        let trigger = Trigger {
            name: create.name.text.clone(),
            function: self.creation_name(&create.function, false),
            columns: create
                .columns
                .iter()
                .map(|column| column.text.clone())
                .collect(),
            when_columns: create
                .when
                .iter()
                .flat_map(|expr| expr.columns())
                .map(Into::into)
                .collect(),
            row: create.row,
            created: origin,
        };
        self.change_table(&create.table, origin, |table| {
            table
                .triggers
                .retain(|existing| existing.name != trigger.name);
            table.triggers.push(trigger);
        });
    }

    fn rename(&mut self, rename: &Rename, origin: Origin) {
        match (&rename.part, rename.object) {
            (Some(part), ObjectKind::Column | ObjectKind::Attribute) => {
                self.rename_column(&rename.relation, &part.text, &rename.to.text, origin);
            }
            (Some(part), ObjectKind::Constraint) => {
                let key = self.resolve(&rename.relation);
                self.rename_constraint(&key, &part.text, &rename.to.text, origin);
            }
            (Some(part), ObjectKind::Trigger) => {
                self.change_table(&rename.relation, origin, |table| {
                    for trigger in table
                        .triggers
                        .iter_mut()
                        .filter(|trigger| trigger.name == part.text)
                    {
                        trigger.name.clone_from(&rename.to.text);
                    }
                })
            }
            (Some(part), ObjectKind::Policy) => {
                self.change_table(&rename.relation, origin, |table| {
                    for policy in table
                        .policies
                        .iter_mut()
                        .filter(|policy| **policy == part.text)
                    {
                        policy.clone_from(&rename.to.text);
                    }
                })
            }
            (None, ObjectKind::Type | ObjectKind::Domain) => {
                self.move_type(&rename.relation, None, Some(&rename.to.text))
            }
            (None, ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine) => {
                let old = self.creation_name(&rename.relation, false);
                if let Some(list) = self.functions.get(&old).cloned() {
                    self.functions.remove_mut(&old);
                    self.functions
                        .insert_mut(QualifiedName::new(&old.schema, &rename.to.text), list);
                }
            }
            (None, ObjectKind::Schema) => {
                self.rename_schema(&rename.relation.name, &rename.to.text)
            }
            (None, _) => {
                let old = self.resolve(&rename.relation);
                let new = QualifiedName::new(&old.schema, &rename.to.text);
                self.move_relation(&old, &new, origin);
            }
            (Some(_), _) => {}
        }
    }

    fn set_schema(&mut self, set: &SetSchema, origin: Origin) {
        match set.object {
            ObjectKind::Type | ObjectKind::Domain => {
                self.move_type(&set.name, Some(&set.schema.text), None)
            }
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
                let old = self.creation_name(&set.name, false);
                if let Some(list) = self.functions.get(&old).cloned() {
                    self.functions.remove_mut(&old);
                    self.functions
                        .insert_mut(QualifiedName::new(&set.schema.text, &old.name), list);
                }
            }
            _ => {
                let old = self.resolve(&set.name);
                let indexes: Vec<QualifiedName> = self
                    .indexes_of(&old)
                    .map(|index| index.name.clone())
                    .collect();
                let sequences: Vec<QualifiedName> = self
                    .sequences()
                    .filter(|sequence| {
                        sequence
                            .owned_by
                            .as_ref()
                            .is_some_and(|(table, _)| *table == old)
                    })
                    .map(|sequence| sequence.name.clone())
                    .collect();
                for part in indexes.into_iter().chain(sequences).chain([old]) {
                    let new = QualifiedName::new(&set.schema.text, &part.name);
                    self.move_relation(&part, &new, origin);
                }
            }
        }
    }

    fn move_type(&mut self, name: &Name, schema: Option<&str>, to: Option<&str>) {
        let Some(ty) = self.type_named(name.schema.as_deref(), &name.name).cloned() else {
            return;
        };
        let old = ty.name.clone();
        let new = QualifiedName::new(schema.unwrap_or(&old.schema), to.unwrap_or(&old.name));
        self.types.remove_mut(&old);
        self.types.insert_mut(
            new.clone(),
            Arc::new(Type {
                name: new.clone(),
                ..(*ty).clone()
            }),
        );
        // Columns follow by OID: their written type name has to follow here.
        let users: Vec<QualifiedName> = self
            .tables()
            .filter(|table| {
                table
                    .columns
                    .iter()
                    .any(|column| self.is_of_type(column, &old))
            })
            .map(|table| table.name.clone())
            .collect();
        for user in users {
            if let Some(Relation::Table(table)) = self.relations.get_mut(&user) {
                for column in &mut Arc::make_mut(table).columns {
                    if let Some(ty) = &mut column.ty
                        && ty.name == old.name
                        && ty
                            .schema
                            .as_ref()
                            .is_none_or(|schema| *schema == old.schema)
                    {
                        ty.name.clone_from(&new.name);
                        ty.schema = ty.schema.is_some().then(|| new.schema.clone()).or_else(|| {
                            (!self.search_path.contains(&new.schema)).then(|| new.schema.clone())
                        });
                    }
                }
            }
        }
    }

    /// True if the column's type is that user-defined type.
    #[must_use]
    pub fn is_of_type(&self, column: &Column, ty: &QualifiedName) -> bool {
        column.ty.as_ref().is_some_and(|written| {
            written.name == ty.name
                && written
                    .schema
                    .as_ref()
                    .is_none_or(|schema| *schema == ty.schema)
        })
    }

    fn rename_schema(&mut self, old: &str, new: &str) {
        let moved = |name: &QualifiedName| {
            if &*name.schema == old {
                QualifiedName::new(new, &name.name)
            } else {
                name.clone()
            }
        };
        let relations: Vec<QualifiedName> = self
            .relations()
            .map(|(name, _)| name)
            .filter(|name| &*name.schema == old)
            .cloned()
            .collect();
        for name in relations {
            let target = moved(&name);
            let origin = match self.relations.get(&name) {
                Some(Relation::Table(table)) => table.created,
                Some(Relation::Index(index)) => index.created,
                Some(Relation::View(view)) => view.created,
                Some(Relation::Sequence(sequence)) => sequence.created,
                _ => continue,
            };
            self.move_relation(&name, &target, origin);
        }
        self.types = self
            .types
            .iter()
            .map(|(name, ty)| {
                let name = moved(name);
                (
                    name.clone(),
                    Arc::new(Type {
                        name,
                        ..(**ty).clone()
                    }),
                )
            })
            .collect();
        self.functions = self
            .functions
            .iter()
            .map(|(name, list)| (moved(name), list.clone()))
            .collect();
    }

    fn drop_objects(&mut self, drop: &Drop, origin: Origin, certain: bool) {
        if !certain {
            // It may still be there; what is known about it stays, and nothing is taken for gone.
            return;
        }
        for name in &drop.names {
            match drop.object {
                ObjectKind::Table
                | ObjectKind::ForeignTable
                | ObjectKind::View
                | ObjectKind::MaterializedView
                | ObjectKind::Sequence
                | ObjectKind::Index => {
                    let key = self.resolve(name);
                    self.drop_relation(&key, drop.cascade, origin);
                }
                ObjectKind::Type | ObjectKind::Domain => {
                    let found = self
                        .type_named(name.schema.as_deref(), &name.name)
                        .map(|ty| ty.name.clone());
                    if let Some(key) = found {
                        self.types.remove_mut(&key);
                        if drop.cascade {
                            self.drop_columns_of_type(&key, origin);
                        }
                    }
                }
                ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
                    let key = self.search(&name.name, |key| self.functions.contains_key(key));
                    let key = name
                        .schema
                        .as_ref()
                        .map_or(key, |schema| QualifiedName::new(schema, &name.name));
                    self.functions.remove_mut(&key);
                    if drop.cascade {
                        self.drop_triggers_of(&key);
                    }
                }
                ObjectKind::Schema => {
                    let inside: Vec<QualifiedName> = self
                        .relations()
                        .map(|(key, _)| key)
                        .filter(|key| key.schema == name.name)
                        .cloned()
                        .collect();
                    for key in inside {
                        self.drop_relation(&key, true, origin);
                    }
                    let types: Vec<QualifiedName> = self
                        .types
                        .keys()
                        .filter(|key| key.schema == name.name)
                        .cloned()
                        .collect();
                    for key in types {
                        self.types.remove_mut(&key);
                    }
                }
                ObjectKind::Trigger => {
                    if let Some(on) = &drop.on {
                        self.change_table(on, origin, |table| {
                            table.triggers.retain(|t| t.name != name.name)
                        });
                    }
                }
                ObjectKind::Policy => {
                    if let Some(on) = &drop.on {
                        self.change_table(on, origin, |table| {
                            table.policies.retain(|policy| *policy != name.name)
                        });
                    }
                }
                _ => {}
            }
        }
    }

    /// Drops a relation with what goes with it: indexes, owned sequences, and with CASCADE views and foreign keys.
    pub(super) fn drop_relation(&mut self, key: &QualifiedName, cascade: bool, origin: Origin) {
        if self.is_free(key) {
            self.relations
                .insert_mut(key.clone(), Relation::Dropped(origin));
            return;
        }
        let mut dropped = vec![key.clone()];
        dropped.extend(
            self.descendants(key)
                .into_iter()
                .filter(|child| cascade || child.partition.is_some())
                .map(|child| child.name.clone()),
        );
        let parts: Vec<QualifiedName> = self
            .relations()
            .filter(|(_, relation)| match relation {
                Relation::Index(index) => dropped.contains(&index.table),
                Relation::Sequence(sequence) => sequence
                    .owned_by
                    .as_ref()
                    .is_some_and(|(table, _)| dropped.contains(table)),
                _ => false,
            })
            .map(|(name, _)| name.clone())
            .collect();
        for name in dropped.iter().chain(&parts) {
            self.relations
                .insert_mut(name.clone(), Relation::Dropped(origin));
        }
        if cascade {
            let referencing: Vec<(QualifiedName, Box<str>)> = self
                .tables()
                .flat_map(|table| {
                    table
                        .constraints
                        .iter()
                        .map(move |constraint| (table, constraint))
                })
                .filter(|(_, constraint)| {
                    constraint
                        .references
                        .as_ref()
                        .is_some_and(|t| dropped.contains(t))
                })
                .map(|(table, constraint)| (table.name.clone(), constraint.name.clone()))
                .collect();
            for (table, constraint) in referencing {
                self.drop_constraint(&table, &constraint, origin);
            }
            for name in dropped {
                self.drop_views_reading(&name, None, origin);
            }
        }
    }

    /// Drops the views that read a relation (or one column of it), and those that read them.
    pub(super) fn drop_views_reading(
        &mut self,
        name: &QualifiedName,
        column: Option<&str>,
        origin: Origin,
    ) {
        let views: Vec<QualifiedName> = self
            .views()
            .filter(|view| view.reads.contains(name))
            .filter(|view| {
                column.is_none_or(|column| {
                    view.query.star
                        || view
                            .query
                            .columns
                            .iter()
                            .any(|mentioned| &*mentioned.text == column)
                })
            })
            .map(|view| view.name.clone())
            .collect();
        for view in views {
            self.drop_relation(&view, true, origin);
        }
    }

    fn drop_columns_of_type(&mut self, ty: &QualifiedName, origin: Origin) {
        let users: Vec<(QualifiedName, Box<str>)> = self
            .tables()
            .flat_map(|table| table.columns.iter().map(move |column| (table, column)))
            .filter(|(_, column)| self.is_of_type(column, ty))
            .map(|(table, column)| (table.name.clone(), column.name.clone()))
            .collect();
        for (table, column) in users {
            self.drop_column(&table, &column, true, origin);
        }
    }

    fn drop_triggers_of(&mut self, function: &QualifiedName) {
        let users: Vec<QualifiedName> = self
            .tables()
            .filter(|table| {
                table
                    .triggers
                    .iter()
                    .any(|trigger| trigger.function == *function)
            })
            .map(|table| table.name.clone())
            .collect();
        for user in users {
            if let Some(Relation::Table(table)) = self.relations.get_mut(&user) {
                Arc::make_mut(table)
                    .triggers
                    .retain(|trigger| trigger.function != *function);
            }
        }
    }
}

/// Schemas of a `search_path` value.
fn search_path(value: &str) -> Vec<Box<str>> {
    value
        .split(',')
        .map(|schema| schema.trim().trim_matches(|c| c == '"' || c == '\''))
        .filter(|schema| !schema.is_empty() && *schema != "$user" && *schema != "pg_catalog")
        .map(Into::into)
        .collect()
}

fn new_table(name: QualifiedName, origin: Origin) -> Table {
    Table {
        name,
        kind: TableKind::Ordinary,
        known: true,
        persistence: Persistence::Permanent,
        columns: Vec::new(),
        constraints: Vec::new(),
        partition_by: None,
        partition: None,
        inherits: Vec::new(),
        triggers: Vec::new(),
        policies: Vec::new(),
        row_security: false,
        force_row_security: false,
        created: origin,
        filled: None,
        comment: None,
    }
}

fn bare_column(name: &str, origin: Origin) -> Column {
    Column {
        name: name.into(),
        ty: None,
        not_null: false,
        not_null_not_valid: None,
        default: None,
        identity: None,
        generated: None,
        collation: None,
        added: true,
        created: origin,
        comment: None,
    }
}

/// A column as its definition makes it. `serial` becomes its integer type.
pub(super) fn new_column(def: &ColumnDef, origin: Origin) -> Column {
    let ty = def.ty.as_ref().map(|ty| match ty.serial_base() {
        Some(base) => TypeName {
            span: ty.span,
            ..TypeName::builtin(base)
        },
        None => ty.clone(),
    });
    let serial = def.ty.as_ref().is_some_and(|ty| ty.serial_base().is_some());
    Column {
        ty,
        not_null: def.not_null || serial,
        default: def.default.clone(),
        identity: def.identity,
        generated: def.generated.clone(),
        collation: def.collation.clone(),
        ..bare_column(&def.name.text, origin)
    }
}

/// The type of the sequence that a serial or identity column brings with it.
pub(super) fn owned_sequence(def: &ColumnDef) -> Option<TypeName> {
    let ty = def.ty.as_ref()?;
    match ty.serial_base() {
        Some(base) => Some(TypeName::builtin(base)),
        None => def.identity.map(|_| ty.clone()),
    }
}

/// Adds a column, or merges it with the one of that name that came from a parent.
fn merge_column(table: &mut Table, column: Column) {
    match table.column_mut(&column.name) {
        Some(existing) => {
            existing.not_null |= column.not_null;
            if column.default.is_some() {
                existing.default = column.default;
            }
            if existing.ty.is_none() {
                existing.ty = column.ty;
            }
        }
        None => table.columns.push(column),
    }
}

fn add_domain_constraint(domain: &mut Domain, domain_name: &str, constraint: &ConstraintDef) {
    match &constraint.kind {
        ConstraintKind::Check(expr) => {
            let name = constraint.name.as_ref().map_or_else(
                || {
                    let taken = |name: &str| domain.checks.iter().any(|check| &*check.0 == name);
                    unique_name(domain_name, None, "check", taken).into()
                },
                |name| name.text.clone(),
            );
            domain
                .checks
                .push((name, expr.clone(), !constraint.not_valid));
        }
        ConstraintKind::NotNull(_) => domain.not_null = true,
        _ => {}
    }
}

/// What an index is named after: its columns, and `expr` for an expression.
fn element_names(elements: &[Element]) -> impl Iterator<Item = &str> {
    elements.iter().map(|element| {
        element
            .column
            .as_ref()
            .map_or("expr", |column| &*column.text)
    })
}

/// The index that comes with a key or exclusion constraint.
fn backing_index(
    table: &QualifiedName,
    name: &str,
    kind: &ConstraintKind,
    origin: Origin,
) -> Option<Index> {
    let plain = |column: &Ident| Element {
        column: Some(column.clone()),
        expr: None,
        opclass: None,
        collation: None,
        default_order: true,
        operator: None,
    };
    let (method, elements, include, predicate, unique, nulls_not_distinct): (
        Box<str>,
        _,
        _,
        _,
        _,
        _,
    ) = match kind {
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => (
            "btree".into(),
            key.columns.iter().map(plain).collect(),
            key.include.clone(),
            None,
            true,
            key.nulls_not_distinct,
        ),
        ConstraintKind::Exclude {
            method,
            elements,
            predicate,
        } => (
            method.clone(),
            elements.clone(),
            Vec::new(),
            predicate.clone(),
            false,
            false,
        ),
        _ => return None,
    };
    Some(Index {
        name: QualifiedName::new(&table.schema, name),
        table: table.clone(),
        unique,
        method,
        elements,
        include,
        predicate,
        nulls_not_distinct,
        valid: true,
        constraint: Some(name.into()),
        created: origin,
        concurrently: false,
    })
}

/// A key that was made from an index, written with its columns: what a partition takes over.
fn without_index(def: &ConstraintDef, table: &Table, schema: &Schema) -> ConstraintDef {
    let mut def = def.clone();
    if let ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) = &mut def.kind
        && let Some(index) = key.using_index.take()
    {
        let columns = schema
            .indexes_of(&table.name)
            .find(|candidate| {
                candidate.constraint.as_deref() == Some(&*index.text)
                    || candidate.name.name == index.text
            })
            .map(|index| {
                index
                    .elements
                    .iter()
                    .filter_map(|element| element.column.clone())
                    .collect()
            });
        key.columns = columns.unwrap_or_default();
    }
    def
}

fn same_key(left: &ConstraintKind, right: &ConstraintKind) -> bool {
    match (left, right) {
        (ConstraintKind::PrimaryKey(_), ConstraintKind::PrimaryKey(_)) => true,
        (ConstraintKind::Unique(a), ConstraintKind::Unique(b)) => a.columns == b.columns,
        (ConstraintKind::ForeignKey(a), ConstraintKind::ForeignKey(b)) => {
            a.columns == b.columns && a.table == b.table
        }
        _ => false,
    }
}
