//! See `rules/index-dropped-before-replacement.md`.

use crate::diagnostic::Certainty;
use crate::layout::Send;
use crate::replay::Step;
use crate::rule::{Cx, Finding};
use crate::schema::Index;
use crate::session::TransactionKind;
use crate::statement::{CreateIndex, Kind, ObjectKind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Drop(drop) = &statement.kind else {
        return;
    };
    if drop.object != ObjectKind::Index || cx.effects().fails.is_some() {
        return;
    }
    for name in &drop.names {
        let schema = cx.before();
        let Some(index) = schema.index(name).cloned() else {
            continue;
        };
        if schema.is_fresh(&index.table) || !index.valid {
            continue;
        }
        let stands_in = schema.indexes_of(&index.table).any(|other| {
            other.name != index.name
                && other.valid
                && other.predicate.is_none()
                && index.keys_lead(other)
                && !drop.names.iter().any(|name| cx.resolve(name) == other.name)
        });
        if stands_in {
            continue;
        }
        let Some((step, create)) = replacement(cx, &index) else {
            continue;
        };
        let new = create
            .name
            .as_ref()
            .map_or_else(|| "the new one".to_owned(), |name| format!("`{name}`"));
        // Nobody knows how a plain file runs: it may be one transaction, if its statements allow that.
        let unknown =
            cx.moment().message.send == Send::Unknown && !drop.concurrently && !create.concurrently;
        let finding = Finding::new(
            statement.span,
            format!(
                "until {new} is built no index of `{}` serves the queries that use `{name}`",
                index.table.short()
            ),
        )
        .certainty(if unknown {
            Certainty::Possible
        } else {
            Certainty::Certain
        })
        .help("build the new index first, under another name if need be, and drop the old one behind it")
        .label(cx.location_of(step), "its replacement is built here");
        cx.report(finding);
    }
}

/// A later statement of the migration that builds an index for the same queries and commits by itself.
fn replacement<'a>(cx: &Cx<'a>, old: &Index) -> Option<(&'a Step<'a>, &'a CreateIndex)> {
    let here = cx.moment().transaction;
    cx.later_in_migration().iter().find_map(|later| {
        let Kind::CreateIndex(create) = &later.statement.kind else {
            return None;
        };
        let together =
            here.kind != TransactionKind::None && later.moment.transaction.number == here.number;
        let same_table = later.before.resolve(&create.table) == old.table;
        let same_first = match (old.elements.first(), create.elements.first()) {
            (Some(old), Some(new)) => match (&old.column, &new.column, &old.expr, &new.expr) {
                (Some(old), Some(new), ..) => old == new,
                (.., Some(old), Some(new)) => old.same(new),
                _ => false,
            },
            _ => false,
        };
        (!together && same_table && same_first && create.method == old.method)
            .then_some((later, &**create))
    })
}
