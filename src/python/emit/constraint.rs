//! Table constraints, on their own and inside a table.

use crate::python::revision::Trap;
use crate::python::text::Text;
use crate::python::value::{Args, Value};

use super::convention::{About, Kind};
use super::expr::Scope;
use super::name::{ident, idents, qualified};
use super::{
    Emitter, Given, Result, concat, fail, flag, items, join, names, needed, optional, sqlalchemy,
};

/// Where a foreign key points.
#[derive(Debug)]
pub(super) struct Target {
    schema: Option<Text>,
    table: Text,
    columns: Vec<Text>,
}

impl Target {
    /// From `schema.table.column`, one such string for each column.
    pub(super) fn parse(references: &[Text]) -> Result<Self> {
        let mut columns = Vec::new();
        let mut table = None;
        for reference in references {
            let text = reference.as_str();
            let Some(dot) = text.rfind('.') else {
                return fail(format!("`{text}` does not name a column of a table"));
            };
            columns.push(reference.slice(dot + 1, text.len()));
            table = Some(reference.slice(0, dot));
        }
        let Some(full) = table else {
            return fail("a foreign key needs the columns it points to");
        };
        let text = full.as_str();
        Ok(match text.rfind('.') {
            Some(dot) => Self {
                schema: Some(full.slice(0, dot)),
                table: full.slice(dot + 1, text.len()),
                columns,
            },
            None => Self {
                schema: None,
                table: full,
                columns,
            },
        })
    }

    fn references(&self) -> Text {
        let table = qualified(self.schema.as_ref(), &self.table, false);
        concat(&[&" REFERENCES ", &table, &" (", &idents(&self.columns), &")"])
    }
}

/// A column reference given as a string or as `table.c.column`.
fn reference(value: &Value<'_>) -> Result<Text> {
    needed(Some(value), "column of a foreign key")
}

/// `CONSTRAINT name `, or nothing without a name.
pub(super) fn preamble(name: Option<&Text>) -> Text {
    match name {
        Some(name) => concat(&[&"CONSTRAINT ", &ident(name), &" "]),
        None => Text::default(),
    }
}

/// `DEFERRABLE` and `INITIALLY`.
fn deferrability(args: &Args<'_>) -> Result<String> {
    let mut out = String::new();
    match flag(args.named("deferrable"), "deferrable")? {
        Some(true) => out.push_str(" DEFERRABLE"),
        Some(false) => out.push_str(" NOT DEFERRABLE"),
        None => {}
    }
    if let Some(initially) = optional(args.named("initially"), "initially")? {
        out.push_str(" INITIALLY ");
        out.push_str(initially.as_str());
    }
    Ok(out)
}

/// `MATCH`, `ON DELETE` and `ON UPDATE`.
fn cascades(args: &Args<'_>) -> Result<String> {
    let mut out = String::new();
    for (name, word) in [
        ("match", " MATCH "),
        ("ondelete", " ON DELETE "),
        ("onupdate", " ON UPDATE "),
    ] {
        if let Some(action) = optional(args.named(name), name)? {
            out.push_str(word);
            out.push_str(action.as_str());
        }
    }
    Ok(out)
}

fn not_valid(args: &Args<'_>) -> Result<&'static str> {
    let set = flag(args.named("postgresql_not_valid"), "postgresql_not_valid")?;
    Ok(if set == Some(true) { " NOT VALID" } else { "" })
}

/// What follows `REFERENCES table (columns)`, for a key inside a column.
pub(super) fn inline_reference(args: &Args<'_>) -> Result<Text> {
    let target = Target::parse(&[reference_of(args)?])?;
    Ok(concat(&[
        &target.references(),
        &cascades(args)?,
        &deferrability(args)?,
    ]))
}

fn reference_of(args: &Args<'_>) -> Result<Text> {
    match args.get(0, "column") {
        Some(value) => reference(value),
        None => fail("a foreign key needs the column it points to"),
    }
}

impl Emitter {
    /// The foreign key that `ForeignKey(..)` on a column makes.
    pub(super) fn column_key(&mut self, column: &Text, args: &Args<'_>) -> Result<Text> {
        let name = optional(args.named("name"), "name")?;
        let target = Target::parse(&[reference_of(args)?])?;
        self.foreign_key(name, std::slice::from_ref(column), &target, args)
    }

    fn foreign_key(
        &mut self,
        name: Option<Text>,
        columns: &[Text],
        target: &Target,
        args: &Args<'_>,
    ) -> Result<Text> {
        let about = About {
            columns,
            referred: Some((&target.table, &target.columns)),
        };
        let name = self.name(Kind::ForeignKey, name, about)?;
        foreign_key(name.as_ref(), columns, target, args)
    }

    /// `UNIQUE (column)`, for a column's own `unique=True`.
    pub(super) fn unique_column(&mut self, column: &Text) -> Result<Text> {
        let name = self.key_name(Kind::Unique, None, std::slice::from_ref(column))?;
        Ok(concat(&[
            &preamble(name.as_ref()),
            &"UNIQUE (",
            &ident(column),
            &")",
        ]))
    }

    fn key_name(
        &mut self,
        kind: Kind,
        given: Option<Text>,
        columns: &[Text],
    ) -> Result<Option<Text>> {
        let about = About {
            columns,
            ..About::default()
        };
        self.name(kind, given, about)
    }
}

fn foreign_key(
    name: Option<&Text>,
    columns: &[Text],
    target: &Target,
    args: &Args<'_>,
) -> Result<Text> {
    Ok(concat(&[
        &preamble(name),
        &"FOREIGN KEY(",
        &idents(columns),
        &")",
        &target.references(),
        &cascades(args)?,
        &deferrability(args)?,
        &not_valid(args)?,
    ]))
}

/// A primary key or unique constraint.
fn key(word: &str, name: Option<&Text>, columns: &[Text], args: &Args<'_>) -> Result<Text> {
    let distinct = match (word, args.named("postgresql_nulls_not_distinct")) {
        ("UNIQUE", Some(value)) => match flag(Some(value), "postgresql_nulls_not_distinct")? {
            Some(true) => "NULLS NOT DISTINCT ",
            Some(false) => "NULLS DISTINCT ",
            None => "",
        },
        _ => "",
    };
    let include = match args.named("postgresql_include") {
        None | Some(Value::None) => Text::default(),
        Some(value) => match names(Some(value), "postgresql_include")?.as_slice() {
            [] => Text::default(),
            columns => concat(&[&" INCLUDE (", &idents(columns), &")"]),
        },
    };
    let columns = idents(columns);
    Ok(concat(&[
        &preamble(name),
        &word,
        &" ",
        &distinct,
        &"(",
        &columns,
        &")",
        &include,
        &deferrability(args)?,
    ]))
}

/// What a constraint inside `create_table` is, for ordering.
#[derive(Debug)]
pub(super) enum Constraint {
    /// The primary key: its columns and its text.
    PrimaryKey(Vec<Text>, Text),
    /// A foreign key: its columns and its text, which is absent if it is never created.
    ForeignKey(Vec<Text>, Option<Text>),
    /// Any other.
    Other(Text),
}

impl Emitter {
    /// A constraint object inside `create_table`; `None` if the value is no constraint.
    pub(super) fn constraint(&mut self, value: &Value<'_>) -> Result<Option<Constraint>> {
        let Some((path, args, _)) = value.as_call() else {
            return Ok(None);
        };
        let name = || optional(args.named("name"), "name");
        Ok(Some(match sqlalchemy(path) {
            Some("PrimaryKeyConstraint") => {
                let columns = columns_of(&args.pos)?;
                let name = self.key_name(Kind::PrimaryKey, name()?, &columns)?;
                let text = key("PRIMARY KEY", name.as_ref(), &columns, args)?;
                Constraint::PrimaryKey(columns, text)
            }
            Some("UniqueConstraint") => {
                let columns = columns_of(&args.pos)?;
                let name = self.key_name(Kind::Unique, name()?, &columns)?;
                Constraint::Other(key("UNIQUE", name.as_ref(), &columns, args)?)
            }
            Some("CheckConstraint") => Constraint::Other(self.check(args, &[])?),
            Some("ForeignKeyConstraint") => {
                let columns = names(args.get(0, "columns"), "columns")?;
                let references = items(args.get(1, "refcolumns"), "refcolumns")?;
                let references: Result<Vec<Text>> = references.iter().map(reference).collect();
                let name = optional(args.get(2, "name"), "name")?;
                if flag(args.named("use_alter"), "use_alter")? == Some(true) {
                    self.never_created(&columns);
                    return Ok(Some(Constraint::ForeignKey(columns, None)));
                }
                let text = self.foreign_key(name, &columns, &Target::parse(&references?)?, args)?;
                Constraint::ForeignKey(columns, Some(text))
            }
            Some("ExcludeConstraint") => {
                let name = self.name(Kind::Exclude, name()?, About::default())?;
                Constraint::Other(self.exclude(name.as_ref(), &args.pos, args)?)
            }
            _ => return Ok(None),
        }))
    }

    /// `use_alter=True` inside `create_table`: Alembic has no later step that would add the key.
    pub(super) fn never_created(&mut self, columns: &[Text]) {
        let columns = idents(columns);
        self.problem(
            Trap::NeverCreated,
            format!(
                "the foreign key on `{}` has `use_alter=True`, and Alembic never creates it",
                columns.as_str()
            ),
            "remove `use_alter`, or add the key with `op.create_foreign_key` behind both tables",
        );
    }

    /// `CheckConstraint(sqltext, name=..)`.
    ///
    /// `columns` is the column that it stands in, or nothing.
    pub(super) fn check(&mut self, args: &Args<'_>, columns: &[Text]) -> Result<Text> {
        let name = optional(args.get(1, "name"), "name")?;
        let name = self.key_name(Kind::Check, name, columns)?;
        let Some(condition) = args.get(0, "sqltext") else {
            return fail("a CHECK constraint needs a condition");
        };
        self.check_text(name.as_ref(), condition, args)
    }

    fn check_text(
        &mut self,
        name: Option<&Text>,
        condition: &Value<'_>,
        args: &Args<'_>,
    ) -> Result<Text> {
        let condition = self.condition(condition, Scope::Bare)?;
        Ok(concat(&[
            &preamble(name),
            &"CHECK (",
            &condition,
            &")",
            &deferrability(args)?,
            &not_valid(args)?,
        ]))
    }

    fn exclude(
        &mut self,
        name: Option<&Text>,
        elements: &[Value<'_>],
        args: &Args<'_>,
    ) -> Result<Text> {
        let using = optional(args.named("using"), "using")?
            .map_or_else(|| "gist".to_owned(), |using| using.as_str().to_lowercase());
        let classes = match args.named("ops") {
            Some(Value::Dict(map)) => map.items.clone(),
            _ => Vec::new(),
        };
        let mut parts = Vec::new();
        for element in elements {
            let pair = items(Some(element), "element")?;
            let [column, operator] = pair.as_slice() else {
                return fail("an element is a column and an operator");
            };
            let operator = needed(Some(operator), "operator")?;
            let text = match column.as_text() {
                Some(name) => ident(name),
                None => self.expression(column, Scope::Bare)?,
            };
            let class = classes.iter().find(|(key, _)| {
                column
                    .as_text()
                    .is_some_and(|name| key.as_text() == Some(name))
            });
            let text = match class.and_then(|(_, class)| class.as_text()) {
                Some(class) => concat(&[&text, &" ", class]),
                None => text,
            };
            parts.push(concat(&[&text, &" WITH ", &operator]));
        }
        let mut out = concat(&[
            &preamble(name),
            &"EXCLUDE USING ",
            &using,
            &" (",
            &join(&parts, ", "),
            &")",
        ]);
        if let Some(condition) = args
            .named("where")
            .filter(|value| !matches!(value, Value::None))
        {
            let condition = self.condition(condition, Scope::Bare)?;
            out = concat(&[&out, &" WHERE (", &condition, &")"]);
        }
        out.push_str(&deferrability(args)?);
        Ok(out)
    }

    pub(super) fn create_check(&mut self, args: &mut Given<'_, '_>) -> Result<Vec<Text>> {
        let name = optional(args.next("constraint_name"), "constraint_name")?;
        let table = args.table("table_name")?;
        let Some(condition) = args.next("condition") else {
            return fail("a CHECK constraint needs a condition");
        };
        let schema = args.schema("schema")?;
        self.on(schema.as_ref(), &table);
        let name = self.key_name(Kind::Check, name, &[])?;
        let text = self.check_text(name.as_ref(), condition, args.args)?;
        Ok(vec![add(schema.as_ref(), &table, &text)])
    }

    pub(super) fn create_exclude(&mut self, args: &mut Given<'_, '_>) -> Result<Vec<Text>> {
        let name = optional(args.next("constraint_name"), "constraint_name")?;
        let table = args.table("table_name")?;
        let elements = args.rest();
        let schema = args.schema("schema")?;
        self.on(schema.as_ref(), &table);
        let name = self.name(Kind::Exclude, name, About::default())?;
        let text = self.exclude(name.as_ref(), elements, args.args)?;
        Ok(vec![add(schema.as_ref(), &table, &text)])
    }

    pub(super) fn create_key(
        &mut self,
        args: &mut Given<'_, '_>,
        primary: bool,
    ) -> Result<Vec<Text>> {
        let name = optional(args.next("constraint_name"), "constraint_name")?;
        let table = args.table("table_name")?;
        let columns = names(args.next("columns"), "columns")?;
        let schema = args.schema("schema")?;
        self.on(schema.as_ref(), &table);
        let (word, kind) = if primary {
            ("PRIMARY KEY", Kind::PrimaryKey)
        } else {
            ("UNIQUE", Kind::Unique)
        };
        let name = self.key_name(kind, name, &columns)?;
        let text = key(word, name.as_ref(), &columns, args.args)?;
        Ok(vec![add(schema.as_ref(), &table, &text)])
    }

    pub(super) fn create_foreign_key(&mut self, args: &mut Given<'_, '_>) -> Result<Vec<Text>> {
        let name = optional(args.next("constraint_name"), "constraint_name")?;
        let table = args.table("source_table")?;
        let target = needed(args.next("referent_table"), "referent_table")?;
        let columns = names(args.next("local_cols"), "local_cols")?;
        let remote = names(args.next("remote_cols"), "remote_cols")?;
        let schema = args.schema("source_schema")?;
        let target_schema = optional(args.named("referent_schema"), "referent_schema")?;
        for known in ["onupdate", "ondelete", "deferrable", "initially", "match"] {
            args.named(known);
        }
        let unknown: Vec<&str> = args
            .unknown()
            .filter(|name| !is_dialect_keyword(name))
            .collect();
        for name in unknown {
            let meant = match name {
                "on_delete" => "write `ondelete=…`",
                "on_update" => "write `onupdate=…`",
                _ => "remove it, or write the keyword that was meant",
            };
            self.problem(
                Trap::IgnoredArgument,
                format!("`create_foreign_key` ignores `{name}=…`, and nothing is sent for it"),
                meant,
            );
        }
        let target = Target {
            schema: target_schema,
            table: target,
            columns: remote,
        };
        self.on(schema.as_ref(), &table);
        let text = self.foreign_key(name, &columns, &target, args.args)?;
        Ok(vec![add(schema.as_ref(), &table, &text)])
    }

    pub(super) fn drop_constraint(&mut self, args: &mut Given<'_, '_>) -> Result<Vec<Text>> {
        let given = optional(args.next("constraint_name"), "constraint_name")?;
        let table = args.table("table_name")?;
        let kind = optional(args.next("type_"), "type_")?;
        let schema = args.schema("schema")?;
        self.on(schema.as_ref(), &table);
        // A convention makes the name of a constraint whose kind is said, but knows no columns.
        let kind = match kind.as_ref().map(Text::as_str) {
            Some("unique") => Some(Kind::Unique),
            Some("primary") => Some(Kind::PrimaryKey),
            Some("check") if given.is_some() => Some(Kind::Check),
            Some("foreignkey") if given.is_some() => Some(Kind::ForeignKey),
            _ => None,
        };
        let name = match kind {
            Some(kind) => self.key_name(kind, given, &[])?,
            None => given,
        };
        let Some(name) = name else {
            let message = format!(
                "a constraint of `{}` is dropped without its name, and SQLAlchemy raises an error",
                table.as_str()
            );
            let help = "name the constraint where it is made and here; PostgreSQL's own name for it stands in `\\d`";
            self.problem(Trap::UnnamedDrop, message.clone(), help);
            return fail(message);
        };
        let guard = if args.flag("if_exists")? == Some(true) {
            "IF EXISTS "
        } else {
            ""
        };
        let table = qualified(schema.as_ref(), &table, false);
        Ok(vec![concat(&[
            &"ALTER TABLE ",
            &table,
            &" DROP CONSTRAINT ",
            &guard,
            &ident(&name),
        ])])
    }
}

/// True for keywords that belong to a dialect, such as `mysql_engine`.
pub(super) fn is_dialect_keyword(name: &str) -> bool {
    [
        "postgresql_",
        "mysql_",
        "mariadb_",
        "sqlite_",
        "mssql_",
        "oracle_",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

fn columns_of(values: &[Value<'_>]) -> Result<Vec<Text>> {
    values
        .iter()
        .map(|value| super::column_name(value, "column"))
        .collect()
}

/// `ALTER TABLE table ADD constraint`.
pub(super) fn add(schema: Option<&Text>, table: &Text, constraint: &Text) -> Text {
    concat(&[
        &"ALTER TABLE ",
        &qualified(schema, table, false),
        &" ADD ",
        constraint,
    ])
}
