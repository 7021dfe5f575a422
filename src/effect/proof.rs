//! What a schema proves about a column, so that PostgreSQL skips a scan.

use crate::schema::{Column, Table};
use crate::statement::{ConstraintKind, Expr, ExprKind, Literal};

/// Whether a column is known to hold no NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotNull {
    /// It is NOT NULL already.
    Already,
    /// This valid CHECK constraint proves it.
    ProvenBy(Box<str>),
    /// This CHECK would prove it once validated.
    NotValidated(Box<str>),
    /// A NOT NULL constraint that is not valid yet (18).
    NotNullNotValid(Box<str>),
    /// Nothing proves it.
    Unproven,
}

/// What a table proves about a column. Constraints in `without` are dropped by the same `ALTER TABLE`: their drop runs
/// first (measured), so that they prove nothing.
#[must_use]
pub fn not_null(table: &Table, column: &str, without: &[&str]) -> NotNull {
    let known: Option<&Column> = table.column(column);
    if known.is_some_and(|column| column.not_null) {
        return NotNull::Already;
    }
    if let Some(name) = known.and_then(|column| column.not_null_not_valid.clone()) {
        return NotNull::NotNullNotValid(name);
    }
    let mut waiting = None;
    for constraint in &table.constraints {
        let ConstraintKind::Check(expr) = &constraint.def.kind else {
            continue;
        };
        if constraint.def.not_enforced
            || without.contains(&&*constraint.name)
            || !excludes_null(expr, column)
        {
            continue;
        }
        if constraint.valid {
            return NotNull::ProvenBy(constraint.name.clone());
        }
        waiting = Some(constraint.name.clone());
    }
    waiting.map_or(NotNull::Unproven, NotNull::NotValidated)
}

/// True if the expression proves `column IS NOT NULL` the way PostgreSQL's prover sees it: the test itself, alone or in a
/// conjunction, `NOT (c IS NULL)`, `c IS DISTINCT FROM NULL`. Comparisons (`c > 0`) and OR prove nothing (measured).
#[must_use]
pub fn excludes_null(expr: &Expr, column: &str) -> bool {
    match &expr.kind {
        ExprKind::IsNotNull(inner) => inner.as_column() == Some(column),
        ExprKind::Not(inner) => match &inner.kind {
            ExprKind::IsNull(inner) => inner.as_column() == Some(column),
            _ => false,
        },
        ExprKind::IsDistinct(left, right) => {
            let is_column = |expr: &Expr| expr.as_column() == Some(column);
            let is_null = |expr: &Expr| matches!(expr.kind, ExprKind::Literal(Literal::Null));
            (is_column(left) && is_null(right)) || (is_null(left) && is_column(right))
        }
        ExprKind::And(parts) => parts.iter().any(|part| excludes_null(part, column)),
        _ => false,
    }
}
