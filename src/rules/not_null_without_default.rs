//! See `rules/not-null-without-default.md`.

use crate::effect::column;
use crate::rule::{Cx, Finding};
use crate::statement::Statement;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, add) in statement.added_columns() {
        let exists = cx
            .before()
            .table(table)
            .is_some_and(|table| table.column(&add.column.name.text).is_some());
        let cost = column::add(&add.column, cx.before(), cx.postgres());
        if !cost.fails_on_rows || (add.if_not_exists && exists) {
            continue;
        }
        let name = &add.column.name;
        cx.report(
            Finding::new(
                add.column.span,
                format!("`{name}` is NOT NULL without a default: this fails as soon as `{table}` holds a row"),
            )
            .on(table)
            .help(format!(
                "give `{name}` a constant default, or add it as nullable, fill it in batches and prove it with a validated CHECK"
            )),
        );
    }
}
