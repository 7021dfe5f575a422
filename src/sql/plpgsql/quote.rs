//! PostgreSQL's `format`, `quote_ident` and `quote_literal` over constants.

use crate::sql::lex::Value;

/// Keywords that `quote_ident` quotes: all but the unreserved ones (`src/include/parser/kwlist.h` of PostgreSQL 18).
const QUOTED: &[&str] = &[
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
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
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
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "merge_action",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

pub(super) fn quote_ident(value: &Value) -> Value {
    let name = value.text.as_str();
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && QUOTED.binary_search(&name).is_err();
    if plain {
        value.clone()
    } else {
        quoted(value, '"')
    }
}

pub(super) fn quote_literal(value: &Value) -> Value {
    if !value.text.contains('\\') {
        return quoted(value, '\'');
    }
    let mut literal = Value::default();
    literal.push_new(&format!(
        "E'{}'",
        value.text.replace('\\', "\\\\").replace('\'', "''")
    ));
    literal
}

fn quoted(value: &Value, quote: char) -> Value {
    let mut name = Value::default();
    let mark = quote.encode_utf8(&mut [0; 4]).to_owned();
    name.push_new(&mark);
    if value.text.contains(quote) {
        name.push_new(&value.text.replace(quote, &mark.repeat(2)));
    } else {
        name.append(value);
    }
    name.push_new(&mark);
    name
}

/// Longest text in bytes that is worked out. `format` can repeat an argument, so a small body could ask for any amount.
const LONGEST: usize = 1 << 20;

/// `format(text, arguments…)` with `%s`, `%I`, `%L`, `%%` and positions as in `%2$s`. `Err` for what it would refuse,
/// and for widths.
pub(super) fn format(text: &Value, arguments: &[Value]) -> Result<Value, String> {
    let source = text.text.as_str();
    let mut value = Value::default();
    let mut at = 0;
    let mut next = 0;
    while let Some(n) = memchr::memchr(b'%', &source.as_bytes()[at..]) {
        push_part(&mut value, text, at, at + n);
        at += n + 1;
        if source[at..].starts_with('%') {
            push_part(&mut value, text, at, at + 1);
            at += 1;
            continue;
        }
        let digits = source[at..].bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            let position = source[at..at + digits].parse::<usize>().unwrap_or(0);
            at += digits;
            if !source[at..].starts_with('$') || position == 0 {
                return Err("depends on `format` with a width".to_owned());
            }
            at += 1;
            next = position - 1;
        }
        let missing = || "depends on an argument that `format` lacks".to_owned();
        let conversion = source[at..].bytes().next();
        let argument = arguments.get(next).ok_or_else(missing)?;
        next += 1;
        if value.text.len() + argument.text.len() > LONGEST {
            return Err("is too long".to_owned());
        }
        match conversion {
            Some(b's') => value.append(argument),
            Some(b'I') => value.append(&quote_ident(argument)),
            Some(b'L') => value.append(&quote_literal(argument)),
            _ => return Err("depends on an unknown conversion of `format`".to_owned()),
        }
        at += 1;
    }
    push_part(&mut value, text, at, source.len());
    Ok(value)
}

/// Adds `from..to` of another value.
fn push_part(value: &mut Value, other: &Value, from: usize, to: usize) {
    let first = other.runs.partition_point(|run| run.at + run.len <= from);
    let mut at = from;
    for run in other.runs[first..].iter().take_while(|run| run.at < to) {
        let start = run.at.max(at);
        let end = (run.at + run.len).min(to);
        value.push_new(&other.text[at..start]);
        value.push_copied(&other.text[start..end], run.from + (start - run.at));
        at = end;
    }
    value.push_new(&other.text[at..to]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Value {
        Value {
            text: text.to_owned(),
            runs: Vec::new(),
        }
    }

    #[test]
    fn keywords_are_sorted_for_the_search() {
        assert!(QUOTED.is_sorted());
    }

    #[test]
    fn formats() {
        let arguments = [
            plain("a b"),
            plain("it's"),
            plain("user"),
            plain("t"),
            plain("c\\d"),
        ];
        for (text, expected) in [
            ("%I %I", Some("\"a b\" \"it's\"")),
            ("%3$I.%4$I %s%%", Some("\"user\".t c\\d%")),
            ("%2$L %5$L", Some("'it''s' E'c\\\\d'")),
            ("%s %s %s %s %s %s", None),
            ("%10s", None),
            ("%x", None),
            ("%", None),
            ("", Some("")),
        ] {
            let found = format(&plain(text), &arguments)
                .ok()
                .map(|value| value.text);
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}
