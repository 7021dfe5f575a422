//! SQL text to what the rules read.

pub mod lex;
mod lower;
pub(crate) mod tree;
