//! Replay of `ALTER TABLE` and of renames.

use super::object::{Column, Origin, Partition};
use super::table::{new_column, owned_sequence};
use super::{Relation, Schema};
use crate::statement::{
    AddColumn, AlterAction, AlterColumn, AlterTable, ColumnChange, ColumnDef, ConstraintKind,
    Ident, ObjectKind, Persistence, QualifiedName, TypeName,
};

impl Schema {
    pub(super) fn alter_table(&mut self, alter: &AlterTable, origin: Origin, certain: bool) {
        let key = self.resolve(&alter.name);
        match self.relations.get(&key) {
            Some(Relation::Index(_)) => {
                self.alter_index(&key, alter);
                return;
            }
            Some(Relation::View(_) | Relation::Sequence(_)) => return,
            _ => {}
        }
        if matches!(
            alter.object,
            ObjectKind::Index
                | ObjectKind::View
                | ObjectKind::Sequence
                | ObjectKind::MaterializedView
        ) {
            return;
        }
        for action in &alter.actions {
            self.alter_action(&key, action, origin, certain);
            if !alter.only {
                let children: Vec<QualifiedName> = self
                    .descendants(&key)
                    .into_iter()
                    .map(|child| child.name.clone())
                    .collect();
                for child in children.into_iter().filter(|_| recurses(action)) {
                    self.alter_action(&child, action, origin, certain);
                }
            }
        }
    }

    fn alter_action(
        &mut self,
        key: &QualifiedName,
        action: &AlterAction,
        origin: Origin,
        certain: bool,
    ) {
        match action {
            AlterAction::AddColumn(add) => self.add_column(key, add, origin),
            AlterAction::DropColumn {
                column, cascade, ..
            } if certain => {
                self.drop_column(key, &column.text, *cascade, origin);
            }
            AlterAction::AlterColumn(alter) => self.alter_column(key, alter, origin, certain),
            AlterAction::AddConstraint(def) => self.add_constraint(key, def, origin),
            AlterAction::DropConstraint { name, .. } if certain => {
                self.drop_constraint(key, &name.text, origin)
            }
            AlterAction::ValidateConstraint(name) => self.change_table_at(key, origin, |table| {
                for constraint in table
                    .constraints
                    .iter_mut()
                    .filter(|constraint| constraint.name == name.text)
                {
                    if !constraint.valid {
                        constraint.valid = true;
                        constraint.validated = Some(origin);
                    }
                }
                for column in &mut table.columns {
                    if column.not_null_not_valid.as_ref() == Some(&name.text) {
                        column.not_null_not_valid = None;
                        column.not_null = true;
                    }
                }
            }),
            AlterAction::AlterConstraint {
                name,
                enforced: true,
                ..
            } => self.change_table_at(key, origin, |table| {
                for constraint in table
                    .constraints
                    .iter_mut()
                    .filter(|constraint| constraint.name == name.text)
                {
                    constraint.def.not_enforced = false;
                    constraint.valid = true;
                }
            }),
            AlterAction::AttachPartition {
                partition,
                bound: Some(bound),
            } => {
                let child = self.resolve(partition);
                let place = Partition {
                    parent: key.clone(),
                    is_default: bound.is_default,
                    bound: bound.bound.clone(),
                };
                self.change_table_at(&child, origin, |table| table.partition = Some(place));
                self.inherit_parent_indexes(key, &child, origin);
            }
            AlterAction::DetachPartition { partition, .. } => {
                let child = self.resolve(partition);
                self.change_table_at(&child, origin, |table| table.partition = None);
            }
            AlterAction::Inherit { parent, remove } => {
                let parent = self.resolve(parent);
                self.change_table_at(key, origin, |table| {
                    table.inherits.retain(|existing| *existing != parent);
                    if !remove {
                        table.inherits.push(parent);
                    }
                });
            }
            AlterAction::SetLogged(logged) => self.change_table_at(key, origin, |table| {
                table.persistence = if *logged {
                    Persistence::Permanent
                } else {
                    Persistence::Unlogged
                };
            }),
            AlterAction::RowSecurity { force, on } => self.change_table_at(key, origin, |table| {
                if *force {
                    table.force_row_security = *on;
                } else {
                    table.row_security = *on;
                }
            }),
            // A table that is altered is there, even if the history does not make it.
            _ => self.change_table_at(key, origin, |_| {}),
        }
    }

    fn alter_index(&mut self, key: &QualifiedName, alter: &AlterTable) {
        for action in &alter.actions {
            // The last attached partition makes the parent's index valid; which one is the last is seen here.
            if let AlterAction::AttachPartition { .. } = action {
                let Some(Relation::Index(index)) = self.relations.get(key) else {
                    continue;
                };
                let table = index.table.clone();
                let all = self.children(&table).all(|child| {
                    self.indexes_of(&child.name)
                        .any(|own| own.columns().eq(index.columns()) && own.unique == index.unique)
                });
                if all {
                    self.edit_index(key, |index| index.valid = true);
                }
            }
        }
    }

    fn add_column(&mut self, key: &QualifiedName, add: &AddColumn, origin: Origin) {
        let name = &add.column.name.text;
        if self
            .table_at(key)
            .is_some_and(|table| table.column(name).is_some())
        {
            return;
        }
        self.change_table_at(key, origin, |table| {
            table.columns.push(new_column(&add.column, origin))
        });
        if let Some(ty) = owned_sequence(&add.column) {
            self.put_owned_sequence(key, name, ty, origin);
        }
        for constraint in &add.column.constraints {
            self.add_constraint(key, constraint, origin);
        }
    }

    fn alter_column(
        &mut self,
        key: &QualifiedName,
        alter: &AlterColumn,
        origin: Origin,
        certain: bool,
    ) {
        let name = &alter.column.text;
        match &alter.change {
            ColumnChange::AddIdentity(_) => {
                let ty = self
                    .table_at(key)
                    .and_then(|table| table.column(name))
                    .and_then(|column| column.ty.clone());
                self.put_owned_sequence(
                    key,
                    name,
                    ty.unwrap_or_else(|| TypeName::builtin("int8")),
                    origin,
                );
            }
            ColumnChange::DropIdentity => {
                let owned = self
                    .sequences_of(key)
                    .find(|s| {
                        s.owned_by
                            .as_ref()
                            .is_some_and(|(_, column)| column == name)
                    })
                    .map(|sequence| sequence.name.clone());
                if let Some(owned) = owned {
                    self.drop_relation(&owned, false, origin);
                }
            }
            _ => {}
        }
        self.change_table_at(key, origin, |table| {
            if table.column(name).is_none() {
                // A column the history does not add, of a table it does not know in full.
                if table.known {
                    return;
                }
                table.columns.push(Column {
                    added: false,
                    ..new_column(&placeholder(&alter.column), origin)
                });
            }
            let Some(column) = table.column_mut(name) else {
                return;
            };
            match &alter.change {
                ColumnChange::Type { ty, collation, .. } => {
                    column.ty = certain.then(|| ty.clone());
                    column.collation.clone_from(collation);
                }
                ColumnChange::SetNotNull => {
                    column.not_null = certain;
                    column.not_null_not_valid = None;
                }
                ColumnChange::DropNotNull => column.not_null = false,
                ColumnChange::SetDefault(expr) => column.default = Some((**expr).clone()),
                ColumnChange::DropDefault => column.default = None,
                ColumnChange::AddIdentity(identity) => {
                    column.identity = Some(*identity);
                    column.not_null = true;
                }
                ColumnChange::DropIdentity => column.identity = None,
                ColumnChange::DropExpression => column.generated = None,
                ColumnChange::SetExpression(expr) => {
                    if let Some(generated) = &mut column.generated {
                        generated.expr = (**expr).clone();
                    }
                }
                ColumnChange::SetIdentity
                | ColumnChange::Statistics
                | ColumnChange::Options
                | ColumnChange::Storage
                | ColumnChange::Compression => {}
            }
        });
    }

    /// Drops a column with what PostgreSQL drops along: indexes that mention it, constraints over it, owned sequences.
    pub(super) fn drop_column(
        &mut self,
        key: &QualifiedName,
        name: &str,
        cascade: bool,
        origin: Origin,
    ) {
        let indexes: Vec<QualifiedName> = self
            .indexes_of(key)
            .filter(|index| index.mentions(name))
            .map(|index| index.name.clone())
            .collect();
        for index in indexes {
            self.put(index, Relation::Dropped(origin));
        }
        let sequences: Vec<QualifiedName> = self
            .sequences_of(key)
            .filter(|s| {
                s.owned_by
                    .as_ref()
                    .is_some_and(|(_, column)| &**column == name)
            })
            .map(|sequence| sequence.name.clone())
            .collect();
        for sequence in sequences {
            self.put(sequence, Relation::Dropped(origin));
        }
        if cascade {
            self.drop_views_reading(key, Some(name), origin);
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
                self.drop_constraint(&table, &constraint, origin);
            }
        }
        self.change_table_at(key, origin, |table| {
            table.columns.retain(|column| &*column.name != name);
            table
                .constraints
                .retain(|constraint| !constraint_mentions(&constraint.def.kind, name));
        });
    }

    pub(super) fn drop_constraint(&mut self, key: &QualifiedName, name: &str, origin: Origin) {
        let index = self
            .indexes_of(key)
            .find(|index| index.constraint.as_deref() == Some(name))
            .map(|index| index.name.clone());
        if let Some(index) = index {
            self.put(index, Relation::Dropped(origin));
        }
        self.change_table_at(key, origin, |table| {
            table
                .constraints
                .retain(|constraint| &*constraint.name != name);
            for column in &mut table.columns {
                if column.not_null_not_valid.as_deref() == Some(name) {
                    column.not_null_not_valid = None;
                }
            }
        });
    }
}

/// Sub-commands that PostgreSQL applies to partitions and inheritance children as well.
fn recurses(action: &AlterAction) -> bool {
    match action {
        AlterAction::AddColumn(_)
        | AlterAction::DropColumn { .. }
        | AlterAction::ValidateConstraint(_) => true,
        AlterAction::AlterColumn(alter) => !matches!(
            alter.change,
            ColumnChange::SetDefault(_) | ColumnChange::DropDefault | ColumnChange::AddIdentity(_)
        ),
        AlterAction::AddConstraint(def) => !def.no_inherit,
        AlterAction::DropConstraint { .. } => true,
        _ => false,
    }
}

fn placeholder(name: &Ident) -> ColumnDef {
    ColumnDef {
        name: name.clone(),
        ty: None,
        not_null: false,
        not_null_written: false,
        default: None,
        identity: None,
        generated: None,
        collation: None,
        constraints: Vec::new(),
        compression: false,
        storage: false,
        span: name.span,
    }
}

/// True if a constraint goes away with the column.
fn constraint_mentions(kind: &ConstraintKind, column: &str) -> bool {
    let among = |columns: &[Ident]| columns.iter().any(|name| &*name.text == column);
    match kind {
        ConstraintKind::NotNull(name) => &*name.text == column,
        ConstraintKind::Check(expr) => expr.columns().any(|name| name == column),
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => {
            among(&key.columns) || among(&key.include)
        }
        ConstraintKind::Exclude { elements, .. } => elements.iter().any(|element| {
            element
                .column
                .as_ref()
                .is_some_and(|name| &*name.text == column)
        }),
        ConstraintKind::ForeignKey(foreign) => among(&foreign.columns),
    }
}
