//! See `rules/column-not-deprecated.md`.

use crate::rule::{Cx, Finding};
use crate::statement::Statement;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let migration = cx.step().migration;
    for (table, column) in statement.dropped_columns() {
        // The comment has to be there before this migration.
        let earlier = cx.schema_before(migration);
        let key = cx.before().resolve(table);
        let Some(known) = earlier.table_at(&key) else {
            continue;
        };
        let Some(known) = known.column(&column.text) else {
            continue;
        };
        let told = known
            .comment
            .as_ref()
            .is_some_and(|comment| comment.to_ascii_lowercase().contains("deprecated"));
        if told || !known.added {
            continue;
        }
        cx.report(
            Finding::new(
                column.span,
                format!("`{column}` of `{table}` is dropped, and no earlier migration calls it deprecated"),
            )
            .on(table)
            .help(format!(
                "a release earlier: COMMENT ON COLUMN {table}.{column} IS 'DEPRECATED: <what takes its place>';"
            )),
        );
    }
}
