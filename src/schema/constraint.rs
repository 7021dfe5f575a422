//! Replay of constraints and indexes.

use std::sync::Arc;

use super::naming::{joined, unique_name};
use super::object::{Constraint, Index, Origin, Table, TableKind};
use super::{Relation, Schema};
use crate::statement::table::Key;
use crate::statement::{ConstraintDef, ConstraintKind, CreateIndex, Element, Ident, QualifiedName};

impl Schema {
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
            self.put(index.name.clone(), Relation::Index(Arc::new(index)));
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
                // INCLUDE columns are part of the name (measured).
                let columns = key.columns.iter().chain(&key.include);
                Some(joined(columns.map(|column| &*column.text)))
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
        self.take(&old);
        self.put(new, Relation::Index(Arc::new(adopted)));
    }

    pub(super) fn create_index(&mut self, create: &CreateIndex, origin: Origin) {
        let table = self.resolve(&create.table);
        let name = match &create.name {
            Some(name) => QualifiedName::new(&table.schema, &name.text),
            None => {
                let columns = joined(index_names(&create.elements, &create.include));
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
        self.put(name, Relation::Index(Arc::new(index)));
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
            let first = joined(index_names(&index.elements, &index.include));
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
            self.put(name, Relation::Index(Arc::new(copy)));
        }
    }
}

/// The names that an index without one is named after: its keys, then what it includes (measured).
pub(super) fn index_names<'a>(
    elements: &'a [Element],
    include: &'a [Ident],
) -> impl Iterator<Item = &'a str> {
    element_names(elements).chain(include.iter().map(|column| &*column.text))
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
