//! `CREATE FUNCTION`, `ALTER FUNCTION`.

use super::{Expr, Name, TypeName, Volatility};
use crate::source::Fragment;

/// `CREATE FUNCTION`, `CREATE PROCEDURE`.
#[derive(Debug, Clone)]
pub struct CreateFunction {
    /// Its name.
    pub name: Name,
    /// Procedure rather than function.
    pub procedure: bool,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// Types of the input arguments.
    pub arguments: Vec<TypeName>,
    /// Names of the arguments, input and output, for telling them from columns.
    pub argument_names: Vec<Box<str>>,
    /// Result type.
    pub returns: Option<TypeName>,
    /// Language, lower case; `sql` for a body without `AS`.
    pub language: Box<str>,
    /// `IMMUTABLE`, `STABLE` or `VOLATILE`; volatile if nothing is written.
    pub volatility: Volatility,
    /// The single expression that a SQL-language body selects, where it is that simple.
    pub sql_expression: Option<Expr>,
    /// Body text, for languages with one.
    pub body: Option<Fragment>,
    /// The body is SQL itself (`BEGIN ATOMIC`, `RETURN`, 14): PostgreSQL always reads it when the function is made.
    pub atomic: bool,
    /// How many of the input arguments have a default.
    pub defaults: usize,
    /// It has output arguments, or returns a table.
    pub outputs: bool,
    /// Attributes other than those above.
    pub attributes: FunctionAttributes,
}

/// What a `CREATE FUNCTION` or `ALTER FUNCTION` says about how a function runs. `CREATE OR REPLACE` sets what it does not
/// say back to PostgreSQL's default (measured on 13 and 18).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FunctionAttributes {
    /// `SECURITY DEFINER` (true) or `SECURITY INVOKER`.
    pub security_definer: Option<bool>,
    /// `STRICT` (true) or `CALLED ON NULL INPUT`.
    pub strict: Option<bool>,
    /// `IMMUTABLE`, `STABLE` or `VOLATILE`.
    pub volatility: Option<Volatility>,
    /// Names of the settings of its `SET` clauses, lower case; `all` for `RESET ALL`.
    pub settings: Vec<Box<str>>,
    /// Settings that `ALTER FUNCTION … RESET` takes away.
    pub reset: Vec<Box<str>>,
}

/// `ALTER FUNCTION`, `ALTER PROCEDURE`, `ALTER ROUTINE` with attributes.
#[derive(Debug, Clone)]
pub struct AlterFunction {
    /// Its name.
    pub name: Name,
    /// Types of its arguments, if they are written.
    pub signature: Option<Vec<TypeName>>,
    /// What is said.
    pub attributes: FunctionAttributes,
}
