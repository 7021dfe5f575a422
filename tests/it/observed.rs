//! The model against what servers did: every measured statement, on every major.
//!
//! `fixtures/observed/statements.jsonl` holds the measurements (one line per statement, runs of majors with the same
//! outcome together). Locks compare the strongest mode requested per relation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use lockgate::diagnostic::Certainty;
use lockgate::effect::{LockMode, RelationKind};
use lockgate::testing::{Prediction, predict};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    id: String,
    group: String,
    #[serde(default)]
    setup: String,
    #[serde(default)]
    set: BTreeMap<String, String>,
    #[serde(default)]
    pre: String,
    sql: String,
    seen: Vec<Seen>,
}

#[derive(Deserialize)]
struct Seen {
    on: String,
    #[serde(default)]
    no_setup: bool,
    #[serde(default)]
    lock: BTreeMap<String, String>,
    #[serde(default)]
    kinds: BTreeMap<String, String>,
    #[serde(default)]
    rewrite: Vec<String>,
    #[serde(default)]
    rebuild: Vec<String>,
    #[serde(default)]
    created: Vec<String>,
    #[serde(default)]
    truncated: Vec<String>,
    #[serde(default)]
    scan: Vec<String>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    work: Option<String>,
}

fn mode(short: &str) -> Option<LockMode> {
    const SHORT: [&str; 8] = ["AS", "RS", "RE", "SUE", "S", "SRE", "E", "AE"];
    let index = SHORT.iter().position(|s| *s == short)?;
    Some(LockMode::ALL[index])
}

/// Counts of one question.
#[derive(Default)]
struct Score {
    asked: usize,
    right: usize,
    wrong: Vec<String>,
    /// Wrong in the direction that costs an outage: we said less, and said it for certain.
    dangerous: usize,
}

impl Score {
    fn add(&mut self, right: bool, dangerous: bool, text: impl FnOnce() -> String) {
        self.asked += 1;
        if right {
            self.right += 1;
        } else {
            self.dangerous += usize::from(dangerous);
            self.wrong.push(text());
        }
    }

    fn share(&self) -> f64 {
        100.0 * self.right as f64 / self.asked.max(1) as f64
    }
}

#[derive(Default)]
struct Scores {
    locks: Score,
    rewrites: Score,
    scans: Score,
    builds: Score,
    failures: Score,
}

#[test]
fn predictions_equal_what_servers_did() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/observed/statements.jsonl"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let mut by_group: BTreeMap<String, Scores> = BTreeMap::new();
    let mut lines = 0;
    for line in text.split('\n').filter(|line| !line.is_empty()) {
        let case: Case = serde_json::from_str(line).unwrap();
        let scores = by_group.entry(case.group.clone()).or_default();
        for seen in case.seen.iter().filter(|seen| !seen.no_setup) {
            let (first, last) = seen.on.split_once('-').unwrap();
            for major in first.parse::<u32>().unwrap()..=last.parse().unwrap() {
                lines += 1;
                let sql = format!("{};{}", case.pre, case.sql);
                let zone = case.set.get("TimeZone").map(String::as_str);
                let prediction = predict(&case.setup, &sql, major, zone);
                compare(&case, seen, major, &prediction, scores);
            }
        }
    }
    let mut report = String::new();
    let mut total = Scores::default();
    for (group, scores) in by_group {
        let line = |name: &str, score: &Score| format!("{name} {}/{}", score.right, score.asked);
        writeln!(
            report,
            "{group}: {}, {}, {}, {}, {}",
            line("locks", &scores.locks),
            line("rewrites", &scores.rewrites),
            line("scans", &scores.scans),
            line("builds", &scores.builds),
            line("failures", &scores.failures),
        )
        .unwrap();
        for (sum, part) in [
            (&mut total.locks, scores.locks),
            (&mut total.rewrites, scores.rewrites),
            (&mut total.scans, scores.scans),
            (&mut total.builds, scores.builds),
            (&mut total.failures, scores.failures),
        ] {
            for wrong in &part.wrong {
                writeln!(report, "    {wrong}").unwrap();
            }
            sum.asked += part.asked;
            sum.right += part.right;
            sum.dangerous += part.dangerous;
        }
    }
    writeln!(report, "{lines} lines").unwrap();
    for (name, score) in [
        ("locks", &total.locks),
        ("rewrites", &total.rewrites),
        ("scans", &total.scans),
        ("index builds", &total.builds),
        ("failures", &total.failures),
    ] {
        writeln!(
            report,
            "{name}: {} of {} ({:.2} %), {} of the rest said less for certain",
            score.right,
            score.asked,
            score.share(),
            score.dangerous
        )
        .unwrap();
    }
    println!("{report}");
    assert!(lines > 4_000, "the fixture is there");
    assert!(
        total.locks.share() >= 99.0 && total.locks.dangerous == 0,
        "locks"
    );
    assert!(
        total.rewrites.wrong.is_empty() && total.rewrites.share() >= 100.0,
        "rewrites"
    );
    assert!(
        total.scans.share() >= 97.0 && total.scans.dangerous == 0,
        "scans"
    );
    assert!(
        total.builds.share() >= 97.0 && total.builds.dangerous == 0,
        "index builds"
    );
}

fn compare(case: &Case, seen: &Seen, major: u32, prediction: &Prediction, scores: &mut Scores) {
    let describe = |what: String| {
        format!(
            "{} [{major}] {what}  -- {}",
            case.id,
            case.sql.replace('\n', " ")
        )
    };
    let is_table = |name: &str| {
        let kind = seen.kinds.get(name).map_or("table", String::as_str);
        kind != "index" && kind != "sequence" && !prediction.index_tables.contains_key(name)
    };
    // Locks on tables and views.
    let mut relations: BTreeSet<String> = seen
        .lock
        .keys()
        .filter(|name| is_table(name))
        .cloned()
        .collect();
    for effect in &prediction.effects {
        if !matches!(effect.kind, RelationKind::Index | RelationKind::Sequence) {
            relations.insert(effect.relation.name.to_string());
        }
    }
    for relation in &relations {
        let predicted = prediction
            .effects
            .iter()
            .find(|effect| *effect.relation.name == **relation);
        let said = predicted.map(|effect| effect.lock);
        let Some(actual) = seen
            .lock
            .get(relation)
            .map_or(Some(None), |short| mode(short).map(Some))
        else {
            continue; // A range of modes: the measurement could not tell.
        };
        let sure = predicted.is_none_or(|effect| effect.certainty == Certainty::Certain);
        scores.locks.add(said == actual, said < actual && sure, || {
            describe(format!(
                "lock on {relation}: {actual:?}, predicted {said:?}"
            ))
        });
    }
    if seen.error.is_some() {
        let said = prediction.fails;
        // Being sure of a refusal that did not come would be wrong; not foreseeing one that depends on rows is not.
        scores.failures.add(
            said.is_none() || said == seen.error.as_deref(),
            false,
            || describe(format!("fails with {:?}, predicted {said:?}", seen.error)),
        );
        return;
    }
    scores.failures.add(prediction.fails.is_none(), false, || {
        describe(format!("runs, predicted failure {:?}", prediction.fails))
    });
    if seen.work.as_deref() == Some("reads not counted") {
        return;
    }
    let work = |relation: &str| {
        prediction
            .effects
            .iter()
            .find(|effect| *effect.relation.name == *relation)
            .map(|effect| (effect.work, effect.certainty))
    };
    let rewritten: BTreeSet<&str> = seen
        .rewrite
        .iter()
        .map(String::as_str)
        .filter(|name| !seen.truncated.iter().any(|t| t == name))
        .collect();
    let mut rebuilt: BTreeSet<&str> = BTreeSet::new();
    for index in &seen.rebuild {
        if let Some(table) = prediction.index_tables.get(index) {
            rebuilt.insert(table);
        }
    }
    let builds_new = seen
        .created
        .iter()
        .any(|created| created.contains("(index)"))
        && seen.work.as_deref() == Some("index build");
    for relation in relations.iter().filter(|relation| is_table(relation)) {
        let Some((predicted, certainty)) = work(relation) else {
            continue;
        };
        let certain = certainty == Certainty::Certain;
        let actual = rewritten.contains(relation.as_str());
        let right = predicted.rewrite == actual || !certain;
        scores.rewrites.add(right, actual && certain, || {
            describe(format!(
                "rewrite of {relation}: {actual}, predicted {} {certainty:?}",
                predicted.rewrite
            ))
        });
        if case.group != "dml" && case.group != "maintenance" {
            let scanned = seen.scan.contains(relation);
            let said = predicted.scan || predicted.rewrite;
            scores.scans.add(
                said == scanned || (!certain && said),
                scanned && !said && certain,
                || describe(format!("scan of {relation}: {scanned}, predicted {said}")),
            );
            let built = rebuilt.contains(relation.as_str()) || (builds_new && scanned);
            let said = predicted.index_build;
            // A rewrite builds the indexes there are, which may be none.
            let right =
                said == built || (said && predicted.rewrite && actual) || (!certain && said);
            scores.builds.add(right, built && !said && certain, || {
                describe(format!(
                    "index build on {relation}: {built}, predicted {said}"
                ))
            });
        }
    }
}
