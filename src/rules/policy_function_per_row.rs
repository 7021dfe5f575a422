//! See `rules/policy-function-per-row.md`.

use crate::effect::volatility;
use crate::rule::{Cx, Finding};
use crate::statement::{Expr, ExprKind, Kind, Statement, Volatility, quoted};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Policy(policy, table) = &statement.kind else {
        return;
    };
    // The parts of a sub-query are not among those of the expression.
    let call = policy
        .expressions()
        .flat_map(Expr::walk)
        .find_map(|part| called(cx, part));
    let Some(name) = call else { return };
    let finding = Finding::new(
        statement.span,
        format!("this policy calls `{name}` for each row of `{table}` that a query reads"),
    )
    .help(format!(
        "write it as (SELECT {name}): it then runs once for the query"
    ));
    cx.report(finding);
}

/// A function of the project's own that is called without a value of the row.
fn called(cx: &Cx<'_>, part: &Expr) -> Option<String> {
    let ExprKind::Call {
        schema, name, args, ..
    } = &part.kind
    else {
        return None;
    };
    let built_in = schema.is_none() && volatility::builtin(name).is_some();
    let functions = cx.before().functions_named(schema.as_deref(), name);
    let immutable = functions
        .iter()
        .any(|function| function.volatility == Volatility::Immutable);
    let of_row = args
        .iter()
        .flat_map(Expr::walk)
        .any(|arg| arg.as_column().is_some() || matches!(arg.kind, ExprKind::Subquery(_)));
    if built_in || immutable || of_row {
        return None;
    }
    let schema = schema
        .as_ref()
        .map_or_else(String::new, |schema| format!("{}.", quoted(schema)));
    let args = if args.is_empty() { "" } else { "…" };
    Some(format!("{schema}{}({args})", quoted(name)))
}
