//! The model against what servers did: every measured statement, on every major.
//!
//! `fixtures/observed/statements.jsonl` holds the measurements (one line per statement, runs of majors with the same
//! outcome together), `own.jsonl` those of statements that were invented when the model was finished, to see how it
//! does on what it was not made for. Locks compare the strongest mode requested per relation.
//!
//! How the measurements were made decides what they say: locks that are still held were read from `pg_locks`, for all
//! kinds of relations; locks of tables and materialized views were also found by holding each mode elsewhere and
//! starting the statement. Where neither was done a relation is neither locked nor free, and is not compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use lockgate::diagnostic::Certainty;
use lockgate::effect::{Effect, LockMode, RelationKind};
use lockgate::statement::QualifiedName;
use lockgate::testing::{Prediction, predict};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) group: String,
    #[serde(default)]
    pub(crate) setup: String,
    #[serde(default)]
    pub(crate) set: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) pre: String,
    pub(crate) sql: String,
    pub(crate) seen: Vec<Seen>,
}

#[derive(Deserialize)]
pub(crate) struct Seen {
    pub(crate) on: String,
    #[serde(default)]
    pub(crate) no_setup: bool,
    #[serde(default)]
    pub(crate) lock: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) free: Vec<String>,
    #[serde(default)]
    pub(crate) refused: Option<String>,
    #[serde(default)]
    pub(crate) kinds: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) rewrite: Vec<String>,
    #[serde(default)]
    pub(crate) rebuild: Vec<String>,
    #[serde(default)]
    pub(crate) created: Vec<String>,
    #[serde(default)]
    pub(crate) truncated: Vec<String>,
    #[serde(default)]
    pub(crate) scan: Vec<String>,
    #[serde(default)]
    pub(crate) error: Option<String>,
    #[serde(default)]
    pub(crate) work: Option<String>,
}

impl Seen {
    fn majors(&self) -> std::ops::RangeInclusive<u32> {
        let (first, last) = self.on.split_once('-').unwrap();
        first.parse().unwrap()..=last.parse().unwrap()
    }
}

impl Case {
    /// What was measured on a major.
    pub(crate) fn seen_on(&self, major: u32) -> Option<&Seen> {
        self.seen.iter().find(|seen| seen.majors().contains(&major))
    }
}

pub(crate) fn mode(short: &str) -> Option<LockMode> {
    const SHORT: [&str; 8] = ["AS", "RS", "RE", "SUE", "S", "SRE", "E", "AE"];
    let index = SHORT.iter().position(|s| *s == short)?;
    Some(LockMode::ALL[index])
}

/// Counts of one question.
#[derive(Default)]
struct Score {
    asked: usize,
    right: usize,
    /// Disagreements: what is wrong, and on which majors.
    wrong: BTreeMap<String, Vec<u32>>,
    /// Wrong in the direction that costs an outage: we said less, and said it for certain.
    dangerous: BTreeMap<String, Vec<u32>>,
}

impl Score {
    fn add(&mut self, right: bool, dangerous: bool, at: &At<'_>, text: impl FnOnce() -> String) {
        self.asked += 1;
        if right {
            self.right += 1;
            return;
        }
        let text = format!(
            "{}: {} -- {}",
            at.case.id,
            text(),
            at.case.sql.replace('\n', " ")
        );
        if dangerous {
            self.dangerous
                .entry(text.clone())
                .or_default()
                .push(at.major);
        }
        self.wrong.entry(text).or_default().push(at.major);
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "some thousands, as a percentage"
    )]
    fn share(&self) -> f64 {
        100.0 * self.right as f64 / self.asked.max(1) as f64
    }
}

/// One statement on one major.
struct At<'a> {
    case: &'a Case,
    seen: &'a Seen,
    major: u32,
}

#[derive(Default)]
struct Scores {
    locks: Score,
    rewrites: Score,
    scans: Score,
    builds: Score,
    refusals: Score,
    possible: usize,
    refused: usize,
    foreseen: usize,
}

impl Scores {
    fn named(&self) -> [(&'static str, &Score); 5] {
        [
            ("locks", &self.locks),
            ("rewrites", &self.rewrites),
            ("scans", &self.scans),
            ("index builds", &self.builds),
            ("refusals", &self.refusals),
        ]
    }
}

pub(crate) fn cases(file: &str) -> Vec<Case> {
    let path = format!("{}/fixtures/observed/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    text.split('\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Compares all statements of a file on all majors, prints the disagreements by group, and gives the totals.
fn score(file: &str) -> Scores {
    let mut by_group: BTreeMap<String, Scores> = BTreeMap::new();
    let mut total = Scores::default();
    for case in cases(file) {
        let group = by_group.entry(case.group.clone()).or_default();
        for seen in case.seen.iter().filter(|seen| !seen.no_setup) {
            for major in seen.majors() {
                let path = case.set.get("search_path");
                let path =
                    path.map_or_else(String::new, |path| format!("SET search_path = {path};"));
                let sql = format!("{path}{};{}", case.pre, case.sql);
                let zone = case.set.get("TimeZone").map(String::as_str);
                let prediction = predict(&case.setup, &sql, major, zone);
                let at = At {
                    case: &case,
                    seen,
                    major,
                };
                for scores in [&mut *group, &mut total] {
                    compare(&at, &prediction, scores);
                }
            }
        }
    }
    let mut report = String::new();
    for (group, scores) in &by_group {
        let counts: Vec<String> = scores
            .named()
            .iter()
            .map(|(name, score)| format!("{name} {}/{}", score.right, score.asked))
            .collect();
        writeln!(report, "{group}: {}", counts.join(", ")).unwrap();
        for (_, score) in scores.named() {
            for (wrong, majors) in &score.wrong {
                let danger = if score.dangerous.contains_key(wrong) {
                    " !"
                } else {
                    ""
                };
                writeln!(report, "   {danger} {majors:?} {wrong}").unwrap();
            }
        }
    }
    writeln!(report, "{file}:").unwrap();
    for (name, score) in total.named() {
        writeln!(
            report,
            "{name}: {} of {} ({:.2} %), {} of the rest said less for certain",
            score.right,
            score.asked,
            score.share(),
            score.dangerous.values().map(Vec::len).sum::<usize>()
        )
        .unwrap();
    }
    writeln!(
        report,
        "{} locks said to be possible and not taken, not counted above",
        total.possible
    )
    .unwrap();
    writeln!(
        report,
        "{} of {} refusals foreseen (the others depend on rows, or on what is not modelled)",
        total.foreseen, total.refused
    )
    .unwrap();
    println!("{report}");
    total
}

fn assert_bars(total: &Scores) {
    for (name, score, bar) in [
        ("locks", &total.locks, 99.0),
        ("rewrites", &total.rewrites, 100.0),
        ("scans", &total.scans, 97.0),
        ("index builds", &total.builds, 97.0),
        ("refusals", &total.refusals, 100.0),
    ] {
        assert!(score.share() >= bar, "{name}: {:.2} %", score.share());
        assert!(score.dangerous.is_empty(), "{name}: {:?}", score.dangerous);
    }
}

#[test]
fn predictions_equal_what_servers_did() {
    let total = score("statements.jsonl");
    assert!(total.locks.asked > 4_000, "the fixture is there");
    assert_bars(&total);
}

#[test]
fn predictions_hold_for_statements_they_were_not_made_for() {
    let total = score("own.jsonl");
    assert!(total.locks.asked > 1_500, "the fixture is there");
    assert_bars(&total);
}

/// A name as the measurements write it: without `public`.
fn short(name: &QualifiedName) -> String {
    if &*name.schema == "public" {
        name.name.to_string()
    } else {
        format!("{}.{}", name.schema, name.name)
    }
}

/// True if the measurement says something about the lock on a relation that is not among the locks.
fn measured(at: &At<'_>, relation: &str, effect: Option<&Effect>) -> bool {
    let seen = at.seen;
    if seen.free.iter().any(|name| name == relation) {
        return true;
    }
    // Refused statements, and those that refuse to run in a transaction, hold nothing that could be read afterwards:
    // then only what was tried counts, which views are not. The codes of the parser and of missing objects were taken
    // for "does not run at all" and not tried either, though some come late (an identity column's DROP NOT NULL).
    if seen.error.is_some() || seen.refused.is_some() {
        return false;
    }
    // What an earlier statement of the transaction has locked already is not measured again.
    if !at.case.pre.is_empty() {
        return false;
    }
    // IF EXISTS on a name that the history does not know: saying "unknown" is right, there is nothing to compare.
    effect.is_none_or(|effect| effect.certainty != Certainty::Unknown)
}

fn compare(at: &At<'_>, prediction: &Prediction, scores: &mut Scores) {
    let (case, seen) = (at.case, at.seen);
    let effects: BTreeMap<String, &Effect> = prediction
        .effects
        .iter()
        .map(|effect| (short(&effect.relation), effect))
        .collect();
    let is_table = |name: &str| {
        let kind = seen.kinds.get(name).map_or("table", String::as_str);
        !kind.contains("index")
            && kind != "sequence"
            && !prediction.index_tables.contains_key(name)
            && !effects.get(name).is_some_and(|effect| {
                matches!(effect.kind, RelationKind::Index | RelationKind::Sequence)
            })
    };
    let relations: BTreeSet<&str> = seen
        .lock
        .keys()
        .chain(effects.keys())
        .map(String::as_str)
        .filter(|name| is_table(name))
        .collect();
    // Sequences were not probed: only what was still held on them is known.
    let sequences = seen.lock.keys().map(String::as_str).filter(|name| {
        seen.kinds.get(*name).is_some_and(|kind| kind == "sequence") && seen.error.is_none()
    });
    let locked: BTreeSet<&str> = relations.iter().copied().chain(sequences).collect();
    // VACUUM (SKIP_LOCKED) passes by what is locked: holding locks elsewhere cannot show what it takes.
    let passes_by = case.sql.contains("SKIP_LOCKED");
    for relation in locked.iter().filter(|_| !passes_by) {
        let effect = effects.get(*relation).copied();
        let said = effect.map(|effect| effect.lock);
        let actual = match seen.lock.get(*relation) {
            // A range of modes: the measurement could not tell.
            Some(short) => match mode(short) {
                Some(mode) => Some(mode),
                None => continue,
            },
            None if measured(at, relation, effect) => None,
            None => continue,
        };
        // "Possible" and not taken this time is no contradiction, and no success either.
        if actual < said && effect.is_some_and(|effect| effect.certainty < Certainty::Certain) {
            scores.possible += 1;
            continue;
        }
        let sure = effect.is_none_or(|effect| effect.certainty == Certainty::Certain)
            && !prediction.open_ended;
        scores
            .locks
            .add(said == actual, said < actual && sure, at, || {
                format!("lock on {relation}: {actual:?}, predicted {said:?}")
            });
    }
    scores.refused += usize::from(seen.error.is_some());
    if let Some(said) = prediction.fails {
        // Being sure of a refusal that does not come, or comes for another reason, is wrong. Not to foresee one is not:
        // most depend on rows.
        scores.foreseen += 1;
        scores
            .refusals
            .add(Some(said) == seen.error.as_deref(), true, at, || {
                format!("outcome {:?}, predicted refusal {said}", seen.error)
            });
    }
    if seen.error.is_some() || seen.work.as_deref() == Some("reads not counted") {
        return;
    }
    let file_copy = seen.work.as_deref() == Some("file copy");
    let builds_new = seen.work.as_deref() == Some("index build")
        && seen
            .created
            .iter()
            .any(|created| created.contains("(index)"));
    let rebuilt: BTreeSet<&str> = seen
        .rebuild
        .iter()
        .filter_map(|index| prediction.index_tables.get(index))
        .map(String::as_str)
        .collect();
    let contains = |list: &[String], name: &str| list.iter().any(|entry| entry == name);
    for relation in relations {
        let Some(effect) = effects.get(relation) else {
            continue;
        };
        // TRUNCATE makes new empty files, which the measurement shows as a rewrite and, for their indexes, as a scan.
        if contains(&seen.truncated, relation) {
            continue;
        }
        let (work, certain) = (effect.work, effect.certainty == Certainty::Certain);
        let actual = contains(&seen.rewrite, relation);
        // A new file can be written row by row or copied as it is (SET TABLESPACE).
        let said = if file_copy {
            work.file_copy
        } else {
            work.rewrite
        };
        scores
            .rewrites
            .add(said == actual || !certain, actual && certain, at, || {
                format!("rewrite of {relation}: {actual}, predicted {said}")
            });
        if case.group == "dml" || case.group == "maintenance" || is_dml(&case.sql) {
            continue;
        }
        let scanned = contains(&seen.scan, relation);
        let said = work.scan;
        scores.scans.add(
            said == scanned || (!certain && said),
            scanned && !said && certain,
            at,
            || format!("scan of {relation}: {scanned}, predicted {said}"),
        );
        let built = rebuilt.contains(relation) || (builds_new && scanned);
        let said = work.index_build;
        // A rewrite builds the indexes there are, which may be none.
        let right = said == built || (said && work.rewrite && actual) || (!certain && said);
        scores.builds.add(right, built && !said && certain, at, || {
            format!("index build on {relation}: {built}, predicted {said}")
        });
    }
}

/// How a query reads its tables is the planner's business: scans of those are not predicted.
fn is_dml(sql: &str) -> bool {
    let word = sql.split_whitespace().next().unwrap_or("");
    [
        "INSERT", "UPDATE", "DELETE", "MERGE", "SELECT", "WITH", "DO", "COPY", "VACUUM", "ANALYZE",
    ]
    .contains(&word)
}
