//! Finds the SQL in a PL/pgSQL body.
//!
//! This is no full parser of PL/pgSQL. It finds the ends of SQL texts the way PostgreSQL's own grammar does: the scanner
//! runs to `;`, `THEN` or `LOOP` outside of parentheses, and what lies between is SQL (`pl_gram.y`, functions
//! `read_sql_construct` and `make_execsql_stmt`). Expressions in conditions, assignments, `RETURN` and `RAISE` are passed over.
//!
//! Every offset counts bytes of the body that was given. Compose [`Fragment::map`] with the map of the file to go on.

use crate::source::{Fragment, Span};

mod constant;
mod declarations;
mod quote;
mod reader;

/// What was found in a body.
#[derive(Debug, Clone, Default)]
pub struct Body {
    /// The SQL, in the order of the text.
    pub parts: Vec<Part>,
    /// What was not understood, and why. The body is read on behind it.
    pub problems: Vec<(Span, String)>,
}

/// One place where a body runs SQL.
#[derive(Debug, Clone)]
pub struct Part {
    /// The statement or query; of `EXECUTE`, all from that word to the end of the expression.
    pub span: Span,
    /// What runs there.
    pub kind: PartKind,
    /// Under which circumstances.
    pub guard: Guard,
}

/// What a [`Part`] runs.
#[derive(Debug, Clone)]
pub enum PartKind {
    /// SQL that stands in the body. The text has the length of the part's span: `INTO` and its targets are blanks,
    /// `PERFORM` is `SELECT `. Names in it may be variables of PL/pgSQL.
    Sql {
        /// The SQL.
        sql: Fragment,
        /// How it is used.
        role: Role,
    },
    /// `EXECUTE` of text that is known: a constant, constants joined with `||`, `format` with constants only.
    Execute {
        /// The SQL that is run, maybe several statements.
        sql: Fragment,
        /// How it is used.
        role: Role,
    },
    /// `EXECUTE` of text that is known only when it runs.
    Dynamic {
        /// What it depends on, such as "depends on `v_table`".
        reason: String,
        /// The constants in the expression, in order. The first one mostly tells the kind of statement.
        pieces: Vec<Piece>,
        /// How it is used.
        role: Role,
    },
    /// `COMMIT` or `ROLLBACK`.
    Transaction {
        /// True for `COMMIT`.
        commit: bool,
    },
}

/// How SQL is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A statement of its own.
    Statement,
    /// A statement that had an `INTO` clause.
    Into,
    /// The query of `PERFORM`.
    Perform,
    /// The query of `RETURN QUERY`.
    Return,
    /// The query of a `FOR` loop.
    Loop,
    /// The query of a cursor.
    Cursor,
}

/// A constant in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The constant with its quotes.
    pub span: Span,
    /// Its value.
    pub text: String,
}

/// The circumstances under which a [`Part`] runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent facts, all combinations of which occur"
)]
pub struct Guard {
    /// In a branch of `IF` or `CASE`.
    pub conditional: bool,
    /// In a loop.
    pub looped: bool,
    /// In the handler of an `EXCEPTION` section.
    pub handler: bool,
    /// In a block that has an `EXCEPTION` section, so in a subtransaction. Not set for the handler of that section itself.
    pub trapped: bool,
    /// The condition of the innermost `IF` or `ELSIF`.
    pub condition: Option<Condition>,
}

/// The condition of an `IF`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// The expression, or in an `ELSE` branch that of the last `IF` or `ELSIF` before it.
    pub span: Span,
    /// True in the `ELSE` branch.
    pub otherwise: bool,
}

/// Reads a body: the text between the dollar quotes of a function, or of `DO`. Never fails; takes linear time.
#[must_use]
pub fn read(body: &str) -> Body {
    reader::read(body)
}

#[cfg(test)]
mod tests;
