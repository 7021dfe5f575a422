//! Leaving the transaction that a tool makes.

use crate::source::Beside;

/// How a script says that it is to run outside of the tool's transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    /// By a text at the very top of its file.
    Top(&'static str),
    /// By words at the end of the line that opens it ([`super::Runner::opens`]).
    Mark(&'static str),
    /// By a file of that text beside its own.
    Beside(Beside, &'static str),
    /// By a line of Python that opens a block.
    Block(&'static str),
    /// It has nothing to say where the statement is the only one of its file.
    Alone,
    /// Only words tell ([`super::Runner::way_out`]): the script is a program, or says it in a place of its own.
    Words,
    /// It cannot.
    Never,
}
