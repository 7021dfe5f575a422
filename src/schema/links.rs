//! Who refers to a relation: kept beside the relations, so that no question about one table looks at all of them.
//!
//! Every change of a relation goes through here. That keeps replay linear in the number of statements.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Index, Relation, Schema, Sequence, Table, View};
use crate::statement::QualifiedName;

/// How one relation refers to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Link {
    /// An index of the table.
    Index,
    /// A partition or inheritance child of the table.
    Child,
    /// A table with a foreign key to the table.
    Referencing,
    /// A sequence that a column of the table owns.
    Sequence,
    /// A view that reads the relation.
    View,
}

/// The relations that refer to one relation, sorted.
pub(super) type Links = BTreeSet<(Link, QualifiedName)>;

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
            parents
                .chain(references.map(|name| (Link::Referencing, name)))
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

impl Schema {
    /// Puts a relation in place of whatever has its name.
    pub(super) fn put(&mut self, name: QualifiedName, relation: Relation) {
        let old = self.relations.get(&name).cloned();
        self.relink(&name, old.as_ref(), Some(&relation));
        self.relations.insert_mut(name, relation);
    }

    /// Takes a relation away without a trace.
    pub(super) fn take(&mut self, name: &QualifiedName) {
        let old = self.relations.get(name).cloned();
        self.relink(name, old.as_ref(), None);
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
        self.links.get(name).into_iter().flat_map(move |links| {
            links
                .iter()
                .filter(move |(kind, _)| *kind == link)
                .map(|(_, name)| name)
        })
    }

    fn relink(&mut self, name: &QualifiedName, old: Option<&Relation>, new: Option<&Relation>) {
        let before = old.map(targets).unwrap_or_default();
        let after = new.map(targets).unwrap_or_default();
        if before == after {
            return;
        }
        for (link, target) in before.difference(&after) {
            if let Some(links) = self.links.get(*target) {
                let mut links = Arc::clone(links);
                Arc::make_mut(&mut links).remove(&(*link, name.clone()));
                self.links.insert_mut((*target).clone(), links);
            }
        }
        for (link, target) in after.difference(&before) {
            let mut links = self.links.get(*target).map(Arc::clone).unwrap_or_default();
            Arc::make_mut(&mut links).insert((*link, name.clone()));
            self.links.insert_mut((*target).clone(), links);
        }
    }
}
