//! See `rules/null-let-in.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{ColumnChange, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, alter) in statement.altered_columns() {
        let column = &alter.column;
        if !matches!(alter.change, ColumnChange::DropNotNull)
            || cx.is_new_column(table, &column.text)
        {
            continue;
        }
        let key = cx.resolve(table);
        let held = cx
            .before()
            .table_at(&key)
            .filter(|known| known.known)
            .is_none_or(|known| {
                known
                    .column(&column.text)
                    .is_some_and(|known| known.not_null)
            });
        let behind = cx
            .after_migration()
            .table_at(&key)
            .and_then(|known| known.column(&column.text));
        let stays = behind.is_some_and(|known| {
            let deprecated = known
                .comment
                .as_ref()
                .is_some_and(|comment| comment.to_ascii_lowercase().contains("deprecated"));
            !known.not_null && !deprecated
        });
        if held && stays {
            cx.report(
                Finding::new(
                    column.span,
                    format!("deployed code that reads `{column}` of `{table}` may find NULL from here on"),
                )
                .on(table)
                .help("release code that can read it first, and write NULL only in the release behind it")
                .effects(cx.effects().list.clone()),
            );
        }
    }
}
