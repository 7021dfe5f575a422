//! See `rules/mixed-phases.md`.

use std::collections::BTreeMap;

use crate::layout::Migration;
use crate::markers::Phase;
use crate::replay::Step;
use crate::risk::{self, Class};
use crate::rule::{Cx, Finding};
use crate::settings::Strictness;
use crate::source::Span;
use crate::statement::{AlterAction, Kind, ObjectKind, QualifiedName};

/// Hours between the deployment of the new code and the point at which the old one is given up.
const GAP: i64 = 72;

pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    let Some(declared) = cx.markers().phase else {
        if cx.settings().strictness >= Strictness::Strict {
            undeclared(cx);
        }
        return;
    };
    let wrong: Vec<(&Step<'_>, &str)> = cx
        .steps()
        .iter()
        .filter_map(|step| {
            let what = match (declared.value, risk::class(step)) {
                (Phase::Expand | Phase::Transition, Class::Incompatible) => {
                    "deployed code may fail"
                }
                (Phase::Contract, _) if adds(step) => "it adds something new",
                _ => return None,
            };
            Some((step, what))
        })
        .collect();
    let phase = declared.value.as_str();
    for (step, what) in wrong {
        let text = cx.short_text(step.statement);
        let help = match declared.value {
            Phase::Contract => "add it in a migration of its own, with `-- lockgate: phase expand`",
            _ => {
                "put it in a migration of its own, with `-- lockgate: phase contract`, a release later"
            }
        };
        cx.report(
            Finding::new(
                step.statement.span,
                format!("the migration is declared `{phase}`, and {what} after `{text}`"),
            )
            .label(declared.location, "declared here")
            .help(help),
        );
    }
    if declared.value == Phase::Contract {
        too_early(cx, migration);
    }
}

/// New tables and columns. Constraints and indexes are what a contract is made of.
fn adds(step: &Step<'_>) -> bool {
    match &step.statement.kind {
        Kind::CreateTable(create) => create.partition_of.is_none(),
        Kind::AlterTable(alter) => alter
            .actions
            .iter()
            .any(|action| matches!(action, AlterAction::AddColumn(_))),
        _ => false,
    }
}

/// Tables that a step names in an `ALTER TABLE`, `RENAME` or `DROP TABLE`.
fn tables(step: &Step<'_>) -> Vec<QualifiedName> {
    let resolve = |name| step.before.resolve(name);
    match &step.statement.kind {
        Kind::AlterTable(alter) => vec![resolve(&alter.name)],
        Kind::Rename(rename) => vec![resolve(&rename.relation)],
        Kind::Drop(drop) if drop.object == ObjectKind::Table => {
            drop.names.iter().map(resolve).collect()
        }
        _ => Vec::new(),
    }
}

/// One migration adds a column to a table and takes something away from it.
fn undeclared(cx: &mut Cx<'_>) {
    let mut added: BTreeMap<QualifiedName, Span> = BTreeMap::new();
    let mut removed: BTreeMap<QualifiedName, Span> = BTreeMap::new();
    for step in cx.steps() {
        let (class, span) = (risk::class(step), step.statement.span);
        for table in tables(step) {
            let known = step.before.table_at(&table);
            let new = known.is_some_and(|t| t.known && t.created.batch == step.before.batch());
            if new {
                continue;
            }
            if adds(step) {
                added.entry(table.clone()).or_insert(span);
            }
            if class == Class::Incompatible {
                removed.entry(table).or_insert(span);
            }
        }
    }
    for (table, span) in removed {
        let Some(place) = added.get(&table) else {
            continue;
        };
        let name = table.short();
        let label = cx.location(*place);
        cx.report(
            Finding::new(
                span,
                format!("one release adds to `{name}` and takes away from it, so old and new code cannot run side by side"),
            )
            .label(label, "added here")
            .help("take away in a migration of its own, a release later, and declare both: `-- lockgate: phase expand`, `-- lockgate: phase contract`"),
        );
    }
}

/// The expand of the same table is younger than the gap, by the times in the versions.
fn too_early(cx: &mut Cx<'_>, migration: &Migration) {
    let Some(now) = hours(&migration.version) else {
        return;
    };
    let mine: Vec<QualifiedName> = cx.steps().iter().flat_map(tables).collect();
    let earlier = cx
        .history()
        .migrations
        .iter()
        .enumerate()
        .filter(|(index, other)| {
            other.direction.is_forward()
                && cx
                    .markers_of(*index)
                    .phase
                    .is_some_and(|declared| declared.value == Phase::Expand)
        })
        .filter_map(|(index, other)| {
            let age = now - hours(&other.version)?;
            let shared = cx
                .steps_of(index)
                .iter()
                .flat_map(tables)
                .find(|table| mine.contains(table))?;
            (0..GAP)
                .contains(&age)
                .then_some((age, shared, other.location()))
        })
        .min_by_key(|(age, ..)| *age);
    let Some((age, table, place)) = earlier else {
        return;
    };
    let name = table.short();
    cx.report(
        Finding::new(
            migration.span,
            format!("`{name}` is contracted {age} hours after it was expanded, and the old code may still run"),
        )
        .label(place, "expanded here")
        .help(format!("leave {GAP} hours at least between the two deployments")),
    );
}

/// Hours since the beginning of our era, of a version that begins with `YYYYMMDDHH`, with whatever signs between them.
fn hours(version: &str) -> Option<i64> {
    let digits: Vec<i64> = version
        .bytes()
        .filter(u8::is_ascii_digit)
        .take(10)
        .map(|digit| i64::from(digit - b'0'))
        .collect();
    if digits.len() < 10 {
        return None;
    }
    let number = |range: std::ops::Range<usize>| digits[range].iter().fold(0, |n, d| n * 10 + d);
    let (year, month, day, hour) = (number(0..4), number(4..6), number(6..8), number(8..10));
    if !(1990..2100).contains(&year)
        || !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || hour > 23
    {
        return None;
    }
    // Days from the civil date: March is the first month, so that the leap day comes last.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day;
    Some(days * 24 + hour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_tell_the_time_if_they_hold_one() {
        let gap = |a: &str, b: &str| Some(hours(b)? - hours(a)?);
        assert_eq!(gap("20260228230000", "20260301010000"), Some(2));
        assert_eq!(gap("20240228230000", "20240301010000"), Some(26));
        assert_eq!(gap("2025-12-31-23", "2026_01_01_00_15"), Some(1));
        for version in ["42", "0001", "9999999999", "20261301000000", "ae10b2c3d4"] {
            assert_eq!(hours(version), None, "{version}");
        }
    }
}
