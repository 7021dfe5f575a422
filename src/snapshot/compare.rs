//! How two snapshots differ: two databases, or two moments of one.

use std::collections::BTreeMap;

use super::{Snapshot, StatementStats};

/// Runs below which a mean says little.
const FEW_CALLS: u64 = 100;
/// Growth below which nobody asks, in bytes.
const SMALL: u64 = 8 * 1024 * 1024;
/// Growth that counts however large the table was, in bytes.
const LARGE: u64 = 1024 * 1024 * 1024;

/// Where an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// In the first snapshot only.
    First,
    /// In the second one only.
    Second,
    /// In both, defined differently.
    Both,
    /// In both; one of the definitions could not be read.
    Unknown,
}

/// An object that is not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectChange {
    /// Its kind.
    pub kind: String,
    /// Its full name.
    pub name: String,
    /// Where it is.
    pub side: Side,
}

/// A number of a table that is not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberChange {
    /// The table, as `schema.name`.
    pub table: String,
    /// In the first snapshot.
    pub first: u64,
    /// In the second one.
    pub second: u64,
}

/// A statement that takes another time.
#[derive(Debug, Clone, PartialEq)]
pub struct StatementChange {
    /// Its `queryid`.
    pub query_id: String,
    /// Its text, if one of the snapshots has it.
    pub text: Option<String>,
    /// Mean in the first snapshot, in milliseconds.
    pub first_ms: f64,
    /// Mean since then, or in the second one, in milliseconds.
    pub second_ms: f64,
    /// Runs that the second mean is made of.
    pub calls: u64,
}

impl StatementChange {
    /// By how many percent it takes longer; negative if less.
    #[must_use]
    pub fn percent(&self) -> f64 {
        (self.second_ms / self.first_ms - 1.0) * 100.0
    }
}

/// Objects that differ, sorted by kind and name. Nothing is said if one of the snapshots holds none.
#[must_use]
pub fn objects(first: &Snapshot, second: &Snapshot) -> Vec<ObjectChange> {
    if first.objects.is_empty() || second.objects.is_empty() {
        return Vec::new();
    }
    let by_name = |snapshot: &'_ Snapshot| -> BTreeMap<(String, String), Option<String>> {
        let entries = snapshot.objects.iter().map(|object| {
            let key = (object.kind.clone(), object.name.clone());
            (key, object.fingerprint.clone())
        });
        entries.collect()
    };
    let (left, mut right) = (by_name(first), by_name(second));
    let mut found: Vec<ObjectChange> = Vec::new();
    for ((kind, name), definition) in left {
        let other = right.remove(&(kind.clone(), name.clone()));
        let side = match (definition, other) {
            (_, None) => Side::First,
            (Some(a), Some(Some(b))) if a == b => continue,
            (Some(_), Some(Some(_))) => Side::Both,
            (_, Some(_)) => Side::Unknown,
        };
        found.push(ObjectChange { kind, name, side });
    }
    found.extend(right.into_keys().map(|(kind, name)| ObjectChange {
        kind,
        name,
        side: Side::Second,
    }));
    found.sort_by(|a, b| (&a.kind, &a.name).cmp(&(&b.kind, &b.name)));
    // The parts of a table that is missing as a whole are missing with it.
    let whole: Vec<String> = found
        .iter()
        .filter(|one| one.kind == "table" && matches!(one.side, Side::First | Side::Second))
        .map(|one| format!("{}.", one.name))
        .collect();
    found.retain(|one| {
        one.kind == "table"
            || !matches!(
                one.kind.as_str(),
                "column" | "constraint" | "trigger" | "policy"
            )
            || !whole.iter().any(|table| one.name.starts_with(table))
    });
    found
}

/// Tables whose numbers of rows differ by more than a tenth, where both are known.
#[must_use]
pub fn rows(first: &Snapshot, second: &Snapshot) -> Vec<NumberChange> {
    numbers(first, second, |relation| relation.rows)
        .filter(|one| one.first.abs_diff(one.second) > one.first.max(one.second) / 10)
        .collect()
}

/// Tables that take at least a fifth or 1 GB more in the second snapshot, with their indexes.
#[must_use]
pub fn grown(first: &Snapshot, second: &Snapshot) -> Vec<NumberChange> {
    numbers(first, second, |relation| relation.total_bytes)
        .filter(|one| has_grown(one.first, one.second))
        .collect()
}

/// True if that is a fifth or 1 GB more, and not a trifle.
#[must_use]
pub fn has_grown(before: u64, after: u64) -> bool {
    let more = after.saturating_sub(before);
    more >= LARGE || (more >= SMALL && more >= before / 5)
}

fn numbers(
    first: &Snapshot,
    second: &Snapshot,
    number: impl Fn(&super::Relation) -> Option<u64>,
) -> impl Iterator<Item = NumberChange> {
    first.relations.iter().filter_map(move |relation| {
        let other = second.relation(&relation.schema, &relation.name)?;
        Some(NumberChange {
            table: format!("{}.{}", relation.schema, relation.name),
            first: number(relation)?,
            second: number(other)?,
        })
    })
}

/// Statements that ran at least 100 times on both sides, with their means. Of two moments of one database the second
/// mean is that of the runs in between; counters that were set back in between, or of another database, count as they are.
#[must_use]
pub fn statements(first: &Snapshot, second: &Snapshot) -> Vec<StatementChange> {
    let goes_on = first.database == second.database && first.stats_reset == second.stats_reset;
    let mut found: Vec<StatementChange> = first
        .statements
        .iter()
        .filter_map(|before| {
            let after = second
                .statements
                .iter()
                .find(|after| after.query_id == before.query_id)
                .or_else(|| {
                    second
                        .statements
                        .iter()
                        .find(|after| before.text.is_some() && after.text == before.text)
                })?;
            change(before, after, goes_on)
        })
        .collect();
    found.sort_by(|a, b| b.percent().total_cmp(&a.percent()));
    found
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counters of calls are far below 2^52"
)]
fn change(
    before: &StatementStats,
    after: &StatementStats,
    goes_on: bool,
) -> Option<StatementChange> {
    let (mut calls, mut mean) = (after.calls, after.mean_ms);
    if goes_on && after.calls >= before.calls {
        calls = after.calls - before.calls;
        let total = after.mean_ms * after.calls as f64 - before.mean_ms * before.calls as f64;
        mean = if calls == 0 {
            0.0
        } else {
            (total / calls as f64).max(0.0)
        };
    }
    if before.calls < FEW_CALLS || calls < FEW_CALLS || before.mean_ms <= 0.0 {
        return None;
    }
    Some(StatementChange {
        query_id: before.query_id.clone(),
        text: after.text.clone().or_else(|| before.text.clone()),
        first_ms: before.mean_ms,
        second_ms: mean,
        calls,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Relation, SchemaObject};
    use super::*;

    fn stats(query_id: &str, calls: u64, mean_ms: f64) -> StatementStats {
        StatementStats {
            query_id: query_id.to_owned(),
            text: None,
            calls,
            mean_ms,
        }
    }

    fn with(statements: Vec<StatementStats>) -> Snapshot {
        Snapshot {
            statements,
            ..Snapshot::default()
        }
    }

    #[test]
    fn the_mean_since_the_first_moment_counts() {
        // 1000 runs of 1 ms before; 1500 of 2 ms in all: 500 of 4 ms in between.
        let found = statements(
            &with(vec![stats("1", 1000, 1.0)]),
            &with(vec![stats("1", 1500, 2.0)]),
        );
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].calls, found[0].second_ms), (500, 4.0));
        assert!((found[0].percent() - 300.0).abs() < 1e-9);
        // Too few in between; too few before; unknown before.
        for (before, after) in [
            (stats("1", 1000, 1.0), stats("1", 1050, 9.0)),
            (stats("1", 50, 1.0), stats("1", 1050, 9.0)),
            (stats("2", 1000, 1.0), stats("1", 2000, 9.0)),
        ] {
            assert_eq!(statements(&with(vec![before]), &with(vec![after])), []);
        }
        // Set back in between.
        let reset = Snapshot {
            stats_reset: Some("2026-11-20T14:00:00Z".to_owned()),
            ..with(vec![stats("1", 300, 3.0)])
        };
        let found = statements(&with(vec![stats("1", 1000, 1.0)]), &reset);
        assert_eq!((found[0].calls, found[0].second_ms), (300, 3.0));
    }

    #[test]
    fn objects_are_told_apart_one_by_one() {
        let schema = |objects: &[(&str, &str, Option<&str>)]| Snapshot {
            objects: objects
                .iter()
                .map(|(kind, name, hash)| SchemaObject {
                    kind: (*kind).to_owned(),
                    name: (*name).to_owned(),
                    fingerprint: hash.map(str::to_owned),
                })
                .collect(),
            ..Snapshot::default()
        };
        let first = schema(&[
            ("column", "public.gone.id", Some("1")),
            ("column", "public.t.a", Some("1")),
            ("column", "public.t.b", None),
            ("column", "public.t.c", Some("1")),
            ("table", "public.gone", Some("1")),
        ]);
        let second = schema(&[
            ("column", "public.t.a", Some("2")),
            ("column", "public.t.b", Some("1")),
            ("column", "public.t.c", Some("1")),
            ("index", "public.i", Some("1")),
        ]);
        let told: Vec<String> = objects(&first, &second)
            .iter()
            .map(|one| format!("{} {} {:?}", one.kind, one.name, one.side))
            .collect();
        assert_eq!(
            told,
            [
                "column public.t.a Both",
                "column public.t.b Unknown",
                "index public.i Second",
                "table public.gone First"
            ]
        );
        assert_eq!(objects(&first, &Snapshot::default()), []);
    }

    #[test]
    fn growth_counts_from_a_fifth_or_a_gigabyte_on() {
        const MB: u64 = 1024 * 1024;
        for (before, after, expected) in [
            (100 * MB, 119 * MB, false),
            (100 * MB, 120 * MB, true),
            (0, MB, false),
            (0, 8 * MB, true),
            (100_000 * MB, 101_000 * MB, false),
            (100_000 * MB, 101_024 * MB, true),
            (100 * MB, 10 * MB, false),
        ] {
            assert_eq!(has_grown(before, after), expected, "{before} {after}");
        }
        let table = |bytes, rows| Snapshot {
            relations: vec![Relation {
                schema: "public".to_owned(),
                name: "t".to_owned(),
                total_bytes: Some(bytes),
                rows: Some(rows),
                ..Relation::default()
            }],
            ..Snapshot::default()
        };
        assert_eq!(grown(&table(100 * MB, 1), &table(150 * MB, 1)).len(), 1);
        assert_eq!(rows(&table(1, 100), &table(1, 109)), []);
        assert_eq!(rows(&table(1, 100), &table(1, 120)).len(), 1);
    }
}
