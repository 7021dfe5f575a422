//! See `rules/expression-index-without-analyze.md`.

use crate::replay::Step;
use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Name, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Some((table, what)) = unknown(statement) else {
        return;
    };
    let key = cx.resolve(table);
    // Once for a table.
    let said = cx.earlier_in_migration().iter().any(|step| {
        unknown(step.statement).is_some_and(|(table, _)| step.before.resolve(table) == key)
    });
    if said || cx.effects().fails.is_some() || analyzed(cx, table) {
        return;
    }
    let finding = Finding::new(
        statement.span,
        format!("nothing is known about {what} before the next ANALYZE of `{table}`"),
    )
    .on(table)
    .help(format!("ANALYZE {table} behind it"));
    cx.report(finding);
}

/// The table and the words for what the statement makes and nothing is known about yet.
fn unknown(statement: &Statement) -> Option<(&Name, &'static str)> {
    match &statement.kind {
        Kind::CreateIndex(create) => {
            let expression = create.elements.iter().any(|element| element.expr.is_some());
            // A unique index is there for its promise, and the planner knows that one row fits.
            (expression && !create.unique)
                .then_some((&create.table, "the expression of this index"))
        }
        Kind::CreateStatistics(create) => Some((&create.table, "these statistics")),
        _ => None,
    }
}

/// A later statement of the migration, or of one that comes with it, analyzes the table.
pub(super) fn analyzed(cx: &Cx<'_>, table: &Name) -> bool {
    let key = cx.resolve(table);
    let batch = cx.before().batch();
    let later = (cx.step().migration + 1..cx.history().migrations.len())
        .flat_map(|index| cx.steps_of(index))
        .take_while(|step| step.before.batch() == batch);
    cx.later_in_migration()
        .iter()
        .chain(later)
        .any(|step| is_analyze(step, |name| step.before.resolve(name) == key))
}

fn is_analyze(step: &Step<'_>, is_table: impl Fn(&Name) -> bool) -> bool {
    match &step.statement.kind {
        Kind::Vacuum {
            tables,
            vacuum,
            options,
            ..
        } => {
            let analyzes = !vacuum || options.iter().any(|option| &**option == "analyze");
            analyzes && (tables.is_empty() || tables.iter().any(is_table))
        }
        _ => false,
    }
}
