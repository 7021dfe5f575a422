//! Expressions without the differences that do not matter to PostgreSQL: casts, qualifiers, `IN` and `BETWEEN`.

use super::{Expr, ExprKind, Literal};

/// True if the expression holds a part that its normal form does not tell from others.
#[must_use]
pub fn is_vague(expr: &Expr) -> bool {
    expr.walk()
        .any(|part| matches!(part.kind, ExprKind::Subquery(_) | ExprKind::Other(_)))
}

/// An expression in its normal form: text that is the same for two ways of writing one expression.
#[must_use]
pub fn expression(expr: &Expr) -> String {
    let list = |args: &[Expr]| args.iter().map(expression).collect::<Vec<_>>().join(", ");
    match &expr.kind {
        ExprKind::Column(parts) => parts.last().map_or("", |part| &**part).to_owned(),
        ExprKind::Literal(literal) => match literal {
            Literal::Null => "null".to_owned(),
            Literal::Bool(value) => value.to_string(),
            Literal::Int(value) => format!("'{value}'"),
            Literal::Number(text) | Literal::String(text) | Literal::Bits(text) => {
                format!("'{text}'")
            }
        },
        ExprKind::Param(number) => format!("${number}"),
        ExprKind::Cast(inner, _) | ExprKind::Collate(inner, _) => expression(inner),
        ExprKind::Call { name, args, .. } => format!("{name}({})", list(args)),
        ExprKind::ValueFunction(name) => (*name).to_owned(),
        ExprKind::Operator { name, args } => operator(name, args),
        ExprKind::And(args) => format!("and({})", flat(args, true).join(", ")),
        ExprKind::Or(args) => format!("or({})", flat(args, false).join(", ")),
        ExprKind::Not(inner) => format!("not({})", expression(inner)),
        ExprKind::IsNull(inner) => format!("null?({})", expression(inner)),
        ExprKind::IsNotNull(inner) => format!("present?({})", expression(inner)),
        ExprKind::IsDistinct(left, right) => {
            format!("distinct({}, {})", expression(left), expression(right))
        }
        ExprKind::Coalesce(args) => format!("coalesce({})", list(args)),
        ExprKind::Case(args) => {
            // PostgreSQL writes an ELSE where there is none.
            let args = match args.split_last() {
                Some((last, rest)) if last.is_null() => rest,
                _ => args,
            };
            format!("case({})", list(args))
        }
        ExprKind::Array(args) => format!("array({})", list(args)),
        ExprKind::Subquery(_) => "subquery".to_owned(),
        ExprKind::Other(args) => format!("other({})", list(args)),
    }
}

fn operator(name: &str, args: &[Expr]) -> String {
    let list = |args: &[Expr]| args.iter().map(expression).collect::<Vec<_>>().join(", ");
    match (name, args) {
        ("like", _) => format!("~~({})", list(args)),
        ("not like", _) => format!("!~~({})", list(args)),
        ("ilike", _) => format!("~~*({})", list(args)),
        ("not ilike", _) => format!("!~~*({})", list(args)),
        ("in", [left, right]) => format!("=({}, {})", expression(left), expression(right)),
        ("not in", [left, right]) => format!("<>({}, {})", expression(left), expression(right)),
        ("in", [left, rest @ ..]) => format!("any({}, array({}))", expression(left), list(rest)),
        ("not in", [left, rest @ ..]) => {
            format!("all({}, array({}))", expression(left), list(rest))
        }
        ("between", [value, low, high]) => {
            let value = expression(value);
            format!(
                "and(>=({value}, {}), <=({value}, {}))",
                expression(low),
                expression(high)
            )
        }
        _ => format!("{name}({})", list(args)),
    }
}

/// The operands of nested ANDs (or ORs) in one list.
fn flat(args: &[Expr], and: bool) -> Vec<String> {
    args.iter()
        .flat_map(|arg| match &arg.kind {
            ExprKind::And(inner) if and => flat(inner, and),
            ExprKind::Or(inner) if !and => flat(inner, and),
            ExprKind::Operator { name, args } if and && &**name == "between" && args.len() == 3 => {
                let text = operator(name, args);
                vec![text["and(".len()..text.len() - 1].to_owned()]
            }
            _ => vec![expression(arg)],
        })
        .collect()
}
