//! See `rules/check-not-immutable.md`.

use crate::effect::volatility;
use crate::rule::{Cx, Finding};
use crate::source::Span;
use crate::statement::{ConstraintKind, Expr, ExprKind, Statement, Volatility};

/// Built-in functions that are STABLE and give the time or what the session is, not just what its formats are.
const OF_THE_MOMENT: [&str; 9] = [
    "current_database",
    "current_setting",
    "inet_client_addr",
    "now",
    "pg_backend_pid",
    "statement_timestamp",
    "transaction_timestamp",
    "txid_current",
    "pg_current_xact_id",
];

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (_, def) in statement.written_constraints() {
        let ConstraintKind::Check(expr) = &def.kind else {
            continue;
        };
        let parts = match &expr.kind {
            ExprKind::And(parts) => parts.iter().collect(),
            _ => vec![expr],
        };
        let found = parts
            .into_iter()
            .filter(|part| !holds_on(part))
            .flat_map(Expr::walk)
            .find_map(|part| changing(cx, part));
        if let Some((what, why)) = found {
            report(cx, def.span, &what, why);
        }
    }
}

fn report(cx: &mut Cx<'_>, span: Span, what: &str, why: &str) {
    let finding = Finding::new(
        span,
        format!("this CHECK uses `{what}`, {why}: a row that passes today may be refused tomorrow"),
    )
    .help("compare columns of the row, or check in a trigger when the row is written");
    cx.report(finding);
}

/// A comparison that stays true once it is: something is no later than now.
fn holds_on(part: &Expr) -> bool {
    let ExprKind::Operator { name, args } = &part.kind else {
        return false;
    };
    let [left, right] = args.as_slice() else {
        return false;
    };
    match &**name {
        "<" | "<=" => is_now(right) && !has_now(left),
        ">" | ">=" => is_now(left) && !has_now(right),
        _ => false,
    }
}

/// The time, also with an interval added or taken off, or cast to a date.
fn is_now(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::ValueFunction(name) => name.starts_with("current_") || name.starts_with("local"),
        ExprKind::Call { name, .. } => &**name == "now",
        ExprKind::Cast(inner, _) => is_now(inner),
        ExprKind::Operator { name, args } => match (&**name, args.as_slice()) {
            ("+" | "-", [left, right]) => is_now(left) && !has_now(right),
            _ => false,
        },
        _ => false,
    }
}

fn has_now(expr: &Expr) -> bool {
    expr.walk().any(is_now)
}

/// What makes the answer change, and why.
fn changing(cx: &Cx<'_>, part: &Expr) -> Option<(String, &'static str)> {
    let (schema, name) = match &part.kind {
        ExprKind::ValueFunction(name) => {
            return Some((
                (*name).to_owned(),
                "which differs from one moment or session to another",
            ));
        }
        ExprKind::Call { schema, name, .. } => (schema.as_deref(), name),
        _ => return None,
    };
    let shown = format!("{name}()");
    let built_in = volatility::builtin(name).filter(|_| schema.is_none());
    if OF_THE_MOMENT.contains(&&**name) && built_in.is_some() {
        return Some((shown, "which differs from one moment or session to another"));
    }
    if built_in == Some(Volatility::Volatile) {
        return Some((shown, "which gives another value each time"));
    }
    let reads = cx
        .before()
        .functions_named(schema, name)
        .iter()
        .any(|function| !function.reads.is_empty());
    (built_in.is_none() && reads).then_some((shown, "which reads other rows"))
}
