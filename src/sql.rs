//! SQL text: cutting it into tokens and statements, and finding the SQL inside of PL/pgSQL.

pub mod lex;
pub mod plpgsql;
pub mod split;
