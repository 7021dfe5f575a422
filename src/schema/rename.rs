//! Replay of renames and moves: what refers to an object follows it, as it does by OID in PostgreSQL.

use std::sync::Arc;

use super::links::Link;
use super::object::{Column, Index, Origin, Sequence, Table, Type, View};
use super::{Relation, Schema};
use crate::statement::{
    ConstraintKind, Expr, ExprKind, Ident, Name, ObjectKind, QualifiedName, Rename, SetSchema,
};

impl Schema {
    pub(super) fn rename(&mut self, rename: &Rename, origin: Origin) {
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

    pub(super) fn set_schema(&mut self, set: &SetSchema, origin: Origin) {
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
                    .sequences_of(&old)
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
        let visible = self.search_path.contains(&new.schema);
        for user in users {
            self.edit_table(&user, |table| {
                for ty in table
                    .columns
                    .iter_mut()
                    .filter_map(|column| column.ty.as_mut())
                {
                    let same_schema = ty
                        .schema
                        .as_ref()
                        .is_none_or(|schema| *schema == old.schema);
                    if ty.name == old.name && same_schema {
                        ty.name.clone_from(&new.name);
                        ty.schema = (ty.schema.is_some() || !visible).then(|| new.schema.clone());
                    }
                }
            });
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

    /// Renames or moves a relation; everything that refers to it follows, as it does by OID in PostgreSQL.
    pub(super) fn move_relation(
        &mut self,
        old: &QualifiedName,
        new: &QualifiedName,
        origin: Origin,
    ) {
        let Some(relation) = self.relations.get(old).cloned() else {
            // A relation the history does not make: under its new name no more is known of it.
            self.put(old.clone(), Relation::Dropped(origin));
            return;
        };
        if !self.is_free(new) {
            return;
        }
        let moved = match relation {
            Relation::Table(table) => Relation::Table(Arc::new(Table {
                name: new.clone(),
                ..(*table).clone()
            })),
            Relation::Index(index) => {
                let mut index = Index {
                    name: new.clone(),
                    ..(*index).clone()
                };
                if let Some(constraint) = &mut index.constraint {
                    let from = constraint.clone();
                    constraint.clone_from(&new.name);
                    let table = index.table.clone();
                    self.change_table_at(&table, origin, |table| {
                        for constraint in table.constraints.iter_mut().filter(|c| c.name == from) {
                            constraint.name.clone_from(&new.name);
                        }
                    });
                }
                Relation::Index(Arc::new(index))
            }
            Relation::View(view) => Relation::View(Arc::new(View {
                name: new.clone(),
                ..(*view).clone()
            })),
            Relation::Sequence(sequence) => Relation::Sequence(Arc::new(Sequence {
                name: new.clone(),
                ..(*sequence).clone()
            })),
            Relation::Dropped(_) => return,
        };
        self.put(old.clone(), Relation::Dropped(origin));
        self.put(new.clone(), moved);
        self.follow(old, new);
    }

    /// Rewrites references to a relation that got another name.
    fn follow(&mut self, old: &QualifiedName, new: &QualifiedName) {
        let names: Vec<(Link, QualifiedName)> = self
            .links
            .get(old)
            .map(|links| links.iter().cloned().collect())
            .unwrap_or_default();
        for (link, name) in names {
            match link {
                Link::Child | Link::Referencing => self.edit_table(&name, |table| {
                    let parent = table
                        .partition
                        .as_mut()
                        .map(|partition| &mut partition.parent);
                    let references = table
                        .constraints
                        .iter_mut()
                        .filter_map(|c| c.references.as_mut());
                    let all = parent
                        .into_iter()
                        .chain(&mut table.inherits)
                        .chain(references);
                    for name in all.filter(|name| *name == old) {
                        *name = new.clone();
                    }
                }),
                Link::Index => self.edit_index(&name, |index| index.table = new.clone()),
                Link::View => self.edit_view(&name, |view| {
                    for read in view.reads.iter_mut().filter(|read| *read == old) {
                        *read = new.clone();
                    }
                }),
                Link::Sequence => self.edit_sequence(&name, |sequence| {
                    if let Some((table, _)) = &mut sequence.owned_by {
                        *table = new.clone();
                    }
                }),
            }
        }
    }

    pub(super) fn rename_column(
        &mut self,
        relation: &crate::statement::Name,
        from: &str,
        to: &str,
        origin: Origin,
    ) {
        let key = self.resolve(relation);
        if let Some(Relation::View(_)) = self.relations.get(&key) {
            self.edit_view(&key, |view| {
                for column in view.columns.iter_mut().filter(|column| &***column == from) {
                    *column = to.into();
                }
            });
            return;
        }
        let mut tables: Vec<QualifiedName> = self
            .descendants(&key)
            .into_iter()
            .map(|child| child.name.clone())
            .collect();
        tables.push(key);
        for key in &tables {
            self.change_table_at(key, origin, |table| {
                for column in table
                    .columns
                    .iter_mut()
                    .filter(|column| &*column.name == from)
                {
                    column.name = to.into();
                }
                for constraint in &mut table.constraints {
                    rename_in_constraint(&mut constraint.def.kind, from, to);
                }
                for column in &mut table.columns {
                    if let Some(generated) = &mut column.generated {
                        rename_in_expr(&mut generated.expr, from, to);
                    }
                }
                for trigger in &mut table.triggers {
                    for column in trigger.columns.iter_mut().chain(&mut trigger.when_columns) {
                        if &**column == from {
                            *column = to.into();
                        }
                    }
                }
            });
            let indexes: Vec<QualifiedName> = self
                .indexes_of(key)
                .map(|index| index.name.clone())
                .collect();
            for index in indexes {
                self.edit_index(&index, |index| rename_in_index(index, from, to));
            }
            let referencing: Vec<QualifiedName> = self
                .referencing(key)
                .map(|(table, _)| table.name.clone())
                .collect();
            for table in referencing {
                self.change_table_at(&table, origin, |table| {
                    for constraint in table
                        .constraints
                        .iter_mut()
                        .filter(|c| c.references.as_ref() == Some(key))
                    {
                        if let ConstraintKind::ForeignKey(foreign) = &mut constraint.def.kind {
                            rename_all(&mut foreign.referenced, from, to);
                        }
                    }
                });
            }
            let sequences: Vec<QualifiedName> = self
                .sequences_of(key)
                .map(|sequence| sequence.name.clone())
                .collect();
            for sequence in sequences {
                self.edit_sequence(&sequence, |sequence| {
                    if let Some((_, column)) = &mut sequence.owned_by
                        && &**column == from
                    {
                        *column = to.into();
                    }
                });
            }
        }
    }

    pub(super) fn rename_constraint(
        &mut self,
        key: &QualifiedName,
        from: &str,
        to: &str,
        origin: Origin,
    ) {
        let index = self
            .indexes_of(key)
            .find(|index| index.constraint.as_deref() == Some(from))
            .map(|index| index.name.clone());
        self.change_table_at(key, origin, |table| {
            for constraint in table
                .constraints
                .iter_mut()
                .filter(|constraint| &*constraint.name == from)
            {
                constraint.name = to.into();
            }
        });
        if let Some(old) = index {
            let new = QualifiedName::new(&old.schema, to);
            self.move_relation(&old, &new, origin);
        }
    }
}

fn rename_all(columns: &mut [Ident], from: &str, to: &str) {
    for column in columns.iter_mut().filter(|column| &*column.text == from) {
        column.text = to.into();
    }
}

fn rename_in_constraint(kind: &mut ConstraintKind, from: &str, to: &str) {
    match kind {
        ConstraintKind::NotNull(name) => rename_all(std::slice::from_mut(name), from, to),
        ConstraintKind::Check(expr) => rename_in_expr(expr, from, to),
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => {
            rename_all(&mut key.columns, from, to);
            rename_all(&mut key.include, from, to);
        }
        ConstraintKind::Exclude {
            elements,
            predicate,
            ..
        } => {
            for element in elements {
                if let Some(column) = &mut element.column {
                    rename_all(std::slice::from_mut(column), from, to);
                }
                if let Some(expr) = &mut element.expr {
                    rename_in_expr(expr, from, to);
                }
            }
            if let Some(predicate) = predicate {
                rename_in_expr(predicate, from, to);
            }
        }
        ConstraintKind::ForeignKey(foreign) => rename_all(&mut foreign.columns, from, to),
    }
}

fn rename_in_index(index: &mut Index, from: &str, to: &str) {
    for element in &mut index.elements {
        if let Some(column) = &mut element.column {
            rename_all(std::slice::from_mut(column), from, to);
        }
        if let Some(expr) = &mut element.expr {
            rename_in_expr(expr, from, to);
        }
    }
    rename_all(&mut index.include, from, to);
    if let Some(predicate) = &mut index.predicate {
        rename_in_expr(predicate, from, to);
    }
}

/// Renames a column in an expression. Expressions are not nested deeper than the lowering allows.
fn rename_in_expr(expr: &mut Expr, from: &str, to: &str) {
    if let ExprKind::Column(parts) = &mut expr.kind
        && let Some(last) = parts.last_mut()
        && &**last == from
    {
        *last = to.into();
    }
    for child in expr.children_mut() {
        rename_in_expr(child, from, to);
    }
}
