//! Lockgate.

pub mod analyze;
pub mod cli;
pub mod config;
pub mod context;
pub mod diagnostic;
pub mod discover;
pub mod effect;
pub mod explain;
pub mod layout;
pub mod python;
pub mod replay;
pub mod report;
pub mod rule;
pub mod rules;
pub mod schema;
pub mod session;
pub mod settings;
pub mod source;
pub mod sql;
pub mod statement;
mod suggest;
pub mod suppress;
mod wording;

#[doc(hidden)]
pub mod testing;
