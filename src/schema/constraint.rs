//! Replay of constraints and indexes.

use std::sync::Arc;

use super::naming::{joined, unique_name};
use super::object::{Constraint, Index, Origin, TableKind};
use super::{Relation, Schema};
use crate::statement::table::Key;
use crate::statement::{
    ConstraintDef, ConstraintKind, CreateIndex, Element, Expr, Ident, QualifiedName,
};

impl Schema {
    /// Adds a constraint to a table, with the index that comes with it. NOT NULL only changes its column.
    pub(super) fn add_constraint(
        &mut self,
        table: &QualifiedName,
        def: &ConstraintDef,
        origin: Origin,
    ) {
        self.add_constraint_to(table, def, origin, false);
    }

    /// The same; with `only` without the table's children.
    pub(super) fn add_constraint_to(
        &mut self,
        table: &QualifiedName,
        def: &ConstraintDef,
        origin: Origin,
        only: bool,
    ) {
        let written = def.name.as_ref().map(|name| name.text.clone());
        let references = match &def.kind {
            ConstraintKind::ForeignKey(key) => Some(self.resolve(&key.table)),
            _ => None,
        };
        if let ConstraintKind::NotNull(column) = &def.kind {
            let name: Box<str> = written.unwrap_or_else(|| {
                unique_name(&table.name, Some(&column.text), "not_null", |_| false).into()
            });
            let mut tables = vec![table.clone()];
            if !only && !def.no_inherit {
                let below = self.descendants(table).into_iter();
                tables.extend(below.map(|child| child.name.clone()));
            }
            for place in tables {
                self.change_table_at(&place, origin, |found| {
                    if let Some(column) = found.column_mut(&column.text) {
                        column.not_null_own |= place == *table;
                        if def.not_valid {
                            column.not_null_not_valid = Some(name.clone());
                        } else {
                            column.not_null = true;
                        }
                    }
                });
            }
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
        let name: Box<str> = match (written, &using_index) {
            (Some(name), _) => name,
            (None, Some(index)) => index.clone(),
            (None, None) => self.constraint_name(table, &def.kind),
        };
        if let Some(existing) = self
            .table_at(table)
            .and_then(|found| found.constraint(&name))
        {
            // A CHECK of a child that has the parent's name becomes one with it; anything else PostgreSQL refuses.
            if matches!(existing.def.kind, ConstraintKind::Check(_))
                && matches!(def.kind, ConstraintKind::Check(_))
                && !existing.own
            {
                self.edit_constraint(table, &name, |constraint| constraint.own = true);
            }
            return;
        }
        let mut def = def.clone();
        if let ConstraintKind::ForeignKey(foreign) = &mut def.kind
            && foreign.referenced.is_empty()
            && let Some(target) = &references
        {
            foreign.referenced = self.primary_key_columns(target);
        }
        if let Some(index) = using_index {
            self.adopt_index(table, &index, &name, &mut def.kind);
        } else if let Some(mut index) = backing_index(table, &name, &def.kind, origin) {
            let waits = only
                && self
                    .table_at(table)
                    .is_some_and(|table| table.kind == TableKind::Partitioned)
                && !self.child_names(table).is_empty();
            index.valid = !waits;
            self.put(index.name.clone(), Relation::Index(Arc::new(index)));
        }
        let valid = !def.not_valid && !def.not_enforced;
        if let ConstraintKind::PrimaryKey(key) = &def.kind {
            self.set_key_not_null(table, &key.columns, only);
        }
        self.change_table_at(table, origin, |table| {
            table.constraints.push(Constraint {
                name: name.clone(),
                def,
                valid,
                references,
                own: true,
                parent: None,
                created: origin,
                validated: None,
            });
        });
        if !only {
            self.hand_down(table, &name, origin);
        }
    }

    /// The columns of a primary key are NOT NULL, without ONLY in children too.
    fn set_key_not_null(&mut self, table: &QualifiedName, columns: &[Ident], only: bool) {
        let mut tables = vec![table.clone()];
        if !only {
            let below = self.descendants(table).into_iter();
            tables.extend(below.map(|child| child.name.clone()));
        }
        for name in tables {
            self.edit_table(&name, |found| {
                for column in columns {
                    if let Some(column) = found.column_mut(&column.text) {
                        column.not_null = true;
                        column.not_null_own |= name == *table;
                    }
                }
            });
        }
    }

    /// A new constraint of a table goes on to its partitions (and a CHECK to inheritance children), whatever the depth.
    pub(super) fn hand_down(&mut self, table: &QualifiedName, name: &str, origin: Origin) {
        let Some(parent) = self.table_at(table).cloned() else {
            return;
        };
        let Some(constraint) = parent.constraint(name) else {
            return;
        };
        if let ConstraintKind::Check(_) = constraint.def.kind {
            if constraint.def.no_inherit {
                return;
            }
            for child in self.child_names(table) {
                let has = self
                    .table_at(&child)
                    .is_some_and(|child| child.constraint(name).is_some());
                if !has {
                    let copy = Constraint {
                        own: false,
                        created: origin,
                        ..constraint.clone()
                    };
                    self.change_table_at(&child, origin, |child| child.constraints.push(copy));
                    self.hand_down(&child, name, origin);
                }
            }
            return;
        }
        if parent.kind != TableKind::Partitioned {
            return;
        }
        for child in self.child_names(table) {
            match constraint.def.kind {
                ConstraintKind::ForeignKey(_) => {
                    self.inherit_foreign_key(constraint, &child, origin);
                }
                _ => self.inherit_indexes(table, &child, origin),
            }
        }
    }

    /// Names of the direct partitions and inheritance children of a table.
    pub(super) fn child_names(&self, table: &QualifiedName) -> Vec<QualifiedName> {
        self.linked_names(table, super::links::Link::Child)
    }

    pub(super) fn edit_constraint(
        &mut self,
        table: &QualifiedName,
        name: &str,
        change: impl FnOnce(&mut Constraint),
    ) {
        self.edit_table(table, |table| {
            if let Some(found) = table.constraints.iter_mut().find(|c| &*c.name == name) {
                change(found);
            }
        });
    }

    pub(super) fn primary_key_columns(&self, table: &QualifiedName) -> Vec<Ident> {
        match self
            .table_at(table)
            .and_then(|table| table.primary_key())
            .map(|key| &key.def.kind)
        {
            Some(ConstraintKind::PrimaryKey(key)) => key.columns.clone(),
            _ => Vec::new(),
        }
    }

    /// The name PostgreSQL gives to a constraint without one. Names of indexes must be free among the relations and the
    /// constraints of the schema; other constraints look at the constraints only.
    fn constraint_name(&self, table: &QualifiedName, kind: &ConstraintKind) -> Box<str> {
        self.constraint_name_over(table, kind, None)
    }

    /// The same for a key that is made like one with that index: the attributes of an index keep the names that the
    /// columns had when it was made.
    pub(super) fn cloned_constraint_name(
        &self,
        table: &QualifiedName,
        index: &Index,
        kind: &ConstraintKind,
    ) -> Box<str> {
        let names = attribute_names(index);
        let names = joined(names.iter().map(String::as_str));
        self.constraint_name_over(table, kind, Some(names))
    }

    fn constraint_name_over(
        &self,
        table: &QualifiedName,
        kind: &ConstraintKind,
        attributes: Option<String>,
    ) -> Box<str> {
        let names = |columns: &[Ident]| joined(columns.iter().map(|column| &*column.text));
        let (columns, label, is_index): (Option<String>, _, _) = match kind {
            ConstraintKind::PrimaryKey(_) => (None, "pkey", true),
            ConstraintKind::NotNull(column) => (Some(column.text.to_string()), "not_null", false),
            ConstraintKind::Check(expr) => {
                // A CHECK over exactly one column is named after it.
                let mut names: Vec<&str> = expr.columns().collect();
                names.sort_unstable();
                names.dedup();
                let only = (names.len() == 1).then(|| names[0].to_owned());
                (only, "check", false)
            }
            ConstraintKind::Unique(key) => {
                let all: Vec<Ident> = key.columns.iter().chain(&key.include).cloned().collect();
                (Some(names(&all)), "key", true)
            }
            ConstraintKind::Exclude { elements, .. } => {
                let names = element_names(elements, &[]);
                (Some(joined(names.iter().map(String::as_str))), "excl", true)
            }
            ConstraintKind::ForeignKey(key) => (Some(names(&key.columns)), "fkey", false),
        };
        let columns = match (columns, attributes) {
            (Some(_), Some(attributes)) => Some(attributes),
            (columns, _) => columns,
        };
        let taken = |candidate: &str| {
            self.is_constraint_name(&table.schema, candidate)
                || is_index && !self.is_free(&QualifiedName::new(&table.schema, candidate))
        };
        unique_name(&table.name, columns.as_deref(), label, taken).into()
    }

    /// `ADD CONSTRAINT … USING INDEX`: the index is renamed to the constraint and belongs to it; the constraint has its
    /// columns.
    fn adopt_index(
        &mut self,
        table: &QualifiedName,
        index: &str,
        constraint: &str,
        kind: &mut ConstraintKind,
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
        if let ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) = kind {
            let elements = adopted.elements.iter();
            key.columns = elements
                .filter_map(|element| element.column.clone())
                .collect();
            key.include.clone_from(&adopted.include);
        }
        self.take(&old);
        self.put(new, Relation::Index(Arc::new(adopted)));
    }

    pub(super) fn create_index(&mut self, create: &CreateIndex, origin: Origin) {
        let table = self.resolve(&create.table);
        let name = match &create.name {
            Some(name) => QualifiedName::new(&table.schema, &name.text),
            None => {
                let columns = element_names(&create.elements, &create.include);
                let columns = joined(columns.iter().map(String::as_str));
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
        let children = match self.table_at(&table) {
            Some(found) if found.kind == TableKind::Partitioned => self.child_names(&table),
            _ => Vec::new(),
        };
        let index = Index {
            name: name.clone(),
            table: table.clone(),
            unique: create.unique,
            method: create.method.clone(),
            elements: labelled(&create.elements),
            include: create.include.clone(),
            predicate: create.predicate.clone(),
            nulls_not_distinct: create.nulls_not_distinct,
            // One that is made on ONLY the parent waits for its parts.
            valid: !create.only || children.is_empty(),
            constraint: None,
            parent: None,
            created: origin,
            concurrently: create.concurrently,
        };
        self.put(name, Relation::Index(Arc::new(index.clone())));
        if !create.only {
            for child in children {
                self.inherit_index(&index, &child, origin);
            }
        }
    }

    /// A new partition gets an index for each index of its parent, or gives one of its own.
    pub(super) fn inherit_indexes(
        &mut self,
        parent: &QualifiedName,
        child: &QualifiedName,
        origin: Origin,
    ) {
        for index in self.indexes_by_age(parent) {
            self.inherit_index(&index, child, origin);
        }
    }

    fn inherit_index(&mut self, index: &Index, child: &QualifiedName, origin: Origin) {
        if self
            .table_at(child)
            .is_none_or(|child| child.kind == TableKind::Foreign)
        {
            return;
        }
        let own = self.indexes_by_age(child);
        if own
            .iter()
            .any(|own| own.parent.as_ref() == Some(&index.name))
        {
            return;
        }
        let twin = own.iter().find(|own| {
            own.parent.is_none()
                && own.constraint.is_some() >= index.constraint.is_some()
                && same_index(own, index)
        });
        if let Some(twin) = twin {
            self.attach_index(&twin.name, &index.name);
            return;
        }
        let constraint = index.constraint.as_ref().and_then(|name| {
            let parent = self.table_at(&index.table)?;
            parent.constraint(name).cloned()
        });
        let made = match constraint {
            Some(constraint) => {
                let name = self.cloned_constraint_name(child, index, &constraint.def.kind);
                let mut def = constraint.def.clone();
                def.name = Some(Ident::new(name.clone(), def.span));
                if let ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) = &mut def.kind
                {
                    key.using_index = None;
                }
                self.add_constraint(child, &def, origin);
                QualifiedName::new(&child.schema, &name)
            }
            None => self.copy_index(index, child, None, origin),
        };
        self.attach_index(&made, &index.name);
        // The index of a partition that has partitions itself goes on to them.
        let Some(Relation::Index(made)) = self.relations.get(&made).cloned() else {
            return;
        };
        if self
            .table_at(child)
            .is_some_and(|child| child.kind == TableKind::Partitioned)
        {
            for grandchild in self.child_names(child) {
                self.inherit_index(&made, &grandchild, origin);
            }
        }
    }

    /// An index of a partition becomes a part of one of the partitioned table, its constraint likewise. With the last
    /// missing part the index of the partitioned table becomes valid.
    pub(super) fn attach_index(&mut self, part: &QualifiedName, whole: &QualifiedName) {
        let (Some(Relation::Index(part_index)), Some(Relation::Index(whole_index))) = (
            self.relations.get(part).cloned(),
            self.relations.get(whole).cloned(),
        ) else {
            return;
        };
        self.edit_index(part, |index| index.parent = Some(whole.clone()));
        if let (Some(own), Some(parent)) = (&part_index.constraint, &whole_index.constraint) {
            self.edit_constraint(&part_index.table, own, |constraint| {
                constraint.parent = Some(parent.clone());
                constraint.own = false;
            });
        }
        self.validate_index(whole);
    }

    fn validate_index(&mut self, whole: &QualifiedName) {
        let Some(Relation::Index(index)) = self.relations.get(whole).cloned() else {
            return;
        };
        if index.valid {
            return;
        }
        let complete = self.child_names(&index.table).iter().all(|child| {
            self.indexes_of(child)
                .any(|own| own.parent.as_ref() == Some(whole) && own.valid)
        });
        if complete {
            self.edit_index(whole, |index| index.valid = true);
            if let Some(parent) = &index.parent {
                self.validate_index(parent);
            }
        }
    }

    /// A new partition has the foreign keys of its parent, or gives its own for them.
    pub(super) fn inherit_foreign_keys(
        &mut self,
        parent: &QualifiedName,
        child: &QualifiedName,
        origin: Origin,
    ) {
        let Some(table) = self.table_at(parent).cloned() else {
            return;
        };
        for constraint in &table.constraints {
            if matches!(constraint.def.kind, ConstraintKind::ForeignKey(_)) {
                self.inherit_foreign_key(constraint, child, origin);
            }
        }
    }

    fn inherit_foreign_key(
        &mut self,
        constraint: &Constraint,
        child: &QualifiedName,
        origin: Origin,
    ) {
        let Some(table) = self.table_at(child).cloned() else {
            return;
        };
        let twin = table.constraints.iter().find(|own| {
            own.parent.is_none()
                && own.references == constraint.references
                && same_foreign_key(&own.def.kind, &constraint.def.kind)
        });
        let name = if let Some(twin) = twin {
            let name = twin.name.clone();
            self.edit_constraint(child, &name, |own| {
                own.parent = Some(constraint.name.clone());
                own.own = false;
            });
            name
        } else {
            let name = if table.constraint(&constraint.name).is_some() {
                self.constraint_name(child, &constraint.def.kind)
            } else {
                constraint.name.clone()
            };
            let copy = Constraint {
                name: name.clone(),
                own: false,
                parent: Some(constraint.name.clone()),
                created: origin,
                ..constraint.clone()
            };
            self.edit_table(child, |child| child.constraints.push(copy));
            name
        };
        self.hand_down(child, &name, origin);
    }
}

/// Names of an index's attributes, which do not change with the columns.
pub(super) fn attribute_names(index: &Index) -> Vec<String> {
    let keys = index.elements.iter().map(|element| {
        let column = element.column.as_ref().map(|column| &*column.text);
        element.label.as_deref().or(column).unwrap_or("expr")
    });
    let include = index.include.iter().map(|column| &*column.text);
    keys.chain(include).map(ToOwned::to_owned).collect()
}

/// Gives the elements of a new index the names of its attributes.
fn labelled(elements: &[Element]) -> Vec<Element> {
    let names = element_names(elements, &[]);
    elements
        .iter()
        .zip(names)
        .map(|(element, name)| Element {
            label: Some(name.into()),
            ..element.clone()
        })
        .collect()
}

/// What an index is named after: its columns, a word for each expression, a number behind one that was there before
/// (`ChooseIndexColumnNames`).
pub(super) fn element_names(elements: &[Element], include: &[Ident]) -> Vec<String> {
    let words = elements
        .iter()
        .map(|element| match &element.column {
            Some(column) => &*column.text,
            None => element.label.as_deref().unwrap_or("expr"),
        })
        .chain(include.iter().map(|column| &*column.text));
    let mut names: Vec<String> = Vec::new();
    for word in words {
        let mut name = word.to_owned();
        let mut number = 1;
        while names.contains(&name) {
            name = format!("{word}{number}");
            number += 1;
        }
        names.push(name);
    }
    names
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
        label: None,
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
        elements: labelled(&elements),
        include,
        predicate,
        nulls_not_distinct,
        valid: true,
        constraint: Some(name.into()),
        parent: None,
        created: origin,
        concurrently: false,
    })
}

/// True if two indexes of tables with the same columns are alike (`CompareIndexInfo`).
fn same_index(left: &Index, right: &Index) -> bool {
    let same_expr = |left: Option<&Expr>, right: Option<&Expr>| match (left, right) {
        (Some(left), Some(right)) => left.same(right),
        (None, None) => true,
        _ => false,
    };
    let names = |columns: &[Ident]| -> Vec<Box<str>> {
        columns.iter().map(|column| column.text.clone()).collect()
    };
    left.unique == right.unique
        && left.method == right.method
        && left.nulls_not_distinct == right.nulls_not_distinct
        && names(&left.include) == names(&right.include)
        && left.elements.len() == right.elements.len()
        && left.elements.iter().zip(&right.elements).all(|(a, b)| {
            a.column == b.column
                && a.opclass == b.opclass
                && a.collation == b.collation
                && same_expr(a.expr.as_ref(), b.expr.as_ref())
        })
        && same_expr(left.predicate.as_ref(), right.predicate.as_ref())
}

fn same_foreign_key(left: &ConstraintKind, right: &ConstraintKind) -> bool {
    match (left, right) {
        (ConstraintKind::ForeignKey(a), ConstraintKind::ForeignKey(b)) => {
            a.columns == b.columns
                && a.referenced == b.referenced
                && a.on_delete == b.on_delete
                && a.on_update == b.on_update
        }
        _ => false,
    }
}
