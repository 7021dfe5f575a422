//! See `rules/constraint-dropped.md`.

use crate::effect::proof;
use crate::rule::{Cx, Finding};
use crate::schema::{Constraint, Table};
use crate::statement::{ConstraintKind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    if cx.effects().fails.is_some() {
        return;
    }
    for (table, name) in statement.dropped_constraints() {
        let key = cx.resolve(table);
        let Some(known) = cx.before().table_at(&key) else {
            continue;
        };
        let Some(old) = known.constraint(&name.text) else {
            continue;
        };
        let keeps = match &old.def.kind {
            ConstraintKind::Check(_) => "the rows that it kept out",
            ConstraintKind::ForeignKey(_) => "references to rows that are not there",
            ConstraintKind::Exclude { .. } => "rows that exclude each other",
            // Equal rows are what `needed-index-dropped` is about.
            _ => continue,
        };
        let Some(after) = cx.after_migration().table_at(&key) else {
            continue;
        };
        if cx.is_made_here(table)
            || old.created.batch == cx.before().batch()
            || replaced(old, known, after)
        {
            continue;
        }
        cx.report(
            Finding::new(
                name.span,
                format!("without `{name}` deployed code can write {keeps} into `{table}`"),
            )
            .on(table)
            .help("add what takes its place in the same migration, or say why nothing has to")
            .effects(cx.effects().list.clone()),
        );
    }
}

/// Something else keeps the rows out behind the migration, or there is nothing left to keep.
fn replaced(old: &Constraint, before: &Table, after: &Table) -> bool {
    let about: Vec<&str> = before
        .columns
        .iter()
        .map(|column| &*column.name)
        .filter(|column| old.def.kind.mentions(column))
        .collect();
    let gone = about.iter().any(|column| after.column(column).is_none());
    let proves_not_null = about.iter().any(|column| {
        let not_null = after.column(column).is_some_and(|column| column.not_null);
        matches!(&old.def.kind, ConstraintKind::Check(expr) if not_null && proof::excludes_null(expr, column))
    });
    let again = after.constraints.iter().any(|new| {
        new.name == old.name
            || (before.constraint(&new.name).is_none()
                && std::mem::discriminant(&new.def.kind) == std::mem::discriminant(&old.def.kind)
                && about.iter().any(|column| new.def.kind.mentions(column)))
    });
    gone || proves_not_null || again
}
