//! Replay of `ALTER TABLE` and of renames.

use std::sync::Arc;

use super::apply::{new_column, owned_sequence};
use super::object::{Column, Index, Origin, Partition, Sequence, Table, View};
use super::{Relation, Schema};
use crate::statement::table::ConstraintKind;
use crate::statement::{
    AddColumn, AlterAction, AlterColumn, AlterTable, ColumnChange, ColumnDef, Expr, ExprKind,
    Ident, ObjectKind, Persistence, QualifiedName, TypeName,
};

impl Schema {
    pub(super) fn alter_table(&mut self, alter: &AlterTable, origin: Origin, certain: bool) {
        let key = self.resolve(&alter.name);
        match self.relations.get(&key) {
            Some(Relation::Index(_)) => {
                self.alter_index(&key, alter, origin);
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

    fn alter_index(&mut self, key: &QualifiedName, alter: &AlterTable, origin: Origin) {
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
                if all && let Some(Relation::Index(index)) = self.relations.get_mut(key) {
                    Arc::make_mut(index).valid = true;
                }
            }
        }
        let _ = origin;
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
                    .sequences()
                    .find(|s| {
                        s.owned_by
                            .as_ref()
                            .is_some_and(|(table, column)| table == key && column == name)
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
            self.relations.insert_mut(index, Relation::Dropped(origin));
        }
        let sequences: Vec<QualifiedName> = self
            .sequences()
            .filter(|s| {
                s.owned_by
                    .as_ref()
                    .is_some_and(|(table, column)| table == key && &**column == name)
            })
            .map(|sequence| sequence.name.clone())
            .collect();
        for sequence in sequences {
            self.relations
                .insert_mut(sequence, Relation::Dropped(origin));
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
            self.relations.insert_mut(index, Relation::Dropped(origin));
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

    /// Renames or moves a relation; everything that refers to it follows, as it does by OID in PostgreSQL.
    pub(super) fn move_relation(
        &mut self,
        old: &QualifiedName,
        new: &QualifiedName,
        origin: Origin,
    ) {
        let Some(relation) = self.relations.get(old).cloned() else {
            // A relation the history does not make: under its new name no more is known of it.
            self.relations
                .insert_mut(old.clone(), Relation::Dropped(origin));
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
        self.relations
            .insert_mut(old.clone(), Relation::Dropped(origin));
        self.relations.insert_mut(new.clone(), moved);
        self.follow(old, new);
    }

    /// Rewrites references to a relation that got another name.
    fn follow(&mut self, old: &QualifiedName, new: &QualifiedName) {
        let refers = |relation: &Relation| match relation {
            Relation::Table(table) => {
                table.is_child_of(old)
                    || table
                        .constraints
                        .iter()
                        .any(|c| c.references.as_ref() == Some(old))
            }
            Relation::Index(index) => index.table == *old,
            Relation::View(view) => view.reads.contains(old),
            Relation::Sequence(sequence) => sequence
                .owned_by
                .as_ref()
                .is_some_and(|(table, _)| table == old),
            Relation::Dropped(_) => false,
        };
        let names: Vec<QualifiedName> = self
            .relations
            .iter()
            .filter(|(_, relation)| refers(relation))
            .map(|(name, _)| name.clone())
            .collect();
        for name in names {
            match self.relations.get_mut(&name) {
                Some(Relation::Table(table)) => {
                    let table = Arc::make_mut(table);
                    if let Some(partition) = table
                        .partition
                        .as_mut()
                        .filter(|partition| partition.parent == *old)
                    {
                        partition.parent = new.clone();
                    }
                    for parent in table.inherits.iter_mut().filter(|parent| *parent == old) {
                        *parent = new.clone();
                    }
                    for constraint in table
                        .constraints
                        .iter_mut()
                        .filter(|c| c.references.as_ref() == Some(old))
                    {
                        constraint.references = Some(new.clone());
                    }
                }
                Some(Relation::Index(index)) => Arc::make_mut(index).table = new.clone(),
                Some(Relation::View(view)) => {
                    for read in Arc::make_mut(view)
                        .reads
                        .iter_mut()
                        .filter(|read| *read == old)
                    {
                        *read = new.clone();
                    }
                }
                Some(Relation::Sequence(sequence)) => {
                    if let Some((table, _)) = &mut Arc::make_mut(sequence).owned_by {
                        *table = new.clone();
                    }
                }
                Some(Relation::Dropped(_)) | None => {}
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
        if let Some(Relation::View(view)) = self.relations.get_mut(&key) {
            for column in Arc::make_mut(view)
                .columns
                .iter_mut()
                .filter(|column| &***column == from)
            {
                *column = to.into();
            }
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
                if let Some(Relation::Index(index)) = self.relations.get_mut(&index) {
                    rename_in_index(Arc::make_mut(index), from, to);
                }
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
                .sequences()
                .map(|sequence| sequence.name.clone())
                .collect();
            for sequence in sequences {
                if let Some(Relation::Sequence(sequence)) = self.relations.get_mut(&sequence)
                    && sequence
                        .owned_by
                        .as_ref()
                        .is_some_and(|(table, column)| table == key && &**column == from)
                    && let Some((_, column)) = &mut Arc::make_mut(sequence).owned_by
                {
                    *column = to.into();
                }
            }
        }
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
