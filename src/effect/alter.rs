//! `ALTER TABLE`: lock level and work of each sub-command, and of the tables it does not name.

use super::compute::Collector;
use super::proof::{self, NotNull};
use super::retype::Retype;
use super::{LockMode, Work, column};
use crate::diagnostic::Certainty;
use crate::schema::{Relation, Schema, Table, TableKind};
use crate::statement::{
    AlterAction, AlterTable, ColumnChange, ConstraintDef, ConstraintKind, ObjectKind, Persistence,
    QualifiedName,
};

/// Storage parameters that need no more than SHARE UPDATE EXCLUSIVE (the rest of what a table has: ACCESS EXCLUSIVE).
fn mild_option(name: &str) -> bool {
    const MILD: &[&str] = &[
        "fillfactor",
        "toast_tuple_target",
        "parallel_workers",
        "vacuum_index_cleanup",
        "vacuum_truncate",
        "log_autovacuum_min_duration",
        "vacuum_max_eager_freeze_failure_rate",
        "n_distinct",
        "n_distinct_inherited",
        "deduplicate_items",
        "pages_per_range",
        "autosummarize",
    ];
    let name = name.strip_prefix("toast.").unwrap_or(name);
    name.starts_with("autovacuum_") || MILD.contains(&name)
}

/// Work of the sub-commands on the table itself, by their place in the command. Index 0 belongs to the first one.
#[must_use]
pub fn action_work(
    action: &AlterAction,
    alter: &AlterTable,
    schema: &Schema,
    postgres: u32,
    time_zone: Option<&str>,
) -> (LockMode, Work, Certainty) {
    let table = schema.table(&alter.name);
    let certain = |lock, work| (lock, work, Certainty::Certain);
    match action {
        AlterAction::AddColumn(add) => {
            let exists = table.is_some_and(|table| table.column(&add.column.name.text).is_some());
            if add.if_not_exists && exists {
                return certain(LockMode::AccessExclusive, Work::NONE);
            }
            let cost = column::add(&add.column, schema, postgres);
            (LockMode::AccessExclusive, cost.work, cost.certainty)
        }
        AlterAction::AlterColumn(change) => match &change.change {
            ColumnChange::Type { .. } => {
                let retype = Retype::new(&alter.name, &change.column.text, &change.change);
                let cost = retype.map(|retype| retype.cost(schema, time_zone));
                cost.map_or(certain(LockMode::AccessExclusive, Work::NONE), |cost| {
                    (LockMode::AccessExclusive, cost.work, cost.certainty)
                })
            }
            ColumnChange::SetNotNull => {
                let dropped = dropped_constraints(alter);
                let proof =
                    table.map(|table| proof::not_null(table, &change.column.text, &dropped));
                match proof {
                    Some(NotNull::Already | NotNull::ProvenBy(_)) => {
                        certain(LockMode::AccessExclusive, Work::NONE)
                    }
                    _ => certain(LockMode::AccessExclusive, Work::SCAN),
                }
            }
            ColumnChange::SetExpression(_) => {
                let stored = table
                    .and_then(|table| table.column(&change.column.text))
                    .and_then(|column| column.generated.as_ref())
                    .is_none_or(|generated| generated.stored);
                certain(
                    LockMode::AccessExclusive,
                    if stored { Work::REWRITE } else { Work::NONE },
                )
            }
            ColumnChange::Statistics | ColumnChange::Options => {
                certain(LockMode::ShareUpdateExclusive, Work::NONE)
            }
            _ => certain(LockMode::AccessExclusive, Work::NONE),
        },
        AlterAction::AddConstraint(def) => add_constraint(def, alter, schema),
        AlterAction::ValidateConstraint(name) => {
            let valid = table
                .and_then(|table| table.constraint(&name.text))
                .is_some_and(|constraint| constraint.valid);
            certain(
                LockMode::ShareUpdateExclusive,
                if valid { Work::NONE } else { Work::SCAN },
            )
        }
        AlterAction::AlterConstraint { enforced: true, .. } => {
            certain(LockMode::AccessExclusive, Work::SCAN)
        }
        AlterAction::AttachPartition { .. } => certain(LockMode::ShareUpdateExclusive, Work::NONE),
        AlterAction::DetachPartition {
            concurrently,
            finalize,
            ..
        } => {
            let mild = *concurrently || *finalize;
            certain(
                if mild {
                    LockMode::ShareUpdateExclusive
                } else {
                    LockMode::AccessExclusive
                },
                Work::NONE,
            )
        }
        AlterAction::Options(names) => {
            let mild = names.iter().all(|name| mild_option(name));
            certain(
                if mild {
                    LockMode::ShareUpdateExclusive
                } else {
                    LockMode::AccessExclusive
                },
                Work::NONE,
            )
        }
        AlterAction::ClusterOn => certain(LockMode::ShareUpdateExclusive, Work::NONE),
        AlterAction::Trigger { .. } => certain(LockMode::ShareRowExclusive, Work::NONE),
        AlterAction::SetLogged(logged) => {
            let already = table.is_some_and(|table| {
                table.known && (table.persistence == Persistence::Permanent) == *logged
            });
            certain(
                LockMode::AccessExclusive,
                if already { Work::NONE } else { Work::REWRITE },
            )
        }
        AlterAction::SetTablespace(_) => certain(LockMode::AccessExclusive, Work::FILE_COPY),
        AlterAction::SetAccessMethod(_) => (
            LockMode::AccessExclusive,
            Work::REWRITE,
            Certainty::Possible,
        ),
        _ => certain(LockMode::AccessExclusive, Work::NONE),
    }
}

/// Names of constraints that the same command drops: their drop runs before everything else.
fn dropped_constraints(alter: &AlterTable) -> Vec<&str> {
    alter
        .actions
        .iter()
        .filter_map(|action| match action {
            AlterAction::DropConstraint { name, .. } => Some(&*name.text),
            _ => None,
        })
        .collect()
}

fn add_constraint(
    def: &ConstraintDef,
    alter: &AlterTable,
    schema: &Schema,
) -> (LockMode, Work, Certainty) {
    let checked = !def.not_valid && !def.not_enforced;
    let work = match &def.kind {
        ConstraintKind::ForeignKey(_) => {
            let scans = checked && !partitions_have(def, alter, schema);
            let work = if scans { Work::SCAN } else { Work::NONE };
            return (LockMode::ShareRowExclusive, work, Certainty::Certain);
        }
        ConstraintKind::Check(_) => {
            // A foreign table's constraints are only believed.
            let foreign = schema
                .table(&alter.name)
                .is_some_and(|table| table.kind == TableKind::Foreign);
            if checked && !foreign {
                Work::SCAN
            } else {
                Work::NONE
            }
        }
        ConstraintKind::NotNull(column) => {
            let proof = schema
                .table(&alter.name)
                .map(|table| proof::not_null(table, &column.text, &dropped_constraints(alter)));
            match proof {
                Some(NotNull::Already | NotNull::ProvenBy(_)) => Work::NONE,
                _ if checked => Work::SCAN,
                _ => Work::NONE,
            }
        }
        ConstraintKind::PrimaryKey(key) if key.using_index.is_some() => {
            let index = key.using_index.as_ref().map_or("", |index| &*index.text);
            let table = schema.resolve(&alter.name);
            let columns: Option<Vec<String>> = schema
                .indexes_of(&table)
                .find(|candidate| &*candidate.name.name == index)
                .map(|index| index.columns().map(ToOwned::to_owned).collect());
            match (columns, schema.table_at(&table)) {
                (Some(columns), Some(known)) => {
                    let proven = columns.iter().all(|column| {
                        matches!(
                            proof::not_null(known, column, &[]),
                            NotNull::Already | NotNull::ProvenBy(_)
                        )
                    });
                    return (
                        LockMode::AccessExclusive,
                        if proven { Work::NONE } else { Work::SCAN },
                        Certainty::Certain,
                    );
                }
                _ => return (LockMode::AccessExclusive, Work::SCAN, Certainty::Unknown),
            }
        }
        ConstraintKind::Unique(key) if key.using_index.is_some() => Work::NONE,
        ConstraintKind::PrimaryKey(_)
        | ConstraintKind::Unique(_)
        | ConstraintKind::Exclude { .. } => Work::INDEX_BUILD,
    };
    (LockMode::AccessExclusive, work, Certainty::Certain)
}

/// True if every partition of the table has the foreign key already and validated: the partitioned table's one takes
/// them over and reads no row (measured on 13 to 18).
fn partitions_have(def: &ConstraintDef, alter: &AlterTable, schema: &Schema) -> bool {
    let ConstraintKind::ForeignKey(wanted) = &def.kind else {
        return false;
    };
    let Some(table) = schema.table(&alter.name) else {
        return false;
    };
    let referenced = schema.resolve(&wanted.table);
    let partitions: Vec<_> = schema
        .descendants(&table.name)
        .into_iter()
        .filter(|child| child.kind != TableKind::Partitioned)
        .collect();
    table.kind == TableKind::Partitioned
        && !partitions.is_empty()
        && partitions.iter().all(|child| {
            child.constraints.iter().any(|constraint| {
                constraint.valid
                    && constraint.references.as_ref() == Some(&referenced)
                    && matches!(
                        &constraint.def.kind,
                        ConstraintKind::ForeignKey(own)
                            if own.columns == wanted.columns
                                && own.referenced == schema.referenced_columns(wanted)
                    )
            })
        })
}

/// The lock that building a constraint's index takes on a partition: the index of a partition is built as by `CREATE
/// INDEX` before 18 (measured); a primary key makes its columns NOT NULL first if they are not yet.
fn partition_lock(
    action: &AlterAction,
    partition: &Table,
    lock: LockMode,
    postgres: u32,
) -> LockMode {
    let AlterAction::AddConstraint(def) = action else {
        return lock;
    };
    let share = match &def.kind {
        ConstraintKind::Unique(_) | ConstraintKind::Exclude { .. } => true,
        ConstraintKind::PrimaryKey(key) => key.columns.iter().all(|column| {
            partition
                .column(&column.text)
                .is_some_and(|column| column.not_null)
        }),
        _ => false,
    };
    if share && postgres < 18 {
        LockMode::Share
    } else {
        lock
    }
}

/// All locks of an `ALTER TABLE`.
pub(super) fn alter_table(collector: &mut Collector<'_>, alter: &AlterTable) {
    let situation = collector.situation;
    let schema = situation.schema;
    let key = schema.resolve(&alter.name);
    match schema.relation_at(&key) {
        Some(Relation::Index(_)) => {
            alter_index(collector, alter, &key);
            return;
        }
        Some(Relation::Sequence(_)) => {
            collector.certain(&key, LockMode::ShareRowExclusive, Work::NONE);
            return;
        }
        Some(Relation::View(_)) => {
            collector.certain(&key, LockMode::AccessExclusive, Work::NONE);
            return;
        }
        None if alter.if_exists && alter.object != ObjectKind::Table => return,
        _ => {}
    }
    for action in &alter.actions {
        let (lock, work, certainty) = action_work(
            action,
            alter,
            schema,
            situation.postgres,
            situation.time_zone,
        );
        // Partitioned and foreign tables have no rows of their own.
        let kind = schema.table_at(&key).map(|table| &table.kind);
        let stored = kind.is_none_or(|kind| *kind == TableKind::Ordinary);
        let partitioned = kind == Some(&TableKind::Partitioned);
        collector.lock(
            &key,
            lock,
            if stored { work } else { Work::NONE },
            certainty,
        );
        if !alter.only && recurses(action) {
            for child in schema.descendants(&key) {
                let stored = child.kind == TableKind::Ordinary;
                let lock = if partitioned {
                    partition_lock(action, child, lock, situation.postgres)
                } else {
                    lock
                };
                collector.lock(
                    &child.name,
                    lock,
                    if stored { work } else { Work::NONE },
                    certainty,
                );
            }
        }
        others(collector, action, &key, work);
        // Triggers of the partitions' own keys are taken off the referenced table.
        if let AlterAction::AddConstraint(def) = action
            && let ConstraintKind::ForeignKey(foreign) = &def.kind
            && partitions_have(def, alter, schema)
        {
            collector.named(&foreign.table, LockMode::AccessExclusive, Work::NONE);
        }
    }
}

/// Sub-commands that reach partitions and children.
fn recurses(action: &AlterAction) -> bool {
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

/// Locks on relations that the sub-command does not name.
fn others(collector: &mut Collector<'_>, action: &AlterAction, key: &QualifiedName, work: Work) {
    let schema = collector.situation.schema;
    match action {
        AlterAction::AddColumn(add) => {
            for constraint in &add.column.constraints {
                if let ConstraintKind::ForeignKey(foreign) = &constraint.kind {
                    collector.named(
                        &foreign.table,
                        LockMode::ShareRowExclusive,
                        if work.scan { Work::SCAN } else { Work::NONE },
                    );
                }
            }
        }
        AlterAction::AddConstraint(def) => {
            if let ConstraintKind::ForeignKey(foreign) = &def.kind {
                collector.named(&foreign.table, LockMode::ShareRowExclusive, work);
            }
        }
        AlterAction::DropConstraint { name, cascade, .. } => {
            let Some(table) = schema.table_at(key) else {
                return;
            };
            if let Some(referenced) = table
                .constraint(&name.text)
                .and_then(|constraint| constraint.references.clone())
            {
                collector.certain(&referenced, LockMode::AccessExclusive, Work::NONE);
            }
            if *cascade {
                let dependents: Vec<QualifiedName> = schema
                    .referencing(key)
                    .map(|(other, _)| other.name.clone())
                    .collect();
                for other in dependents {
                    collector.certain(&other, LockMode::AccessExclusive, Work::NONE);
                }
            }
        }
        AlterAction::DropColumn {
            column, cascade, ..
        } => {
            let Some(table) = schema.table_at(key) else {
                return;
            };
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
                collector.certain(&other, LockMode::AccessExclusive, Work::NONE);
            }
            if *cascade {
                let dependents: Vec<QualifiedName> = schema
                    .referencing(key)
                    .map(|(other, _)| other.name.clone())
                    .collect();
                for other in dependents {
                    collector.certain(&other, LockMode::AccessExclusive, Work::NONE);
                }
                let views: Vec<QualifiedName> = schema
                    .views_of(key)
                    .filter(|view| view.query.star || view.query.columns.contains(column))
                    .map(|view| view.name.clone())
                    .collect();
                for view in views {
                    collector.certain(&view, LockMode::AccessExclusive, Work::NONE);
                }
            }
        }
        AlterAction::AlterColumn(change) if matches!(change.change, ColumnChange::Type { .. }) => {
            // Foreign keys on either side are dropped and made again.
            let Some(table) = schema.table_at(key) else {
                return;
            };
            let mine =
                table
                    .constraints
                    .iter()
                    .filter_map(|constraint| match &constraint.def.kind {
                        ConstraintKind::ForeignKey(foreign)
                            if foreign.columns.contains(&change.column) =>
                        {
                            constraint.references.clone()
                        }
                        _ => None,
                    });
            let theirs =
                schema.referencing(key).filter_map(|(other, constraint)| {
                    match &constraint.def.kind {
                        ConstraintKind::ForeignKey(foreign)
                            if foreign.referenced.contains(&change.column)
                                || (foreign.referenced.is_empty()
                                    && is_primary_key(table, &change.column.text)) =>
                        {
                            Some(other.name.clone())
                        }
                        _ => None,
                    }
                });
            let touched: Vec<QualifiedName> = mine.chain(theirs).collect();
            for other in touched {
                collector.certain(&other, LockMode::AccessExclusive, Work::NONE);
            }
        }
        AlterAction::AlterColumn(change)
            if matches!(
                change.change,
                ColumnChange::SetIdentity(_) | ColumnChange::DropIdentity
            ) =>
        {
            let owned: Vec<QualifiedName> = schema
                .sequences_of(key)
                .filter(|s| {
                    s.owned_by
                        .as_ref()
                        .is_some_and(|(_, c)| *c == change.column.text)
                })
                .map(|sequence| sequence.name.clone())
                .collect();
            for sequence in owned {
                collector.certain(&sequence, LockMode::AccessExclusive, Work::NONE);
            }
        }
        AlterAction::ValidateConstraint(name) => {
            let Some(table) = schema.table_at(key) else {
                return;
            };
            if let Some(constraint) = table.constraint(&name.text)
                && let Some(referenced) = constraint.references.clone()
                && !constraint.valid
            {
                collector.certain(&referenced, LockMode::RowShare, Work::SCAN);
            }
        }
        AlterAction::AlterConstraint { name, enforced } => {
            let referenced = schema
                .table_at(key)
                .and_then(|table| table.constraint(&name.text))
                .and_then(|constraint| constraint.references.clone());
            if let Some(referenced) = referenced {
                let (lock, work) = if *enforced {
                    (LockMode::ShareRowExclusive, Work::SCAN)
                } else {
                    (LockMode::AccessExclusive, Work::NONE)
                };
                collector.certain(&referenced, lock, work);
            }
        }
        AlterAction::AttachPartition { partition, bound } => {
            let child = schema.resolve(partition);
            collector.certain(&child, LockMode::AccessExclusive, Work::SCAN);
            if bound.as_ref().is_some_and(|bound| !bound.is_default)
                && let Some(default) = schema.default_partition(key)
            {
                let name = default.name.clone();
                collector.certain(&name, LockMode::AccessExclusive, Work::SCAN);
            }
            collector.parent_foreign_keys(key);
        }
        AlterAction::DetachPartition {
            partition,
            concurrently,
            finalize,
        } => {
            let child = schema.resolve(partition);
            if *concurrently {
                collector.certain(&child, LockMode::AccessExclusive, Work::NONE);
                collector
                    .waits_for
                    .extend([super::WaitsFor::Writers, super::WaitsFor::Readers]);
                return;
            }
            let lock = if collector.situation.postgres >= 14 || *finalize {
                LockMode::AccessExclusive
            } else {
                LockMode::ShareUpdateExclusive
            };
            collector.certain(&child, lock, Work::NONE);
            if let Some(default) = schema
                .default_partition(key)
                .filter(|default| default.name != child)
            {
                let name = default.name.clone();
                collector.certain(&name, LockMode::AccessExclusive, Work::NONE);
            }
        }
        AlterAction::Inherit { parent, .. } => {
            collector.named(parent, LockMode::ShareUpdateExclusive, Work::NONE);
        }
        _ => {}
    }
}

fn is_primary_key(table: &Table, column: &str) -> bool {
    table
        .primary_key()
        .is_some_and(|constraint| match &constraint.def.kind {
            ConstraintKind::PrimaryKey(key) => key.columns.iter().any(|name| &*name.text == column),
            _ => false,
        })
}

/// `ALTER INDEX`: what is planned takes ACCESS SHARE on every index, so a strong lock on an index stops queries.
fn alter_index(collector: &mut Collector<'_>, alter: &AlterTable, index: &QualifiedName) {
    for action in &alter.actions {
        let (lock, work) = match action {
            AlterAction::Options(names) if names.iter().all(|name| mild_option(name)) => {
                (LockMode::ShareUpdateExclusive, Work::NONE)
            }
            AlterAction::SetTablespace(_) => (LockMode::AccessExclusive, Work::FILE_COPY),
            AlterAction::AttachPartition { partition, .. } => {
                let child = collector.situation.schema.resolve(partition);
                collector.certain(&child, LockMode::AccessExclusive, Work::NONE);
                (LockMode::ShareUpdateExclusive, Work::NONE)
            }
            AlterAction::AlterColumn(_) => (LockMode::ShareUpdateExclusive, Work::NONE),
            _ => (LockMode::AccessExclusive, Work::NONE),
        };
        collector.certain(index, lock, work);
    }
}
