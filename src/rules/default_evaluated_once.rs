//! See `rules/default-evaluated-once.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{
    ColumnChange, Expr, ExprKind, Ident, Literal, Name, Statement, TypeName, quoted,
};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, column) in statement.written_columns() {
        if let Some(default) = &column.default {
            report(cx, table, &column.name, column.ty.as_ref(), default);
        }
    }
    for (table, alter) in statement.altered_columns() {
        if let ColumnChange::SetDefault(default) = &alter.change {
            let known = cx.before().table(table);
            let ty = known.and_then(|table| table.column(&alter.column.text)?.ty.as_ref());
            report(cx, table, &alter.column, ty, default);
        }
    }
}

fn report(cx: &mut Cx<'_>, table: &Name, column: &Ident, ty: Option<&TypeName>, default: &Expr) {
    let Some((word, ty)) = moment(default, ty) else {
        return;
    };
    let instead = match (&*ty.name, word) {
        ("date", "today") => "CURRENT_DATE",
        ("date", "tomorrow") => "CURRENT_DATE + 1",
        ("date", "yesterday") => "CURRENT_DATE - 1",
        ("date", _) => "CURRENT_DATE",
        ("time", _) => "LOCALTIME",
        ("timetz", _) => "CURRENT_TIME",
        (_, "today") => "date_trunc('day', now())",
        (_, "tomorrow") => "date_trunc('day', now()) + interval '1 day'",
        (_, "yesterday") => "date_trunc('day', now()) - interval '1 day'",
        _ => "now()",
    };
    cx.report(
        Finding::new(
            column.span,
            format!(
                "DEFAULT '{word}' of `{}` is evaluated when this statement runs: every later row of `{table}` gets the {} of the migration",
                quoted(&column.text),
                if word == "now" { "time" } else { "day" },
            ),
        )
        .on(table)
        .help(format!("DEFAULT {instead} is evaluated for each row")),
    );
}

/// The word for a moment that a constant of a date or time type stands for. `'now'::text::timestamptz` is no constant.
fn moment<'a>(
    default: &'a Expr,
    column: Option<&'a TypeName>,
) -> Option<(&'static str, &'a TypeName)> {
    let (literal, ty) = match &default.kind {
        ExprKind::Cast(inner, ty) => (&inner.kind, Some(ty)),
        kind => (kind, column),
    };
    let ty = ty.filter(|ty| {
        ["date", "time", "timetz", "timestamp", "timestamptz"]
            .iter()
            .any(|name| ty.is(name))
    })?;
    let ExprKind::Literal(Literal::String(text)) = literal else {
        return None;
    };
    let word = text.trim().to_ascii_lowercase();
    let word = ["now", "today", "tomorrow", "yesterday"]
        .into_iter()
        .find(|known| *known == word)?;
    Some((word, ty))
}
