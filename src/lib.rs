//! Lockgate.

pub mod source;
