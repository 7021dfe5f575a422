//! `ALTER TABLE`: lock level and work of each sub-command, and of the tables it does not name.

use super::compute::Collector;
use super::proof::{self, NotNull};
use super::retype::Retype;
use super::{LockMode, Work, column, others, refuse};
use crate::diagnostic::Certainty;
use crate::schema::{Relation, Schema, TableKind};
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
        AlterAction::AlterConstraint { .. } => certain(LockMode::AccessExclusive, Work::NONE),
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
        AlterAction::Options(names) | AlterAction::ResetOptions(names) => {
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
            let strong = alter
                .actions
                .iter()
                .any(|action| matches!(action, AlterAction::SetLogged(_) | AlterAction::Owner));
            let lock = if strong {
                LockMode::AccessExclusive
            } else {
                LockMode::ShareRowExclusive
            };
            collector.certain(&key, lock, Work::NONE);
            return;
        }
        Some(Relation::View(view)) => {
            let work = alter
                .actions
                .iter()
                .filter(|_| view.materialized)
                .map(|action| action_work(action, alter, schema, situation.postgres, None).1)
                .fold(Work::NONE, Work::and);
            collector.certain(&key, LockMode::AccessExclusive, work);
            return;
        }
        Some(Relation::Dropped(_)) => {
            if !alter.if_exists {
                collector.named(&alter.name, LockMode::AccessExclusive, Work::NONE);
            }
            return;
        }
        None if alter.object == ObjectKind::Type => {
            others::composite(collector, alter);
            return;
        }
        None | Some(Relation::Table(_)) => {}
    }
    let costs: Vec<(LockMode, Work, Certainty)> = alter
        .actions
        .iter()
        .map(|action| {
            action_work(
                action,
                alter,
                schema,
                situation.postgres,
                situation.time_zone,
            )
        })
        .collect();
    // One lock for the whole command: the strongest that a sub-command needs.
    let Some(strongest) = costs.iter().map(|(lock, _, _)| *lock).max() else {
        return;
    };
    if alter.if_exists {
        collector.named_if_exists(&alter.name, strongest, Work::NONE);
    } else {
        collector.named(&alter.name, strongest, Work::NONE);
    }
    if let Some(refusal) = refuse::alter_table(collector, alter, &key) {
        collector.refuse(refusal.sqlstate, refusal.reason);
        for (relation, lock) in refusal.locks {
            collector.certain(&relation, lock, Work::NONE);
        }
        return;
    }
    for (action, (lock, work, certainty)) in alter.actions.iter().zip(costs) {
        let known = schema.relation_at(&key).is_some() || !alter.if_exists;
        if known {
            collector.lock(&key, lock, work, certainty);
        }
        if !alter.only
            && others::recurses(action)
            && let Some((lock, work)) =
                others::on_children(action, (lock, work), schema, &key, situation.postgres)
        {
            for child in schema.descendants(&key) {
                collector.lock(&child.name, lock, work, certainty);
            }
        }
        if alter.only && matches!(action, AlterAction::DropColumn { .. }) {
            // The column stays in the children, as their own from now on.
            for child in schema.children(&key) {
                collector.lock(
                    &child.name,
                    LockMode::AccessExclusive,
                    Work::NONE,
                    certainty,
                );
            }
        }
        others::others(collector, action, &key, work);
        // Triggers of the partitions' own keys are taken off the referenced table.
        if let AlterAction::AddConstraint(def) = action
            && let ConstraintKind::ForeignKey(foreign) = &def.kind
            && partitions_have(def, alter, schema)
        {
            collector.named(&foreign.table, LockMode::AccessExclusive, Work::NONE);
        }
    }
}

/// `ALTER INDEX`: what is planned takes ACCESS SHARE on every index, so a strong lock on an index stops queries.
fn alter_index(collector: &mut Collector<'_>, alter: &AlterTable, index: &QualifiedName) {
    for action in &alter.actions {
        let (lock, work) = match action {
            AlterAction::Options(names) | AlterAction::ResetOptions(names)
                if names.iter().all(|name| mild_option(name)) =>
            {
                (LockMode::ShareUpdateExclusive, Work::NONE)
            }
            AlterAction::SetTablespace(_) => (LockMode::AccessExclusive, Work::FILE_COPY),
            AlterAction::AttachPartition { partition, .. } => {
                let schema = collector.situation.schema;
                let child = schema.resolve(partition);
                collector.certain(&child, LockMode::AccessExclusive, Work::NONE);
                let tables: Vec<QualifiedName> = [index, &child]
                    .into_iter()
                    .filter_map(|name| match schema.relation_at(name) {
                        Some(Relation::Index(index)) => Some(index.table.clone()),
                        _ => None,
                    })
                    .collect();
                collector.all(tables, LockMode::AccessShare, Work::NONE);
                (LockMode::ShareUpdateExclusive, Work::NONE)
            }
            AlterAction::AlterColumn(_) => (LockMode::ShareUpdateExclusive, Work::NONE),
            _ => (LockMode::AccessExclusive, Work::NONE),
        };
        collector.certain(index, lock, work);
    }
}
