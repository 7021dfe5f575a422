//! Statements that change rows.

use super::expr::Expr;
use super::name::{Ident, Name};
use super::{Query, Relation};

/// `INSERT`.
#[derive(Debug, Clone)]
pub struct Insert {
    /// The table.
    pub table: Name,
    /// Columns named; empty if none is.
    pub columns: Vec<Ident>,
    /// Where the rows come from.
    pub rows: InsertRows,
    /// The values of its first rows, as far as they are expressions: rows of `VALUES`, or the output of a query.
    pub values: Vec<Vec<Expr>>,
    /// The values of the first row of `VALUES`; empty for `DEFAULT VALUES` and for a query.
    pub first_row: Vec<Expr>,
    /// `OVERRIDING`.
    pub overriding: Option<Overriding>,
    /// `ON CONFLICT`.
    pub on_conflict: bool,
    /// Everything else it reads (`WITH`, sub-queries, `RETURNING`).
    pub query: Query,
}

/// What an `INSERT` says about values for identity columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overriding {
    /// `OVERRIDING SYSTEM VALUE`: they are taken, also where identity is `ALWAYS`.
    System,
    /// `OVERRIDING USER VALUE`: the sequence's value is taken instead.
    User,
}

/// Where the rows of an `INSERT` come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InsertRows {
    /// `VALUES` with so many rows; `DEFAULT VALUES` is one.
    Values(usize),
    /// A query.
    Query,
}

/// `UPDATE`, `DELETE` or `MERGE`.
#[derive(Debug, Clone)]
pub struct Change {
    /// Which.
    pub verb: ChangeVerb,
    /// The table.
    pub table: Relation,
    /// Columns set by an `UPDATE`, with their new values.
    pub assignments: Vec<(Ident, Expr)>,
    /// `WHERE` (for `MERGE` the join condition).
    pub condition: Option<Expr>,
    /// The tables of `FROM` or `USING` by the names they are known under there; none if there are other sources.
    pub sources: Option<Vec<(Box<str>, Name)>>,
    /// Everything else it reads.
    pub query: Query,
}

/// Statements that change rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's own")]
pub enum ChangeVerb {
    Insert,
    Update,
    Delete,
    Merge,
}

/// A part of a query's rows, by `LIMIT`, `FETCH FIRST` or `OFFSET`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// Number of rows, where it is written as a number.
    pub size: Option<i32>,
    /// There is an `ORDER BY`.
    pub ordered: bool,
    /// There is an `OFFSET` other than 0.
    pub offset: bool,
}
