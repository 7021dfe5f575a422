//! The session that runs a migration: transactions, messages and timeouts at each statement.
//!
//! Decided on [`Unit`]s alone. What one message or one transaction means to PostgreSQL was measured on servers:
//! several statements in one simple-protocol message form an implicit transaction, also behind a `COMMIT` in the same
//! message; in a pipeline only the first statement may be one that refuses a transaction.

use std::collections::BTreeMap;

use crate::layout::{Send, Unit, Wraps};
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

/// Settings of the session with what `SET LOCAL` hides until the transaction ends.
#[derive(Debug, Clone, Default)]
struct Variables {
    session: BTreeMap<&'static str, (String, Option<Span>)>,
    local: BTreeMap<&'static str, (String, Option<Span>)>,
}

/// The settings that matter.
const VARIABLES: [&str; 4] = [
    "lock_timeout",
    "statement_timeout",
    "transaction_timeout",
    "timezone",
];

impl Variables {
    fn set(&mut self, set: &SetVariable, span: Span, in_transaction: bool) {
        if &*set.name == "all" && set.value.is_none() {
            *self = Self::default();
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
        match (&set.value, set.local) {
            (Some(value), true) => {
                // Outside of a transaction SET LOCAL does nothing but warn.
                if in_transaction {
                    self.local.insert(name, (value.to_string(), Some(span)));
                }
            }
            (Some(value), false) => {
                self.local.remove(name);
                self.session.insert(name, (value.to_string(), Some(span)));
            }
            (None, _) => {
                self.local.remove(name);
                self.session.remove(name);
            }
        }
    }

    fn get(&self, name: &str) -> Option<&(String, Option<Span>)> {
        self.local.get(name).or_else(|| self.session.get(name))
    }

    fn timeout(&self, name: &str) -> Option<Timeout> {
        let (value, span) = self.get(name)?;
        Some(Timeout {
            milliseconds: milliseconds(value)?,
            set_by: *span,
        })
    }
}

/// A duration as PostgreSQL reads it for a timeout: a number of milliseconds, or one with a unit.
#[must_use]
pub fn milliseconds(value: &str) -> Option<u64> {
    let value = value.trim();
    let digits = value
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(value.len());
    let (number, unit) = value.split_at(digits);
    let number: f64 = number.parse().ok()?;
    let factor = match unit.trim() {
        "" | "ms" => 1.0,
        "us" => 0.001,
        "s" => 1_000.0,
        "min" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return None,
    };
    let milliseconds = number * factor;
    // Cannot be negative; a value PostgreSQL would refuse as too large stays large.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounded, not negative, clamped"
    )]
    let milliseconds = milliseconds.round().min(9e15) as u64;
    Some(milliseconds)
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
    let mut variables = Variables::default();
    let mut moments = Vec::with_capacity(statements.len());
    let mut number = 0;
    // A transaction that `BEGIN` opened, by its number.
    let mut explicit: Option<u32> = None;
    // The tool's transaction; consecutive units share it until a COMMIT in the file ends it. The tool does not notice
    // and opens no other one (seen with sql-migrate, and with psycopg2) until it has left its transaction by itself.
    let mut runner: Option<u32> = None;
    let mut ended_by_file = false;
    for unit in units {
        if unit.wraps == Wraps::Nothing {
            runner = None;
            ended_by_file = false;
        } else if runner.is_none() && !ended_by_file {
            number += 1;
            runner = Some(number);
        }
        let count = unit.statements.len();
        let batch = unit.send != Send::PerStatement && unit.send != Send::Unknown && count > 1;
        let mut implicit: Option<u32> = None;
        for (position, index) in unit.statements.clone().enumerate() {
            let statement = &statements[index];
            let transaction = if let Some(number) = explicit {
                Transaction {
                    number,
                    kind: TransactionKind::Explicit,
                }
            } else if let Some(number) = runner {
                Transaction {
                    number,
                    kind: TransactionKind::Runner,
                }
            } else if batch {
                let number = *implicit.get_or_insert_with(|| {
                    number += 1;
                    number
                });
                Transaction {
                    number,
                    kind: TransactionKind::Implicit,
                }
            } else {
                number += 1;
                Transaction {
                    number,
                    kind: TransactionKind::None,
                }
            };
            let in_transaction = transaction.kind != TransactionKind::None;
            match &statement.kind {
                Kind::Transaction(Control::Begin) if runner.is_none() && explicit.is_none() => {
                    if transaction.kind == TransactionKind::None {
                        explicit = Some(transaction.number);
                    } else {
                        // In a batch the implicit transaction becomes the explicit one.
                        explicit = Some(transaction.number);
                    }
                }
                Kind::Transaction(Control::Commit { chain } | Control::Rollback { chain }) => {
                    variables.local.clear();
                    explicit = None;
                    // Ends the tool's transaction too: what follows runs without one.
                    ended_by_file |= runner.is_some();
                    runner = None;
                    implicit = None;
                    if *chain {
                        number += 1;
                        explicit = Some(number);
                    }
                }
                Kind::Set(set) => variables.set(set, statement.span, in_transaction),
                _ => {}
            }
            let or_default = |timeout: Option<Timeout>, default: Option<u64>| {
                timeout.or(default.map(|milliseconds| Timeout {
                    milliseconds,
                    set_by: None,
                }))
            };
            let statement_timeout = variables
                .timeout("statement_timeout")
                .or_else(|| variables.timeout("transaction_timeout"));
            moments.push(Moment {
                transaction,
                message: Message {
                    send: unit.send,
                    statements: count,
                    position,
                },
                lock_timeout: or_default(variables.timeout("lock_timeout"), defaults.lock_timeout),
                statement_timeout: or_default(statement_timeout, defaults.statement_timeout),
                time_zone: variables.get("timezone").map(|(value, _)| value.clone()),
            });
            if !in_transaction {
                variables.local.clear();
            }
        }
        if runner.is_none() && explicit.is_none() {
            variables.local.clear();
        }
    }
    moments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_postgresql_reads_them() {
        for (text, expected) in [
            ("5s", Some(5_000)),
            ("500ms", Some(500)),
            ("2min", Some(120_000)),
            ("1h", Some(3_600_000)),
            ("3000", Some(3_000)),
            ("0", Some(0)),
            ("1.5s", Some(1_500)),
            (" 5 s ", Some(5_000)),
            ("soon", None),
            ("5 parsecs", None),
        ] {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }

    #[test]
    fn a_commit_in_the_file_ends_the_tools_transaction_for_good() {
        use crate::source::{Fragment, SpanMap};
        use TransactionKind::{None, Runner};

        let text = "SELECT 1; COMMIT; SELECT 2; SELECT 3;";
        let fragment = Fragment {
            sql: text.into(),
            map: SpanMap::copied(0, text.len()),
        };
        let statements = crate::sql::parse(&fragment).statements;
        // Each statement in a message of its own; the last one behind a part without the tool's transaction.
        let unit = |statements, wraps| Unit {
            statements,
            send: Send::SimpleBatch,
            wraps,
        };
        let kinds = |wraps: [Wraps; 4]| -> Vec<TransactionKind> {
            let units: Vec<Unit> = (0..4)
                .zip(wraps)
                .map(|(n, wraps)| unit(n..n + 1, wraps))
                .collect();
            let moments = moments(&statements, &units, Defaults::default());
            moments
                .iter()
                .map(|moment| moment.transaction.kind)
                .collect()
        };
        assert_eq!(kinds([Wraps::Script; 4]), [Runner, Runner, None, None]);
        let left = [Wraps::Script, Wraps::Script, Wraps::Nothing, Wraps::Script];
        assert_eq!(kinds(left), [Runner, Runner, None, Runner]);
    }
}
