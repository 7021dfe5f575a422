//! See `rules/refresh-concurrently-refused.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::RefreshMaterializedView(refresh) = &statement.kind else {
        return;
    };
    let (true, Some(failure)) = (refresh.concurrently, &cx.effects().fails) else {
        return;
    };
    let view = &refresh.name;
    let (message, help) = match failure.sqlstate {
        "0A000" if refresh.with_data => (
            format!(
                "`{view}` holds no rows yet: refreshing it CONCURRENTLY is refused with SQLSTATE 0A000"
            ),
            format!(
                "REFRESH MATERIALIZED VIEW {view} the first time: nobody can read it before that anyway"
            ),
        ),
        "55000" => (
            format!(
                "`{view}` has no unique index on plain columns without WHERE: refreshing it CONCURRENTLY is refused with SQLSTATE 55000"
            ),
            format!(
                "CREATE UNIQUE INDEX … ON {view} (…) over the columns that tell its rows apart first"
            ),
        ),
        _ => return,
    };
    cx.report(Finding::new(statement.span, message).help(help));
}
