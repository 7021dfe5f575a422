//! `CREATE TABLE` and what columns and constraints are made of.

use super::expr::{Element, Expr};
use super::name::{Ident, Name};
use super::ty::TypeName;
use crate::source::Span;

/// How long a relation and its contents live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Persistence {
    /// Ordinary.
    #[default]
    Permanent,
    /// Not written to WAL.
    Unlogged,
    /// Gone with the session.
    Temporary,
}

/// `CREATE TABLE`.
#[derive(Debug, Clone)]
pub struct CreateTable {
    /// Its name.
    pub name: Name,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// Temporary or unlogged.
    pub persistence: Persistence,
    /// `CREATE FOREIGN TABLE`.
    pub foreign: bool,
    /// Columns in order.
    pub columns: Vec<ColumnDef>,
    /// Table constraints, and column constraints other than NOT NULL, DEFAULT, identity and generation.
    pub constraints: Vec<ConstraintDef>,
    /// `INHERITS`.
    pub inherits: Vec<Name>,
    /// `LIKE`: source table and whether indexes, constraints, defaults are copied.
    pub like: Vec<Like>,
    /// `OF type`.
    pub of_type: Option<Name>,
    /// `PARTITION BY`.
    pub partition_by: Option<PartitionBy>,
    /// `PARTITION OF`.
    pub partition_of: Option<PartitionOf>,
}

/// A `LIKE` clause.
#[derive(Debug, Clone)]
pub struct Like {
    /// The source.
    pub table: Name,
    /// Number of columns written before the clause.
    pub at: usize,
    /// `INCLUDING COMMENTS`.
    pub comments: bool,
    /// `INCLUDING CONSTRAINTS`.
    pub constraints: bool,
    /// `INCLUDING DEFAULTS`.
    pub defaults: bool,
    /// `INCLUDING GENERATED`.
    pub generated: bool,
    /// `INCLUDING IDENTITY`.
    pub identity: bool,
    /// `INCLUDING INDEXES`.
    pub indexes: bool,
}

/// `PARTITION BY`.
#[derive(Debug, Clone)]
pub struct PartitionBy {
    /// `range`, `list` or `hash`.
    pub strategy: Strategy,
    /// Key columns and expressions.
    pub key: Vec<Element>,
}

/// How a table is partitioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are PostgreSQL's own")]
pub enum Strategy {
    Range,
    List,
    Hash,
}

/// `PARTITION OF parent FOR VALUES …`.
#[derive(Debug, Clone)]
pub struct PartitionOf {
    /// The parent.
    pub parent: Name,
    /// `DEFAULT`.
    pub is_default: bool,
    /// The bound as written.
    pub bound: Box<str>,
    /// What the bound says.
    pub values: Bound,
}

/// A partition's bound.
#[derive(Debug, Clone)]
pub enum Bound {
    /// `DEFAULT`.
    Default,
    /// `IN (…)`.
    List(Vec<Expr>),
    /// `FROM (…) TO (…)`; `MINVALUE` and `MAXVALUE` are column references of that name, as in PostgreSQL's parser.
    Range(Vec<Expr>, Vec<Expr>),
    /// `WITH (MODULUS …, REMAINDER …)`.
    Hash,
}

/// A column as defined by `CREATE TABLE`, `ADD COLUMN` or a composite type.
#[derive(Debug, Clone)]
pub struct ColumnDef {
    /// Its name.
    pub name: Ident,
    /// Its type; none for the typed-table form.
    pub ty: Option<TypeName>,
    /// `NOT NULL` (also through `PRIMARY KEY`, identity and serial).
    pub not_null: bool,
    /// `NOT NULL` was written.
    pub not_null_written: bool,
    /// `DEFAULT`.
    pub default: Option<Expr>,
    /// `GENERATED … AS IDENTITY`.
    pub identity: Option<Identity>,
    /// `GENERATED ALWAYS AS (…)`.
    pub generated: Option<Generated>,
    /// `COLLATE`.
    pub collation: Option<Box<str>>,
    /// Constraints written at the column, other than those above.
    pub constraints: Vec<ConstraintDef>,
    /// `COMPRESSION` is written.
    pub compression: bool,
    /// `STORAGE` is written.
    pub storage: bool,
    /// The whole definition.
    pub span: Span,
}

/// Identity columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are PostgreSQL's own")]
pub enum Identity {
    Always,
    ByDefault,
}

/// Generated columns.
#[derive(Debug, Clone)]
pub struct Generated {
    /// The expression.
    pub expr: Expr,
    /// `STORED`; without a keyword PostgreSQL 18 takes `VIRTUAL`.
    pub stored: bool,
}

/// A constraint.
#[derive(Debug, Clone)]
pub struct ConstraintDef {
    /// Its name, if written.
    pub name: Option<Ident>,
    /// What it is.
    pub kind: ConstraintKind,
    /// `NOT VALID`.
    pub not_valid: bool,
    /// `NOT ENFORCED` (18).
    pub not_enforced: bool,
    /// `NO INHERIT`.
    pub no_inherit: bool,
    /// `DEFERRABLE`.
    pub deferrable: bool,
    /// Where it stands.
    pub span: Span,
}

/// Kinds of constraints.
#[derive(Debug, Clone)]
pub enum ConstraintKind {
    /// `NOT NULL column` as a table constraint (18).
    NotNull(Ident),
    /// `CHECK`.
    Check(Expr),
    /// `PRIMARY KEY`: columns, or the index of `USING INDEX`.
    PrimaryKey(Key),
    /// `UNIQUE`.
    Unique(Key),
    /// `EXCLUDE`.
    Exclude {
        /// Access method.
        method: Box<str>,
        /// Elements with their operators.
        elements: Vec<Element>,
        /// `WHERE`.
        predicate: Option<Expr>,
    },
    /// `FOREIGN KEY`, `REFERENCES`.
    ForeignKey(Box<ForeignKey>),
}

/// The columns of a primary key or unique constraint.
#[derive(Debug, Clone)]
pub struct Key {
    /// Key columns; empty with `USING INDEX`.
    pub columns: Vec<Ident>,
    /// `INCLUDE` columns.
    pub include: Vec<Ident>,
    /// `USING INDEX`.
    pub using_index: Option<Ident>,
    /// `NULLS NOT DISTINCT`.
    pub nulls_not_distinct: bool,
    /// `WITHOUT OVERLAPS` at the last column.
    pub without_overlaps: bool,
}

/// A foreign key.
#[derive(Debug, Clone)]
pub struct ForeignKey {
    /// Referencing columns.
    pub columns: Vec<Ident>,
    /// Referenced table.
    pub table: Name,
    /// Referenced columns; empty means its primary key.
    pub referenced: Vec<Ident>,
    /// `ON DELETE`.
    pub on_delete: ReferentialAction,
    /// `ON UPDATE`.
    pub on_update: ReferentialAction,
    /// `SET NULL (…)`, `SET DEFAULT (…)`: only some of the columns.
    pub sets_some: bool,
    /// `PERIOD` at the last column.
    pub period: bool,
}

/// What a foreign key does with referencing rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's own")]
pub enum ReferentialAction {
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

impl ConstraintKind {
    /// True if the column is among those that the constraint is about, on its own side.
    #[must_use]
    pub fn mentions(&self, column: &str) -> bool {
        let among = |columns: &[Ident]| columns.iter().any(|name| &*name.text == column);
        let inside = |expr: &Expr| expr.columns().any(|name| name == column);
        match self {
            Self::NotNull(name) => &*name.text == column,
            Self::Check(expr) => inside(expr),
            Self::PrimaryKey(key) | Self::Unique(key) => among(&key.columns) || among(&key.include),
            Self::Exclude {
                elements,
                predicate,
                ..
            } => {
                predicate.as_ref().is_some_and(inside)
                    || elements.iter().any(|element| element.mentions(column))
            }
            Self::ForeignKey(foreign) => among(&foreign.columns),
        }
    }

    /// PostgreSQL's words for it.
    #[must_use]
    pub fn words(&self) -> &'static str {
        match self {
            Self::NotNull(_) => "NOT NULL",
            Self::Check(_) => "CHECK",
            Self::PrimaryKey(_) => "PRIMARY KEY",
            Self::Unique(_) => "UNIQUE",
            Self::Exclude { .. } => "EXCLUDE",
            Self::ForeignKey(_) => "FOREIGN KEY",
        }
    }
}
