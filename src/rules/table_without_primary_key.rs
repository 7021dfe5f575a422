//! See `rules/table-without-primary-key.md`.

use crate::diagnostic::Level;
use crate::effect::proof::{self, NotNull};
use crate::rule::{Cx, Finding};
use crate::schema::{Table, TableKind};
use crate::statement::{Kind, Persistence, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateTable(create) = &statement.kind else {
        return;
    };
    let name = cx.after().resolve(&create.name);
    let Some(end) = cx.at_the_end().table_at(&name) else {
        return;
    };
    // A copy is as a rule on its way to take the place of another table, or to become a partition.
    let copy = !create.like.is_empty() && create.columns.is_empty();
    let is_asked = !copy
        && create.partition_of.is_none()
        && create.persistence == Persistence::Permanent
        && end.persistence == Persistence::Permanent
        && end.known
        && end.kind == TableKind::Ordinary
        && end.partition.is_none()
        && end.inherits.is_empty()
        && end.created.location == cx.location(statement.span);
    if !is_asked || end.primary_key().is_some() || cx.before().relation_at(&name).is_some() {
        return;
    }
    let table = &create.name;
    let finding = match key_in_all_but_name(cx, end) {
        Some(index) => Finding::new(
            table.span,
            format!("`{table}` has no primary key, though `{index}` is unique over columns that are NOT NULL"),
        )
        .level(Level::Info)
        .help("declare these columns PRIMARY KEY in place of UNIQUE"),
        None => Finding::new(
            table.span,
            format!("`{table}` has no primary key: nothing tells equal rows of it apart"),
        )
        .help("add the column or columns that name a row: PRIMARY KEY (…)"),
    };
    cx.report(finding);
}

/// The unique index that could be the primary key.
fn key_in_all_but_name(cx: &Cx<'_>, table: &Table) -> Option<String> {
    let not_null = |column: &str| {
        matches!(
            proof::not_null(table, column, &[]),
            NotNull::Already | NotNull::ProvenBy(_)
        )
    };
    cx.at_the_end()
        .indexes_of(&table.name)
        .find(|index| {
            index.unique
                && index.predicate.is_none()
                && index.columns().count() == index.elements.len()
                && index.columns().all(not_null)
        })
        .map(|index| index.name.short())
}
