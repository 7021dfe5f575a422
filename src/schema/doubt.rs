//! Statements that the model cannot follow: a `DROP` in a branch, text that is no SQL, a command that is put together
//! at run time. What they may have changed is still there, and it is marked.

use std::sync::Arc;

use super::object::{Origin, TypeKind};
use super::{Relation, Schema};
use crate::statement::{Drop, Name, ObjectKind, QualifiedName};

impl Schema {
    /// The statement that may have changed or dropped a relation or type in a way that is not followed.
    #[must_use]
    pub fn doubt(&self, name: &QualifiedName) -> Option<Origin> {
        self.doubts.get(name).copied()
    }

    /// Marks a relation: nothing that is known of it is certain any more.
    pub(super) fn put_in_doubt(&mut self, name: &QualifiedName, origin: Origin) {
        if self.is_free(name) && !self.types.contains_key(name) {
            return;
        }
        self.doubts.insert_mut(name.clone(), origin);
        self.edit_table(name, |table| table.known = false);
        let owner = match self.relations.get(name) {
            Some(Relation::Index(index)) => Some((index.table.clone(), index.constraint.clone())),
            _ => None,
        };
        if let Some((table, Some(constraint))) = owner {
            self.edit_constraint(&table, &constraint, |constraint| constraint.valid = false);
        }
    }

    /// A relation that may have been renamed or moved away.
    pub(super) fn doubt_relation(&mut self, name: &Name, origin: Origin) {
        let key = self.resolve(name);
        self.put_in_doubt(&key, origin);
    }

    /// A `DROP` that may not run.
    pub(super) fn doubt_dropped(&mut self, drop: &Drop, name: &Name, origin: Origin) {
        match drop.object {
            ObjectKind::Table
            | ObjectKind::ForeignTable
            | ObjectKind::View
            | ObjectKind::MaterializedView
            | ObjectKind::Sequence
            | ObjectKind::Index => {
                let key = self.resolve(name);
                if drop.cascade {
                    self.doubt_dependents(&key, origin);
                }
                self.put_in_doubt(&key, origin);
            }
            ObjectKind::Type | ObjectKind::Domain => {
                let found = self
                    .type_named(name.schema.as_deref(), &name.name)
                    .map(|ty| ty.name.clone());
                let Some(key) = found else { return };
                self.put_in_doubt(&key, origin);
                // A domain that may be gone and made anew proves nothing.
                if let Some(ty) = self.types.get_mut(&key)
                    && let TypeKind::Domain(domain) = &mut Arc::make_mut(ty).kind
                {
                    for check in &mut domain.checks {
                        check.2 = false;
                    }
                }
                if drop.cascade {
                    for table in self.linked_names(&key, super::links::Link::Type) {
                        self.put_in_doubt(&table, origin);
                    }
                }
            }
            ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule => {
                if let Some(on) = &drop.on {
                    let key = self.resolve(on);
                    self.doubts.insert_mut(key, origin);
                }
            }
            ObjectKind::Schema => {
                let inside: Vec<QualifiedName> = self
                    .relations()
                    .map(|(key, _)| key)
                    .filter(|key| key.schema == name.name)
                    .cloned()
                    .collect();
                for key in inside {
                    self.put_in_doubt(&key, origin);
                }
            }
            _ => {}
        }
    }

    /// Views, foreign keys and children of a relation that may be gone with it.
    fn doubt_dependents(&mut self, key: &QualifiedName, origin: Origin) {
        let views: Vec<QualifiedName> = self.views_of(key).map(|view| view.name.clone()).collect();
        for view in views {
            if self.doubt(&view).is_none() {
                self.put_in_doubt(&view, origin);
                self.doubt_dependents(&view, origin);
            }
        }
        let keys: Vec<(QualifiedName, Box<str>)> = self
            .referencing(key)
            .map(|(table, constraint)| (table.name.clone(), constraint.name.clone()))
            .collect();
        for (table, constraint) in keys {
            self.edit_constraint(&table, &constraint, |constraint| constraint.valid = false);
        }
        let children: Vec<QualifiedName> = self
            .descendants(key)
            .into_iter()
            .map(|child| child.name.clone())
            .collect();
        for child in children {
            self.put_in_doubt(&child, origin);
        }
    }

    /// Text that was not understood may have changed whatever it names.
    pub(super) fn doubt_named(&mut self, text: &str, origin: Origin) {
        let words = words(text);
        let mut names: Vec<QualifiedName> = Vec::new();
        for (position, word) in words.iter().enumerate() {
            let plain = Name::new(None, word, crate::source::Span::default());
            names.push(self.resolve(&plain));
            if let Some(before) = position.checked_sub(1).and_then(|at| words.get(at)) {
                names.push(QualifiedName::new(before, word));
            }
        }
        names.sort_unstable();
        names.dedup();
        for name in names {
            self.put_in_doubt(&name, origin);
        }
    }
}

/// Everything in a text that may be an identifier, folded as PostgreSQL folds it, also inside of strings: a name may
/// stand in the text itself or in what it puts together.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c == '"' || c == '_' || c.is_alphanumeric()) {
        rest = &rest[start..];
        if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"').unwrap_or(quoted.len());
            words.push(quoted[..end].to_owned());
            rest = quoted.get(end + 1..).unwrap_or_default();
        } else {
            let end = rest
                .find(|c: char| !(c == '_' || c == '$' || c.is_alphanumeric()))
                .unwrap_or(rest.len());
            words.push(rest[..end].to_lowercase());
            rest = &rest[end..];
        }
    }
    words
}
