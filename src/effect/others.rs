//! `ALTER TABLE`: the relations that it locks without naming them.

use super::compute::Collector;
use super::object::tables_of_type;
use super::{Leftover, LockMode, WaitsFor, Work, bound, column, index};
use crate::diagnostic::Certainty;
use crate::schema::{Constraint, Schema, Table, TableKind};
use crate::statement::{
    AlterAction, AlterTable, ColumnChange, ConstraintKind, Expr, ExprKind, Ident, Name,
    PartitionOf, QualifiedName, TypeName,
};

/// Sub-commands that reach partitions and children.
pub(super) fn recurses(action: &AlterAction) -> bool {
    !matches!(
        action,
        AlterAction::AttachPartition { .. }
            | AlterAction::DetachPartition { .. }
            | AlterAction::Owner
            | AlterAction::Options(_)
            | AlterAction::RowSecurity { .. }
            | AlterAction::Inherit { .. }
            | AlterAction::ReplicaIdentity
            | AlterAction::SetTablespace(_)
            | AlterAction::SetLogged(_)
            | AlterAction::SetAccessMethod(_)
            | AlterAction::ClusterOn
            | AlterAction::Rule
    )
}

/// Lock and work on partitions and children, if the sub-command reaches them. Indexes are copied to partitions, not to
/// inheritance children; before 18 that went the ordinary way of building one, unless the key made columns NOT NULL.
pub(super) fn on_children(
    action: &AlterAction,
    (lock, work): (LockMode, Work),
    schema: &Schema,
    key: &QualifiedName,
    postgres: u32,
) -> Option<(LockMode, Work)> {
    let table = schema.table_at(key);
    if let AlterAction::AlterColumn(change) = action
        && postgres < 17
        && matches!(
            change.change,
            ColumnChange::AddIdentity(_)
                | ColumnChange::SetIdentity(_)
                | ColumnChange::DropIdentity
        )
    {
        // Partitions have identity columns of their own until 17.
        return None;
    }
    let AlterAction::AddConstraint(def) = action else {
        return Some((lock, work));
    };
    let partitioned = table.is_none_or(|table| table.kind == TableKind::Partitioned);
    let marks_columns = match &def.kind {
        ConstraintKind::PrimaryKey(primary) => table.is_none_or(|table| {
            let of_index: Vec<&str> = schema
                .indexes_of(key)
                .filter(|index| {
                    primary
                        .using_index
                        .as_ref()
                        .is_some_and(|name| name.text == index.name.name)
                })
                .flat_map(|index| index.columns())
                .collect();
            let written = primary.columns.iter().map(|name| &*name.text);
            written
                .chain(of_index)
                .any(|name| table.column(name).is_none_or(|column| !column.not_null))
        }),
        ConstraintKind::Unique(_) | ConstraintKind::Exclude { .. } => false,
        _ => return Some((lock, work)),
    };
    match (partitioned, postgres >= 18 || marks_columns) {
        (true, true) => Some((lock, work)),
        (true, false) => Some((LockMode::Share, work)),
        (false, true) => Some((
            lock,
            if marks_columns {
                Work::SCAN
            } else {
                Work::NONE
            },
        )),
        (false, false) => None,
    }
}

/// Locks on relations that the sub-command does not name.
pub(super) fn others(
    collector: &mut Collector<'_>,
    action: &AlterAction,
    key: &QualifiedName,
    work: Work,
) {
    let scan = if work.scan { Work::SCAN } else { Work::NONE };
    match action {
        AlterAction::AddColumn(add) => {
            // A default that draws from a sequence does so for each row.
            for name in add.column.default.iter().flat_map(drawn_sequences) {
                collector.named(&name, LockMode::RowExclusive, Work::NONE);
            }
            for constraint in &add.column.constraints {
                let work = column::constraint_work(constraint, &add.column);
                collector.foreign_key_parent(
                    constraint,
                    if work.scan { Work::SCAN } else { Work::NONE },
                );
            }
        }
        AlterAction::AddConstraint(def) => {
            // Checking an empty new table looks rows of the other one up instead of reading it.
            let fresh = collector.situation.schema.is_fresh(key);
            collector.foreign_key_parent(def, if fresh { Work::NONE } else { scan });
        }
        AlterAction::DropConstraint { name, cascade, .. } => {
            drop_constraint(collector, key, name, *cascade);
        }
        AlterAction::DropColumn {
            column, cascade, ..
        } => drop_column(collector, key, column, *cascade),
        AlterAction::AlterColumn(change) => match &change.change {
            ColumnChange::Type { ty, .. } => {
                change_type(collector, key, &change.column, ty, work);
            }
            ColumnChange::SetIdentity(_) => {
                let owned = sequences(collector, key, Some(&change.column));
                collector.all(owned, LockMode::ShareRowExclusive, Work::NONE);
            }
            ColumnChange::DropIdentity => {
                let owned = sequences(collector, key, Some(&change.column));
                collector.all(owned, LockMode::AccessExclusive, Work::NONE);
            }
            _ => {}
        },
        AlterAction::ValidateConstraint(name) => {
            let referenced = constraint(collector, key, name)
                .filter(|constraint| !constraint.valid)
                .and_then(|constraint| constraint.references.clone());
            if let Some(referenced) = referenced {
                collector.tree(&referenced, LockMode::RowShare, Work::SCAN);
            }
        }
        AlterAction::AlterConstraint {
            name,
            enforced,
            not_enforced,
            ..
        } => {
            let referenced = constraint(collector, key, name)
                .and_then(|constraint| constraint.references.clone());
            if let Some(referenced) = referenced {
                if *enforced {
                    collector.tree(&referenced, LockMode::ShareRowExclusive, Work::SCAN);
                } else if *not_enforced {
                    collector.tree(&referenced, LockMode::AccessExclusive, Work::NONE);
                }
            }
        }
        AlterAction::AttachPartition {
            partition,
            bound: Some(bound),
        } => attach(collector, key, partition, bound),
        AlterAction::DetachPartition {
            partition,
            concurrently,
            finalize,
        } => detach(collector, key, partition, *concurrently, *finalize),
        AlterAction::Inherit { parent, remove } => {
            let lock = if *remove {
                LockMode::AccessShare
            } else {
                LockMode::ShareUpdateExclusive
            };
            collector.named(parent, lock, Work::NONE);
        }
        // From 15 on a sequence is as durable as its table; it always has its owner.
        AlterAction::SetLogged(_) if collector.situation.postgres < 15 => {}
        AlterAction::SetLogged(_) | AlterAction::Owner => {
            let owned = sequences(collector, key, None);
            collector.all(owned, LockMode::AccessExclusive, Work::NONE);
        }
        _ => {}
    }
}

/// Sequences whose `nextval` an expression calls with their name as a constant.
fn drawn_sequences(expr: &Expr) -> Vec<Name> {
    expr.walk()
        .filter_map(|part| match &part.kind {
            ExprKind::Call { name, args, .. } if &**name == "nextval" => {
                let text = args.first()?.as_string()?;
                let (schema, name) = match text.split_once('.') {
                    Some((schema, name)) => (Some(schema), name),
                    None => (None, text),
                };
                let plain = |part: &str| part.trim_matches('"').to_owned();
                Some(Name::new(
                    schema.map(plain).as_deref(),
                    &plain(name),
                    part.span,
                ))
            }
            _ => None,
        })
        .collect()
}

/// Sequences that a column of the table owns, or any column.
fn sequences(
    collector: &Collector<'_>,
    table: &QualifiedName,
    column: Option<&Ident>,
) -> Vec<QualifiedName> {
    collector
        .situation
        .schema
        .sequences_of(table)
        .filter(|sequence| {
            column.is_none_or(|column| {
                let owner = sequence.owned_by.as_ref();
                owner.is_some_and(|(_, owner)| *owner == column.text)
            })
        })
        .map(|sequence| sequence.name.clone())
        .collect()
}

fn constraint<'a>(
    collector: &Collector<'a>,
    key: &QualifiedName,
    name: &Ident,
) -> Option<&'a Constraint> {
    collector
        .situation
        .schema
        .table_at(key)?
        .constraint(&name.text)
}

/// Tables whose foreign keys reference one of the columns.
pub(super) fn referencing_columns(
    schema: &Schema,
    table: &Table,
    columns: &[&str],
) -> Vec<QualifiedName> {
    let in_primary_key = table
        .primary_key()
        .is_some_and(|constraint| match &constraint.def.kind {
            ConstraintKind::PrimaryKey(key) => key
                .columns
                .iter()
                .any(|column| columns.contains(&&*column.text)),
            _ => false,
        });
    let mut names: Vec<QualifiedName> = schema
        .referencing(&table.name)
        .filter(|(_, constraint)| match &constraint.def.kind {
            ConstraintKind::ForeignKey(foreign) => {
                foreign
                    .referenced
                    .iter()
                    .any(|column| columns.contains(&&*column.text))
                    || (foreign.referenced.is_empty() && in_primary_key)
            }
            _ => false,
        })
        .map(|(other, _)| other.name.clone())
        .collect();
    names.dedup();
    names
}

/// The columns of a primary key or unique constraint.
pub(super) fn key_columns(kind: &ConstraintKind) -> Vec<&str> {
    match kind {
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => {
            key.columns.iter().map(|column| &*column.text).collect()
        }
        _ => Vec::new(),
    }
}

fn drop_constraint(
    collector: &mut Collector<'_>,
    key: &QualifiedName,
    name: &Ident,
    cascade: bool,
) {
    let schema = collector.situation.schema;
    let Some(table) = schema.table_at(key) else {
        // A foreign key among the unknown constraints would lock the table it references.
        collector.open_ended = true;
        return;
    };
    let Some(constraint) = table.constraint(&name.text) else {
        collector.open_ended |= !table.known;
        return;
    };
    if let Some(referenced) = &constraint.references {
        collector.tree(referenced, LockMode::AccessExclusive, Work::NONE);
    }
    if cascade {
        let columns = key_columns(&constraint.def.kind);
        let dependents = referencing_columns(schema, table, &columns);
        collector.all(dependents, LockMode::AccessExclusive, Work::NONE);
    }
}

fn drop_column(collector: &mut Collector<'_>, key: &QualifiedName, column: &Ident, cascade: bool) {
    let schema = collector.situation.schema;
    let Some(table) = schema.table_at(key) else {
        collector.open_ended = true;
        return;
    };
    collector.open_ended |= !table.known;
    let referenced: Vec<QualifiedName> = table
        .constraints
        .iter()
        .filter(|constraint| match &constraint.def.kind {
            ConstraintKind::ForeignKey(foreign) => foreign.columns.contains(column),
            _ => false,
        })
        .filter_map(|constraint| constraint.references.clone())
        .collect();
    for other in referenced {
        collector.tree(&other, LockMode::AccessExclusive, Work::NONE);
    }
    let owned = sequences(collector, key, Some(column));
    collector.all(owned, LockMode::AccessExclusive, Work::NONE);
    if cascade {
        let dependents = referencing_columns(schema, table, &[&column.text]);
        collector.all(dependents, LockMode::AccessExclusive, Work::NONE);
        let views = collector.dependent_views(key, Some(&column.text));
        collector.all(views, LockMode::AccessExclusive, Work::NONE);
    }
}

/// Foreign keys on either side of a column are dropped and made again.
/// They are checked again if the new type is compared by another operator.
fn change_type(
    collector: &mut Collector<'_>,
    key: &QualifiedName,
    column: &Ident,
    ty: &TypeName,
    work: Work,
) {
    let schema = collector.situation.schema;
    let Some(table) = schema.table_at(key) else {
        collector.open_ended = true;
        return;
    };
    collector.open_ended |= !table.known;
    let mine = table
        .constraints
        .iter()
        .filter_map(|constraint| match &constraint.def.kind {
            ConstraintKind::ForeignKey(foreign) if foreign.columns.contains(column) => {
                constraint.references.clone()
            }
            _ => None,
        });
    let touched: Vec<QualifiedName> = mine
        .chain(referencing_columns(schema, table, &[&column.text]))
        .collect();
    let other_operator = work.rewrite
        && table
            .column(&column.text)
            .and_then(|column| column.ty.as_ref())
            .is_some_and(|old| old.name != ty.name);
    let recheck = if other_operator {
        Work::SCAN
    } else {
        Work::NONE
    };
    for other in touched {
        collector.tree(&other, LockMode::AccessExclusive, recheck);
    }
    // The sequence of an identity column gets the new type.
    if table
        .column(&column.text)
        .is_some_and(|column| column.identity.is_some())
    {
        let owned = sequences(collector, key, Some(column));
        collector.all(owned, LockMode::ShareRowExclusive, Work::NONE);
    }
}

fn attach(
    collector: &mut Collector<'_>,
    parent: &QualifiedName,
    partition: &Name,
    of: &PartitionOf,
) {
    let schema = collector.situation.schema;
    let child = schema.resolve(partition);
    collector.named(partition, LockMode::AccessExclusive, Work::NONE);
    collector.partition_bound(parent, of);
    let (table, parent_table) = (schema.table_at(&child), schema.table_at(parent));
    let by = parent_table.and_then(|table| table.partition_by.as_ref());
    let proven = table
        .zip(by)
        .is_some_and(|(table, by)| bound::implied(table, by, &of.values));
    let mut work = if proven { Work::NONE } else { Work::SCAN };
    match table {
        Some(table) => {
            if !index::missing_on_attach(schema, parent, table).is_empty() {
                work = work.and(Work::INDEX_BUILD);
            }
        }
        None if schema.indexes_of(parent).next().is_some() => {
            collector.lock(
                &child,
                LockMode::AccessExclusive,
                Work::INDEX_BUILD,
                Certainty::Possible,
            );
        }
        None => {}
    }
    let copied_keys = parent_table.is_some_and(|table| {
        table
            .constraints
            .iter()
            .any(|constraint| constraint.references.is_some())
    });
    if copied_keys {
        work = work.and(Work::SCAN);
    }
    collector.tree(&child, LockMode::AccessExclusive, work);
    collector.partition_indexes(parent);
    collector.default_partition_check(parent, of);
    collector.partition_foreign_keys(parent, Work::SCAN);
}

fn detach(
    collector: &mut Collector<'_>,
    parent: &QualifiedName,
    partition: &Name,
    concurrently: bool,
    finalize: bool,
) {
    let schema = collector.situation.schema;
    let child = schema.resolve(partition);
    let referencing = collector.referencing(parent);
    if concurrently {
        collector.named(partition, LockMode::AccessExclusive, Work::NONE);
        let ancestors = ancestors(schema, parent);
        collector.all(ancestors, LockMode::AccessShare, Work::NONE);
        collector
            .waits_for
            .extend([WaitsFor::Writers, WaitsFor::Readers]);
        collector.leaves_behind.push(Leftover::PendingDetach);
    } else {
        let strong = collector.situation.postgres >= 14 || finalize || !referencing.is_empty();
        let lock = if strong {
            LockMode::AccessExclusive
        } else {
            LockMode::ShareUpdateExclusive
        };
        collector.named(partition, lock, Work::NONE);
        if let Some(default) = schema
            .default_partition(parent)
            .filter(|default| default.name != child)
        {
            let name = default.name.clone();
            collector.certain(&name, LockMode::AccessExclusive, Work::NONE);
        }
    }
    // The partition keeps its foreign keys as its own from now on.
    let referenced: Vec<QualifiedName> = schema
        .table_at(parent)
        .into_iter()
        .flat_map(|table| &table.constraints)
        .filter_map(|constraint| constraint.references.clone())
        .collect();
    for other in referenced {
        collector.tree(&other, LockMode::ShareRowExclusive, Work::NONE);
    }
    // Nobody may reference a row of it any more; that is looked up in the referencing tables.
    collector.all(referencing, LockMode::AccessExclusive, Work::SCAN);
}

/// Parents of a partitioned table at all levels.
fn ancestors(schema: &Schema, table: &QualifiedName) -> Vec<QualifiedName> {
    let mut found: Vec<QualifiedName> = Vec::new();
    let mut next = schema.table_at(table);
    while let Some(partition) = next.and_then(|table| table.partition.as_ref()) {
        if found.contains(&partition.parent) {
            break;
        }
        found.push(partition.parent.clone());
        next = schema.table_at(&partition.parent);
    }
    found
}

/// `ALTER TYPE` of a composite type: tables made `OF` it change with it, tables with a column of it forbid a change of an
/// attribute's type.
pub(super) fn composite(collector: &mut Collector<'_>, alter: &AlterTable) {
    let schema = collector.situation.schema;
    let tables = tables_of_type(schema, &alter.name);
    let (typed, with_column): (Vec<_>, Vec<_>) = tables.into_iter().partition(|table| {
        schema
            .table_at(table)
            .is_some_and(|table| table.of_type.is_some())
    });
    let changes_type = alter.actions.iter().any(|action| {
        matches!(action, AlterAction::AlterColumn(change) if matches!(change.change, ColumnChange::Type { .. }))
    });
    if changes_type && let Some(table) = with_column.first() {
        let reason = format!("{table} has a column of type {}", alter.name);
        collector.certain(table, LockMode::AccessShare, Work::NONE);
        collector.refuse("0A000", reason);
    }
    // Without CASCADE it is refused.
    collector.all(typed, LockMode::AccessExclusive, Work::NONE);
}
