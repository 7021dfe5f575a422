//! What `ROLLBACK` takes back: the schema is again what it was when the transaction or the savepoint began.

use crate::layout::{History, Wraps};
use crate::schema::Schema;
use crate::session::{Transaction, TransactionKind};
use crate::statement::{Kind, Statement, Transaction as Control};

/// Where a statement runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'s> {
    /// Index of its migration in the history.
    pub(crate) migration: usize,
    /// Index of the outer statement in its migration.
    pub(crate) index: usize,
    /// The statement.
    pub(crate) statement: &'s Statement,
    /// It is inside of a `DO` block.
    pub(crate) nested: bool,
    /// Its transaction, by its number in the migration.
    pub(crate) transaction: Transaction,
    /// The change it belongs to.
    pub(crate) batch: u32,
}

impl At<'_> {
    /// True if the statement at `next` runs in the same transaction.
    pub(crate) fn goes_on(&self, next: &At<'_>, history: &History) -> bool {
        if self.migration == next.migration {
            return self.transaction.number == next.transaction.number;
        }
        // One change is one run of the tool.
        self.batch == next.batch
            && self.is_in_run(history)
            && next.is_in_run(history)
            && !self.is_ending()
    }

    /// True if the statement is in the transaction that the tool makes around all scripts of a run.
    pub(crate) fn is_in_run(&self, history: &History) -> bool {
        self.transaction.kind == TransactionKind::Runner
            && history.migrations[self.migration]
                .units
                .iter()
                .any(|unit| unit.wraps == Wraps::Run && unit.statements.contains(&self.index))
    }

    /// True if the statement ends its transaction. One that the caller began cannot be ended from inside of a block.
    fn is_ending(&self) -> bool {
        !self.nested
            && matches!(
                self.statement.kind,
                Kind::Transaction(
                    Control::Commit { .. } | Control::Rollback { .. } | Control::Prepare
                )
            )
    }
}

/// Schemas that can be gone back to.
#[derive(Debug, Default)]
pub(super) struct Past {
    begin: Schema,
    savepoints: Vec<(Box<str>, Schema)>,
}

impl Past {
    /// A transaction begins.
    pub(super) fn begin(&mut self, schema: &mut Schema) {
        schema.begin_transaction();
        self.begin.clone_from(schema);
        self.savepoints.clear();
    }

    /// Behind a statement. What may not run takes nothing back.
    pub(super) fn behind(&mut self, at: &At<'_>, schema: &mut Schema) {
        let Kind::Transaction(control) = &at.statement.kind else {
            return;
        };
        if at.statement.conditional {
            return;
        }
        let in_transaction = at.transaction.kind != TransactionKind::None;
        match control {
            Control::Commit { .. } if at.nested && !in_transaction => self.begin(schema),
            // In a block inside of a transaction it is refused.
            Control::Rollback { .. } if at.nested != in_transaction => {
                self.go_back(&self.begin.clone(), schema);
                self.savepoints.clear();
            }
            Control::Savepoint(name) if in_transaction && !at.nested => {
                self.savepoints.push((name.clone(), schema.clone()));
                schema.set_savepoints(self.savepoints.len());
            }
            Control::Release(name) => {
                if let Some(found) = self.find(name) {
                    self.savepoints.truncate(found);
                    schema.set_savepoints(found);
                }
            }
            Control::RollbackTo(name) => {
                if let Some(found) = self.find(name) {
                    // The savepoint itself can be gone back to again.
                    self.savepoints.truncate(found + 1);
                    self.go_back(&self.savepoints[found].1.clone(), schema);
                    schema.set_savepoints(found + 1);
                }
            }
            _ => {}
        }
    }

    fn find(&self, savepoint: &str) -> Option<usize> {
        self.savepoints
            .iter()
            .rposition(|(name, _)| **name == *savepoint)
    }

    fn go_back(&self, to: &Schema, schema: &mut Schema) {
        let batch = schema.batch();
        schema.clone_from(to);
        schema.begin_batch(batch);
    }
}
