//! See `rules/expression-index-without-analyze.md`.

use std::collections::BTreeMap;

use crate::replay::{Fact, Replay, Step};
use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Name, QualifiedName, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Some((table, what)) = unknown(statement) else {
        return;
    };
    let key = cx.resolve(table);
    // Once for a table.
    let migration = cx.step().migration;
    let said = cx.fact::<First>().0.get(&(migration, key)) < Some(&cx.place());
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
    let analyzes = cx.fact::<Analyzes>();
    let later = analyzes.0.partition_point(|step| *step <= cx.place());
    analyzes.0[later..]
        .iter()
        .map(|step| &cx.all_steps()[*step])
        .take_while(|step| step.before.batch() == batch)
        .any(|step| is_analyze(step, |name| step.before.resolve(name) == key))
}

/// The first statement of each migration that makes such a thing for a table.
struct First(BTreeMap<(usize, QualifiedName), usize>);

impl Fact for First {
    fn gather(replay: &Replay<'_>) -> Self {
        let mut first = BTreeMap::new();
        for (index, step) in replay.steps.iter().enumerate() {
            if let Some((table, _)) = unknown(step.statement) {
                let key = (step.migration, step.before.resolve(table));
                first.entry(key).or_insert(index);
            }
        }
        Self(first)
    }
}

/// The steps that may be an ANALYZE.
struct Analyzes(Vec<usize>);

impl Fact for Analyzes {
    fn gather(replay: &Replay<'_>) -> Self {
        let steps = replay.steps.iter().enumerate();
        let vacuums = steps.filter(|(_, step)| matches!(step.statement.kind, Kind::Vacuum { .. }));
        Self(vacuums.map(|(index, _)| index).collect())
    }
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
