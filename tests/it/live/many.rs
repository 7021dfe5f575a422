//! Many databases at once: shards, tenants.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use serde_json::Value;

use super::faults::{Said, listener, lockgate_in};
use super::{ends, session};
use crate::servers::{Database, free_port, world};

/// What a run in this directory says as JSON.
fn json(said: &Said) -> Value {
    // Standard error comes behind the object.
    let mut values = serde_json::Deserializer::from_str(&said.text).into_iter();
    values
        .next()
        .unwrap_or_else(|| panic!("{}", said.text))
        .unwrap()
}

/// `shop` of `postgresql://me@db/shop?host=/run`.
fn name_of(url: &str) -> &str {
    let url = url.split('?').next().unwrap();
    url.rsplit('/').next().unwrap()
}

#[test]
fn one_database_that_cannot_be_asked_does_not_stop_the_others() {
    let directory = tempfile::tempdir().unwrap();
    let good: Vec<Database> = ends()
        .into_iter()
        .flat_map(|major| (0..8).map(move |_| world(major)))
        .collect();
    let silent = listener(b"", false);
    let closed = {
        let database = world(ends()[0]);
        database
            .connect()
            .batch_execute(&format!(
                "ALTER DATABASE {} ALLOW_CONNECTIONS false",
                good[0].name()
            ))
            .unwrap();
        good[0].url()
    };
    let socket = good[1].socket().display();
    let bad = [
        (
            format!("postgresql://postgres@127.0.0.1:{}/refused", free_port()),
            "no connection to ",
        ),
        (
            format!("postgresql://postgres@127.0.0.1:{silent}/silent?connect_timeout=2"),
            "did not answer within 2 s",
        ),
        (
            format!("postgresql://postgres@127.0.0.1:{silent}/quiet?connect_timeout=2"),
            "did not answer within 2 s",
        ),
        (
            format!("postgresql://postgres@/missing?host={socket}"),
            "database \"missing\" does not exist",
        ),
        (
            format!("postgresql://nobody@/postgres?host={socket}"),
            "role \"nobody\" does not exist",
        ),
        (closed, "is not currently accepting connections"),
    ];
    // Good and bad ones in turn, with what people write into such a file.
    let good = &good[1..];
    let mut lines = vec!["# shards".to_owned(), String::new()];
    for (index, database) in good.iter().enumerate() {
        lines.extend(bad.get(index).map(|(url, _)| url.clone()));
        lines.push(format!("  {}  ", database.url()));
    }
    let named: Vec<&str> = lines
        .iter()
        .map(|line| line.trim())
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    fs::write(directory.path().join("all"), lines.join("\r\n")).unwrap();
    let ask = |more: &[&str]| {
        let arguments = [
            &["live", "pre", "--select", "long-transaction,target-locked"],
            more,
        ]
        .concat();
        lockgate_in(directory.path(), &arguments, &[])
    };

    // One of the good ones is in trouble.
    let troubled = &good[3];
    let _idle = session(troubled, "idle", "BEGIN; LOCK TABLE orders");
    fs::write(
        directory.path().join("1.sql"),
        "SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN x int;\n",
    )
    .unwrap();
    let said = ask(&[
        "--databases",
        "all",
        "--jobs",
        "8",
        "--format",
        "json",
        "1.sql",
    ]);
    assert_eq!(said.status, Some(2), "{}", said.text);
    assert!(said.took < Duration::from_secs(15), "{:?}", said.took);
    let report = json(&said);
    let databases = report["databases"].as_array().unwrap();
    assert_eq!(databases.len(), named.len());
    // In the order of the file, each with its own answers.
    for (database, named) in databases.iter().zip(&named) {
        let url = database["url"].as_str().unwrap();
        assert_eq!(name_of(url), name_of(named));
        let unreachable = bad.iter().any(|(bad, _)| bad == named);
        assert_eq!(database["server"].is_null(), unreachable, "{database}");
        let answers: BTreeMap<&str, &str> = database["probes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                (
                    one["probe"].as_str().unwrap(),
                    one["answer"].as_str().unwrap(),
                )
            })
            .collect();
        if unreachable {
            assert!(answers.is_empty(), "{answers:?}");
        } else {
            let expected = if *named == troubled.url() {
                "finding"
            } else {
                "ok"
            };
            assert_eq!(answers["target-locked"], expected, "{named}");
            assert_eq!(answers["long-transaction"], "ok");
        }
    }
    let errors = report["errors"].as_array().unwrap();
    assert_eq!(errors.len(), bad.len(), "{errors:?}");
    for (error, (_, expected)) in errors.iter().zip(&bad) {
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
    }
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{findings:#?}");

    // As text: a line for each database, one error for each that could not be asked.
    let said = ask(&["--databases", "all", "--jobs", "8", "1.sql"]);
    assert_eq!(said.status, Some(2), "{}", said.text);
    assert_eq!(
        said.text.matches("2 probes: 2 ok").count(),
        good.len() - 1,
        "{}",
        said.text
    );
    assert_eq!(
        said.text.matches("2 probes: 1 ok, 1 with findings").count(),
        1,
        "{}",
        said.text
    );
    assert!(
        said.text.contains(&format!(
            "1 error in {} databases; {} databases could not be asked",
            good.len(),
            bad.len()
        )),
        "{}",
        said.text
    );

    // The same as arguments, and the exit status of each outcome.
    let (well, ill) = (good[0].url(), troubled.url());
    for (urls, status) in [
        (vec![&well, &good[1].url()], 0),
        (vec![&well, &ill], 1),
        (vec![&ill, &bad[0].0], 2),
        (vec![&well, &bad[3].0], 2),
    ] {
        let mut arguments = Vec::new();
        for url in &urls {
            arguments.extend(["--database-url", url.as_str()]);
        }
        arguments.extend(["--format", "json", "1.sql"]);
        let said = ask(&arguments);
        assert_eq!(said.status, Some(status), "{}", said.text);
        assert_eq!(json(&said)["databases"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn a_line_that_names_no_database_is_named_without_what_it_says() {
    let directory = tempfile::tempdir().unwrap();
    for (lines, expected) in [
        (
            "postgresql://a@db/x\n\nhttps://me:hunter-two@db/x\n",
            "all:3: the scheme of a database URL is `postgresql://`",
        ),
        (
            "host=db pasword=hunter-two\n",
            "all:1: `pasword` is not a connection parameter; did you mean `password`?",
        ),
        ("# nothing\n", "all names no database"),
    ] {
        fs::write(directory.path().join("all"), lines).unwrap();
        let said = lockgate_in(
            directory.path(),
            &["live", "pre", "--databases", "all"],
            &[],
        );
        super::faults::is_failure(&said, expected);
    }
}
