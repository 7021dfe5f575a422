//! A sample of the measurements, made again on the servers at hand: so that the data itself is checked.
//!
//! The fixture says the strongest mode ever requested; what a session still holds when the statement is done may be less,
//! never more. Which files are new, and with which error it ends, is the same.

use std::collections::{BTreeMap, BTreeSet};

use postgres::Client;

use crate::observed::{Case, Seen, cases, mode};
use crate::servers;

/// Every so manieth statement.
const SAMPLE: usize = 20;

const LOCKS: &str = "
    SELECT CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname, l.mode
    FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND c.oid >= 16384
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')";

const FILES: &str = "
    SELECT CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname, c.relfilenode::int8
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid >= 16384 AND c.relfilenode <> 0 AND c.relkind <> 'S'
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')";

fn files(client: &mut Client) -> BTreeMap<String, i64> {
    let rows = client.query(FILES, &[]).unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Statements that need more than a database: a tablespace, another server, data from the client.
fn needs_more(case: &Case) -> bool {
    let sql = format!("{} {}", case.setup, case.sql);
    [
        "ts1",
        "SUBSCRIPTION",
        "FROM STDIN",
        "TO STDOUT",
        "DATABASE",
        "TABLESPACE",
        "ROLE",
    ]
    .iter()
    .any(|word| sql.contains(word))
}

#[test]
fn a_sample_of_the_measurements_comes_out_again() {
    let all: Vec<Case> = ["statements.jsonl", "own.jsonl"]
        .into_iter()
        .flat_map(cases)
        .collect();
    let sample: Vec<&Case> = all
        .iter()
        .step_by(SAMPLE)
        .filter(|case| !needs_more(case))
        .collect();
    assert!(sample.len() > 30, "the fixtures are there");
    let mut wrong = Vec::new();
    // Each statement on two majors far apart; all together on all of them.
    let majors = servers::majors();
    let half = majors.len() / 2;
    for (number, case) in sample.iter().enumerate() {
        let chosen: BTreeSet<usize> = [number, number + half]
            .into_iter()
            .filter_map(|at| at.checked_rem(majors.len()))
            .collect();
        for major in chosen.into_iter().map(|at| majors[at]) {
            let seen = case.seen_on(major);
            if let Some(seen) = seen.filter(|seen| !seen.no_setup) {
                again(case, seen, major, &mut wrong);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn again(case: &Case, seen: &Seen, major: u32, wrong: &mut Vec<String>) {
    let database = servers::fresh_database(major);
    let mut client = database.connect();
    let mut complain = |what: String| wrong.push(format!("{} [{major}] {what}", case.id));
    if let Err(error) = client.batch_execute(&case.setup) {
        complain(format!("the setup fails: {error:?}"));
        return;
    }
    for (name, value) in &case.set {
        let value = if name == "search_path" {
            value.clone()
        } else {
            format!("'{value}'")
        };
        client
            .batch_execute(&format!("SET {name} = {value}"))
            .unwrap();
    }
    let before = files(&mut client);
    let in_transaction = seen.refused.is_none();
    if in_transaction {
        client.batch_execute("BEGIN").unwrap();
    }
    client.batch_execute(&case.pre).unwrap();
    let outcome = client.batch_execute(&case.sql);
    let sqlstate = outcome
        .as_ref()
        .err()
        .and_then(|error| error.code().map(|code| code.code().to_owned()));
    if sqlstate != seen.error {
        complain(format!("ends with {sqlstate:?}, measured {:?}", seen.error));
    }
    if outcome.is_err() {
        return;
    }
    if in_transaction && case.pre.is_empty() {
        for row in client.query(LOCKS, &[]).unwrap() {
            let (relation, held): (String, String) = (row.get(0), row.get(1));
            if !before.contains_key(&relation) {
                continue; // A view, a sequence, or new.
            }
            let measured = seen.lock.get(&relation).map(|short| mode(short));
            let held_mode = lockgate::effect::LockMode::ALL
                .into_iter()
                .find(|mode| mode.pg_locks_name() == held);
            match measured {
                Some(Some(measured)) if held_mode <= Some(measured) => {}
                Some(None) => {} // A range of modes.
                _ => complain(format!("holds {held} on {relation}, measured {measured:?}")),
            }
        }
    }
    let after = files(&mut client);
    let changed: BTreeSet<&String> = before
        .iter()
        .filter(|(name, file)| after.get(*name).is_some_and(|now| now != *file))
        .map(|(name, _)| name)
        .collect();
    let measured: BTreeSet<&String> = seen
        .rewrite
        .iter()
        .chain(&seen.rebuild)
        .chain(&seen.truncated)
        .collect();
    // The indexes of a rewritten table have new files too, which the measurement does not list.
    let missing: Vec<_> = measured.difference(&changed).collect();
    if !missing.is_empty() {
        complain(format!("no new file for {missing:?}"));
    }
    if measured.is_empty() && !changed.is_empty() {
        complain(format!("new files for {changed:?}"));
    }
}
