//! What goes along with a table or column that is dropped, and what makes PostgreSQL refuse to drop it.
//!
//! Measured on 13 to 18. What the schema does not know (policies' columns, extended statistics, functions over a row
//! type) is left out.

use std::fmt;

use crate::schema::{Column, Relation, Schema, Table, View};
use crate::statement::{ConstraintKind, QualifiedName, quoted};
use crate::wording;

const FOREIGN_KEY: &str = "foreign key";

/// An object that depends on what is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependent {
    /// PostgreSQL's word for it: `view`, `index`, `foreign key`, ….
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// The table it belongs to, if that is another one than the table concerned.
    pub of: Option<QualifiedName>,
    /// False if only a name that it mentions says so, which may be another relation's column.
    pub certain: bool,
}

impl Dependent {
    fn new(kind: &'static str, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            of: None,
            certain: true,
        }
    }
}

/// Objects by their words and names: view `a` and trigger `b`.
#[must_use]
pub fn list<'d>(dependents: impl IntoIterator<Item = &'d Dependent>) -> String {
    wording::all(dependents.into_iter().map(Dependent::to_string).collect())
}

/// The same as a sentence: view `a` and trigger `b` depend on it.
#[must_use]
pub fn depend_on_it(dependents: &[&Dependent]) -> String {
    let verb = if dependents.len() == 1 {
        "depends"
    } else {
        "depend"
    };
    format!("{} {verb} on it", list(dependents.iter().copied()))
}

/// The same: index `a` goes with it.
#[must_use]
pub fn go_with_it(dependents: &[Dependent]) -> String {
    let verb = if dependents.len() == 1 { "goes" } else { "go" };
    format!("{} {verb} with it", list(dependents))
}

impl fmt::Display for Dependent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.kind, self.name)?;
        match &self.of {
            Some(table) => write!(f, " of `{}`", table.short()),
            None => Ok(()),
        }
    }
}

/// Objects that depend on what is dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependents {
    /// Dropped along without a word.
    pub along: Vec<Dependent>,
    /// Without CASCADE the command is refused for them (2BP01); with it they are dropped too.
    pub blocking: Vec<Dependent>,
    /// The column is part of the partition key, and cannot be dropped at all (42P16).
    pub partition_key: bool,
}

impl Dependents {
    /// Those for which the command is certain to be refused without CASCADE.
    #[must_use]
    pub fn certain(&self) -> Vec<&Dependent> {
        self.blocking
            .iter()
            .filter(|dependent| dependent.certain)
            .collect()
    }
}

/// What makes PostgreSQL refuse to change the type of a column: views, triggers and generated columns, which are certain
/// to depend on it (0A000; for generated columns 42601 before 15), and the partition key (42P16). Foreign keys are made again.
#[must_use]
pub fn of_type(schema: &Schema, table: &Table, column: &str) -> Dependents {
    // Since 15 a generated column stops a drop of what it needs; a change of the type it has always stopped.
    let mut found = of_column(schema, table, column, &[], 15);
    found
        .blocking
        .retain(|dependent| dependent.certain && dependent.kind != FOREIGN_KEY);
    found
}

/// What depends on a column. `gone` are columns that the same command drops before.
#[must_use]
pub fn of_column(
    schema: &Schema,
    table: &Table,
    column: &str,
    gone: &[&str],
    postgres: u32,
) -> Dependents {
    let mut found = Dependents {
        partition_key: table
            .partition_by
            .as_ref()
            .is_some_and(|by| by.key.iter().any(|element| element.mentions(column))),
        ..Dependents::default()
    };
    for index in schema.indexes_of(&table.name) {
        if index.constraint.is_none() && index.mentions(column) {
            found
                .along
                .push(Dependent::new("index", quoted(&index.name.name)));
        }
    }
    for constraint in &table.constraints {
        if constraint.def.kind.mentions(column) {
            found.along.push(Dependent::new(
                constraint_word(&constraint.def.kind),
                quoted(&constraint.name),
            ));
        }
    }
    for other in &table.columns {
        let generated = other.generated.as_ref();
        if gone.contains(&&*other.name)
            || !generated.is_some_and(|made| made.expr.columns().any(|name| name == column))
        {
            continue;
        }
        let dependent = Dependent::new("generated column", quoted(&other.name));
        if postgres >= 15 {
            found.blocking.push(dependent);
        } else {
            found.along.push(dependent);
        }
    }
    for trigger in &table.triggers {
        let named = |columns: &[Box<str>]| columns.iter().any(|name| &**name == column);
        if named(&trigger.columns) || named(&trigger.when_columns) {
            found
                .blocking
                .push(Dependent::new("trigger", quoted(&trigger.name)));
        }
    }
    let referencing = schema
        .may_be_referenced(&table.name, column)
        .then(|| schema.referencing(&table.name));
    for (other, constraint) in referencing.into_iter().flatten() {
        let ConstraintKind::ForeignKey(foreign) = &constraint.def.kind else {
            continue;
        };
        let references = if foreign.referenced.is_empty() {
            table
                .primary_key()
                .is_some_and(|key| key.def.kind.mentions(column))
        } else {
            foreign.referenced.iter().any(|name| &*name.text == column)
        };
        let goes_along = other.name == table.name && constraint.def.kind.mentions(column);
        if references && !goes_along {
            found.blocking.push(Dependent {
                of: (other.name != table.name).then(|| other.name.clone()),
                ..Dependent::new(FOREIGN_KEY, quoted(&constraint.name))
            });
        }
    }
    for view in schema.views_using(&table.name, column) {
        if let Some(certain) = reads(schema, view, table, column) {
            found.blocking.push(Dependent {
                certain,
                ..Dependent::new(view_word(view), view.name.short())
            });
        }
    }
    found
}

/// What depends on a table. `gone` are the relations that the same command drops.
#[must_use]
pub fn of_table(schema: &Schema, table: &QualifiedName, gone: &[QualifiedName]) -> Dependents {
    let mut found = Dependents::default();
    for (other, constraint) in schema.referencing(table) {
        if other.name != *table && !gone.contains(&other.name) {
            found.blocking.push(Dependent {
                of: Some(other.name.clone()),
                ..Dependent::new(FOREIGN_KEY, quoted(&constraint.name))
            });
        }
    }
    for view in schema.views_of(table) {
        if !gone.contains(&view.name) {
            found
                .blocking
                .push(Dependent::new(view_word(view), view.name.short()));
        }
    }
    for child in schema.children(table) {
        let dependent = Dependent::new("table", child.name.short());
        if child.partition.is_some() {
            found.along.push(Dependent {
                kind: "partition",
                ..dependent
            });
        } else if !gone.contains(&child.name) {
            found.blocking.push(dependent);
        }
    }
    found
}

/// Foreign keys for which a TRUNCATE of the tables is refused (0A000), with the table that one references.
#[must_use]
pub fn of_truncate(
    schema: &Schema,
    table: &QualifiedName,
    emptied: &[QualifiedName],
) -> Vec<Dependent> {
    // What references a partitioned table references its partitions.
    let mut tables = vec![table.clone()];
    let mut at = 0;
    while let Some(name) = tables.get(at).cloned() {
        at += 1;
        let parent = schema
            .table_at(&name)
            .and_then(|table| table.partition.as_ref())
            .map(|partition| partition.parent.clone());
        tables.extend(parent.filter(|parent| !tables.contains(parent)));
    }
    tables
        .iter()
        .flat_map(|name| schema.referencing(name))
        .filter(|(other, _)| !emptied.contains(&other.name))
        .map(|(other, constraint)| Dependent {
            of: Some(other.name.clone()),
            ..Dependent::new(FOREIGN_KEY, quoted(&constraint.name))
        })
        .collect()
}

/// Whether a view reads a column, and how sure that is; none if it does not.
pub(super) fn reads(schema: &Schema, view: &View, table: &Table, column: &str) -> Option<bool> {
    if !view.reads.contains(&table.name) {
        return None;
    }
    // `*` stands for the columns that were there when the view was made.
    let older = |known: &Column| known.created.statement < view.created.statement;
    let starred = view.query.star && table.column(column).is_some_and(older);
    let named = view.query.columns.iter().any(|name| &*name.text == column);
    if !starred && !named {
        return None;
    }
    let others = view.reads.iter().filter(|name| **name != table.name);
    let elsewhere = |name: &QualifiedName| match schema.relation_at(name) {
        Some(Relation::Table(other)) if other.known => other.column(column).is_some(),
        _ => true,
    };
    let mut others = others.peekable();
    Some(if named {
        !others.any(elsewhere)
    } else {
        others.peek().is_none()
    })
}

fn view_word(view: &View) -> &'static str {
    if view.materialized {
        "materialized view"
    } else {
        "view"
    }
}

fn constraint_word(kind: &ConstraintKind) -> &'static str {
    match kind {
        ConstraintKind::NotNull(_) => "constraint",
        ConstraintKind::Check(_) => "check",
        ConstraintKind::PrimaryKey(_) => "primary key",
        ConstraintKind::Unique(_) => "unique constraint",
        ConstraintKind::Exclude { .. } => "exclusion constraint",
        ConstraintKind::ForeignKey(_) => FOREIGN_KEY,
    }
}
