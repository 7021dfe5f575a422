//! `check --fix` as a program: which files it writes, and which never.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const INDEX: &str = "CREATE INDEX orders_note_idx ON orders (note);\n";
const FIXED: &str = "CREATE INDEX CONCURRENTLY orders_note_idx ON orders (note);\n";
const CONFIG: &str = "runner: { lock_timeout: 2s, statement_timeout: 30s }\n\
    migrations: { path: db, layout: golang-migrate }\nrules: { missing-down: off }\n";

fn project(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    for (path, text) in [("lockgate.yaml", CONFIG)].iter().chain(files) {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

fn lockgate(directory: &Path, arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lockgate"))
        .args(arguments.split_whitespace())
        .current_dir(directory)
        .output()
        .unwrap()
}

fn text(directory: &TempDir, path: &str) -> String {
    fs::read_to_string(directory.path().join(path)).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn fixes_are_written_and_what_is_left_is_reported() {
    let files = [
        ("db/000001_a.up.sql", INDEX),
        ("db/000002_b.up.sql", "DROP TABLE orders;\n"),
    ];
    let project = project(&files);
    let run = lockgate(project.path(), "check --fix --format short db");
    assert_eq!(text(&project, "db/000001_a.up.sql"), FIXED);
    assert_eq!(said(&run), "fixed 1 problem in 1 file\n");
    assert_eq!(run.status.code(), Some(1));
    let left = String::from_utf8(run.stdout).unwrap();
    assert!(
        left.starts_with("db/000002_b.up.sql:1:12: error[table-dropped]"),
        "{left}"
    );
    // Nothing else lies around.
    let names = fs::read_dir(project.path().join("db")).unwrap();
    assert_eq!(names.count(), 2);
    // A second run has nothing to do.
    let again = lockgate(project.path(), "check --fix --format short db");
    assert_eq!(said(&again), "fixed 0 problems in 0 files\n");
}

#[test]
fn a_diff_writes_nothing() {
    let project = project(&[("db/000001_a.up.sql", INDEX)]);
    let run = lockgate(project.path(), "check --fix --diff db/000001_a.up.sql");
    assert_eq!(text(&project, "db/000001_a.up.sql"), INDEX);
    assert_eq!(run.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&run.stdout),
        format!(
            "--- a/db/000001_a.up.sql\n+++ b/db/000001_a.up.sql\n@@ -1 +1 @@\n-{INDEX}+{FIXED}"
        )
    );
}

#[test]
fn unsafe_fixes_are_asked_for() {
    let key = "ALTER TABLE orders ADD CONSTRAINT orders_total CHECK (total > 0);\n";
    let project = project(&[("db/000001_a.up.sql", key)]);
    lockgate(project.path(), "check --fix db");
    assert_eq!(text(&project, "db/000001_a.up.sql"), key);
    let run = lockgate(project.path(), "check --fix --unsafe-fixes db");
    assert_eq!(run.status.code(), Some(0), "{}", said(&run));
    assert_eq!(
        text(&project, "db/000001_a.up.sql"),
        "ALTER TABLE orders ADD CONSTRAINT orders_total CHECK (total > 0) NOT VALID;\n"
    );
}

#[test]
fn applied_migrations_are_left_alone() {
    let (other, other_fixed) = (
        INDEX.replace("note", "total"),
        FIXED.replace("note", "total"),
    );
    let files = [
        ("db/000001_a.up.sql", INDEX),
        ("db/000002_b.up.sql", other.as_str()),
    ];
    let project = project(&files);
    let run = lockgate(project.path(), "check --fix");
    assert_eq!(run.status.code(), Some(2));
    assert!(
        said(&run).contains("which migrations are applied"),
        "{}",
        said(&run)
    );
    lockgate(project.path(), "check --fix --after 000001");
    assert_eq!(text(&project, "db/000001_a.up.sql"), INDEX);
    assert_eq!(text(&project, "db/000002_b.up.sql"), other_fixed);
    let run = lockgate(project.path(), "check --fix -");
    assert!(
        said(&run).contains("standard input cannot be fixed"),
        "{}",
        said(&run)
    );
}

#[test]
fn a_fix_that_makes_things_worse_is_taken_back() {
    // The comment above belongs to the statement; a SET between the two would bring back what it allows.
    let allowed = "-- lockgate: allow table-dropped -- empty\nDROP TABLE orders;\n";
    let project = project(&[("db/000001_a.up.sql", allowed)]);
    fs::write(
        project.path().join("lockgate.yaml"),
        "migrations: { path: db, layout: flyway }\n",
    )
    .unwrap();
    fs::rename(
        project.path().join("db/000001_a.up.sql"),
        project.path().join("db/V1__a.sql"),
    )
    .unwrap();
    let run = lockgate(project.path(), "check --fix --format short db");
    assert_eq!(text(&project, "db/V1__a.sql"), allowed);
    assert_eq!(said(&run), "fixed 0 problems in 0 files\n");
}

/// A project of Flyway with one migration.
fn flyway(sql: &str) -> TempDir {
    let project = project(&[("db/V1__rebuild.sql", sql)]);
    let config = CONFIG.replace("golang-migrate", "flyway");
    fs::write(project.path().join("lockgate.yaml"), config).unwrap();
    project
}

#[test]
fn a_fix_may_need_a_file_beside_the_migration() {
    let (sql, fixed) = (
        "REINDEX INDEX orders_note_idx;\n",
        "REINDEX INDEX CONCURRENTLY orders_note_idx;\n",
    );
    let told = "executeInTransaction=false\n";
    let project = flyway(sql);
    let run = lockgate(project.path(), "check --fix --diff db/V1__rebuild.sql");
    let diff = format!(
        "--- a/db/V1__rebuild.sql\n+++ b/db/V1__rebuild.sql\n@@ -1 +1 @@\n-{sql}+{fixed}\
         --- /dev/null\n+++ b/db/V1__rebuild.sql.conf\n@@ -0,0 +1 @@\n+{told}"
    );
    assert_eq!(String::from_utf8_lossy(&run.stdout), diff);
    assert_eq!(text(&project, "db/V1__rebuild.sql"), sql);
    for paths in ["db", "db/V1__rebuild.sql"] {
        let project = flyway(sql);
        lockgate(project.path(), &format!("check --fix {paths}"));
        assert_eq!(text(&project, "db/V1__rebuild.sql"), fixed);
        assert_eq!(text(&project, "db/V1__rebuild.sql.conf"), told);
        let again = lockgate(project.path(), "check --fix db");
        assert_eq!(said(&again), "fixed 0 problems in 0 files\n");
    }
    // What somebody has written there is not written over.
    let project = flyway(sql);
    let own = "executeInTransaction=true\n";
    fs::write(project.path().join("db/V1__rebuild.sql.conf"), own).unwrap();
    lockgate(project.path(), "check --fix db");
    assert_eq!(text(&project, "db/V1__rebuild.sql.conf"), own);
    assert_eq!(text(&project, "db/V1__rebuild.sql"), sql);
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let outside = TempDir::new().unwrap();
    let target = outside.path().join("shared.sql");
    fs::write(&target, INDEX).unwrap();
    let (own, own_fixed) = (
        INDEX.replace("note", "total"),
        FIXED.replace("note", "total"),
    );
    let project = project(&[("db/000002_b.up.sql", own.as_str())]);
    symlink(&target, project.path().join("db/000001_a.up.sql")).unwrap();
    let run = lockgate(project.path(), "check --fix db/000001_a.up.sql");
    assert_eq!(run.status.code(), Some(2), "{}", said(&run));
    assert!(said(&run).contains("no regular file"), "{}", said(&run));
    assert_eq!(fs::read_to_string(&target).unwrap(), INDEX);

    // A directory that is a link out of the tree.
    symlink(outside.path(), project.path().join("db/more")).unwrap();
    lockgate(project.path(), "check --fix db");
    assert_eq!(fs::read_to_string(&target).unwrap(), INDEX);

    // Permissions stay.
    let other = project.path().join("db/000002_b.up.sql");
    fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap();
    lockgate(project.path(), "check --fix db/000002_b.up.sql");
    assert_eq!(text(&project, "db/000002_b.up.sql"), own_fixed);
    let mode = fs::metadata(&other).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
