//! See `rules/missing-description.md`.

use crate::layout::{Direction, Migration};
use crate::rule::{Cx, Finding};

/// Words that say nothing, alone or together.
const EMPTY: &[&str] = &[
    "a",
    "the",
    "new",
    "some",
    "my",
    "auto",
    "update",
    "updates",
    "updated",
    "change",
    "changes",
    "fix",
    "fixes",
    "misc",
    "wip",
    "tmp",
    "temp",
    "test",
    "todo",
    "migration",
    "migrations",
    "migrate",
    "schema",
    "db",
    "database",
    "sql",
    "up",
    "message",
    "empty",
    "revision",
    "script",
    "initial",
    "more",
    "stuff",
    "patch",
    "alter",
    "and",
    "of",
];
/// Fewer characters say nothing.
const FEWEST: usize = 3;

pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    let has_version = migration
        .version
        .starts_with(|c: char| c.is_ascii_alphanumeric())
        && migration.version != migration.description;
    if migration.direction != Direction::Up || !has_version || migration.merges {
        return;
    }
    let words = migration.description.to_lowercase();
    let mut words = words
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty());
    // The first migration may well be called that.
    let is_first = words.clone().eq(["initial"]) || words.clone().eq(["init"]);
    if is_first || words.any(|word| word.chars().count() >= FEWEST && !EMPTY.contains(&word)) {
        return;
    }
    let message = match migration.description.trim() {
        "" => format!("migration {} has no description", migration.version),
        text => format!(
            "`{text}` does not say what migration {} is for",
            migration.version
        ),
    };
    cx.report(Finding::new(migration.span, message).help("name what it changes and why"));
}
