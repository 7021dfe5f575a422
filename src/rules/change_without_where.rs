//! See `rules/change-without-where.md`.

use crate::diagnostic::Place;
use crate::effect::reach::{DataChange, Reach, data_changes};
use crate::rule::{Cx, Finding};
use crate::statement::{ChangeVerb, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for change in data_changes(statement, cx.before()) {
        if !reports(cx, &change) {
            continue;
        }
        let table = change.table;
        let (verb, done) = match change.verb {
            Some(ChangeVerb::Delete) => ("DELETE", "removes"),
            _ => ("UPDATE", "changes"),
        };
        let condition = change.change.and_then(|change| change.condition.as_ref());
        let message = match condition {
            None => format!("{verb} without WHERE {done} every row of `{table}`"),
            Some(_) => {
                format!("the WHERE of this {verb} is always true: it {done} every row of `{table}`")
            }
        };
        let help = match verb {
            "DELETE" => format!(
                "name the rows in a WHERE; if all of `{table}` is meant, delete it in batches by its key, each in a \
                 transaction of its own"
            ),
            _ => format!(
                "name the rows in a WHERE; if all of `{table}` is meant, change it in batches by its key, each in a \
                 transaction of its own"
            ),
        };
        let span = match (change.inner, condition) {
            (false, _) => statement.span,
            (true, _) => table.span,
        };
        let steps = cx
            .batched(statement, table)
            .filter(|_| !change.inner && condition.is_none())
            .map_or_else(Vec::new, |batches| cx.remedy([(Place::Instead, batches)]));
        cx.report(
            Finding::new(span, message)
                .on(table)
                .help(help)
                .steps(steps),
        );
    }
}

/// True if this rule speaks about a change: no condition, and none is to be expected.
///
/// A column that is new in this change has to be filled in every row: that is no slip, however it is done.
fn reports(cx: &Cx<'_>, change: &DataChange<'_>) -> bool {
    let (Reach::Every, Some(ChangeVerb::Update | ChangeVerb::Delete), Some(full)) =
        (change.reach, change.verb, change.change)
    else {
        return false;
    };
    let schema = cx.before();
    let is_new = |column: &str| {
        schema
            .table(change.table)
            .and_then(|table| table.column(column))
            .is_some_and(|column| column.created.batch == schema.batch())
    };
    let fills = !full.assignments.is_empty()
        && full
            .assignments
            .iter()
            .all(|(column, _)| is_new(&column.text));
    !fills && !cx.is_new(change.table)
}
