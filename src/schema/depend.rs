//! What depends on an object: the questions of rules that take one away or change it.

use std::collections::BTreeSet;

use super::Schema;
use super::object::Function;
use crate::statement::{
    Change, ConstraintKind, Expr, Ident, Kind, Name, QualifiedName, Query, Statement,
};

/// Kinds of what depends on a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DependentKind {
    /// A view that uses the column.
    View,
    /// A materialized view that uses the column.
    MaterializedView,
    /// A generated column of the same table.
    GeneratedColumn,
    /// An index over it, or with a predicate on it.
    Index,
    /// A constraint of the table over it.
    Constraint,
    /// A foreign key of another table that references it.
    ForeignKey,
    /// A trigger that fires on it or looks at it in its `WHEN`.
    Trigger,
    /// A policy that looks at it.
    Policy,
    /// A publication that filters by it or lists it.
    Publication,
    /// A sequence it owns.
    Sequence,
    /// A partition key.
    PartitionKey,
    /// A function whose body names it: PostgreSQL does not know of it.
    Function,
}

impl DependentKind {
    /// What a person calls it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::GeneratedColumn => "generated column",
            Self::Index => "index",
            Self::Constraint => "constraint",
            Self::ForeignKey => "foreign key",
            Self::Trigger => "trigger",
            Self::Policy => "policy",
            Self::Publication => "publication",
            Self::Sequence => "sequence",
            Self::PartitionKey => "partition key",
            Self::Function => "function",
        }
    }
}

/// Something that depends on a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependent {
    /// What it is.
    pub kind: DependentKind,
    /// Its name, as a person writes it.
    pub name: String,
    /// The table it is on, if it has no name of its own in a schema.
    pub on: Option<QualifiedName>,
}

impl Schema {
    /// Everything that depends on a column of a table (or of a view, then only views do), sorted.
    #[must_use]
    pub fn dependents_of_column(&self, relation: &QualifiedName, column: &str) -> Vec<Dependent> {
        let mut found: BTreeSet<Dependent> = BTreeSet::new();
        let mut add = |kind, name: String, on: Option<&QualifiedName>| {
            found.insert(Dependent {
                kind,
                name,
                on: on.cloned(),
            });
        };
        for view in self.views_using(relation, column) {
            let kind = if view.materialized {
                DependentKind::MaterializedView
            } else {
                DependentKind::View
            };
            add(kind, view.name.short(), None);
        }
        for index in self.indexes_of(relation) {
            // One that belongs to a constraint goes with that.
            if index.constraint.is_none() && index.mentions(column) {
                add(DependentKind::Index, index.name.short(), None);
            }
        }
        for sequence in self.sequences_of_column(relation, column) {
            add(DependentKind::Sequence, sequence.short(), None);
        }
        let referencing = self
            .may_be_referenced(relation, column)
            .then(|| self.referencing(relation));
        for (table, constraint) in referencing.into_iter().flatten() {
            if let ConstraintKind::ForeignKey(key) = &constraint.def.kind
                && key.referenced.iter().any(|name| &*name.text == column)
            {
                add(
                    DependentKind::ForeignKey,
                    constraint.name.to_string(),
                    Some(&table.name),
                );
            }
        }
        if let Some(table) = self.table_at(relation) {
            let here = Some(&table.name);
            for other in &table.columns {
                let uses = |expr: &Expr| expr.columns().any(|name| name == column);
                if other.generated.as_ref().is_some_and(|g| uses(&g.expr)) {
                    add(DependentKind::GeneratedColumn, other.name.to_string(), here);
                }
            }
            for constraint in &table.constraints {
                if super::drop::constraint_mentions(&constraint.def.kind, column) {
                    add(DependentKind::Constraint, constraint.name.to_string(), here);
                }
            }
            for trigger in &table.triggers {
                let mut columns = trigger.columns.iter().chain(&trigger.when_columns);
                if columns.any(|name| &**name == column) {
                    add(DependentKind::Trigger, trigger.name.to_string(), here);
                }
            }
            for policy in &table.policies {
                if policy.columns.iter().any(|name| &**name == column) {
                    add(DependentKind::Policy, policy.name.to_string(), here);
                }
            }
            for publication in &table.publications {
                if publication.columns.iter().any(|name| &**name == column) {
                    add(
                        DependentKind::Publication,
                        publication.name.to_string(),
                        here,
                    );
                }
            }
            if let Some(by) = &table.partition_by {
                let among = by.key.iter().any(|element| {
                    let in_expr = |expr: &Expr| expr.columns().any(|name| name == column);
                    element
                        .column
                        .as_ref()
                        .is_some_and(|name| &*name.text == column)
                        || element.expr.as_ref().is_some_and(in_expr)
                });
                if among {
                    add(DependentKind::PartitionKey, table.name.short(), here);
                }
            }
        }
        for (name, function) in self.all_functions() {
            if function.uses.contains(&(relation.clone(), column.into())) {
                add(DependentKind::Function, name.short(), None);
            }
        }
        found.into_iter().collect()
    }

    /// Notes what a statement in the body of a function reads and writes.
    pub(super) fn note_use(&self, statement: &Statement, function: &mut Function) {
        match &statement.kind {
            Kind::Select(query) => self.note_query(query, function),
            Kind::Insert(insert) => {
                self.note_query(&insert.query, function);
                self.note_columns(&insert.table, insert.columns.iter(), function);
            }
            Kind::Change(change) | Kind::Merge(change) => self.note_change(change, function),
            Kind::Truncate { tables, .. } => {
                for table in tables {
                    function.reads.insert(self.resolve(&table.name));
                }
            }
            _ => {}
        }
        for nested in &statement.nested {
            // One level is what the parser gives; bodies are not nested deeper than that.
            if let Kind::Select(query) = &nested.statement.kind {
                self.note_query(query, function);
            }
        }
    }

    fn note_change(&self, change: &Change, function: &mut Function) {
        let table = self.resolve(&change.table.name);
        function.reads.insert(table.clone());
        let assigned = change.assignments.iter().map(|(column, _)| column);
        self.note_columns(&change.table.name, assigned, function);
        // The target is no relation that the query reads, but its columns are mentioned without a name before them.
        for mention in &change.query.mentions {
            let known = self
                .table_at(&table)
                .is_some_and(|table| table.column(&mention.column).is_some());
            if known {
                function
                    .uses
                    .insert((table.clone(), mention.column.clone()));
            }
        }
        self.note_query(&change.query, function);
    }

    fn note_columns<'i>(
        &self,
        table: &Name,
        columns: impl Iterator<Item = &'i Ident>,
        function: &mut Function,
    ) {
        let table = self.resolve(table);
        for column in columns {
            function.uses.insert((table.clone(), column.text.clone()));
        }
        function.reads.insert(table);
    }

    fn note_query(&self, query: &Query, function: &mut Function) {
        function.reads.extend(self.relations_read(query));
        function.uses.extend(self.columns_used(query));
    }
}
