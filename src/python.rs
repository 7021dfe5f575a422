//! Alembic revision files, read without running Python.

pub mod syntax;
pub mod text;
pub mod tree;
