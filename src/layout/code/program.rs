//! What is read of a migration that is a program.

use crate::layout::{Direction, Wraps};
use crate::source::{Fragment, Span};
use crate::sql::lex::Lexer;

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Program {
    /// SQL that it sends as it stands in the file, in the order in which it stands there.
    pub(super) calls: Vec<Call>,
    /// The functions for the ways that it knows.
    pub(super) ways: Vec<(Direction, Span)>,
    /// It does something else, too.
    pub(super) unread: bool,
    /// It leaves the tool's transaction on the way up, and on the way down.
    pub(super) outside: [bool; 2],
    /// The number by which the tool orders it, if it is not that of the file's name.
    pub(super) version: Option<String>,
    /// Other migrations that it needs, that need it, and that it replaces: `application.name`.
    pub(super) links: [Vec<String>; 3],
}

/// SQL that is sent.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) direction: Direction,
    pub(super) fragment: Fragment,
    /// The transaction of this call; none for that of its migration.
    pub(super) wraps: Option<Wraps>,
}

/// Words that statements begin with.
const COMMANDS: &[&str] = &[
    "ALTER",
    "ANALYZE",
    "BEGIN",
    "CALL",
    "CLUSTER",
    "COMMENT",
    "COMMIT",
    "COPY",
    "CREATE",
    "DELETE",
    "DISCARD",
    "DO",
    "DROP",
    "EXPLAIN",
    "GRANT",
    "IMPORT",
    "INSERT",
    "LOCK",
    "MERGE",
    "NOTIFY",
    "REASSIGN",
    "REFRESH",
    "REINDEX",
    "RELEASE",
    "RESET",
    "REVOKE",
    "ROLLBACK",
    "SAVEPOINT",
    "SECURITY",
    "SELECT",
    "SET",
    "START",
    "TRUNCATE",
    "UPDATE",
    "VACUUM",
    "WITH",
];

/// True for text that is plainly SQL, not a part of it or something else.
pub(super) fn is_sql(fragment: &Fragment) -> bool {
    let first = Lexer::new(&fragment.sql).find(|token| !token.is_comment());
    first.is_some_and(|token| {
        let word = token.text(&fragment.sql);
        COMMANDS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(word))
    })
}
