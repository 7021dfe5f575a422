//! What a tool does with a script: how it is sent, in which session and transaction, and what keeps a second run away.

use super::{Outside, SetsApart};
use crate::statement::Statement;

/// How a tool sends a script to the server and in which transaction. Measured; see the tool's file for the source.
#[derive(Debug, Clone, Copy)]
pub struct Runner {
    /// How the text is cut and sent.
    pub send: Send,
    /// The transaction that the tool itself makes.
    pub wraps: Wraps,
    /// The sessions that the scripts of one run share.
    pub session: Session,
    /// Statements for which the tool leaves out its transaction by itself.
    pub leaves_transaction_for: Option<fn(&Statement) -> bool>,
    /// Statements that the tool takes out of the message which a script otherwise is.
    pub sets_apart: Option<SetsApart>,
    /// A pending script that leaves the transaction around the run gives each of the others a transaction of its own.
    pub splits_run: bool,
    /// How a script leaves the tool's transaction, as help for a person; for tools that cannot, what to do instead.
    pub way_out: &'static str,
    /// The same as text: how a script is written that runs outside of the tool's transaction.
    pub outside: Outside,
    /// What a script of SQL opens with, its line end included; empty for tools that ask for nothing.
    pub opens: &'static str,
    /// The lines around a statement of which a line ends with `;`, for tools that would cut it there.
    pub keeps: Option<(&'static str, &'static str)>,
    /// The lock by which it keeps a second run of itself away.
    pub lock: RunnerLock,
    /// The setting that lets a script hold statements of both kinds, for a tool that otherwise refuses a script in which
    /// only some are such as it leaves its transaction for.
    pub mixing: Option<&'static str>,
    /// What the tool does about going back.
    pub down: DownScripts,
}

/// How a tool keeps a second run of itself away, as far as `CREATE INDEX CONCURRENTLY` and its like, which wait for
/// every older snapshot, meet it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunnerLock {
    /// They do not: there is none, or nobody waits for it inside of a statement.
    Harmless,
    /// A session's advisory lock. A second run waits for it in a statement, whose snapshot the first one then waits for:
    /// a deadlock (measured).
    Waiting,
    /// A transaction on a connection of its own, open until the last script is done, unless the setting of that name is
    /// `false`. What waits for older transactions waits for this one, and nobody detects it.
    Transaction(&'static str),
}

/// What stands between a script and the server.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    /// It runs psql's backslash commands, or may.
    pub psql: bool,
    /// It sends the rows behind `COPY … FROM stdin`.
    pub copies: bool,
    /// It fills in placeholders of some form, or something before it may.
    pub fills: bool,
}

impl Client {
    /// A driver that sends the text as it is, through one connection.
    pub const DRIVER: Self = Self {
        psql: false,
        copies: false,
        fills: false,
    };
    /// psql, or nobody knows what.
    pub const PSQL: Self = Self {
        psql: true,
        copies: true,
        fills: true,
    };
}

/// The sessions of the scripts of one run: whether a `SET` in one holds in the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session {
    /// One for all of them.
    One,
    /// One for each of them, or settings are reset in between.
    Each,
    /// Connections come from a pool, or nobody knows.
    Unknown,
}

/// How text reaches the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Send {
    /// One statement per message.
    PerStatement,
    /// Many statements in one simple-protocol message: an implicit transaction around them.
    SimpleBatch,
    /// Many statements in one extended-protocol pipeline: an implicit transaction; only its first statement may refuse one.
    Pipeline,
    /// Nobody knows: plain files without a tool.
    Unknown,
}

/// The transaction that a tool makes around a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wraps {
    /// None.
    Nothing,
    /// One for each script.
    Script,
    /// One for all scripts that are pending.
    Run,
}

/// What a tool knows of down scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DownScripts {
    /// It has none.
    Unsupported,
    /// It has them, and most projects do without.
    Optional,
    /// It expects one for each up script.
    Expected,
}
