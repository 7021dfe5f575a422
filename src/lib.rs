//! Lockgate.

pub mod python;
pub mod source;
