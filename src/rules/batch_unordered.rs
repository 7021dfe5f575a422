//! See `rules/batch-unordered.md`.

use crate::effect::reach::data_changes;
use crate::rule::{Cx, Finding};
use crate::statement::{Batch, ChangeVerb, Kind, Statement};

/// Fewer rows in an `INSERT` are an example or a seed rather than a batch of a copy.
const SMALLEST_COPY: i32 = 100;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Some(query) = statement.query() else {
        return;
    };
    let changes = data_changes(statement, cx.before());
    let Some(change) = changes.iter().find(|change| change.verb.is_some()) else {
        return;
    };
    let verb = change.verb.unwrap_or(ChangeVerb::Update);
    let looped = cx.step().looped;
    let is_batch = |batch: &&Batch| match batch.size {
        Some(size) => size > 1 && (verb != ChangeVerb::Insert || looped || size >= SMALLEST_COPY),
        None => looped,
    };
    let mut batches = query.batches.iter().filter(is_batch);
    let finding = if batches.clone().any(|batch| batch.offset) {
        Finding::new(
            statement.span,
            format!(
                "OFFSET counts the rows for `{}` off anew in every batch: rows that come or go meanwhile are left out or done twice",
                change.table
            ),
        )
    } else if batches.any(|batch| !batch.ordered) && !leaves_out_done_rows(statement) {
        Finding::new(
            statement.span,
            format!(
                "LIMIT without ORDER BY hands out any rows for `{}`: the next batch may hold the same ones",
                change.table
            ),
        )
    } else {
        return;
    };
    cx.report(
        finding
            .on(change.table)
            .help("begin each batch behind the last key of the one before: WHERE key > last ORDER BY key LIMIT n"),
    );
}

fn leaves_out_done_rows(statement: &Statement) -> bool {
    match &statement.kind {
        Kind::Change(change) => change.leaves_out_done_rows(),
        Kind::Insert(insert) => insert.leaves_out_done_rows(),
        // MERGE compares with the table; a change in WITH is not looked into.
        _ => true,
    }
}
