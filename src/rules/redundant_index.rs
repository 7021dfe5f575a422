//! See `rules/redundant-index.md`.

use super::duplicate_index::made_by;
use crate::rule::{Cx, Finding};
use crate::schema::Index;
use crate::statement::Statement;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for new in made_by(cx, statement) {
        let other = cx
            .at_the_end()
            .indexes_of(&new.table)
            .filter(|other| other.name != new.name && other.valid)
            .find(|other| begins(&new, other) || begins(other, &new))
            .cloned();
        let Some(other) = other else { continue };
        let (short, long) = if begins(&new, &other) {
            (&new, &other)
        } else {
            (&other, &new)
        };
        let finding = Finding::new(
            statement.span,
            format!(
                "`{}` of `{}` begins with the columns of `{}`, and serves its queries too",
                long.name.short(),
                new.table.short(),
                short.name.short()
            ),
        )
        .help(format!(
            "do without `{}`, unless its smaller size matters",
            short.name.short()
        ))
        .label(other.created.location, "the other one is made here");
        cx.report(finding);
    }
}

/// The first index is needed for nothing that the second one does not do.
fn begins(short: &Index, long: &Index) -> bool {
    &*short.method == "btree"
        && !short.unique
        && short.constraint.is_none()
        && short.predicate.is_none()
        && long.predicate.is_none()
        && short.include.is_empty()
        && short.elements.len() < long.elements.len()
        && short.keys_lead(long)
}
