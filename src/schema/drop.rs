//! Replay of `DROP`, with what goes along.

use super::links::Link;
use super::object::{Index, Origin, TypeKind};
use super::{Relation, Schema};
use crate::statement::{
    ConstraintKind, Drop, Expr, ExprKind, Ident, ObjectKind, QualifiedName, TypeName,
};

impl Schema {
    pub(super) fn drop_objects(&mut self, drop: &Drop, origin: Origin, certain: bool) {
        if !certain {
            for name in &drop.names {
                self.doubt_dropped(drop, name, origin);
            }
            return;
        }
        for (position, name) in drop.names.iter().enumerate() {
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
                        self.drop_type(&key, drop.cascade, origin);
                    }
                }
                ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
                    let key = self.function_key(name);
                    let signature = drop.signatures.get(position).and_then(Option::as_deref);
                    self.drop_function(&key, signature, drop.cascade, origin);
                }
                ObjectKind::Schema => self.drop_schema(&name.name, origin),
                ObjectKind::Publication => {
                    let members: Vec<QualifiedName> = self
                        .tables()
                        .filter(|table| table.publications.iter().any(|p| p.name == name.name))
                        .map(|table| table.name.clone())
                        .collect();
                    for member in members {
                        self.edit_table(&member, |table| {
                            table.publications.retain(|p| p.name != name.name);
                        });
                    }
                }
                ObjectKind::Trigger => {
                    if let Some(on) = &drop.on {
                        self.drop_trigger(on, &name.name, origin);
                    }
                }
                ObjectKind::Policy => {
                    if let Some(on) = &drop.on {
                        self.change_table(on, origin, |table| {
                            table.policies.retain(|policy| policy.name != name.name);
                        });
                    }
                }
                // Without CASCADE it works only if nothing hangs on it.
                ObjectKind::Extension if drop.cascade => self.drop_extension(&name.name, origin),
                ObjectKind::Rule => self.drop_rule(drop, name, origin),
                ObjectKind::Statistics => self.drop_statistics(name),
                _ => {}
            }
        }
    }

    fn drop_schema(&mut self, schema: &str, origin: Origin) {
        let inside: Vec<QualifiedName> = self
            .relations()
            .map(|(key, _)| key)
            .filter(|key| &*key.schema == schema)
            .cloned()
            .collect();
        for key in inside {
            self.drop_relation(&key, true, origin);
        }
        let types: Vec<QualifiedName> = self
            .types
            .keys()
            .filter(|key| &*key.schema == schema)
            .cloned()
            .collect();
        for key in types {
            self.drop_type(&key, true, origin);
        }
        let functions: Vec<QualifiedName> = self
            .functions
            .keys()
            .filter(|key| &*key.schema == schema)
            .cloned()
            .collect();
        for key in functions {
            self.drop_function(&key, None, true, origin);
        }
    }

    /// Drops a relation with what goes with it: partitions, indexes, owned sequences, and with CASCADE views, foreign keys
    /// and inheritance children.
    pub(super) fn drop_relation(&mut self, key: &QualifiedName, cascade: bool, origin: Origin) {
        let index = match self.relations.get(key) {
            None | Some(Relation::Dropped(_)) => {
                self.put(key.clone(), Relation::Dropped(origin));
                return;
            }
            Some(Relation::Index(index)) => Some(index.clone()),
            Some(_) => None,
        };
        if let Some(index) = index {
            self.drop_index(&index, origin);
            return;
        }
        let mut dropped = vec![key.clone()];
        dropped.extend(
            self.descendants(key)
                .into_iter()
                .filter(|child| cascade || child.partition.is_some())
                .map(|child| child.name.clone()),
        );
        let referencing: Vec<(QualifiedName, Box<str>)> = dropped
            .iter()
            .flat_map(|name| self.referencing(name))
            .map(|(table, constraint)| (table.name.clone(), constraint.name.clone()))
            .collect();
        let parts: Vec<QualifiedName> = dropped
            .iter()
            .flat_map(|table| {
                let indexes = self.indexes_of(table).map(|index| &index.name);
                indexes.chain(self.sequences_of(table).map(|sequence| &sequence.name))
            })
            .cloned()
            .collect();
        for name in dropped.iter().chain(&parts) {
            self.put(name.clone(), Relation::Dropped(origin));
        }
        if !cascade {
            return;
        }
        for (table, constraint) in referencing {
            if self.table_at(&table).is_some() {
                self.drop_constraint(&table, &constraint, false, false, origin);
            }
        }
        for name in &dropped {
            self.drop_views_reading(name, None, origin);
            self.drop_code_using(name, None);
        }
        // What took its default from a sequence that is gone has none.
        for name in dropped.iter().chain(&parts) {
            for table in self.linked_names(name, Link::Default) {
                self.edit_table(&table, |table| {
                    for column in &mut table.columns {
                        if column.sequence.as_ref() == Some(name) {
                            column.sequence = None;
                            column.default = None;
                        }
                    }
                });
            }
        }
    }

    /// Drops an index with its parts in the partitions.
    pub(super) fn drop_index(&mut self, index: &Index, origin: Origin) {
        let parts: Vec<QualifiedName> = self
            .child_names(&index.table)
            .iter()
            .flat_map(|child| self.indexes_of(child))
            .filter(|part| part.parent.as_ref() == Some(&index.name))
            .map(|part| part.name.clone())
            .collect();
        self.put(index.name.clone(), Relation::Dropped(origin));
        for part in parts {
            if let Some(Relation::Index(part)) = self.relations.get(&part).cloned() {
                self.drop_index(&part, origin);
            }
        }
    }

    /// Drops a column with what PostgreSQL drops along: indexes that mention it, constraints over it, owned sequences;
    /// with CASCADE what depends on it.
    pub(super) fn drop_column(
        &mut self,
        key: &QualifiedName,
        name: &str,
        cascade: bool,
        only: bool,
        origin: Origin,
    ) {
        let Some(table) = self.table_at(key).cloned() else {
            self.change_table_at(key, origin, |_| {});
            return;
        };
        for child in self.child_names(key) {
            let Some(column) = self.table_at(&child).and_then(|child| child.column(name)) else {
                continue;
            };
            if only {
                self.edit_table(&child, |child| {
                    if let Some(column) = child.column_mut(name) {
                        column.own = true;
                    }
                });
            } else if !column.own && !self.other_parent_has(&child, key, name) {
                self.drop_column(&child, name, cascade, only, origin);
            }
        }
        let constraints: Vec<Box<str>> = table
            .constraints
            .iter()
            .filter(|constraint| constraint.def.kind.mentions(name))
            .map(|constraint| constraint.name.clone())
            .collect();
        for constraint in constraints {
            self.drop_constraint(key, &constraint, cascade, true, origin);
        }
        let indexes: Vec<_> = self
            .indexes_of(key)
            .filter(|index| index.mentions(name))
            .cloned()
            .collect();
        for index in indexes {
            self.drop_index(&index, origin);
        }
        for sequence in self.sequences_of_column(key, name) {
            // Its own default goes with the column.
            self.drop_relation(&sequence, cascade, origin);
        }
        if cascade {
            self.drop_views_reading(key, Some(name), origin);
            self.drop_code_using(key, Some(name));
            let referencing: Vec<(QualifiedName, Box<str>)> = self
                .referencing(key)
                .filter(|(_, constraint)| match &constraint.def.kind {
                    ConstraintKind::ForeignKey(foreign) => {
                        foreign.referenced.iter().any(|c| &*c.text == name)
                    }
                    _ => false,
                })
                .map(|(table, constraint)| (table.name.clone(), constraint.name.clone()))
                .collect();
            for (table, constraint) in referencing {
                self.drop_constraint(&table, &constraint, false, false, origin);
            }
            let computed: Vec<Box<str>> = table
                .columns
                .iter()
                .filter(|column| {
                    column
                        .generated
                        .as_ref()
                        .is_some_and(|generated| generated.expr.columns().any(|c| c == name))
                })
                .map(|column| column.name.clone())
                .collect();
            for column in computed {
                if &*column != name {
                    self.drop_column(key, &column, true, only, origin);
                }
            }
        }
        self.change_table_at(key, origin, |table| {
            table.columns.retain(|column| &*column.name != name);
            let mentions = |columns: &[Box<str>]| columns.iter().any(|column| **column == *name);
            table.statistics.retain(|known| !mentions(&known.columns));
            if cascade {
                table.triggers.retain(|trigger| {
                    let columns = trigger.columns.iter().chain(&trigger.when_columns);
                    columns.into_iter().all(|column| &**column != name)
                });
                table.policies.retain(|policy| !mentions(&policy.columns));
                table.rules.retain(|rule| !mentions(&rule.columns));
                table
                    .publications
                    .retain(|publication| !mentions(&publication.columns));
            }
        });
    }

    /// True if a child has the column from a parent other than `parent` as well.
    fn other_parent_has(
        &self,
        child: &QualifiedName,
        parent: &QualifiedName,
        column: &str,
    ) -> bool {
        self.table_at(child).is_some_and(|child| {
            child
                .inherits
                .iter()
                .filter(|other| *other != parent)
                .filter_map(|other| self.table_at(other))
                .any(|other| other.column(column).is_some())
        })
    }

    /// Drops a constraint with its index, its clones in partitions and what children inherited of it.
    pub(super) fn drop_constraint(
        &mut self,
        key: &QualifiedName,
        name: &str,
        cascade: bool,
        only: bool,
        origin: Origin,
    ) {
        let Some(constraint) = self
            .table_at(key)
            .and_then(|table| table.constraint(name))
            .cloned()
        else {
            // NOT NULL that is not valid yet is kept with its column; other names are those of tables not known in full.
            self.change_table_at(key, origin, |table| {
                for column in &mut table.columns {
                    if column.not_null_not_valid.as_deref() == Some(name) {
                        column.not_null_not_valid = None;
                    }
                }
            });
            return;
        };
        let is_check = matches!(constraint.def.kind, ConstraintKind::Check(_));
        for child in self.child_names(key) {
            let parts: Vec<(Box<str>, bool)> = self
                .table_at(&child)
                .into_iter()
                .flat_map(|child| &child.constraints)
                .filter(|part| {
                    if is_check {
                        part.name == constraint.name
                    } else {
                        part.parent.as_ref() == Some(&constraint.name)
                    }
                })
                .map(|part| (part.name.clone(), part.own))
                .collect();
            for (part, own) in parts {
                if is_check && only {
                    self.edit_constraint(&child, &part, |part| part.own = true);
                } else if !own {
                    self.drop_constraint(&child, &part, cascade, only, origin);
                }
            }
        }
        let index = self
            .indexes_of(key)
            .find(|index| index.constraint.as_deref() == Some(name))
            .cloned();
        if let Some(index) = index {
            self.drop_index(&index, origin);
        }
        self.change_table_at(key, origin, |table| {
            table.constraints.retain(|own| &*own.name != name);
        });
        if cascade {
            self.drop_foreign_keys_on(key, &constraint.def.kind, origin);
        }
    }

    /// Drops the foreign keys that rely on a key that is gone.
    fn drop_foreign_keys_on(&mut self, key: &QualifiedName, kind: &ConstraintKind, origin: Origin) {
        let (ConstraintKind::PrimaryKey(gone) | ConstraintKind::Unique(gone)) = kind else {
            return;
        };
        let sorted = |columns: &[Ident]| {
            let mut names: Vec<Box<str>> = columns.iter().map(|c| c.text.clone()).collect();
            names.sort_unstable();
            names
        };
        let relying: Vec<(QualifiedName, Box<str>)> = self
            .referencing(key)
            .filter(|(_, constraint)| match &constraint.def.kind {
                ConstraintKind::ForeignKey(foreign) => {
                    sorted(&foreign.referenced) == sorted(&gone.columns)
                }
                _ => false,
            })
            .map(|(table, constraint)| (table.name.clone(), constraint.name.clone()))
            .collect();
        for (table, constraint) in relying {
            self.drop_constraint(&table, &constraint, false, false, origin);
        }
    }

    /// Drops the views that read a relation (or one column of it), and those that read them.
    pub(super) fn drop_views_reading(
        &mut self,
        name: &QualifiedName,
        column: Option<&str>,
        origin: Origin,
    ) {
        let views: Vec<QualifiedName> = match column {
            Some(column) => self.views_using(name, column),
            None => self.views_of(name).collect(),
        }
        .into_iter()
        .map(|view| view.name.clone())
        .collect();
        for view in views {
            self.drop_relation(&view, true, origin);
        }
    }

    fn drop_type(&mut self, key: &QualifiedName, cascade: bool, origin: Origin) {
        self.types.remove_mut(key);
        if !cascade {
            return;
        }
        for user in self.linked_names(key, Link::Type) {
            let Some(table) = self.table_at(&user).cloned() else {
                continue;
            };
            if table.of_type.as_ref() == Some(key) {
                self.drop_relation(&user, true, origin);
                continue;
            }
            for column in &table.columns {
                if column.user_type.as_ref() == Some(key) {
                    self.drop_column(&user, &column.name, true, false, origin);
                }
            }
        }
        let above: Vec<QualifiedName> = self
            .types
            .values()
            .filter(|ty| match &ty.kind {
                TypeKind::Domain(domain) => domain.base_type.as_ref() == Some(key),
                _ => false,
            })
            .map(|ty| ty.name.clone())
            .collect();
        for domain in above {
            self.drop_type(&domain, true, origin);
        }
        let composites: Vec<QualifiedName> = self
            .types
            .values()
            .filter(|ty| match &ty.kind {
                TypeKind::Composite(columns) => {
                    columns.iter().any(|c| c.user_type.as_ref() == Some(key))
                }
                _ => false,
            })
            .map(|ty| ty.name.clone())
            .collect();
        for composite in composites {
            if let Some(ty) = self.types.get_mut(&composite)
                && let TypeKind::Composite(columns) = &mut std::sync::Arc::make_mut(ty).kind
            {
                columns.retain(|column| column.user_type.as_ref() != Some(key));
            }
        }
        let functions: Vec<(QualifiedName, Vec<TypeName>)> = self
            .all_functions()
            .filter(|(_, function)| {
                let mut types = function
                    .argument_types
                    .iter()
                    .chain([&function.return_type]);
                types.any(|ty| ty.as_ref() == Some(key))
            })
            .map(|(name, function)| (name.clone(), function.arguments.clone()))
            .collect();
        for (name, signature) in functions {
            self.drop_function(&name, Some(&signature), true, origin);
        }
    }

    /// Drops a function (all of that name without a signature), with CASCADE what calls it.
    fn drop_function(
        &mut self,
        key: &QualifiedName,
        signature: Option<&[TypeName]>,
        cascade: bool,
        origin: Origin,
    ) {
        let Some(list) = self.functions.get(key) else {
            return;
        };
        let mut left = (**list).clone();
        match signature {
            Some(signature) => left.retain(|function| !self.same_arguments(function, signature)),
            None => left.clear(),
        }
        let gone = left.is_empty();
        if gone {
            self.functions.remove_mut(key);
        } else {
            self.functions.insert_mut(key.clone(), left.into());
        }
        // Which of several functions of one name is called cannot be told here.
        if cascade && gone {
            self.drop_callers(key, origin);
        }
    }

    fn drop_callers(&mut self, function: &QualifiedName, origin: Origin) {
        for table in self.linked_names(function, Link::Trigger) {
            self.edit_table(&table, |table| {
                table
                    .triggers
                    .retain(|trigger| trigger.function != *function);
            });
        }
        let calls = |expr: &Expr| calls(expr, function);
        let tables: Vec<_> = self.tables().cloned().collect();
        for table in tables {
            for column in &table.columns {
                if column.generated.as_ref().is_some_and(|g| calls(&g.expr)) {
                    self.drop_column(&table.name, &column.name, true, false, origin);
                } else if column.default.as_ref().is_some_and(calls) {
                    self.edit_table(&table.name, |table| {
                        if let Some(column) = table.column_mut(&column.name) {
                            column.default = None;
                        }
                    });
                }
            }
            for constraint in &table.constraints {
                if let ConstraintKind::Check(expr) = &constraint.def.kind
                    && calls(expr)
                {
                    self.drop_constraint(&table.name, &constraint.name, false, false, origin);
                }
            }
            if table
                .policies
                .iter()
                .any(|policy| policy.calls.contains(function))
            {
                self.edit_table(&table.name, |table| {
                    table
                        .policies
                        .retain(|policy| !policy.calls.contains(function));
                });
            }
        }
        let indexes: Vec<_> = self.indexes().cloned().collect();
        for index in indexes {
            let exprs = index.elements.iter().filter_map(|e| e.expr.as_ref());
            if exprs.chain(&index.predicate).any(calls) {
                self.drop_index(&index, origin);
            }
        }
        let views: Vec<QualifiedName> = self
            .views()
            .filter(|view| {
                let mut names = view.query.calls.iter();
                names.any(|call| self.function_key(call) == *function)
            })
            .map(|view| view.name.clone())
            .collect();
        for view in views {
            self.drop_relation(&view, true, origin);
        }
    }
}

/// True if an expression calls the function, as far as its name tells.
fn calls(expr: &Expr, function: &QualifiedName) -> bool {
    expr.walk().any(|part| match &part.kind {
        ExprKind::Call { schema, name, .. } => {
            **name == *function.name
                && schema
                    .as_ref()
                    .is_none_or(|schema| *schema == function.schema)
        }
        _ => false,
    })
}
