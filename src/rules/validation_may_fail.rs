//! See `rules/validation-may-fail.md`.

use std::collections::BTreeMap;

use crate::replay::{Fact, Replay};
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
    let changes = cx.fact::<RowChanges>();
    let mut steps = changes.0.get(table).into_iter().flatten();
    steps.any(|step| {
        *step < cx.place() && cx.all_steps()[*step].number > constraint.created.statement
    })
}

/// The steps that change or delete rows, by table.
struct RowChanges(BTreeMap<QualifiedName, Vec<usize>>);

impl Fact for RowChanges {
    fn gather(replay: &Replay<'_>) -> Self {
        let mut changes: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (index, step) in replay.steps.iter().enumerate() {
            if let Kind::Change(change) | Kind::Merge(change) = &step.statement.kind {
                let table = step.before.resolve(&change.table.name);
                changes.entry(table).or_default().push(index);
            }
        }
        Self(changes)
    }
}
