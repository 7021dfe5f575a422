//! See `rules/insert-without-columns.md`.

use crate::diagnostic::Level;
use crate::rule::{Cx, Finding};
use crate::statement::{InsertRows, Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Insert(insert) = &statement.kind else {
        return;
    };
    let defaults = matches!(insert.rows, InsertRows::Values(_)) && insert.first_row.is_empty();
    if !insert.columns.is_empty() || defaults {
        return;
    }
    let table = &insert.table;
    let columns: Vec<String> = cx
        .before()
        .table(table)
        .filter(|table| table.known)
        .map(|table| {
            table
                .columns
                .iter()
                .map(|column| crate::statement::quoted(&column.name))
                .collect()
        })
        .unwrap_or_default();
    // One column has one order.
    if columns.len() == 1 {
        return;
    }
    let star = insert.rows == InsertRows::Query && insert.query.star;
    let mut finding = Finding::new(
        statement.span,
        if star {
            format!("`SELECT *` fills `{table}` by the order of the columns of both sides")
        } else {
            format!("the values go into the columns of `{table}` by their order in this database")
        },
    )
    .on(table)
    .help(if columns.is_empty() || columns.len() > 8 {
        format!("name the columns of {table}")
    } else {
        format!(
            "name the columns: INSERT INTO {table} ({})",
            columns.join(", ")
        )
    });
    if star {
        finding = finding.level(Level::Warning);
    }
    cx.report(finding);
}
