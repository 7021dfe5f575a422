//! Indexes.

use crate::python::revision::Trap;
use crate::python::text::Text;
use crate::python::value::{Args, Value};

use super::convention::{About, Kind};
use super::expr::Scope;
use super::name::{ident, idents, qualified};
use super::{Emitter, Given, Result, concat, fail, flag, items, join, names, optional, sqlalchemy};

impl Emitter {
    pub(super) fn create_index(&mut self, args: &mut Given<'_, '_>) -> Result<Vec<Text>> {
        let name = optional(args.next("index_name"), "index_name")?;
        let table = args.table("table_name")?;
        let columns = index_columns(args.next("columns"))?;
        let schema = args.schema("schema")?;
        let guard = args.flag("if_not_exists")? == Some(true);
        Ok(vec![self.index(
            name,
            schema.as_ref(),
            &table,
            &columns,
            args.args,
            guard,
        )?])
    }

    /// `Index(name, ..)` inside `create_table`; `None` if the value is no index.
    pub(super) fn table_index(
        &mut self,
        value: &Value<'_>,
        schema: Option<&Text>,
        table: &Text,
    ) -> Result<Option<Text>> {
        let Some((path, args, _)) = value.as_call() else {
            return Ok(None);
        };
        if sqlalchemy(path) != Some("Index") {
            return Ok(None);
        }
        let name = optional(args.pos.first(), "name")?;
        self.index(
            name,
            schema,
            table,
            args.pos.get(1..).unwrap_or(&[]),
            args,
            false,
        )
        .map(Some)
    }

    fn index(
        &mut self,
        name: Option<Text>,
        schema: Option<&Text>,
        table: &Text,
        columns: &[Value<'_>],
        args: &Args<'_>,
        guard: bool,
    ) -> Result<Text> {
        let option = |name: &str| {
            args.named(name)
                .filter(|value| !matches!(value, Value::None))
        };
        self.on(schema, table);
        let known: Vec<Text> = columns
            .iter()
            .map_while(|column| super::column_name(column, "columns").ok())
            .collect();
        if name.is_none() && known.is_empty() {
            return fail("an index needs a name");
        }
        let about = About {
            columns: &known,
            ..About::default()
        };
        let Some(name) = self.name(Kind::Index, name, about)? else {
            return fail("the project's naming convention has no name for indexes");
        };
        let mut out = Text::from("CREATE ");
        if flag(args.named("unique"), "unique")? == Some(true) {
            out.push_str("UNIQUE ");
        }
        out.push_str("INDEX ");
        if flag(
            args.named("postgresql_concurrently"),
            "postgresql_concurrently",
        )? == Some(true)
        {
            out.push_str("CONCURRENTLY ");
        }
        if guard {
            out.push_str("IF NOT EXISTS ");
        }
        out = concat(&[
            &out,
            &ident(&name),
            &" ON ",
            &qualified(schema, table, false),
            &" ",
        ]);
        if let Some(method) = optional(option("postgresql_using"), "postgresql_using")? {
            out.push_str(&format!("USING {} ", method.as_str().to_lowercase()));
        }
        let classes = match option("postgresql_ops") {
            Some(Value::Dict(map)) => map.items.clone(),
            Some(_) => {
                self.approximate = true;
                Vec::new()
            }
            None => Vec::new(),
        };
        let mut parts = Vec::new();
        for column in columns {
            let (key, text) = self.index_column(column)?;
            let class = classes
                .iter()
                .find(|(name, _)| key.is_some() && name.as_text() == key.as_ref());
            parts.push(match class.and_then(|(_, class)| class.as_text()) {
                Some(class) => concat(&[&text, &" ", class]),
                None => text,
            });
        }
        out = concat(&[&out, &"(", &join(&parts, ", "), &")"]);
        if let Some(include) = option("postgresql_include") {
            let include = names(Some(include), "postgresql_include")?;
            if !include.is_empty() {
                out = concat(&[&out, &" INCLUDE (", &idents(&include), &")"]);
            }
        }
        match flag(
            option("postgresql_nulls_not_distinct"),
            "postgresql_nulls_not_distinct",
        )? {
            Some(true) => out.push_str(" NULLS NOT DISTINCT"),
            Some(false) => out.push_str(" NULLS DISTINCT"),
            None => {}
        }
        if let Some(Value::Dict(options)) = option("postgresql_with") {
            let options: Vec<Text> = options
                .items
                .iter()
                .filter_map(|(name, value)| {
                    let value = crate::python::eval::printed(value)?;
                    Some(concat(&[name.as_text()?, &" = ", &value]))
                })
                .collect();
            if !options.is_empty() {
                out = concat(&[&out, &" WITH (", &join(&options, ", "), &")"]);
            }
        }
        if let Some(tablespace) =
            optional(option("postgresql_tablespace"), "postgresql_tablespace")?
        {
            out = concat(&[&out, &" TABLESPACE ", &ident(&tablespace)]);
        }
        if let Some(condition) = option("postgresql_where") {
            let condition = self.condition(condition, Scope::Bare)?;
            out = concat(&[&out, &" WHERE ", &condition]);
        }
        Ok(out)
    }

    /// A column or expression of an index and the key by which operator classes are given for it.
    fn index_column(&mut self, value: &Value<'_>) -> Result<(Option<Text>, Text)> {
        if let Some(name) = value.as_text() {
            if is_expression(name.as_str()) {
                self.problem(
                    Trap::ExpressionAsName,
                    format!("`{}` is taken for the name of a column", name.as_str()),
                    format!("write `sa.text(\"{}\")`", name.as_str()),
                );
            }
            return Ok((Some(name.clone()), ident(name)));
        }
        if let Some((path, args, _)) = value.as_call() {
            match sqlalchemy(path) {
                Some("column" | "Column") => {
                    let name = super::needed(args.get(0, "name"), "column")?;
                    return Ok((Some(name.clone()), ident(&name)));
                }
                Some("literal_column") => {
                    let text = super::needed(args.get(0, "text"), "column")?;
                    return Ok((Some(text.clone()), text));
                }
                _ => {}
            }
        }
        // `.desc()` and the like keep the key of their column away: classes are not found through them.
        let label = value
            .as_method()
            .filter(|(_, method, _)| *method == "label");
        let key = label
            .and_then(|(.., args)| args.pos.first())
            .and_then(Value::as_text)
            .cloned();
        let text = self.expression(value, Scope::Bare)?;
        // An operator needs parentheses of its own.
        let bare = matches!(value, Value::Sym(sym) if matches!(sym.kind, crate::python::value::SymKind::Binary { .. }));
        let cast = value
            .as_method()
            .is_some_and(|(_, method, _)| matches!(method, "op" | "collate" | "concat"));
        Ok((
            key,
            if bare || cast {
                concat(&[&"(", &text, &")"])
            } else {
                text
            },
        ))
    }

    pub(super) fn drop_index(&mut self, args: &mut Given<'_, '_>) -> Result<Vec<Text>> {
        let name = optional(args.next("index_name"), "index_name")?;
        if args.batch.is_none() {
            args.next("table_name");
        }
        let schema = args.schema("schema")?;
        let guard = args.flag("if_exists")? == Some(true);
        let concurrently = args.flag("postgresql_concurrently")? == Some(true);
        let Some(name) = name else {
            return fail("an index without a name cannot be dropped");
        };
        let mut out = Text::from("DROP INDEX ");
        if concurrently {
            out.push_str("CONCURRENTLY ");
        }
        if guard {
            out.push_str("IF EXISTS ");
        }
        Ok(vec![concat(&[
            &out,
            &qualified(schema.as_ref(), &name, false),
        ])])
    }
}

/// True for a string that is meant as an expression or carries a sort order.
fn is_expression(text: &str) -> bool {
    let last = text
        .trim_end()
        .rsplit_once(' ')
        .map_or("", |(_, last)| last);
    text.contains('(')
        || ["asc", "desc", "first", "last"]
            .iter()
            .any(|word| last.eq_ignore_ascii_case(word))
}

/// The columns of an index: a list, or a string whose characters Python would iterate over.
fn index_columns<'a>(value: Option<&Value<'a>>) -> Result<Vec<Value<'a>>> {
    match value.and_then(Value::as_text) {
        Some(text) => {
            let text = text.clone();
            Ok(text
                .as_str()
                .char_indices()
                .map(|(at, c)| Value::str(text.slice(at, at + c.len_utf8())))
                .collect())
        }
        None => items(value, "columns"),
    }
}
