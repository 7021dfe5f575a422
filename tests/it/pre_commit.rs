//! The hook, run by the real `pre-commit` in a repository of its own.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::servers::python_tool;

fn run(program: &Path, args: &[&str], directory: &Path) -> Output {
    let binaries = Path::new(env!("CARGO_BIN_EXE_lockgate")).parent().unwrap();
    let path = format!("{}:{}", binaries.display(), std::env::var("PATH").unwrap());
    Command::new(program)
        .args(args)
        .current_dir(directory)
        .env("PATH", path)
        .env("PRE_COMMIT_HOME", directory.join(".pre-commit-home"))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs([
            ("GIT_AUTHOR_NAME", "t"),
            ("GIT_AUTHOR_EMAIL", "t@example.org"),
        ])
        .envs([
            ("GIT_COMMITTER_NAME", "t"),
            ("GIT_COMMITTER_EMAIL", "t@example.org"),
        ])
        .output()
        .unwrap()
}

fn git(args: &[&str], directory: &Path) {
    let output = run(Path::new("git"), args, directory);
    assert!(output.status.success(), "git {args:?}: {output:?}");
}

#[test]
fn the_hook_sees_staged_migrations_with_their_history_and_nothing_else() {
    let Some(pre_commit) = python_tool("pre-commit") else {
        return;
    };
    let place = tempfile::tempdir().unwrap();
    // A hook repository with our manifest …
    let hooks = place.path().join("hooks");
    fs::create_dir(&hooks).unwrap();
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml");
    fs::copy(manifest, hooks.join(".pre-commit-hooks.yaml")).unwrap();
    git(&["init", "-q"], &hooks);
    git(&["add", "."], &hooks);
    git(&["commit", "-qm", "hooks"], &hooks);
    // … and a project that uses it.
    let project = place.path().join("project");
    fs::create_dir_all(project.join("db/migrations")).unwrap();
    let write = |path: &str, text: &str| fs::write(project.join(path), text).unwrap();
    write(
        "db/migrations/1_users.up.sql",
        "CREATE TABLE users (id bigint PRIMARY KEY, name text);\n",
    );
    write("db/migrations/1_users.down.sql", "DROP TABLE users;\n");
    git(&["init", "-q"], &project);
    git(&["add", "."], &project);
    git(&["commit", "-qm", "first"], &project);

    write(
        "db/migrations/2_index.up.sql",
        "CREATE INDEX users_name_idx ON users (name);\n",
    );
    write(
        "db/migrations/2_index.down.sql",
        "DROP INDEX CONCURRENTLY users_name_idx;\n",
    );
    write(
        "report.sql",
        "CREATE INDEX not_a_migration ON users (name);\n",
    );
    git(&["add", "."], &project);
    let hooks = hooks.to_str().unwrap();
    let output = run(
        &pre_commit,
        &["try-repo", hooks, "lockgate-system"],
        &project,
    );
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("index-not-concurrent"), "{text}");
    assert!(text.contains("2_index.up.sql"), "{text}");
    assert!(!text.contains("not_a_migration"), "{text}");

    // The history is read although only the new file was passed: a table made by the same file is left in peace.
    write(
        "db/migrations/2_index.up.sql",
        "CREATE INDEX CONCURRENTLY users_name_idx ON users (name);\n",
    );
    git(&["add", "."], &project);
    let output = run(
        &pre_commit,
        &["try-repo", hooks, "lockgate-system"],
        &project,
    );
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
}
