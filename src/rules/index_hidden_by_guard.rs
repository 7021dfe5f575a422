//! See `rules/index-hidden-by-guard.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Kind, ObjectKind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateIndex(create) = &statement.kind else {
        return;
    };
    let (true, true, Some(name)) = (create.concurrently, create.if_not_exists, &create.name) else {
        return;
    };
    let is_it = |other: &str| other == &*name.text;
    let mended = cx
        .earlier_in_migration()
        .iter()
        .any(|step| match &step.statement.kind {
            Kind::Drop(drop) => {
                drop.object == ObjectKind::Index && drop.names.iter().any(|name| is_it(&name.name))
            }
            _ => false,
        })
        || cx
            .later_in_migration()
            .iter()
            .any(|step| match &step.statement.kind {
                Kind::Reindex(reindex) => {
                    let target = reindex.name.as_ref();
                    target.is_some_and(|target| is_it(&target.name) || *target == create.table)
                }
                _ => false,
            });
    if mended {
        return;
    }
    let finding = Finding::new(
        statement.span,
        format!(
            "if a build of `{name}` failed before, IF NOT EXISTS finds its invalid remains and builds nothing"
        ),
    )
    .on(&create.table)
    .help(format!(
        "DROP INDEX CONCURRENTLY IF EXISTS {name} first, and leave IF NOT EXISTS out"
    ));
    cx.report(finding);
}
