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
    /// The statement that set it; none if the configuration says that the runner or the role does, or if it stands in an
    /// earlier script of the same session.
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
    /// `TimeZone`, if the file sets it, or an earlier one of the same run and session.
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
    /// None if it was an earlier script.
    set_by: Option<Span>,
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

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Setting> {
        let session = self.session.values_mut().chain(self.before.values_mut());
        session.chain(self.local.values_mut())
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
            set_by: Some(span),
        };
        if !set.local {
            self.local.remove(name);
            self.session.insert(name, setting);
        } else if in_transaction {
            self.local.insert(name, setting);
        }
        // Outside of a transaction SET LOCAL does nothing but warn.
    }

    fn get(&self, name: &str) -> Option<(&str, Option<Span>)> {
        let setting = self.local.get(name).or_else(|| self.session.get(name))?;
        Some((setting.value.as_deref()?, setting.set_by))
    }

    fn timeout(&self, name: &str, default: Option<u64>) -> Option<Timeout> {
        match self.get(name) {
            Some((value, span)) => Some(Timeout {
                milliseconds: milliseconds(value).unwrap_or(UNREADABLE),
                set_by: span,
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
    walk(statements, units, defaults, Variables::default(), false).0
}

/// What a session keeps from one script to the next.
#[derive(Debug, Clone, Default)]
pub(crate) struct Carried {
    variables: Variables,
    /// The tool's transaction around the whole run is open.
    in_run: bool,
}

/// The same as [`moments`] in a session that other scripts had before, and what it keeps for the next one.
pub(crate) fn moments_behind(
    statements: &[Statement],
    units: &[Unit],
    defaults: Defaults,
    carried: Carried,
) -> (Vec<Moment>, Carried) {
    let is_in_run = |unit: Option<&Unit>| unit.is_some_and(|unit| unit.wraps == Wraps::Run);
    let goes_on = carried.in_run && is_in_run(units.first());
    let (moments, mut variables) = walk(statements, units, defaults, carried.variables, goes_on);
    let in_run = is_in_run(units.last())
        && moments
            .last()
            .is_none_or(|moment| moment.transaction.kind == TransactionKind::Runner);
    if !in_run {
        variables.local.clear();
    }
    for setting in variables.all_mut() {
        setting.set_by = None;
    }
    (moments, Carried { variables, in_run })
}

/// What holds behind a script that the tool runs on the same connection in front of the migrations.
#[must_use]
pub fn defaults_behind(statements: &[Statement], units: &[Unit], defaults: Defaults) -> Defaults {
    let mut variables = walk(statements, units, defaults, Variables::default(), false).1;
    // The tool's transaction, if it made one, has ended.
    variables.local.clear();
    let value = |timeout: Option<Timeout>| timeout.map(|timeout| timeout.milliseconds);
    Defaults {
        lock_timeout: value(variables.lock_timeout(defaults)),
        statement_timeout: value(variables.statement_timeout(defaults)),
    }
}

/// `goes_on`: the tool's transaction of the script before is still open.
fn walk(
    statements: &[Statement],
    units: &[Unit],
    defaults: Defaults,
    mut variables: Variables,
    goes_on: bool,
) -> (Vec<Moment>, Variables) {
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
                if !(goes_on && current == 0) {
                    variables.begin();
                }
                current = in_number;
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
mod tests;
