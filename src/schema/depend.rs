//! What depends on an object: the questions of rules that take one away or change it.

use std::collections::BTreeMap;

use rpds::RedBlackTreeMapSync as Map;

use super::object::{Function, Table};
use super::{Relation, Schema};
use crate::statement::{
    Change, ConstraintKind, Expr, Ident, Kind, Name, QualifiedName, Query, Statement,
};

/// Columns of relations that a definition uses, each with whether that is sure: a bare name may be another relation's.
pub type Uses = BTreeMap<(QualifiedName, Box<str>), bool>;

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
    /// A rewrite rule that looks at it.
    Rule,
    /// A publication that filters by it or lists it.
    Publication,
    /// Extended statistics about it.
    Statistics,
    /// A sequence it owns.
    Sequence,
    /// A partition key.
    PartitionKey,
    /// A function whose body names it: PostgreSQL does not know of it.
    Function,
    /// A function whose body is SQL that PostgreSQL has read (`BEGIN ATOMIC`).
    SqlBody,
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
            Self::Rule => "rule",
            Self::Statistics => "statistics",
            Self::Publication => "publication",
            Self::Sequence => "sequence",
            Self::PartitionKey => "partition key",
            Self::Function | Self::SqlBody => "function",
        }
    }
}

/// Something that depends on a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependent {
    /// What it is.
    pub kind: DependentKind,
    /// Its name; with its schema for a relation or function, unless that is `public`.
    pub name: String,
    /// The table it is on, if it has no name of its own in a schema.
    pub on: Option<QualifiedName>,
    /// The relation that it is, if it is one.
    pub relation: Option<QualifiedName>,
    /// False if only a bare name says so, which may be another relation's column.
    pub certain: bool,
}

/// Collects dependents, each once; the surest mention counts.
#[derive(Default)]
struct Found(BTreeMap<(DependentKind, String, Option<QualifiedName>), Dependent>);

impl Found {
    fn add(&mut self, dependent: Dependent) {
        let key = (dependent.kind, dependent.name.clone(), dependent.on.clone());
        let certain = dependent.certain;
        let known = self.0.entry(key).or_insert(dependent);
        known.certain |= certain;
    }

    fn relation(&mut self, kind: DependentKind, name: &QualifiedName, certain: bool) {
        self.add(Dependent {
            kind,
            name: name.short(),
            on: None,
            relation: Some(name.clone()),
            certain,
        });
    }

    fn part(&mut self, kind: DependentKind, name: &str, on: &QualifiedName, certain: bool) {
        self.add(Dependent {
            kind,
            name: name.to_owned(),
            on: Some(on.clone()),
            relation: None,
            certain,
        });
    }
}

impl Schema {
    /// Everything that depends on a column of a table (or of a view, then only views and code do), sorted.
    #[must_use]
    pub fn dependents_of_column(&self, relation: &QualifiedName, column: &str) -> Vec<Dependent> {
        let mut found = Found::default();
        self.users_of_column(relation, column, &mut found);
        for index in self.indexes_of(relation) {
            // One that belongs to a constraint goes with that.
            if index.constraint.is_none() && index.mentions(column) {
                found.relation(DependentKind::Index, &index.name, true);
            }
        }
        for sequence in self.sequences_of_column(relation, column) {
            found.relation(DependentKind::Sequence, &sequence, true);
        }
        let referencing = self
            .may_be_referenced(relation, column)
            .then(|| self.referencing(relation));
        for (table, constraint) in referencing.into_iter().flatten() {
            if let ConstraintKind::ForeignKey(key) = &constraint.def.kind
                && key.referenced.iter().any(|name| &*name.text == column)
            {
                found.part(
                    DependentKind::ForeignKey,
                    &constraint.name,
                    &table.name,
                    true,
                );
            }
        }
        if let Some(table) = self.table_at(relation) {
            of_own_table(table, column, &mut found);
        }
        found.0.into_values().collect()
    }

    /// Views, and policies, rules and functions elsewhere.
    fn users_of_column(&self, relation: &QualifiedName, column: &str, found: &mut Found) {
        let key = (relation.clone(), column.into());
        let all = (relation.clone(), super::view::ALL.into());
        // All columns of a relation that is not known: this one may not have been among them.
        let sure = |uses: &Uses| match (uses.get(&key), uses.contains_key(&all)) {
            (Some(sure), _) => Some(*sure),
            (None, true) => Some(false),
            (None, false) => None,
        };
        for user in self.users(relation, column) {
            match user {
                Relation::View(view) => {
                    let kind = if view.materialized {
                        DependentKind::MaterializedView
                    } else {
                        DependentKind::View
                    };
                    let certain = sure(&view.uses).unwrap_or_default();
                    found.relation(kind, &view.name, certain);
                }
                Relation::Table(table) => {
                    for policy in &table.policies {
                        if let Some(sure) = sure(&policy.elsewhere) {
                            found.part(DependentKind::Policy, &policy.name, &table.name, sure);
                        }
                    }
                    for rule in &table.rules {
                        if let Some(sure) = sure(&rule.elsewhere) {
                            found.part(DependentKind::Rule, &rule.name, &table.name, sure);
                        }
                    }
                }
                _ => {}
            }
        }
        let readers = self.column_readers.get(&key).into_iter();
        for name in readers.flat_map(Map::keys) {
            let functions = self.functions.get(name).into_iter().flat_map(|f| f.iter());
            for function in functions {
                let Some(certain) = function.uses.get(&key) else {
                    continue;
                };
                let kind = if function.atomic {
                    DependentKind::SqlBody
                } else {
                    DependentKind::Function
                };
                found.add(Dependent {
                    kind,
                    name: name.short(),
                    on: None,
                    relation: None,
                    certain: *certain && function.atomic,
                });
            }
        }
    }
}

/// Parts of the table itself.
fn of_own_table(table: &Table, column: &str, found: &mut Found) {
    let here = &table.name;
    let among = |columns: &[Box<str>]| columns.iter().any(|name| **name == *column);
    for other in &table.columns {
        let uses = |expr: &Expr| expr.columns().any(|name| name == column);
        if other.generated.as_ref().is_some_and(|g| uses(&g.expr)) {
            found.part(DependentKind::GeneratedColumn, &other.name, here, true);
        }
    }
    for constraint in &table.constraints {
        if constraint.def.kind.mentions(column) {
            found.part(DependentKind::Constraint, &constraint.name, here, true);
        }
    }
    for trigger in &table.triggers {
        if among(&trigger.columns) || among(&trigger.when_columns) {
            found.part(DependentKind::Trigger, &trigger.name, here, true);
        }
    }
    for policy in &table.policies {
        if among(&policy.columns) {
            let sure = !among(&policy.unsure);
            found.part(DependentKind::Policy, &policy.name, here, sure);
        }
    }
    for rule in &table.rules {
        if among(&rule.columns) {
            found.part(DependentKind::Rule, &rule.name, here, true);
        }
    }
    for publication in &table.publications {
        if among(&publication.columns) {
            found.part(DependentKind::Publication, &publication.name, here, true);
        }
    }
    for statistics in &table.statistics {
        if among(&statistics.columns) {
            found.relation(DependentKind::Statistics, &statistics.name, true);
        }
    }
    if let Some(by) = &table.partition_by
        && by.key.iter().any(|element| element.mentions(column))
    {
        found.part(DependentKind::PartitionKey, &here.short(), here, true);
    }
}

impl Schema {
    /// Remembers which columns the functions of a name use.
    pub(super) fn note_readers(&mut self, name: &QualifiedName) {
        let functions = self.functions.get(name).cloned();
        for function in functions.iter().flat_map(|functions| functions.iter()) {
            let whole = function.reads.iter();
            let whole: Vec<_> = whole.map(|name| (name.clone(), Box::default())).collect();
            for column in function.uses.keys().chain(&whole) {
                if !self.column_readers.contains_key(column) {
                    self.column_readers
                        .insert_mut(column.clone(), Map::new_sync());
                }
                if let Some(readers) = self.column_readers.get_mut(column) {
                    readers.insert_mut(name.clone(), ());
                }
            }
        }
    }

    /// Functions whose body is SQL that PostgreSQL has read, and that use a relation.
    #[must_use]
    pub fn sql_bodies_reading(&self, relation: &QualifiedName) -> Vec<&QualifiedName> {
        let readers = self.column_readers.get(&(relation.clone(), Box::default()));
        readers
            .into_iter()
            .flat_map(Map::keys)
            .filter(|name| {
                let functions = self.functions.get(*name).into_iter();
                functions
                    .flat_map(|functions| functions.iter())
                    .any(|function| function.atomic && function.reads.contains(relation))
            })
            .collect()
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
                let bare = mention.relation.is_none();
                let sure = bare && change.query.aliases.is_empty() && !change.query.derived;
                let entry = function.uses.entry((table.clone(), mention.column.clone()));
                *entry.or_default() |= sure;
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
            function
                .uses
                .insert((table.clone(), column.text.clone()), true);
        }
        function.reads.insert(table);
    }

    fn note_query(&self, query: &Query, function: &mut Function) {
        function.reads.extend(self.relations_read(query));
        for (column, sure) in self.columns_used(query) {
            *function.uses.entry(column).or_default() |= sure;
        }
    }
}
