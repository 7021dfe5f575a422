//! See `rules/validation-may-fail.md`.

use crate::rule::{Cx, Finding};
use crate::schema::Constraint;
use crate::statement::{ConstraintKind, Kind, QualifiedName, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, name) in statement.validated_constraints() {
        let resolved = cx.resolve(table);
        let Some(constraint) = cx
            .before()
            .table_at(&resolved)
            .and_then(|table| table.constraint(&name.text))
            .filter(|constraint| !constraint.valid)
        else {
            continue;
        };
        if is_mended(cx, &resolved, constraint) {
            continue;
        }
        let test = match &constraint.def.kind {
            ConstraintKind::Check(_) => "count the rows for which the condition is false",
            _ => "count the rows that reference nothing",
        };
        let finding = Finding::new(
            name.span,
            format!("a row of `{table}` that breaks `{name}` makes this fail, and no migration has changed rows since it was added"),
        )
        .on(table)
        .help(format!("{test} on production before this runs"))
        .label(constraint.created.location, "NOT VALID added here");
        cx.report(finding);
    }
}

/// A statement between the two changes or deletes rows of the table.
fn is_mended(cx: &Cx<'_>, table: &QualifiedName, constraint: &Constraint) -> bool {
    cx.earlier_steps()
        .iter()
        .skip_while(|step| cx.location_of(step) != constraint.created.location)
        .chain(cx.earlier_in_migration())
        .any(|step| match &step.statement.kind {
            Kind::Change(change) | Kind::Merge(change) => {
                step.before.resolve(&change.table.name) == *table
            }
            _ => false,
        })
}
