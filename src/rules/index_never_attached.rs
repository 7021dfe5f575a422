//! See `rules/index-never-attached.md`.

use std::sync::Arc;

use super::index_not_concurrent;
use crate::rule::{Cx, Finding};
use crate::schema::{Relation, Table, TableKind};
use crate::statement::{Kind, Name, Statement};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateIndex(create) = &statement.kind else {
        return;
    };
    let (true, Some(name)) = (create.only, &create.name) else {
        return;
    };
    let schema = cx.at_the_end();
    let table = cx.resolve(&create.table);
    let name = Name::new(Some(&table.schema), &name.text, name.span);
    let Some(Relation::Index(index)) = schema.relation(&name) else {
        return;
    };
    let partitioned = schema
        .table_at(&index.table)
        .is_some_and(|table| table.kind == TableKind::Partitioned);
    if index.valid || !partitioned || index.created.location != cx.location_of(cx.step()) {
        return;
    }
    let missing: Vec<&Arc<Table>> = schema
        .children(&index.table)
        .filter(|child| {
            !schema
                .indexes_of(&child.name)
                .any(|own| own.valid && own.parent.as_ref() == Some(&index.name))
        })
        .collect();
    let own = index.name.short();
    let names = wording::names(missing.iter().map(|child| child.name.short()));
    let steps = index_not_concurrent::parts(create, &missing)
        .map_or_else(Vec::new, |parts| cx.remedy(parts));
    let finding = Finding::new(
        statement.span,
        format!("`{own}` stays invalid: the migrations attach no index of {names} to it"),
    )
    .help(format!(
        "build one CONCURRENTLY on each of them, and attach those to `{own}`"
    ))
    .steps(steps);
    cx.report(finding);
}
