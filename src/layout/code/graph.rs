//! The order in which Django runs the migrations of all applications.
//!
//! As its documentation and its planner have it: each application has migrations whose `dependencies` name others, those
//! of other applications too. The last ones of all applications are gone through by the names of the applications; before
//! each runs what it needs. A migration that `replaces` others runs instead of them where none of them has run.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Script, path};

/// What stands for the first migration of an application.
const FIRST: &str = "__first__";
/// What stands for the last one.
const LATEST: &str = "__latest__";

/// An application and the name of a migration.
type Node = (String, String);

/// A migration's application and name: `shop/migrations/0001_initial.py`.
fn node(script: &Script) -> Node {
    let app = path::file_name(path::parent(path::parent(&script.path)));
    let name = path::stem(path::file_name(&script.path));
    (app.to_owned(), name.to_owned())
}

/// Gives each script its place. Those that others replace come before these, without their SQL.
pub(super) fn place(scripts: &mut [Script], user_model: Option<&str>) {
    let mut order: BTreeMap<Node, usize> = BTreeMap::new();
    for node in plan(scripts, user_model) {
        let place = order.len();
        order.entry(node).or_insert(place);
    }
    let replaced: BTreeMap<Node, String> = scripts
        .iter()
        .flat_map(|script| {
            let name = node(script).1;
            let replaces = script.replaces.iter().filter_map(|id| split(id));
            replaces.map(move |replaced| (replaced, name.clone()))
        })
        .collect();
    for script in scripts {
        let node = node(script);
        script.place = order.get(&node).copied();
        if let Some(by) = replaced.get(&node).filter(|by| **by != node.1) {
            script.pieces.clear();
            script.not_analysed = vec![(
                script.span,
                format!("replaced by `{by}`, which runs instead of it on a database made anew"),
            )];
        }
    }
}

fn split(id: &str) -> Option<Node> {
    let (app, name) = id.split_once('.')?;
    Some((app.to_owned(), name.to_owned()))
}

/// All migrations in the order of the plan for a database made anew.
fn plan(scripts: &[Script], user_model: Option<&str>) -> Vec<Node> {
    let names: BTreeSet<Node> = scripts.iter().map(node).collect();
    let mut successor: BTreeMap<Node, Node> = BTreeMap::new();
    for script in scripts {
        for replaced in script.replaces.iter().filter_map(|id| split(id)) {
            successor.insert(replaced, node(script));
        }
    }
    // One that was replaced may have been replaced again.
    let current = |mut id: Node| {
        for _ in 0..successor.len() {
            match successor.get(&id) {
                Some(next) if *next != id => id.clone_from(next),
                _ => break,
            }
        }
        id
    };
    let mut parents: BTreeMap<Node, BTreeSet<Node>> = BTreeMap::new();
    for script in scripts {
        let own = current(node(script));
        let needed = parents.entry(own.clone()).or_default();
        needed.extend(
            script
                .depends_on
                .iter()
                .filter_map(|(id, _)| split(id))
                .map(&current)
                .filter(|id| *id != own),
        );
    }
    for script in scripts {
        for later in script.before.iter().filter_map(|id| split(id)) {
            let later = current(later);
            if names.contains(&later) {
                parents
                    .entry(later)
                    .or_default()
                    .insert(current(node(script)));
            }
        }
    }
    let ends = ends(&parents);
    let user_app = user_model.and_then(|model| Some(model.split_once('.')?.0));
    for needed in parents.values_mut() {
        *needed = std::mem::take(needed)
            .into_iter()
            .filter_map(|(app, name)| {
                let app = match (app.is_empty(), user_app) {
                    (true, Some(user)) => user.to_owned(),
                    _ => app,
                };
                let (first, last) = ends.get(&app)?;
                match name.as_str() {
                    FIRST => first.clone(),
                    LATEST => last.clone(),
                    _ => Some((app, name)),
                }
            })
            .filter(|id| names.contains(id))
            .collect();
    }
    let mut done: BTreeSet<Node> = BTreeSet::new();
    let mut order = Vec::new();
    for leaf in leaves(&parents) {
        let mut waiting = vec![(leaf, false)];
        while let Some((id, is_ready)) = waiting.pop() {
            if done.contains(&id) {
                continue;
            }
            if is_ready {
                done.insert(id.clone());
                // Those that it replaces are there to be named.
                let replaced = successor.iter().filter(|(_, by)| **by == id);
                order.extend(replaced.map(|(old, _)| old.clone()));
                order.push(id);
                continue;
            }
            let needed = parents.get(&id).into_iter().flatten();
            let missing: Vec<_> = needed.filter(|id| !done.contains(*id)).cloned().collect();
            // In a circle, which Django refuses, each is gone through once.
            if waiting
                .iter()
                .any(|(other, is_ready)| *is_ready && *other == id)
            {
                continue;
            }
            waiting.push((id, true));
            waiting.extend(missing.into_iter().map(|id| (id, false)));
        }
    }
    order
}

/// The last migrations: those that no other one of the same application needs.
fn leaves(parents: &BTreeMap<Node, BTreeSet<Node>>) -> Vec<Node> {
    let needed: BTreeSet<&Node> = parents
        .iter()
        .flat_map(|(id, needed)| needed.iter().filter(move |other| other.0 == id.0))
        .collect();
    let all = parents.keys().filter(|id| !needed.contains(id));
    all.cloned().collect()
}

/// The first and the last migration of each application.
fn ends(
    parents: &BTreeMap<Node, BTreeSet<Node>>,
) -> BTreeMap<String, (Option<Node>, Option<Node>)> {
    let mut ends: BTreeMap<String, (Option<Node>, Option<Node>)> = BTreeMap::new();
    for (id, needed) in parents {
        let (first, _) = ends.entry(id.0.clone()).or_default();
        if first.is_none() && needed.iter().all(|other| other.0 != id.0) {
            *first = Some(id.clone());
        }
    }
    for leaf in leaves(parents) {
        let (_, last) = ends.entry(leaf.0.clone()).or_default();
        last.get_or_insert(leaf);
    }
    ends
}
