//! What lies between the type that a model gives to a column and the one that the column has.

use crate::statement::{QualifiedName, TypeName};

/// How far apart two types are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    /// The application does not notice, or seldom does.
    Harmless,
    /// Values do not fit, or come back as something else.
    Felt,
}

/// Kinds of values that stand for each other in part: the further back, the more fits in.
const FAMILIES: &[&[&str]] = &[
    &["int2", "int4", "int8"],
    &["float4", "float8"],
    &["bpchar", "varchar", "text", "citext"],
];

/// What lies between a model's type and that of the column, which may be a user-defined one; none if nothing does or
/// if that cannot be told.
pub(super) fn gap(model: &TypeName, made: &TypeName, user: Option<&QualifiedName>) -> Option<Gap> {
    if model.is_unknown() || made.is_unknown() {
        return None;
    }
    if (model.dimensions > 0) != (made.dimensions > 0) {
        return Some(Gap::Felt);
    }
    let made_name = match user {
        Some(user) => &*user.name,
        None => made.serial_base().unwrap_or(&made.name),
    };
    let model_name = model.serial_base().unwrap_or(&model.name);
    if model_name != made_name {
        return across(model_name, made_name, model, made);
    }
    if model.odd_modifier || made.odd_modifier {
        return None;
    }
    let (wanted, there) = (&model.modifiers, &made.modifiers);
    match (model_name, wanted.as_slice(), there.as_slice()) {
        (_, a, b) if a == b => None,
        ("varchar" | "bpchar" | "bit" | "varbit", [a], [b]) if a > b => Some(Gap::Felt),
        ("numeric", [precision, scale @ ..], [other, other_scale @ ..]) => {
            let digits = |precision: i32, scale: &[i32]| {
                precision - scale.first().copied().unwrap_or_default()
            };
            let lost = digits(*precision, scale) > digits(*other, other_scale);
            Some(if lost { Gap::Felt } else { Gap::Harmless })
        }
        _ => Some(Gap::Harmless),
    }
}

/// The same for types of different names.
fn across(wanted: &str, there: &str, model: &TypeName, made: &TypeName) -> Option<Gap> {
    let family = FAMILIES.iter().find(|family| family.contains(&wanted));
    if let Some(family) = family
        && let Some(there) = family.iter().position(|name| *name == there)
    {
        let wanted = family.iter().position(|name| *name == wanted);
        let is_text = family.contains(&"text");
        return match (is_text, model.modifiers.first(), made.modifiers.first()) {
            // A text without limit is the same under both names.
            (true, None, None) => None,
            (true, Some(a), Some(b)) if a > b => Some(Gap::Felt),
            (true, ..) => Some(Gap::Harmless),
            _ if wanted > Some(there) => Some(Gap::Felt),
            _ => Some(Gap::Harmless),
        };
    }
    let either = |a: &str, b: &str| (wanted, there) == (a, b) || (there, wanted) == (a, b);
    // Numbers compare with each other, and what works with `json` works with `jsonb`.
    if either("numeric", "float8")
        || either("numeric", "float4")
        || (wanted, there) == ("json", "jsonb")
    {
        return Some(Gap::Harmless);
    }
    Some(Gap::Felt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql;
    use crate::statement::Kind;

    fn types(text: &str) -> Vec<TypeName> {
        let parsed = sql::parse_text(&format!("CREATE TABLE t ({text})"));
        match &parsed.statements[0].kind {
            Kind::CreateTable(create) => create
                .columns
                .iter()
                .filter_map(|column| column.ty.clone())
                .collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn gaps_are_those_that_the_application_feels() {
        for (model, made, expected) in [
            ("INTEGER", "serial", None),
            ("INTEGER", "int4", None),
            ("VARCHAR", "text", None),
            ("FLOAT", "double precision", None),
            ("TIMESTAMP WITHOUT TIME ZONE", "timestamp", None),
            ("lockgate_unknown", "text", None),
            ("VARCHAR(50)", "varchar(100)", Some(Gap::Harmless)),
            ("VARCHAR(100)", "varchar(50)", Some(Gap::Felt)),
            ("VARCHAR", "varchar(50)", Some(Gap::Harmless)),
            ("VARCHAR(50)", "text", Some(Gap::Harmless)),
            ("INTEGER", "bigint", Some(Gap::Harmless)),
            ("BIGINT", "integer", Some(Gap::Felt)),
            ("NUMERIC(10, 2)", "numeric(8, 2)", Some(Gap::Felt)),
            ("NUMERIC(10, 4)", "numeric(10, 2)", Some(Gap::Harmless)),
            ("NUMERIC", "double precision", Some(Gap::Harmless)),
            ("TIMESTAMP WITH TIME ZONE", "timestamp", Some(Gap::Felt)),
            ("JSON", "jsonb", Some(Gap::Harmless)),
            ("JSONB", "json", Some(Gap::Felt)),
            ("VARCHAR", "integer", Some(Gap::Felt)),
            ("INTEGER[]", "integer", Some(Gap::Felt)),
            ("status", "text", Some(Gap::Felt)),
        ] {
            let types = types(&format!("a {model}, b {made}"));
            assert_eq!(gap(&types[0], &types[1], None), expected, "{model} {made}");
        }
        let types = types("a order_status, b shop.order_status");
        let user = QualifiedName {
            schema: "shop".into(),
            name: "order_status".into(),
        };
        assert_eq!(gap(&types[0], &types[1], Some(&user)), None);
    }
}
