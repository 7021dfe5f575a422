//! The objects a [`super::Schema`] holds.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::depend::Uses;
use super::transaction::{Uncommitted, Within};
use crate::source::Location;
use crate::statement::table::{Generated, Identity};
use crate::statement::{
    Bound, ConstraintDef, ConstraintKind, Element, Expr, ExprKind, Ident, Nested, PartitionBy,
    Persistence, QualifiedName, Query, TypeName, Volatility,
};

/// Where and in which change something was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The statement that made it.
    pub location: Location,
    /// The change it belongs to.
    pub batch: u32,
    /// Number of the statement in the history, from 0.
    pub statement: u32,
}

/// For values that only carry a type.
pub(super) const NOWHERE: Origin = Origin {
    location: Location {
        source: crate::source::SourceId(0),
        span: crate::source::Span { start: 0, end: 0 },
    },
    batch: 0,
    statement: 0,
};

/// Kinds of tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableKind {
    /// An ordinary table (also a partition without partitions of its own).
    Ordinary,
    /// A partitioned table.
    Partitioned,
    /// A foreign table.
    Foreign,
}

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name.
    pub name: QualifiedName,
    /// Its kind.
    pub kind: TableKind,
    /// The history creates it; otherwise only what statements said about it is known.
    pub known: bool,
    /// Temporary or unlogged.
    pub persistence: Persistence,
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Constraints other than NOT NULL in order.
    pub constraints: Vec<Constraint>,
    /// How it is partitioned.
    pub partition_by: Option<PartitionBy>,
    /// What it is a partition of.
    pub partition: Option<Partition>,
    /// Inheritance parents.
    pub inherits: Vec<QualifiedName>,
    /// Triggers.
    pub triggers: Vec<Trigger>,
    /// Policies.
    pub policies: Vec<Policy>,
    /// Rewrite rules.
    pub rules: Vec<Rule>,
    /// Extended statistics.
    pub statistics: Vec<Statistics>,
    /// Publications that name it.
    pub publications: Vec<Publication>,
    /// The composite type of a typed table.
    pub of_type: Option<QualifiedName>,
    /// Row level security is enabled.
    pub row_security: bool,
    /// Row level security is forced for the owner too.
    pub force_row_security: bool,
    /// Who made it.
    pub created: Origin,
    /// The statement that put rows in bulk into it (`INSERT … SELECT`, `COPY`), since it was created.
    pub filled: Option<Origin>,
    /// The comment on it.
    pub comment: Option<Box<str>>,
}

impl Table {
    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| &*column.name == name)
    }

    pub(super) fn column_mut(&mut self, name: &str) -> Option<&mut Column> {
        self.columns.iter_mut().find(|column| &*column.name == name)
    }

    /// The constraint of that name.
    #[must_use]
    pub fn constraint(&self, name: &str) -> Option<&Constraint> {
        self.constraints
            .iter()
            .find(|constraint| &*constraint.name == name)
    }

    /// The primary key.
    #[must_use]
    pub fn primary_key(&self) -> Option<&Constraint> {
        self.constraints
            .iter()
            .find(|constraint| matches!(constraint.def.kind, ConstraintKind::PrimaryKey(_)))
    }

    /// True for a temporary table.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.persistence == Persistence::Temporary
    }

    /// True if it is a partition or inheritance child of that table.
    #[must_use]
    pub fn is_child_of(&self, parent: &QualifiedName) -> bool {
        self.partition
            .as_ref()
            .is_some_and(|partition| partition.parent == *parent)
            || self.inherits.contains(parent)
    }
}

/// A table's place in a partitioned one.
#[derive(Debug, Clone)]
pub struct Partition {
    /// The parent.
    pub parent: QualifiedName,
    /// It is the default partition.
    pub is_default: bool,
    /// Its bound as written.
    pub bound: Box<str>,
    /// The same as values.
    pub values: Bound,
}

/// A column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: Box<str>,
    /// Its type; none if the history does not tell.
    pub ty: Option<TypeName>,
    /// The user-defined type that it is of, or an array of.
    pub user_type: Option<QualifiedName>,
    /// The sequence that its default takes values from (`serial`, `nextval('…')`).
    pub sequence: Option<QualifiedName>,
    /// Defined by the table itself and not only by a parent: it stays when the parent loses it.
    pub own: bool,
    /// NOT NULL is known to hold.
    pub not_null: bool,
    /// It does by the table's own definition, and not only because a parent demands it.
    pub not_null_own: bool,
    /// A NOT NULL constraint that is not valid yet (18), by its name.
    pub not_null_not_valid: Option<Box<str>>,
    /// Its default.
    pub default: Option<Expr>,
    /// Identity.
    pub identity: Option<Identity>,
    /// Generation expression.
    pub generated: Option<Generated>,
    /// Collation, if not the default one.
    pub collation: Option<Box<str>>,
    /// The history adds it; otherwise a statement only mentions it.
    pub added: bool,
    /// Who added it, or mentions it first.
    pub created: Origin,
    /// The comment on it.
    pub comment: Option<Box<str>>,
}

/// A table constraint.
#[derive(Debug, Clone)]
pub struct Constraint {
    /// Its name; the one PostgreSQL chooses if none was written.
    pub name: Box<str>,
    /// Its definition.
    pub def: ConstraintDef,
    /// It holds for all rows.
    pub valid: bool,
    /// The table a foreign key references.
    pub references: Option<QualifiedName>,
    /// Defined by the table itself and not only by a parent: it stays when the parent loses it.
    pub own: bool,
    /// The constraint of the partitioned table that this one of its partition belongs to.
    pub parent: Option<Box<str>>,
    /// Who added it.
    pub created: Origin,
    /// Who validated it, if not the statement that added it.
    pub validated: Option<Origin>,
}

/// An index.
#[derive(Debug, Clone)]
pub struct Index {
    /// Its name.
    pub name: QualifiedName,
    /// Its table.
    pub table: QualifiedName,
    /// `UNIQUE`.
    pub unique: bool,
    /// Access method.
    pub method: Box<str>,
    /// Keys.
    pub elements: Vec<Element>,
    /// `INCLUDE` columns.
    pub include: Vec<Ident>,
    /// `WHERE`.
    pub predicate: Option<Expr>,
    /// `NULLS NOT DISTINCT`.
    pub nulls_not_distinct: bool,
    /// Usable for queries; false for an index on `ONLY` a partitioned table.
    pub valid: bool,
    /// Name of the constraint it belongs to.
    pub constraint: Option<Box<str>>,
    /// The index of the partitioned table that this one of its partition belongs to.
    pub parent: Option<QualifiedName>,
    /// Who made it.
    pub created: Origin,
    /// Built `CONCURRENTLY`.
    pub concurrently: bool,
}

impl Index {
    /// Names of the plain columns among its keys, in order.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.elements
            .iter()
            .filter_map(|element| element.column.as_ref().map(|column| &*column.text))
    }

    /// True if the keys of this one are the first keys of the other one, in the same order, and both are of one method.
    #[must_use]
    pub fn keys_lead(&self, other: &Self) -> bool {
        self.method == other.method
            && self.elements.len() <= other.elements.len()
            && self.elements.iter().zip(&other.elements).all(|(a, b)| {
                let expr = match (&a.expr, &b.expr) {
                    (None, None) => true,
                    (Some(a), Some(b)) => a.same(b),
                    _ => false,
                };
                a.column == b.column
                    && expr
                    && a.opclass == b.opclass
                    && a.collation == b.collation
                    && a.default_order == b.default_order
            })
    }

    /// True if both have the same keys and the same `WHERE`.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let predicate = match (&self.predicate, &other.predicate) {
            (None, None) => true,
            (Some(a), Some(b)) => a.same(b),
            _ => false,
        };
        self.elements.len() == other.elements.len() && self.keys_lead(other) && predicate
    }

    /// True if it finds the rows with given values of the columns: they are its first keys, in whatever order, and a
    /// `WHERE` leaves out no more than their nulls.
    #[must_use]
    pub fn serves(&self, columns: &[&str]) -> bool {
        let first: Vec<Option<&str>> = self
            .elements
            .iter()
            .take(columns.len())
            .map(|element| element.column.as_ref().map(|column| &*column.text))
            .collect();
        let skips_nulls = self
            .predicate
            .as_ref()
            .is_none_or(|predicate| match &predicate.kind {
                ExprKind::IsNotNull(inner) => inner
                    .as_column()
                    .is_some_and(|column| columns.contains(&column)),
                _ => false,
            });
        matches!(&*self.method, "btree" | "hash")
            && columns.iter().all(|column| first.contains(&Some(column)))
            && skips_nulls
    }

    /// True if the column is mentioned anywhere in it.
    #[must_use]
    pub fn mentions(&self, column: &str) -> bool {
        self.columns().any(|name| name == column)
            || self.include.iter().any(|name| &*name.text == column)
            || self
                .elements
                .iter()
                .filter_map(|element| element.expr.as_ref())
                .any(|expr| expr.columns().any(|c| c == column))
            || self
                .predicate
                .as_ref()
                .is_some_and(|predicate| predicate.columns().any(|c| c == column))
    }
}

/// A view or materialized view.
#[derive(Debug, Clone)]
pub struct View {
    /// Its name.
    pub name: QualifiedName,
    /// Materialized.
    pub materialized: bool,
    /// A materialized view that holds rows.
    pub populated: bool,
    /// Output columns, as far as known.
    pub columns: Vec<Box<str>>,
    /// Relations it reads.
    pub reads: Vec<QualifiedName>,
    /// Columns of relations that it uses, as far as they can be told apart.
    pub uses: Uses,
    /// Its query.
    pub query: Query,
    /// Who made it.
    pub created: Origin,
}

/// A sequence.
#[derive(Debug, Clone)]
pub struct Sequence {
    /// Its name.
    pub name: QualifiedName,
    /// The column it belongs to.
    pub owned_by: Option<(QualifiedName, Box<str>)>,
    /// Its type; bigint if none was written.
    pub ty: Option<TypeName>,
    /// Who made it.
    pub created: Origin,
}

/// A user-defined type.
#[derive(Debug, Clone)]
pub struct Type {
    /// Its name.
    pub name: QualifiedName,
    /// What it is.
    pub kind: TypeKind,
    /// Who made it.
    pub created: Origin,
    /// The point of a transaction at which that was, if one was known to be open.
    pub within: Option<Within>,
}

/// Kinds of user-defined types.
#[derive(Debug, Clone)]
pub enum TypeKind {
    /// An enum.
    Enum(Vec<EnumLabel>),
    /// A domain.
    Domain(Box<Domain>),
    /// A composite type.
    Composite(Vec<Column>),
    /// Range and base types.
    Other,
}

/// A label of an enum.
#[derive(Debug, Clone)]
pub struct EnumLabel {
    /// Its text.
    pub label: Box<str>,
    /// Who added it.
    pub created: Origin,
    /// It was added by `ADD VALUE` in a transaction that was known.
    pub uncommitted: Option<Uncommitted>,
}

/// A domain.
#[derive(Debug, Clone)]
pub struct Domain {
    /// The type under it.
    pub base: TypeName,
    /// That type, if it is a user-defined one.
    pub base_type: Option<QualifiedName>,
    /// NOT NULL.
    pub not_null: bool,
    /// CHECK constraints: name, expression and validity.
    pub checks: Vec<(Box<str>, Expr, bool)>,
    /// Its default.
    pub default: Option<Expr>,
}

/// A function or procedure.
#[derive(Debug, Clone)]
pub struct Function {
    /// Types of its arguments.
    pub arguments: Vec<TypeName>,
    /// For each argument its user-defined type, if it is one.
    pub argument_types: Vec<Option<QualifiedName>>,
    /// Language.
    pub language: Box<str>,
    /// Declared volatility.
    pub volatility: Volatility,
    /// The single expression of a SQL-language body.
    pub sql_expression: Option<Expr>,
    /// Procedure.
    pub procedure: bool,
    /// Result type.
    pub returns: Option<TypeName>,
    /// The statements of its body, as far as it can be read.
    pub statements: Arc<[Nested]>,
    /// The user-defined type that the result is of.
    pub return_type: Option<QualifiedName>,
    /// Relations that statements in its body name, as far as it could be read.
    pub reads: BTreeSet<QualifiedName>,
    /// Columns that statements in its body mention, with the relation they may be of.
    pub uses: Uses,
    /// Its body is SQL itself (`BEGIN ATOMIC`, `RETURN`): PostgreSQL knows what it uses.
    pub atomic: bool,
    /// Who made it.
    pub created: Origin,
}

/// A trigger.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// Its name.
    pub name: Box<str>,
    /// The function it calls.
    pub function: QualifiedName,
    /// Columns of `UPDATE OF`.
    pub columns: Vec<Box<str>>,
    /// Columns that its `WHEN` mentions.
    pub when_columns: Vec<Box<str>>,
    /// `FOR EACH ROW`.
    pub row: bool,
    /// It is a partition's copy of a trigger of the partitioned table.
    pub cloned: bool,
    /// Who made it.
    pub created: Origin,
}

/// A row level security policy.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Its name.
    pub name: Box<str>,
    /// Columns of its table that its expressions mention.
    pub columns: Vec<Box<str>>,
    /// Those of them that an expression mentioned which `ALTER POLICY` may have replaced.
    pub unsure: Vec<Box<str>>,
    /// Columns of other relations that queries in its expressions use.
    pub elsewhere: Uses,
    /// Functions that they call.
    pub calls: Vec<QualifiedName>,
    /// Who made it.
    pub created: Origin,
}

/// A rewrite rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name.
    pub name: Box<str>,
    /// Columns of its table that it mentions as those of `NEW` and `OLD`.
    pub columns: Vec<Box<str>>,
    /// Columns of relations that its actions use.
    pub elsewhere: Uses,
    /// Who made it.
    pub created: Origin,
}

/// Extended statistics of a table.
#[derive(Debug, Clone)]
pub struct Statistics {
    /// Its name.
    pub name: QualifiedName,
    /// The columns it is about.
    pub columns: Vec<Box<str>>,
    /// Who made it.
    pub created: Origin,
}

/// A publication, as far as it is about one table.
#[derive(Debug, Clone)]
pub struct Publication {
    /// Its name.
    pub name: Box<str>,
    /// Columns that its row filter mentions or that it is restricted to.
    pub columns: Vec<Box<str>>,
}
