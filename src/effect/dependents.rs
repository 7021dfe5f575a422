//! What goes along with a table or column that is dropped, and what makes PostgreSQL refuse to drop it.
//!
//! Measured on 13 to 18. The schema says what depends on a column; here is what that means for a command. What the schema
//! does not know (functions over a row type) is left out.

use std::fmt;

use crate::schema::{DependentKind as Kind, Schema, Table, Uses, View};
use crate::statement::{ConstraintKind, QualifiedName, quoted};
use crate::wording;

pub(super) const FOREIGN_KEY: &str = "foreign key";
pub(super) const GENERATED_COLUMN: &str = "generated column";

/// An object that depends on what is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependent {
    /// PostgreSQL's word for it: `view`, `index`, `foreign key`, ….
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// The table it belongs to, if that is another one than the table concerned.
    pub of: Option<QualifiedName>,
    /// The relation that it is, if it is one.
    pub relation: Option<QualifiedName>,
    /// False if only a name that it mentions says so, which may be another relation's column.
    pub certain: bool,
}

impl Dependent {
    fn new(kind: &'static str, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            of: None,
            relation: None,
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

/// What makes PostgreSQL refuse to change the type of a column: views, rules, policies, triggers, publications, SQL bodies
/// and generated columns that are certain to depend on it (0A000; for generated columns 42601 before 15), and the
/// partition key (42P16). Foreign keys are made again.
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
    let mut found = Dependents::default();
    for known in schema.dependents_of_column(&table.name, column) {
        let here = known.on.as_ref() == Some(&table.name);
        let constraint = || {
            let of = known.on.as_ref().and_then(|on| schema.table_at(on));
            of.and_then(|of| of.constraint(&known.name))
        };
        let (blocks, kind) = match known.kind {
            // It goes with the column that owns it, which is no news.
            Kind::Sequence => continue,
            // PostgreSQL does not know of it.
            Kind::Function => continue,
            Kind::PartitionKey => {
                found.partition_key = true;
                continue;
            }
            Kind::GeneratedColumn if gone.contains(&&*known.name) => continue,
            Kind::GeneratedColumn => (postgres >= 15, known.kind.as_str()),
            Kind::Index | Kind::Statistics => (false, known.kind.as_str()),
            Kind::Constraint => {
                let word = constraint().map(|constraint| constraint_word(&constraint.def.kind));
                (false, word.unwrap_or_else(|| known.kind.as_str()))
            }
            // A foreign key of the table to itself is over the column as well, and goes with it.
            Kind::ForeignKey
                if here && constraint().is_some_and(|key| key.def.kind.mentions(column)) =>
            {
                continue;
            }
            Kind::ForeignKey
            | Kind::View
            | Kind::MaterializedView
            | Kind::Trigger
            | Kind::Policy
            | Kind::Rule
            | Kind::Publication
            | Kind::SqlBody => (true, known.kind.as_str()),
        };
        let name = match &known.relation {
            Some(relation) if known.kind == Kind::Index => quoted(&relation.name),
            Some(relation) => relation.short(),
            None if known.kind == Kind::SqlBody => known.name,
            None => quoted(&known.name),
        };
        let of = known.on.filter(|on| *on != table.name);
        let list = if blocks {
            &mut found.blocking
        } else {
            &mut found.along
        };
        list.push(Dependent {
            kind,
            name,
            of,
            relation: known.relation,
            certain: known.certain,
        });
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
            found.blocking.push(Dependent {
                relation: Some(view.name.clone()),
                ..Dependent::new(view_word(view), view.name.short())
            });
        }
    }
    found.blocking.extend(code_on(schema, table, |other| {
        other == table || gone.contains(other)
    }));
    for function in schema.sql_bodies_reading(table) {
        found
            .blocking
            .push(Dependent::new("function", function.short()));
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

/// Policies and rules of other tables that use a table, except of those that go as well.
pub(super) fn code_on(
    schema: &Schema,
    table: &QualifiedName,
    gone: impl Fn(&QualifiedName) -> bool,
) -> Vec<Dependent> {
    let uses = |uses: &Uses| uses.keys().any(|(relation, _)| relation == table);
    let mut found = Vec::new();
    for user in schema.tables_with_code(table) {
        if gone(&user.name) {
            continue;
        }
        let policies = user.policies.iter().filter(|known| uses(&known.elsewhere));
        let rules = user.rules.iter().filter(|known| uses(&known.elsewhere));
        let named = policies
            .map(|policy| ("policy", &policy.name))
            .chain(rules.map(|rule| ("rule", &rule.name)));
        found.extend(named.map(|(kind, name)| Dependent {
            of: Some(user.name.clone()),
            ..Dependent::new(kind, quoted(name))
        }));
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
