//! Columns and tables.

use crate::python::text::Text;
use crate::python::value::{Args, Value};

use super::constraint::{Constraint, add, inline_reference, preamble};
use super::convention::{About, Kind};
use super::expr::Scope;
use super::name::{ident, idents, literal, qualified};
use super::types::serial;
use super::{Emitter, Given, Result, concat, fail, flag, join, needed, optional, sqlalchemy};

/// A `Column(..)`.
#[derive(Debug)]
struct Column<'v, 'a> {
    name: Text,
    kind: Option<&'v Value<'a>>,
    nullable: Option<bool>,
    primary_key: bool,
    unique: bool,
    index: bool,
    default: Option<&'v Value<'a>>,
    comment: Option<Text>,
    keys: Vec<&'v Args<'a>>,
    checks: Vec<&'v Args<'a>>,
    computed: Option<&'v Args<'a>>,
    identity: Option<&'v Args<'a>>,
    /// A sequence or other value that the client fills in: such a column is no SERIAL.
    client_default: bool,
    autoincrement: Option<bool>,
    /// A foreign key, here or of the table, starts from it.
    referencing: bool,
}

impl<'v, 'a> Column<'v, 'a> {
    /// From the arguments of `Column(..)`; `None` if the value is no column.
    fn parse(value: &'v Value<'a>) -> Result<Option<Self>> {
        let Some((path, args, _)) = value.as_call() else {
            return Ok(None);
        };
        if sqlalchemy(path) != Some("Column") {
            return Ok(None);
        }
        if args.open.is_some() {
            return fail("the arguments of a column are not known");
        }
        let mut rest = args.pos.as_slice();
        let name = match rest.split_first() {
            Some((first, others)) if first.as_text().is_some() => {
                rest = others;
                needed(Some(first), "column")?
            }
            Some((first @ Value::Opaque(_), _)) => {
                return needed(Some(first), "column").map(|_| None);
            }
            _ => needed(args.named("name"), "column")?,
        };
        let set = |name: &str| flag(args.named(name), name);
        let mut column = Self {
            name: match args.named("quote").and_then(Value::truth) {
                Some(quote) => name.with_quote(Some(quote)),
                None => name,
            },
            kind: args.named("type_"),
            nullable: set("nullable")?,
            primary_key: set("primary_key")? == Some(true),
            unique: set("unique")? == Some(true),
            index: set("index")? == Some(true),
            default: args
                .named("server_default")
                .filter(|value| !matches!(value, Value::None)),
            comment: optional(args.named("comment"), "comment")?,
            keys: Vec::new(),
            checks: Vec::new(),
            computed: None,
            identity: None,
            client_default: args
                .named("default")
                .is_some_and(|value| !matches!(value, Value::None)),
            autoincrement: match args.named("autoincrement") {
                Some(Value::Bool(auto)) => Some(*auto),
                _ => None,
            },
            referencing: false,
        };
        for part in rest {
            match part
                .as_call()
                .and_then(|(path, args, _)| Some((sqlalchemy(path)?, args)))
            {
                Some(("ForeignKey", args)) => column.keys.push(args),
                Some(("CheckConstraint", args)) => column.checks.push(args),
                Some(("Computed", args)) => column.computed = Some(args),
                Some(("Identity", args)) => column.identity = Some(args),
                Some(("Sequence", _)) => column.client_default = true,
                Some(("DefaultClause" | "FetchedValue", _)) => column.default = Some(part),
                _ if column.kind.is_none() && !matches!(part, Value::None) => {
                    column.kind = Some(part)
                }
                _ => {}
            }
        }
        column.referencing = !column.keys.is_empty();
        if let Some((path, args, _)) = column.default.and_then(Value::as_call) {
            match sqlalchemy(path) {
                Some("Identity") => (column.identity, column.default) = (Some(args), None),
                Some("Computed") => (column.computed, column.default) = (Some(args), None),
                Some("FetchedValue") => column.default = None,
                _ => {}
            }
        }
        Ok(Some(column))
    }

    /// `SERIAL` or a sister if the column, being the primary key, numbers itself.
    ///
    /// `alone` tells that it is the only column of the key.
    fn serial(&self, alone: bool) -> Option<&'static str> {
        let asked = self.autoincrement == Some(true);
        let possible = asked
            || (alone
                && self.autoincrement.is_none()
                && self.default.is_none()
                && !self.referencing
                && !self.client_default);
        let blocked = self.identity.is_some() || self.client_default || self.computed.is_some();
        if possible && !blocked {
            serial(self.kind?)
        } else {
            None
        }
    }
}

/// Primary key of the table that a column is printed for.
#[derive(Debug, Clone, Copy)]
struct Key<'k> {
    columns: &'k [Text],
}

impl Emitter {
    fn column(&mut self, column: &Column<'_, '_>, key: Key<'_>) -> Result<Text> {
        let mut out = concat(&[&ident(&column.name), &" "]);
        let in_key = key.columns.contains(&column.name);
        let serial = if in_key {
            column.serial(key.columns.len() == 1)
        } else {
            None
        };
        if let Some(serial) = serial {
            out.push_str(serial);
        } else {
            let kind = match column.kind {
                Some(kind) => self.type_name(kind)?,
                // The type of a foreign key's column may come from the column it points to.
                None => self.type_name(&Value::None)?,
            };
            out.push(&kind);
            if let Some(default) = column.default {
                let default = self.server_default(default)?;
                out = concat(&[&out, &" DEFAULT ", &default]);
            }
        }
        if let Some(computed) = column.computed {
            let Some(condition) = computed.get(0, "sqltext") else {
                return fail("a generated column needs an expression");
            };
            let condition = self.condition(condition, Scope::Bare)?;
            if computed.get(1, "persisted").and_then(Value::truth) == Some(false)
                && !matches!(computed.get(1, "persisted"), Some(Value::None))
            {
                return self.refused(
                    "a generated column that is not stored is refused by SQLAlchemy 2.0",
                    "write `persisted=True`",
                );
            }
            out = concat(&[&out, &" GENERATED ALWAYS AS (", &condition, &") STORED"]);
        }
        if let Some(identity) = column.identity {
            let clause = self.identity_clause(identity)?;
            out = concat(&[&out, &" ", &clause]);
        }
        let nullable = column
            .nullable
            .unwrap_or(!(in_key || column.primary_key || column.identity.is_some()));
        match (nullable, column.identity.is_some()) {
            (false, false) => out.push_str(" NOT NULL"),
            (true, true) => out.push_str(" NULL"),
            _ => {}
        }
        Ok(out)
    }

    /// CHECK constraints that stand in the column's definition.
    fn column_checks(&mut self, column: &Column<'_, '_>, mut out: Text) -> Result<Text> {
        for check in &column.checks {
            let check = self.check(check, std::slice::from_ref(&column.name))?;
            out = concat(&[&out, &" ", &check]);
        }
        Ok(out)
    }

    /// The CHECK of a non-native enum that asked for it.
    fn enum_constraint(&mut self, column: &Column<'_, '_>) -> Result<Option<Text>> {
        let Some(kind) = column.kind else {
            return Ok(None);
        };
        let Some((labels, name)) = self.enum_check(kind)? else {
            return Ok(None);
        };
        let labels: Vec<Text> = labels.iter().map(literal).collect();
        let about = About {
            columns: std::slice::from_ref(&column.name),
            ..About::default()
        };
        let name = preamble(self.name(Kind::Check, name, about)?.as_ref());
        Ok(Some(concat(&[
            &name,
            &"CHECK (",
            &ident(&column.name),
            &" IN (",
            &join(&labels, ", "),
            &"))",
        ])))
    }

    pub(super) fn add_column(&mut self, args: &mut Given<'_, '_>) -> Result<Vec<Text>> {
        let table = args.table("table_name")?;
        let Some(value) = args.next("column") else {
            return fail("a column is missing");
        };
        let schema = args.schema("schema")?;
        let guard = args.flag("if_not_exists")? == Some(true);
        let inline_key = args.flag("inline_primary_key")? == Some(true);
        let inline_reference_asked = args.flag("inline_references")? == Some(true);
        let Some(column) = Column::parse(value)? else {
            return fail(format!("the column is not known: {}", value.describe()));
        };
        let key: Vec<Text> = if column.primary_key {
            vec![column.name.clone()]
        } else {
            Vec::new()
        };
        self.on(schema.as_ref(), &table);
        let mut text = self.column(&column, Key { columns: &key })?;
        if inline_key && column.primary_key {
            text.push_str(" PRIMARY KEY");
        }
        let inline = inline_reference_asked && column.keys.len() == 1;
        if let (true, [key]) = (inline, column.keys.as_slice()) {
            text = concat(&[&text, &inline_reference(key)?]);
        }
        let text = self.column_checks(&column, text)?;
        let full = qualified(schema.as_ref(), &table, true);
        let guard = if guard { "IF NOT EXISTS " } else { "" };
        let mut out = vec![concat(&[
            &"ALTER TABLE ",
            &full,
            &" ADD COLUMN ",
            &guard,
            &text,
        ])];
        if column.unique && !column.index {
            let unique = self.unique_column(&column.name)?;
            out.push(add(schema.as_ref(), &table, &unique));
        }
        if let Some(check) = self.enum_constraint(&column)? {
            out.push(add(schema.as_ref(), &table, &check));
        }
        if !inline {
            for key in &column.keys {
                let key = self.column_key(&column.name, key)?;
                out.push(add(schema.as_ref(), &table, &key));
            }
        }
        if column.index {
            out.push(self.column_index(&column, schema.as_ref(), &table)?);
        }
        let comment = column_comment(&column, schema.as_ref(), &table);
        out.extend(comment);
        Ok(out)
    }

    pub(super) fn create_table(&mut self, args: &mut Given<'_, '_>) -> Result<Vec<Text>> {
        let table = args.table("table_name")?;
        let elements = args.rest();
        let schema = args.schema("schema")?;
        let guard = args.flag("if_not_exists")? == Some(true);
        self.on(schema.as_ref(), &table);
        let full = qualified(schema.as_ref(), &table, false);
        let mut columns = Vec::new();
        let mut primary_key: Option<(Vec<Text>, Text)> = None;
        let (mut constraints, mut explicit_indexes, mut referencing) =
            (Vec::new(), Vec::new(), Vec::new());
        for element in elements {
            if matches!(element, Value::None) {
                continue;
            }
            if let Some(column) = Column::parse(element)? {
                columns.push(column);
            } else if let Some(constraint) = self.constraint(element)? {
                match constraint {
                    Constraint::PrimaryKey(names, text) => primary_key = Some((names, text)),
                    Constraint::Other(text) => constraints.push(text),
                    Constraint::ForeignKey(names, text) => {
                        referencing.extend(names);
                        constraints.extend(text);
                    }
                }
            } else if let Some(index) = self.table_index(element, schema.as_ref(), &table)? {
                explicit_indexes.push(index);
            } else {
                return fail(format!("a column is not known: {}", element.describe()));
            }
        }
        for column in &mut columns {
            column.referencing |= referencing.contains(&column.name);
        }
        let mut out = Vec::new();
        for column in &columns {
            if let Some(kind) = column.kind {
                self.create_with_table(kind, &mut out)?;
            }
        }
        if primary_key
            .as_ref()
            .is_none_or(|(names, _)| names.is_empty())
        {
            let names: Vec<Text> = columns
                .iter()
                .filter(|column| column.primary_key)
                .map(|column| column.name.clone())
                .collect();
            if !names.is_empty() {
                // A column that numbers itself comes first.
                let mut ordered = names.clone();
                ordered.sort_by_key(|name| {
                    !columns.iter().any(|column| {
                        column.name == *name && column.serial(names.len() == 1).is_some()
                    })
                });
                let about = About {
                    columns: &ordered,
                    ..About::default()
                };
                let name = self.name(Kind::PrimaryKey, None, about)?;
                let text = concat(&[
                    &preamble(name.as_ref()),
                    &"PRIMARY KEY (",
                    &idents(&ordered),
                    &")",
                ]);
                primary_key = Some((names, text));
            }
        }
        let key: &[Text] = primary_key.as_ref().map_or(&[], |(names, _)| names);
        let mut parts = Vec::new();
        for column in &columns {
            let text = self.column(column, Key { columns: key })?;
            parts.push(self.column_checks(column, text)?);
        }
        parts.extend(primary_key.as_ref().map(|(_, text)| text.clone()));
        parts.extend(constraints);
        for column in &columns {
            if column.unique && !column.index {
                parts.push(self.unique_column(&column.name)?);
            }
            if let Some(check) = self.enum_constraint(column)? {
                parts.push(check);
            }
            for key in &column.keys {
                if flag(key.named("use_alter"), "use_alter")? == Some(true) {
                    self.never_created(std::slice::from_ref(&column.name));
                } else {
                    parts.push(self.column_key(&column.name, key)?);
                }
            }
        }
        let prefixes = match args.named("prefixes").and_then(Value::items) {
            Some(prefixes) => prefixes
                .iter()
                .filter_map(Value::as_text)
                .map(|text| format!("{} ", text.as_str()))
                .collect(),
            None => String::new(),
        };
        let options = table_options(args)?;
        let guard = if guard { "IF NOT EXISTS " } else { "" };
        let body = join(&parts, ", ");
        out.push(concat(&[
            &"CREATE ", &prefixes, &"TABLE ", &guard, &full, &" (", &body, &")", &options,
        ]));
        for column in columns.iter().filter(|column| column.index) {
            out.push(self.column_index(column, schema.as_ref(), &table)?);
        }
        out.extend(explicit_indexes);
        if let Some(comment) = optional(args.named("comment"), "comment")? {
            out.push(concat(&[
                &"COMMENT ON TABLE ",
                &full,
                &" IS ",
                &literal(&comment),
            ]));
        }
        for column in &columns {
            out.extend(column_comment(column, schema.as_ref(), &table));
        }
        Ok(out)
    }
}

/// What follows the closing parenthesis of CREATE TABLE.
fn table_options(args: &mut Given<'_, '_>) -> Result<Text> {
    let mut out = Text::default();
    let mut option = |name: &'static str| {
        args.named(name)
            .filter(|value| !matches!(value, Value::None))
    };
    if let Some(parents) = option("postgresql_inherits") {
        let parents = match parents.as_text() {
            Some(one) => vec![one.clone()],
            None => super::names(Some(parents), "postgresql_inherits")?,
        };
        out = concat(&[&out, &" INHERITS (", &idents(&parents), &")"]);
    }
    if let Some(partition) = optional(option("postgresql_partition_by"), "postgresql_partition_by")?
    {
        out = concat(&[&out, &" PARTITION BY ", &partition]);
    }
    if let Some(method) = optional(option("postgresql_using"), "postgresql_using")? {
        out = concat(&[&out, &" USING ", &method]);
    }
    match option("postgresql_with_oids").and_then(Value::truth) {
        Some(true) => out.push_str(" WITH OIDS"),
        Some(false) => out.push_str(" WITHOUT OIDS"),
        None => {}
    }
    if let Some(action) = optional(option("postgresql_on_commit"), "postgresql_on_commit")? {
        out.push_str(&format!(
            " ON COMMIT {}",
            action.as_str().replace('_', " ").to_uppercase()
        ));
    }
    if let Some(tablespace) = optional(option("postgresql_tablespace"), "postgresql_tablespace")? {
        out = concat(&[&out, &" TABLESPACE ", &ident(&tablespace)]);
    }
    Ok(out)
}

impl Emitter {
    fn column_index(
        &mut self,
        column: &Column<'_, '_>,
        schema: Option<&Text>,
        table: &Text,
    ) -> Result<Text> {
        let head = if column.unique {
            "CREATE UNIQUE INDEX "
        } else {
            "CREATE INDEX "
        };
        let about = About {
            columns: std::slice::from_ref(&column.name),
            ..About::default()
        };
        let Some(name) = self.name(Kind::Index, None, about)? else {
            return fail("the project's naming convention has no name for indexes");
        };
        Ok(concat(&[
            &head,
            &ident(&name),
            &" ON ",
            &qualified(schema, table, false),
            &" (",
            &ident(&column.name),
            &")",
        ]))
    }
}

fn column_comment(column: &Column<'_, '_>, schema: Option<&Text>, table: &Text) -> Option<Text> {
    let comment = column
        .comment
        .as_ref()
        .filter(|comment| !comment.is_empty())?;
    let full = qualified(schema, table, false);
    Some(concat(&[
        &"COMMENT ON COLUMN ",
        &full,
        &".",
        &ident(&column.name),
        &" IS ",
        &literal(comment),
    ]))
}
