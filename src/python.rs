//! Alembic revision files, read without running Python.
//!
//! [`syntax`] parses the file into the small tree of [`tree`]; `eval` follows `upgrade` and `downgrade` over abstract
//! values and yields the directives they call; `emit` prints the SQL that Alembic 1.18 on SQLAlchemy 2.0 sends for
//! each, with the way back into the file. [`revision::read`] puts them together, [`env::read_env`] reads `env.py`.

pub mod env;
pub mod library;
pub mod models;
pub mod revision;
pub mod syntax;
pub mod text;
pub mod tree;

mod emit;
mod eval;
mod literal;
mod value;

pub use emit::{Convention, UNKNOWN_TYPE, UNKNOWN_VALUE};
pub use env::{Env, convention, read_env};
pub use library::{Modules, NoModules};
pub use revision::{
    BodyKind, Id, NotAnalysed, Op, Problem, Revision, Script, Surroundings, Trap, read, read_in,
};
