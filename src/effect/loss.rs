//! What a change of type does to values that the new type does not take in. Every line was measured.

use super::types;
use crate::statement::{Expr, TypeName};

/// What happens to a value that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Longer ones are refused, and the command fails (22001, 22026).
    TooLong(i32),
    /// Longer ones are cut without an error: an explicit cast does that.
    Cut(i32),
    /// Larger ones are refused, and the command fails (22003).
    OutOfRange,
    /// Digits behind the last one that is kept are rounded away.
    Rounded,
    /// A part of every value goes away; which one.
    Dropped(&'static str),
}

/// What is lost when a column changes its type. Empty if nothing is, or if it cannot be told: what a `USING` other than a
/// cast of the column computes is not judged.
#[must_use]
pub fn of(column: &str, from: &TypeName, to: &TypeName, using: Option<&Expr>) -> Vec<Loss> {
    let Some(using) = using else {
        return step(from, to, false);
    };
    let Some(casts) = types::casts_of(using, column) else {
        return Vec::new();
    };
    let mut losses = Vec::new();
    let mut current = from;
    for cast in casts {
        losses.extend(step(current, cast, true));
        current = cast;
    }
    losses.extend(step(current, to, false));
    losses
}

/// One conversion: assignment, or an explicit cast.
fn step(from: &TypeName, to: &TypeName, explicit: bool) -> Vec<Loss> {
    if types::narrows(from, to) != Some(true) {
        return Vec::new();
    }
    match (&*from.name, &*to.name) {
        (_, "varchar" | "bpchar" | "bit" | "varbit") => {
            let limit = to.modifiers.first().copied().unwrap_or(1);
            vec![if explicit {
                Loss::Cut(limit)
            } else {
                Loss::TooLong(limit)
            }]
        }
        ("numeric", "numeric") => numeric(&from.modifiers, &to.modifiers),
        ("numeric" | "float4" | "float8", "int2" | "int4" | "int8")
        | ("numeric" | "float8", "float4" | "float8") => vec![Loss::Rounded, Loss::OutOfRange],
        ("int4" | "int8", "float4" | "float8") => vec![Loss::Rounded],
        ("timestamp" | "timestamptz", "date") => vec![Loss::Dropped("the time of day")],
        ("timestamp" | "timestamptz", "time" | "timetz") => vec![Loss::Dropped("the date")],
        ("timetz", "time") => vec![Loss::Dropped("the time zone")],
        ("json", "jsonb") => vec![Loss::Dropped(
            "white space, the order of keys and all but the last of duplicate keys",
        )],
        (old, new) if old == new => vec![Loss::Rounded],
        _ => vec![Loss::OutOfRange],
    }
}

/// `numeric` to a smaller scale, or to fewer digits before the point.
fn numeric(old: &[i32], new: &[i32]) -> Vec<Loss> {
    let scale = |modifiers: &[i32]| modifiers.get(1).copied().unwrap_or(0);
    let whole = |modifiers: &[i32]| {
        modifiers
            .first()
            .map(|precision| precision - scale(modifiers))
    };
    let mut losses = Vec::new();
    if old.is_empty() || scale(new) < scale(old) {
        losses.push(Loss::Rounded);
    }
    if whole(old).is_none_or(|old| whole(new).is_some_and(|new| new < old)) {
        losses.push(Loss::OutOfRange);
    }
    losses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(name: &str, modifiers: &[i32]) -> TypeName {
        TypeName {
            modifiers: modifiers.to_vec(),
            ..TypeName::builtin(name)
        }
    }

    #[test]
    fn values_are_refused_cut_rounded_or_shortened() {
        let cases: [(TypeName, TypeName, bool, &[Loss]); 15] = [
            (
                ty("varchar", &[10]),
                ty("varchar", &[3]),
                false,
                &[Loss::TooLong(3)],
            ),
            (ty("text", &[]), ty("varchar", &[3]), true, &[Loss::Cut(3)]),
            (ty("varchar", &[3]), ty("text", &[]), false, &[]),
            (ty("bit", &[8]), ty("bit", &[4]), true, &[Loss::Cut(4)]),
            (
                ty("numeric", &[6, 3]),
                ty("numeric", &[6, 1]),
                false,
                &[Loss::Rounded],
            ),
            (
                ty("numeric", &[6, 3]),
                ty("numeric", &[4, 3]),
                false,
                &[Loss::OutOfRange],
            ),
            (
                ty("numeric", &[]),
                ty("numeric", &[4, 2]),
                false,
                &[Loss::Rounded, Loss::OutOfRange],
            ),
            (
                ty("numeric", &[6, 3]),
                ty("int4", &[]),
                false,
                &[Loss::Rounded, Loss::OutOfRange],
            ),
            (ty("int8", &[]), ty("int4", &[]), true, &[Loss::OutOfRange]),
            (ty("int4", &[]), ty("int8", &[]), false, &[]),
            (ty("int8", &[]), ty("float8", &[]), false, &[Loss::Rounded]),
            (
                ty("timestamp", &[]),
                ty("timestamp", &[0]),
                false,
                &[Loss::Rounded],
            ),
            (
                ty("timestamptz", &[]),
                ty("date", &[]),
                false,
                &[Loss::Dropped("the time of day")],
            ),
            (
                ty("int4", &[]),
                ty("numeric", &[5, 2]),
                false,
                &[Loss::OutOfRange],
            ),
            (ty("jsonb", &[]), ty("text", &[]), true, &[]),
        ];
        for (from, to, explicit, expected) in cases {
            assert_eq!(step(&from, &to, explicit), expected, "{from} to {to}");
        }
    }
}
