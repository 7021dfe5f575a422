//! Partition bounds: what a table's constraints prove about them, so that PostgreSQL skips a scan.
//!
//! PostgreSQL asks whether the valid CHECK constraints and NOT NULLs of the table imply the partition constraint. This is
//! the part of its prover that people use: comparisons of the key column with constants. What is not understood proves
//! nothing, and the answer is the scan.

pub(super) mod overlap;
pub(super) mod prune;

use std::cmp::Ordering;

use crate::schema::Table;
use crate::statement::{Bound, ConstraintKind, Expr, ExprKind, Literal, PartitionBy, TypeName};

/// A comparison of the key column with a constant that holds for every row.
#[derive(Debug)]
enum Fact<'e> {
    NotNull,
    Compared(&'e str, &'e Literal),
    OneOf(Vec<&'e Literal>),
    NoneOf(Vec<&'e Literal>),
    /// One of several sets of facts holds.
    Either(Vec<Vec<Fact<'e>>>),
}

/// True if the facts reach the goal, by themselves or in each branch of an OR.
fn reach(facts: &[Fact<'_>], goal: &dyn Fn(&[Fact<'_>]) -> bool) -> bool {
    goal(facts)
        || facts.iter().any(|fact| match fact {
            Fact::Either(branches) => branches.iter().all(|branch| reach(branch, goal)),
            _ => false,
        })
}

/// True if the table's constraints prove that every row fits the bound.
#[must_use]
pub fn implied(table: &Table, key: &PartitionBy, bound: &Bound) -> bool {
    let Some((column, facts)) = facts(table, key) else {
        return false;
    };
    let not_null = table.column(column).is_some_and(|column| column.not_null)
        || facts.iter().any(|fact| matches!(fact, Fact::NotNull));
    let constant = |expr| constant(expr, table, column);
    match bound {
        Bound::List(values) => {
            let Some(values) = values.iter().map(constant).collect::<Option<Vec<_>>>() else {
                return false;
            };
            let may_be_null = values.iter().any(|value| **value == Literal::Null);
            (not_null || may_be_null)
                && reach(&facts, &|facts| {
                    facts.iter().any(|fact| match fact {
                        Fact::Compared("=", value) => values.contains(value),
                        Fact::OneOf(list) => list.iter().all(|value| values.contains(value)),
                        _ => false,
                    })
                })
        }
        Bound::Range(lower, upper) => {
            let ([lower], [upper]) = (lower.as_slice(), upper.as_slice()) else {
                return false;
            };
            let above = is_word(lower, "minvalue")
                || constant(lower)
                    .is_some_and(|lower| reach(&facts, &|facts| at_least(facts, lower)));
            let below = is_word(upper, "maxvalue")
                || constant(upper)
                    .is_some_and(|upper| reach(&facts, &|facts| less_than(facts, upper)));
            not_null && above && below
        }
        Bound::Default | Bound::Hash => false,
    }
}

/// True if all that the proof lacks is that the key column holds no NULL.
#[must_use]
pub fn implied_but_for_null(table: &Table, key: &PartitionBy, bound: &Bound) -> bool {
    let mut strict = table.clone();
    for column in &mut strict.columns {
        column.not_null = true;
    }
    !implied(table, key, bound) && implied(&strict, key, bound)
}

/// True if the table's constraints prove that no row fits the bound: a default partition is not scanned then.
pub(super) fn excluded(table: &Table, key: &PartitionBy, bound: &Bound) -> bool {
    let Some((column, facts)) = facts(table, key) else {
        return false;
    };
    let constant = |expr| constant(expr, table, column);
    match bound {
        Bound::List(values) => {
            let Some(values) = values.iter().map(constant).collect::<Option<Vec<_>>>() else {
                return false;
            };
            !values.is_empty()
                && values.iter().all(|value| {
                    **value != Literal::Null && reach(&facts, &|facts| excludes(facts, value))
                })
        }
        Bound::Range(lower, upper) => {
            let ([lower], [upper]) = (lower.as_slice(), upper.as_slice()) else {
                return false;
            };
            let (lower, upper) = (constant(lower), constant(upper));
            reach(&facts, &|facts| {
                lower.is_some_and(|lower| less_than(facts, lower))
                    || upper.is_some_and(|upper| at_least(facts, upper))
            })
        }
        Bound::Default | Bound::Hash => false,
    }
}

/// The key column, if the key is one plain column, and what valid CHECKs say about it.
fn facts<'t>(table: &'t Table, key: &'t PartitionBy) -> Option<(&'t str, Vec<Fact<'t>>)> {
    let [element] = key.key.as_slice() else {
        return None;
    };
    let column = &*element.column.as_ref()?.text;
    let mut facts = Vec::new();
    for constraint in &table.constraints {
        if let ConstraintKind::Check(expr) = &constraint.def.kind
            && constraint.valid
            && !constraint.def.not_enforced
        {
            collect(expr, table, column, &mut facts);
        }
    }
    Some((column, facts))
}

fn collect<'t>(expr: &'t Expr, table: &Table, column: &str, facts: &mut Vec<Fact<'t>>) {
    let is_key = |expr: &Expr| expr.as_column() == Some(column);
    match &expr.kind {
        ExprKind::And(parts) => {
            for part in parts {
                collect(part, table, column, facts);
            }
        }
        ExprKind::Or(parts) => {
            let branch = |part| {
                let mut facts = Vec::new();
                collect(part, table, column, &mut facts);
                facts
            };
            facts.push(Fact::Either(parts.iter().map(branch).collect()));
        }
        ExprKind::IsNotNull(inner) if is_key(inner) => facts.push(Fact::NotNull),
        ExprKind::Operator { name, args } => match (&**name, args.as_slice()) {
            ("between", [key, low, high]) if is_key(key) => {
                let limits = constant(low, table, column).zip(constant(high, table, column));
                // BETWEEN SYMMETRIC is written the same way in the model: the order has to be the plain one.
                if let Some((low, high)) = limits
                    && is(low, high, AT_MOST)
                {
                    facts.extend([Fact::Compared(">=", low), Fact::Compared("<=", high)]);
                }
            }
            ("in", [key, values @ ..]) if is_key(key) => {
                let values: Option<Vec<_>> = values
                    .iter()
                    .map(|value| constant(value, table, column))
                    .collect();
                facts.extend(values.map(Fact::OneOf));
            }
            ("not in", [key, values @ ..]) if is_key(key) => {
                let values: Option<Vec<_>> = values
                    .iter()
                    .map(|value| constant(value, table, column))
                    .collect();
                facts.extend(values.map(Fact::NoneOf));
            }
            ("<>" | "!=", [key, value]) if is_key(key) => {
                facts.extend(constant(value, table, column).map(|value| Fact::NoneOf(vec![value])));
            }
            ("=" | "<" | "<=" | ">" | ">=", [key, value]) if is_key(key) => {
                facts.extend(
                    constant(value, table, column).map(|value| Fact::Compared(name, value)),
                );
            }
            ("=" | "<" | "<=" | ">" | ">=", [value, key]) if is_key(key) => {
                let mirrored = match &**name {
                    "<" => ">",
                    "<=" => ">=",
                    ">" => "<",
                    ">=" => "<=",
                    _ => "=",
                };
                facts.extend(
                    constant(value, table, column).map(|value| Fact::Compared(mirrored, value)),
                );
            }
            _ => {}
        },
        ExprKind::Not(inner) => {
            if let ExprKind::Operator { name, args } = &inner.kind
                && &**name == "in"
                && let [key, values @ ..] = args.as_slice()
                && is_key(key)
            {
                let values: Option<Vec<_>> = values
                    .iter()
                    .map(|value| constant(value, table, column))
                    .collect();
                facts.extend(values.map(Fact::NoneOf));
            }
        }
        _ => {}
    }
}

/// A constant of the key's own type: a literal, or one cast to that type. A constant of another type is compared by
/// another operator, which the prover does not mix.
fn constant<'e>(expr: &'e Expr, table: &Table, column: &str) -> Option<&'e Literal> {
    match &expr.kind {
        ExprKind::Literal(literal) => Some(literal),
        ExprKind::Cast(inner, ty) => {
            let own: Option<&TypeName> = table.column(column)?.ty.as_ref();
            match &inner.kind {
                ExprKind::Literal(literal) if own == Some(ty) => Some(literal),
                _ => None,
            }
        }
        _ => None,
    }
}

fn is_word(expr: &Expr, word: &str) -> bool {
    expr.as_column() == Some(word)
}

/// The order of two constants, where it is the same for every type that writes them so.
fn order(left: &Literal, right: &Literal) -> Option<Ordering> {
    if left == right {
        return Some(Ordering::Equal);
    }
    let number = |literal: &Literal| match literal {
        Literal::Int(value) => Some(f64::from(*value)),
        Literal::Number(text) => text.parse().ok(),
        _ => None,
    };
    if let (Some(left), Some(right)) = (number(left), number(right)) {
        return f64::partial_cmp(&left, &right);
    }
    // Dates as people write them sort as text if they are written alike.
    let date = |text: &str| {
        text.len() >= 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                0..10 => byte.is_ascii_digit(),
                _ => byte.is_ascii_digit() || matches!(byte, b' ' | b':'),
            })
    };
    match (left, right) {
        (Literal::String(left), Literal::String(right))
            if left.len() == right.len() && date(left) && date(right) =>
        {
            Some(left.cmp(right))
        }
        _ => None,
    }
}

fn is(left: &Literal, right: &Literal, wanted: &[Ordering]) -> bool {
    order(left, right).is_some_and(|order| wanted.contains(&order))
}

const AT_LEAST: &[Ordering] = &[Ordering::Greater, Ordering::Equal];
const AT_MOST: &[Ordering] = &[Ordering::Less, Ordering::Equal];
const LESS: &[Ordering] = &[Ordering::Less];
const GREATER: &[Ordering] = &[Ordering::Greater];

/// The facts prove `key >= value`.
fn at_least(facts: &[Fact<'_>], value: &Literal) -> bool {
    facts.iter().any(|fact| match fact {
        Fact::Compared(">=" | ">" | "=", known) => is(known, value, AT_LEAST),
        Fact::OneOf(list) => list.iter().all(|known| is(known, value, AT_LEAST)),
        _ => false,
    })
}

/// The facts prove `key < value`.
fn less_than(facts: &[Fact<'_>], value: &Literal) -> bool {
    facts.iter().any(|fact| match fact {
        Fact::Compared("<", known) => is(known, value, AT_MOST),
        Fact::Compared("<=" | "=", known) => is(known, value, LESS),
        Fact::OneOf(list) => list.iter().all(|known| is(known, value, LESS)),
        _ => false,
    })
}

/// The facts prove `key <> value`.
fn excludes(facts: &[Fact<'_>], value: &Literal) -> bool {
    less_than(facts, value)
        || facts.iter().any(|fact| match fact {
            Fact::NoneOf(list) => list.contains(&value),
            Fact::Compared(">", known) => is(known, value, AT_LEAST),
            Fact::Compared(">=", known) => is(known, value, GREATER),
            Fact::Compared("=", known) => differ(known, value),
            Fact::OneOf(list) => list.iter().all(|known| differ(known, value)),
            _ => false,
        })
}

fn differ(left: &Literal, right: &Literal) -> bool {
    order(left, right).is_some_and(|order| order != Ordering::Equal)
}
