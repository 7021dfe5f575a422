//! The parser: SQL text in, `PostgreSQL`'s own raw parse tree out, read where the C parser built it.
//!
//! This is the only module with `unsafe` code. The `pg_query` crate links `PostgreSQL`'s parser but hands its trees
//! out through protocol buffers, at seven times the price of parsing and with limits on nesting. Here the C entry points
//! are called directly and the C structs are read through views.
//!
//! # What keeps it sound
//! - A view borrows the tree (`'t`), and the tree lives in [`with_tree`] only: nothing can outlive the C memory.
//! - Every C struct is declared once (`tree/nodes/*.rs`); sizes and offsets are checked at compile time
//!   (`tree/layout.rs`), the tree of one text at start-up ([`self_check`]), all kinds of node in the tests, against what
//!   the C library itself prints.
//! - Nothing is assumed of a value: numbers of enumerations, flags and texts are checked or converted when read.
//!
//! # Threads
//! The C library keeps its state per thread, and each new thread costs the process one `pthread` key for good (about
//! 1,000 exist). Call this from a fixed pool of threads.

#![allow(unsafe_code, reason = "the bridge to C; the invariants are above")]
#![allow(
    non_camel_case_types,
    non_snake_case,
    clippy::enum_variant_names,
    clippy::struct_field_names,
    clippy::upper_case_acronyms,
    reason = "nodes, fields and values keep the names of PostgreSQL's source, where they can be looked up"
)]
#![allow(
    dead_code,
    unused_imports,
    reason = "the table of nodes is complete on purpose, and so is what can be asked of it"
)]

pub(crate) mod bits;
mod check;
pub(crate) mod codes;
mod ffi;
mod field;
mod layout;
mod list;
mod node;
mod nodes;
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod walk;

use std::cell::Cell;
use std::ops::Range;

pub(crate) use check::self_check;
pub(crate) use codes::*;
pub(crate) use field::Value;
pub(crate) use list::List;
pub(crate) use node::{KINDS, Kind, Node};
pub(crate) use nodes::{expr::*, json::*, object::*, query::*, table::*, utility::*, value::*};
pub(crate) use walk::{Walk, walk};

/// What the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Statements, separated by semicolons.
    Statements = 0,
    /// One type name, as in a column definition: [`Tree::type_name`].
    TypeName = 1,
    /// A PL/pgSQL expression: the text of a `SELECT` without the word.
    PlpgsqlExpression = 2,
    /// A PL/pgSQL assignment to a name.
    PlpgsqlAssign1 = 3,
    /// A PL/pgSQL assignment to a name with a qualifier.
    PlpgsqlAssign2 = 4,
    /// A PL/pgSQL assignment to a name with two qualifiers.
    PlpgsqlAssign3 = 5,
}

/// Why there is no tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct SyntaxError {
    /// What `PostgreSQL` says, or this module for a text that is not handed to it.
    pub(crate) message: String,
    /// Byte offset of the place in the text; one past its end for an unexpected end; `None` if the parser does not say.
    pub(crate) offset: Option<usize>,
}

/// The parse tree of one text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tree<'t> {
    roots: List<'t>,
    len: usize,
}

/// One statement of a text.
#[derive(Clone, Debug)]
pub(crate) struct Statement<'t> {
    /// The statement's own node.
    pub(crate) node: Node<'t>,
    /// Its bytes in the text: from the first token to the semicolon, which is left out, or to the end of the text. Blanks and
    /// comments before the semicolon belong to it.
    pub(crate) range: Range<usize>,
}

impl<'t> Tree<'t> {
    /// The statements in the order of the text. Empty statements leave no trace.
    pub(crate) fn statements(self) -> impl Iterator<Item = Statement<'t>> + 't {
        self.roots.of::<RawStmt<'t>>().filter_map(move |raw| {
            let start = raw.stmt_location().unwrap_or_default().min(self.len);
            let end = match raw.stmt_len() {
                Some(len) if len > 0 => start.saturating_add(len).min(self.len),
                _ => self.len,
            };
            Some(Statement {
                node: raw.stmt()?,
                range: start..end,
            })
        })
    }

    /// The type of [`Mode::TypeName`].
    pub(crate) fn type_name(self) -> Option<TypeName<'t>> {
        self.roots.of().next()
    }

    /// What the parser built: [`RawStmt`]s, or one [`TypeName`].
    pub(crate) fn roots(self) -> List<'t> {
        self.roots
    }
}

thread_local! {
    /// True while this thread is inside the C library or holds a tree.
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

/// This thread's turn with the C library; given back when dropped.
struct Turn;

impl Turn {
    fn take() -> Option<Self> {
        // Made only if it is our turn: dropping another one would end the turn of the holder.
        if BUSY.replace(true) { None } else { Some(Self) }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        BUSY.set(false);
    }
}

/// Parses `sql` and shows the tree, which is gone when this returns.
///
/// A `NUL` byte is an error at its place; everything else is for the parser to judge. Inside `visit` the thread's parser is
/// taken: a nested call gets an error instead of a tree, and other functions of the `pg_query` crate must go through
/// [`exclusive`], which refuses likewise (they would abort if the C library was built with assertions).
pub(crate) fn with_tree<R>(
    sql: &str,
    mode: Mode,
    visit: impl FnOnce(Result<Tree<'_>, SyntaxError>) -> R,
) -> R {
    let Some(_turn) = Turn::take() else {
        return visit(Err(SyntaxError {
            message: "the parser was called while one of its trees was open".to_owned(),
            offset: None,
        }));
    };
    let text = match std::ffi::CString::new(sql) {
        Ok(text) => text,
        Err(error) => {
            return visit(Err(SyntaxError {
                message: "a NUL byte cannot be part of a text".to_owned(),
                offset: Some(error.nul_position()),
            }));
        }
    };
    // Declared after `_turn`, so the C memory goes first, also on the way out of a panic in `visit`.
    let session = ffi::Session::enter();
    visit(session.parse(&text, mode as i32).map_or_else(
        |error| {
            Err(SyntaxError {
                offset: error.character.map(|index| byte_offset(sql, index)),
                message: error.message,
            })
        },
        |roots| {
            Ok(Tree {
                roots,
                len: sql.len(),
            })
        },
    ))
}

/// Calls a function of the `pg_query` crate; `None` if this thread has a tree open, because the C library does not allow
/// that.
pub(crate) fn exclusive<R>(call: impl FnOnce() -> R) -> Option<R> {
    let _turn = Turn::take()?;
    Some(call())
}

/// The byte offset of a character by its index; the length of the text if there are fewer.
fn byte_offset(sql: &str, index: usize) -> usize {
    sql.char_indices()
        .nth(index)
        .map_or(sql.len(), |(offset, _)| offset)
}
