//! See `rules/many-tables-locked.md`.

use std::collections::BTreeSet;

use super::missing_lock_timeout::is_limited;
use crate::diagnostic::Level;
use crate::effect::{LockMode, RelationKind};
use crate::replay::Step;
use crate::rule::{Cx, Finding};
use crate::schema::Schema;
use crate::session::TransactionKind;
use crate::statement::{Kind, ObjectKind, QualifiedName, Statement};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, _: &Statement) {
    let step = cx.step();
    if step.moment.transaction.kind == TransactionKind::None || step.effects.fails.is_some() {
        return;
    }
    let new_tables = cx.bool_option("new_tables");
    let added = locked(step, new_tables);
    if added.is_empty() {
        return;
    }
    let mut held: BTreeSet<QualifiedName> = BTreeSet::new();
    let mut first: Option<&Step<'_>> = None;
    for earlier in cx.earlier_in_transaction() {
        let tables = locked(earlier, new_tables);
        if tables.is_empty() {
            continue;
        }
        // It was said there.
        if !held.is_empty() && !tables.is_subset(&held) {
            return;
        }
        held.extend(tables);
        first.get_or_insert(earlier);
    }
    let Some(first) = first else { return };
    let added: Vec<String> = added.difference(&held).map(QualifiedName::short).collect();
    if added.is_empty() {
        return;
    }
    let held = wording::names(held.iter().map(QualifiedName::short));
    let bounded = is_limited(step.moment.lock_timeout) && !works(step);
    let mut finding = Finding::new(
        step.statement.span,
        format!(
            "the transaction keeps its lock on {held} while this {} waits for {}: others wait for both, and may deadlock with it",
            step.statement.tag,
            wording::names(added),
        ),
    )
    .help("change one table in one transaction: put this into a migration of its own")
    .label(cx.location_of(first), format!("{held} locked here"))
    .effects(step.effects.list.clone());
    if bounded {
        finding = finding.level(Level::Info);
    }
    cx.report(finding);
}

/// It takes time in proportion to a table while it holds the locks.
fn works(step: &Step<'_>) -> bool {
    step.effects
        .list
        .iter()
        .any(|effect| !effect.work.is_none() && !step.before.is_fresh(&effect.relation))
}

/// Tables in use that a step locks against writes, each partition by the table it belongs to.
fn locked(step: &Step<'_>, new_tables: bool) -> BTreeSet<QualifiedName> {
    let leaves_out = match &step.statement.kind {
        Kind::CreateTable(create) => !new_tables && create.partition_of.is_none(),
        // A foreign key of a new table, written behind it.
        Kind::AlterTable(alter) => {
            !new_tables && is_made_here(&step.before, &step.before.resolve(&alter.name))
        }
        // Nobody is to use a table any more; for indexes there is CONCURRENTLY, as the rules on them say.
        Kind::Drop(drop) => matches!(
            drop.object,
            ObjectKind::Table | ObjectKind::ForeignTable | ObjectKind::Index
        ),
        Kind::CreateIndex(_) | Kind::Reindex(_) => true,
        _ => false,
    };
    if leaves_out {
        return BTreeSet::new();
    }
    step.effects
        .list
        .iter()
        .filter(|effect| {
            effect.lock >= LockMode::Share
                && matches!(
                    effect.kind,
                    RelationKind::Table | RelationKind::PartitionedTable
                )
                && !is_made_here(&step.before, &effect.relation)
        })
        .map(|effect| root(&step.before, &effect.relation))
        .collect()
}

/// True for a table that the same change makes, also one that it has filled: nobody else uses it yet.
fn is_made_here(schema: &Schema, table: &QualifiedName) -> bool {
    schema.table_at(table).is_some_and(|table| {
        table.is_temporary() || (table.known && table.created.batch == schema.batch())
    })
}

/// The table that a partition belongs to, in the end; any other table itself.
fn root(schema: &Schema, table: &QualifiedName) -> QualifiedName {
    let mut root = table.clone();
    let mut seen = 0;
    while let Some(partition) = schema
        .table_at(&root)
        .and_then(|table| table.partition.as_ref())
    {
        root = partition.parent.clone();
        seen += 1;
        // A history that makes a circle of partitions is refused by PostgreSQL.
        if seen > 32 {
            break;
        }
    }
    root
}
