//! See `rules/foreign-key-drop-locks-parent.md`.

use super::missing_lock_timeout::is_limited;
use crate::diagnostic::{Level, Place};
use crate::effect::LockMode;
use crate::rule::{Cx, Finding};
use crate::schema::Constraint;
use crate::source::Span;
use crate::statement::{
    AlterAction, ConstraintKind, Kind, ObjectKind, QualifiedName, Statement, quoted,
};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    match &statement.kind {
        Kind::Drop(drop) if drop.object == ObjectKind::Table => {
            for name in &drop.names {
                let key = cx.resolve(name);
                report(cx, &key, name.span, &format!("dropping `{name}`"), |_| true);
            }
        }
        Kind::AlterTable(alter) => {
            let key = cx.resolve(&alter.name);
            for action in &alter.actions {
                let AlterAction::DropColumn { column, .. } = action else {
                    continue;
                };
                let what = format!("dropping `{column}` of `{}`", alter.name);
                report(cx, &key, column.span, &what, |constraint| {
                    constraint.def.kind.mentions(&column.text)
                });
            }
        }
        _ => {}
    }
}

fn report(
    cx: &mut Cx<'_>,
    table: &QualifiedName,
    span: Span,
    what: &str,
    goes: impl Fn(&Constraint) -> bool,
) {
    let schema = cx.before();
    if schema.is_fresh(table) || cx.effects().fails.is_some() {
        return;
    }
    let Some(known) = schema.table_at(table) else {
        return;
    };
    let keys: Vec<(&Constraint, &QualifiedName)> = known
        .constraints
        .iter()
        .filter(|constraint| {
            matches!(constraint.def.kind, ConstraintKind::ForeignKey(_)) && goes(constraint)
        })
        .filter_map(|constraint| Some((constraint, constraint.references.as_ref()?)))
        .filter(|(_, parent)| {
            *parent != table
                && !schema.is_fresh(parent)
                && !is_dropped(cx, parent)
                && cx
                    .effects()
                    .on(parent)
                    .is_some_and(|effect| effect.lock == LockMode::AccessExclusive)
        })
        .collect();
    if keys.is_empty() {
        return;
    }
    let mut parents: Vec<&QualifiedName> = keys.iter().map(|(_, parent)| *parent).collect();
    parents.sort();
    parents.dedup();
    let keys_dropped = if keys.len() == 1 {
        "a foreign key"
    } else {
        "foreign keys"
    };
    let them = if parents.len() == 1 { "it" } else { "them" };
    let message = format!(
        "{what} drops {keys_dropped} with it, which locks {} in ACCESS EXCLUSIVE mode too: reads and writes of {them} wait",
        wording::names(parents.iter().map(|parent| parent.short()))
    );
    let what_first = if keys.len() == 1 {
        "drop the foreign key before it, in a transaction of its own with a short lock_timeout"
    } else {
        "drop the foreign keys before it, each in a transaction of its own with a short lock_timeout"
    };
    let steps = cx.remedy(keys.iter().map(|(key, _)| {
        let (table, name) = (table.short(), quoted(&key.name));
        (
            Place::Earlier,
            format!("ALTER TABLE {table} DROP CONSTRAINT {name}"),
        )
    }));
    // One more lock, and the wait for it is bounded.
    let bounded = parents.len() == 1 && is_limited(cx.moment().lock_timeout);
    let mut finding = Finding::new(span, message)
        .help(what_first)
        .steps(steps)
        .effects(cx.effects().list.clone());
    if bounded {
        finding = finding.level(Level::Info);
    }
    cx.report(finding);
}

/// The same statement, or one before it in the same change, has dropped the table.
fn is_dropped(cx: &Cx<'_>, table: &QualifiedName) -> bool {
    match &cx.step().statement.kind {
        Kind::Drop(drop) => drop.names.iter().any(|name| cx.resolve(name) == *table),
        _ => false,
    }
}
