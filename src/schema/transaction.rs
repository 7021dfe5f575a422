//! What a transaction means to the schema: labels that cannot be used before it commits, and settings that end with it.

use std::sync::Arc;

use super::Schema;

/// The transaction that is open. Without one (nobody said that one began) nothing is held against a statement.
#[derive(Debug, Clone, Default)]
pub(super) struct Open {
    /// Its number in the history.
    number: Option<u32>,
    /// Savepoints that are open.
    savepoints: usize,
    /// The `search_path` that `SET LOCAL` hides.
    hidden_path: Option<Arc<[Box<str>]>>,
    /// A label was added to an enum.
    added_labels: bool,
}

/// A point of a transaction. Later points are not equal to it once a savepoint was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Within {
    /// The transaction.
    transaction: u32,
    /// It is not behind a savepoint.
    outermost: bool,
}

/// A label that `ADD VALUE` added cannot be used before the transaction commits (55P04).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uncommitted {
    transaction: u32,
    /// The type is of the same transaction, and neither was made behind a savepoint. Since 17 it can be used then.
    with_its_type: bool,
}

impl Schema {
    /// Begins a transaction, and ends the one before.
    pub fn begin_transaction(&mut self) {
        let number = self.open.number.map_or(0, |number| number + 1);
        let open = Open {
            number: Some(number),
            ..Open::default()
        };
        let before = std::mem::replace(&mut self.open, open);
        if let Some(path) = before.hidden_path {
            self.search_path = path;
        }
    }

    /// Begins a session of its own: settings of the one before are gone.
    pub fn begin_session(&mut self) {
        self.open.hidden_path = None;
        self.search_path = Arc::from(["public".into()]);
    }

    /// Says how many savepoints are open.
    pub fn set_savepoints(&mut self, count: usize) {
        self.open.savepoints = count;
    }

    /// The point at which something is made now.
    pub(super) fn within(&self) -> Option<Within> {
        Some(Within {
            transaction: self.open.number?,
            outermost: self.open.savepoints == 0,
        })
    }

    /// What a label is that is added now to a type made at that point.
    pub(super) fn uncommitted(&mut self, type_made: Option<Within>) -> Option<Uncommitted> {
        let now = self.within()?;
        self.open.added_labels = true;
        Some(Uncommitted {
            transaction: now.transaction,
            with_its_type: now.outermost && type_made == Some(now),
        })
    }

    /// True if the transaction has added a label to an enum: asking this first keeps the question what a statement uses
    /// from all others.
    #[must_use]
    pub fn has_uncommitted_labels(&self) -> bool {
        self.open.added_labels
    }

    /// True if a label cannot be used in the open transaction. Measured on 13 to 18.
    #[must_use]
    pub fn is_unusable(&self, label: Option<Uncommitted>, postgres: u32) -> bool {
        label.is_some_and(|label| {
            Some(label.transaction) == self.open.number && !(label.with_its_type && postgres >= 17)
        })
    }

    /// `SET search_path`; with LOCAL until the transaction ends.
    pub(super) fn set_path(&mut self, schemas: Vec<Box<str>>, local: bool) {
        if local && self.open.number.is_some() {
            let before = self.search_path.clone();
            self.open.hidden_path.get_or_insert(before);
        } else {
            self.open.hidden_path = None;
        }
        self.set_search_path(schemas);
    }
}
