//! The SQL that Alembic 1.18 on SQLAlchemy 2.0 sends for each directive.

use crate::source::Span;

use super::eval::Directive;
use super::revision::{Problem, Trap};
use super::text::Text;
use super::value::{Args, Value};

mod alter;
mod constraint;
mod convention;
mod dml;
mod entity;
mod execute;
mod expr;
mod index;
mod md5;
mod name;
mod table;
mod template;
mod types;

pub use convention::Convention;
use entity::Action;

/// Type name that stands for a type which is not known.
pub const UNKNOWN_TYPE: &str = crate::statement::ty::UNKNOWN;
/// SQL text that stands for an expression which is not known.
pub const UNKNOWN_VALUE: &str = "'lockgate_unknown'";

/// Why a directive could not be turned into SQL.
#[derive(Debug)]
pub(super) struct Fail(pub(super) String);

type Result<T> = std::result::Result<T, Fail>;

fn fail<T>(reason: impl Into<String>) -> Result<T> {
    Err(Fail(reason.into()))
}

/// What is remembered from directive to directive, and what is found on the way.
#[derive(Debug, Default)]
pub(super) struct Emitter {
    /// Names of the enum types that this run has created; each is created once.
    types: Vec<String>,
    /// Set while a directive is lowered if a placeholder stands for something unknown.
    approximate: bool,
    /// Defects of the revision found on the way.
    pub(super) problems: Vec<Problem>,
    span: Span,
    /// The project's naming convention.
    convention: Option<Vec<(String, String)>>,
    /// Table and schema that names are made for.
    table: Text,
    schema: Option<Text>,
}

/// The statements of a directive.
#[derive(Debug)]
pub(super) struct Lowered {
    pub(super) statements: Vec<Text>,
    pub(super) approximate: bool,
    pub(super) name: &'static str,
}

/// Names of the directives, as they are reported.
const DIRECTIVES: &[&str] = &[
    "add_column",
    "alter_column",
    "bulk_insert",
    "commit",
    "create_check_constraint",
    "create_entity",
    "create_exclude_constraint",
    "create_foreign_key",
    "create_index",
    "create_primary_key",
    "create_table",
    "create_table_comment",
    "create_type",
    "create_unique_constraint",
    "drop_column",
    "drop_constraint",
    "drop_entity",
    "drop_index",
    "drop_table",
    "drop_table_comment",
    "drop_type",
    "exec_driver_sql",
    "execute",
    "rename_table",
    "replace_entity",
    "rollback",
    "sync_enum_values",
];

impl Emitter {
    pub(super) fn new(convention: Option<&Convention>) -> Self {
        Self {
            convention: convention.map(<[_]>::to_vec),
            ..Self::default()
        }
    }

    /// The type of a column as it is printed; none if it is not known.
    pub(super) fn type_text(&mut self, value: &Value<'_>) -> Option<String> {
        self.approximate = false;
        let text = self.type_name(value).ok()?;
        (!self.approximate).then(|| text.as_str().to_owned())
    }

    /// Remembers the table that names are made for.
    fn on(&mut self, schema: Option<&Text>, table: &Text) {
        self.table = table.clone();
        self.schema = schema.cloned();
    }

    /// The statements of one directive, in order.
    pub(super) fn lower(&mut self, directive: &Directive<'_>) -> Result<Lowered> {
        let Some(&name) = DIRECTIVES.iter().find(|name| **name == directive.name) else {
            return fail(format!("directive `{}` is not known", directive.name));
        };
        if directive.args.open.is_some() {
            return fail("the arguments are not known");
        }
        self.approximate = false;
        self.span = directive.span;
        let mut args = Given::new(directive);
        let statements = match name {
            "add_column" => self.add_column(&mut args),
            "alter_column" => self.alter_column(&mut args),
            "bulk_insert" => self.bulk_insert(&mut args),
            "create_check_constraint" => self.create_check(&mut args),
            "create_exclude_constraint" => self.create_exclude(&mut args),
            "create_foreign_key" => self.create_foreign_key(&mut args),
            "create_index" => self.create_index(&mut args),
            "create_primary_key" => self.create_key(&mut args, true),
            "create_unique_constraint" => self.create_key(&mut args, false),
            "create_table" => self.create_table(&mut args),
            "create_table_comment" | "drop_table_comment" => {
                self.table_comment(&mut args, name == "create_table_comment")
            }
            "create_type" => self.type_object(&mut args, true),
            "drop_type" => self.type_object(&mut args, false),
            "drop_column" => self.drop_column(&mut args),
            "drop_constraint" => self.drop_constraint(&mut args),
            "drop_index" => self.drop_index(&mut args),
            "drop_table" => self.drop_table(&mut args),
            "rename_table" => self.rename_table(&mut args),
            "create_entity" => self.entity(&mut args, Action::Create),
            "replace_entity" => self.entity(&mut args, Action::Replace),
            "drop_entity" => self.entity(&mut args, Action::Drop),
            "sync_enum_values" => self.sync_enum(&mut args),
            // SQLAlchemy begins anew with the next statement.
            "commit" => Ok(vec!["COMMIT".into(), "BEGIN".into()]),
            "rollback" => Ok(vec!["ROLLBACK".into(), "BEGIN".into()]),
            _ => self.execute(&mut args, name == "exec_driver_sql"),
        }?;
        Ok(Lowered {
            statements,
            approximate: self.approximate,
            name,
        })
    }

    fn problem(&mut self, trap: Trap, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem {
            span: self.span,
            trap,
            message: message.into(),
            help: Some(help.into()),
        });
    }

    /// Notes that the library raises an exception, and gives up the directive.
    fn refused<T>(&mut self, message: impl Into<String>, help: &str) -> Result<T> {
        let message = message.into();
        self.problem(Trap::Refused, message.clone(), help);
        fail(message)
    }
}

/// The arguments of a directive, taken one by one.
#[derive(Debug)]
struct Given<'d, 'a> {
    args: &'d Args<'a>,
    /// Table and schema of the batch block: they take the place of the table argument.
    batch: Option<&'d (Value<'a>, Value<'a>)>,
    next: usize,
    taken: Vec<&'d str>,
}

impl<'d, 'a> Given<'d, 'a> {
    fn new(directive: &'d Directive<'a>) -> Self {
        Self {
            args: &directive.args,
            batch: directive.batch.as_ref(),
            next: 0,
            taken: Vec::new(),
        }
    }

    /// The next positional argument, or the one given by this name.
    fn next(&mut self, name: &'static str) -> Option<&'d Value<'a>> {
        match self.args.pos.get(self.next) {
            Some(value) => {
                self.next += 1;
                Some(value)
            }
            None => self.named(name),
        }
    }

    /// The positional arguments that are left.
    fn rest(&mut self) -> &'d [Value<'a>] {
        let rest = self.args.pos.get(self.next..).unwrap_or(&[]);
        self.next = self.args.pos.len();
        rest
    }

    fn named(&mut self, name: &'static str) -> Option<&'d Value<'a>> {
        self.taken.push(name);
        self.args.named(name)
    }

    /// The table that the directive is about: of the batch block, or the next argument.
    fn table(&mut self, name: &'static str) -> Result<Text> {
        match self.batch {
            Some((table, _)) => needed(Some(table), name),
            None => needed(self.next(name), name),
        }
    }

    /// The schema: of the batch block, or `schema=`.
    fn schema(&mut self, name: &'static str) -> Result<Option<Text>> {
        match self.batch {
            Some((_, schema)) => optional(Some(schema), name),
            None => optional(self.named(name), name),
        }
    }

    fn flag(&mut self, name: &'static str) -> Result<Option<bool>> {
        flag(self.named(name), name)
    }

    /// Names of keywords that nothing asked for.
    fn unknown(&self) -> impl Iterator<Item = &'d str> {
        self.args
            .kw
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| !self.taken.contains(name))
    }
}

/// A string that must be known.
fn needed(value: Option<&Value<'_>>, what: &str) -> Result<Text> {
    match value {
        Some(value) => match value.as_text() {
            Some(text) => Ok(text.clone()),
            None => fail(format!("`{what}` is not known: {}", value.describe())),
        },
        None => fail(format!("`{what}` is missing")),
    }
}

/// A string that may be absent or None.
fn optional(value: Option<&Value<'_>>, what: &str) -> Result<Option<Text>> {
    match value {
        None | Some(Value::None) => Ok(None),
        value => needed(value, what).map(Some),
    }
}

/// A truth value that may be absent or None.
fn flag(value: Option<&Value<'_>>, what: &str) -> Result<Option<bool>> {
    match value {
        None | Some(Value::None) => Ok(None),
        Some(value) => match value.truth() {
            Some(truth) => Ok(Some(truth)),
            None => fail(format!("`{what}` is not known: {}", value.describe())),
        },
    }
}

/// The items of a list that must be known.
fn items<'a>(value: Option<&Value<'a>>, what: &str) -> Result<Vec<Value<'a>>> {
    match value {
        Some(value) => match value.items() {
            Some(items) => Ok(items),
            None => fail(format!("`{what}` is not known: {}", value.describe())),
        },
        None => fail(format!("`{what}` is missing")),
    }
}

/// Column names: a list of strings, or one string whose characters Python would iterate over.
fn names(value: Option<&Value<'_>>, what: &str) -> Result<Vec<Text>> {
    if let Some(text) = value.and_then(Value::as_text) {
        let text = text.clone();
        return Ok(text
            .as_str()
            .char_indices()
            .map(|(at, c)| text.slice(at, at + c.len_utf8()))
            .collect());
    }
    items(value, what)?
        .iter()
        .map(|item| column_name(item, what))
        .collect()
}

/// The name of a column given as a string or as an object.
fn column_name(value: &Value<'_>, what: &str) -> Result<Text> {
    if let Some((path, args, _)) = value.as_call()
        && matches!(sqlalchemy(path), Some("Column" | "column"))
    {
        return needed(args.get(0, "name"), what);
    }
    needed(Some(value), what)
}

/// The last part of a path into SQLAlchemy (or a package that re-exports it), which names the construct.
fn sqlalchemy(path: &str) -> Option<&str> {
    (path.starts_with("sqlalchemy.") || path.starts_with("sqlmodel."))
        .then(|| path.rsplit('.').next().unwrap_or(path))
}

fn concat(parts: &[&dyn Part]) -> Text {
    let mut out = Text::default();
    for part in parts {
        part.put(&mut out);
    }
    out
}

/// Something that is appended to SQL text.
trait Part {
    fn put(&self, out: &mut Text);
}
impl Part for &str {
    fn put(&self, out: &mut Text) {
        out.push_str(self);
    }
}
impl Part for String {
    fn put(&self, out: &mut Text) {
        out.push_str(self);
    }
}
impl Part for Text {
    fn put(&self, out: &mut Text) {
        out.push(self);
    }
}

fn join(parts: &[Text], by: &str) -> Text {
    let mut out = Text::default();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            out.push_str(by);
        }
        out.push(part);
    }
    out
}
