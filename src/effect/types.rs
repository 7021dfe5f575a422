//! `ALTER COLUMN … TYPE`: when PostgreSQL keeps the table file and the indexes.
//!
//! The table is rewritten unless the new value is the old one bit for bit: same type with a modifier that takes
//! everything in, or a binary-coercible type without one. Every line of this was measured on 13 to 18 (type-change
//! matrix of the project's observations).

use crate::schema::{Schema, TypeKind};
use crate::statement::{Expr, ExprKind, TypeName};

/// What a type change costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TypeChange {
    /// Nothing: catalog only, index files kept.
    Free,
    /// The table file is kept, indexes on the column are rebuilt.
    Indexes,
    /// The table and its indexes are rewritten.
    Rewrite,
    /// Depends on what the files do not say: the old type, or the meaning of an unknown one.
    Unknown,
}

/// True if the session's time zone is a fixed zero offset, in which `timestamp` and `timestamptz` are the same bits.
#[must_use]
pub fn is_utc(zone: &str) -> bool {
    matches!(
        zone.to_ascii_lowercase().as_str(),
        "utc"
            | "gmt"
            | "etc/utc"
            | "etc/gmt"
            | "zulu"
            | "etc/zulu"
            | "universal"
            | "etc/universal"
            | "uct"
            | "etc/uct"
            | "greenwich"
            | "etc/greenwich"
            | "gmt0"
            | "gmt+0"
            | "gmt-0"
            | "0"
            | "+00"
            | "+00:00"
            | "etc/gmt0"
    )
}

/// What changing a column from one type to another costs. `zone` is the session's time zone, if a statement set it.
#[must_use]
pub fn change(
    schema: &Schema,
    column: &str,
    from: Option<&TypeName>,
    to: &TypeName,
    using: Option<&Expr>,
    zone: Option<&str>,
) -> TypeChange {
    // What USING computes is written to every row, whatever the type was.
    if using.is_some_and(|using| trivial_using(using, column).is_none()) {
        return TypeChange::Rewrite;
    }
    let Some(from) = from.filter(|_| !to.is_unknown()) else {
        return TypeChange::Unknown;
    };
    if let Some(using) = using {
        match trivial_using(using, column) {
            // `USING c` and `USING c::new_type` are the assignment cast itself.
            Some(None) => {}
            Some(Some(cast)) if cast == to => {}
            // A cast to something in between: free only if both steps are.
            Some(Some(cast)) => {
                let first = base_change(schema, from, cast, zone);
                let second = base_change(schema, cast, to, zone);
                return first.max(second);
            }
            None => return TypeChange::Rewrite,
        }
    }
    base_change(schema, from, to, zone)
}

/// `USING` that only names the column, maybe with a cast: `Some(cast type)`.
pub(super) fn trivial_using<'e>(using: &'e Expr, column: &str) -> Option<Option<&'e TypeName>> {
    match &using.kind {
        ExprKind::Column(_) if using.as_column() == Some(column) => Some(None),
        ExprKind::Cast(inner, ty) if inner.as_column() == Some(column) => Some(Some(ty)),
        _ => None,
    }
}

fn base_change(schema: &Schema, from: &TypeName, to: &TypeName, zone: Option<&str>) -> TypeChange {
    if let Some(verdict) = domain_change(schema, from, to, zone) {
        return verdict;
    }
    if (from.dimensions > 0) != (to.dimensions > 0) {
        return TypeChange::Rewrite;
    }
    if from.dimensions > 0 {
        // Arrays: only dropping or keeping the element's modifier is free.
        let same = from.schema == to.schema && from.name == to.name;
        return if same && (to.modifiers.is_empty() || to.modifiers == from.modifiers) {
            TypeChange::Free
        } else {
            TypeChange::Rewrite
        };
    }
    if from.odd_modifier || to.odd_modifier {
        return if from == to {
            TypeChange::Free
        } else {
            TypeChange::Unknown
        };
    }
    if from.schema == to.schema && from.name == to.name {
        return same_type(from, to);
    }
    different_type(schema, from, to, zone)
}

/// A change of the modifier alone.
fn same_type(from: &TypeName, to: &TypeName) -> TypeChange {
    let free = match &*from.name {
        _ if from.modifiers == to.modifiers => true,
        "varchar" | "varbit" => match (from.modifiers.first(), to.modifiers.first()) {
            (_, None) => true,
            (Some(old), Some(new)) => new >= old,
            (None, Some(_)) => false,
        },
        "numeric" => match (from.modifiers.as_slice(), to.modifiers.as_slice()) {
            (_, []) => true,
            ([], _) => false,
            (old, new) => {
                let scale = |modifiers: &[i32]| modifiers.get(1).copied().unwrap_or(0);
                scale(old) == scale(new) && new[0] >= old[0]
            }
        },
        "timestamp" | "timestamptz" | "time" | "timetz" => {
            let precision = |modifiers: &[i32]| modifiers.first().copied().unwrap_or(6);
            precision(&to.modifiers) >= precision(&from.modifiers)
        }
        "interval" => {
            // [fields mask] or [fields mask, precision]; a lower precision rounds, fields only restrict input.
            let precision = |modifiers: &[i32]| modifiers.get(1).copied().unwrap_or(6);
            precision(&to.modifiers) >= precision(&from.modifiers)
                && (to.modifiers.is_empty() || interval_fields_kept(&from.modifiers, &to.modifiers))
        }
        // char(n), bit(n) and everything else pad or check.
        _ => false,
    };
    if free {
        TypeChange::Free
    } else {
        TypeChange::Rewrite
    }
}

/// `interval` field masks: the new one must keep the smallest unit of the old one (`INTERVAL_FULL_RANGE` is 0x7FFF).
fn interval_fields_kept(from: &[i32], to: &[i32]) -> bool {
    const FULL: i32 = 0x7FFF;
    // Bits of `INTERVAL_MASK`: YEAR 2, MONTH 1, DAY 3, HOUR 10, MINUTE 11, SECOND 12.
    let smallest = |mask: i32| {
        if mask == FULL {
            return 0;
        }
        [(12, 0), (11, 1), (10, 2), (3, 3), (1, 4), (2, 5)]
            .into_iter()
            .find(|(bit, _)| mask & (1 << bit) != 0)
            .map_or(0, |(_, rank)| rank)
    };
    let mask = |modifiers: &[i32]| modifiers.first().copied().unwrap_or(FULL);
    smallest(mask(to)) <= smallest(mask(from))
}

/// A change to another type.
fn different_type(
    schema: &Schema,
    from: &TypeName,
    to: &TypeName,
    zone: Option<&str>,
) -> TypeChange {
    let user_defined = |ty: &TypeName| ty.schema.is_some() || !is_builtin(&ty.name);
    let text = |name: &str| matches!(name, "text" | "varchar");
    let oid_like = |name: &str| {
        matches!(
            name,
            "int4"
                | "oid"
                | "regclass"
                | "regproc"
                | "regprocedure"
                | "regtype"
                | "regnamespace"
                | "regrole"
                | "regoper"
                | "regoperator"
                | "regconfig"
                | "regdictionary"
                | "regcollation"
        )
    };
    let unlimited = to.modifiers.is_empty();
    match (&*from.name, &*to.name) {
        (old, new) if text(old) && text(new) => {
            if unlimited {
                TypeChange::Free
            } else {
                TypeChange::Rewrite
            }
        }
        ("citext", new) if text(new) => {
            if unlimited {
                TypeChange::Indexes
            } else {
                TypeChange::Rewrite
            }
        }
        (old, "citext") if text(old) => TypeChange::Indexes,
        ("cidr", "inet") => TypeChange::Free,
        ("xml", new) if text(new) => {
            if unlimited {
                TypeChange::Free
            } else {
                TypeChange::Rewrite
            }
        }
        ("bit", "varbit") => {
            if unlimited {
                TypeChange::Free
            } else {
                TypeChange::Rewrite
            }
        }
        (old, new) if oid_like(old) && oid_like(new) => TypeChange::Indexes,
        ("timestamp", "timestamptz") | ("timestamptz", "timestamp") => {
            // The conversion yields full precision; anything less is a second step that may round, whatever it was before.
            if to.modifiers.first().is_some_and(|precision| *precision < 6) {
                return TypeChange::Rewrite;
            }
            match zone {
                Some(zone) if is_utc(zone) => TypeChange::Indexes,
                Some(_) => TypeChange::Rewrite,
                None => TypeChange::Unknown,
            }
        }
        _ if user_defined(from) || user_defined(to) => {
            // Enums are numbers inside; a type the history does not define may be binary-coercible.
            let known = |ty: &TypeName| {
                !user_defined(ty) || schema.type_named(ty.schema.as_deref(), &ty.name).is_some()
            };
            if known(from) && known(to) {
                TypeChange::Rewrite
            } else {
                TypeChange::Unknown
            }
        }
        _ => TypeChange::Rewrite,
    }
}

/// Domains: to or from the type under an unconstrained one is free; checking a constraint means a rewrite.
fn domain_change(
    schema: &Schema,
    from: &TypeName,
    to: &TypeName,
    zone: Option<&str>,
) -> Option<TypeChange> {
    let domain = |ty: &TypeName| {
        if ty.dimensions > 0 {
            return None;
        }
        match &schema.type_named(ty.schema.as_deref(), &ty.name)?.kind {
            TypeKind::Domain(domain) => Some((**domain).clone()),
            _ => None,
        }
    };
    let (old, new) = (domain(from), domain(to));
    if old.is_none() && new.is_none() {
        return None;
    }
    if from == to {
        return Some(TypeChange::Free);
    }
    let old_base = old
        .as_ref()
        .map_or_else(|| from.clone(), |domain| domain.base.clone());
    let new_base = new
        .as_ref()
        .map_or_else(|| to.clone(), |domain| domain.base.clone());
    if new
        .as_ref()
        .is_some_and(|domain| domain.not_null || !domain.checks.is_empty())
    {
        return Some(TypeChange::Rewrite);
    }
    Some(base_change(schema, &old_base, &new_base, zone))
}

/// Built-in types that appear in schemas, by internal name.
fn is_builtin(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "bit",
        "bool",
        "box",
        "bpchar",
        "bytea",
        "char",
        "cidr",
        "circle",
        "date",
        "daterange",
        "float4",
        "float8",
        "inet",
        "int2",
        "int4",
        "int4range",
        "int8",
        "int8range",
        "interval",
        "json",
        "jsonb",
        "jsonpath",
        "line",
        "lseg",
        "macaddr",
        "macaddr8",
        "money",
        "name",
        "numeric",
        "numrange",
        "oid",
        "path",
        "pg_lsn",
        "point",
        "polygon",
        "text",
        "time",
        "timestamp",
        "timestamptz",
        "timetz",
        "tsquery",
        "tsrange",
        "tstzrange",
        "tsvector",
        "txid_snapshot",
        "uuid",
        "varbit",
        "varchar",
        "xml",
    ];
    NAMES.binary_search(&name).is_ok() || name.starts_with("reg")
}

/// True if values can be lost, cut or refused: the new type takes in less than the old one. None if it cannot be told.
#[must_use]
pub fn narrows(from: &TypeName, to: &TypeName) -> Option<bool> {
    if (from.dimensions > 0) != (to.dimensions > 0) || from.odd_modifier || to.odd_modifier {
        return None;
    }
    let rank = |list: &[&str], name: &str| list.iter().position(|candidate| *candidate == name);
    let integers = ["int2", "int4", "int8", "numeric"];
    let floats = ["float4", "float8", "numeric"];
    let limit = |ty: &TypeName| ty.modifiers.first().copied();
    Some(match (&*from.name, &*to.name) {
        ("varchar" | "bpchar" | "text", "varchar" | "bpchar") => {
            match (limit(from).filter(|_| &*from.name != "text"), limit(to)) {
                (_, None) => false,
                (None, Some(_)) => true,
                (Some(old), Some(new)) => new < old,
            }
        }
        ("numeric", "numeric") => match (from.modifiers.as_slice(), to.modifiers.as_slice()) {
            (_, []) => false,
            ([], _) => true,
            (old, new) => {
                let scale = |modifiers: &[i32]| modifiers.get(1).copied().unwrap_or(0);
                scale(new) < scale(old) || new[0] - scale(new) < old[0] - scale(old)
            }
        },
        (old, new) if old == new => match &*from.name {
            "timestamp" | "timestamptz" | "time" | "timetz" => {
                limit(to).unwrap_or(6) < limit(from).unwrap_or(6)
            }
            "varbit" | "bit" => {
                limit(to).is_some_and(|new| limit(from).is_none_or(|old| new < old))
            }
            _ => false,
        },
        (old, new) if rank(&integers, old).is_some() && rank(&integers, new).is_some() => {
            rank(&integers, new) < rank(&integers, old)
                || (new == "numeric"
                    && to.modifiers.first().is_some_and(|precision| {
                        let digits = match old {
                            "int2" => 5,
                            "int4" => 10,
                            _ => 19,
                        };
                        precision - to.modifiers.get(1).copied().unwrap_or(0) < digits
                    }))
        }
        (old, new) if rank(&floats, old).is_some() && rank(&floats, new).is_some() => {
            rank(&floats, new) < rank(&floats, old)
        }
        ("timestamp" | "timestamptz", "date" | "time" | "timetz") | ("timetz", "time") => true,
        ("float4" | "float8" | "numeric", "int2" | "int4" | "int8") => true,
        ("int4" | "int8", "float4") | ("int8", "float8") => true,
        ("json" | "jsonb", "text" | "varchar") => false,
        (_, "text") => false,
        ("json", "jsonb") => true,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_names_are_sorted_for_the_search() {
        assert!(
            is_builtin("int4") && is_builtin("xml") && is_builtin("bit") && !is_builtin("citext")
        );
        for name in ["bool", "date", "jsonb", "tsvector", "varchar", "uuid"] {
            assert!(is_builtin(name), "{name}");
        }
    }
}
