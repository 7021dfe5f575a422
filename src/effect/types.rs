//! `ALTER COLUMN … TYPE`: when PostgreSQL keeps the table file and the indexes.
//!
//! The table is rewritten unless the new value is the old one bit for bit: same type with a modifier that takes
//! everything in, or a binary-coercible type without one. A test compares this with servers for every pair of types.

use super::coercion::{self, Context, Length, OperatorClass, Path};
use super::others::key_columns;
use crate::schema::{Schema, Table};
use crate::statement::{Expr, ExprKind, ForeignKey, Literal, TypeName};

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
    /// PostgreSQL has no cast for it: the command fails.
    Refused,
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
    let Some(casts) = using.map_or(Some(Vec::new()), |using| casts_of(using, column)) else {
        return TypeChange::Rewrite;
    };
    let Some(from) = from.filter(|_| !to.is_unknown()) else {
        return TypeChange::Unknown;
    };
    let mut cost = TypeChange::Free;
    let mut current = from;
    for cast in casts {
        cost = both(cost, step(schema, current, cast, Context::Explicit, zone));
        current = cast;
    }
    cost = both(cost, step(schema, current, to, Context::Assignment, zone));
    if cost == TypeChange::Free && !keeps_indexes(schema, from, to, "btree") {
        return TypeChange::Indexes;
    }
    cost
}

/// Why there is no conversion, with its SQLSTATE: PostgreSQL refuses the change whatever the rows hold.
#[must_use]
pub fn missing_cast(
    schema: &Schema,
    column: &str,
    from: &TypeName,
    to: &TypeName,
    using: Option<&Expr>,
) -> Option<(&'static str, String)> {
    let casts = using.map_or(Some(Vec::new()), |using| casts_of(using, column))?;
    let mut current = from;
    for cast in casts {
        if coercion::path(schema, current, cast, Context::Explicit) == Path::Missing {
            return Some((
                "42846",
                format!("there is no cast from {current} to {cast}"),
            ));
        }
        current = cast;
    }
    (coercion::path(schema, current, to, Context::Assignment) == Path::Missing).then(|| {
        (
            "42804",
            format!("{current} is not cast to {to} automatically"),
        )
    })
}

/// Why the default of the column stops the change, with its SQLSTATE: it is cast without `USING`, and there is no such
/// cast. None too if the type of the default cannot be told.
#[must_use]
pub fn missing_default_cast(
    schema: &Schema,
    from: &TypeName,
    to: &TypeName,
    default: &Expr,
) -> Option<(&'static str, String)> {
    let ty = type_of_default(from, default)?;
    (coercion::path(schema, &ty, to, Context::Assignment) == Path::Missing).then(|| {
        (
            "42804",
            format!("its default, of type {ty}, is not cast to {to} automatically"),
        )
    })
}

/// The type of a default's expression, without the casts that storing it in the column adds.
fn type_of_default(column: &TypeName, default: &Expr) -> Option<TypeName> {
    match &default.kind {
        ExprKind::Cast(_, ty) => Some(ty.clone()),
        ExprKind::Literal(Literal::String(_)) => Some(column.clone()),
        ExprKind::Literal(Literal::Bool(_)) => Some(TypeName::builtin("bool")),
        ExprKind::Literal(Literal::Int(_)) => Some(TypeName::builtin("int4")),
        ExprKind::Call {
            schema: None, name, ..
        } => match &**name {
            "now" | "clock_timestamp" | "statement_timestamp" | "transaction_timestamp" => {
                Some(TypeName::builtin("timestamptz"))
            }
            "nextval" => Some(TypeName::builtin("int8")),
            "gen_random_uuid" => Some(TypeName::builtin("uuid")),
            _ => None,
        },
        _ => None,
    }
}

/// The casts that a `USING` applies to the column, in order, if it does nothing else.
#[must_use]
pub fn casts_of<'e>(using: &'e Expr, column: &str) -> Option<Vec<&'e TypeName>> {
    let mut casts = Vec::new();
    let mut expr = using;
    while let ExprKind::Cast(inner, ty) = &expr.kind {
        casts.push(ty);
        expr = inner;
    }
    (matches!(&expr.kind, ExprKind::Column(_)) && expr.as_column() == Some(column)).then(|| {
        casts.reverse();
        casts
    })
}

/// Two conversions in a row: a rewrite is certain if one of them is.
fn both(first: TypeChange, second: TypeChange) -> TypeChange {
    match (first, second) {
        (TypeChange::Refused, _) | (_, TypeChange::Refused) => TypeChange::Refused,
        (TypeChange::Rewrite, _) | (_, TypeChange::Rewrite) => TypeChange::Rewrite,
        _ => first.max(second),
    }
}

/// One conversion.
fn step(
    schema: &Schema,
    from: &TypeName,
    to: &TypeName,
    context: Context,
    zone: Option<&str>,
) -> TypeChange {
    if from == to {
        return TypeChange::Free;
    }
    if from.odd_modifier || to.odd_modifier {
        return TypeChange::Unknown;
    }
    let path = coercion::path(schema, from, to, context);
    match path {
        Path::Missing => return TypeChange::Refused,
        Path::Unknown => return TypeChange::Unknown,
        Path::Convert => return TypeChange::Rewrite,
        Path::Same | Path::Binary | Path::Zone => {}
    }
    let (base, constrained) = coercion::under_domains(schema, to);
    // Whatever has to hold for a domain is checked for every row, by computing it anew.
    if constrained {
        return TypeChange::Rewrite;
    }
    let (source, _) = coercion::under_domains(schema, from);
    // A value that comes out of a domain or of another type counts as one of any length.
    let plain = *from == source && path == Path::Same;
    let kept = match coercion::length(schema, &base) {
        _ if base.modifiers.is_empty() => true,
        _ if plain && source.modifiers == base.modifiers => true,
        None => return TypeChange::Unknown,
        Some(Length::None) => true,
        Some(Length::Always) => false,
        Some(Length::Support) if plain => takes_in(&source, &base),
        Some(Length::Support) => takes_in(&TypeName::builtin(&base.name), &base),
    };
    match (kept, path, zone) {
        (false, ..) => TypeChange::Rewrite,
        (true, Path::Zone, None) => TypeChange::Unknown,
        (true, Path::Zone, Some(zone)) if !is_utc(zone) => TypeChange::Rewrite,
        (true, ..) => TypeChange::Free,
    }
}

/// Why a foreign key cannot be made of columns of these types (42804): a pair of columns that no operator compares. None
/// if one is not known.
#[must_use]
pub fn incomparable_key<'t>(
    schema: &Schema,
    own: impl IntoIterator<Item = Option<&'t TypeName>>,
    target: &Table,
    key: &ForeignKey,
) -> Option<String> {
    let primary: Vec<&str> = target
        .primary_key()
        .map_or_else(Vec::new, |constraint| key_columns(&constraint.def.kind));
    let referenced: Vec<&str> = if key.referenced.is_empty() {
        primary
    } else {
        key.referenced.iter().map(|column| &*column.text).collect()
    };
    own.into_iter()
        .zip(referenced)
        .find_map(|(own, referenced)| {
            let own = own?;
            let integer = own.serial_base().map(TypeName::builtin);
            let own = integer.as_ref().unwrap_or(own);
            let theirs = target.column(referenced)?.ty.as_ref()?;
            (coercion::comparable(schema, theirs, own) == Some(false)).then(|| {
                format!(
                    "{own} cannot be compared with {theirs} of {}.{referenced}",
                    target.name
                )
            })
        })
}

/// Why there can be no index of the access method on columns of these types (42704), if it is certain.
#[must_use]
pub fn without_order<'t>(
    schema: &Schema,
    types: impl IntoIterator<Item = &'t TypeName>,
    method: &str,
) -> Option<String> {
    types
        .into_iter()
        .find(|ty| coercion::operator_class(schema, ty, method) == OperatorClass::Missing)
        .map(|ty| format!("{ty} has no operator class for {method}"))
}

/// Why an index on the column stops the change, with its SQLSTATE: the new type has no operator class for it.
#[must_use]
pub fn unindexable(
    schema: &Schema,
    table: &Table,
    column: &str,
    to: &TypeName,
) -> Option<(&'static str, String)> {
    let from = table.column(column)?.ty.as_ref()?;
    schema.indexes_of(&table.name).find_map(|index| {
        let plain = index.elements.iter().any(|element| {
            element.opclass.is_none()
                && element
                    .column
                    .as_ref()
                    .is_some_and(|name| &*name.text == column)
        });
        // Otherwise there is no such index, whatever the history says.
        let had = coercion::operator_class(schema, from, &index.method) != OperatorClass::Missing;
        let reason = (plain && had).then(|| without_order(schema, [to], &index.method))??;
        Some((
            "42704",
            format!("{reason}, which {} needs", index.name.short()),
        ))
    })
}

/// True if an index of the access method on the column can stay as it is when the values do: the same operator class, and
/// not one for types of a kind, which looks at the type itself. True if it cannot be told.
#[must_use]
pub fn keeps_indexes(schema: &Schema, from: &TypeName, to: &TypeName, method: &str) -> bool {
    const OF_A_KIND: &[&str] = &["array_ops", "enum_ops", "range_ops", "multirange_ops"];
    let old = coercion::operator_class(schema, from, method);
    let new = coercion::operator_class(schema, to, method);
    match (old, new) {
        (OperatorClass::Default(old), OperatorClass::Default(new)) => {
            let same_type = from.name == to.name
                && from.schema == to.schema
                && from.dimensions == to.dimensions;
            old == new && (same_type || !OF_A_KIND.contains(&old))
        }
        _ => true,
    }
}

/// True if a length coercion that PostgreSQL may leave out has nothing to do: the new modifier takes in all that the old
/// one did (`varchar_support` and its like).
fn takes_in(from: &TypeName, to: &TypeName) -> bool {
    match &*to.name {
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
            // [fields mask] or [fields mask, precision]: a lower precision rounds seconds, if the old one has them.
            let precision = |modifiers: &[i32]| modifiers.get(1).copied().unwrap_or(6);
            let (old, new) = (
                smallest_field(&from.modifiers),
                smallest_field(&to.modifiers),
            );
            to.modifiers.is_empty()
                || (new <= old
                    && (old > 0 || precision(&to.modifiers) >= precision(&from.modifiers)))
        }
        _ => false,
    }
}

/// The smallest unit that an `interval` keeps, by its mask of fields: 0 for seconds, 5 for years.
fn smallest_field(modifiers: &[i32]) -> i32 {
    // `INTERVAL_FULL_RANGE`, and the bits of `INTERVAL_MASK` with their rank.
    const FULL: i32 = 0x7FFF;
    const RANKS: [(i32, i32); 6] = [(12, 0), (11, 1), (10, 2), (3, 3), (1, 4), (2, 5)];
    match modifiers.first() {
        None | Some(&FULL) => 0,
        Some(mask) => RANKS
            .into_iter()
            .find(|(bit, _)| mask & (1 << bit) != 0)
            .map_or(0, |(_, rank)| rank),
    }
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
