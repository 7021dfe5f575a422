//! What pending migrations take away from those who use it.

use super::Plan;
use crate::source::Location;
use crate::statement::{ColumnChange, Kind, ObjectKind, QualifiedName};

/// A relation or a column that will not be there any more, or not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// The relation.
    pub relation: QualifiedName,
    /// The column; none for the whole relation.
    pub column: Option<String>,
    /// What happens to it.
    pub how: How,
    /// The statement.
    pub place: Location,
}

/// What happens to something that is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum How {
    Dropped,
    Renamed,
    Retyped,
}

impl How {
    /// As a verb: `drops`.
    #[must_use]
    pub fn verb(self) -> &'static str {
        match self {
            Self::Dropped => "drops",
            Self::Renamed => "renames",
            Self::Retyped => "changes the type of",
        }
    }
}

impl Gone {
    /// `orders.note`, `orders`.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.column {
            Some(column) => format!("{}.{column}", self.relation.short()),
            None => self.relation.short(),
        }
    }
}

impl Plan<'_> {
    /// Relations and columns that pending statements drop, rename or give another type, in the order in which they run.
    #[must_use]
    pub fn gone(&self) -> Vec<Gone> {
        let mut gone = Vec::new();
        for (step, place) in self.steps() {
            let mut add = |relation: QualifiedName, column: Option<&str>, how| {
                // What the same plan makes is nobody's yet.
                gone.push(Gone {
                    relation,
                    column: column.map(str::to_owned),
                    how,
                    place,
                });
            };
            let statement = step.statement;
            match &statement.kind {
                Kind::Drop(drop)
                    if matches!(
                        drop.object,
                        ObjectKind::Table
                            | ObjectKind::View
                            | ObjectKind::MaterializedView
                            | ObjectKind::ForeignTable
                    ) =>
                {
                    for name in &drop.names {
                        add(step.before.resolve(name), None, How::Dropped);
                    }
                }
                Kind::Rename(rename) => {
                    let relation = step.before.resolve(&rename.relation);
                    match (rename.object, &rename.part) {
                        (ObjectKind::Column, Some(part)) => {
                            add(relation, Some(&part.text), How::Renamed);
                        }
                        (
                            ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView,
                            None,
                        ) => add(relation, None, How::Renamed),
                        _ => {}
                    }
                }
                _ => {}
            }
            for (table, column) in statement.dropped_columns() {
                let table = step.before.resolve(table);
                add(table, Some(&column.text), How::Dropped);
            }
            for (table, alter) in statement.altered_columns() {
                if matches!(alter.change, ColumnChange::Type { .. }) {
                    let table = step.before.resolve(table);
                    add(table, Some(&alter.column.text), How::Retyped);
                }
            }
        }
        gone
    }
}
