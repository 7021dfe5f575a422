//! Type names as written in a statement.

use std::fmt;

use super::name::quoted;
use crate::source::Span;

/// A type as written, with PostgreSQL's internal name for the built-in ones (`int4`, `varchar`, `timestamptz`).
#[derive(Debug, Clone)]
pub struct TypeName {
    /// The schema, if it was written; `pg_catalog` is left out.
    pub schema: Option<Box<str>>,
    /// Internal name, also for the SQL spellings: `integer` is `int4`, `character` is `bpchar`.
    pub name: Box<str>,
    /// Modifiers in the order written: `numeric(10,2)` has `[10, 2]`. Empty if there is none.
    pub modifiers: Vec<i32>,
    /// True if a modifier is there that is not a plain integer (PostGIS and other extension types).
    pub odd_modifier: bool,
    /// Number of array dimensions written; PostgreSQL keeps only "is it an array".
    pub dimensions: u8,
    /// `SETOF`.
    pub set_of: bool,
    /// Where it stands.
    pub span: Span,
}

impl PartialEq for TypeName {
    fn eq(&self, other: &Self) -> bool {
        self.schema == other.schema
            && self.name == other.name
            && self.modifiers == other.modifiers
            && self.odd_modifier == other.odd_modifier
            && (self.dimensions > 0) == (other.dimensions > 0)
            && self.set_of == other.set_of
    }
}
impl Eq for TypeName {}

/// Internal names and the SQL spelling that people use.
const SPELLINGS: &[(&str, &str)] = &[
    ("bit", "bit"),
    ("bool", "boolean"),
    ("bpchar", "char"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("int2", "smallint"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("timestamptz", "timestamptz"),
    ("timetz", "timetz"),
    ("varbit", "bit varying"),
    ("varchar", "varchar"),
];

/// Name of the type that stands for one that could not be evaluated (an Alembic column whose type is a function call).
pub const UNKNOWN: &str = "lockgate_unknown";

impl TypeName {
    /// True if the type stands for one that could not be evaluated.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        &*self.name == UNKNOWN
    }

    /// A built-in type without modifier.
    #[must_use]
    pub fn builtin(name: &str) -> Self {
        Self {
            schema: None,
            name: name.into(),
            modifiers: Vec::new(),
            odd_modifier: false,
            dimensions: 0,
            set_of: false,
            span: Span::default(),
        }
    }

    /// True if this is the built-in type of that internal name (not an array of it).
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.schema.is_none() && self.dimensions == 0 && &*self.name == name
    }

    /// The integer type behind `serial`, `bigserial` and `smallserial` (and `serial4` and so on), if it is one.
    #[must_use]
    pub fn serial_base(&self) -> Option<&'static str> {
        if self.schema.is_some() || self.dimensions > 0 {
            return None;
        }
        match &*self.name {
            "serial" | "serial4" => Some("int4"),
            "bigserial" | "serial8" => Some("int8"),
            "smallserial" | "serial2" => Some("int2"),
            _ => None,
        }
    }
}

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_unknown() {
            return f.write_str("an unknown type");
        }
        if let Some(schema) = &self.schema {
            write!(f, "{}.", quoted(schema))?;
        }
        match SPELLINGS
            .iter()
            .find(|(internal, _)| *internal == &*self.name)
        {
            Some((_, spelling)) if self.schema.is_none() => f.write_str(spelling)?,
            _ => f.write_str(&quoted(&self.name))?,
        }
        if !self.modifiers.is_empty() {
            let list: Vec<String> = self.modifiers.iter().map(ToString::to_string).collect();
            write!(f, "({})", list.join(","))?;
        }
        for _ in 0..self.dimensions {
            f.write_str("[]")?;
        }
        Ok(())
    }
}
