//! What we print for Alembic's directives is what Alembic prints.
//!
//! `fixtures/alembic/*.py` are revisions, `*.json` next to them what the real library sends for them
//! (`tests/alembic/oracle.py` writes them). Both sides are parsed and printed again by PostgreSQL's own parser, so that
//! only spelling may differ. A file without its golden side, or with anything not analysed, fails.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use lockgate::python::{BodyKind, Script, read};

fn fixtures() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/alembic");
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)
        .expect("the directory of fixtures")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .collect();
    files.sort();
    files
}

/// The statements of a text as the parser prints them; what does not parse is compared as it is, blanks aside.
pub(crate) fn normal(sql: &str) -> Vec<String> {
    let printed = pg_query::parse(sql, pg_query::ParserOptions::default()).and_then(|parsed| {
        let statements = parsed.protobuf.stmts.iter().map(|statement| {
            let mut one = parsed.protobuf.clone();
            one.stmts = vec![statement.clone()];
            pg_query::deparse(&one, pg_query::DeparseOptions::default())
        });
        statements.collect::<Result<Vec<String>, _>>()
    });
    printed.unwrap_or_else(|_| vec![sql.split_whitespace().collect::<Vec<_>>().join(" ")])
}

/// Sorts the runs whose order is not fixed: indexes behind one CREATE TABLE (the library walks a set) and constraints
/// behind one ADD COLUMN (the order changed between releases).
fn order(statements: &mut [String]) {
    let mut at = 0;
    while at < statements.len() {
        let follows: fn(&str) -> bool = match statements[at].as_str() {
            head if head.starts_with("CREATE") && head.contains(" TABLE ") => {
                |next| next.starts_with("CREATE INDEX") || next.starts_with("CREATE UNIQUE INDEX")
            }
            head if head.contains(" ADD COLUMN ") => |next| {
                next.starts_with("ALTER TABLE")
                    && next.contains(" ADD ")
                    && !next.contains(" ADD COLUMN ")
            },
            _ => |_| false,
        };
        let end = (at + 1..statements.len())
            .find(|&next| !follows(&statements[next]))
            .unwrap_or(statements.len());
        statements[at + 1..end].sort();
        at = end;
    }
}

fn ours(script: Option<&Script>) -> Vec<String> {
    let mut statements: Vec<String> = script
        .into_iter()
        .flat_map(|script| &script.ops)
        .flat_map(|op| normal(&op.fragment.sql))
        .collect();
    order(&mut statements);
    statements
}

/// The golden statements, and what was raised behind them.
fn theirs(golden: &serde_json::Value) -> (Vec<String>, Option<&str>) {
    let entries = golden.as_array().expect("a list of statements");
    let mut statements: Vec<String> = entries
        .iter()
        .filter_map(|entry| entry.as_str())
        .flat_map(normal)
        .collect();
    order(&mut statements);
    (
        statements,
        entries
            .last()
            .and_then(|entry| entry.get("error"))
            .and_then(|error| error.as_str()),
    )
}

fn compare(
    file: &str,
    direction: &str,
    script: Option<&Script>,
    golden: &serde_json::Value,
    report: &mut String,
) {
    let (theirs, error) = theirs(golden);
    let mut ours = ours(script);
    let not_analysed = script
        .map(|script| script.not_analysed.as_slice())
        .unwrap_or_default();
    let raises = script.is_some_and(|script| matches!(script.body, BodyKind::Raises { .. }));
    match error {
        // The library stops there; we say that we could not follow.
        Some(error) => {
            ours.truncate(theirs.len());
            if not_analysed.is_empty() && !raises {
                let _ = writeln!(report, "{file} {direction}: nothing is said about {error}");
            }
        }
        None if not_analysed.is_empty() => {}
        None => {
            let _ = writeln!(report, "{file} {direction}: not analysed: {not_analysed:?}");
        }
    }
    if let Some(op) = script
        .into_iter()
        .flat_map(|script| &script.ops)
        .find(|op| op.approximate || op.conditional)
    {
        let _ = writeln!(report, "{file} {direction}: not exact: {}", op.fragment.sql);
    }
    if ours != theirs {
        let _ = writeln!(report, "{file} {direction}:");
        for change in similar::TextDiff::from_slices(
            &theirs.iter().map(String::as_str).collect::<Vec<_>>(),
            &ours.iter().map(String::as_str).collect::<Vec<_>>(),
        )
        .iter_all_changes()
        {
            if change.tag() != similar::ChangeTag::Equal {
                let _ = writeln!(report, "  {} {}", change.tag(), change.value());
            }
        }
    }
}

#[test]
fn emission_equals_the_library() {
    let files = fixtures();
    assert!(files.len() >= 40, "only {} fixtures", files.len());
    let mut report = String::new();
    for path in files {
        let file = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .expect("a name")
            .to_owned();
        let text = std::fs::read_to_string(&path).expect("a fixture");
        let golden = std::fs::read_to_string(path.with_extension("json")).expect("its golden side");
        let golden: serde_json::Value = serde_json::from_str(&golden).expect("JSON");
        let revision = read(&text);
        if !revision.is_revision
            || !revision.syntax_errors.is_empty()
            || revision.revision.is_none()
        {
            let _ = writeln!(
                report,
                "{file}: not read as a revision: {:?}",
                revision.syntax_errors
            );
        }
        compare(
            &file,
            "upgrade",
            revision.upgrade.as_ref(),
            &golden["upgrade"],
            &mut report,
        );
        compare(
            &file,
            "downgrade",
            revision.downgrade.as_ref(),
            &golden["downgrade"],
            &mut report,
        );
    }
    assert!(report.is_empty(), "\n{report}");
}

/// Any prefix of a file is read without a panic, and its spans stay inside of it.
#[test]
fn cut_files_are_read() {
    for path in fixtures() {
        let text = std::fs::read_to_string(&path).expect("a fixture");
        for end in (0..text.len())
            .step_by(97)
            .filter(|&end| text.is_char_boundary(end))
        {
            let cut = &text[..end];
            let revision = read(cut);
            let spans = revision
                .upgrade
                .iter()
                .chain(&revision.downgrade)
                .flat_map(|script| {
                    script
                        .ops
                        .iter()
                        .map(|op| op.span)
                        .chain(script.not_analysed.iter().map(|entry| entry.span))
                });
            for span in spans {
                assert!(
                    cut.get(span.range()).is_some(),
                    "{} cut at {end}",
                    path.display()
                );
            }
        }
    }
}
