//! See `rules/comment-missing.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{ColumnDef, Kind, Name, Persistence, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let columns = cx.bool_option("columns");
    if let Kind::CreateTable(create) = &statement.kind {
        if create.persistence == Persistence::Temporary || create.partition_of.is_some() {
            return;
        }
        let table = &create.name;
        let name = cx.after().resolve(table);
        let missing = cx
            .at_the_end()
            .table_at(&name)
            .is_some_and(|table| table.known && table.comment.is_none());
        if missing {
            let finding = Finding::new(table.span, format!("the table `{table}` has no comment"))
                .help(format!("COMMENT ON TABLE {table} IS '…'"));
            cx.report(finding);
        }
        for column in create.columns.iter().filter(|_| columns) {
            report(cx, table, column);
        }
    }
    for (table, add) in statement.added_columns().filter(|_| columns) {
        report(cx, table, &add.column);
    }
}

fn report(cx: &mut Cx<'_>, table: &Name, column: &ColumnDef) {
    let name = cx.after().resolve(table);
    let missing = cx
        .at_the_end()
        .table_at(&name)
        .and_then(|table| table.column(&column.name.text))
        .is_some_and(|column| column.comment.is_none());
    if missing {
        let shown = &column.name;
        let finding = Finding::new(
            shown.span,
            format!("the column `{shown}` of `{table}` has no comment"),
        )
        .help(format!("COMMENT ON COLUMN {table}.{shown} IS '…'"));
        cx.report(finding);
    }
}
