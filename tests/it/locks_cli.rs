//! `lockgate locks`: what it shows, in how many columns, and what programs read.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
}

fn lockgate(directory: &Path, columns: &str, words: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lockgate"))
        .args(words.split_whitespace())
        .current_dir(directory)
        .env("COLUMNS", columns)
        .env_remove("NO_COLOR")
        .output()
        .unwrap()
}

/// Standard output of a run that says nothing on standard error.
fn shown(directory: &Path, columns: &str, words: &str) -> String {
    let run = lockgate(directory, columns, words);
    let complaint = String::from_utf8(run.stderr).unwrap();
    assert_eq!(complaint, "", "{words}");
    assert_eq!(run.status.code(), Some(0), "{words}");
    String::from_utf8(run.stdout).unwrap()
}

fn json(directory: &Path, words: &str) -> Value {
    let text = lockgate(directory, "80", &format!("locks --format json {words}")).stdout;
    let document: Value = serde_json::from_slice(&text).unwrap();
    let schema = shown(directory, "80", "schema locks");
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    document
}

/// One line for each statement of a document.
fn lines(document: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let words = |value: &Value| {
        let words: Vec<String> = value.as_array().into_iter().flatten().map(word).collect();
        words.join("+")
    };
    let mut out = String::new();
    for statement in document["statements"].as_array().unwrap() {
        write!(
            out,
            "{}:{} {} {} {} {}{}",
            word(&statement["file"]),
            statement["start"]["line"],
            word(&statement["migration"]),
            word(&statement["direction"]),
            word(&statement["kind"]),
            word(&statement["transaction"]["kind"]),
            statement["transaction"]["number"],
        )
        .unwrap();
        for effect in statement["effects"].as_array().unwrap() {
            write!(
                out,
                "; {} {} {} [{}] [{}] {}",
                word(&effect["relation_kind"]),
                word(&effect["relation"]),
                word(&effect["lock"]),
                words(&effect["blocks"]),
                words(&effect["work"]),
                word(&effect["certainty"]),
            )
            .unwrap();
        }
        let waits = words(&statement["waits_for"]);
        if !waits.is_empty() {
            write!(out, "; waits for {waits}").unwrap();
        }
        if statement["fails"].is_object() {
            write!(out, "; fails {}", word(&statement["fails"]["sqlstate"])).unwrap();
        }
        out.push('\n');
    }
    for place in document["not_analysed"].as_array().unwrap() {
        writeln!(
            out,
            "{}:{} not analysed: {}",
            word(&place["file"]),
            place["start"]["line"],
            word(&place["reason"])
        )
        .unwrap();
    }
    out
}

#[test]
fn the_table_is_readable_in_80_and_in_120_columns() {
    for (name, project) in [
        ("shop", "projects/shop"),
        ("alembic_app", "projects/alembic-app"),
        ("transactions", "locks"),
    ] {
        for columns in ["80", "120"] {
            let text = shown(&fixture(project), columns, "locks");
            let most = columns.parse::<usize>().unwrap();
            for line in text.split('\n') {
                assert!(line.chars().count() <= most, "{columns}: {line}");
                assert_eq!(line.trim_end(), line, "blanks at the end");
            }
            assert!(!text.contains('\u{1b}'), "no colour in a pipe");
            insta::assert_snapshot!(format!("{name}_{columns}"), text);
        }
    }
}

#[test]
fn everything_can_be_shown_and_scripts_that_go_back() {
    let text = shown(
        &fixture("locks"),
        "120",
        "locks --all --down golang plain/4_nothing_new.sql",
    );
    insta::assert_snapshot!("all_and_down", text);
}

#[test]
fn a_script_that_goes_back_is_shown_when_it_is_named() {
    let text = shown(
        &fixture("locks"),
        "80",
        "locks golang/2_one_message.down.sql",
    );
    assert!(
        text.starts_with("golang/2_one_message.down.sql down\n"),
        "{text}"
    );
    assert!(text.contains("ACCESS EXCLUSIVE"), "{text}");
}

#[test]
fn programs_read_every_statement() {
    for (name, project) in [
        ("json_alembic_app", "projects/alembic-app"),
        ("json_transactions", "locks"),
    ] {
        let document = json(&fixture(project), "--down");
        insta::assert_snapshot!(name, lines(&document));
    }
    let document = json(&fixture("projects/shop"), "");
    assert_eq!(document["schema_version"], 1);
    assert_eq!(document["settings"]["postgres"], 16);
    let statements = document["statements"].as_array().unwrap();
    let index = statements
        .iter()
        .find(|statement| statement["migration"] == "000005");
    let index = index.unwrap();
    assert_eq!(index["kind"], "CREATE INDEX", "{index}");
    assert_eq!(
        index["effects"],
        serde_json::json!([{
            "relation": "public.orders", "relation_kind": "table", "lock": "SHARE UPDATE EXCLUSIVE",
            "blocks": [], "work": ["scan", "index build"], "certainty": "certain", "estimate": null,
        }])
    );
}

#[test]
fn what_cannot_be_read_is_said_and_fails_the_run() {
    let project = fixture("projects/mixed-trouble");
    let run = lockgate(&project, "80", "locks");
    assert_eq!(run.status.code(), Some(2));
    let text = String::from_utf8(run.stdout).unwrap();
    assert!(
        text.contains("not analysed: unterminated quoted string"),
        "{text}"
    );
    assert!(
        text.contains("error: 001_latin1.sql: not UTF-8 at byte 13"),
        "{text}"
    );
    let document = json(&project, "");
    assert_eq!(document["errors"].as_array().unwrap().len(), 2);
}

#[test]
fn text_that_cannot_be_parsed_never_looks_harmless() {
    let directory = TempDir::new().unwrap();
    std::fs::write(
        directory.path().join("1_a.sql"),
        "CREATE TABEL typo (id int);\nDO $$ BEGIN EXECUTE q; END $$;\n",
    )
    .unwrap();
    let text = shown(directory.path(), "80", "locks 1_a.sql");
    assert!(text.contains("syntax error at or near \"TABEL\""), "{text}");
    assert!(text.contains("line 2 not analysed: "), "{text}");
    assert!(
        text.ends_with("1 migration on PostgreSQL 18: 1 unknown; 2 places not analysed\n"),
        "{text}"
    );
    let document = json(directory.path(), "1_a.sql");
    assert_eq!(
        document["statements"].as_array().unwrap().len(),
        1,
        "{document}"
    );
    assert_eq!(document["not_analysed"].as_array().unwrap().len(), 2);
}

#[test]
fn colours_say_how_much_it_hurts() {
    let directory = TempDir::new().unwrap();
    for (name, text) in [
        ("1_a.sql", "CREATE TABLE t (id int, note varchar(9));"),
        ("2_b.sql", "ALTER TABLE t ALTER COLUMN id TYPE bigint;"),
        ("3_c.sql", "ALTER TABLE t ADD COLUMN x int;"),
        ("4_d.sql", "CREATE INDEX i ON t (id);"),
        (
            "5_e.sql",
            "CREATE TRIGGER g BEFORE INSERT ON t EXECUTE FUNCTION f();",
        ),
    ] {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let text = shown(directory.path(), "120", "locks --color always");
    let colour = |start: &str| {
        let line = text.split('\n').find(|line| line.contains(start)).unwrap();
        line.split("\u{1b}[").find_map(|part| {
            part.contains("statement end")
                .then(|| part.split('m').next().unwrap().to_owned())
        })
    };
    for (statement, expected) in [
        ("TYPE bigint", Some("31")),
        ("ADD COLUMN x", Some("33")),
        ("CREATE INDEX", Some("33")),
        // In no colour at all: what is in front of it is the end of the line number's.
        ("CREATE TRIGGER", Some("0")),
    ] {
        assert_eq!(colour(statement).as_deref(), expected, "{statement}");
    }
}

#[test]
fn the_output_goes_to_a_file_without_colour() {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("1_a.sql"), "LOCK TABLE t;").unwrap();
    let said = shown(
        directory.path(),
        "80",
        "locks 1_a.sql --color always --output locks.txt",
    );
    assert_eq!(said, "");
    let text = std::fs::read_to_string(directory.path().join("locks.txt")).unwrap();
    assert!(text.starts_with("1_a.sql\n"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}
