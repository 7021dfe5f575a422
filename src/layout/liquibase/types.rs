//! The types of changelogs as Liquibase writes them for PostgreSQL. Read off its output.

use super::text::{Sql, Text};

/// A column's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Type {
    /// As PostgreSQL gets it.
    pub(super) sql: String,
    /// Values of it count by themselves (`serial`).
    pub(super) is_serial: bool,
    /// How a default in quotes is meant.
    pub(super) family: Family,
}

/// How a value that is given as text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// In quotes.
    Text,
    /// As it is.
    Bare,
    /// `TRUE` or `FALSE`.
    Boolean,
    /// In quotes unless it is a call.
    Time,
}

impl Type {
    /// The type that a changelog names.
    pub(super) fn of(written: &str) -> Self {
        let written = written.trim();
        let known = written
            .strip_prefix("java.sql.Types.")
            .or_else(|| written.strip_prefix("java.lang."))
            .or_else(|| written.strip_prefix("java.util."))
            .or_else(|| written.strip_prefix("java.math."))
            .unwrap_or(written);
        let (name, arguments, rest) = parts(known);
        let lower = name.to_ascii_lowercase();
        let with = |name: &str, arguments: &str| {
            if arguments.is_empty() {
                name.to_owned()
            } else {
                format!("{name}({arguments})")
            }
        };
        let plain = |sql: &str, family| (sql.to_owned(), family);
        let rest_lower = rest.to_ascii_lowercase();
        let is_array = rest.contains('[');
        // One value, as `varchar(10 char)` has it.
        let length = arguments.split_whitespace().next().unwrap_or_default();
        let (sql, family) = match lower.as_str() {
            _ if is_array => (known.to_owned(), Family::Text),
            "int" | "integer" | "int4" | "serial" | "serial4" => plain("INTEGER", Family::Bare),
            "bigint" | "int8" | "bigserial" | "serial8" | "biginteger" => {
                plain("BIGINT", Family::Bare)
            }
            "smallint" | "int2" | "smallserial" | "serial2" | "tinyint" => {
                plain("SMALLINT", Family::Bare)
            }
            "boolean" | "bool" => plain("BOOLEAN", Family::Boolean),
            "timestamp" | "datetime" | "datetime2" | "smalldatetime" => {
                (zoned("TIMESTAMP", arguments, &rest_lower), Family::Time)
            }
            "timestamptz" | "timestamp_with_timezone" => (
                format!("{} WITH TIME ZONE", with("TIMESTAMP", arguments)),
                Family::Time,
            ),
            "time" => (zoned("TIME", arguments, &rest_lower), Family::Time),
            "date" => plain("date", Family::Time),
            "clob" | "nclob" | "text" | "ntext" | "tinytext" | "mediumtext" | "longtext"
            | "longvarchar" | "longnvarchar" => plain("TEXT", Family::Text),
            "blob" => plain("OID", Family::Text),
            "tinyblob" | "mediumblob" | "longblob" | "binary" | "varbinary" | "longvarbinary"
            | "image" | "bytea" => plain("BYTEA", Family::Text),
            "varchar" | "nvarchar" | "varchar2" | "nvarchar2" | "string"
                if known != written || lower != "string" =>
            {
                (with("VARCHAR", length), Family::Text)
            }
            "character" if rest_lower.starts_with("varying") => {
                let (_, arguments, _) = parts(rest);
                (with("VARCHAR", arguments), Family::Text)
            }
            "character" | "bpchar" => (with("CHAR", length), Family::Text),
            "number" => (with("NUMERIC", arguments), Family::Bare),
            "decimal" | "numeric" | "dec" => (with(name, arguments), Family::Bare),
            "currency" | "money" => plain("DECIMAL", Family::Bare),
            "double" => plain("DOUBLE PRECISION", Family::Bare),
            "float" | "float4" | "float8" | "real" => (with(name, arguments), Family::Bare),
            "uuid" | "uniqueidentifier" => plain("UUID", Family::Bare),
            _ => (known.to_owned(), Family::Text),
        };
        Self {
            sql,
            is_serial: lower.contains("serial") && !is_array,
            family,
        }
    }
}

/// A type's name, what stands in its parentheses, and what stands behind them.
fn parts(written: &str) -> (&str, &str, &str) {
    let end = written
        .find(|c: char| c == '(' || c == '[' || c.is_whitespace())
        .unwrap_or(written.len());
    let (name, rest) = written.split_at(end);
    let rest = rest.trim_start();
    match rest
        .strip_prefix('(')
        .and_then(|inside| inside.split_once(')'))
    {
        Some((arguments, behind)) => (name, arguments.trim(), behind.trim()),
        None => (name, "", rest),
    }
}

/// A type that has a time zone or none.
fn zoned(name: &str, arguments: &str, rest: &str) -> String {
    let zone = if rest.starts_with("with ") {
        "WITH TIME ZONE"
    } else {
        "WITHOUT TIME ZONE"
    };
    if arguments.is_empty() {
        format!("{name} {zone}")
    } else {
        format!("{name}({arguments}) {zone}")
    }
}

impl Sql {
    /// Adds a type; one that stays as it is written keeps its place.
    pub(super) fn ty(self, written: &Text, ty: &Type) -> Self {
        if ty.sql.eq_ignore_ascii_case(written.value.trim()) {
            self.text(&written.trimmed())
        } else {
            // All of it stands for what it becomes.
            self.add(&ty.sql)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_become_those_of_postgresql() {
        for (written, expected) in [
            ("int", "INTEGER"),
            ("int(11)", "INTEGER"),
            ("int unsigned", "INTEGER"),
            ("bigint(20)", "BIGINT"),
            ("tinyint(1)", "SMALLINT"),
            ("datetime", "TIMESTAMP WITHOUT TIME ZONE"),
            ("datetime(6)", "TIMESTAMP(6) WITHOUT TIME ZONE"),
            ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH TIME ZONE"),
            ("timestamp(3) with time zone", "TIMESTAMP(3) WITH TIME ZONE"),
            ("timestamptz(6)", "TIMESTAMP(6) WITH TIME ZONE"),
            ("time with time zone", "TIME WITH TIME ZONE"),
            ("clob", "TEXT"),
            ("blob", "OID"),
            ("longblob", "BYTEA"),
            ("nvarchar(20)", "VARCHAR(20)"),
            ("varchar (20)", "VARCHAR(20)"),
            ("varchar(10 char)", "VARCHAR(10)"),
            ("character varying(12)", "VARCHAR(12)"),
            ("java.sql.Types.VARCHAR(30)", "VARCHAR(30)"),
            ("java.lang.String(5)", "VARCHAR(5)"),
            ("number(10,2)", "NUMERIC(10,2)"),
            ("decimal(10,2)", "decimal(10,2)"),
            ("currency", "DECIMAL"),
            ("text[]", "text[]"),
            ("app.my_enum", "app.my_enum"),
            ("string", "string"),
            ("", ""),
            ("varchar(", "VARCHAR"),
        ] {
            assert_eq!(Type::of(written).sql, expected, "{written}");
        }
        assert!(Type::of("bigserial").is_serial);
    }
}
