//! The rule for every probe: a test makes its situation, and another one in which all is well; on the oldest and the
//! newest major, as superuser and as a member of `pg_monitor`.
//!
//! A test says with [`showing`] which probe it does this for. What it was then told is counted, and every probe that
//! there is must have such a test.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;

use lockgate::live;
use lockgate::probe::When;
use lockgate::report::Answer;

use super::ends;
use crate::example::root;

/// What cannot be shown, and why.
const EXCEPTIONS: &[(&str, &str, Answer, &str)] = &[
    (
        "unfit-session",
        "postgres",
        Answer::Ok,
        "that the role is a superuser is what it tells",
    ),
    (
        "failed-job",
        "monitor",
        Answer::Ok,
        "pg_cron hides the jobs of other roles, so that the answer is unknown",
    ),
    (
        "failed-job",
        "monitor",
        Answer::Finding,
        "pg_cron hides the jobs of other roles, so that the answer is unknown",
    ),
];

/// The roles that every test asks as.
const ROLES: [&str; 2] = ["postgres", "monitor"];

thread_local! {
    /// What this test was told so far on a major: probe, role, answer.
    static TOLD: RefCell<BTreeSet<(&'static str, &'static str, &'static str)>> = const { RefCell::new(BTreeSet::new()) };
}

/// Counts an answer.
pub(super) fn note(probe: &'static str, role: &str, answer: Answer) {
    if let Some(role) = ROLES.into_iter().find(|known| *known == role) {
        TOLD.with_borrow_mut(|told| told.insert((probe, role, word(answer))));
    }
}

fn word(answer: Answer) -> &'static str {
    match answer {
        Answer::Ok => "all is well",
        Answer::Finding => "a finding",
        Answer::Unknown => "unknown",
        Answer::NotAsked => "not asked",
    }
}

/// The oldest and the newest major, for a test that shows a probe: before it goes on to the next one, both roles must
/// have been told of a finding, and that all is well.
pub(crate) fn showing(probe: &'static str) -> Showing {
    Showing {
        probe,
        majors: ends().into_iter(),
        current: None,
    }
}

pub(crate) struct Showing {
    probe: &'static str,
    majors: std::vec::IntoIter<u32>,
    current: Option<u32>,
}

impl Iterator for Showing {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if let Some(major) = self.current {
            let missing = missing(self.probe);
            assert!(
                missing.is_empty(),
                "{} on PostgreSQL {major} was not shown: {missing:?}",
                self.probe
            );
        }
        TOLD.with_borrow_mut(BTreeSet::clear);
        self.current = self.majors.next();
        self.current
    }
}

/// What nobody was told of a probe.
fn missing(probe: &'static str) -> Vec<String> {
    let mut missing = Vec::new();
    for role in ROLES {
        for answer in [Answer::Finding, Answer::Ok] {
            let told = TOLD.with_borrow(|told| told.contains(&(probe, role, word(answer))));
            let excepted = EXCEPTIONS
                .iter()
                .any(|(id, of, what, _)| (*id, *of, *what) == (probe, role, answer));
            if !told && !excepted {
                missing.push(format!("{role}: {}", word(answer)));
            }
        }
    }
    missing
}

#[test]
fn every_probe_is_shown_by_a_test() {
    let mut tests = String::new();
    for file in fs::read_dir(root().join("tests/it/live")).unwrap() {
        tests.push_str(&fs::read_to_string(file.unwrap().path()).unwrap());
    }
    let probes: BTreeSet<&str> = [When::Pre, When::Watch, When::Post]
        .into_iter()
        .flat_map(live::probes)
        .map(|(rule, _)| rule.id)
        .collect();
    assert!(probes.len() >= 30, "{probes:?}");
    let missing: Vec<&str> = probes
        .into_iter()
        .filter(|id| !tests.contains(&format!("in showing(\"{id}\")")))
        .collect();
    assert_eq!(
        missing, [""; 0],
        "a test below tests/it/live must make the situation of each, with `for major in showing(id)`"
    );
}

#[test]
fn what_was_not_told_is_missing() {
    TOLD.with_borrow_mut(BTreeSet::clear);
    note("invalid-index", "postgres", Answer::Finding);
    note("invalid-index", "plain", Answer::Ok);
    note("unfit-session", "monitor", Answer::Ok);
    assert_eq!(
        missing("invalid-index"),
        [
            "postgres: all is well",
            "monitor: a finding",
            "monitor: all is well"
        ]
    );
    assert_eq!(
        missing("unfit-session"),
        ["postgres: a finding", "monitor: a finding"]
    );
}
