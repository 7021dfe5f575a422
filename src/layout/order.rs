//! The order of scripts: by version, by a list, along a graph; pairs and doubles among them.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{Arrangement, Direction, History, Layout, Problem, ProblemKind, Script, path};
use crate::source::SourceId;

/// For each script the index of the one that goes the other way: of several the first.
#[must_use]
pub fn pairs(scripts: &[Script]) -> Vec<Option<usize>> {
    let mut first: BTreeMap<(&str, Direction), usize> = BTreeMap::new();
    for (index, script) in scripts.iter().enumerate() {
        first
            .entry((&script.key, script.direction))
            .or_insert(index);
    }
    scripts
        .iter()
        .map(|script| {
            let other = match script.direction {
                Direction::Up => Direction::Down,
                Direction::Down => Direction::Up,
                Direction::Repeatable | Direction::Baseline => return None,
            };
            first.get(&(script.key.as_str(), other)).copied()
        })
        .collect()
}

/// Which scripts are applied once `version` is: it and everything that runs before it. None if no script has that
/// version and the tool's versions cannot be compared.
#[must_use]
pub fn applied(layout: &Layout, scripts: &[Script], version: &str) -> Option<Vec<bool>> {
    let named = scripts.iter().position(|script| {
        script.direction == Direction::Up && (script.version == version || script.key == version)
    });
    // A list: everything up to that place.
    if let Some(limit) = named.and_then(|index| scripts[index].place) {
        return Some(
            scripts
                .iter()
                .map(|script| script.place.is_some_and(|place| place <= limit))
                .collect(),
        );
    }
    if let Some(compare) = layout.compare {
        let limit = named.map_or(version, |index| &scripts[index].version);
        return Some(
            scripts
                .iter()
                .map(|script| {
                    script.direction != Direction::Repeatable
                        && compare(&script.version, limit) != Ordering::Greater
                })
                .collect(),
        );
    }
    // A graph: the version and its ancestors.
    let mut known: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for script in scripts {
        let parents = script.parents.iter().chain(&script.depends_on);
        known
            .entry(&script.key)
            .or_default()
            .extend(parents.map(|(parent, _)| parent.as_str()));
    }
    let mut waiting = vec![scripts[named?].key.as_str()];
    let mut seen = std::collections::BTreeSet::new();
    while let Some(key) = waiting.pop() {
        if seen.insert(key) {
            waiting.extend(known.get(key).into_iter().flatten());
        }
    }
    Some(
        scripts
            .iter()
            .map(|script| seen.contains(script.key.as_str()))
            .collect(),
    )
}

/// Migrations forward whose versions are whole numbers, in the order in which they run: index and number.
#[must_use]
pub fn numbers(history: &History) -> Vec<(usize, u64)> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let migrations = history.migrations.iter().enumerate();
    migrations
        .filter(|(_, migration)| {
            migration.direction == Direction::Up && is_number(&migration.version)
        })
        .filter_map(|(index, migration)| Some((index, migration.version.parse().ok()?)))
        .collect()
}

/// Puts scripts into the order of their versions: forward ones first, then the down scripts, newest first. Reports
/// scripts that claim the same key in the same direction as duplicates.
pub(super) fn arrange_by_version(
    scripts: Vec<Script>,
    compare: fn(&Script, &Script) -> Ordering,
    consequence: &str,
) -> Arrangement {
    let (mut forward, mut down): (Vec<_>, Vec<_>) = scripts
        .into_iter()
        .partition(|script| script.direction.is_forward());
    let by_file = |a: &Script, b: &Script| compare(a, b).then_with(|| a.path.cmp(&b.path));
    forward.sort_by(by_file);
    down.sort_by(by_file);
    let mut problems = duplicates(&forward, consequence);
    // Two files that hold both ways are two of one version once.
    let known: Vec<SourceId> = problems
        .iter()
        .map(|problem| problem.location.source)
        .collect();
    problems.extend(
        duplicates(&down, consequence)
            .into_iter()
            .filter(|problem| !known.contains(&problem.location.source)),
    );
    down.reverse();
    forward.append(&mut down);
    Arrangement {
        scripts: forward,
        problems,
    }
}

/// Puts scripts into the order of the tool's own list: forward ones first, then the down scripts, last one first.
pub(super) fn arrange_by_place(scripts: Vec<Script>) -> Arrangement {
    let (mut forward, mut down): (Vec<_>, Vec<_>) = scripts
        .into_iter()
        .partition(|script| script.direction.is_forward());
    forward.sort_by(|a, b| (a.place, &a.path).cmp(&(b.place, &b.path)));
    down.sort_by(|a, b| (b.place, &b.path).cmp(&(a.place, &a.path)));
    forward.append(&mut down);
    Arrangement {
        scripts: forward,
        problems: Vec::new(),
    }
}

/// One problem for each script whose key and direction another one has that comes before it.
pub(super) fn duplicates(scripts: &[Script], consequence: &str) -> Vec<Problem> {
    let mut first: BTreeMap<(&str, Direction), &Script> = BTreeMap::new();
    let mut problems = Vec::new();
    for script in scripts {
        let earlier = *first
            .entry((&script.key, script.direction))
            .or_insert(script);
        if std::ptr::eq(earlier, script) {
            continue;
        }
        let (name, other) = (
            path::file_name(&script.path),
            path::file_name(&earlier.path),
        );
        // Files that are called alike are told apart by their directories.
        let (name, other) = if name == other {
            (script.path.as_str(), earlier.path.as_str())
        } else {
            (name, other)
        };
        let what = if script.version.is_empty() {
            format!("the description `{}`", script.description)
        } else {
            format!("version {}", script.version)
        };
        problems.push(Problem {
            kind: ProblemKind::DuplicateVersion,
            location: script.location(),
            message: format!("`{name}` claims {what}, which `{other}` already has"),
            help: Some(consequence.to_owned()),
            labels: vec![(earlier.location(), "claimed here first".to_owned())],
        });
    }
    problems
}
