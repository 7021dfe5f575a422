//! Replay of `CREATE TABLE`, `CREATE TABLE AS`, `CREATE VIEW` and what comes with them.

use std::sync::Arc;

use super::constraint::index_names;
use super::naming::{joined, unique_name};
use super::object::{
    Column, Constraint, Index, Origin, Partition, Sequence, Table, TableKind, TypeKind, View,
};
use super::{Relation, Schema};
use crate::statement::{
    ColumnDef, ConstraintDef, ConstraintKind, CreateTable, CreateTableAs, Ident, Persistence,
    QualifiedName, Query, TypeName,
};

impl Schema {
    pub(super) fn create_table(&mut self, create: &CreateTable, origin: Origin) {
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
        self.put(name.clone(), Relation::Table(Arc::new(table)));
        for (column, ty) in serial {
            self.put_owned_sequence(&name, &column, ty, origin);
        }
        for constraint in &constraints {
            self.add_constraint(&name, constraint, origin);
        }
        for index in indexes {
            let first = joined(index_names(&index.elements, &index.include));
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
            self.put(index_name, Relation::Index(Arc::new(copy)));
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
        self.put(name, Relation::Sequence(Arc::new(sequence)));
    }

    pub(super) fn create_table_as(&mut self, create: &CreateTableAs, origin: Origin) {
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
        self.put(name, Relation::Table(Arc::new(table)));
    }

    pub(super) fn put_view(
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
        self.put(name, Relation::View(Arc::new(view)));
    }
}

pub(super) fn new_table(name: QualifiedName, origin: Origin) -> Table {
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

pub(super) fn bare_column(name: &str, origin: Origin) -> Column {
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
