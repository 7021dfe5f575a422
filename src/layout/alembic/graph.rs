//! The revision graph in one line, and what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use crate::layout::{Arrangement, Direction, Found, Problem, ProblemKind, Script, duplicates};
use crate::source::Location;

/// Puts revisions behind everything they follow and depend on; branches stay together, and where the graph leaves the
/// order open, that of the file names decides. The ways back come last, newest first.
pub(super) fn arrange(_: &Found, scripts: Vec<Script>) -> Arrangement {
    let (mut ups, downs): (Vec<_>, Vec<_>) = scripts
        .into_iter()
        .partition(|script| script.direction == Direction::Up);
    ups.sort_by(|a, b| a.path.cmp(&b.path));
    let mut problems = duplicates(
        &ups,
        "Alembic takes one of the two files and leaves the other out; give one of them a new id",
    );
    for problem in &mut problems {
        problem.kind = ProblemKind::Graph;
    }
    let graph = Graph::new(&ups);
    problems.extend(graph.unknown());
    let (order, rest) = graph.order();
    problems.extend(graph.cycles(&rest));
    problems.extend(graph.heads());

    let mut place: BTreeMap<&str, usize> = BTreeMap::new();
    for (position, &index) in order.iter().chain(&rest).enumerate() {
        place.entry(&ups[index].path).or_insert(position);
    }
    let mut back: Vec<(usize, Script)> = downs
        .into_iter()
        .map(|script| {
            (
                place
                    .get(script.path.as_str())
                    .copied()
                    .unwrap_or(usize::MAX),
                script,
            )
        })
        .collect();
    back.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
    let mut forward: Vec<Option<Script>> = ups.iter().cloned().map(Some).collect();
    let mut scripts: Vec<Script> = order
        .iter()
        .chain(&rest)
        .filter_map(|&index| forward[index].take())
        .collect();
    scripts.extend(back.into_iter().map(|(_, script)| script));
    Arrangement { scripts, problems }
}

/// The revisions with their edges, by index.
struct Graph<'a> {
    scripts: &'a [Script],
    /// By id, the first of each.
    ids: BTreeMap<&'a str, usize>,
    /// What each one follows.
    parents: Vec<Vec<usize>>,
    /// What each one follows or depends on.
    before: Vec<Vec<usize>>,
    /// What follows each one, in order.
    children: Vec<Vec<usize>>,
}

impl<'a> Graph<'a> {
    fn new(scripts: &'a [Script]) -> Self {
        let mut ids = BTreeMap::new();
        let mut labels: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, script) in scripts.iter().enumerate() {
            ids.entry(script.key.as_str()).or_insert(index);
            for label in &script.labels {
                labels.entry(label).or_insert(index);
            }
        }
        let parents: Vec<Vec<usize>> = scripts
            .iter()
            .map(|script| {
                script
                    .parents
                    .iter()
                    .filter_map(|(id, _)| ids.get(id.as_str()).copied())
                    .collect()
            })
            .collect();
        let mut before = parents.clone();
        for (index, script) in scripts.iter().enumerate() {
            before[index].extend(
                script
                    .depends_on
                    .iter()
                    .filter_map(|(name, _)| needed(name, &ids, &labels)),
            );
            before[index].sort_unstable();
            before[index].dedup();
        }
        let mut children = vec![Vec::new(); scripts.len()];
        for (index, earlier) in before.iter().enumerate() {
            for &earlier in earlier {
                children[earlier].push(index);
            }
        }
        Self {
            scripts,
            ids,
            parents,
            before,
            children,
        }
    }

    /// Indices in the order in which the revisions run, and those on or behind a cycle.
    fn order(&self) -> (Vec<usize>, Vec<usize>) {
        let mut waits: Vec<usize> = self.before.iter().map(Vec::len).collect();
        // A stack keeps a branch together: what follows a revision comes right behind it.
        let mut ready: Vec<usize> = (0..self.scripts.len())
            .rev()
            .filter(|&index| waits[index] == 0)
            .collect();
        let mut order = Vec::with_capacity(self.scripts.len());
        while let Some(index) = ready.pop() {
            order.push(index);
            for &child in self.children[index].iter().rev() {
                waits[child] -= 1;
                if waits[child] == 0 {
                    ready.push(child);
                }
            }
        }
        let rest = (0..self.scripts.len())
            .filter(|&index| waits[index] > 0)
            .collect();
        (order, rest)
    }

    /// References to revisions that no file defines.
    fn unknown(&self) -> Vec<Problem> {
        let labels: BTreeSet<&str> = self
            .scripts
            .iter()
            .flat_map(|script| &script.labels)
            .map(String::as_str)
            .collect();
        let mut problems = Vec::new();
        for script in self.scripts {
            for (parent, span) in &script.parents {
                if self.ids.contains_key(parent.as_str()) {
                    continue;
                }
                let longer = self
                    .ids
                    .keys()
                    .find(|id| !parent.is_empty() && id.starts_with(parent.as_str()));
                let help = longer.map_or_else(
                    || "restore the file of that revision, or name the revision that this one really follows".to_owned(),
                    |id| format!("Alembic accepts no shortened ids here; write `{id}`"),
                );
                problems.push(problem(
                    Location {
                        source: script.source,
                        span: *span,
                    },
                    format!(
                        "revision `{}` follows `{parent}`, which no file defines",
                        script.version
                    ),
                    help,
                ));
            }
            for (name, span) in &script.depends_on {
                let is_known = needed(
                    name,
                    &self.ids,
                    &labels.iter().map(|label| (*label, 0)).collect(),
                )
                .is_some();
                if !is_known {
                    problems.push(problem(
                        Location {
                            source: script.source,
                            span: *span,
                        },
                        format!(
                            "revision `{}` depends on `{name}`, which no file defines",
                            script.version
                        ),
                        "restore the file of that revision, or correct `depends_on`".to_owned(),
                    ));
                }
            }
        }
        problems
    }

    /// The cycles among revisions that could not be put in order.
    fn cycles(&self, rest: &[usize]) -> Vec<Problem> {
        let rest: BTreeSet<usize> = rest.iter().copied().collect();
        let mut seen: BTreeSet<usize> = BTreeSet::new();
        let mut problems = Vec::new();
        for &start in &rest {
            let mut path = Vec::new();
            let mut at = Some(start);
            while let Some(index) = at.filter(|index| seen.insert(*index)) {
                path.push(index);
                at = self.before[index]
                    .iter()
                    .copied()
                    .find(|earlier| rest.contains(earlier));
            }
            let Some(begin) = at.and_then(|index| path.iter().position(|&other| other == index))
            else {
                continue;
            };
            let cycle = &path[begin..];
            let script = &self.scripts[cycle[0]];
            let references = script.parents.iter().chain(&script.depends_on);
            let next = &self.scripts[cycle[1 % cycle.len()]].key;
            let span = references
                .into_iter()
                .find(|(id, _)| id == next)
                .map_or(script.span, |(_, span)| *span);
            let location = Location {
                source: script.source,
                span,
            };
            let message = if cycle.len() == 1 {
                format!("revision `{}` follows itself", script.version)
            } else {
                let names: Vec<String> = cycle
                    .iter()
                    .chain([&cycle[0]])
                    .map(|&i| format!("`{}`", self.scripts[i].version))
                    .collect();
                format!(
                    "revisions follow each other in a circle: {}",
                    names.join(" after ")
                )
            };
            let mut problem = problem(
                location,
                message,
                "correct the `down_revision` of one of them".to_owned(),
            );
            problem.labels = cycle[1..]
                .iter()
                .map(|&i| (self.scripts[i].location(), "part of the circle".to_owned()))
                .collect();
            problems.push(problem);
        }
        problems
    }

    /// One problem if `alembic upgrade head` cannot tell which revision is the last. Branches that each have a label of
    /// their own are meant to be.
    fn heads(&self) -> Option<Problem> {
        let mut is_parent = vec![false; self.scripts.len()];
        for &parent in self.parents.iter().flatten() {
            is_parent[parent] = true;
        }
        // A file that lost to another one of its id is no head of its own.
        let heads: Vec<usize> = (0..self.scripts.len())
            .filter(|&index| {
                !is_parent[index] && self.ids.get(self.scripts[index].key.as_str()) == Some(&index)
            })
            .collect();
        let (&last, others) = heads.split_last()?;
        if others.is_empty() || self.are_labelled(&heads) {
            return None;
        }
        let mut names: Vec<String> = heads
            .iter()
            .map(|&index| format!("`{}`", self.scripts[index].version))
            .collect();
        let end = names.pop().unwrap_or_default();
        let mut problem = problem(
            self.scripts[last].location(),
            format!(
                "the revisions have {} heads, {} and {end}: `alembic upgrade head` refuses to run",
                heads.len(),
                names.join(", ")
            ),
            "join them with `alembic merge heads`, or let one of them follow the other".to_owned(),
        );
        problem.labels = others
            .iter()
            .map(|&index| (self.scripts[index].location(), "another head".to_owned()))
            .collect();
        Some(problem)
    }

    /// True if each head has a label above it that no other head has.
    fn are_labelled(&self, heads: &[usize]) -> bool {
        let labels: Vec<BTreeSet<&str>> =
            heads.iter().map(|&head| self.labels_above(head)).collect();
        labels.iter().enumerate().all(|(own, names)| {
            names.iter().any(|name| {
                labels
                    .iter()
                    .enumerate()
                    .all(|(other, names)| other == own || !names.contains(name))
            })
        })
    }

    fn labels_above(&self, head: usize) -> BTreeSet<&str> {
        let (mut seen, mut waiting) = (BTreeSet::new(), vec![head]);
        let mut labels = BTreeSet::new();
        while let Some(index) = waiting.pop() {
            if seen.insert(index) {
                labels.extend(self.scripts[index].labels.iter().map(String::as_str));
                waiting.extend(&self.parents[index]);
            }
        }
        labels
    }
}

/// The revision that a `depends_on` names: by its id or a label. Alembic knows no shortened ids and no `label@id` here.
fn needed(
    name: &str,
    ids: &BTreeMap<&str, usize>,
    labels: &BTreeMap<&str, usize>,
) -> Option<usize> {
    ids.get(name).or_else(|| labels.get(name)).copied()
}

fn problem(location: Location, message: String, help: String) -> Problem {
    Problem {
        kind: ProblemKind::Graph,
        location,
        message,
        help: Some(help),
        labels: Vec::new(),
    }
}
