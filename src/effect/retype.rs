//! `ALTER COLUMN … TYPE`: what it does to the table, its indexes and its checks.

use super::Work;
use super::types::{self, TypeChange};
use crate::diagnostic::Certainty;
use crate::schema::{Schema, Table};
use crate::statement::{
    ColumnChange, ConstraintKind, Element, Expr, Name, QualifiedName, TypeName,
};

/// A command that changes the type of a column.
#[derive(Debug, Clone, Copy)]
pub struct Retype<'a> {
    /// The table.
    pub table: &'a Name,
    /// The column.
    pub column: &'a str,
    /// The new type.
    pub to: &'a TypeName,
    /// The new collation, if written.
    pub collation: Option<&'a str>,
    /// `USING`.
    pub using: Option<&'a Expr>,
}

/// What changing a type costs.
#[derive(Debug, Clone)]
pub struct RetypeCost {
    /// What happens to the values.
    pub change: TypeChange,
    /// Work under the ACCESS EXCLUSIVE lock.
    pub work: Work,
    /// How sure that is.
    pub certainty: Certainty,
    /// Indexes that are built anew although the table is not, by name.
    pub indexes: Vec<QualifiedName>,
    /// CHECK constraints that are verified on every row again although the table is not rewritten.
    pub checks: Vec<Box<str>>,
}

impl<'a> Retype<'a> {
    /// The command, if the change of a column is one.
    #[must_use]
    pub fn new(table: &'a Name, column: &'a str, change: &'a ColumnChange) -> Option<Self> {
        match change {
            ColumnChange::Type {
                ty,
                collation,
                using,
                ..
            } => Some(Self {
                table,
                column,
                to: ty,
                collation: collation.as_deref(),
                using: using.as_deref(),
            }),
            _ => None,
        }
    }

    /// The type before, if it is known.
    #[must_use]
    pub fn from<'s>(&self, schema: &'s Schema) -> Option<&'s TypeName> {
        let column = schema.table(self.table)?.column(self.column)?;
        column.ty.as_ref().filter(|ty| !ty.is_unknown())
    }

    /// What it costs. `zone` is the session's time zone, if a statement set it.
    #[must_use]
    pub fn cost(&self, schema: &Schema, zone: Option<&str>) -> RetypeCost {
        let change = types::change(
            schema,
            self.column,
            self.from(schema),
            self.to,
            self.using,
            zone,
        );
        let table = schema.table(self.table);
        let mut cost = RetypeCost {
            change,
            work: Work::NONE,
            certainty: Certainty::Certain,
            indexes: Vec::new(),
            checks: Vec::new(),
        };
        match (change, table) {
            (TypeChange::Rewrite, _) => cost.work = Work::REWRITE,
            // Of a table that the history does not make, the type may be another one by now.
            (TypeChange::Refused, Some(table)) if table.known => {}
            (TypeChange::Unknown | TypeChange::Refused, _) => {
                cost.work = Work::REWRITE;
                cost.certainty = Certainty::Unknown;
            }
            (TypeChange::Indexes, None) => {
                cost.work = Work::INDEX_BUILD;
                cost.certainty = Certainty::Possible;
            }
            (TypeChange::Free, None) => {}
            (TypeChange::Free | TypeChange::Indexes, Some(table)) => {
                cost.indexes = self.rebuilt(schema, table);
                cost.checks = verified(table, self.column);
                if !cost.indexes.is_empty() {
                    cost.work = cost.work.and(Work::INDEX_BUILD);
                }
                if !cost.checks.is_empty() {
                    cost.work = cost.work.and(Work::SCAN);
                }
            }
        }
        cost
    }

    /// Indexes that are built anew. Expression and partial indexes that mention the column are so even by a free change
    /// (measured); others are if their operator class or collation becomes another one.
    fn rebuilt(&self, schema: &Schema, table: &Table) -> Vec<QualifiedName> {
        let collation = self.changes_collation(table);
        let from = self.from(schema);
        schema
            .indexes_of(&table.name)
            .filter(|index| {
                let indirect = index
                    .elements
                    .iter()
                    .filter_map(|element| element.expr.as_ref())
                    .chain(&index.predicate)
                    .any(|expr| expr.columns().any(|name| name == self.column));
                let mut own = index.elements.iter().filter(|element| {
                    element
                        .column
                        .as_ref()
                        .is_some_and(|column| &*column.text == self.column)
                });
                let other_class = |element: &Element| {
                    element.opclass.is_none()
                        && from.is_some_and(|from| {
                            !types::keeps_indexes(schema, from, self.to, &index.method)
                        })
                };
                indirect || own.any(|element| collation || other_class(element))
            })
            .map(|index| index.name.clone())
            .collect()
    }

    fn changes_collation(&self, table: &Table) -> bool {
        self.collation.is_some()
            && table
                .column(self.column)
                // The collation a type has by default is not written in the model.
                .is_some_and(|column| {
                    column.collation.as_deref() != self.collation.filter(|name| *name != "default")
                })
    }
}

/// Valid CHECK constraints on the column, which are verified again.
fn verified(table: &Table, column: &str) -> Vec<Box<str>> {
    table
        .constraints
        .iter()
        .filter(|constraint| {
            constraint.valid
                && matches!(&constraint.def.kind, ConstraintKind::Check(expr) if expr.columns().any(|name| name == column))
        })
        .map(|constraint| constraint.name.clone())
        .collect()
}
