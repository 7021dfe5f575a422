//! Row level security policies as statements define them.

use super::{Expr, Ident};

/// `CREATE POLICY`, `ALTER POLICY`.
#[derive(Debug, Clone)]
pub struct PolicyDefinition {
    /// Its name.
    pub name: Ident,
    /// `CREATE` rather than `ALTER`.
    pub create: bool,
    /// Not `AS RESTRICTIVE`: it lets rows in rather than keeping some out.
    pub permissive: bool,
    /// The command it is for, lower case; `all` if none is written, empty for `ALTER POLICY`.
    pub command: Box<str>,
    /// The roles it is for; none if it is for everybody.
    pub roles: Vec<Box<str>>,
    /// `USING`, if written.
    pub using: Option<Expr>,
    /// `WITH CHECK`, if written.
    pub with_check: Option<Expr>,
}

impl PolicyDefinition {
    /// The expressions that are written.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        self.using.iter().chain(&self.with_check)
    }
}
