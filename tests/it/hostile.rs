//! Files that nobody means to write, and some that only look like it: the run ends by itself, says what it did not
//! understand, and still reports the bad migration beside them.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use serde_json::Value;

/// The migration beside each of them.
const BAD: &str = "ALTER TABLE notes ADD COLUMN pinned boolean NOT NULL;\n";

/// No file may take longer, on a busy machine and without optimisation.
const PATIENCE: Duration = Duration::from_mins(1);

/// What has to be said about the file itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    /// Nothing: it is understood.
    Nothing,
    /// Something, be it a finding, that it is not analysed, or that it cannot be read.
    Something,
    /// Either will do.
    Whatever,
}

/// Name, content, and what is said.
fn inputs() -> Vec<(&'static str, Vec<u8>, Said)> {
    use Said::{Nothing, Something, Whatever};
    let nested = |open: &str, core: &str, close: &str, depth: usize| {
        format!(
            "SELECT {}{core}{};\n",
            open.repeat(depth),
            close.repeat(depth)
        )
        .into_bytes()
    };
    let mut inputs: Vec<(&'static str, Vec<u8>, Said)> = vec![
        ("an empty file", Vec::new(), Nothing),
        ("only a BOM", b"\xef\xbb\xbf".to_vec(), Nothing),
        ("a BOM before a statement", b"\xef\xbb\xbfSELECT 1;\n".to_vec(), Nothing),
        ("two BOMs", b"\xef\xbb\xbf\xef\xbb\xbfSELECT 1;\n".to_vec(), Whatever),
        ("UTF-16", b"\xff\xfeS\0E\0L\0E\0C\0T\0 \x001\0;\0".to_vec(), Something),
        ("a NUL byte", b"SELECT 1;\0SELECT 2;\n".to_vec(), Something),
        ("only NUL bytes", vec![0; 4096], Something),
        ("not UTF-8", b"SELECT '\xe9';\n".to_vec(), Something),
        ("cut in a character", b"SELECT '\xc3".to_vec(), Something),
        ("lone carriage returns", b"SELECT 1;\rSELECT 2;\r-- a comment\rSELECT 3;\r".to_vec(), Nothing),
        ("every kind of line end", b"SELECT\r\n1;\n\rSELECT\x0b2;\x0c\n".to_vec(), Whatever),
        ("only semicolons", b";;;\n;\n ; ;".to_vec(), Nothing),
        ("only a comment", b"-- nothing".to_vec(), Nothing),
        ("blocks in blocks of comments", b"/* a /* b */ c */ SELECT 1;".to_vec(), Nothing),
        ("an unterminated comment", b"SELECT 1; /* a /* b */".to_vec(), Something),
        ("an unterminated string", b"SELECT 'a;\nSELECT 2;\n".to_vec(), Something),
        ("an unterminated name", b"SELECT \"a;\nSELECT 2;\n".to_vec(), Something),
        ("an unterminated dollar quote", b"DO $x$ BEGIN NULL; END $y$;\n".to_vec(), Something),
        ("an unterminated escape string", b"SELECT E'a\\';\n".to_vec(), Something),
        ("an unclosed parenthesis", b"CREATE TABLE a (id int;\nSELECT 1;\n".to_vec(), Something),
        ("no last semicolon", b"SELECT 1;\nSELECT 2".to_vec(), Nothing),
        ("dollar tags that are none", b"SELECT $1$ a $1$; SELECT $a b$; SELECT a$b$ FROM c$b$;\n".to_vec(), Whatever),
        ("a dollar tag beyond ASCII", "DO $é$ BEGIN NULL; END $é$;\n".into(), Nothing),
        ("a DO in a DO", b"DO $a$ BEGIN EXECUTE 'DO $b$ BEGIN EXECUTE ''SELECT 1''; END $b$'; END $a$;\n".to_vec(), Whatever),
        ("PL/pgSQL that does not end", b"DO $a$ BEGIN IF x THEN LOOP FOR i IN 1..2 LOOP END $a$;\n".to_vec(), Whatever),
        ("a template", b"ALTER TABLE {{ table }} ADD COLUMN ${column} <%= type %> :psql @@x@@;\n".to_vec(), Something),
        ("a template that does not end", b"SELECT {{ a; {% if b %} SELECT 1;\n".to_vec(), Something),
        ("a psql script", b"\\set ON_ERROR_STOP on\n\\if :x\nSELECT 1 \\gset\n\\else\n\\i a.sql\n\\endif\n\\q\n\\\n".to_vec(), Something),
        ("COPY with data", b"COPY a (b, c) FROM stdin;\n1\t'it; is\n2\t\\N\n\\.\nSELECT 1;\n".to_vec(), Whatever),
        ("COPY whose data does not end", b"COPY a FROM stdin;\n1\t2\n".to_vec(), Whatever),
        ("a merge conflict", b"<<<<<<< HEAD\nSELECT 1;\n=======\nSELECT 2;\n>>>>>>> b\n".to_vec(), Something),
        ("control characters in a name", b"ALTER TABLE \"a\x1b[31m\x07\r\nb\" ADD COLUMN \"\xe2\x80\xae\" int NOT NULL;\n".to_vec(), Something),
        ("a name of no characters", b"ALTER TABLE \"\" ADD COLUMN a int;\n".to_vec(), Something),
        ("unicode escapes in names", b"SELECT 1 AS U&\"d!0061t\" UESCAPE '!';\nSELECT U&'\\D800';\n".to_vec(), Whatever),
        ("a number that is none", b"SELECT 1e, 0x, 1__0, 99999999999999999999999999999999e99999;\n".to_vec(), Whatever),
        ("another language", b"#!/bin/sh\nset -eu\necho \"SELECT 1;\" | psql\n".to_vec(), Something),
        ("HTML", b"<!doctype html>\n<html><body>404</body></html>\n".to_vec(), Something),
        ("a suppression of everything", b"-- lockgate: allow-file\n-- lockgate: allow\n-- lockgate:\nSELECT 1;\n".to_vec(), Whatever),
        ("deep parentheses", nested("(", "1", ")", 50_000), Something),
        ("deep subqueries", nested("(SELECT ", "1", ")", 5_000), Whatever),
        ("deep operators", nested("1+", "1", "", 50_000), Whatever),
        ("deep NOT", nested("NOT ", "true", "", 50_000), Whatever),
        ("deep arrays", nested("ARRAY[", "1", "]", 5_000), Whatever),
        ("deep CASE", nested("CASE WHEN true THEN ", "1", " END", 5_000), Whatever),
        ("deep comments", format!("{}{} SELECT 1;", "/*".repeat(5_000), "*/".repeat(5_000)).into(), Nothing),
        ("a line of a megabyte", format!("SELECT '{}';", "x".repeat(1 << 20)).into(), Nothing),
        ("a megabyte of semicolons", ";".repeat(1 << 20).into(), Nothing),
        ("a megabyte of quotes", "'".repeat((1 << 20) + 1).into(), Something),
        ("a megabyte of dollars", "$".repeat(1 << 20).into(), Whatever),
        ("ten thousand tags", (0..10_000).fold(String::new(), |mut text, n| {
            let _ = write!(text, "$t{n}$");
            text
        }).into(), Something),
        ("ten thousand statements", "SELECT 1;\n".repeat(10_000).into(), Nothing),
        ("ten thousand broken statements", "SELEC 1;\n".repeat(10_000).into(), Something),
        ("fifty thousand rows", format!("INSERT INTO a VALUES {}(0);\n", "(1, 'a'), ".repeat(50_000)).into(), Whatever),
        ("two thousand columns", format!("CREATE TABLE a ({} z int);\n", (0..2_000).fold(String::new(), |mut text, n| {
            let _ = write!(text, "c{n} int, ");
            text
        })).into(), Whatever),
        ("a long name", format!("ALTER TABLE {} ADD COLUMN b int;\n", "a".repeat(100_000)).into(), Whatever),
    ];
    let blocks = 200;
    let mut deep = String::from("DO $$\n");
    for _ in 0..blocks {
        deep.push_str("BEGIN IF true THEN\n");
    }
    deep.push_str("NULL;\n");
    for _ in 0..blocks {
        deep.push_str("END IF; END;\n");
    }
    deep.push_str("$$;\n");
    inputs.push(("deep blocks of PL/pgSQL", deep.into(), Whatever));
    inputs
}

/// What a run found.
struct Run {
    exit: Option<i32>,
    signal: Option<i32>,
    report: Value,
    stderr: String,
    took: Duration,
}

fn run(directory: &Path) -> Run {
    let started = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_lockgate"))
        .args(["check", "--format", "json", "."])
        .current_dir(directory)
        .output()
        .unwrap();
    Run {
        exit: output.status.code(),
        signal: output.status.signal(),
        report: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        took: started.elapsed(),
    }
}

/// Entries of the report that are about a file.
fn about(report: &Value, file: &str) -> usize {
    ["findings", "not_analysed", "errors"]
        .iter()
        .flat_map(|list| report[*list].as_array().into_iter().flatten())
        .filter(|entry| entry.to_string().contains(file))
        .count()
}

/// Everything that is wrong with a run beside the bad migration `2_bad.sql`.
fn judge(name: &str, run: &Run) -> Vec<String> {
    let mut wrong = Vec::new();
    if run.exit != Some(1) {
        wrong.push(format!(
            "{name}: exit {:?}, signal {:?}: {}",
            run.exit,
            run.signal,
            run.stderr.chars().take(400).collect::<String>()
        ));
    } else if about(&run.report, "2_bad.sql") == 0 {
        wrong.push(format!(
            "{name}: the bad migration beside it is not reported"
        ));
    }
    if run.took > PATIENCE {
        wrong.push(format!("{name}: took {:?}", run.took));
    }
    wrong
}

#[test]
fn no_file_stops_the_run() {
    let wrong: Vec<String> = inputs()
        .into_par_iter()
        .flat_map_iter(|(name, content, said)| {
            let directory = tempfile::tempdir().unwrap();
            fs::write(directory.path().join("1_hostile.sql"), content).unwrap();
            fs::write(directory.path().join("2_bad.sql"), BAD).unwrap();
            let run = run(directory.path());
            let mut wrong = judge(name, &run);
            let entries = about(&run.report, "1_hostile.sql");
            if wrong.is_empty() && said == Said::Something && entries == 0 {
                wrong.push(format!("{name}: nothing is said about it"));
            }
            if wrong.is_empty() && said == Said::Nothing && entries > 0 {
                wrong.push(format!("{name}: {}", run.report));
            }
            wrong
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Python is read by another parser: the same for Alembic's files.
#[test]
fn no_python_file_stops_the_run() {
    let head = "revision = 'a'\ndown_revision = None\n\n\ndef upgrade():\n";
    let body = |text: &str| format!("{head}    {text}\n");
    let inputs: Vec<(&str, String)> = vec![
        ("a syntax error", body("op.add_column('a', sa.Column('b'")),
        ("Python 2", body("print 'a'")),
        ("tabs and blanks", format!("{head}\tpass\n        pass\n")),
        (
            "deep parentheses",
            body(&format!(
                "x = {}1{}",
                "(".repeat(20_000),
                ")".repeat(20_000)
            )),
        ),
        (
            "deep lists",
            body(&format!("x = {}{}", "[".repeat(20_000), "]".repeat(20_000))),
        ),
        (
            "deep operators",
            body(&format!("x = {}1", "1+".repeat(50_000))),
        ),
        (
            "deep calls",
            body(&format!("x = {}1{}", "f(".repeat(5_000), ")".repeat(5_000))),
        ),
        (
            "deep attributes",
            body(&format!("x = a{}", ".b".repeat(50_000))),
        ),
        (
            "a string that doubles itself",
            body(&format!(
                "x = 'a'\n{}    op.execute(x)",
                "    x = x + x\n".repeat(64)
            )),
        ),
        (
            "a product that fills the memory",
            body("op.execute('SELECT 1;' * 10 ** 12)"),
        ),
        (
            "a loop without end",
            body("while True: op.execute('SELECT 1')"),
        ),
        (
            "a loop of billions",
            body("for i in range(10 ** 12): op.execute('SELECT %s' % i)"),
        ),
        ("recursion", format!("{head}    upgrade()\n")),
        ("an unterminated string", body("op.execute('''SELECT 1")),
        ("a NUL byte", body("op.execute('\0')")),
        (
            "hostile SQL",
            body("op.execute('SELECT ' + '(' * 50000 + ')' * 50000)"),
        ),
        (
            "itself as its parent",
            "revision = 'a'\ndown_revision = 'a'\ndef upgrade(): pass\n".to_owned(),
        ),
    ];
    let wrong: Vec<String> = inputs
        .into_par_iter()
        .flat_map_iter(|(name, content)| {
            let directory = tempfile::tempdir().unwrap();
            let versions = directory.path().join("migrations/versions");
            fs::create_dir_all(&versions).unwrap();
            fs::write(directory.path().join("alembic.ini"), "[alembic]\nscript_location = migrations\n").unwrap();
            fs::write(directory.path().join("migrations/env.py"), "from alembic import context\n").unwrap();
            fs::write(versions.join("1_hostile.py"), content).unwrap();
            let bad = "import sqlalchemy as sa\nfrom alembic import op\n\nrevision = 'z'\ndown_revision = 'a'\n\n\n\
                def upgrade():\n    op.add_column('notes', sa.Column('pinned', sa.Boolean(), nullable=False))\n\n\n\
                def downgrade():\n    op.drop_column('notes', 'pinned')\n";
            fs::write(versions.join("2_bad.py"), bad).unwrap();
            let mut run = run(directory.path());
            let text = run.report.to_string().replace("2_bad.py", "2_bad.sql");
            run.report = serde_json::from_str(&text).unwrap();
            judge(name, &run)
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Directories and names that are not plain files.
#[test]
fn no_tree_stops_the_run() {
    type Make = fn(&Path);
    let trees: [(&str, Make, bool); 6] = [
        (
            "a directory that links to itself",
            |at| symlink(".", at.join("again")).unwrap(),
            false,
        ),
        (
            "a link to the directory above",
            |at| symlink("..", at.join("0_up")).unwrap(),
            false,
        ),
        (
            "a link to itself",
            |at| symlink("1_hostile.sql", at.join("1_hostile.sql")).unwrap(),
            true,
        ),
        (
            "a link to nothing",
            |at| symlink("gone", at.join("1_hostile.sql")).unwrap(),
            true,
        ),
        (
            "a directory called like a file",
            |at| fs::create_dir(at.join("1_hostile.sql")).unwrap(),
            false,
        ),
        (
            "a name that is not UTF-8",
            |at| fs::write(at.join(std::ffi::OsStr::from_bytes(b"1_\xff.sql")), BAD).unwrap(),
            false,
        ),
    ];
    let mut wrong = Vec::new();
    for (name, make, is_named) in trees {
        let directory = tempfile::tempdir().unwrap();
        make(directory.path());
        fs::write(directory.path().join("2_bad.sql"), BAD).unwrap();
        let run = run(directory.path());
        wrong.extend(judge(name, &run));
        if is_named && about(&run.report, "1_hostile.sql") == 0 {
            wrong.push(format!("{name}: nothing is said about it"));
        }
        let bad = run.report["findings"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|found| found["rule"] == "not-null-without-default")
            .count();
        if bad > 2 {
            wrong.push(format!("{name}: the bad migration is reported {bad} times"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
