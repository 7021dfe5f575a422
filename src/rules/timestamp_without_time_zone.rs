//! See `rules/timestamp-without-time-zone.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Ident, Kind, Name, Statement, TypeName, quoted};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    if let Kind::CreateTable(create) = &statement.kind {
        for column in &create.columns {
            report(cx, &create.name, &column.name, column.ty.as_ref());
        }
    }
    for (table, add) in statement.added_columns() {
        let has = |name: &str| {
            let known = cx.before().table(table);
            known.is_some_and(|table| {
                let mut types = table.columns.iter().filter_map(|column| column.ty.as_ref());
                types.any(|ty| ty.is(name))
            })
        };
        // One kind in a table is worth more than the better one in a single column.
        if !has("timestamp") || has("timestamptz") {
            report(cx, table, &add.column.name, add.column.ty.as_ref());
        }
    }
}

fn report(cx: &mut Cx<'_>, table: &Name, column: &Ident, ty: Option<&TypeName>) {
    let Some(ty) = ty.filter(|ty| ty.is("timestamp")) else {
        return;
    };
    let span = if ty.span.is_empty() {
        column.span
    } else {
        ty.span
    };
    cx.report(
        Finding::new(
            span,
            format!(
                "`{}` of `{table}` is a timestamp without time zone: what moment it means depends on who wrote it",
                quoted(&column.text)
            ),
        )
        .on(table)
        .help("timestamptz stores the moment in the same eight bytes"),
    );
}
