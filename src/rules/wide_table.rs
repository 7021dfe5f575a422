//! See `rules/wide-table.md`.

use crate::rule::{Cx, Finding};
use crate::source::Span;
use crate::statement::{Kind, Name, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    if let Kind::CreateTable(create) = &statement.kind {
        report(cx, &create.name, create.name.span);
    }
    // The first new column of the statement stands for all of them.
    if let Some((table, add)) = statement.added_columns().next() {
        report(cx, table, add.column.span);
    }
}

fn report(cx: &mut Cx<'_>, table: &Name, span: Span) {
    let limit = cx.int_option("columns");
    let after = cx.after();
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let Some(known) = after.table(table).filter(|table| table.known) else {
        return;
    };
    let columns = count(known.columns.len());
    if columns <= limit {
        return;
    }
    cx.report(
        Finding::new(
            span,
            format!("`{table}` has {columns} columns with this, more than {limit}"),
        )
        .on(table)
        .help("put what belongs together into a table of its own with the same key"),
    );
}
