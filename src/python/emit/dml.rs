//! Statements that change rows, built from table objects.

use crate::python::text::Text;
use crate::python::value::{Args, Value};

use super::expr::Scope;
use super::name::{ident, idents};
use super::{Emitter, Given, Result, concat, fail, items, join, sqlalchemy};

/// A chain of methods, innermost first, and what it starts from.
fn chain<'v, 'a>(statement: &'v Value<'a>) -> (&'v Value<'a>, Vec<(&'v str, &'v Args<'a>)>) {
    let mut at = statement;
    let mut methods = Vec::new();
    while let Some((base, method, args)) = at.as_method() {
        methods.push((method, args));
        at = base;
    }
    methods.reverse();
    (at, methods)
}

impl Emitter {
    /// `update`, `insert`, `delete` or `select` with its chained clauses.
    pub(super) fn dml(&mut self, statement: &Value<'_>, scope: Scope) -> Result<Text> {
        let (start, mut methods) = chain(statement);
        let Some((path, args, _)) = start.as_call() else {
            return fail(statement.describe());
        };
        let (verb, table) = match sqlalchemy(path) {
            Some(verb @ ("update" | "insert" | "delete")) => match args.get(0, "table") {
                Some(table) => (verb, table),
                None => return fail("the table is not known"),
            },
            Some("Table" | "table" | "TableClause") => match methods.first() {
                Some((verb @ ("update" | "insert" | "delete"), _)) => {
                    let verb = *verb;
                    methods.remove(0);
                    (verb, start)
                }
                _ => return fail(statement.describe()),
            },
            Some("select") => return self.select(args, &methods, scope),
            _ => return fail(statement.describe()),
        };
        let name = self.table_name(table)?;
        let mut values: Vec<(Text, Value<'_>)> = Vec::new();
        let mut conditions = Vec::new();
        for (method, args) in &methods {
            match *method {
                "values" => {
                    for value in &args.pos {
                        let Value::Dict(map) = value else {
                            return fail("the values are not known");
                        };
                        for (key, value) in &map.items {
                            values.push((self.set_column(key)?, value.clone()));
                        }
                    }
                    for (key, value) in &args.kw {
                        values.push((Text::from(key.as_str()), value.clone()));
                    }
                    if args.open.is_some() {
                        return fail("the values are not known");
                    }
                }
                "where" => {
                    for condition in &args.pos {
                        conditions.push(self.expression(condition, scope)?);
                    }
                }
                "execution_options" | "inline" => {}
                other => return fail(format!("`{other}` of a statement is not followed")),
            }
        }
        order_by_table(table, &mut values);
        let others = self.others(&name, &methods)?;
        let columns: Vec<Text> = values.iter().map(|(column, _)| column.clone()).collect();
        let values: Vec<Text> = values
            .iter()
            .map(|(_, value)| self.literal_value(value))
            .collect();
        let mut out = match verb {
            "insert" => {
                if columns.is_empty() {
                    return fail("the values are not known");
                }
                return Ok(concat(&[
                    &"INSERT INTO ",
                    &name,
                    &" (",
                    &idents(&columns),
                    &") VALUES (",
                    &join(&values, ", "),
                    &")",
                ]));
            }
            "delete" if others.is_empty() => concat(&[&"DELETE FROM ", &name]),
            "delete" => concat(&[&"DELETE FROM ", &name, &" USING ", &join(&others, ", ")]),
            _ => {
                if columns.is_empty() {
                    return fail("the values are not known");
                }
                let sets: Vec<Text> = columns
                    .iter()
                    .zip(&values)
                    .map(|(column, value)| concat(&[&ident(column), &"=", value]))
                    .collect();
                let from = if others.is_empty() {
                    Text::default()
                } else {
                    concat(&[&" FROM ", &join(&others, ", ")])
                };
                concat(&[&"UPDATE ", &name, &" SET ", &join(&sets, ", "), &from])
            }
        };
        if !conditions.is_empty() {
            out = concat(&[&out, &" WHERE ", &all_of(&conditions)]);
        }
        Ok(out)
    }

    /// The other tables whose columns the conditions name, in their order.
    fn others(&mut self, own: &Text, methods: &[(&str, &Args<'_>)]) -> Result<Vec<Text>> {
        let mut tables = Vec::new();
        for (_, args) in methods.iter().filter(|(method, _)| *method == "where") {
            for condition in &args.pos {
                tables_in(condition, &mut tables);
            }
        }
        let mut names: Vec<Text> = Vec::new();
        for table in tables {
            let name = self.table_name(&table)?;
            if name != *own && !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// The column on the left of a SET: a string or `table.c.column`.
    fn set_column(&mut self, key: &Value<'_>) -> Result<Text> {
        use crate::python::value::SymKind;
        if let Some(text) = key.as_text() {
            return Ok(text.clone());
        }
        if let Value::Sym(sym) = key
            && let SymKind::Attr { name, .. } = &sym.kind
        {
            return Ok(Text::from(name.as_str()));
        }
        fail("a column is not known")
    }

    fn select(
        &mut self,
        args: &Args<'_>,
        methods: &[(&str, &Args<'_>)],
        scope: Scope,
    ) -> Result<Text> {
        use crate::python::value::SymKind;
        let mut tables: Vec<Text> = Vec::new();
        let mut columns = Vec::new();
        for value in &args.pos {
            for value in value.items().unwrap_or_else(|| vec![value.clone()]) {
                if let Value::Sym(sym) = &value
                    && let SymKind::Attr {
                        base: Value::Sym(columns),
                        ..
                    } = &sym.kind
                    && let SymKind::Attr { base: table, .. } = &columns.kind
                {
                    let table = self.table_name(table)?;
                    if !tables.contains(&table) {
                        tables.push(table);
                    }
                }
                columns.push(self.expression(&value, scope)?);
            }
        }
        let mut conditions = Vec::new();
        for (method, args) in methods {
            match *method {
                "where" => {
                    for condition in &args.pos {
                        conditions.push(self.expression(condition, scope)?);
                    }
                }
                "select_from" => {
                    for table in &args.pos {
                        let table = self.table_name(table)?;
                        if !tables.contains(&table) {
                            tables.push(table);
                        }
                    }
                }
                other => return fail(format!("`{other}` of a statement is not followed")),
            }
        }
        if tables.is_empty() || columns.is_empty() {
            return fail("the columns of the query are not known");
        }
        let mut out = concat(&[
            &"SELECT ",
            &join(&columns, ", "),
            &" FROM ",
            &join(&tables, ", "),
        ]);
        if !conditions.is_empty() {
            out = concat(&[&out, &" WHERE ", &all_of(&conditions)]);
        }
        Ok(out)
    }

    pub(super) fn bulk_insert(&mut self, args: &mut Given<'_, '_>) -> Result<Vec<Text>> {
        let Some(table) = args.next("table") else {
            return fail("the table is not known");
        };
        let name = self.table_name(table)?;
        let rows = items(args.next("rows"), "rows")?;
        let mut out = Vec::with_capacity(rows.len());
        for row in &rows {
            let Value::Dict(map) = row else {
                return fail("a row is not known");
            };
            let mut values = Vec::with_capacity(map.items.len());
            for (key, value) in &map.items {
                values.push((super::needed(Some(key), "column")?, value.clone()));
            }
            order_by_table(table, &mut values);
            let columns: Vec<Text> = values.iter().map(|(column, _)| column.clone()).collect();
            let values: Vec<Text> = values
                .iter()
                .map(|(_, value)| self.literal_value(value))
                .collect();
            out.push(if columns.is_empty() {
                concat(&[&"INSERT INTO ", &name, &" DEFAULT VALUES"])
            } else {
                concat(&[
                    &"INSERT INTO ",
                    &name,
                    &" (",
                    &idents(&columns),
                    &") VALUES (",
                    &join(&values, ", "),
                    &")",
                ])
            });
        }
        Ok(out)
    }
}

/// The tables of `table.c.column` anywhere in an expression; its depth is bounded where values are made. A subquery has
/// tables of its own.
fn tables_in<'a>(value: &Value<'a>, out: &mut Vec<Value<'a>>) {
    use crate::python::value::SymKind;
    let Value::Sym(sym) = value else { return };
    match &sym.kind {
        SymKind::Attr {
            base: Value::Sym(columns),
            ..
        } => {
            if let SymKind::Attr { base, name } = &columns.kind
                && matches!(name.as_str(), "c" | "columns")
            {
                out.push(base.clone());
            }
        }
        SymKind::Binary { left, right, .. } => {
            tables_in(left, out);
            tables_in(right, out);
        }
        SymKind::Unary { operand, .. } => tables_in(operand, out),
        SymKind::Call { func, args } => {
            let is_query = value
                .as_call()
                .is_some_and(|(path, ..)| path.ends_with(".select"));
            if is_query {
                return;
            }
            if let Some((base, ..)) = value.as_method() {
                tables_in(base, out);
            } else {
                tables_in(func, out);
            }
            for arg in &args.pos {
                tables_in(arg, out);
            }
        }
        SymKind::Path(_) | SymKind::Attr { .. } => {}
    }
}

fn all_of(conditions: &[Text]) -> Text {
    match conditions {
        [one] => one.clone(),
        many => {
            let many: Vec<Text> = many
                .iter()
                .map(|part| concat(&[&"(", part, &")"]))
                .collect();
            join(&many, " AND ")
        }
    }
}

/// Values in the order of the table's columns, as SQLAlchemy prints them; unknown columns stay behind.
fn order_by_table(table: &Value<'_>, values: &mut [(Text, Value<'_>)]) {
    let Some((_, args, _)) = table.as_call() else {
        return;
    };
    let columns: Vec<Text> = args
        .pos
        .iter()
        .skip(1)
        .filter_map(|value| super::column_name(value, "column").ok())
        .collect();
    values.sort_by_key(|(name, _)| {
        columns
            .iter()
            .position(|column| column == name)
            .unwrap_or(usize::MAX)
    });
}
