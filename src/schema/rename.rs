//! Replay of renames and moves: what refers to an object follows it, as it does by OID in PostgreSQL.

use std::sync::Arc;

use super::links::Link;
use super::object::{Column, Function, Index, Origin, Sequence, Table, Type, TypeKind, View};
use super::{Relation, Schema, Uses};
use crate::statement::{
    ConstraintKind, Element, Expr, ExprKind, Ident, Name, ObjectKind, QualifiedName, Rename,
    SetSchema, TypeName,
};

impl Schema {
    pub(super) fn rename(&mut self, rename: &Rename, origin: Origin) {
        match (&rename.part, rename.object) {
            (Some(part), ObjectKind::Attribute) => {
                self.rename_attribute(&rename.relation, &part.text, &rename.to.text);
            }
            (Some(part), ObjectKind::DomainConstraint) => {
                self.change_type(&rename.relation, |ty| {
                    if let TypeKind::Domain(domain) = &mut ty.kind {
                        for check in domain.checks.iter_mut().filter(|c| c.0 == part.text) {
                            check.0.clone_from(&rename.to.text);
                        }
                    }
                });
            }
            (Some(part), ObjectKind::Column) => {
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
                        .filter(|policy| policy.name == part.text)
                    {
                        policy.name.clone_from(&rename.to.text);
                    }
                })
            }
            (Some(part), ObjectKind::Rule) => {
                self.change_table(&rename.relation, origin, |table| {
                    for rule in table.rules.iter_mut().filter(|rule| rule.name == part.text) {
                        rule.name.clone_from(&rename.to.text);
                    }
                })
            }
            (None, ObjectKind::Statistics) => {
                let old = self.statistics_key(&rename.relation);
                let new = QualifiedName::new(&old.schema, &rename.to.text);
                self.move_statistics(&old, &new);
            }
            (None, ObjectKind::Type | ObjectKind::Domain) => {
                self.move_type(&rename.relation, None, Some(&rename.to.text))
            }
            (None, ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine) => {
                let old = self.function_key(&rename.relation);
                let new = QualifiedName::new(&old.schema, &rename.to.text);
                self.move_function(&old, &new, rename.signature.as_deref());
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
            ObjectKind::Statistics => {
                let old = self.statistics_key(&set.name);
                let new = QualifiedName::new(&set.schema.text, &old.name);
                self.move_statistics(&old, &new);
            }
            ObjectKind::Type | ObjectKind::Domain => {
                self.move_type(&set.name, Some(&set.schema.text), None)
            }
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
                let old = self.function_key(&set.name);
                let new = QualifiedName::new(&set.schema.text, &old.name);
                self.move_function(&old, &new, set.signature.as_deref());
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
        self.follow_type(&old, &new);
    }

    /// Columns, domains and functions follow a type by OID; the names they are written with have to follow here.
    fn follow_type(&mut self, old: &QualifiedName, new: &QualifiedName) {
        let visible = self.search_path.contains(&new.schema);
        let rewrite = |ty: Option<&mut TypeName>| {
            if let Some(ty) = ty {
                ty.name.clone_from(&new.name);
                ty.schema = (ty.schema.is_some() || !visible).then(|| new.schema.clone());
            }
        };
        let follow = |columns: &mut Vec<Column>| {
            for column in columns {
                if column.user_type.as_ref() == Some(old) {
                    column.user_type = Some(new.clone());
                    rewrite(column.ty.as_mut());
                }
            }
        };
        for user in self.linked_names(old, Link::Type) {
            self.edit_table(&user, |table| {
                if table.of_type.as_ref() == Some(old) {
                    table.of_type = Some(new.clone());
                }
                follow(&mut table.columns);
            });
        }
        let concerned: Vec<QualifiedName> = self
            .types
            .values()
            .filter(|ty| match &ty.kind {
                TypeKind::Domain(domain) => domain.base_type.as_ref() == Some(old),
                TypeKind::Composite(columns) => {
                    columns.iter().any(|c| c.user_type.as_ref() == Some(old))
                }
                _ => false,
            })
            .map(|ty| ty.name.clone())
            .collect();
        for name in concerned {
            if let Some(ty) = self.types.get_mut(&name) {
                match &mut Arc::make_mut(ty).kind {
                    TypeKind::Domain(domain) => {
                        domain.base_type = Some(new.clone());
                        rewrite(Some(&mut domain.base));
                    }
                    TypeKind::Composite(columns) => follow(columns),
                    _ => {}
                }
            }
        }
        let functions: Vec<QualifiedName> = self
            .all_functions()
            .filter(|(_, function)| {
                let mut types = function
                    .argument_types
                    .iter()
                    .chain([&function.return_type]);
                types.any(|ty| ty.as_ref() == Some(old))
            })
            .map(|(name, _)| name.clone())
            .collect();
        for name in functions {
            if let Some(list) = self.functions.get_mut(&name) {
                for function in Arc::make_mut(list) {
                    let written = function.arguments.iter_mut();
                    for (ty, user) in written.zip(&mut function.argument_types) {
                        if user.as_ref() == Some(old) {
                            *user = Some(new.clone());
                            rewrite(Some(ty));
                        }
                    }
                    if function.return_type.as_ref() == Some(old) {
                        function.return_type = Some(new.clone());
                        rewrite(function.returns.as_mut());
                    }
                }
            }
        }
    }

    /// The key of the function that a name means.
    pub(super) fn function_key(&self, name: &Name) -> QualifiedName {
        match &name.schema {
            Some(schema) => QualifiedName::new(schema, &name.name),
            None => self.search(&name.name, |key| self.functions.contains_key(key)),
        }
    }

    /// True if the function takes arguments of these types.
    pub(super) fn same_arguments(&self, function: &Function, signature: &[TypeName]) -> bool {
        function.arguments.len() == signature.len()
            && function
                .arguments
                .iter()
                .zip(&function.argument_types)
                .zip(signature)
                .all(
                    |((own, user), other)| match (user, self.user_type(Some(other))) {
                        (Some(user), Some(other_user)) => {
                            *user == other_user && (own.dimensions > 0) == (other.dimensions > 0)
                        }
                        (None, None) => {
                            own.schema == other.schema
                                && own.name == other.name
                                && (own.dimensions > 0) == (other.dimensions > 0)
                        }
                        _ => own == other,
                    },
                )
    }

    /// Renames or moves a function (all of that name without a signature); triggers follow.
    fn move_function(
        &mut self,
        old: &QualifiedName,
        new: &QualifiedName,
        signature: Option<&[TypeName]>,
    ) {
        let Some(list) = self.functions.get(old) else {
            return;
        };
        let (moved, left): (Vec<Function>, Vec<Function>) =
            list.iter().cloned().partition(|function| {
                signature.is_none_or(|signature| self.same_arguments(function, signature))
            });
        let triggers = moved.iter().any(|function| function.arguments.is_empty());
        if left.is_empty() {
            self.functions.remove_mut(old);
        } else {
            self.functions.insert_mut(old.clone(), Arc::new(left));
        }
        let mut there = self
            .functions
            .get(new)
            .map(|list| (**list).clone())
            .unwrap_or_default();
        there.extend(moved);
        self.functions.insert_mut(new.clone(), Arc::new(there));
        self.note_readers(new);
        if triggers {
            for table in self.linked_names(old, Link::Trigger) {
                self.edit_table(&table, |table| {
                    for trigger in &mut table.triggers {
                        if trigger.function == *old {
                            trigger.function = new.clone();
                        }
                    }
                });
            }
        }
    }

    fn rename_attribute(&mut self, name: &Name, from: &str, to: &str) {
        let Some(key) = self
            .type_named(name.schema.as_deref(), &name.name)
            .map(|ty| ty.name.clone())
        else {
            return;
        };
        self.change_type(name, |ty| {
            if let TypeKind::Composite(columns) = &mut ty.kind {
                for column in columns.iter_mut().filter(|c| &*c.name == from) {
                    column.name = to.into();
                }
            }
        });
        for table in self.linked_names(&key, Link::Type) {
            let typed = self
                .table_at(&table)
                .is_some_and(|table| table.of_type.as_ref() == Some(&key));
            if typed {
                self.rename_column_at(&table, from, to);
            }
        }
    }

    /// True if the column's type is that user-defined type.
    #[must_use]
    pub fn is_of_type(&self, column: &Column, ty: &QualifiedName) -> bool {
        column.user_type.as_ref() == Some(ty)
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
        let inside = |name: &&QualifiedName| &*name.schema == old;
        let types: Vec<QualifiedName> = self.types.keys().filter(inside).cloned().collect();
        for name in types {
            if let Some(ty) = self.types.get(&name).cloned() {
                let new_name = moved(&name);
                self.types.remove_mut(&name);
                self.types.insert_mut(
                    new_name.clone(),
                    Arc::new(Type {
                        name: new_name.clone(),
                        ..(*ty).clone()
                    }),
                );
                self.follow_type(&name, &new_name);
            }
        }
        let functions: Vec<QualifiedName> = self.functions.keys().filter(inside).cloned().collect();
        for name in functions {
            self.move_function(&name, &moved(&name), None);
        }
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
                    self.rename_own_constraint(&index.table, &from, &new.name);
                }
                for part in self.parts_of(&index.table, old) {
                    self.edit_index(&part, |part| part.parent = Some(new.clone()));
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
            .map(|links| links.keys().cloned().collect())
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
                    let uses = std::mem::take(&mut view.uses);
                    view.uses = uses
                        .into_iter()
                        .map(|((relation, column), sure)| {
                            if relation == *old {
                                ((new.clone(), column), sure)
                            } else {
                                ((relation, column), sure)
                            }
                        })
                        .collect();
                }),
                Link::Code => self.edit_table(&name, |table| {
                    for uses in code_mut(table) {
                        let all = std::mem::take(uses).into_iter();
                        *uses = all
                            .map(|((relation, column), sure)| {
                                let relation = if relation == *old {
                                    new.clone()
                                } else {
                                    relation
                                };
                                ((relation, column), sure)
                            })
                            .collect();
                    }
                }),
                Link::Default => self.edit_table(&name, |table| {
                    for column in &mut table.columns {
                        if column.sequence.as_ref() == Some(old) {
                            column.sequence = Some(new.clone());
                        }
                    }
                }),
                // A default partition is a child; types and functions follow elsewhere.
                Link::DefaultPartition | Link::Type | Link::Trigger => {}
                Link::Sequence => self.edit_sequence(&name, |sequence| {
                    if let Some((table, _)) = &mut sequence.owned_by {
                        *table = new.clone();
                    }
                }),
            }
        }
    }

    /// Indexes of partitions that are parts of an index of the partitioned table.
    fn parts_of(&self, table: &QualifiedName, index: &QualifiedName) -> Vec<QualifiedName> {
        self.children(table)
            .flat_map(|child| self.indexes_of(&child.name))
            .filter(|part| part.parent.as_ref() == Some(index))
            .map(|part| part.name.clone())
            .collect()
    }

    fn rename_column(&mut self, relation: &Name, from: &str, to: &str, origin: Origin) {
        let key = self.resolve(relation);
        match self.relations.get(&key) {
            Some(Relation::View(_)) => {
                self.edit_view(&key, |view| {
                    for column in view.columns.iter_mut().filter(|column| &***column == from) {
                        *column = to.into();
                    }
                });
                self.rename_in_views(&key, from, to);
                for index in self.linked_names(&key, Link::Index) {
                    self.edit_index(&index, |index| rename_in_index(index, from, to));
                }
                return;
            }
            Some(Relation::Dropped(_)) => return,
            _ => self.change_table_at(&key, origin, |_| {}),
        }
        let mut tables: Vec<QualifiedName> = self
            .descendants(&key)
            .into_iter()
            .map(|child| child.name.clone())
            .collect();
        tables.push(key);
        for key in &tables {
            self.rename_column_at(key, from, to);
        }
    }

    fn rename_in_views(&mut self, relation: &QualifiedName, from: &str, to: &str) {
        for view in self.linked_names(relation, Link::View) {
            self.edit_view(&view, |view| {
                rename_in_uses(&mut view.uses, relation, from, to);
            });
        }
        for table in self.linked_names(relation, Link::Code) {
            self.edit_table(&table, |table| {
                for uses in code_mut(table) {
                    rename_in_uses(uses, relation, from, to);
                }
            });
        }
    }

    fn rename_column_at(&mut self, key: &QualifiedName, from: &str, to: &str) {
        self.edit_table(key, |table| {
            for column in table.columns.iter_mut().filter(|c| &*c.name == from) {
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
            let mentioned = table
                .triggers
                .iter_mut()
                .flat_map(|trigger| trigger.columns.iter_mut().chain(&mut trigger.when_columns))
                .chain(
                    table
                        .policies
                        .iter_mut()
                        .flat_map(|policy| policy.columns.iter_mut().chain(&mut policy.unsure)),
                )
                .chain(table.rules.iter_mut().flat_map(|rule| &mut rule.columns))
                .chain(table.statistics.iter_mut().flat_map(|s| &mut s.columns))
                .chain(table.publications.iter_mut().flat_map(|p| &mut p.columns));
            for column in mentioned.filter(|column| &***column == from) {
                *column = to.into();
            }
            if let Some(by) = &mut table.partition_by {
                for element in &mut by.key {
                    rename_in_element(element, from, to);
                }
            }
        });
        let indexes: Vec<QualifiedName> = self.linked_names(key, Link::Index);
        for index in indexes {
            self.edit_index(&index, |index| rename_in_index(index, from, to));
        }
        for table in self.linked_names(key, Link::Referencing) {
            self.edit_table(&table, |table| {
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
        for sequence in self.linked_names(key, Link::Sequence) {
            self.edit_sequence(&sequence, |sequence| {
                if let Some((_, column)) = &mut sequence.owned_by
                    && &**column == from
                {
                    *column = to.into();
                }
            });
        }
        self.rename_in_views(key, from, to);
    }

    fn rename_constraint(&mut self, key: &QualifiedName, from: &str, to: &str, origin: Origin) {
        let index = self
            .indexes_of(key)
            .find(|index| index.constraint.as_deref() == Some(from))
            .map(|index| index.name.clone());
        if let Some(old) = index {
            // The constraint goes with its index.
            let new = QualifiedName::new(&old.schema, to);
            self.move_relation(&old, &new, origin);
            return;
        }
        self.change_table_at(key, origin, |table| {
            for column in &mut table.columns {
                if column.not_null_not_valid.as_deref() == Some(from) {
                    column.not_null_not_valid = Some(to.into());
                }
            }
        });
        let is_check = self
            .table_at(key)
            .and_then(|table| table.constraint(from))
            .is_some_and(|constraint| matches!(constraint.def.kind, ConstraintKind::Check(_)));
        if is_check {
            for child in self.child_names(key) {
                self.rename_constraint(&child, from, to, origin);
            }
        }
        self.rename_own_constraint(key, from, to);
    }

    /// Gives a constraint of a table another name, and tells those of partitions that are parts of it.
    fn rename_own_constraint(&mut self, key: &QualifiedName, from: &str, to: &str) {
        self.edit_constraint(key, from, |constraint| constraint.name = to.into());
        for child in self.child_names(key) {
            self.edit_table(&child, |child| {
                for part in &mut child.constraints {
                    if part.parent.as_deref() == Some(from) {
                        part.parent = Some(to.into());
                    }
                }
            });
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
                rename_in_element(element, from, to);
            }
            if let Some(predicate) = predicate {
                rename_in_expr(predicate, from, to);
            }
        }
        ConstraintKind::ForeignKey(foreign) => rename_all(&mut foreign.columns, from, to),
    }
}

fn rename_in_element(element: &mut Element, from: &str, to: &str) {
    if let Some(column) = &mut element.column {
        rename_all(std::slice::from_mut(column), from, to);
    }
    if let Some(expr) = &mut element.expr {
        rename_in_expr(expr, from, to);
    }
}

fn rename_in_index(index: &mut Index, from: &str, to: &str) {
    for element in &mut index.elements {
        rename_in_element(element, from, to);
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

/// What the policies and rules of a table use elsewhere.
fn code_mut(table: &mut Table) -> impl Iterator<Item = &mut Uses> {
    let policies = table
        .policies
        .iter_mut()
        .map(|policy| &mut policy.elsewhere);
    policies.chain(table.rules.iter_mut().map(|rule| &mut rule.elsewhere))
}

fn rename_in_uses(uses: &mut Uses, relation: &QualifiedName, from: &str, to: &str) {
    if let Some(sure) = uses.remove(&(relation.clone(), from.into())) {
        uses.insert((relation.clone(), to.into()), sure);
    }
}
