//! SQLAlchemy's declarative models and tables, read without running Python: the schema that the application believes in.
//!
//! Only what is certain is told. A class whose table has no constant name, a column that is made by a decorated method, a
//! type that only the run knows: they are left out, or their part is `None`.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::source::Span;

use super::emit::Emitter;
use super::eval::Machine;
use super::library::{Library, Modules};
use super::tree::{Expr, ExprKind, Module, Stmt, StmtKind};
use super::value::{Args, ClassValue, Value};

/// Classes that are looked at; more stand in no project.
const MAX_CLASSES: usize = 5_000;

/// A model: a class or a `Table(..)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its file, as the finder of modules names it.
    pub file: String,
    /// The place of the class statement or of the call.
    pub span: Span,
    /// The table's schema, if one is given.
    pub schema: Option<String>,
    /// The table's name.
    pub table: String,
    /// Its columns, in order; those of a subclass that shares the table are in an entry of their own.
    pub columns: Vec<ModelColumn>,
}

/// A column of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelColumn {
    /// Its file: that of a mixin, if it comes from one.
    pub file: String,
    /// The place of the statement, or of the call.
    pub span: Span,
    /// Its name in the database.
    pub name: String,
    /// Its type in SQL; none if it is not known.
    pub ty: Option<String>,
    /// True if it may be NULL; none if that is not known.
    pub nullable: Option<bool>,
    /// True if a row that leaves it out gets a value from the model or the database.
    pub filled: bool,
}

/// The models of some files and of those that they import, in the order of the files and of their text.
#[must_use]
pub fn read(roots: Vec<(String, Arc<Module>)>, modules: &dyn Modules) -> Vec<Model> {
    let library = Library::of_models(roots, modules);
    if library.len() == 0 {
        return Vec::new();
    }
    let mut reader = Reader {
        inferred: !(0..library.len()).any(|index| has_own_types(&library.module(index).body)),
        machine: Machine::new(&library),
        library: &library,
        emitter: Emitter::new(None),
        models: Vec::new(),
        classes: 0,
    };
    for index in 0..library.len() {
        reader.file(index);
    }
    reader.models
}

/// True if a base class says which types stand for annotations.
fn has_own_types(body: &[Stmt]) -> bool {
    body.iter().any(|stmt| match &stmt.kind {
        StmtKind::Class(class) => class
            .body
            .iter()
            .any(|stmt| assigned(stmt).is_some_and(|(name, ..)| name == "type_annotation_map")),
        _ => false,
    })
}

/// The name, annotation and value of `name: annotation = value` and its shorter forms.
fn assigned(stmt: &Stmt) -> Option<(&str, Option<&Expr>, Option<&Expr>)> {
    let (target, annotation, value) = match &stmt.kind {
        StmtKind::Assign {
            targets,
            value,
            annotation,
        } => match targets.as_slice() {
            [target] => (target, annotation.as_ref(), Some(value)),
            _ => return None,
        },
        StmtKind::Declare { target, annotation } => (target, Some(annotation), None),
        _ => return None,
    };
    match &target.kind {
        ExprKind::Name(name) => Some((name, annotation, value)),
        _ => None,
    }
}

struct Reader<'a> {
    library: &'a Library,
    machine: Machine<'a>,
    emitter: Emitter,
    /// Types may be told from annotations: nothing in the project says otherwise.
    inferred: bool,
    models: Vec<Model>,
    /// Classes that were looked at.
    classes: usize,
}

/// How a class gets its table.
enum Mapped {
    /// It has one of its own.
    Own(String),
    /// It shares that of a class behind it.
    Shared(String, Option<String>),
}

impl<'a> Reader<'a> {
    fn value(&mut self, file: usize, expr: &'a Expr) -> Value<'a> {
        let value = self.machine.value_in(file, expr);
        // Each value has the budget of a script.
        self.machine.take_trace();
        value
    }

    fn file(&mut self, file: usize) {
        for stmt in &self.library.module(file).body {
            match &stmt.kind {
                StmtKind::Class(class) => {
                    let found = self.machine.name_in(file, &class.name);
                    self.machine.take_trace();
                    // Another class of the same name stands further down.
                    if let Some(Value::Class(found)) = found
                        && std::ptr::eq(found.def, class)
                    {
                        self.class(&found, stmt.span);
                    }
                }
                _ => {
                    if let Some((_, _, Some(expr))) = assigned(stmt)
                        && matches!(expr.kind, ExprKind::Call { .. })
                    {
                        let value = self.value(file, expr);
                        self.table(&value, file, stmt.span);
                    }
                }
            }
        }
    }

    /// `Table("name", metadata, Column(..), schema="..")`.
    fn table(&mut self, value: &Value<'a>, file: usize, span: Span) {
        let Some((path, args, _)) = value.as_call() else {
            return;
        };
        let is_reflected = ["autoload", "autoload_with"]
            .iter()
            .any(|name| args.named(name).is_some());
        let is_table = path.starts_with("sqlalchemy.") && path.ends_with(".Table");
        // The second argument is the metadata; without it this is the table of a query.
        if !is_table || is_reflected || args.pos.len() < 2 {
            return;
        }
        let Some(table) = args.pos[0].as_text() else {
            return;
        };
        let table = table.as_str().to_owned();
        let schema = args.named("schema").and_then(text_of);
        let mut columns = Vec::new();
        let key = key_of(&args.pos[1..]);
        for part in &args.pos[1..] {
            if let Some((path, args, place)) = part.as_call()
                && is_column(path)
                && let Some(column) = self.column(args, "", None, (file, place))
            {
                columns.push(column);
            }
        }
        put_into_key(&mut columns, &key);
        self.models.push(Model {
            file: self.library.path(file).to_owned(),
            span,
            schema,
            table,
            columns,
        });
    }

    fn class(&mut self, class: &ClassValue<'a>, span: Span) {
        self.classes += 1;
        if self.classes > MAX_CLASSES {
            return;
        }
        let Some(mapped) = self.mapped(class) else {
            return;
        };
        let (table, schema, shared) = match mapped {
            Mapped::Own(table) => (table, self.schema(class), false),
            Mapped::Shared(table, schema) => (table, schema, true),
        };
        // Tables of another database have their own migrations.
        if self.attribute(class, "__bind_key__").is_some() {
            return;
        }
        let mut columns: Vec<ModelColumn> = Vec::new();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        self.columns(class, true, &mut seen, &mut columns);
        let key = match self.attribute(class, "__table_args__") {
            Some(Value::Tuple(parts)) => key_of(&parts.items),
            _ => Vec::new(),
        };
        put_into_key(&mut columns, &key);
        if shared {
            // A row of a sister class leaves them out.
            for column in &mut columns {
                column.nullable = None;
            }
        }
        self.models.push(Model {
            file: self.library.path(class.home).to_owned(),
            span: head(span, &class.name),
            schema,
            table,
            columns,
        });
    }

    /// The table of a class; none if it has none, or if that is decided at run time.
    fn mapped(&mut self, class: &ClassValue<'a>) -> Option<Mapped> {
        if self
            .own(class, "__abstract__")
            .and_then(|value| value.truth())
            == Some(true)
        {
            return None;
        }
        if let Some(table) = self.own(class, "__table__") {
            self.table(&table, class.home, Span::default());
            return None;
        }
        if let Some(name) = self.own(class, "__tablename__") {
            return name
                .as_text()
                .map(|name| Mapped::Own(name.as_str().to_owned()));
        }
        if class.defines("__tablename__") {
            return None;
        }
        for base in &class.bases {
            let Value::Class(base) = base else { continue };
            match self.mapped_base(base) {
                Some(Mapped::Own(table)) => {
                    let schema = self.schema(base);
                    return Some(Mapped::Shared(table, schema));
                }
                Some(shared) => return Some(shared),
                None => {}
            }
        }
        None
    }

    /// The same for a class behind another one. `__table__` is not followed.
    fn mapped_base(&mut self, class: &ClassValue<'a>) -> Option<Mapped> {
        let is = |reader: &mut Self, name: &str| reader.own(class, name).is_some();
        if is(self, "__table__") || is(self, "__abstract__") {
            return None;
        }
        self.mapped(class)
    }

    /// What a class itself assigns to a name.
    fn own(&mut self, class: &ClassValue<'a>, wanted: &str) -> Option<Value<'a>> {
        let value = class.def.body.iter().rev().find_map(|stmt| {
            let (name, _, value) = assigned(stmt)?;
            (name == wanted).then_some(value?)
        })?;
        Some(self.value(class.home, value))
    }

    /// What a class or one behind it assigns to a name.
    fn attribute(&mut self, class: &ClassValue<'a>, wanted: &str) -> Option<Value<'a>> {
        if let Some(value) = self.own(class, wanted) {
            return Some(value);
        }
        class.bases.iter().find_map(|base| match base {
            Value::Class(base) => self.attribute(base, wanted),
            _ => None,
        })
    }

    /// The schema in `__table_args__`: a dict, or the last part of a tuple.
    fn schema(&mut self, class: &ClassValue<'a>) -> Option<String> {
        let args = self.attribute(class, "__table_args__")?;
        let last = match &args {
            Value::Tuple(parts) => parts.items.last()?.clone(),
            _ => args,
        };
        let Value::Dict(map) = last else { return None };
        let is_schema = |key: &Value<'_>| key.as_text().is_some_and(|key| key.as_str() == "schema");
        let found = map.items.iter().find(|(key, _)| is_schema(key));
        found.and_then(|(_, value)| text_of(value))
    }

    /// The columns of a class and of its mixins. Those of a class with a table of its own stay there.
    fn columns(
        &mut self,
        class: &ClassValue<'a>,
        first: bool,
        seen: &mut BTreeSet<String>,
        out: &mut Vec<ModelColumn>,
    ) {
        if !first && self.mapped(class).is_some() {
            return;
        }
        for stmt in &class.def.body {
            let name = match (&stmt.kind, assigned(stmt)) {
                // Anything of that name hides what a mixin has.
                (StmtKind::Def(def), _) => def.name.as_str(),
                (_, Some((name, ..))) => name,
                _ => continue,
            };
            if !seen.insert(name.to_owned()) {
                continue;
            }
            let Some((_, annotation, value)) = assigned(stmt) else {
                continue;
            };
            if let Some(column) = self.attribute_column(class, name, annotation, value, stmt.span) {
                out.push(column);
            }
        }
        for base in &class.bases {
            if let Value::Class(base) = base {
                self.columns(base, false, seen, out);
            }
        }
    }

    /// The column that a statement in a class makes, if it makes one.
    fn attribute_column(
        &mut self,
        class: &ClassValue<'a>,
        name: &str,
        annotation: Option<&'a Expr>,
        value: Option<&'a Expr>,
        span: Span,
    ) -> Option<ModelColumn> {
        let mapped = annotation.and_then(mapped_type);
        let place = (class.home, span);
        let Some(value) = value else {
            // `x: Mapped[int]` alone makes a column, unless it is a relationship.
            let hint = self.hint(class.home, mapped?);
            hint.ty?;
            return self.column(&Args::default(), name, Some(&hint), place);
        };
        let value = self.value(class.home, value);
        let (path, args, _) = value.as_call()?;
        let (path, args) = match (path.rsplit('.').next(), args.pos.first()) {
            (Some("deferred"), Some(inner)) => {
                let (path, args, _) = inner.as_call()?;
                (path, args)
            }
            _ => (path, args),
        };
        if !is_column(path) {
            return None;
        }
        let hint = mapped.map(|mapped| self.hint(class.home, mapped));
        let mut column = self.column(args, name, hint.as_ref(), place)?;
        // What an annotation means to a plain `Column` depends on the version.
        if hint.is_some() && path.ends_with(".Column") && args.named("nullable").is_none() {
            column.nullable = None;
        }
        Some(column)
    }

    /// What an annotation says about a column.
    fn hint(&mut self, file: usize, annotation: &'a Expr) -> Hint {
        let (inner, optional) = without_none(annotation);
        let mut hint = Hint {
            nullable: optional.then_some(true),
            ty: None,
        };
        match &inner.kind {
            ExprKind::Name(_) | ExprKind::Attribute { .. } => {
                let value = self.value(file, inner);
                let path = match (&value, &inner.kind) {
                    (Value::Builtin(name), _) => Some(*name),
                    (Value::Opaque(_), ExprKind::Name(name)) => Some(name.as_str()),
                    _ => value.as_path(),
                };
                let plain = PLAIN.iter().find(|(known, _)| Some(*known) == path);
                if plain.is_some() || matches!(value, Value::Class(_)) {
                    hint.nullable = Some(optional);
                }
                hint.ty = plain.filter(|_| self.inferred).map(|(_, ty)| *ty);
            }
            // `dict[str, Any]`, `list[int]`; what an `Annotated` holds is not followed.
            ExprKind::Subscript { value, .. } => {
                if matches!(&value.kind, ExprKind::Name(name) if name != "Annotated") {
                    hint.nullable = Some(optional);
                }
            }
            _ => {}
        }
        hint
    }

    /// A column from its arguments. `name` is that of the attribute, empty in a `Table(..)`.
    fn column(
        &mut self,
        args: &Args<'a>,
        name: &str,
        hint: Option<&Hint>,
        (file, span): (usize, Span),
    ) -> Option<ModelColumn> {
        let mut rest = args.pos.as_slice();
        let mut named = args.named("name").and_then(text_of);
        if let Some(first) = rest.first().and_then(Value::as_text) {
            named = Some(first.as_str().to_owned());
            rest = &rest[1..];
        }
        // A name that is not known may be any.
        if matches!(rest.first(), Some(Value::Template(_))) {
            return None;
        }
        let name = named.or_else(|| (!name.is_empty()).then(|| name.to_owned()))?;
        let mut kind = args.named("type_");
        let mut filled = args.open.is_some();
        for part in rest {
            let role = part
                .as_call()
                .map(|(path, ..)| path.rsplit('.').next().unwrap_or(path));
            match role {
                Some("Computed" | "Identity" | "Sequence" | "FetchedValue" | "DefaultClause") => {
                    filled = true;
                }
                Some("ForeignKey" | "CheckConstraint") => {}
                _ if kind.is_none() && !matches!(part, Value::None) => kind = Some(part),
                _ => {}
            }
        }
        let given = |name: &str| {
            args.named(name)
                .is_some_and(|value| !matches!(value, Value::None))
        };
        let key = match args.named("primary_key") {
            Some(value) => value.truth(),
            None => Some(false),
        };
        filled |= key != Some(false)
            || [
                "default",
                "server_default",
                "insert_default",
                "default_factory",
            ]
            .iter()
            .any(|name| given(name));
        let unknown = args.open.is_some();
        let nullable = match (args.named("nullable"), key, hint) {
            _ if unknown => None,
            (Some(value), ..) => value.truth(),
            (None, Some(true), _) => Some(false),
            (None, None, _) => None,
            (None, Some(false), Some(hint)) => hint.nullable,
            (None, Some(false), None) => Some(true),
        };
        let ty = match kind {
            Some(kind) => self.emitter.type_text(kind),
            // A foreign key without a type has that of the column it points to.
            None if unknown || rest.iter().any(|part| part.as_call().is_some()) => None,
            None => hint.and_then(|hint| hint.ty.map(str::to_owned)),
        };
        Some(ModelColumn {
            file: self.library.path(file).to_owned(),
            span,
            name,
            ty,
            nullable,
            filled,
        })
    }
}

/// What an annotation says.
#[derive(Debug, Clone, Copy, Default)]
struct Hint {
    nullable: Option<bool>,
    ty: Option<&'static str>,
}

/// The types that SQLAlchemy 2 gives to annotations.
const PLAIN: &[(&str, &str)] = &[
    ("bool", "BOOLEAN"),
    ("bytes", "BYTEA"),
    ("datetime.date", "DATE"),
    ("datetime.datetime", "TIMESTAMP"),
    ("datetime.time", "TIME"),
    ("datetime.timedelta", "INTERVAL"),
    ("decimal.Decimal", "NUMERIC"),
    ("float", "FLOAT"),
    ("int", "INTEGER"),
    ("str", "VARCHAR"),
    ("uuid.UUID", "UUID"),
];

/// The columns of a `PrimaryKeyConstraint(..)` among the parts of a table.
fn key_of(parts: &[Value<'_>]) -> Vec<String> {
    parts
        .iter()
        .filter_map(Value::as_call)
        .filter(|(path, ..)| path.ends_with(".PrimaryKeyConstraint"))
        .flat_map(|(_, args, _)| args.pos.iter().filter_map(text_of))
        .collect()
}

fn put_into_key(columns: &mut [ModelColumn], key: &[String]) {
    for column in columns {
        if key.contains(&column.name) {
            column.nullable = Some(false);
            column.filled = true;
        }
    }
}

fn is_column(path: &str) -> bool {
    path.starts_with("sqlalchemy.")
        && path
            .rsplit('.')
            .next()
            .is_some_and(|last| matches!(last, "Column" | "mapped_column"))
}

fn text_of(value: &Value<'_>) -> Option<String> {
    value.as_text().map(|text| text.as_str().to_owned())
}

/// `T` of `Mapped[T]`.
fn mapped_type(annotation: &Expr) -> Option<&Expr> {
    let ExprKind::Subscript { value, index } = &annotation.kind else {
        return None;
    };
    let name = match &value.kind {
        ExprKind::Name(name) => name,
        ExprKind::Attribute { attr, .. } => attr,
        _ => return None,
    };
    (name == "Mapped").then_some(index)
}

/// `T` of `Optional[T]`, `T | None` and `None | T`, and whether it was one of those.
fn without_none(annotation: &Expr) -> (&Expr, bool) {
    match &annotation.kind {
        ExprKind::Subscript { value, index } => match &value.kind {
            ExprKind::Name(name) if name == "Optional" => (index, true),
            ExprKind::Attribute { attr, .. } if attr == "Optional" => (index, true),
            _ => (annotation, false),
        },
        ExprKind::Bin { left, right, .. } => match (&left.kind, &right.kind) {
            (_, ExprKind::None) => (left, true),
            (ExprKind::None, _) => (right, true),
            _ => (annotation, false),
        },
        _ => (annotation, false),
    }
}

/// `class Name` of a class statement without decorators.
fn head(span: Span, name: &str) -> Span {
    let start = span.start as usize;
    Span::new(
        start,
        (start + "class ".len() + name.len()).min(span.end as usize),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::NoModules;
    use crate::python::syntax::parse_foreign;

    fn models(text: &str) -> Vec<Model> {
        read(
            vec![("m.py".to_owned(), Arc::new(parse_foreign(text)))],
            &NoModules,
        )
    }

    #[test]
    fn a_column_has_what_its_statement_says() {
        let text = "import sqlalchemy as sa\nfrom sqlalchemy.orm import Mapped, mapped_column, deferred\n\
            class A(Base):\n    __tablename__ = 'a'\n    __table_args__ = (sa.UniqueConstraint('b'), {'schema': 's'})\n    \
            id: Mapped[int] = mapped_column(primary_key=True)\n    b = deferred(sa.Column('bb', sa.String(9), default=''))\n    \
            c: Mapped['str | None'] = mapped_column(sa.Text)\n    d: Mapped[dict[str, int]] = mapped_column(sa.JSON)\n    \
            e: Mapped[list['B']]\n    f = sa.Column(unknown(), **more)\n";
        let [model] = &models(text)[..] else {
            panic!("one model")
        };
        assert_eq!(
            (model.schema.as_deref(), model.table.as_str()),
            (Some("s"), "a")
        );
        let columns: Vec<(&str, Option<&str>, Option<bool>, bool)> = model
            .columns
            .iter()
            .map(|column| {
                let ty = column.ty.as_deref();
                (column.name.as_str(), ty, column.nullable, column.filled)
            })
            .collect();
        assert_eq!(
            columns,
            [
                ("id", Some("INTEGER"), Some(false), true),
                ("bb", Some("VARCHAR(9)"), Some(true), true),
                ("c", Some("TEXT"), None, false),
                ("d", Some("JSON"), Some(false), false),
                ("f", None, None, true),
            ]
        );
    }

    #[test]
    fn classes_behind_classes_cost_little() {
        let mut text = String::from("class A0:\n    pass\n");
        for n in 1..400 {
            let before = n - 1;
            text.push_str(&format!(
                "class A{n}(A{before}, A{before}):\n    __tablename__ = f()\n"
            ));
        }
        text.push_str("class Loop(Loop):\n    __tablename__ = 'loop'\n");
        assert_eq!(models(&text).len(), 1);
    }
}
