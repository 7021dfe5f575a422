//! Lockgate.

pub mod source;
pub mod sql;
