//! Who refers to a relation: kept beside the relations, so that no question about one table looks at all of them.
//!
//! Every change of a relation goes through here. That keeps replay linear in the number of statements.

use std::collections::BTreeSet;
use std::sync::Arc;

use rpds::RedBlackTreeMapSync as Map;

use super::{Index, Relation, Schema, Sequence, Table, Uses, View};
use crate::statement::{ConstraintKind, Expr, ExprKind, QualifiedName};

/// How one relation refers to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Link {
    /// An index of the table.
    Index,
    /// A partition or inheritance child of the table.
    Child,
    /// Its default partition, which is a child as well.
    DefaultPartition,
    /// A table with a foreign key to the table.
    Referencing,
    /// A sequence that a column of the table owns.
    Sequence,
    /// A view that reads the relation.
    View,
    /// A table with a column whose default takes values from the sequence.
    Default,
    /// A table with a column of the type, or made of it.
    Type,
    /// A table with a trigger that calls the function.
    Trigger,
    /// A table with a policy or rule that uses the relation.
    Code,
}

/// The relations that refer to one object, sorted. Persistent as everything here: thousands of tables may refer to one,
/// and a copy of them per statement would make replay quadratic.
pub(super) type Links = Map<(Link, QualifiedName), ()>;

/// Types that nearly all columns have: not worth remembering.
const USUAL_TYPES: [&str; 14] = [
    "int4",
    "text",
    "int8",
    "varchar",
    "timestamptz",
    "timestamp",
    "bool",
    "numeric",
    "uuid",
    "jsonb",
    "date",
    "int2",
    "float8",
    "bytea",
];

/// What a relation refers to.
fn targets(relation: &Relation) -> BTreeSet<(Link, &QualifiedName)> {
    match relation {
        Relation::Table(table) => {
            let parent = table.partition.iter().map(|partition| &partition.parent);
            let parents = parent
                .chain(&table.inherits)
                .map(|name| (Link::Child, name));
            let references = table
                .constraints
                .iter()
                .filter_map(|constraint| constraint.references.as_ref());
            let sequences = table
                .columns
                .iter()
                .filter_map(|column| column.sequence.as_ref());
            let types = table
                .columns
                .iter()
                .filter_map(|column| column.user_type.as_ref())
                .chain(&table.of_type);
            let functions = table.triggers.iter().map(|trigger| &trigger.function);
            let code = code(table).flat_map(|uses| uses.keys().map(|(relation, _)| relation));
            parents
                .chain(references.map(|name| (Link::Referencing, name)))
                .chain(
                    table
                        .partition
                        .iter()
                        .filter(|partition| partition.is_default)
                        .map(|partition| (Link::DefaultPartition, &partition.parent)),
                )
                .chain(sequences.map(|name| (Link::Default, name)))
                .chain(types.map(|name| (Link::Type, name)))
                .chain(functions.map(|name| (Link::Trigger, name)))
                .chain(code.map(|name| (Link::Code, name)))
                .collect()
        }
        Relation::Index(index) => BTreeSet::from([(Link::Index, &index.table)]),
        Relation::View(view) => view.reads.iter().map(|name| (Link::View, name)).collect(),
        Relation::Sequence(sequence) => sequence
            .owned_by
            .iter()
            .map(|(table, _)| (Link::Sequence, table))
            .collect(),
        Relation::Dropped(_) => BTreeSet::new(),
    }
}

fn note(names: &mut Map<Box<str>, ()>, name: &str) {
    if !names.contains_key(name) {
        names.insert_mut(name.into(), ());
    }
}

fn note_calls(names: &mut Map<Box<str>, ()>, expr: &Expr) {
    for part in expr.walk() {
        if let ExprKind::Call { name, .. } = &part.kind {
            note(names, name);
        }
    }
}

/// What the policies and rules of a table use elsewhere.
fn code(table: &Table) -> impl Iterator<Item = &Uses> {
    let policies = table.policies.iter().map(|policy| &policy.elsewhere);
    policies.chain(table.rules.iter().map(|rule| &rule.elsewhere))
}

/// Columns that a relation's definition uses.
fn columns(relation: Option<&Relation>) -> BTreeSet<&(QualifiedName, Box<str>)> {
    match relation {
        Some(Relation::View(view)) => view.uses.keys().collect(),
        Some(Relation::Table(table)) => code(table).flat_map(Uses::keys).collect(),
        _ => BTreeSet::new(),
    }
}

impl Schema {
    /// Puts a relation in place of whatever has its name.
    pub(super) fn put(&mut self, name: QualifiedName, relation: Relation) {
        let old = self.relations.get(&name).cloned();
        self.relink(&name, old.as_ref(), Some(&relation));
        match &relation {
            Relation::Table(table) => self.note_uses(table),
            Relation::Index(index) => {
                let elements = index.elements.iter().filter_map(|e| e.expr.as_ref());
                for expr in elements.chain(&index.predicate) {
                    note_calls(&mut self.used_functions, expr);
                }
            }
            Relation::View(view) => {
                for call in &view.query.calls {
                    note(&mut self.used_functions, &call.name);
                }
            }
            _ => {}
        }
        self.relink_columns(&name, old.as_ref(), Some(&relation));
        self.count_constraints(&name, old.as_ref(), Some(&relation));
        self.relations.insert_mut(name, relation);
    }

    /// Remembers which types and functions tables use, so that a question about one of them looks at no table in vain.
    fn note_uses(&mut self, table: &Table) {
        for column in &table.columns {
            if let Some(ty) = column
                .ty
                .as_ref()
                .filter(|ty| !USUAL_TYPES.contains(&&*ty.name))
            {
                note(&mut self.used_types, &ty.name);
            }
            let generated = column.generated.as_ref().map(|generated| &generated.expr);
            for expr in column.default.iter().chain(generated) {
                note_calls(&mut self.used_functions, expr);
            }
        }
        for constraint in &table.constraints {
            if let ConstraintKind::Check(expr) = &constraint.def.kind {
                note_calls(&mut self.used_functions, expr);
            }
        }
        for call in table.policies.iter().flat_map(|policy| &policy.calls) {
            note(&mut self.used_functions, &call.name);
        }
        for trigger in &table.triggers {
            note(&mut self.used_functions, &trigger.function.name);
        }
    }

    /// Takes a relation away without a trace.
    pub(super) fn take(&mut self, name: &QualifiedName) {
        let old = self.relations.get(name).cloned();
        self.relink(name, old.as_ref(), None);
        self.relink_columns(name, old.as_ref(), None);
        self.count_constraints(name, old.as_ref(), None);
        self.relations.remove_mut(name);
    }

    /// Changes a table.
    pub(super) fn edit_table(&mut self, name: &QualifiedName, change: impl FnOnce(&mut Table)) {
        if let Some(Relation::Table(table)) = self.relations.get(name) {
            let mut table = Arc::clone(table);
            change(Arc::make_mut(&mut table));
            self.put(name.clone(), Relation::Table(table));
        }
    }

    /// Changes an index.
    pub(super) fn edit_index(&mut self, name: &QualifiedName, change: impl FnOnce(&mut Index)) {
        if let Some(Relation::Index(index)) = self.relations.get(name) {
            let mut index = Arc::clone(index);
            change(Arc::make_mut(&mut index));
            self.put(name.clone(), Relation::Index(index));
        }
    }

    /// Changes a view.
    pub(super) fn edit_view(&mut self, name: &QualifiedName, change: impl FnOnce(&mut View)) {
        if let Some(Relation::View(view)) = self.relations.get(name) {
            let mut view = Arc::clone(view);
            change(Arc::make_mut(&mut view));
            self.put(name.clone(), Relation::View(view));
        }
    }

    /// Changes a sequence.
    pub(super) fn edit_sequence(
        &mut self,
        name: &QualifiedName,
        change: impl FnOnce(&mut Sequence),
    ) {
        if let Some(Relation::Sequence(sequence)) = self.relations.get(name) {
            let mut sequence = Arc::clone(sequence);
            change(Arc::make_mut(&mut sequence));
            self.put(name.clone(), Relation::Sequence(sequence));
        }
    }

    /// Names of the relations that refer to one in some way, sorted.
    pub(super) fn linked<'a>(
        &'a self,
        name: &QualifiedName,
        link: Link,
    ) -> impl Iterator<Item = &'a QualifiedName> {
        let first = (
            link,
            QualifiedName {
                schema: Box::default(),
                name: Box::default(),
            },
        );
        self.links.get(name).into_iter().flat_map(move |links| {
            links
                .range(first.clone()..)
                .take_while(move |((kind, _), ())| *kind == link)
                .map(|((_, name), ())| name)
        })
    }

    /// The same as a list of their own, to change what they lead to.
    pub(super) fn linked_names(&self, name: &QualifiedName, link: Link) -> Vec<QualifiedName> {
        self.linked(name, link).cloned().collect()
    }

    fn relink(&mut self, name: &QualifiedName, old: Option<&Relation>, new: Option<&Relation>) {
        let before = old.map(targets).unwrap_or_default();
        let after = new.map(targets).unwrap_or_default();
        if before == after {
            return;
        }
        for (link, target) in before.difference(&after) {
            if let Some(links) = self.links.get_mut(*target) {
                links.remove_mut(&(*link, name.clone()));
            }
        }
        for (link, target) in after.difference(&before) {
            if !self.links.contains_key(*target) {
                self.links.insert_mut((*target).clone(), Map::new_sync());
            }
            if let Some(links) = self.links.get_mut(*target) {
                links.insert_mut((*link, name.clone()), ());
            }
        }
    }

    fn relink_columns(
        &mut self,
        name: &QualifiedName,
        old: Option<&Relation>,
        new: Option<&Relation>,
    ) {
        let (before, after) = (columns(old), columns(new));
        for column in before.difference(&after) {
            if let Some(users) = self.column_users.get_mut(*column) {
                users.remove_mut(name);
            }
        }
        for column in after.difference(&before) {
            if !self.column_users.contains_key(*column) {
                self.column_users
                    .insert_mut((*column).clone(), Map::new_sync());
            }
            if let Some(users) = self.column_users.get_mut(*column) {
                users.insert_mut(name.clone(), ());
            }
        }
    }

    /// All views that use a column of a relation, or all of its columns without that it is known which ones there are.
    pub fn views_using(&self, relation: &QualifiedName, column: &str) -> Vec<&Arc<View>> {
        self.users(relation, column)
            .filter_map(|user| match user {
                Relation::View(view) => Some(view),
                _ => None,
            })
            .collect()
    }

    /// Views that use a column of a relation, and tables with a policy or rule that does, sorted by name.
    pub(super) fn users(
        &self,
        relation: &QualifiedName,
        column: &str,
    ) -> impl Iterator<Item = &Relation> {
        let mut names: BTreeSet<&QualifiedName> = BTreeSet::new();
        for column in [column, super::view::ALL] {
            let users = self.column_users.get(&(relation.clone(), column.into()));
            names.extend(users.into_iter().flat_map(Map::keys));
        }
        names
            .into_iter()
            .filter_map(|name| self.relations.get(name))
    }

    /// True if a constraint of some table of the schema has that name: PostgreSQL then chooses another one for a new
    /// constraint without a name.
    pub(super) fn is_constraint_name(&self, schema: &str, name: &str) -> bool {
        self.constraint_names
            .get(&QualifiedName::new(schema, name))
            .is_some_and(|count| *count > 0)
    }

    fn count_constraints(
        &mut self,
        table: &QualifiedName,
        old: Option<&Relation>,
        new: Option<&Relation>,
    ) {
        let names = |relation: Option<&Relation>| -> Vec<Box<str>> {
            match relation {
                Some(Relation::Table(table)) => {
                    let mut names: Vec<Box<str>> =
                        table.constraints.iter().map(|c| c.name.clone()).collect();
                    names.sort_unstable();
                    names
                }
                _ => Vec::new(),
            }
        };
        let (before, after) = (names(old), names(new));
        if before == after {
            return;
        }
        for name in before {
            let key = QualifiedName::new(&table.schema, &name);
            let count = self.constraint_names.get(&key).copied().unwrap_or(0);
            if count > 1 {
                self.constraint_names.insert_mut(key, count - 1);
            } else {
                self.constraint_names.remove_mut(&key);
            }
        }
        for name in after {
            let key = QualifiedName::new(&table.schema, &name);
            let count = self.constraint_names.get(&key).copied().unwrap_or(0);
            self.constraint_names.insert_mut(key, count + 1);
        }
    }
}
