//! See `rules/nullable-boolean.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{ColumnDef, Name, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, column) in statement.written_columns() {
        report(cx, table, column);
    }
}

fn report(cx: &mut Cx<'_>, table: &Name, column: &ColumnDef) {
    let boolean = column.ty.as_ref().is_some_and(|ty| ty.is("bool"));
    let name = cx.after().resolve(table);
    let later = cx
        .at_the_end()
        .table_at(&name)
        .and_then(|table| table.column(&column.name.text))
        .is_none_or(|column| column.not_null);
    if !boolean || column.not_null || later || column.generated.is_some() {
        return;
    }
    let finding = Finding::new(
        column.span,
        format!(
            "`{}` of `{table}` may be NULL: such rows are in neither half, WHERE {} nor WHERE NOT {}",
            column.name, column.name, column.name
        ),
    )
    .help("NOT NULL DEFAULT false");
    cx.report(finding);
}
