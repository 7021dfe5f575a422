//! See `rules/needed-index-dropped.md`.

use crate::rule::{Cx, Finding};
use crate::schema::{Index, Schema};
use crate::statement::{ConstraintKind, Ident, Kind, ObjectKind, Statement};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Drop(drop) = &statement.kind else {
        return;
    };
    if drop.object != ObjectKind::Index || cx.effects().fails.is_some() {
        return;
    }
    for name in &drop.names {
        let Some(index) = cx.before().index(name).cloned() else {
            continue;
        };
        let after = cx.after_migration();
        if cx.before().is_fresh(&index.table)
            || !index.valid
            || after.table_at(&index.table).is_none()
        {
            continue;
        }
        let table = index.table.short();
        let columns: Vec<&str> = index.columns().collect();
        let (message, help) = if index.unique
            && !is_unique(after, &index)
            && !is_loosened(cx, &index)
        {
            let what = if columns.len() == index.elements.len() {
                wording::names(&columns)
            } else {
                "its expressions".to_owned()
            };
            (
                format!(
                    "`{name}` is unique: behind it nothing stops rows of `{table}` that are equal in {what}"
                ),
                "if that is meant, say so in a comment; otherwise build the unique index that takes its place first".to_owned(),
            )
        } else if let Some((key, parent)) = bared_key(after, &index) {
            (
                format!(
                    "`{name}` is the only index for the foreign key `{key}`: behind it each row deleted from `{parent}` reads all of `{table}`"
                ),
                "build the index that takes its place first, beginning with the columns of the key"
                    .to_owned(),
            )
        } else if cx.bool_option("all") {
            (
                format!("dropping `{name}` of `{table}` slows down the queries that use it"),
                "look at idx_scan in pg_stat_user_indexes, on the standbys too".to_owned(),
            )
        } else {
            continue;
        };
        cx.report(Finding::new(statement.span, message).help(help));
    }
}

/// A unique index over the same columns or fewer keeps the rows apart.
fn is_unique(schema: &Schema, old: &Index) -> bool {
    schema.indexes_of(&old.table).any(|other| {
        other.unique
            && other.name != old.name
            && match (&other.predicate, &old.predicate) {
                (None, _) => true,
                (Some(new), Some(old)) => new.same(old),
                _ => false,
            }
            && other.elements.iter().all(|element| {
                old.elements.iter().any(|known| {
                    match (&element.column, &known.column, &element.expr, &known.expr) {
                        (Some(new), Some(old), ..) => new == old,
                        (.., Some(new), Some(old)) => new.same(old),
                        _ => false,
                    }
                })
            })
    }) || schema
        .indexes_of(&old.table)
        .any(|other| other.name == old.name && other.unique)
}

/// The migration builds another index over these columns and perhaps more: that rows may be equal in them is meant.
fn is_loosened(cx: &Cx<'_>, old: &Index) -> bool {
    let steps = cx.earlier_in_migration().iter();
    steps.chain(cx.later_in_migration()).any(|step| {
        let Kind::CreateIndex(create) = &step.statement.kind else {
            return false;
        };
        step.before.resolve(&create.table) == old.table
            && old.columns().all(|column| {
                create
                    .elements
                    .iter()
                    .any(|element| element.mentions(column))
            })
    })
}

/// A foreign key of the table that this index served and none serves behind the migration, with its other table.
fn bared_key(schema: &Schema, old: &Index) -> Option<(Box<str>, String)> {
    let table = schema.table_at(&old.table)?;
    table.constraints.iter().find_map(|constraint| {
        let ConstraintKind::ForeignKey(key) = &constraint.def.kind else {
            return None;
        };
        let served =
            |index: &Index| index.serves(&key.columns.iter().map(text).collect::<Vec<_>>());
        let bare = served(old) && !schema.indexes_of(&old.table).any(|index| served(index));
        bare.then(|| {
            (
                constraint.name.clone(),
                constraint.references.as_ref().map_or_else(
                    || key.table.to_string(),
                    crate::statement::QualifiedName::short,
                ),
            )
        })
    })
}

fn text(column: &Ident) -> &str {
    &column.text
}
