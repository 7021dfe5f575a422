//! Statements about what hangs on a table and is made of expressions: policies, rules, statistics, publications.

use super::expr::Expr;
use super::name::{Ident, Name};
use super::ty::TypeName;
use super::{Kind, Volatility};

/// `ALTER FUNCTION` with options.
#[derive(Debug, Clone)]
pub struct AlterFunction {
    /// Its name.
    pub name: Name,
    /// The types of its arguments, if they are written.
    pub signature: Option<Vec<TypeName>>,
    /// The new volatility, if one is written.
    pub volatility: Option<Volatility>,
}

/// `CREATE RULE`.
#[derive(Debug, Clone)]
pub struct CreateRule {
    /// Its name.
    pub name: Ident,
    /// The table or view.
    pub table: Name,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// `WHERE`.
    pub condition: Option<Expr>,
    /// What it does: queries and changes of rows.
    pub actions: Vec<Kind>,
}

/// `CREATE STATISTICS`.
#[derive(Debug, Clone)]
pub struct CreateStatistics {
    /// Its name; PostgreSQL chooses one if none is written.
    pub name: Option<Name>,
    /// The table.
    pub table: Name,
    /// What a name that PostgreSQL chooses is made of.
    pub label: Box<str>,
    /// Names of the columns, also of those in expressions.
    pub columns: Vec<Box<str>>,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
}

/// `CREATE POLICY`, `ALTER POLICY`.
#[derive(Debug, Clone)]
pub struct PolicyDefinition {
    /// Its name.
    pub name: Ident,
    /// `USING` and `WITH CHECK`, as far as they are written.
    pub expressions: Vec<Expr>,
}

/// What a statement does with the tables of a publication.
#[derive(Debug, Clone)]
pub struct PublicationDefinition {
    /// Its name.
    pub name: Ident,
    /// What is done.
    pub change: PublicationChange,
    /// The tables, each with the columns that its row filter mentions or its column list names.
    pub tables: Vec<(Name, Vec<Box<str>>)>,
}

/// How a statement changes the tables of a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicationChange {
    /// They are added (also `CREATE`).
    Add,
    /// They take the place of all that were there.
    Set,
    /// They are taken out.
    Drop,
}
