//! See `rules/not-in-with-nulls.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Expr, ExprKind, Kind, Query, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let (table, condition) = match &statement.kind {
        Kind::Change(change) => (&change.table.name, change.condition.as_ref()),
        Kind::Insert(insert) => (&insert.table, insert.query.condition.as_ref()),
        _ => return,
    };
    let Some(found) = condition
        .into_iter()
        .flat_map(Expr::walk)
        .find_map(|part| nullable(cx, part))
    else {
        return;
    };
    let (column, read) = found;
    let finding = Finding::new(
        statement.span,
        format!("NOT IN is true for no row as soon as `{column}` of `{read}` holds a null"),
    )
    .on(table)
    .help(format!(
        "NOT EXISTS (SELECT 1 FROM {read} WHERE {read}.{column} = …), or AND {column} IS NOT NULL in the sub-query"
    ));
    cx.report(finding);
}

/// The column and relation of a sub-query behind NOT IN that may give nulls.
fn nullable(cx: &Cx<'_>, part: &Expr) -> Option<(String, String)> {
    let ExprKind::Not(inner) = &part.kind else {
        return None;
    };
    let ExprKind::Operator { name, args } = &inner.kind else {
        return None;
    };
    let (true, Some(ExprKind::Subquery(query))) =
        (&**name == "in", args.last().map(|arg| &arg.kind))
    else {
        return None;
    };
    let Query {
        targets,
        reads,
        condition,
        ..
    } = &**query;
    let ([target], [read]) = (targets.as_slice(), reads.as_slice()) else {
        return None;
    };
    let column = target.as_column()?;
    let table = cx.before().table(read).filter(|table| table.known)?;
    let may_be_null = table
        .column(column)
        .is_some_and(|column| !column.not_null && column.ty.is_some());
    // Whatever the sub-query asks of the column, a null does not meet it, `IS NULL` aside.
    let asked = condition
        .iter()
        .flat_map(Expr::walk)
        .any(|part| part.as_column() == Some(column));
    (may_be_null && !asked).then(|| (column.to_owned(), read.to_string()))
}
