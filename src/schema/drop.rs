//! Replay of `DROP`, with what goes along.

use super::object::Origin;
use super::{Relation, Schema};
use crate::statement::{Drop, ObjectKind, QualifiedName};

impl Schema {
    pub(super) fn drop_objects(&mut self, drop: &Drop, origin: Origin, certain: bool) {
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
            self.put(key.clone(), Relation::Dropped(origin));
            return;
        }
        let mut dropped = vec![key.clone()];
        dropped.extend(
            self.descendants(key)
                .into_iter()
                .filter(|child| cascade || child.partition.is_some())
                .map(|child| child.name.clone()),
        );
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
        if cascade {
            let referencing: Vec<(QualifiedName, Box<str>)> = dropped
                .iter()
                .flat_map(|name| self.referencing(name))
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
            .views_of(name)
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
            self.edit_table(&user, |table| {
                table
                    .triggers
                    .retain(|trigger| trigger.function != *function);
            });
        }
    }
}
