//! Names as PostgreSQL sees them: folded, possibly qualified, with their place in the file.

use std::fmt;

use crate::source::Span;

/// A simple identifier (a column, a constraint, a label), case already folded.
#[derive(Debug, Clone)]
pub struct Ident {
    /// The folded text.
    pub text: Box<str>,
    /// Where it stands, or the nearest place that PostgreSQL's parser tells.
    pub span: Span,
}

impl Ident {
    /// An identifier from its parts.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>, span: Span) -> Self {
        Self {
            text: text.into(),
            span,
        }
    }
}

impl PartialEq for Ident {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl Eq for Ident {}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quoted(&self.text))
    }
}

/// The name of a relation, type or function as written: with or without its schema.
#[derive(Debug, Clone)]
pub struct Name {
    /// The schema, if it was written.
    pub schema: Option<Box<str>>,
    /// The object's own name.
    pub name: Box<str>,
    /// Where it stands.
    pub span: Span,
}

impl Name {
    /// A name from its parts.
    #[must_use]
    pub fn new(schema: Option<&str>, name: &str, span: Span) -> Self {
        Self {
            schema: schema.map(Into::into),
            name: name.into(),
            span,
        }
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.schema == other.schema && self.name == other.name
    }
}
impl Eq for Name {}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{}.", quoted(schema))?;
        }
        f.write_str(&quoted(&self.name))
    }
}

/// A name with its schema known: the key of an object in a [`crate::schema::Schema`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QualifiedName {
    /// The schema.
    pub schema: Box<str>,
    /// The object's own name.
    pub name: Box<str>,
}

impl QualifiedName {
    /// A qualified name from its parts.
    #[must_use]
    pub fn new(schema: &str, name: &str) -> Self {
        Self {
            schema: schema.into(),
            name: name.into(),
        }
    }

    /// As a person writes it: without `public`.
    #[must_use]
    pub fn short(&self) -> String {
        if &*self.schema == "public" {
            quoted(&self.name)
        } else {
            self.to_string()
        }
    }
}

impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", quoted(&self.schema), quoted(&self.name))
    }
}

/// An identifier as it has to be written in SQL: quoted where it must be.
#[must_use]
pub fn quoted(ident: &str) -> String {
    let plain = ident.bytes().enumerate().all(|(i, b)| {
        b == b'_' || b.is_ascii_lowercase() || (i > 0 && (b.is_ascii_digit() || b == b'$'))
    }) && !ident.is_empty()
        && RESERVED.binary_search(&ident).is_err();
    if plain {
        ident.to_owned()
    } else {
        format!("\"{}\"", ident.replace('"', "\"\""))
    }
}

/// Words that must be quoted as a column or table name (reserved and type/function keywords of PostgreSQL 18).
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
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "concurrently",
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
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
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
    "system_user",
    "table",
    "tablesample",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_quoted_only_where_they_must_be() {
        assert!(RESERVED.is_sorted());
        for (ident, expected) in [
            ("users", "users"),
            ("user", "\"user\""),
            ("User", "\"User\""),
            ("a b", "\"a b\""),
            ("1a", "\"1a\""),
            ("a$1", "a$1"),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("", "\"\""),
        ] {
            assert_eq!(quoted(ident), expected);
        }
    }
}
