//! Identifiers and string literals.

use crate::python::text::Text;

/// Words that SQLAlchemy's PostgreSQL dialect quotes; sorted.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "new",
    "not",
    "notnull",
    "null",
    "of",
    "off",
    "offset",
    "old",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "over",
    "overlaps",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "similar",
    "some",
    "symmetric",
    "table",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
];

/// True if a function or other name holds a character that only a quoted identifier may hold.
pub(super) fn has_illegal_characters(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    !name.chars().all(legal)
        || name.starts_with(|c: char| c.is_ascii_digit() || c == '$')
        || name.is_empty()
}

/// The identifier, quoted where SQLAlchemy quotes it.
pub(super) fn ident(name: &Text) -> Text {
    let text = name.as_str();
    let needed = has_illegal_characters(text)
        || text.chars().any(|c| c.is_ascii_uppercase())
        || RESERVED.binary_search(&text).is_ok();
    if !name.quote().unwrap_or(needed) {
        return name.clone();
    }
    let mut out = Text::from("\"");
    out.push(&name.replace("\"", &Text::from("\"\"")));
    out.push_str("\"");
    out
}

/// A table with its schema; `dotted` splits the schema at dots, as Alembic's own statements do.
pub(super) fn qualified(schema: Option<&Text>, name: &Text, dotted: bool) -> Text {
    let mut out = Text::default();
    if let Some(schema) = schema.filter(|schema| !schema.is_empty()) {
        if dotted && schema.quote().is_none() {
            for part in schema.split(".") {
                out.push(&ident(&part));
                out.push_str(".");
            }
        } else {
            out.push(&ident(schema));
            out.push_str(".");
        }
    }
    out.push(&ident(name));
    out
}

/// A list of identifiers.
pub(super) fn idents(names: &[Text]) -> Text {
    let names: Vec<Text> = names.iter().map(ident).collect();
    super::join(&names, ", ")
}

/// A string literal.
pub(super) fn literal(text: &Text) -> Text {
    let mut out = Text::from("'");
    out.push(&text.replace("'", &Text::from("''")));
    out.push_str("'");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_quoted_where_needed() {
        assert!(RESERVED.is_sorted());
        for (name, quoted) in [
            ("users", "users"),
            ("Users", "\"Users\""),
            ("user", "\"user\""),
            ("a$1", "a$1"),
            ("1a", "\"1a\""),
            ("a b", "\"a b\""),
            ("a\"b", "\"a\"\"b\""),
            ("é", "\"é\""),
            ("", "\"\""),
        ] {
            assert_eq!(ident(&Text::from(name)).as_str(), quoted);
        }
        assert_eq!(
            ident(&Text::from("users").with_quote(Some(true))).as_str(),
            "\"users\""
        );
        let schema = Text::from("a.B");
        assert_eq!(
            qualified(Some(&schema), &Text::from("t"), true).as_str(),
            "a.\"B\".t"
        );
        assert_eq!(
            qualified(Some(&schema), &Text::from("t"), false).as_str(),
            "\"a.B\".t"
        );
    }
}
