//! See `rules/default-changed.md`.

use crate::rule::{Cx, Finding};
use crate::schema::Column;
use crate::statement::{ColumnChange, Expr, ExprKind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, alter) in statement.altered_columns() {
        let (ColumnChange::SetDefault(new), column) = (&alter.change, &alter.column) else {
            continue;
        };
        let key = cx.resolve(table);
        let known = |table: Option<&std::sync::Arc<crate::schema::Table>>| -> Option<Column> {
            table?.column(&column.text).cloned()
        };
        let first = known(cx.schema_before(cx.step().migration).table_at(&key));
        let last = known(cx.after_migration().table_at(&key));
        let old = first.as_ref().and_then(|column| column.default.as_ref());
        let Some(old) = old else { continue };
        let same = |other: &Expr| bare(other).same(bare(old));
        let back = last
            .and_then(|column| column.default)
            .is_some_and(|default| same(&default));
        let plain = matches!(bare(old).kind, ExprKind::Literal(_));
        if !plain || same(new) || back || cx.is_new_column(table, &column.text) {
            continue;
        }
        cx.report(
            Finding::new(
                column.span,
                format!("deployed code that leaves `{column}` of `{table}` out writes another value from here on"),
            )
            .on(table)
            .help("let the code that needs the new value write it by name, and change the default behind that")
            .effects(cx.effects().list.clone()),
        );
    }
}

/// A default without the casts around it, which a change of type leaves.
fn bare(expr: &Expr) -> &Expr {
    let mut expr = expr;
    while let ExprKind::Cast(inner, _) = &expr.kind {
        expr = inner;
    }
    expr
}
