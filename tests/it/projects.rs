//! Whole projects (`fixtures/projects`) through the program itself.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

use super::example::root;

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let text = std::fs::read_to_string(root().join("src/report/json.schema.json")).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
});

/// The projects, by name.
fn projects() -> Vec<PathBuf> {
    let mut projects: Vec<PathBuf> = std::fs::read_dir(root().join("fixtures/projects"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    projects.sort();
    projects
}

/// Exit status and standard output of a check in the project's directory.
fn check(project: &Path, format: &str, threads: &str) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_lockgate"))
        .args(["check", "--color", "never", "--format", format])
        .current_dir(project)
        .env("RAYON_NUM_THREADS", threads)
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(error, "", "{}", project.display());
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[test]
fn projects_are_reported_as_expected() {
    for project in projects() {
        let name = project.file_name().unwrap().to_string_lossy().into_owned();
        let (exit, out) = check(&project, "short", "4");
        insta::assert_snapshot!(name, format!("{out}exit status {exit}\n"));
    }
}

#[test]
fn output_does_not_depend_on_threads() {
    for project in projects() {
        for format in ["text", "short", "json", "github"] {
            let one = check(&project, format, "1");
            for _ in 0..3 {
                let four = check(&project, format, "4");
                assert!(
                    one == four,
                    "{}: {format} differs with four threads",
                    project.display()
                );
            }
        }
    }
}

#[test]
fn reports_are_valid_documents() {
    for project in projects() {
        let (_, out) = check(&project, "json", "4");
        let document: Value = serde_json::from_str(&out).unwrap();
        let errors: Vec<String> = SCHEMA
            .iter_errors(&document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", project.display());
    }
}

/// One bad migration among files that cannot be read or understood: it is reported, and so is each of them.
#[test]
fn trouble_hides_nothing() {
    let (exit, out) = check(
        &root().join("fixtures/projects/mixed-trouble"),
        "short",
        "4",
    );
    let wanted = [
        "001_latin1.sql: error: not UTF-8 at byte 13 (line 1)",
        "002_unterminated.sql:1:1: error[syntax-error]",
        "003_psql_include.sql:2:1: not analysed: psql's \\i runs another file",
        "004_broken_link.sql: error: cannot be read",
        "005_not_null.sql:1:30: error[not-null-without-default]",
    ];
    let missing: Vec<&str> = wanted
        .into_iter()
        .filter(|part| !out.contains(part))
        .collect();
    assert!(missing.is_empty(), "not said: {missing:#?}\n{out}");
    assert_eq!(exit, 1);
}

#[test]
fn nothing_is_said_about_a_clean_project() {
    let (exit, out) = check(&root().join("fixtures/projects/clean"), "json", "4");
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        document["findings"].as_array().map(Vec::len),
        Some(0),
        "{out}"
    );
    assert_eq!(
        document["not_analysed"].as_array().map(Vec::len),
        Some(0),
        "{out}"
    );
    assert_eq!(exit, 0);
}
