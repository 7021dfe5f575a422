//! A persistent map that tells what was changed since an earlier state of it.
//!
//! Two schemas of one history share nearly all objects. Comparing them must cost what lies between them and not what
//! they hold: a history of thousands of down scripts is compared as often as it has scripts.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;

use rpds::RedBlackTreeMapSync as Map;

use crate::statement::QualifiedName;

/// A map by name. Reading goes to the map itself; every change is noted.
#[derive(Debug, Clone)]
pub(super) struct Tracked<V> {
    map: Map<QualifiedName, V>,
    last: Link,
}

/// The newest change. Each one holds the one before it, so that states that come from one another share their past.
type Link = Option<Arc<Change>>;

#[derive(Debug)]
struct Change {
    name: QualifiedName,
    before: Link,
}

impl Drop for Change {
    /// One after the other: a history has more changes than the stack has room for nested calls.
    fn drop(&mut self) {
        let mut next = self.before.take();
        while let Some(mut change) = next.and_then(Arc::into_inner) {
            next = change.before.take();
        }
    }
}

impl<V> Deref for Tracked<V> {
    type Target = Map<QualifiedName, V>;

    fn deref(&self) -> &Self::Target {
        &self.map
    }
}

impl<V> Default for Tracked<V> {
    fn default() -> Self {
        Self {
            map: Map::new_sync(),
            last: None,
        }
    }
}

impl<V: Clone> Tracked<V> {
    pub(super) fn insert_mut(&mut self, name: QualifiedName, value: V) {
        self.note(name.clone());
        self.map.insert_mut(name, value);
    }

    pub(super) fn remove_mut(&mut self, name: &QualifiedName) {
        self.note(name.clone());
        self.map.remove_mut(name);
    }

    /// Counts as a change, whatever is done with it.
    pub(super) fn get_mut(&mut self, name: &QualifiedName) -> Option<&mut V> {
        if self.map.contains_key(name) {
            self.note(name.clone());
        }
        self.map.get_mut(name)
    }

    fn note(&mut self, name: QualifiedName) {
        let before = self.last.take();
        self.last = Some(Arc::new(Change { name, before }));
    }

    /// The names whose entries may differ from those of another state: those changed since if this one comes from it,
    /// and otherwise all.
    pub(super) fn changed_since<'a>(&'a self, earlier: &'a Self) -> BTreeSet<&'a QualifiedName> {
        let mut changed = BTreeSet::new();
        let mut at = &self.last;
        while !same(at, &earlier.last) {
            let Some(change) = at else {
                return self.map.keys().chain(earlier.map.keys()).collect();
            };
            changed.insert(&change.name);
            at = &change.before;
        }
        changed
    }
}

fn same(a: &Link, b: &Link) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> QualifiedName {
        QualifiedName {
            schema: "public".into(),
            name: text.into(),
        }
    }

    fn changed<'a>(map: &'a Tracked<u8>, earlier: &'a Tracked<u8>) -> Vec<&'a str> {
        let names = map.changed_since(earlier);
        names.into_iter().map(|name| &*name.name).collect()
    }

    #[test]
    fn a_later_state_names_what_was_changed() {
        let mut map = Tracked::default();
        for part in ["a", "b", "c"] {
            map.insert_mut(name(part), 1);
        }
        let earlier = map.clone();
        assert_eq!(changed(&map, &earlier), Vec::<&str>::new());
        map.remove_mut(&name("b"));
        *map.get_mut(&name("c")).unwrap() = 2;
        assert!(map.get_mut(&name("x")).is_none());
        map.insert_mut(name("d"), 1);
        assert_eq!(changed(&map, &earlier), ["b", "c", "d"]);
    }

    #[test]
    fn a_state_that_comes_from_elsewhere_may_differ_everywhere() {
        let mut map = Tracked::default();
        map.insert_mut(name("a"), 1);
        let mut other = map.clone();
        map.insert_mut(name("b"), 1);
        other.insert_mut(name("c"), 1);
        assert_eq!(changed(&map, &other), ["a", "b", "c"]);
        assert_eq!(changed(&other, &map), ["a", "b", "c"]);
    }

    #[test]
    fn a_long_past_is_given_up_without_deep_calls() {
        let mut map = Tracked::default();
        for _ in 0..500_000 {
            map.insert_mut(name("a"), 1);
        }
        drop(map);
    }
}
