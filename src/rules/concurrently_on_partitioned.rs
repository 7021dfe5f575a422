//! See `rules/concurrently-on-partitioned.md`.

use super::index_not_concurrent;
use crate::diagnostic::{Place, Step};
use crate::rule::{Cx, Finding};
use crate::schema::{Relation, TableKind};
use crate::statement::{Kind, ObjectKind, QualifiedName, ReindexTarget, Statement};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    // What is refused for another reason first is not about partitions.
    if !statement.is_concurrent()
        || cx
            .effects()
            .fails
            .as_ref()
            .is_none_or(|failure| failure.sqlstate != "0A000")
    {
        return;
    }
    let Some((table, what)) = target(cx, statement) else {
        return;
    };
    let schema = cx.before();
    if schema
        .table_at(&table)
        .is_none_or(|table| table.kind != TableKind::Partitioned)
    {
        return;
    }
    let partitions: Vec<String> = schema
        .descendants(&table)
        .iter()
        .map(|child| child.name.short())
        .collect();
    let each = if partitions.is_empty() {
        "each partition".to_owned()
    } else {
        wording::names(partitions).replace('`', "")
    };
    let steps = match (&what, &statement.kind) {
        (What::Create, Kind::CreateIndex(create)) => {
            index_not_concurrent::per_partition(cx, create)
        }
        (What::Reindex, Kind::Reindex(_)) => one_by_one(cx, &table),
        _ => Vec::new(),
    };
    let table = table.short();
    let help = match what {
        What::Create => {
            format!("make it ON ONLY {table}, build one CONCURRENTLY on {each}, and attach those")
        }
        What::Drop => {
            "leave out CONCURRENTLY, and keep lock_timeout short: the parts of the index go with it"
                .to_owned()
        }
        What::Reindex => format!("rebuild the indexes of {each} CONCURRENTLY, one table by one"),
    };
    let finding = Finding::new(
        statement.span,
        format!(
            "`{table}` is partitioned: CONCURRENTLY is refused for {} with SQLSTATE 0A000",
            match what {
                What::Create => "an index of it",
                What::Drop => "dropping an index of it",
                What::Reindex => "rebuilding its indexes before PostgreSQL 14",
            }
        ),
    )
    .help(help)
    .steps(steps);
    cx.report(finding);
}

/// The indexes of each partition that holds rows, in a migration of its own each.
fn one_by_one(cx: &Cx<'_>, table: &QualifiedName) -> Vec<Step> {
    let leaves = cx.before().descendants(table);
    let leaves = leaves
        .iter()
        .filter(|child| child.kind == TableKind::Ordinary);
    let places = std::iter::once(Place::Instead).chain(std::iter::repeat(Place::Later));
    cx.remedy(places.zip(leaves).map(|(place, child)| {
        let name = child.name.short();
        (place, format!("REINDEX TABLE CONCURRENTLY {name}"))
    }))
}

#[derive(Clone, Copy)]
enum What {
    Create,
    Drop,
    Reindex,
}

/// The table whose index the statement is about.
fn target(cx: &Cx<'_>, statement: &Statement) -> Option<(QualifiedName, What)> {
    let of_index = |name| match cx.before().relation(name) {
        Some(Relation::Index(index)) => Some(index.table.clone()),
        _ => None,
    };
    match &statement.kind {
        Kind::CreateIndex(create) => Some((cx.resolve(&create.table), What::Create)),
        Kind::Drop(drop) if drop.object == ObjectKind::Index => {
            Some((of_index(drop.names.first()?)?, What::Drop))
        }
        Kind::Reindex(reindex) => {
            let name = reindex.name.as_ref()?;
            match reindex.target {
                ReindexTarget::Index => Some((of_index(name)?, What::Reindex)),
                ReindexTarget::Table => Some((cx.resolve(name), What::Reindex)),
                _ => None,
            }
        }
        _ => None,
    }
}
