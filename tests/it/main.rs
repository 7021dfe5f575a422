//! The only test binary.

mod cli;
mod config;
mod reports;
