//! The words that statements begin with.

use crate::sql::lex::{is_blank, is_word_byte};

/// Every word that begins a statement in PostgreSQL.
const STATEMENTS: &[&str] = &[
    "abort",
    "alter",
    "analyse",
    "analyze",
    "begin",
    "call",
    "checkpoint",
    "close",
    "cluster",
    "comment",
    "commit",
    "copy",
    "create",
    "deallocate",
    "declare",
    "delete",
    "discard",
    "do",
    "drop",
    "end",
    "execute",
    "explain",
    "fetch",
    "grant",
    "import",
    "insert",
    "listen",
    "load",
    "lock",
    "merge",
    "move",
    "notify",
    "prepare",
    "reassign",
    "refresh",
    "reindex",
    "release",
    "reset",
    "revoke",
    "rollback",
    "savepoint",
    "security",
    "select",
    "set",
    "show",
    "start",
    "table",
    "truncate",
    "unlisten",
    "update",
    "vacuum",
    "values",
    "with",
];

/// Words that begin a statement that may stand in neither a rule nor a function body of plain SQL.
const SCHEMA: &[&str] = &[
    "alter", "begin", "cluster", "comment", "commit", "copy", "create", "do", "drop", "grant",
    "lock", "reassign", "refresh", "reindex", "revoke", "rollback", "set", "truncate", "vacuum",
];

/// Words that begin a batch in T-SQL, besides those of PostgreSQL.
const BATCH: &[&str] = &["exec", "go", "if", "print", "raiserror", "use", "while"];

/// A set of words that may begin a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Starters {
    /// Any statement.
    Any,
    /// Any statement but the words that PL/pgSQL bodies have at the start of their lines.
    Outside,
    /// Statements that change the schema or the session.
    Schema,
    /// Any statement, or one of T-SQL.
    Batch,
}

impl Starters {
    /// True if `word` (in any case) is one of them.
    pub(super) fn contains(self, word: &str) -> bool {
        let among = |words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known));
        match self {
            Self::Any => among(STATEMENTS),
            Self::Outside => among(STATEMENTS) && !among(&["begin", "declare", "end"]),
            Self::Schema => among(SCHEMA),
            Self::Batch => among(STATEMENTS) || among(BATCH),
        }
    }

    /// True if the text begins at `at` with one of the words, followed by a blank, a mark or the end.
    pub(super) fn begin_at(self, text: &str, at: usize) -> bool {
        let rest = text.as_bytes().get(at..).unwrap_or(&[]);
        // No keyword is longer than this.
        let end = rest
            .iter()
            .take(16)
            .position(|&byte| !is_word_byte(byte))
            .unwrap_or(rest.len());
        let delimited = rest
            .get(end)
            .is_none_or(|&byte| is_blank(byte) || matches!(byte, b';' | b'(' | b'-' | b'/'));
        delimited
            && text
                .get(at..at + end)
                .is_some_and(|word| self.contains(word))
    }
}
