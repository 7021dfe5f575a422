//! SQL expressions: texts, functions, columns, operators, literals, defaults.

use crate::python::revision::Trap;
use crate::python::text::Text;
use crate::python::value::{Args, Sym, SymKind, Value};

use super::name::{has_illegal_characters, ident, literal, qualified};
use super::{Emitter, Result, UNKNOWN_VALUE, concat, fail, join, sqlalchemy};

/// How columns are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// By name alone, as in DDL.
    Bare,
    /// With their table, as in queries.
    Qualified,
}

/// Functions that SQL writes without parentheses.
const KEYWORD_FUNCTIONS: &[&str] = &[
    "current_date",
    "current_time",
    "current_timestamp",
    "current_user",
    "localtime",
    "localtimestamp",
    "session_user",
    "sysdate",
    "user",
];

impl Emitter {
    /// The DEFAULT of a column: a plain string is a string literal, anything else an expression.
    pub(super) fn server_default(&mut self, value: &Value<'_>) -> Result<Text> {
        if let Some((path, args, _)) = value.as_call()
            && matches!(sqlalchemy(path), Some("DefaultClause" | "ColumnDefault"))
            && let Some(inner) = args.pos.first()
        {
            return self.server_default(inner);
        }
        match value {
            Value::Str(text) => Ok(literal(text)),
            Value::Member(member) => match member.1.as_text() {
                Some(text) => Ok(literal(text)),
                None => fail(
                    "the `server_default` is neither a string nor an SQL expression, and SQLAlchemy refuses it",
                ),
            },
            Value::Bool(_)
            | Value::Int(_)
            | Value::Number(_)
            | Value::List(_)
            | Value::Dict(_)
            | Value::Tuple(_) => {
                self.refused(
                    "the `server_default` is neither a string nor an SQL expression, and SQLAlchemy refuses it",
                    "write `sa.true()`, `sa.text(\"0\")` or a string",
                )
            }
            _ => Ok(self
                .expression(value, Scope::Bare)
                .unwrap_or_else(|_| self.unknown_value())),
        }
    }

    pub(super) fn unknown_value(&mut self) -> Text {
        self.approximate = true;
        UNKNOWN_VALUE.into()
    }

    /// A condition given as a string of SQL or as an expression.
    pub(super) fn condition(&mut self, value: &Value<'_>, scope: Scope) -> Result<Text> {
        match value.as_text() {
            Some(text) => Ok(self.bind_text(text, None)),
            None => self.expression(value, scope),
        }
    }

    /// SQL text with its `:name` parameters filled in; one that was given no value becomes NULL, as in DDL.
    ///
    /// The rule is that of `sqlalchemy.text`: a colon followed by a word, unless a colon, a word or a backslash stands
    /// before it or a colon behind it. `\:` is a plain colon.
    pub(super) fn bind_text(&mut self, text: &Text, values: Option<&[(Text, Value<'_>)]>) -> Text {
        let all = text.as_str();
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let mut out = Text::default();
        let mut copied = 0;
        let mut previous: Option<char> = None;
        let mut chars = all.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let before = previous.replace(c);
            if c == '\\' && all[at + 1..].starts_with(':') {
                out.push(&text.slice(copied, at));
                copied = at + 1;
                continue;
            }
            if c != ':' || before.is_some_and(|c| c == ':' || c == '\\' || word(c)) {
                continue;
            }
            let rest = &all[at + 1..];
            let len = rest.find(|c: char| !word(c)).unwrap_or(rest.len());
            // The word may give back characters to avoid a colon behind it, but not all of them.
            let len = if rest[len..].starts_with(':') {
                rest[..len]
                    .char_indices()
                    .next_back()
                    .map_or(0, |(at, _)| at)
            } else {
                len
            };
            if len == 0 {
                continue;
            }
            let name = &rest[..len];
            out.push(&text.slice(copied, at));
            copied = at + 1 + len;
            match values.and_then(|values| values.iter().find(|(known, _)| known == name)) {
                Some((_, value)) => {
                    let value = self.literal_value(value);
                    out.push(&value);
                }
                None => {
                    self.problem(
                        Trap::UnsetParameter,
                        format!("`:{name}` is a bind parameter here, and no value is given for it"),
                        format!("write `\\:{name}` for a plain colon, or give the value with `sa.text(…).bindparams({name}=…)`"),
                    );
                    out.push_str("NULL");
                }
            }
            while chars.peek().is_some_and(|(next, _)| *next < copied) {
                previous = chars.next().map(|(_, c)| c);
            }
        }
        out.push(&text.slice(copied, all.len()));
        out
    }

    /// A value as a literal; an unknown one becomes a placeholder.
    pub(super) fn literal_value(&mut self, value: &Value<'_>) -> Text {
        match value {
            Value::None => "NULL".into(),
            Value::Bool(value) => (if *value { "true" } else { "false" }).into(),
            Value::Int(value) => value.to_string().into(),
            Value::Number(text) => (**text).into(),
            Value::Str(text) => literal(text),
            Value::Member(member) => literal(&member.0),
            Value::List(seq) => {
                let items: Vec<Text> = seq
                    .items
                    .iter()
                    .map(|item| self.literal_value(item))
                    .collect();
                concat(&[&"ARRAY[", &join(&items, ", "), &"]"])
            }
            _ => self
                .expression(value, Scope::Qualified)
                .unwrap_or_else(|_| self.unknown_value()),
        }
    }

    /// A list of expressions, for IN and functions.
    fn list(&mut self, values: &[Value<'_>], scope: Scope) -> Result<Text> {
        let values: Result<Vec<Text>> = values
            .iter()
            .map(|value| self.expression(value, scope))
            .collect();
        Ok(join(&values?, ", "))
    }

    /// An SQL expression.
    pub(super) fn expression(&mut self, value: &Value<'_>, scope: Scope) -> Result<Text> {
        match value {
            Value::None
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Number(_)
            | Value::Str(_)
            | Value::Member(_) => Ok(self.literal_value(value)),
            Value::Sym(sym) => self.symbolic(value, sym, scope),
            other => fail(other.describe()),
        }
    }

    fn symbolic(&mut self, value: &Value<'_>, sym: &Sym<'_>, scope: Scope) -> Result<Text> {
        match &sym.kind {
            SymKind::Binary { op, left, right } => self.operator(op, left, right, scope),
            SymKind::Unary { op: "NOT", operand } => self.negation(operand, scope),
            SymKind::Unary { op, operand } => {
                let operand = self.expression(operand, scope)?;
                Ok(concat(&[op, &" (", &operand, &")"]))
            }
            SymKind::Attr { base, name } => self.attribute(base, name, scope),
            SymKind::Path(path) => match sqlalchemy(path) {
                Some("CURRENT_TIMESTAMP") => Ok("CURRENT_TIMESTAMP".into()),
                _ => fail(value.describe()),
            },
            SymKind::Call { .. } => match (value.as_call(), value.as_method()) {
                (Some((path, args, _)), _) => self.construct(path, args, value, scope),
                (None, Some((base, method, args))) => self.method(base, method, args, scope),
                _ => fail(value.describe()),
            },
        }
    }

    /// `table.c.name`.
    fn attribute(&mut self, base: &Value<'_>, name: &str, scope: Scope) -> Result<Text> {
        if let Value::Sym(sym) = base
            && let SymKind::Attr {
                base: table,
                name: c,
            } = &sym.kind
            && matches!(c.as_str(), "c" | "columns")
        {
            let column = ident(&Text::from(name));
            return match scope {
                Scope::Bare => Ok(column),
                Scope::Qualified => Ok(concat(&[&self.table_name(table)?, &".", &column])),
            };
        }
        fail(format!("attribute `{name}` is not known"))
    }

    /// The name of a table object.
    pub(super) fn table_name(&mut self, table: &Value<'_>) -> Result<Text> {
        match table.as_call() {
            Some((path, args, _))
                if matches!(sqlalchemy(path), Some("Table" | "table" | "TableClause")) =>
            {
                let schema = super::optional(args.named("schema"), "schema")?;
                let name = super::needed(
                    args.get(0, "name").or_else(|| args.named("table_name")),
                    "table",
                )?;
                Ok(qualified(schema.as_ref(), &name, false))
            }
            _ => fail(format!("the table is not known: {}", table.describe())),
        }
    }

    fn operator(
        &mut self,
        op: &str,
        left: &Value<'_>,
        right: &Value<'_>,
        scope: Scope,
    ) -> Result<Text> {
        let (op, right_text): (&str, Text) = match (op, right) {
            ("=", Value::None) => ("IS", "NULL".into()),
            ("!=", Value::None) => ("IS NOT", "NULL".into()),
            _ => (op, self.operand(right, scope)?),
        };
        // Adding to a string joins it.
        let op = if op == "+" && (left.as_text().is_some() || right.as_text().is_some()) {
            "||"
        } else {
            op
        };
        let left = self.operand(left, scope)?;
        Ok(concat(&[&left, &" ", &op, &" ", &right_text]))
    }

    /// An operand, in parentheses if it is an operator itself.
    fn operand(&mut self, value: &Value<'_>, scope: Scope) -> Result<Text> {
        let text = self.expression(value, scope)?;
        let compound =
            matches!(value, Value::Sym(sym) if matches!(sym.kind, SymKind::Binary { .. }));
        Ok(if compound {
            concat(&[&"(", &text, &")"])
        } else {
            text
        })
    }

    fn construct(
        &mut self,
        path: &str,
        args: &Args<'_>,
        value: &Value<'_>,
        scope: Scope,
    ) -> Result<Text> {
        if let Some((_, function)) = path
            .split_once(".func.")
            .or_else(|| path.split_once(".functions."))
        {
            return self.function(function, args, scope);
        }
        let first = args.pos.first();
        match (sqlalchemy(path), first) {
            (Some("text" | "TextClause"), Some(text)) => match text.as_text() {
                Some(text) => Ok(self.bind_text(text, None)),
                None => fail(text.describe()),
            },
            (Some("literal_column"), Some(text)) => super::needed(Some(text), "literal_column"),
            (Some("column" | "Column"), Some(name)) => {
                Ok(ident(&super::needed(Some(name), "column")?))
            }
            (Some("literal" | "bindparam"), Some(value)) => {
                let value = if path.ends_with("bindparam") {
                    args.get(1, "value")
                } else {
                    Some(value)
                };
                Ok(value.map_or_else(|| "NULL".into(), |value| self.literal_value(value)))
            }
            (Some("true"), _) => Ok("true".into()),
            (Some("false"), _) => Ok("false".into()),
            (Some("null"), _) => Ok("NULL".into()),
            (Some("cast"), Some(inner)) => {
                let inner = self.expression(inner, scope)?;
                let Some(kind) = args.get(1, "type_") else {
                    return fail("a cast needs a type");
                };
                let kind = self.type_name(kind)?;
                Ok(concat(&[&"CAST(", &inner, &" AS ", &kind, &")"]))
            }
            (Some(word @ ("and_" | "or_")), _) => {
                let parts: Result<Vec<Text>> = args
                    .pos
                    .iter()
                    .map(|part| self.operand(part, scope))
                    .collect();
                Ok(join(&parts?, if word == "and_" { " AND " } else { " OR " }))
            }
            (Some("not_"), Some(inner)) => self.negation(inner, scope),
            (Some("desc"), Some(inner)) => self.suffix(inner, "DESC", scope),
            (Some("asc"), Some(inner)) => self.suffix(inner, "ASC", scope),
            (Some("nulls_first" | "nullsfirst"), Some(inner)) => {
                self.suffix(inner, "NULLS FIRST", scope)
            }
            (Some("nulls_last" | "nullslast"), Some(inner)) => {
                self.suffix(inner, "NULLS LAST", scope)
            }
            _ => fail(value.describe()),
        }
    }

    /// SQLAlchemy turns the comparison round rather than putting NOT in front of it.
    fn negation(&mut self, inner: &Value<'_>, scope: Scope) -> Result<Text> {
        if let Value::Sym(sym) = inner
            && let SymKind::Binary { op, left, right } = &sym.kind
        {
            let opposite = [("=", "!="), ("<", ">="), ("<=", ">")]
                .iter()
                .find_map(|(a, b)| {
                    if a == op {
                        Some(b)
                    } else if b == op {
                        Some(a)
                    } else {
                        None
                    }
                });
            if let Some(opposite) = opposite {
                return self.operator(opposite, left, right, scope);
            }
        }
        let inner = self.expression(inner, scope)?;
        Ok(concat(&[&"NOT (", &inner, &")"]))
    }

    fn suffix(&mut self, inner: &Value<'_>, word: &str, scope: Scope) -> Result<Text> {
        let inner = match inner.as_text() {
            Some(name) => ident(name),
            None => self.expression(inner, scope)?,
        };
        Ok(concat(&[&inner, &" ", &word]))
    }

    fn function(&mut self, path: &str, args: &Args<'_>, scope: Scope) -> Result<Text> {
        let lower = path.to_ascii_lowercase();
        if args.pos.is_empty() && KEYWORD_FUNCTIONS.contains(&lower.as_str()) {
            return Ok(lower.to_ascii_uppercase().into());
        }
        let args = self.list(&args.pos, scope)?;
        let parts: Vec<Text> = path
            .split('.')
            .map(|part| match part {
                _ if has_illegal_characters(part) => {
                    ident(&Text::from(part).with_quote(Some(true)))
                }
                // `func.NOW` finds the known function of that name in any case.
                _ if part.eq_ignore_ascii_case("now") || part.eq_ignore_ascii_case("coalesce") => {
                    Text::from(part.to_ascii_lowercase())
                }
                _ => part.trim_end_matches('_').into(),
            })
            .collect();
        Ok(concat(&[&join(&parts, "."), &"(", &args, &")"]))
    }

    fn method(
        &mut self,
        base: &Value<'_>,
        method: &str,
        args: &Args<'_>,
        scope: Scope,
    ) -> Result<Text> {
        if method == "bindparams"
            && let Some((path, text, _)) = base.as_call()
            && sqlalchemy(path) == Some("text")
            && let Some(text) = text.pos.first().and_then(Value::as_text)
        {
            let values = bind_values(args);
            return Ok(self.bind_text(text, Some(&values)));
        }
        if method == "next_value"
            && let Some((_, sequence, _)) = base.as_call()
        {
            let name = super::types::sequence_name(sequence)?;
            return Ok(concat(&[&"nextval(", &literal(&name), &")"]));
        }
        let first = args.pos.first();
        match (method, first) {
            ("desc", _) => self.suffix(base, "DESC", scope),
            ("asc", _) => self.suffix(base, "ASC", scope),
            ("nulls_first" | "nullsfirst", _) => self.suffix(base, "NULLS FIRST", scope),
            ("nulls_last" | "nullslast", _) => self.suffix(base, "NULLS LAST", scope),
            ("self_group" | "label" | "execution_options" | "params", _) => {
                self.expression(base, scope)
            }
            ("is_", Some(value)) => {
                let value = self.expression(value, scope)?;
                Ok(concat(&[&self.operand(base, scope)?, &" IS ", &value]))
            }
            ("is_not" | "isnot", Some(value)) => {
                let value = self.expression(value, scope)?;
                Ok(concat(&[&self.operand(base, scope)?, &" IS NOT ", &value]))
            }
            ("in_" | "notin_" | "not_in", Some(list)) => {
                let Some(items) = list.items() else {
                    return fail(list.describe());
                };
                let items = self.list(&items, scope)?;
                let word = if method == "in_" {
                    " IN ("
                } else {
                    " NOT IN ("
                };
                let base = self.operand(base, scope)?;
                let all = concat(&[&base, &word, &items, &")"]);
                Ok(if method == "in_" {
                    all
                } else {
                    concat(&[&"(", &all, &")"])
                })
            }
            ("like" | "ilike", Some(pattern)) => {
                let pattern = self.expression(pattern, scope)?;
                let word = if method == "like" {
                    " LIKE "
                } else {
                    " ILIKE "
                };
                Ok(concat(&[&self.operand(base, scope)?, &word, &pattern]))
            }
            ("cast", Some(kind)) => {
                let kind = self.type_name(kind)?;
                Ok(concat(&[
                    &"CAST(",
                    &self.expression(base, scope)?,
                    &" AS ",
                    &kind,
                    &")",
                ]))
            }
            ("collate", Some(collation)) => {
                let collation = super::needed(Some(collation), "collation")?;
                let quoted = ident(&collation.with_quote(Some(true)));
                Ok(concat(&[
                    &self.operand(base, scope)?,
                    &" COLLATE ",
                    &quoted,
                ]))
            }
            ("concat", Some(value)) => {
                let value = self.operand(value, scope)?;
                Ok(concat(&[&self.operand(base, scope)?, &" || ", &value]))
            }
            _ => fail(format!("the result of `{method}` is not known")),
        }
    }
}

/// The values that `bindparams(..)` or a dict of parameters gives.
pub(super) fn bind_values<'a>(args: &Args<'a>) -> Vec<(Text, Value<'a>)> {
    let mut out: Vec<(Text, Value<'a>)> = args
        .kw
        .iter()
        .map(|(name, value)| (Text::from(name.as_str()), value.clone()))
        .collect();
    for value in &args.pos {
        // `bindparam("x", value)` and `{"x": value}`.
        if let Some((_, args, _)) = value.as_call()
            && let (Some(name), Some(value)) = (
                args.get(0, "key").and_then(Value::as_text),
                args.get(1, "value"),
            )
        {
            out.push((name.clone(), value.clone()));
        }
        if let Value::Dict(map) = value {
            let named = map
                .items
                .iter()
                .filter_map(|(key, value)| Some((key.as_text()?.clone(), value.clone())));
            out.extend(named);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bind_parameters_follow_the_rule_of_text() {
        for (text, sql) in [
            ("a = :x", "a = NULL"),
            ("a::text", "a::text"),
            ("a ~ ':y'", "a ~ 'NULL'"),
            (r"'a\:b'", "'a:b'"),
            ("{\"k\":true}", "{\"k\"NULL}"),
            ("12:30", "12:30"),
            ("a : b", "a : b"),
            (":a :b", "NULL NULL"),
            ("arr[1:2]", "arr[1:2]"),
            ("x := 1", "x := 1"),
        ] {
            assert_eq!(
                Emitter::default()
                    .bind_text(&Text::from(text), None)
                    .as_str(),
                sql,
                "{text}"
            );
        }
    }
}
