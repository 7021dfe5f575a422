//! SQL text to what the rules read.

pub(crate) mod tree;
