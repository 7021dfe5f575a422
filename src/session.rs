//! The session that runs a migration: transactions, messages and timeouts at each statement.
//!
//! Decided on [`Unit`]s alone. What one message or one transaction means to PostgreSQL was measured on servers:
//! several statements in one simple-protocol message form an implicit transaction, also behind a `COMMIT` in the same
//! message; in a pipeline only the first statement may be one that refuses a transaction.

use std::collections::BTreeMap;

use crate::layout::{Send, Unit, Wraps};
use crate::settings::milliseconds;
use crate::source::Span;
use crate::statement::{Kind, SetVariable, Statement, Transaction as Control};

/// The transaction that a statement runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transaction {
    /// Number within the migration, from 1; statements with the same number commit together. A statement outside of any
    /// transaction has a number of its own.
    pub number: u32,
    /// Who opened it.
    pub kind: TransactionKind,
}

/// Who opened a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TransactionKind {
    /// Nobody: the statement commits by itself.
    None,
    /// `BEGIN` in the file.
    Explicit,
    /// The migration tool.
    Runner,
    /// PostgreSQL, because several statements came in one message.
    Implicit,
}

impl TransactionKind {
    /// The word of the JSON format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Explicit => "explicit",
            Self::Runner => "runner",
            Self::Implicit => "implicit",
        }
    }
}

/// How a statement reaches the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// The way the text is sent.
    pub send: Send,
    /// Statements in the same message.
    pub statements: usize,
    /// Place among them, from 0.
    pub position: usize,
}

/// A timeout in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeout {
    /// Milliseconds; 0 means none.
    pub milliseconds: u64,
    /// The statement that set it; none if the configuration says that the runner or the role does.
    pub set_by: Option<Span>,
}

/// Everything about the session at one statement.
#[derive(Debug, Clone)]
pub struct Moment {
    /// Its transaction.
    pub transaction: Transaction,
    /// Its message.
    pub message: Message,
    /// `lock_timeout`, if something sets it.
    pub lock_timeout: Option<Timeout>,
    /// `statement_timeout`, or `transaction_timeout` if that is all there is.
    pub statement_timeout: Option<Timeout>,
    /// `TimeZone`, if the file sets it.
    pub time_zone: Option<String>,
    /// `check_function_bodies`: PostgreSQL reads the body of a SQL function when it is made. On unless the file says no.
    pub check_function_bodies: bool,
}

/// Why a statement that refuses to run in a transaction is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A `BEGIN` before it in the file.
    Explicit,
    /// The tool's own transaction.
    Runner,
    /// It shares its message with other statements.
    Batch,
    /// It is not the first one in its pipeline.
    Pipeline,
}

impl Moment {
    /// Why a statement here that refuses a transaction would fail, if it would.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        match (self.transaction.kind, self.message.send) {
            (TransactionKind::Explicit, _) => Some(Refusal::Explicit),
            (TransactionKind::Runner, _) => Some(Refusal::Runner),
            (_, Send::SimpleBatch) if self.message.statements > 1 => Some(Refusal::Batch),
            (_, Send::Pipeline) if self.message.position > 0 => Some(Refusal::Pipeline),
            _ => None,
        }
    }
}

impl Moment {
    /// The same moment behind a `SET` inside a `DO` block.
    pub(crate) fn behind(&mut self, set: &SetVariable, span: Span, defaults: Defaults) {
        let mut variables = Variables::default();
        variables.set(set, span, true);
        match &*set.name {
            "lock_timeout" => self.lock_timeout = variables.lock_timeout(defaults),
            "statement_timeout" | "transaction_timeout" => {
                self.statement_timeout = variables.statement_timeout(defaults);
            }
            _ => {}
        }
    }
}

/// What a `SET` gave a setting; no value is the default again.
#[derive(Debug, Clone)]
struct Setting {
    value: Option<String>,
    set_by: Span,
}

/// Settings of the session with what `SET LOCAL` hides until the transaction ends.
#[derive(Debug, Clone, Default)]
struct Variables {
    session: BTreeMap<&'static str, Setting>,
    local: BTreeMap<&'static str, Setting>,
    /// The session's settings when the transaction began: `ROLLBACK` takes back what a `SET` in it changed.
    before: BTreeMap<&'static str, Setting>,
}

/// The settings that matter.
const VARIABLES: [&str; 5] = [
    "check_function_bodies",
    "lock_timeout",
    "statement_timeout",
    "transaction_timeout",
    "timezone",
];

/// Milliseconds a timeout is taken for whose value cannot be read (a template, an expression): somebody set one, and
/// this is a usual value.
const UNREADABLE: u64 = 2_000;

impl Variables {
    fn begin(&mut self) {
        self.local.clear();
        self.before.clone_from(&self.session);
    }

    fn end(&mut self, commit: bool) {
        self.local.clear();
        if !commit {
            self.session.clone_from(&self.before);
        }
    }

    fn set(&mut self, set: &SetVariable, span: Span, in_transaction: bool) {
        if &*set.name == "all" && set.value.is_none() {
            self.session.clear();
            self.local.clear();
            return;
        }
        let name = if &*set.name == "time zone" {
            "timezone"
        } else {
            &*set.name
        };
        let Some(name) = VARIABLES.into_iter().find(|known| *known == name) else {
            return;
        };
        let setting = Setting {
            value: set.value.as_deref().map(str::to_owned),
            set_by: span,
        };
        if !set.local {
            self.local.remove(name);
            self.session.insert(name, setting);
        } else if in_transaction {
            self.local.insert(name, setting);
        }
        // Outside of a transaction SET LOCAL does nothing but warn.
    }

    fn get(&self, name: &str) -> Option<(&str, Span)> {
        let setting = self.local.get(name).or_else(|| self.session.get(name))?;
        Some((setting.value.as_deref()?, setting.set_by))
    }

    fn timeout(&self, name: &str, default: Option<u64>) -> Option<Timeout> {
        match self.get(name) {
            Some((value, span)) => Some(Timeout {
                milliseconds: milliseconds(value).unwrap_or(UNREADABLE),
                set_by: Some(span),
            }),
            None => default.map(|milliseconds| Timeout {
                milliseconds,
                set_by: None,
            }),
        }
    }

    fn lock_timeout(&self, defaults: Defaults) -> Option<Timeout> {
        self.timeout("lock_timeout", defaults.lock_timeout)
    }

    /// The limit on a statement's time, by whichever of the two settings bounds it.
    fn statement_timeout(&self, defaults: Defaults) -> Option<Timeout> {
        let statement = self.timeout("statement_timeout", defaults.statement_timeout);
        let transaction = self.timeout("transaction_timeout", None);
        match (statement, transaction) {
            (
                Some(Timeout {
                    milliseconds: 0, ..
                })
                | None,
                Some(transaction),
            ) if transaction.milliseconds > 0 => Some(transaction),
            (statement, transaction) => statement.or(transaction),
        }
    }
}

/// Timeouts that hold before the migration says anything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Defaults {
    /// `lock_timeout` in milliseconds.
    pub lock_timeout: Option<u64>,
    /// `statement_timeout` in milliseconds.
    pub statement_timeout: Option<u64>,
}

/// The session at each statement of a migration.
#[must_use]
pub fn moments(statements: &[Statement], units: &[Unit], defaults: Defaults) -> Vec<Moment> {
    walk(statements, units, defaults).0
}

/// What holds behind a script that the tool runs on the same connection in front of the migrations.
#[must_use]
pub fn defaults_behind(statements: &[Statement], units: &[Unit], defaults: Defaults) -> Defaults {
    let mut variables = walk(statements, units, defaults).1;
    // The tool's transaction, if it made one, has ended.
    variables.local.clear();
    let value = |timeout: Option<Timeout>| timeout.map(|timeout| timeout.milliseconds);
    Defaults {
        lock_timeout: value(variables.lock_timeout(defaults)),
        statement_timeout: value(variables.statement_timeout(defaults)),
    }
}

fn walk(statements: &[Statement], units: &[Unit], defaults: Defaults) -> (Vec<Moment>, Variables) {
    let mut variables = Variables::default();
    let mut moments = Vec::with_capacity(statements.len());
    let mut number = 0;
    // A transaction that `BEGIN` opened, by its number.
    let mut explicit: Option<u32> = None;
    // The tool's transaction; consecutive units share it until a COMMIT in the file ends it. The tool does not notice
    // and opens no other one (seen with sql-migrate, and with psycopg2) until it has left its transaction by itself.
    let mut runner: Option<u32> = None;
    // A COMMIT in the file ended the tool's transaction. The tool does not know, so that what follows runs without one.
    let mut left = false;
    let mut current = 0;
    let mut was_wrapped = false;
    for unit in units {
        if unit.wraps == Wraps::Nothing {
            // A tool that steps out of its own transaction (Alembic's autocommit block) commits what is open, also a
            // transaction that a COMMIT in the file had made its successor.
            if was_wrapped {
                explicit = None;
            }
            runner = None;
            left = false;
        } else if runner.is_none() && !left {
            number += 1;
            runner = Some(number);
        }
        was_wrapped = unit.wraps != Wraps::Nothing;
        let count = unit.statements.len();
        let batch = unit.send != Send::PerStatement && unit.send != Send::Unknown && count > 1;
        let mut implicit: Option<u32> = None;
        for (position, index) in unit.statements.clone().enumerate() {
            let statement = &statements[index];
            let (in_number, kind) = if let Some(number) = explicit {
                (number, TransactionKind::Explicit)
            } else if let Some(number) = runner {
                (number, TransactionKind::Runner)
            } else if batch {
                let number = *implicit.get_or_insert_with(|| {
                    number += 1;
                    number
                });
                (number, TransactionKind::Implicit)
            } else {
                number += 1;
                (number, TransactionKind::None)
            };
            if in_number != current {
                current = in_number;
                variables.begin();
            }
            let in_transaction = kind != TransactionKind::None;
            match &statement.kind {
                // In a batch the implicit transaction becomes the explicit one.
                Kind::Transaction(Control::Begin) if runner.is_none() && explicit.is_none() => {
                    explicit = Some(in_number);
                }
                Kind::Transaction(
                    control @ (Control::Commit { chain } | Control::Rollback { chain }),
                ) => {
                    variables.end(matches!(control, Control::Commit { .. }));
                    explicit = None;
                    left |= runner.take().is_some();
                    implicit = None;
                    if *chain {
                        number += 1;
                        explicit = Some(number);
                    }
                }
                Kind::Set(set) => variables.set(set, statement.span, in_transaction),
                _ if statement.tag == "DISCARD ALL" => variables = Variables::default(),
                _ => {}
            }
            moments.push(Moment {
                transaction: Transaction {
                    number: in_number,
                    kind,
                },
                message: Message {
                    send: unit.send,
                    statements: count,
                    position,
                },
                lock_timeout: variables.lock_timeout(defaults),
                statement_timeout: variables.statement_timeout(defaults),
                time_zone: variables.get("timezone").map(|(value, _)| value.to_owned()),
                check_function_bodies: variables.get("check_function_bodies").is_none_or(|value| {
                    !matches!(
                        &*value.0.to_ascii_lowercase(),
                        "off" | "false" | "no" | "0" | "f" | "n"
                    )
                }),
            });
            // A `DO` block's settings outlive it.
            for nested in &statement.nested {
                if let (true, false, Kind::Set(set)) =
                    (nested.runs, nested.conditional, &nested.statement.kind)
                {
                    variables.set(set, nested.statement.span, in_transaction);
                }
            }
        }
    }
    (moments, variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A script's statements with what each unit is, cut at `|`.
    fn script(text: &str, send: Send, wraps: Wraps) -> (Vec<Statement>, Vec<Unit>) {
        let (mut statements, mut units) = (Vec::new(), Vec::new());
        for part in text.split('|') {
            let first = statements.len();
            let (part, wraps) = match part.trim().strip_prefix("autocommit:") {
                Some(part) => (part, Wraps::Nothing),
                None => (part, wraps),
            };
            let parsed = crate::sql::parse_text(part);
            assert!(parsed.errors.is_empty(), "{part}");
            statements.extend(parsed.statements);
            units.push(Unit {
                statements: first..statements.len(),
                send,
                wraps,
            });
        }
        (statements, units)
    }

    /// Per statement: number and kind of its transaction.
    fn transactions(text: &str, send: Send, wraps: Wraps) -> String {
        let (statements, units) = script(text, send, wraps);
        let moments = moments(&statements, &units, Defaults::default());
        let words = moments.iter().map(|moment| {
            let kind = &moment.transaction.kind.as_str()[..1];
            format!("{kind}{}", moment.transaction.number)
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn transactions_are_those_that_the_server_sees() {
        use crate::layout::Send::{PerStatement, Pipeline, SimpleBatch, Unknown};
        use Wraps::{Nothing, Run, Script};
        // n: none, r: the runner's, i: implicit, e: explicit.
        for (text, send, wraps, expected) in [
            ("select 1; select 2", PerStatement, Nothing, "n1 n2"),
            ("select 1; select 2", Unknown, Nothing, "n1 n2"),
            ("select 1; select 2", PerStatement, Script, "r1 r1"),
            ("select 1", SimpleBatch, Nothing, "n1"),
            ("select 1; select 2", SimpleBatch, Nothing, "i1 i1"),
            ("select 1; select 2", Pipeline, Nothing, "i1 i1"),
            // BEGIN makes the implicit transaction an explicit one; behind COMMIT a new implicit one begins.
            (
                "select 1; begin; select 2; commit; select 3",
                SimpleBatch,
                Nothing,
                "i1 i1 e1 e1 i2",
            ),
            (
                "begin; select 2; commit; select 3",
                PerStatement,
                Nothing,
                "n1 e1 e1 n2",
            ),
            (
                "begin; select 2; rollback and chain; select 3",
                PerStatement,
                Nothing,
                "n1 e1 e1 e2",
            ),
            // BEGIN in the tool's transaction changes nothing, COMMIT ends it.
            (
                "begin; select 1; commit; select 2",
                PerStatement,
                Script,
                "r1 r1 r1 n2",
            ),
            // A tool that sends call by call does not notice that its transaction ended …
            (
                "select 1|commit|select 2|select 3",
                SimpleBatch,
                Run,
                "r1 r1 n2 n3",
            ),
            // … until it ends and begins one itself.
            (
                "select 1|commit|select 2|autocommit:select 3|select 4",
                SimpleBatch,
                Run,
                "r1 r1 n2 n3 r4",
            ),
            // A transaction stays open over messages.
            (
                "begin|select 1; select 2|commit|select 3",
                SimpleBatch,
                Nothing,
                "n1 e1 e1 e1 n2",
            ),
        ] {
            assert_eq!(transactions(text, send, wraps), expected, "{text}");
        }
    }

    #[test]
    fn timeouts_hold_as_long_as_the_server_keeps_them() {
        use crate::layout::Send::{PerStatement, SimpleBatch};
        use Wraps::{Nothing, Run, Script};
        // Of lock_timeout and statement_timeout what the last statement sees; `-` is unset.
        for (text, send, wraps, expected) in [
            (
                "set lock_timeout = '2s'; select 1",
                PerStatement,
                Nothing,
                "2000 -",
            ),
            (
                "set lock_timeout to 0; select 1",
                PerStatement,
                Nothing,
                "0 -",
            ),
            (
                "set local lock_timeout = '2s'; select 1",
                PerStatement,
                Nothing,
                "- -",
            ),
            (
                "set local lock_timeout = '2s'; select 1",
                PerStatement,
                Script,
                "2000 -",
            ),
            // In one message of several statements SET LOCAL works without a BEGIN.
            (
                "set local lock_timeout = '2s'; select 1",
                SimpleBatch,
                Nothing,
                "2000 -",
            ),
            (
                "begin; set local lock_timeout = '2s'; commit; select 1",
                PerStatement,
                Nothing,
                "- -",
            ),
            (
                "begin; set lock_timeout = '2s'; commit; select 1",
                PerStatement,
                Nothing,
                "2000 -",
            ),
            (
                "begin; set lock_timeout = '2s'; rollback; select 1",
                PerStatement,
                Nothing,
                "- -",
            ),
            (
                "set lock_timeout = '2s'; reset lock_timeout; select 1",
                PerStatement,
                Nothing,
                "- -",
            ),
            (
                "set lock_timeout = '2s'; reset all; select 1",
                PerStatement,
                Nothing,
                "- -",
            ),
            (
                "set lock_timeout = '2s'; discard all; select 1",
                PerStatement,
                Nothing,
                "- -",
            ),
            (
                "set lock_timeout = '2s'; set lock_timeout to default; select 1",
                PerStatement,
                Script,
                "- -",
            ),
            // SET LOCAL … TO DEFAULT hides the session's value until the transaction ends.
            (
                "set lock_timeout = '2s'; begin; set local lock_timeout to default; select 1",
                PerStatement,
                Nothing,
                "- -",
            ),
            (
                "set lock_timeout = '2s'; begin; set local lock_timeout to default; commit; select 1",
                PerStatement,
                Nothing,
                "2000 -",
            ),
            (
                "select set_config('lock_timeout', '3s', false); select 1",
                PerStatement,
                Nothing,
                "3000 -",
            ),
            (
                "select set_config('lock_timeout', '3s', true); select 1",
                PerStatement,
                Nothing,
                "- -",
            ),
            (
                "select set_config('lock_timeout', '3s', true); select 1",
                PerStatement,
                Script,
                "3000 -",
            ),
            (
                "set local lock_timeout = '2s'|select 1",
                SimpleBatch,
                Run,
                "2000 -",
            ),
            (
                "set local lock_timeout = '2s'|autocommit:select 1",
                SimpleBatch,
                Run,
                "- -",
            ),
            (
                "set lock_timeout = '2s'|autocommit:select 1",
                SimpleBatch,
                Run,
                "2000 -",
            ),
            (
                "set statement_timeout = '1min'; select 1",
                PerStatement,
                Nothing,
                "- 60000",
            ),
            (
                "set transaction_timeout = '1min'; select 1",
                PerStatement,
                Nothing,
                "- 60000",
            ),
            (
                "set statement_timeout = 0; set transaction_timeout = '1min'; select 1",
                PerStatement,
                Nothing,
                "- 60000",
            ),
            (
                "set statement_timeout = 0; select 1",
                PerStatement,
                Nothing,
                "- 0",
            ),
            (
                "do $$ begin set local lock_timeout = '2s'; end $$; select 1",
                PerStatement,
                Script,
                "2000 -",
            ),
            (
                "do $$ begin set local lock_timeout = '2s'; end $$; select 1",
                PerStatement,
                Nothing,
                "- -",
            ),
        ] {
            let (statements, units) = script(text, send, wraps);
            let moments = moments(&statements, &units, Defaults::default());
            let last = moments.last().expect("a statement");
            let show = |timeout: Option<Timeout>| {
                timeout.map_or("-".to_owned(), |t| t.milliseconds.to_string())
            };
            let shown = format!(
                "{} {}",
                show(last.lock_timeout),
                show(last.statement_timeout)
            );
            assert_eq!(shown, expected, "{text}");
        }
    }

    #[test]
    fn a_default_holds_where_nothing_else_is_set() {
        let defaults = Defaults {
            lock_timeout: Some(4_000),
            statement_timeout: None,
        };
        let text =
            "select 1; set lock_timeout = 0; reset lock_timeout; set statement_timeout = '9s'";
        let (statements, units) = script(text, Send::PerStatement, Wraps::Script);
        let moments = moments(&statements, &units, defaults);
        let seen: Vec<_> = moments
            .iter()
            .map(|moment| {
                moment
                    .lock_timeout
                    .map(|t| (t.milliseconds, t.set_by.is_some()))
            })
            .collect();
        assert_eq!(
            seen,
            [
                Some((4_000, false)),
                Some((0, true)),
                Some((4_000, false)),
                Some((4_000, false))
            ]
        );
        let behind = defaults_behind(&statements, &units, defaults);
        assert_eq!(
            (behind.lock_timeout, behind.statement_timeout),
            (Some(4_000), Some(9_000))
        );
    }
}
