//! Replay of `ALTER TABLE`.

use super::object::{Column, Origin, Partition, TableKind, TypeKind};
use super::table::{bare_column, owned_sequence};
use super::{Relation, Schema};
use crate::statement::{
    AddColumn, AlterAction, AlterColumn, AlterTable, ColumnChange, ConstraintKind, ObjectKind,
    Persistence, QualifiedName, TypeName,
};

/// From this version on a child keeps a NOT NULL of its own when its parent's is dropped.
const NOT_NULL_IS_INHERITED: u32 = 18;

/// What every sub-command has to know.
#[derive(Clone, Copy)]
struct Alteration {
    origin: Origin,
    /// It runs for sure.
    certain: bool,
    /// `ONLY`.
    only: bool,
}

impl Schema {
    pub(super) fn alter_table(&mut self, alter: &AlterTable, origin: Origin, certain: bool) {
        if alter.object == ObjectKind::Type {
            self.alter_composite(alter, origin, certain);
            return;
        }
        let key = self.resolve(&alter.name);
        match self.relations.get(&key) {
            Some(Relation::Index(_)) => {
                self.alter_index(&key, alter);
                return;
            }
            Some(Relation::View(_) | Relation::Sequence(_)) => return,
            // IF EXISTS, or a table that was dropped: nothing happens.
            Some(Relation::Dropped(_)) => return,
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
        let alteration = Alteration {
            origin,
            certain,
            only: alter.only,
        };
        // PostgreSQL works off the sub-commands in passes: what is dropped goes first, types and columns before
        // constraints.
        let mut actions: Vec<&AlterAction> = alter.actions.iter().collect();
        actions.sort_by_key(|action| pass(action));
        for action in actions {
            self.alter_action(&key, action, alteration);
        }
    }

    fn alter_action(&mut self, key: &QualifiedName, action: &AlterAction, how: Alteration) {
        let Alteration {
            origin,
            certain,
            only,
        } = how;
        match action {
            AlterAction::AddColumn(add) => self.add_column(key, add, how, true),
            AlterAction::DropColumn {
                column, cascade, ..
            } => {
                if certain {
                    self.drop_column(key, &column.text, *cascade, only, origin);
                } else {
                    self.doubt_column(key, &column.text, origin);
                }
            }
            AlterAction::AlterColumn(alter) => self.alter_column(key, alter, how),
            AlterAction::AddConstraint(def) => self.add_constraint_to(key, def, origin, only),
            AlterAction::DropConstraint { name, cascade, .. } => {
                if certain {
                    self.drop_constraint(key, &name.text, *cascade, only, origin);
                } else {
                    self.doubt_constraint(key, &name.text);
                }
            }
            AlterAction::ValidateConstraint(name) => {
                self.for_tree(key, only, |schema, table| {
                    schema.validate(table, &name.text, origin);
                });
            }
            AlterAction::AlterConstraint {
                name,
                enforced,
                deferrable,
                ..
            } => self.edit_constraint(key, &name.text, |constraint| {
                if *enforced {
                    constraint.def.not_enforced = false;
                    constraint.valid = true;
                }
                constraint.def.deferrable = deferrable.unwrap_or(constraint.def.deferrable);
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
                    values: bound.values.clone(),
                };
                self.change_table_at(&child, origin, |table| table.partition = Some(place));
                self.join_parent(key, &child, true);
                self.inherit_indexes(key, &child, origin);
                self.inherit_foreign_keys(key, &child, origin);
                self.inherit_triggers(key, &child);
            }
            AlterAction::DetachPartition { partition, .. } => {
                let child = self.resolve(partition);
                self.change_table_at(&child, origin, |table| table.partition = None);
                self.leave_parent(&child);
                self.lose_triggers(&child);
                let indexes: Vec<QualifiedName> = self
                    .indexes_of(&child)
                    .map(|index| index.name.clone())
                    .collect();
                for index in indexes {
                    self.edit_index(&index, |index| index.parent = None);
                }
            }
            AlterAction::Inherit { parent, remove } => {
                let parent = self.resolve(parent);
                self.change_table_at(key, origin, |table| {
                    table.inherits.retain(|existing| *existing != parent);
                    if !remove {
                        table.inherits.push(parent.clone());
                    }
                });
                if *remove {
                    self.leave_parent(key);
                } else {
                    self.join_parent(&parent, key, false);
                }
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

    /// Does something to a table and, without ONLY, to everything below it.
    fn for_tree(
        &mut self,
        key: &QualifiedName,
        only: bool,
        mut action: impl FnMut(&mut Self, &QualifiedName),
    ) {
        let mut tables = vec![key.clone()];
        if !only {
            let below = self.descendants(key).into_iter();
            tables.extend(below.map(|child| child.name.clone()));
        }
        for table in tables {
            action(self, &table);
        }
    }

    fn validate(&mut self, key: &QualifiedName, name: &str, origin: Origin) {
        // The clones of a foreign key have names of their own.
        let parts: Vec<(QualifiedName, Box<str>)> = self
            .children(key)
            .flat_map(|child| {
                let own = child.constraints.iter();
                own.filter(|own| own.parent.as_deref() == Some(name))
                    .map(|own| (child.name.clone(), own.name.clone()))
            })
            .filter(|(_, own)| **own != *name)
            .collect();
        for (child, own) in parts {
            self.validate(&child, &own, origin);
        }
        self.change_table_at(key, origin, |table| {
            for constraint in table.constraints.iter_mut().filter(|c| &*c.name == name) {
                if !constraint.valid {
                    constraint.valid = true;
                    constraint.validated = Some(origin);
                }
            }
            for column in &mut table.columns {
                if column.not_null_not_valid.as_deref() == Some(name) {
                    column.not_null_not_valid = None;
                    column.not_null = true;
                }
            }
        });
    }

    /// A table that becomes a child has the columns and CHECK constraints of its parent already. Those of a partition are
    /// no longer its own.
    fn join_parent(&mut self, parent: &QualifiedName, child: &QualifiedName, partition: bool) {
        if !partition {
            return;
        }
        let Some(parent) = self.table_at(parent).cloned() else {
            return;
        };
        self.edit_table(child, |child| {
            for column in &mut child.columns {
                if parent.column(&column.name).is_some() {
                    column.own = false;
                    column.not_null_own = false;
                }
            }
            for constraint in &mut child.constraints {
                let is_check = matches!(constraint.def.kind, ConstraintKind::Check(_));
                if is_check && parent.constraint(&constraint.name).is_some() {
                    constraint.own = false;
                }
            }
        });
    }

    /// A table that is no longer a child keeps what it had from its parent as its own, unless another parent has it too.
    fn leave_parent(&mut self, child: &QualifiedName) {
        let Some(table) = self.table_at(child).cloned() else {
            return;
        };
        let parents: Vec<_> = table
            .inherits
            .iter()
            .chain(table.partition.iter().map(|partition| &partition.parent))
            .filter_map(|parent| self.table_at(parent).cloned())
            .collect();
        self.edit_table(child, |child| {
            for column in &mut child.columns {
                column.own |= parents.iter().all(|p| p.column(&column.name).is_none());
                column.not_null_own |= column.not_null && column.own;
            }
            for constraint in &mut child.constraints {
                constraint.parent = None;
                let name = &constraint.name;
                constraint.own |= parents.iter().all(|p| p.constraint(name).is_none());
            }
        });
    }

    fn alter_index(&mut self, key: &QualifiedName, alter: &AlterTable) {
        for action in &alter.actions {
            if let AlterAction::AttachPartition { partition, .. } = action {
                let part = self.resolve(partition);
                self.attach_index(&part, key);
            }
        }
    }

    fn add_column(&mut self, key: &QualifiedName, add: &AddColumn, how: Alteration, top: bool) {
        let name = &add.column.name.text;
        if let Some(table) = self.table_at(key)
            && table.column(name).is_some()
        {
            // A child may have it already: then it has it from its parent as well.
            return;
        }
        let column = Column {
            own: top,
            not_null_own: top && add.column.not_null,
            ..self.new_column(&add.column, how.origin)
        };
        self.change_table_at(key, how.origin, |table| table.columns.push(column));
        if top && let Some(ty) = owned_sequence(&add.column) {
            self.put_column_sequence(key, &add.column, ty, how.origin);
        }
        if !how.only {
            let given = self
                .table_at(key)
                .and_then(|table| table.column(name))
                .cloned();
            for child in self.child_names(key) {
                self.add_column(&child, add, how, false);
                // A serial column of a child takes its values from the sequence of the parent.
                if let Some(given) = &given
                    && given.sequence.is_some()
                {
                    self.change_table_at(&child, how.origin, |table| {
                        if let Some(column) = table.column_mut(name) {
                            column.default.clone_from(&given.default);
                            column.sequence.clone_from(&given.sequence);
                        }
                    });
                }
            }
        }
        if top {
            let mut constraints: Vec<_> = add.column.constraints.iter().collect();
            constraints.sort_by_key(|constraint| super::table::creation_order(&constraint.kind));
            for constraint in constraints {
                self.add_constraint_to(key, constraint, how.origin, how.only);
            }
        }
    }

    fn alter_column(&mut self, key: &QualifiedName, alter: &AlterColumn, how: Alteration) {
        let name = &alter.column.text;
        let origin = how.origin;
        match &alter.change {
            ColumnChange::AddIdentity(_) => {
                let ty = self
                    .table_at(key)
                    .and_then(|table| table.column(name))
                    .and_then(|column| column.ty.clone());
                let ty = ty.unwrap_or_else(|| TypeName::builtin("int8"));
                self.put_owned_sequence(key, name, ty, origin);
            }
            ColumnChange::DropIdentity => {
                for sequence in self.sequences_of_column(key, name) {
                    self.put(sequence, Relation::Dropped(origin));
                }
            }
            ColumnChange::Type { ty, .. } => {
                // The sequence of an identity column has its type; that of a serial column keeps its own.
                let identity = self
                    .table_at(key)
                    .and_then(|table| table.column(name))
                    .is_some_and(|column| column.identity.is_some());
                if identity && how.certain {
                    for sequence in self.sequences_of_column(key, name) {
                        self.edit_sequence(&sequence, |sequence| sequence.ty = Some(ty.clone()));
                    }
                }
            }
            _ => {}
        }
        let of_type = match &alter.change {
            ColumnChange::Type { ty, .. } => self.user_type(Some(ty)),
            _ => None,
        };
        let sequence = match &alter.change {
            ColumnChange::SetDefault(expr) => self.sequence_of_default(expr),
            _ => None,
        };
        let no_default = match &alter.change {
            ColumnChange::SetDefault(expr) => {
                let column = self.table_at(key).and_then(|table| table.column(name));
                let ty = column.and_then(|column| column.ty.clone());
                !self.is_default(expr, ty.as_ref())
            }
            _ => false,
        };
        let recurses = if is_identity(&alter.change) {
            // Inheritance children have nothing to do with identity; partitions have since 17.
            self.postgres >= super::table::PARTITIONS_SHARE_IDENTITY
                && self
                    .table_at(key)
                    .is_some_and(|table| table.kind == TableKind::Partitioned)
        } else {
            recurses(&alter.change)
        };
        let only = how.only || !recurses;
        let keeps_not_null = self.postgres >= NOT_NULL_IS_INHERITED;
        self.for_tree(key, only, |schema, table| {
            schema.change_table_at(table, origin, |table| {
                if table.column(name).is_none() {
                    // A column the history does not add, of a table it does not know in full.
                    if table.known {
                        return;
                    }
                    table.columns.push(Column {
                        added: false,
                        ..bare_column(name, origin)
                    });
                }
                let top = table.name == *key;
                if let Some(column) = table.column_mut(name) {
                    let kept = keeps_not_null && !top && column.not_null_own;
                    change_column(column, &alter.change, how.certain);
                    match alter.change {
                        ColumnChange::SetNotNull if how.certain => column.not_null_own |= top,
                        ColumnChange::DropNotNull => {
                            column.not_null = kept;
                            column.not_null_own = kept;
                        }
                        _ => {}
                    }
                    match &alter.change {
                        ColumnChange::Type { .. } => column.user_type.clone_from(&of_type),
                        ColumnChange::SetDefault(_) => {
                            column.sequence.clone_from(&sequence);
                            if no_default {
                                column.default = None;
                            }
                        }
                        ColumnChange::DropDefault => column.sequence = None,
                        _ => {}
                    }
                }
            });
        });
    }

    /// Sequences that a column owns.
    pub(super) fn sequences_of_column(
        &self,
        key: &QualifiedName,
        column: &str,
    ) -> Vec<QualifiedName> {
        self.sequences_of(key)
            .filter(|sequence| {
                sequence
                    .owned_by
                    .as_ref()
                    .is_some_and(|(_, owner)| &**owner == column)
            })
            .map(|sequence| sequence.name.clone())
            .collect()
    }

    /// A conditional statement may have dropped the column: what is known of it stays, but it is not known to be so.
    fn doubt_column(&mut self, key: &QualifiedName, name: &str, origin: Origin) {
        self.put_in_doubt(key, origin);
        self.change_table_at(key, origin, |table| {
            if let Some(column) = table.column_mut(name) {
                column.not_null = false;
            }
        });
    }

    /// A conditional statement may have dropped the constraint: it proves nothing any more.
    fn doubt_constraint(&mut self, key: &QualifiedName, name: &str) {
        self.edit_constraint(key, name, |constraint| constraint.valid = false);
    }

    /// `ALTER TYPE … ADD ATTRIBUTE` and its relatives; with CASCADE tables made of the type follow.
    fn alter_composite(&mut self, alter: &AlterTable, origin: Origin, certain: bool) {
        if !certain {
            return;
        }
        let Some(name) = self
            .type_named(alter.name.schema.as_deref(), &alter.name.name)
            .map(|ty| ty.name.clone())
        else {
            return;
        };
        let added: Vec<Column> = alter
            .actions
            .iter()
            .filter_map(|action| match action {
                AlterAction::AddColumn(add) => Some(self.new_column(&add.column, origin)),
                _ => None,
            })
            .collect();
        let types: Vec<Option<QualifiedName>> = alter
            .actions
            .iter()
            .map(|action| match action {
                AlterAction::AlterColumn(AlterColumn {
                    change: ColumnChange::Type { ty, .. },
                    ..
                }) => self.user_type(Some(ty)),
                _ => None,
            })
            .collect();
        let change = |columns: &mut Vec<Column>| {
            let mut added = added.iter();
            for (action, of_type) in alter.actions.iter().zip(&types) {
                match action {
                    AlterAction::AddColumn(_) => columns.extend(added.next().cloned()),
                    AlterAction::DropColumn { column, .. } => {
                        columns.retain(|existing| existing.name != column.text);
                    }
                    AlterAction::AlterColumn(AlterColumn {
                        column,
                        change: ColumnChange::Type { ty, collation, .. },
                    }) => {
                        for existing in columns.iter_mut().filter(|c| c.name == column.text) {
                            existing.ty = Some(ty.clone());
                            existing.user_type.clone_from(of_type);
                            existing.collation.clone_from(collation);
                        }
                    }
                    _ => {}
                }
            }
        };
        if let Some(ty) = self.types.get_mut(&name)
            && let TypeKind::Composite(columns) = &mut std::sync::Arc::make_mut(ty).kind
        {
            change(columns);
        }
        for table in self.linked_names(&name, super::links::Link::Type) {
            self.edit_table(&table, |table| {
                if table.of_type.as_ref() == Some(&name) {
                    change(&mut table.columns);
                }
            });
        }
    }
}

fn change_column(column: &mut Column, change: &ColumnChange, certain: bool) {
    match change {
        ColumnChange::Type { ty, collation, .. } => {
            column.ty = certain.then(|| ty.clone());
            column.collation.clone_from(collation);
        }
        ColumnChange::SetNotNull => {
            if certain {
                column.not_null = true;
                column.not_null_not_valid = None;
            }
        }
        ColumnChange::DropNotNull => column.not_null = false,
        ColumnChange::SetDefault(expr) => column.default = Some((**expr).clone()),
        ColumnChange::DropDefault => column.default = None,
        ColumnChange::AddIdentity(identity) => {
            column.identity = Some(*identity);
            column.not_null = true;
        }
        ColumnChange::DropIdentity => column.identity = None,
        ColumnChange::SetIdentity(identity) => {
            if let Some(identity) = identity {
                column.identity = Some(*identity);
            }
        }
        ColumnChange::DropExpression => column.generated = None,
        ColumnChange::SetExpression(expr) => {
            if let Some(generated) = &mut column.generated {
                generated.expr = (**expr).clone();
            }
        }
        ColumnChange::Statistics
        | ColumnChange::Options
        | ColumnChange::Storage
        | ColumnChange::Compression => {}
    }
}

fn is_identity(change: &ColumnChange) -> bool {
    matches!(
        change,
        ColumnChange::AddIdentity(_) | ColumnChange::SetIdentity(_) | ColumnChange::DropIdentity
    )
}

/// Changes of a column that PostgreSQL makes in partitions and inheritance children as well.
fn recurses(change: &ColumnChange) -> bool {
    match change {
        ColumnChange::Type { .. }
        | ColumnChange::SetNotNull
        | ColumnChange::DropNotNull
        | ColumnChange::SetDefault(_)
        | ColumnChange::DropDefault
        | ColumnChange::AddIdentity(_)
        | ColumnChange::SetIdentity(_)
        | ColumnChange::DropIdentity
        | ColumnChange::SetExpression(_)
        | ColumnChange::DropExpression => true,
        ColumnChange::Statistics
        | ColumnChange::Options
        | ColumnChange::Storage
        | ColumnChange::Compression => false,
    }
}

/// The pass of `ALTER TABLE` in which a sub-command runs (`AT_PASS_…` in `tablecmds.c`).
fn pass(action: &AlterAction) -> u8 {
    match action {
        AlterAction::DropColumn { .. } | AlterAction::DropConstraint { .. } => 0,
        AlterAction::AlterColumn(alter) => match alter.change {
            ColumnChange::DropNotNull
            | ColumnChange::DropDefault
            | ColumnChange::DropIdentity
            | ColumnChange::DropExpression => 0,
            ColumnChange::Type { .. } => 1,
            ColumnChange::SetExpression(_) => 2,
            ColumnChange::SetNotNull => 4,
            ColumnChange::SetDefault(_)
            | ColumnChange::AddIdentity(_)
            | ColumnChange::SetIdentity(_) => 5,
            _ => 8,
        },
        AlterAction::AddColumn(_) => 3,
        AlterAction::AddConstraint(def) => match def.kind {
            ConstraintKind::NotNull(_) => 4,
            ConstraintKind::Check(_) => 5,
            ConstraintKind::PrimaryKey(_) => 6,
            ConstraintKind::Unique(_) | ConstraintKind::Exclude { .. } => 6,
            ConstraintKind::ForeignKey(_) => 7,
        },
        _ => 8,
    }
}
