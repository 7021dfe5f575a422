//! See `rules/duplicate-index.md`.

use std::sync::Arc;

use crate::diagnostic::Place;
use crate::rule::{Cx, Finding};
use crate::schema::Index;
use crate::statement::{Kind, QualifiedName, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for new in made_by(cx, statement) {
        let older = cx
            .at_the_end()
            .indexes_of(&new.table)
            .find(|other| {
                other.name != new.name
                    && other.valid
                    && other.created.statement < new.created.statement
                    && new.is_like(other)
                    && other.include == new.include
                    && (other.unique || !new.unique)
            })
            .cloned();
        let replaced = cx
            .at_the_end()
            .indexes_of(&new.table)
            .find(|other| {
                other.name != new.name
                    && !other.unique
                    && new.unique
                    && other.constraint.is_none()
                    && other.created.statement < new.created.statement
                    && new.is_like(other)
                    && other.include == new.include
            })
            .cloned();
        let (message, help, other, drops) = match (older, replaced) {
            (Some(other), _) => {
                let kind = if other.unique && !new.unique {
                    "the unique index"
                } else {
                    "the index"
                };
                (
                    format!(
                        "{kind} `{}` of `{}` does what `{}` does",
                        other.name.short(),
                        new.table.short(),
                        new.name.short()
                    ),
                    format!(
                        "leave out `{}`, or drop `{}` behind it",
                        new.name.short(),
                        other.name.short()
                    ),
                    other,
                    false,
                )
            }
            (None, Some(other)) => (
                format!(
                    "the unique index `{}` of `{}` does what `{}` does as well",
                    new.name.short(),
                    new.table.short(),
                    other.name.short()
                ),
                format!("drop `{}` behind it", other.name.short()),
                other,
                true,
            ),
            (None, None) => continue,
        };
        let steps = if drops {
            let old = other.name.short();
            cx.remedy([(Place::Later, format!("DROP INDEX CONCURRENTLY {old}"))])
        } else {
            Vec::new()
        };
        let finding = Finding::new(statement.span, message)
            .help(help)
            .steps(steps)
            .label(other.created.location, "the other one is made here");
        cx.report(finding);
    }
}

/// Indexes that the statement makes and that are there, under the same name, at the end of the history. Those that come
/// with a new table, and the parts of an index on partitions, are left out.
pub(super) fn made_by(cx: &Cx<'_>, statement: &Statement) -> Vec<Arc<Index>> {
    let table: QualifiedName = match &statement.kind {
        Kind::CreateIndex(create) => cx.resolve(&create.table),
        Kind::AlterTable(alter)
            if statement.added_constraints().next().is_some()
                || statement.added_columns().next().is_some() =>
        {
            cx.resolve(&alter.name)
        }
        _ => return Vec::new(),
    };
    let here = cx.location_of(cx.step());
    cx.at_the_end()
        .indexes_of(&table)
        .filter(|index| index.created.location == here && index.parent.is_none())
        .cloned()
        .collect()
}
