//! What a database holds beside what migrations make of it: tables, columns, constraints and indexes, fact by fact.
//!
//! A fact that one side does not tell is never a difference: an expression that cannot be compared, a table that a `DO`
//! block may have changed, a column whose type the files do not say.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::schema::{Column, Constraint, Index, Schema};
use crate::source::{Fragment, Location, SpanMap};
use crate::statement::normal::{expression, is_vague};
use crate::statement::{
    ColumnChange, ConstraintKind, Element, Expr, Ident, Identity, Kind, QualifiedName, Statement,
    TypeName, quoted,
};

/// Kinds of objects, in the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Part {
    Table,
    Column,
    Constraint,
    Index,
}

impl Part {
    /// One of them: `column`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Column => "column",
            Self::Constraint => "constraint",
            Self::Index => "index",
        }
    }

    /// Several of them: `columns`.
    #[must_use]
    pub fn plural(self) -> &'static str {
        match self {
            Self::Table => "tables",
            Self::Column => "columns",
            Self::Constraint => "constraints",
            Self::Index => "indexes",
        }
    }
}

/// What stands for an object: its table, its kind, its name (empty for the table itself).
pub type Key = (QualifiedName, Part, String);

/// An object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Object {
    /// What there is to know of it, by name; none where that is not known.
    pub facts: BTreeMap<&'static str, Option<String>>,
    /// Where it is made.
    pub place: Option<Location>,
}

/// All objects of one side.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    /// By what stands for them.
    pub all: BTreeMap<Key, Object>,
    /// Tables of which not everything is known: they may have more than is said here, or less.
    pub vague: BTreeSet<QualifiedName>,
    /// Tables that may have more columns and constraints than is said here (`LIKE`, `OF`, `INHERITS`).
    pub open: BTreeSet<QualifiedName>,
    /// Partitions and children, which jobs make and drop.
    pub children: BTreeSet<QualifiedName>,
}

impl Objects {
    /// Those of another project too.
    pub fn add(&mut self, other: Self) {
        self.all.extend(other.all);
        self.vague.extend(other.vague);
        self.open.extend(other.open);
        self.children.extend(other.children);
    }
}

/// How the two sides differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The migrations make it, and it is not there.
    Missing(Key, Option<Location>),
    /// It is there, and no migration makes it.
    Extra(Key),
    /// It is there, and something about it is another.
    Fact {
        /// The object.
        key: Key,
        /// What: `type`.
        what: &'static str,
        /// As the migrations make it.
        made: String,
        /// As it is.
        there: String,
        /// Where it is made.
        place: Option<Location>,
    },
    /// Both sides have it, and nobody can tell whether this of it is the same.
    Unknown(Key, &'static str),
}

/// A fact that is not there: no default, no predicate.
const NONE: &str = "none";

/// The differences, table by table.
#[must_use]
pub fn differences(made: &Objects, there: &Objects) -> Vec<Difference> {
    let mut found = Vec::new();
    let is_vague =
        |table: &QualifiedName| made.vague.contains(table) || there.vague.contains(table);
    let has_table = |objects: &Objects, table: &QualifiedName| {
        objects
            .all
            .contains_key(&(table.clone(), Part::Table, String::new()))
    };
    for (key, object) in &made.all {
        let (table, part, _) = key;
        if is_vague(table) || *part != Part::Table && !has_table(there, table) {
            continue;
        }
        let Some(other) = there.all.get(key) else {
            found.push(Difference::Missing(key.clone(), object.place));
            continue;
        };
        for (what, value) in &object.facts {
            match (value, other.facts.get(what).and_then(Option::as_ref)) {
                (Some(made), Some(there)) if made != there => found.push(Difference::Fact {
                    key: key.clone(),
                    what,
                    made: made.clone(),
                    there: there.clone(),
                    place: object.place,
                }),
                (Some(_), Some(_)) => {}
                _ => found.push(Difference::Unknown(key.clone(), what)),
            }
        }
    }
    for key in there.all.keys() {
        let (table, part, _) = key;
        let mine = *part == Part::Table || has_table(made, table) && !made.open.contains(table);
        let child = there.children.contains(table);
        if !made.all.contains_key(key) && mine && !is_vague(table) && !child {
            found.push(Difference::Extra(key.clone()));
        }
    }
    found
}

/// What migrations make.
#[must_use]
pub fn made(schema: &Schema) -> Objects {
    let mut objects = Objects::default();
    for table in schema.tables() {
        if table.is_temporary() || table.partition.is_some() {
            objects.vague.insert(table.name.clone());
            continue;
        }
        if !table.known || schema.doubt(&table.name).is_some() {
            objects.vague.insert(table.name.clone());
        }
        if table.of_type.is_some() || !table.inherits.is_empty() {
            objects.open.insert(table.name.clone());
        }
        if !table.known {
            continue;
        }
        let mut add = |part, name: &str, facts: Facts, place| {
            let object = Object {
                facts: facts.into_iter().collect(),
                place: Some(place),
            };
            objects
                .all
                .insert((table.name.clone(), part, name.to_owned()), object);
        };
        add(Part::Table, "", Vec::new(), table.created.location);
        for column in &table.columns {
            let place = column.created.location;
            add(Part::Column, &column.name, column_facts(column), place);
        }
        for constraint in &table.constraints {
            if matches!(constraint.def.kind, ConstraintKind::NotNull(_)) {
                continue;
            }
            let place = constraint.created.location;
            let facts = constraint_facts(constraint);
            add(Part::Constraint, &constraint.name, facts, place);
        }
        for index in schema.indexes_of(&table.name) {
            // That of a constraint goes with it.
            if index.constraint.is_none() {
                let place = index.created.location;
                add(Part::Index, &index.name.name, index_facts(index), place);
            }
        }
    }
    objects
}

type Facts = Vec<(&'static str, Option<String>)>;

fn column_facts(column: &Column) -> Facts {
    let ty = column.ty.as_ref().filter(|ty| !ty.is_unknown());
    let not_null = match column.not_null_not_valid {
        Some(_) => None,
        None => Some(nullability(column.not_null)),
    };
    let default = match (&column.sequence, &column.default) {
        _ if column.generated.is_some() || column.identity.is_some() => Some(NONE.to_owned()),
        (Some(_), _) => Some("nextval".to_owned()),
        (None, Some(default)) => default_text(default),
        (None, None) => Some(NONE.to_owned()),
    };
    let identity = match column.identity {
        Some(Identity::Always) => "always",
        Some(Identity::ByDefault) => "by default",
        None => NONE,
    };
    let generated = match &column.generated {
        Some(generated) => known(&generated.expr),
        None => Some(NONE.to_owned()),
    };
    vec![
        (
            "type",
            ty.map(|ty| type_text(ty, column.user_type.as_ref())),
        ),
        ("nullability", not_null),
        ("default", default),
        ("identity", Some(identity.to_owned())),
        ("generation expression", generated),
    ]
}

fn nullability(not_null: bool) -> String {
    if not_null { "NOT NULL" } else { "nullable" }.to_owned()
}

fn constraint_facts(constraint: &Constraint) -> Facts {
    let names = |columns: &[Ident]| {
        let names: Vec<&str> = columns.iter().map(|column| &*column.text).collect();
        Some(names.join(", ")).filter(|names| !names.is_empty())
    };
    let none = || Some(NONE.to_owned());
    let (kind, columns, referenced, check) = match &constraint.def.kind {
        ConstraintKind::NotNull(_) => ("NOT NULL", None, none(), none()),
        ConstraintKind::Check(expr) => ("CHECK", none(), none(), known(expr)),
        ConstraintKind::PrimaryKey(key) => ("PRIMARY KEY", names(&key.columns), none(), none()),
        ConstraintKind::Unique(key) => ("UNIQUE", names(&key.columns), none(), none()),
        ConstraintKind::Exclude { .. } => ("EXCLUDE", none(), none(), none()),
        ConstraintKind::ForeignKey(key) => {
            let parent = constraint.references.as_ref().map(plain);
            let referenced = parent
                .zip(names(&key.referenced))
                .map(|(parent, columns)| format!("{parent} ({columns})"));
            ("FOREIGN KEY", names(&key.columns), referenced, none())
        }
    };
    let valid = if constraint.valid {
        "valid"
    } else {
        "not validated"
    };
    vec![
        ("kind", Some(kind.to_owned())),
        ("column list", columns),
        ("referenced key", referenced),
        ("condition", check),
        ("validity", Some(valid.to_owned())),
    ]
}

fn index_facts(index: &Index) -> Facts {
    let unique = if index.unique { "unique" } else { "not unique" };
    let include: Vec<&str> = index.include.iter().map(|column| &*column.text).collect();
    let predicate = match &index.predicate {
        Some(predicate) => known(predicate),
        None => Some(NONE.to_owned()),
    };
    vec![
        ("uniqueness", Some(unique.to_owned())),
        ("method", Some(index.method.to_string())),
        ("key", elements(&index.elements)),
        ("INCLUDE list", Some(list_or_none(&include))),
        ("predicate", predicate),
    ]
}

fn list_or_none(names: &[&str]) -> String {
    if names.is_empty() {
        NONE.to_owned()
    } else {
        names.join(", ")
    }
}

fn elements(elements: &[Element]) -> Option<String> {
    let parts: Option<Vec<String>> = elements
        .iter()
        .map(|element| match (&element.column, &element.expr) {
            (Some(column), _) => Some(column.text.to_string()),
            (None, Some(expr)) => known(expr),
            (None, None) => None,
        })
        .collect();
    parts.map(|parts| parts.join(", "))
}

/// The normal form of an expression, if that tells it from others.
fn known(expr: &Expr) -> Option<String> {
    (!is_vague(expr)).then(|| expression(expr))
}

/// The same of a default; `DEFAULT NULL` is none.
fn default_text(expr: &Expr) -> Option<String> {
    let text = known(expr)?;
    Some(match text.as_str() {
        "null" => NONE.to_owned(),
        text if text.starts_with("nextval(") => "nextval".to_owned(),
        _ => text,
    })
}

/// A table of a database with what belongs to it, as `schema-drift.sql` returns it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TableRow {
    schema: String,
    name: String,
    /// A partition or a child.
    child: bool,
    /// None if somebody keeps it locked.
    columns: Option<Vec<ColumnRow>>,
    constraints: Option<Vec<ConstraintRow>>,
    indexes: Option<Vec<IndexRow>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ColumnRow {
    name: String,
    #[serde(rename = "type")]
    ty: String,
    not_null: bool,
    default: Option<String>,
    generated: Option<String>,
    identity: String,
}

#[derive(Debug, Clone, Deserialize)]
struct ConstraintRow {
    name: String,
    kind: String,
    columns: Option<Vec<String>>,
    parent: Option<String>,
    referenced: Option<Vec<String>>,
    check: Option<String>,
    valid: bool,
}

#[derive(Debug, Clone, Deserialize)]
struct IndexRow {
    name: String,
    unique: bool,
    method: String,
    keys: Vec<KeyRow>,
    include: Vec<String>,
    predicate: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct KeyRow {
    column: Option<String>,
    expression: Option<String>,
}

/// What a database holds.
#[must_use]
pub fn there(rows: Vec<TableRow>) -> Objects {
    let mut objects = Objects::default();
    // Types and defaults repeat.
    let mut types: BTreeMap<String, String> = BTreeMap::new();
    let mut texts: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut normal = |text: &str| -> Option<String> {
        texts
            .entry(text.to_owned())
            .or_insert_with(|| parsed(text).as_ref().and_then(default_text))
            .clone()
    };
    for row in rows {
        let table = QualifiedName::new(&row.schema, &row.name);
        if row.child {
            objects.children.insert(table.clone());
        }
        let (Some(columns), Some(constraints), Some(indexes)) =
            (row.columns, row.constraints, row.indexes)
        else {
            objects.vague.insert(table.clone());
            let key = (table, Part::Table, String::new());
            objects.all.insert(key, Object::default());
            continue;
        };
        let mut add = |part, name: String, facts: Facts| {
            let object = Object {
                facts: facts.into_iter().collect(),
                place: None,
            };
            objects.all.insert((table.clone(), part, name), object);
        };
        add(Part::Table, String::new(), Vec::new());
        for column in columns {
            let ty = types
                .entry(column.ty)
                .or_insert_with_key(|ty| normal_type(ty))
                .clone();
            let mut optional = |text: Option<String>| match text {
                Some(text) => normal(&text),
                None => Some(NONE.to_owned()),
            };
            let identity = match column.identity.as_str() {
                "a" => "always",
                "d" => "by default",
                _ => NONE,
            };
            let facts = vec![
                ("type", Some(ty)),
                ("nullability", Some(nullability(column.not_null))),
                ("default", optional(column.default)),
                ("identity", Some(identity.to_owned())),
                ("generation expression", optional(column.generated)),
            ];
            add(Part::Column, column.name, facts);
        }
        for constraint in constraints {
            add_constraint(constraint, &mut normal, &mut add);
        }
        for index in indexes {
            let unique = if index.unique { "unique" } else { "not unique" };
            let keys: Option<Vec<String>> = index
                .keys
                .into_iter()
                .map(|key| match (key.column, key.expression) {
                    (Some(column), _) => Some(column),
                    (None, Some(text)) => normal(&text),
                    (None, None) => None,
                })
                .collect();
            let include: Vec<&str> = index.include.iter().map(String::as_str).collect();
            let predicate = match index.predicate {
                Some(text) => normal(&text),
                None => Some(NONE.to_owned()),
            };
            let facts = vec![
                ("uniqueness", Some(unique.to_owned())),
                ("method", Some(index.method)),
                ("key", keys.map(|keys| keys.join(", "))),
                ("INCLUDE list", Some(list_or_none(&include))),
                ("predicate", predicate),
            ];
            add(Part::Index, index.name, facts);
        }
    }
    objects
}

fn add_constraint(
    constraint: ConstraintRow,
    normal: &mut dyn FnMut(&str) -> Option<String>,
    add: &mut dyn FnMut(Part, String, Facts),
) {
    let none = || Some(NONE.to_owned());
    let list = |names: Option<Vec<String>>| names.map(|names| names.join(", "));
    let (kind, columns, referenced, check) = match constraint.kind.as_str() {
        "c" => {
            let check = constraint.check.as_deref().and_then(normal);
            ("CHECK", none(), none(), check)
        }
        "p" => ("PRIMARY KEY", list(constraint.columns), none(), none()),
        "u" => ("UNIQUE", list(constraint.columns), none(), none()),
        "x" => ("EXCLUDE", none(), none(), none()),
        _ => {
            let referenced = constraint
                .parent
                .zip(list(constraint.referenced))
                .map(|(parent, columns)| format!("{parent} ({columns})"));
            ("FOREIGN KEY", list(constraint.columns), referenced, none())
        }
    };
    let valid = if constraint.valid {
        "valid"
    } else {
        "not validated"
    };
    let facts = vec![
        ("kind", Some(kind.to_owned())),
        ("column list", columns),
        ("referenced key", referenced),
        ("condition", check),
        ("validity", Some(valid.to_owned())),
    ];
    add(Part::Constraint, constraint.name, facts);
}

/// The full name of an object, as `lockgate live compare` shows it.
#[must_use]
pub fn full_name((table, part, name): &Key) -> String {
    let schema = quoted(&table.schema);
    match part {
        Part::Table => format!("{schema}.{}", quoted(&table.name)),
        Part::Column | Part::Constraint => {
            format!("{schema}.{}.{}", quoted(&table.name), quoted(name))
        }
        Part::Index => format!("{schema}.{}", quoted(name)),
    }
}

fn statements(sql: &str) -> Vec<Statement> {
    crate::sql::parse(&Fragment {
        sql: sql.into(),
        map: SpanMap::copied(0, sql.len()),
    })
    .statements
}

/// An expression that is written in SQL.
fn parsed(sql: &str) -> Option<Expr> {
    match statements(&format!("SELECT {sql}")).as_slice() {
        [
            Statement {
                kind: Kind::Select(query),
                ..
            },
        ] => query.targets.first().cloned(),
        _ => None,
    }
}

/// A type that is written in SQL, as [`type_text`] writes it.
#[must_use]
pub fn normal_type(sql: &str) -> String {
    match statements(&format!("ALTER TABLE t ALTER a TYPE {sql}")).as_slice() {
        [statement] => statement
            .altered_columns()
            .find_map(|(_, alter)| match &alter.change {
                ColumnChange::Type { ty, .. } => Some(type_text(ty, None)),
                _ => None,
            })
            .unwrap_or_else(|| sql.to_owned()),
        _ => sql.to_owned(),
    }
}

/// A type as text that is the same for two ways of writing it.
#[must_use]
pub fn type_text(ty: &TypeName, user: Option<&QualifiedName>) -> String {
    let mut text = match (user, &ty.schema) {
        (Some(user), _) => plain(user),
        (None, Some(schema)) => format!("{schema}.{}", ty.name),
        (None, None) => ty.name.to_string(),
    };
    let mut modifiers = ty.modifiers.clone();
    if ty.is("numeric") && modifiers.len() == 1 {
        modifiers.push(0);
    }
    if !modifiers.is_empty() {
        let list: Vec<String> = modifiers.iter().map(ToString::to_string).collect();
        text.push_str(&format!("({})", list.join(",")));
    }
    if ty.dimensions > 0 {
        text.push_str("[]");
    }
    text
}

/// A name without quotes.
fn plain(name: &QualifiedName) -> String {
    format!("{}.{}", name.schema, name.name)
}

/// The tables whose schemas hold what migrations make, for `$1` of the query.
#[must_use]
pub fn schemas(objects: &Objects) -> Vec<String> {
    let schemas: BTreeSet<&str> = objects
        .all
        .keys()
        .map(|(table, ..)| &*table.schema)
        .collect();
    schemas.into_iter().map(str::to_owned).collect()
}

/// Whether a table is one that migration tools keep for themselves.
#[must_use]
pub fn is_of_a_tool(name: &str) -> bool {
    [
        "migrations",
        "schema_version",
        "schema_history",
        "alembic_version",
        "goose_db_version",
        "databasechangelog",
        "databasechangeloglock",
        "ar_internal_metadata",
        "atlas_schema_revisions",
    ]
    .iter()
    .any(|known| name.contains(known))
}
