//! Migrations that are applied already: what tools do when their files change, and how a branch compares with the one
//! that it will be merged into.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::{Direction, Found, Problem, ProblemKind, Script, path};
use crate::source::{Location, SourceId};
use crate::sql::lex::Lexer;

/// What a tool does about migrations that it ran before, as parts of sentences behind its name. Read in the tools' sources.
#[derive(Debug, Clone, Copy)]
pub struct Applied {
    /// The tool's name as its makers write it.
    pub tool: &'static str,
    /// It compares texts, and this happens when one was edited; none if it never looks at them again.
    pub edited: Option<&'static str>,
    /// What happens when the name behind the version was changed; none if only the version counts.
    pub renamed: Option<&'static str>,
    /// What happens when the file of an applied migration is gone; none if nothing does.
    pub gone: Option<&'static str>,
    /// What happens to a new migration that sorts before one that is applied.
    pub late: fn(&Found, &Script) -> Late,
}

impl Applied {
    /// A tool that never looks again at what it ran, and runs what it has not run in whatever order.
    #[must_use]
    pub const fn by(tool: &'static str) -> Self {
        Self {
            tool,
            edited: None,
            renamed: None,
            gone: None,
            late: |_, _| Late::Runs,
        }
    }
}

/// What a tool does with a migration that is new and sorts before one that is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// Nothing to mind: the order is a graph or a list, the script is made for it, or nobody knows.
    Unknown,
    /// It runs it, behind those that sort after it.
    Runs,
    /// It never runs it and says nothing.
    Skips,
    /// It stops, unless it is called in that way.
    Refuses(&'static str),
}

/// The branch that a history will be merged into.
#[derive(Debug, Clone, Copy)]
pub struct Branch<'a> {
    /// Its name as given.
    pub name: &'a str,
    /// Files of the history that were not there like this when the branches parted.
    pub changed: &'a BTreeSet<SourceId>,
    /// Scripts of that time whose files have changed since, or are gone. Only their texts and names count, not their
    /// sources.
    pub then: &'a [Script],
    /// Scripts that have come to the other branch since.
    pub ahead: &'a [Script],
}

/// What a comparison shows.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Files that changed their names only: nothing in them is pending.
    pub moved: BTreeSet<SourceId>,
    /// What the branch does to applied migrations, and where it collides with the other one.
    pub problems: Vec<Problem>,
}

/// Compares a history in the order in which it runs with the branch that it will be merged into.
#[must_use]
pub fn compare(found: &Found, now: &[Script], branch: &Branch<'_>) -> Comparison {
    let mut comparison = Comparison::default();
    let side = Side {
        found,
        now,
        branch,
        has_tool: !std::ptr::eq(found.layout, super::plain()),
    };
    let successors = side.successors();
    side.edited(&successors, &mut comparison.problems);
    side.gone(&successors, &mut comparison.problems);
    comparison.moved = side.moved(&successors);
    for script in side.arrivals(&successors) {
        if let Some(problem) = side.collides(script).or_else(|| side.late(script)) {
            comparison.problems.push(problem);
        }
        comparison.problems.extend(side.doubles(script));
    }
    comparison
}

/// For each script of then, the one that it has become.
type Successors<'a> = Vec<Option<&'a Script>>;

struct Side<'a> {
    found: &'a Found,
    now: &'a [Script],
    branch: &'a Branch<'a>,
    /// Files that no tool is known to run have no versions that anybody keeps.
    has_tool: bool,
}

impl<'a> Side<'a> {
    fn changed(&self, script: &Script) -> bool {
        self.branch.changed.contains(&script.source)
    }

    /// The same file, else the same version, else the same text under another one.
    fn successors(&self) -> Successors<'a> {
        let mut by_key: BTreeMap<(&str, Direction), Vec<&Script>> = BTreeMap::new();
        let mut by_text: BTreeMap<(String, Direction), &Script> = BTreeMap::new();
        for script in self.now.iter().filter(|script| self.changed(script)) {
            by_key
                .entry((&script.key, script.direction))
                .or_default()
                .push(script);
            by_text
                .entry((text(script), script.direction))
                .or_insert(script);
        }
        let then = self.branch.then.iter();
        then.map(|old| {
            let same = by_key.get(&(old.key.as_str(), old.direction));
            let same_path = || same.and_then(|all| all.iter().find(|new| new.path == old.path));
            let only = || same.and_then(|all| all.first());
            let same_text = || by_text.get(&(text(old), old.direction));
            same_path().or_else(only).or_else(same_text).copied()
        })
        .collect()
    }

    fn edited(&self, successors: &Successors<'a>, problems: &mut Vec<Problem>) {
        let (tool, base) = (self.found.layout.applied.tool, self.branch.name);
        let applied = self.found.layout.applied;
        for (old, new) in self.branch.then.iter().zip(successors) {
            let Some(new) = new.filter(|_| old.direction == Direction::Up && self.counts(old))
            else {
                continue;
            };
            let (then, now) = (path::file_name(&old.path), path::file_name(&new.path));
            let is_renamed =
                old.description != new.description || (then != now && old.path != new.path);
            let message = if old.key != new.key {
                if !self.has_tool {
                    continue;
                }
                format!(
                    "`{then}` of `{base}` has become `{now}`: where it is applied, {tool} takes this for a migration that it never ran"
                )
            } else if text(old) != text(new) {
                match applied.edited {
                    Some(consequence) => format!(
                        "`{now}` has another text on `{base}`: where that is applied, {tool} {consequence}"
                    ),
                    None if words(old) == words(new) => continue,
                    None => format!(
                        "`{now}` has another text on `{base}`: where that is applied, the change made here never runs"
                    ),
                }
            } else if parents(old) != parents(new) {
                format!(
                    "`{now}` follows another revision on `{base}`: where that is applied, {tool} does not go the new way any more"
                )
            } else if let (true, Some(consequence)) = (is_renamed, applied.renamed) {
                format!(
                    "`{then}` of `{base}` has become `{now}`: where it is applied, {tool} {consequence}"
                )
            } else {
                continue;
            };
            problems.push(Problem {
                kind: ProblemKind::Edited,
                location: new.location(),
                message,
                help: Some(format!(
                    "take it back (`git restore --source={base} -- {}`), and write what is to change as a new migration",
                    old.path
                )),
                labels: Vec::new(),
            });
        }
    }

    /// Applied migrations without a file, as one problem where the next one stands.
    fn gone(&self, successors: &Successors<'a>, problems: &mut Vec<Problem>) {
        let gone: Vec<&Script> = self
            .branch
            .then
            .iter()
            .zip(successors)
            .filter(|(old, new)| {
                new.is_none() && old.direction == Direction::Up && self.has_tool
                    // What stands there unchanged under the same version has replaced it.
                    && !self.now.iter().any(|now| now.key == old.key && now.direction == old.direction)
            })
            .map(|(old, _)| old)
            .collect();
        let (Some(first), Some(place)) = (gone.first(), self.next_after(&gone)) else {
            return;
        };
        let (tool, base) = (self.found.layout.applied.tool, self.branch.name);
        let name = path::file_name(&first.path);
        let more = match gone.len() - 1 {
            0 => format!("`{name}` of `{base}` is gone"),
            1 => format!("`{name}` and 1 more of `{base}` are gone"),
            more => format!("`{name}` and {more} more of `{base}` are gone"),
        };
        let message = match self.found.layout.applied.gone {
            Some(consequence) => format!("{more}: where they are applied, {tool} {consequence}"),
            None => {
                format!("{more}: a database made anew gets another schema than one that ran them")
            }
        };
        let message = match gone.len() {
            1 => message
                .replace("where they are applied", "where it is applied")
                .replace("ran them", "ran it"),
            _ => message,
        };
        problems.push(Problem {
            kind: ProblemKind::Gone,
            location: place,
            message,
            help: Some(format!(
                "bring it back (`git restore --source={base} -- {}`), and undo what it does in a new migration",
                first.path
            )),
            labels: Vec::new(),
        });
    }

    /// Where the script stands that runs behind the first one of those that are gone; else the last one there is.
    fn next_after(&self, gone: &[&Script]) -> Option<Location> {
        let first = gone.first()?;
        let mut forward = self
            .now
            .iter()
            .filter(|script| script.direction == Direction::Up);
        let next = match self.found.layout.compare {
            Some(compare) => forward
                .clone()
                .find(|script| compare(&script.version, &first.version) == Ordering::Greater),
            None => None,
        };
        let next = next.or_else(|| forward.next_back()).or(self.now.first());
        next.map(Script::location)
    }

    /// Files whose scripts are all what they were, under the same versions.
    fn moved(&self, successors: &Successors<'a>) -> BTreeSet<SourceId> {
        let mut unchanged: BTreeMap<SourceId, usize> = BTreeMap::new();
        for (old, new) in self.branch.then.iter().zip(successors) {
            if let Some(new) = new
                && (old.key == new.key || (!self.has_tool && old.version == new.version))
                && text(old) == text(new)
                && parents(old) == parents(new)
            {
                *unchanged.entry(new.source).or_default() += 1;
            }
        }
        let scripts = |source| {
            self.now
                .iter()
                .filter(|script| script.source == source)
                .count()
        };
        unchanged.retain(|source, count| *count >= scripts(*source));
        unchanged.into_keys().collect()
    }

    /// Scripts forward that were not there, whatever their names, in the order in which they run.
    fn arrivals(&self, successors: &Successors<'a>) -> Vec<&'a Script> {
        let known: Vec<&Script> = successors.iter().flatten().copied().collect();
        self.now
            .iter()
            .filter(|script| script.direction == Direction::Up && self.changed(script))
            .filter(|script| !known.iter().any(|known| std::ptr::eq(*known, *script)))
            .collect()
    }

    /// The version, or the place in the graph, is taken on the other branch since.
    fn collides(&self, new: &Script) -> Option<Problem> {
        let (tool, base) = (self.found.layout.applied.tool, self.branch.name);
        let name = path::file_name(&new.path);
        let ahead = || {
            self.branch
                .ahead
                .iter()
                .filter(|other| other.direction == Direction::Up)
        };
        // Brought over already.
        if ahead().any(|other| other.key == new.key && text(other) == text(new)) {
            return None;
        }
        let (other, message, help) = if let Some(other) =
            ahead().find(|other| self.has_tool && other.key == new.key)
        {
            let message = format!("`{name}` claims version {}, which", new.version);
            (
                other,
                message,
                format!("number it anew behind the newest migration of `{base}`"),
            )
        } else {
            let parents = parents(new);
            let other = ahead().find(|other| {
                other
                    .parents
                    .iter()
                    .any(|(parent, _)| parents.contains(parent.as_str()))
                    && !self.now.iter().any(|now| now.key == other.key)
            })?;
            let message = format!(
                "merged with `{base}`, {tool} has two heads: `{name}` follows the revision that"
            );
            let help = format!(
                "merge `{base}` first and set `down_revision` to its head, or add a merge revision"
            );
            (other, message, help)
        };
        let verb = if other.key == new.key {
            "has"
        } else {
            "follows"
        };
        Some(Problem {
            kind: ProblemKind::Collision,
            location: new.location(),
            message: format!(
                "{message} `{}` of `{base}` {verb} since the branches parted",
                path::file_name(&other.path)
            ),
            help: Some(help),
            labels: Vec::new(),
        })
    }

    /// It sorts before what the other branch has.
    fn late(&self, new: &Script) -> Option<Problem> {
        let compare = self.found.layout.compare?;
        let (tool, base) = (self.found.layout.applied.tool, self.branch.name);
        let late = (self.found.layout.applied.late)(self.found, new);
        let before = self.now.iter().filter(|script| !self.changed(script));
        let newest = before
            .chain(self.branch.then)
            .chain(self.branch.ahead)
            .filter(|script| script.direction == Direction::Up)
            .max_by(|a, b| compare(&a.version, &b.version))
            .filter(|newest| compare(&new.version, &newest.version) == Ordering::Less)?;
        let (kind, what) = match late {
            Late::Unknown => return None,
            Late::Runs => (
                ProblemKind::LateButRuns,
                "a database that is up to date runs it last, a new one before".to_owned(),
            ),
            Late::Skips => (
                ProblemKind::Late,
                format!("where that is applied, {tool} never runs it and says nothing"),
            ),
            Late::Refuses(unless) => (
                ProblemKind::Late,
                format!("where that is applied, {tool} refuses to migrate {unless}"),
            ),
        };
        Some(Problem {
            kind,
            location: new.location(),
            message: format!(
                "`{}` sorts before `{}` of `{base}`: {what}",
                path::file_name(&new.path),
                path::file_name(&newest.path)
            ),
            help: Some(format!("give it a version behind {}", newest.version)),
            labels: Vec::new(),
        })
    }

    /// The version is taken on this branch by a script that was there before: said where the new one stands.
    fn doubles(&self, new: &Script) -> Option<Problem> {
        let at = |wanted: &Script| {
            self.now
                .iter()
                .position(|script| std::ptr::eq(script, wanted))
        };
        let old = self.now.iter().find(|old| {
            self.has_tool
                && !self.changed(old)
                && old.key == new.key
                && old.direction == new.direction
        })?;
        // The other way round the layout has said it there.
        if at(old) < at(new) {
            return None;
        }
        Some(Problem {
            kind: ProblemKind::DuplicateVersion,
            location: new.location(),
            message: format!(
                "`{}` claims version {}, which `{}` already has",
                path::file_name(&new.path),
                new.version,
                path::file_name(&old.path)
            ),
            help: Some("number it anew".to_owned()),
            labels: vec![(old.location(), "this one was there before".to_owned())],
        })
    }

    /// True if somebody keeps a record of the script's version: of plain files only where the name has a number.
    fn counts(&self, script: &Script) -> bool {
        self.has_tool || script.version.starts_with(|c: char| c.is_ascii_digit())
    }
}

fn parents(script: &Script) -> BTreeSet<&str> {
    let all = script.parents.iter().chain(&script.depends_on);
    all.map(|(parent, _)| parent.as_str()).collect()
}

/// The SQL of a script, whatever its line ends, with what was not understood.
fn text(script: &Script) -> String {
    let mut text = String::new();
    for piece in &script.pieces {
        text.push_str(&piece.fragment.sql.replace("\r\n", "\n"));
        text.push('\0');
    }
    for (_, reason) in &script.not_analysed {
        text.push_str(reason);
        text.push('\0');
    }
    text
}

/// The SQL of a script without its comments and blanks.
fn words(script: &Script) -> String {
    let text = text(script);
    Lexer::new(&text)
        .filter(|token| !token.is_comment())
        .map(|token| token.text(&text))
        .collect::<Vec<_>>()
        .join(" ")
}
