//! See `rules/overwritten-in-place.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{ExprKind, Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Change(change) = &statement.kind else {
        return;
    };
    let table = &change.table.name;
    if cx.is_made_here(table) {
        return;
    }
    for (column, value) in &change.assignments {
        let computed = value.columns().any(|name| name == &*column.text)
            && value.as_column().is_none()
            && !matches!(value.kind, ExprKind::Coalesce(_));
        if computed && !cx.is_new_column(table, &column.text) {
            cx.report(
                Finding::new(
                    column.span,
                    format!(
                        "`{column}` of `{table}` is computed from its own old value, which is lost"
                    ),
                )
                .on(table)
                .help("write the result to a new column, and drop the old one later"),
            );
        }
    }
}
