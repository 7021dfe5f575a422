//! Lockgate.

pub mod context;
pub mod diagnostic;
pub mod discover;
pub mod effect;
pub mod layout;
pub mod python;
pub mod report;
pub mod rule;
pub mod rules;
pub mod settings;
pub mod source;
pub mod statement;
