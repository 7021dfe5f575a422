//! Lockgate.

pub mod cli;
pub mod config;
pub mod context;
pub mod diagnostic;
pub mod effect;
pub mod explain;
pub mod layout;
pub mod report;
pub mod rule;
pub mod rules;
pub mod settings;
pub mod source;
pub mod statement;
pub mod suggest;
pub mod suppress;
