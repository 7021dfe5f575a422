//! See `rules/cascade-drop.md`.

use crate::diagnostic::{Certainty, Level};
use crate::rule::{Cx, Finding};
use crate::schema::compare::{Difference, How, differences};
use crate::schema::{Relation, Schema};
use crate::statement::{AlterAction, Kind, ObjectKind, Statement, quoted};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let (what, span) = match &statement.kind {
        Kind::Drop(drop) if drop.cascade => match drop.object {
            ObjectKind::Extension => {
                extension(cx, statement);
                return;
            }
            ObjectKind::View
            | ObjectKind::MaterializedView
            | ObjectKind::Sequence
            | ObjectKind::Type
            | ObjectKind::Domain
            | ObjectKind::Function
            | ObjectKind::Procedure
            | ObjectKind::Routine => {
                let names: Vec<String> =
                    drop.names.iter().map(|name| format!("`{name}`")).collect();
                let Some(first) = drop.names.first() else {
                    return;
                };
                (
                    format!("{} {}", drop.object.as_str(), wording::all(names)),
                    first.span,
                )
            }
            _ => return,
        },
        Kind::AlterTable(alter) => {
            let dropped = alter.actions.iter().find_map(|action| match action {
                AlterAction::DropConstraint {
                    name,
                    cascade: true,
                    ..
                } => Some(name),
                _ => None,
            });
            let Some(name) = dropped else { return };
            (
                format!("constraint `{name}` of `{}`", alter.name),
                name.span,
            )
        }
        _ => return,
    };
    let batch = cx.before().batch();
    let gone: Vec<Difference> = differences(cx.before(), cx.after())
        .into_iter()
        .filter(|lost| lost.made.is_none_or(|made| made.batch != batch))
        .filter(|lost| !is_named(statement, lost) && !is_back(cx.after_migration(), lost))
        .collect();
    let words: Vec<String> = gone.iter().filter_map(word).collect();
    if words.is_empty() {
        return;
    }
    let columns = gone
        .iter()
        .any(|lost| lost.kind == ObjectKind::Column && matches!(lost.how, How::Missing));
    let list = listed(&words);
    let mut finding = Finding::new(
        span,
        if columns {
            format!("dropping {what} with CASCADE drops {list} too, and the values are lost")
        } else {
            format!("dropping {what} with CASCADE drops {list} too")
        },
    )
    .help("leave CASCADE out, and drop or change by name what depends on it before")
    .effects(cx.effects().list.clone());
    if columns {
        finding = finding.level(Level::Error);
    }
    cx.report(finding);
}

/// An extension is not replayed: what depends on its types shows in the locks.
fn extension(cx: &mut Cx<'_>, statement: &Statement) {
    let tables: Vec<String> = cx
        .effects()
        .list
        .iter()
        .map(|effect| effect.relation.short())
        .collect();
    let finding = if tables.is_empty() {
        Finding::new(
            statement.span,
            "dropping an extension with CASCADE drops every column of its types and every index of its operators",
        )
        .certainty(Certainty::Possible)
    } else {
        Finding::new(
            statement.span,
            format!("dropping the extension with CASCADE drops the columns of its types in {}, and the values are lost", wording::names(tables)),
        )
        .level(Level::Error)
    };
    let effects = cx.effects().list.clone();
    cx.report(
        finding
            .help("leave CASCADE out: PostgreSQL then refuses the statement and says what depends on it")
            .effects(effects),
    );
}

/// A later statement of the migration makes it again.
fn is_back(schema: &Schema, lost: &Difference) -> bool {
    let part = lost.part.as_deref().unwrap_or_default();
    match (schema.relation_at(&lost.name), lost.kind, &lost.how) {
        (Some(Relation::View(_)), ObjectKind::View | ObjectKind::MaterializedView, _) => true,
        (Some(Relation::Table(table)), _, How::Default { .. }) => table
            .column(part)
            .is_some_and(|column| column.default.is_some() || column.identity.is_some()),
        (Some(Relation::Table(table)), ObjectKind::Column, _) => table.column(part).is_some(),
        (Some(Relation::Table(table)), ObjectKind::Constraint, _) => {
            table.constraint(part).is_some()
        }
        (Some(Relation::Table(table)), ObjectKind::Trigger, _) => {
            table.triggers.iter().any(|trigger| &*trigger.name == part)
        }
        // The table itself goes.
        (Some(Relation::Dropped(_)), ..) => lost.part.is_some(),
        _ => false,
    }
}

/// The statement names it, so that nobody can be surprised.
fn is_named(statement: &Statement, lost: &Difference) -> bool {
    match &statement.kind {
        Kind::Drop(drop) => drop.names.iter().any(|name| {
            name.name == lost.name.name
                && (lost.kind == drop.object
                    || !matches!(
                        lost.kind,
                        ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::Column
                    ))
        }),
        Kind::AlterTable(alter) => {
            alter.name.name == lost.name.name
                && matches!(lost.kind, ObjectKind::Constraint | ObjectKind::Index)
        }
        _ => false,
    }
}

fn word(lost: &Difference) -> Option<String> {
    let of = lost.name.short();
    let part = lost.part.as_deref().map(quoted);
    match (&lost.how, lost.kind, part) {
        (How::Missing, ObjectKind::View, _) => Some(format!("view `{of}`")),
        (How::Missing, ObjectKind::MaterializedView, _) => {
            Some(format!("materialized view `{of}`"))
        }
        (
            How::Missing,
            ObjectKind::Column | ObjectKind::Constraint | ObjectKind::Trigger | ObjectKind::Policy,
            Some(part),
        ) => Some(format!("{} `{part}` of `{of}`", lost.kind.as_str())),
        (
            How::Default {
                before: true,
                after: false,
            },
            _,
            Some(part),
        ) => Some(format!("the default of `{part}` of `{of}`")),
        _ => None,
    }
}

fn listed(words: &[String]) -> String {
    const SHOWN: usize = 4;
    let mut shown: Vec<String> = words.iter().take(SHOWN).cloned().collect();
    if words.len() > SHOWN {
        shown.push(format!("{} more", words.len() - SHOWN));
    }
    wording::all(shown)
}
