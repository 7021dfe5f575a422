//! Bounds that PostgreSQL refuses: empty ones, and those that take values which another partition has (42P17).

use std::cmp::Ordering;

use super::{constant, is_word, order};
use crate::effect::Failure;
use crate::schema::{Schema, Table};
use crate::statement::table::Strategy;
use crate::statement::{Bound, Expr, Literal, PartitionBy, PartitionOf, QualifiedName};

/// How many partitions are looked at: with more of them, making one more each time would cost their square.
const MOST: usize = 2_000;

/// Why a bound is certain to be refused.
pub(in crate::effect) fn refused(
    schema: &Schema,
    parent: &QualifiedName,
    of: &PartitionOf,
) -> Option<Failure> {
    let table = schema.table_at(parent).filter(|table| table.known)?;
    let failure = |sqlstate, reason| Some(Failure { sqlstate, reason });
    let Some(by) = &table.partition_by else {
        return failure("42P17", format!("{parent} is not partitioned"));
    };
    let fits = match (&of.values, by.strategy) {
        (Bound::Default, strategy) => strategy != Strategy::Hash,
        (Bound::List(_), strategy) => strategy == Strategy::List,
        (Bound::Hash, strategy) => strategy == Strategy::Hash,
        (Bound::Range(lower, upper), strategy) => {
            strategy == Strategy::Range
                && lower.len() == by.key.len()
                && upper.len() == by.key.len()
        }
    };
    if !fits {
        let reason = format!("the bound does not fit the partition key of {parent}");
        return failure("42P16", reason);
    }
    if matches!(of.values, Bound::Default) {
        let default = schema.default_partition(parent)?;
        let reason = format!("{} is the default partition already", default.name);
        return failure("42P17", reason);
    }
    if let Bound::Range(lower, upper) = &of.values
        && compare(table, by, lower, upper).is_some_and(Ordering::is_ge)
    {
        return failure("42P17", "the bound is empty".to_owned());
    }
    let overlapping = schema.children(parent).take(MOST).find(|child| {
        child
            .partition
            .as_ref()
            .is_some_and(|known| overlap(table, by, of, &known.values, &known.bound))
    })?;
    failure(
        "42P17",
        format!("the bound overlaps with that of {}", overlapping.name),
    )
}

/// True if two bounds are certain to have a value in common.
fn overlap(
    table: &Table,
    by: &PartitionBy,
    new: &PartitionOf,
    known: &Bound,
    known_text: &str,
) -> bool {
    match (&new.values, known) {
        (Bound::Range(lower, upper), Bound::Range(known_lower, known_upper)) => {
            let below = |left, right| compare(table, by, left, right).is_some_and(Ordering::is_lt);
            below(lower, known_upper) && below(known_lower, upper)
        }
        (Bound::List(values), Bound::List(known)) => {
            let [element] = by.key.as_slice() else {
                return false;
            };
            let Some(column) = &element.column else {
                return false;
            };
            let constants = |values: &'_ [Expr]| -> Vec<Literal> {
                let values = values.iter();
                values
                    .filter_map(|value| constant(value, table, &column.text).cloned())
                    .collect()
            };
            let known = constants(known);
            constants(values).iter().any(|value| known.contains(value))
        }
        (Bound::Hash, Bound::Hash) => {
            let (Some((modulus, remainder)), Some((known_modulus, known_remainder))) =
                (hash(&new.bound), hash(known_text))
            else {
                return false;
            };
            // One modulus divides the other, or PostgreSQL refuses it for that reason (42P17 as well).
            let smaller = modulus.min(known_modulus);
            smaller > 0
                && (modulus.max(known_modulus) % smaller != 0
                    || remainder % smaller == known_remainder % smaller)
        }
        _ => false,
    }
}

/// Modulus and remainder of a bound as written.
fn hash(bound: &str) -> Option<(u32, u32)> {
    let bound = bound.to_ascii_lowercase();
    let value = |word: &str| -> Option<u32> {
        let (_, rest) = bound.split_once(word)?;
        let digits: String = rest
            .trim_start()
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        digits.parse().ok()
    };
    Some((value("modulus")?, value("remainder")?))
}

/// The order of two limits of ranges, where it is certain.
fn compare(table: &Table, by: &PartitionBy, left: &[Expr], right: &[Expr]) -> Option<Ordering> {
    for ((left, right), element) in left.iter().zip(right).zip(&by.key) {
        let rank = |limit: &Expr| {
            if is_word(limit, "minvalue") {
                -1
            } else {
                i8::from(is_word(limit, "maxvalue"))
            }
        };
        let (of_left, of_right) = (rank(left), rank(right));
        if of_left != of_right {
            return Some(of_left.cmp(&of_right));
        }
        if of_left != 0 {
            // What stands behind the first MINVALUE or MAXVALUE does not count.
            return Some(Ordering::Equal);
        }
        let column = &element.column.as_ref()?.text;
        let left = constant(left, table, column)?;
        match order(left, constant(right, table, column)?)? {
            Ordering::Equal => {}
            other => return Some(other),
        }
    }
    Some(Ordering::Equal)
}
