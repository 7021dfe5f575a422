//! What we print for Alembic's directives is what Alembic prints.
//!
//! `fixtures/alembic/*.py` are revisions, `*.json` next to them what the real library sends for them
//! (`tests/alembic/oracle.py` writes them). Both sides are parsed and printed again by PostgreSQL's own parser, so that
//! only spelling may differ. A file without its golden side, or with anything not analysed, fails.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use std::sync::Arc;

use crate::servers::python_tool_of;

use lockgate::layout::{Files, Imports};
use lockgate::python::{BodyKind, Problem, Script, Surroundings, Trap, read, read_env, read_in};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/alembic")
}

/// The Python files of the fixtures: revisions, and what they import.
struct Fixtures {
    paths: Vec<String>,
}

impl Fixtures {
    fn all() -> Self {
        let mut paths: Vec<String> = walkdir::WalkDir::new(directory())
            .into_iter()
            .map(|entry| entry.expect("an entry").into_path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
            .map(|path| {
                let path = path.strip_prefix(directory()).expect("it lies inside");
                path.to_str().expect("UTF-8").replace('\\', "/")
            })
            .collect();
        paths.sort();
        Self { paths }
    }
}

impl Files for Fixtures {
    fn paths(&self) -> &[String] {
        &self.paths
    }

    fn text(&self, path: &str) -> Option<Arc<str>> {
        let text = std::fs::read_to_string(directory().join(path)).ok()?;
        Some(text.into())
    }
}

/// The revisions among the fixtures.
fn fixtures() -> Vec<PathBuf> {
    Fixtures::all()
        .paths
        .iter()
        .map(|path| directory().join(path))
        .filter(|path| {
            let text = std::fs::read_to_string(path).expect("a fixture");
            text.lines().any(|line| line.starts_with("down_revision"))
        })
        .collect()
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
    // Bodies are compared but for their white space.
    let squeezed = |statement: String| {
        if statement.starts_with("DO ") || statement.contains("FUNCTION") {
            statement.split_whitespace().collect::<Vec<_>>().join(" ")
        } else {
            statement
        }
    };
    let printed = printed.map(|printed| printed.into_iter().map(squeezed).collect());
    printed.unwrap_or_else(|_| vec![sql.split_whitespace().collect::<Vec<_>>().join(" ")])
}

/// Sorts the runs whose order is not fixed: indexes behind one CREATE TABLE (the library walks a set) and constraints
/// behind one ADD COLUMN (the order changed between releases).
pub(crate) fn order(statements: &mut [String]) {
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
    problems: &[Problem],
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
            let refused = problems
                .iter()
                .any(|problem| matches!(problem.trap, Trap::Refused | Trap::UnnamedDrop));
            if not_analysed.is_empty() && !raises && !refused {
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
    let project = Fixtures::all();
    for path in files {
        let relative = path.strip_prefix(directory()).expect("it lies inside");
        let file = relative.to_str().expect("UTF-8").replace('\\', "/");
        let env = relative
            .with_file_name("env.py")
            .to_str()
            .expect("UTF-8")
            .to_owned();
        let convention = project
            .text(&env)
            .and_then(|text| read_env(&text, &env, &Imports(&project)).naming_convention);
        let text = std::fs::read_to_string(&path).expect("a fixture");
        let golden = std::fs::read_to_string(path.with_extension("json")).expect("its golden side");
        let golden: serde_json::Value = serde_json::from_str(&golden).expect("JSON");
        let around = Surroundings {
            path: &file,
            modules: &Imports(&project),
            convention: convention.as_deref(),
        };
        let revision = read_in(&text, &around);
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
            &revision.problems,
            &golden["upgrade"],
            &mut report,
        );
        compare(
            &file,
            "downgrade",
            revision.downgrade.as_ref(),
            &revision.problems,
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

/// Environments of `.ci/test` with a version of Alembic, the oldest last; only the first has the plugins.
const VERSIONS: &[(&str, usize)] = &[
    ("venv", 45),
    ("venv-alembic-1.13", 38),
    ("venv-alembic-1.8", 34),
];

/// What the library of an environment sends for every fixture, by file; none if it is not installed.
fn rendered(venv: &str) -> Option<serde_json::Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = python_tool_of(venv, "python")?;
    let out = tempfile::NamedTempFile::new().expect("a file");
    let result = std::process::Command::new(&python)
        .arg("-B")
        .arg(root.join("tests/alembic/oracle.py"))
        .arg(directory())
        .arg(out.path())
        .output()
        .expect("the interpreter runs");
    assert!(
        result.status.success(),
        "{venv}: {}",
        String::from_utf8_lossy(&result.stderr)
    );
    let text = std::fs::read_to_string(out.path()).expect("its output");
    Some(serde_json::from_str(&text).expect("JSON"))
}

/// Statements without what older versions leave out or add: guards, and the start of a sequence.
fn of_any_version(statements: Vec<String>) -> Vec<String> {
    statements
        .into_iter()
        .map(|statement| {
            statement
                .replace(" IF NOT EXISTS", "")
                .replace(" IF EXISTS", "")
                .replace("CREATE SEQUENCE s1 START 1", "CREATE SEQUENCE s1")
        })
        .collect()
}

/// Older and newer versions of the library send the same, as far as they know the arguments.
#[test]
fn versions_of_the_library_agree() {
    let mut report = String::new();
    let project = Fixtures::all();
    for &(venv, least) in VERSIONS {
        let Some(rendered) = rendered(venv) else {
            continue;
        };
        let mut whole = 0;
        for (file, golden) in rendered.as_object().expect("files") {
            let text = project.text(file).expect("a fixture");
            let env = Path::new(file).with_file_name("env.py");
            let env = env.to_str().expect("UTF-8");
            let convention = project
                .text(env)
                .and_then(|text| read_env(&text, env, &Imports(&project)).naming_convention);
            let around = Surroundings {
                path: file,
                modules: &Imports(&project),
                convention: convention.as_deref(),
            };
            let revision = read_in(&text, &around);
            let mut is_whole = true;
            for (way, script) in [
                ("upgrade", &revision.upgrade),
                ("downgrade", &revision.downgrade),
            ] {
                let (sent, error) = theirs(&golden[way]);
                let (sent, mut ours) =
                    (of_any_version(sent), of_any_version(ours(script.as_ref())));
                if error.is_some() {
                    // It does not know an argument of a later version, or refuses it on purpose.
                    is_whole = false;
                    ours.truncate(sent.len());
                }
                if ours != sent {
                    let _ = writeln!(report, "{venv} {file} {way}:\n  {sent:?}\n  {ours:?}");
                }
            }
            whole += usize::from(is_whole);
        }
        assert!(
            whole >= least,
            "{venv}: only {whole} files compared as a whole"
        );
    }
    assert!(report.is_empty(), "\n{report}");
}
