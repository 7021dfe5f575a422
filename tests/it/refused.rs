//! Statements that PostgreSQL refuses because of what is there: `fixtures/refused.sql`, measured on every major
//! (`BLESS=1` writes what the servers say), and predicted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use lockgate::settings::Settings;
use lockgate::testing::{self, replay::statements};
use rayon::prelude::*;

use crate::servers;

const MAJORS: [u32; 6] = [13, 14, 15, 16, 17, 18];

/// What is said about a major that does not take what comes before.
const NOT_THERE: &str = "-";

/// One case: statements that commit one by one, then a transaction.
struct Case {
    title: String,
    /// By major: the SQLSTATE of the first statement of the transaction that is refused, `ok`, or [`NOT_THERE`].
    outcome: BTreeMap<u32, String>,
    before: String,
    then: String,
    /// Why the model need not say what the servers say; it must not say anything else.
    unknown: bool,
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/refused.sql")
}

/// The text before the first case, and the cases.
fn read() -> (String, Vec<Case>) {
    let text = fs::read_to_string(path()).unwrap();
    let mut parts = text.split("-- case: ");
    let head = parts.next().unwrap().to_owned();
    let cases = parts.map(|part| {
        let (title, rest) = part.split_once('\n').unwrap();
        let mut outcome = BTreeMap::new();
        let (mut before, mut then, mut behind, mut unknown) =
            (String::new(), String::new(), false, false);
        for line in rest.lines() {
            if let Some(said) = line.strip_prefix("-- servers: ") {
                outcome = parse(said);
            } else if line == "-- the model does not know" {
                unknown = true;
            } else if line == "-- then" {
                behind = true;
            } else if behind {
                writeln!(then, "{line}").unwrap();
            } else {
                writeln!(before, "{line}").unwrap();
            }
        }
        Case {
            title: title.to_owned(),
            outcome,
            before: before.trim().to_owned(),
            then: then.trim().to_owned(),
            unknown,
        }
    });
    (head, cases.collect())
}

/// `55P04 13-16, ok 17-18`.
fn parse(said: &str) -> BTreeMap<u32, String> {
    let mut outcome = BTreeMap::new();
    for part in said.split(", ") {
        let (state, majors) = part.split_once(' ').unwrap();
        let (first, last) = majors.split_once('-').unwrap_or((majors, majors));
        for major in first.parse().unwrap()..=last.parse().unwrap() {
            outcome.insert(major, state.to_owned());
        }
    }
    outcome
}

fn show(outcome: &BTreeMap<u32, String>) -> String {
    let mut runs: Vec<(&str, u32, u32)> = Vec::new();
    for (major, state) in outcome {
        match runs.last_mut() {
            Some((known, _, last)) if known == state => *last = *major,
            _ => runs.push((state, *major, *major)),
        }
    }
    let words = runs.into_iter().map(|(state, first, last)| {
        if first == last {
            format!("{state} {first}")
        } else {
            format!("{state} {first}-{last}")
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

fn predicted(case: &Case, head: &str, major: u32) -> String {
    let world = format!("{head}{}", case.before);
    let settings = Settings {
        postgres: major,
        ..Settings::default()
    };
    let file = format!("BEGIN;\n{}\nCOMMIT;\n", case.then);
    let ran = testing::effects("plain", &[("1.sql", &file)], Some(&world), &settings);
    let first = ran.iter().find_map(|ran| ran.fails);
    first.unwrap_or("ok").to_owned()
}

#[test]
fn refusals_are_predicted_as_measured() {
    let (head, cases) = read();
    assert!(cases.len() > 80, "only {} cases", cases.len());
    let wrong: Vec<String> = cases
        .par_iter()
        .flat_map_iter(|case| {
            let head = &head;
            case.outcome.iter().filter_map(move |(major, seen)| {
                let said = predicted(case, head, *major);
                let fits = said == *seen || seen == NOT_THERE || (case.unknown && said == "ok");
                (!fits).then(|| format!("{} on {major}: {said}, measured {seen}", case.title))
            })
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn refusals_are_those_of_the_servers() {
    let (head, mut cases) = read();
    let measured: Vec<(u32, Vec<String>)> = servers::majors()
        .into_par_iter()
        .map(|major| {
            let database = servers::fresh_database(major);
            let mut client = database.connect();
            let states = cases.iter().map(|case| {
                let mut clear = client.query("SELECT pubname::text FROM pg_publication", &[]);
                for row in clear.iter_mut().flatten() {
                    let name: String = row.get(0);
                    client
                        .batch_execute(&format!("DROP PUBLICATION {name}"))
                        .unwrap();
                }
                client
                    .batch_execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
                    .unwrap();
                let mut before = statements(&head);
                before.extend(statements(&case.before));
                for statement in before {
                    if client.batch_execute(&statement.source.sql).is_err() {
                        return NOT_THERE.to_owned();
                    }
                }
                client.batch_execute("BEGIN").unwrap();
                let mut state = "ok".to_owned();
                for statement in statements(&case.then) {
                    if let Err(error) = client.batch_execute(&statement.source.sql) {
                        state = error.code().map_or("?", |code| code.code()).to_owned();
                        break;
                    }
                }
                client.batch_execute("ROLLBACK").unwrap();
                state
            });
            let states = states.collect();
            (major, states)
        })
        .collect();
    let mut wrong = String::new();
    for (major, states) in measured {
        for (case, state) in cases.iter_mut().zip(states) {
            let said = case.outcome.insert(major, state.clone());
            if said.as_ref() != Some(&state) {
                writeln!(wrong, "{} on {major}: {state}, not {said:?}", case.title).unwrap();
            }
        }
    }
    if std::env::var_os("BLESS").is_some() {
        assert_eq!(servers::majors(), MAJORS, "all servers are needed");
        let mut text = head;
        for case in &cases {
            let unknown = if case.unknown {
                "-- the model does not know\n"
            } else {
                ""
            };
            let outcome = show(&case.outcome);
            let Case {
                title,
                before,
                then,
                ..
            } = case;
            let before = if before.is_empty() {
                String::new()
            } else {
                format!("{before}\n")
            };
            write!(
                text,
                "-- case: {title}\n-- servers: {outcome}\n{unknown}{before}-- then\n{then}\n\n"
            )
            .unwrap();
        }
        fs::write(path(), text.trim_end().to_owned() + "\n").unwrap();
        return;
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
