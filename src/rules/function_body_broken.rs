//! See `rules/function-body-broken.md`.

use crate::rule::{Cx, Finding};
use crate::schema::{Function, Relation};
use crate::source::Span;
use crate::statement::{Kind, Name, ObjectKind, QualifiedName, Statement};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    if cx.effects().fails.is_some() {
        return;
    }
    match &statement.kind {
        Kind::AlterTable(_) => {
            let dropped: Vec<(Name, Box<str>, Span)> = statement
                .dropped_columns()
                .map(|(table, column)| (table.clone(), column.text.clone(), column.span))
                .collect();
            for (table, column, span) in dropped {
                self::column(cx, &table, &column, span, "dropping");
            }
        }
        Kind::Rename(rename) => match (&rename.part, rename.object) {
            (Some(part), ObjectKind::Column) => {
                column(cx, &rename.relation, &part.text, part.span, "renaming");
            }
            (None, ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView) => {
                relation(cx, &rename.relation, "renaming");
            }
            _ => {}
        },
        Kind::Drop(drop)
            if matches!(
                drop.object,
                ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView
            ) =>
        {
            for name in &drop.names {
                relation(cx, name, "dropping");
            }
        }
        _ => {}
    }
}

fn column(cx: &mut Cx<'_>, table: &Name, column: &str, span: Span, what: &str) {
    let key = cx.resolve(table);
    let stays = match cx.after_migration().relation_at(&key) {
        Some(Relation::Table(table)) => table.column(column).is_some(),
        Some(Relation::View(view)) => {
            view.columns.is_empty() || view.columns.iter().any(|name| &**name == column)
        }
        _ => false,
    };
    if stays {
        return;
    }
    let used = (key.clone(), Box::from(column));
    let named = format!("`{column}` of `{table}`");
    let before = cx.before();
    // A name without a table may be another one's column, and in a trigger's function that of NEW.
    let only_here = |function: &Function| {
        !function.is_for_triggers()
            && function
                .reads
                .iter()
                .filter(|other| **other != key)
                .all(|other| match before.relation_at(other) {
                    Some(Relation::Table(other)) => other.known && other.column(column).is_none(),
                    Some(Relation::View(other)) => {
                        !other.columns.is_empty()
                            && other.columns.iter().all(|name| &**name != column)
                    }
                    _ => false,
                })
    };
    report(cx, span, what, &named, |function| {
        function.uses.contains_key(&used) && only_here(function)
    });
}

fn relation(cx: &mut Cx<'_>, name: &Name, what: &str) {
    let key = cx.resolve(name);
    let stays = |key: &QualifiedName| {
        matches!(
            cx.after_migration().relation_at(key),
            Some(Relation::Table(_) | Relation::View(_))
        )
    };
    if stays(&key) {
        return;
    }
    report(cx, name.span, what, &format!("`{name}`"), |function| {
        function.reads.contains(&key)
    });
}

/// Functions that name it and are there behind the migration as they were before it.
fn report(cx: &mut Cx<'_>, span: Span, what: &str, named: &str, names: impl Fn(&Function) -> bool) {
    let after = cx.after_migration();
    let broken: Vec<(String, crate::source::Location)> = cx
        .before()
        .all_functions()
        .filter(|(_, function)| !function.atomic && names(function))
        .filter(|(name, function)| {
            after
                .functions_named(Some(&name.schema), &name.name)
                .iter()
                .any(|left| left.created == function.created)
        })
        .map(|(name, function)| (name.short(), function.created.location))
        .collect();
    let Some((_, place)) = broken.first() else {
        return;
    };
    let place = *place;
    let functions = wording::names(broken.iter().map(|(name, _)| name));
    let (noun, verb) = if broken.len() == 1 {
        ("function", "names")
    } else {
        ("functions", "name")
    };
    cx.report(
        Finding::new(
            span,
            format!("{noun} {functions} still {verb} {named}: after {what} it each call fails"),
        )
        .label(place, "its body names it")
        .help(format!(
            "CREATE OR REPLACE {noun} {functions} in the same transaction"
        ))
        .effects(cx.effects().list.clone()),
    );
}
