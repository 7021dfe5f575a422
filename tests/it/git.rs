//! `--base` and `--staged` in repositories that the tests make.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A directory for one test, with repositories in it.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.path(path)).unwrap();
    }

    /// Git, without anybody's configuration.
    fn git(&self, directory: &str, args: &str) -> String {
        let mut command = Command::new("git");
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GIT_") {
                command.env_remove(name);
            }
        }
        let output = command
            .args([
                "-c",
                "protocol.file.allow=always",
                "-c",
                "init.defaultBranch=main",
            ])
            .args(args.split(' '))
            .current_dir(self.path(directory))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs(["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"].map(|name| (name, "t")))
            .envs(["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"].map(|name| (name, "t@example.org")))
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn commit(&self, directory: &str) {
        self.git(directory, "add -A");
        self.git(directory, "commit -qm x");
    }

    /// A repository with one migration on `main`, and a branch `work` that is checked out.
    fn repository() -> Self {
        let place = Self::new();
        place.write(
            "r/db/1_users.up.sql",
            "CREATE TABLE users (id bigint PRIMARY KEY, name text);\n",
        );
        place.write("r/db/1_users.down.sql", "DROP TABLE users;\n");
        place.git("", "init -q r");
        place.commit("r");
        place.git("r", "checkout -qb work");
        place
    }

    fn lockgate(&self, directory: &str, args: &str) -> Output {
        self.command(directory, args).output().unwrap()
    }

    fn command(&self, directory: &str, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lockgate"));
        command
            .args(args.split(' '))
            .current_dir(self.path(directory))
            .env_remove("GIT_INDEX_FILE")
            .env_remove("GIT_DIR")
            .env("NO_COLOR", "1");
        command
    }

    /// File and rule of each finding.
    fn check(&self, directory: &str, args: &str) -> Vec<String> {
        findings(&self.lockgate(directory, &format!("check --format short {args}")))
    }
}

/// File and rule of each finding of the format `short`.
fn findings(output: &Output) -> Vec<String> {
    assert!(output.stderr.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.split('\n')
        .filter_map(|line| {
            let (place, rest) = line.split_once(": ")?;
            let path = place.split(':').next()?;
            let rule = rest.split_once('[')?.1.split(']').next()?;
            Some(format!("{path} {rule}"))
        })
        .collect()
}

/// The exit status 2, and what is said on standard error.
fn failure(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

const INDEX: &str = "CREATE INDEX users_name_idx ON users (name);\n";
const TIMEOUTS: &str = "runner: { lock_timeout: 2s, statement_timeout: 30s }\n";

#[test]
fn only_what_the_branch_changes_is_reported_and_all_of_it_is_replayed() {
    let place = Place::repository();
    place.write("r/lockgate.yaml", TIMEOUTS);
    place.write(
        "r/db/2_old.up.sql",
        "CREATE INDEX old ON users (id, name);\n",
    );
    place.commit("r");
    place.git("r", "branch -f main");
    place.write("r/db/3_new.up.sql", INDEX);
    let expected = [
        "db/3_new.up.sql index-not-concurrent",
        "db/3_new.up.sql missing-down",
    ];
    assert_eq!(place.check("r", "--base main"), expected);
    place.commit("r");
    assert_eq!(place.check("r", "--base main"), expected);
    // On a detached head, from elsewhere, and through another work tree.
    place.git("r", "checkout -q --detach");
    assert_eq!(place.check("r", "--base main"), expected);
    assert_eq!(
        place.check("", "--base main r/db"),
        expected.map(|finding| format!("r/{finding}"))
    );
    assert_eq!(
        place.check("r/db", "--base main ."),
        expected.map(|finding| finding.trim_start_matches("db/").to_owned())
    );
    place.write("elsewhere/x", "");
    assert_eq!(
        place.check("elsewhere", "--base main ../r"),
        expected.map(|finding| format!("../r/{finding}"))
    );
    place.git("r", "worktree add -q ../w work");
    assert_eq!(place.check("w", "--base main"), expected);
    // A path narrows it further.
    assert_eq!(
        place.check("r", "--base main db/2_old.up.sql"),
        Vec::<String>::new()
    );
    assert_eq!(place.check("r", "--base work"), Vec::<String>::new());
    let locks = place.lockgate("r", "locks --base main");
    let locks = String::from_utf8(locks.stdout).unwrap();
    assert!(
        locks.contains("3_new") && !locks.contains("2_old"),
        "{locks}"
    );
}

#[test]
fn of_a_file_with_several_migrations_only_the_changed_ones_are_reported() {
    let place = Place::repository();
    place.write("c/lockgate.yaml", TIMEOUTS);
    let head = "--liquibase formatted sql\n";
    let first = "--changeset a:1\nCREATE TABLE users (id bigint PRIMARY KEY, name text);\n--rollback DROP TABLE users;\n";
    let second = "--changeset a:2\n-- lockgate: allow index-not-concurrent -- small\nCREATE INDEX old ON users (name);\n--rollback DROP INDEX old;\n";
    let third =
        "--changeset a:3\nCREATE INDEX new ON users (id, name);\n--rollback DROP INDEX new;\n";
    place.write("c/log.sql", &format!("{head}{first}{second}"));
    place.git("", "init -q c");
    place.commit("c");
    place.git("c", "checkout -qb work");
    // One is appended: the suppression in an applied one is not taken for a needless one.
    place.write("c/log.sql", &format!("{head}{first}{second}{third}"));
    let expected = [
        "log.sql index-not-concurrent",
        "log.sql index-drop-not-concurrent",
    ];
    assert_eq!(place.check("c", "--base main"), expected);
    place.git("c", "add -A");
    assert_eq!(place.check("c", "--staged"), expected);
    let locks = place.lockgate("c", "locks --base main");
    let locks = String::from_utf8(locks.stdout).unwrap();
    assert!(locks.contains("new") && !locks.contains("old"), "{locks}");
    // One is edited, by its text or by how it runs.
    for edited in [
        second.replace("(name)", "(name, id)"),
        second.replace("a:2", "a:2 runInTransaction:false"),
    ] {
        place.write("c/log.sql", &format!("{head}{first}{edited}"));
        let found = place.lockgate("c", "locks --base main");
        let found = String::from_utf8(found.stdout).unwrap();
        assert!(found.contains("old"), "{edited}: {found}");
    }
    // In a changelog in YAML.
    let changeset = |id: &str, index: &str| {
        format!(
            "  - changeSet:\n      id: {id}\n      author: a\n      changes:\n        - sql:\n            sql: {index}\n"
        )
    };
    let head = "databaseChangeLog:\n";
    let (first, second) = (
        changeset("1", "CREATE INDEX old ON users (name)"),
        changeset("2", "CREATE INDEX new ON users (id, name)"),
    );
    place.remove("c/log.sql");
    place.write("c/db.changelog.yaml", &format!("{head}{first}"));
    place.commit("c");
    place.git("c", "branch -f main");
    place.write("c/db.changelog.yaml", &format!("{head}{first}{second}"));
    assert_eq!(
        place
            .check("c", "--base main")
            .iter()
            .filter(|finding| finding.ends_with("index-not-concurrent"))
            .count(),
        1
    );
}

#[test]
fn the_branch_is_compared_with_where_it_comes_from() {
    let place = Place::repository();
    place.write("r/lockgate.yaml", TIMEOUTS);
    place.commit("r");
    place.git("r", "checkout -q main");
    // The other branch goes on: this one has not removed its file.
    place.write("r/db/2_theirs.up.sql", "SELECT 1;\n");
    place.write("r/db/2_theirs.down.sql", "SELECT 1;\n");
    place.commit("r");
    place.git("r", "checkout -q work");
    place.write("r/db/2_mine.up.sql", "SELECT 2;\n");
    place.write("r/db/2_mine.down.sql", "SELECT 2;\n");
    assert_eq!(
        place.check("r", "--base main"),
        ["db/2_mine.up.sql version-taken-on-base"]
    );
    // An applied one is edited, another file of the pair removed.
    place.remove("r/db/2_mine.up.sql");
    place.remove("r/db/2_mine.down.sql");
    place.write(
        "r/db/1_users.up.sql",
        "CREATE TABLE users (id bigint PRIMARY KEY);\n",
    );
    assert_eq!(
        place.check("r", "--base main"),
        ["db/1_users.up.sql edited-applied-migration"]
    );
    // Where the pending set is empty, what is gone is said at what is left.
    place.git("r", "checkout -q .");
    place.write("r/db/5_five.up.sql", "SELECT 5;\n");
    place.write("r/db/5_five.down.sql", "SELECT 5;\n");
    place.commit("r");
    place.git("r", "branch -f main");
    place.remove("r/db/1_users.up.sql");
    place.remove("r/db/1_users.down.sql");
    assert_eq!(
        place.check("r", "--base main"),
        ["db/5_five.up.sql edited-applied-migration"]
    );
}

#[test]
fn a_directory_may_move_and_line_ends_may_change() {
    let place = Place::repository();
    place.write("r/lockgate.yaml", TIMEOUTS);
    place.write("r/db/2_é b.up.sql", "SELECT 1;\n");
    place.write("r/db/2_é b.down.sql", "SELECT 1;\n");
    place.commit("r");
    place.git("r", "branch -f main");
    place.git("r", "mv db store");
    place.write("r/store/2_é b.up.sql", "SELECT 1;\r\n");
    assert_eq!(place.check("r", "--base main"), Vec::<String>::new());
    place.write("r/store/3_c.up.sql", INDEX);
    place.write(
        "r/store/3_c.down.sql",
        "DROP INDEX CONCURRENTLY users_name_idx;\n",
    );
    assert_eq!(
        place.check("r", "--base main"),
        ["store/3_c.up.sql index-not-concurrent"]
    );
}

#[test]
fn the_index_is_what_is_looked_at() {
    let place = Place::repository();
    place.write("r/lockgate.yaml", TIMEOUTS);
    place.commit("r");
    place.write("r/db/2_a.up.sql", INDEX);
    place.write(
        "r/db/2_a.down.sql",
        "DROP INDEX CONCURRENTLY users_name_idx;\n",
    );
    assert_eq!(
        place.check("r", "--staged"),
        Vec::<String>::new(),
        "nothing is staged"
    );
    place.git("r", "add -A");
    let expected = ["db/2_a.up.sql index-not-concurrent"];
    assert_eq!(place.check("r", "--staged"), expected);
    // The work tree is another matter, and so are files that are not staged.
    place.write("r/db/2_a.up.sql", "SELECT 1;\n");
    place.write("r/db/1_users.up.sql", "DROP TABLE users;\n");
    place.write("r/db/3_b.up.sql", "CREATE INDEX b ON users (name);\n");
    assert_eq!(place.check("r", "--staged"), expected);
    assert_eq!(
        place.check("r/db", "--staged"),
        ["2_a.up.sql index-not-concurrent"]
    );
    assert_eq!(
        place.check("r", "--staged db/3_b.up.sql"),
        Vec::<String>::new()
    );
    // In a hook of `git commit -a`, another index stands for what is committed.
    place.git("r", "checkout -q -- db/1_users.up.sql");
    place.git("r", "reset -q");
    place.remove("r/db/3_b.up.sql");
    place.write("r/db/2_a.up.sql", INDEX);
    place.write(
        "r/.git/hooks/pre-commit",
        &format!("#!/bin/sh\nexec '{}' check --format short --staged --ignore missing-lock-timeout >found\n", env!("CARGO_BIN_EXE_lockgate")),
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let hook = place.path("r/.git/hooks/pre-commit");
        fs::set_permissions(hook, fs::Permissions::from_mode(0o755)).unwrap();
        place.git("r", "add -N db");
        let refused = Command::new("git")
            .args([
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@example.org",
                "commit",
                "-qam",
                "x",
            ])
            .current_dir(place.path("r"))
            .output()
            .unwrap();
        assert!(!refused.status.success(), "{refused:?}");
        let found = fs::read_to_string(place.path("r/found")).unwrap();
        assert!(
            found.starts_with("db/2_a.up.sql:1:1: error[index-not-concurrent]"),
            "{found}"
        );
    }
}

#[test]
fn the_first_commit_and_conflicts_can_be_staged() {
    let place = Place::new();
    place.git("", "init -q r");
    place.write("r/lockgate.yaml", TIMEOUTS);
    place.write(
        "r/db/1_a.up.sql",
        "CREATE TABLE a (id int PRIMARY KEY, b int);\n",
    );
    place.write("r/db/1_a.down.sql", "DROP TABLE a;\n");
    place.write("r/db/2_a.up.sql", "CREATE INDEX i ON a (b);\n");
    place.git("r", "add -A");
    assert_eq!(
        place.check("r", "--staged"),
        [
            "db/2_a.up.sql index-not-concurrent",
            "db/2_a.up.sql missing-down"
        ]
    );
    let said = failure(&place.lockgate("r", "check --base main"));
    assert!(said.contains("Git knows no commit `main`"), "{said}");
    place.commit("r");
    place.git("r", "checkout -qb other");
    place.write("r/db/2_a.up.sql", "SELECT 1;\n");
    place.commit("r");
    place.git("r", "checkout -q -");
    place.write("r/db/2_a.up.sql", "SELECT 2;\n");
    place.commit("r");
    let merge = Command::new("git")
        .args(["merge", "-q", "other"])
        .current_dir(place.path("r"))
        .output();
    assert!(!merge.unwrap().status.success());
    let output = place.lockgate("r", "check --staged --format short");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(
        said.contains("db/2_a.up.sql") && said.contains("it has conflicts"),
        "{said}"
    );
}

#[test]
fn a_shallow_clone_says_what_to_fetch() {
    let place = Place::repository();
    place.write("r/db/2_a.up.sql", INDEX);
    place.commit("r");
    place.git("r", "checkout -q main");
    for _ in 0..3 {
        place.git("r", "commit -q --allow-empty -m x");
    }
    let url = format!("file://{}", place.path("r").display());
    place.git("", &format!("clone -q --depth 1 --branch work {url} c"));
    let said = failure(&place.lockgate("c", "check --base origin/main"));
    assert!(said.contains("Git knows no commit `origin/main`"), "{said}");
    assert!(
        said.contains("git fetch origin main:refs/remotes/origin/main"),
        "{said}"
    );
    place.git(
        "c",
        "fetch -q --depth 1 origin main:refs/remotes/origin/main",
    );
    let said = failure(&place.lockgate("c", "check --base origin/main"));
    assert!(said.contains("this clone is shallow"), "{said}");
    assert!(said.contains("git fetch --unshallow"), "{said}");
    place.git("c", "fetch -q --unshallow origin");
    let found = place.check("c", "--base origin/main");
    assert!(
        found.iter().all(|finding| finding.starts_with("db/2_a")),
        "{found:?}"
    );
    assert!(!found.is_empty());
}

#[test]
fn submodules_are_compared_at_their_own_commits() {
    let place = Place::repository();
    place.write("r/lockgate.yaml", TIMEOUTS);
    place.commit("r");
    place.git("", "init -q s");
    place.git("s", "submodule --quiet add ../r part");
    place.write("s/lockgate.yaml", TIMEOUTS);
    place.commit("s");
    place.git("s", "checkout -qb work");
    assert_eq!(place.check("s", "--base main"), Vec::<String>::new());
    place.write("s/part/db/2_a.up.sql", INDEX);
    place.write(
        "s/part/db/2_a.down.sql",
        "DROP INDEX CONCURRENTLY users_name_idx;\n",
    );
    assert_eq!(
        place.check("s", "--base main"),
        ["part/db/2_a.up.sql index-not-concurrent"]
    );
    assert_eq!(
        place.check("s/part", "--base work"),
        ["db/2_a.up.sql index-not-concurrent"]
    );
    // What is staged of a submodule is a commit.
    assert_eq!(place.check("s", "--staged"), Vec::<String>::new());
    place.commit("s/part");
    place.git("s", "add part");
    assert_eq!(
        place.check("s", "--staged"),
        ["part/db/2_a.up.sql index-not-concurrent"]
    );
}

#[test]
fn without_a_repository_or_git_the_run_fails() {
    let place = Place::new();
    place.write("db/1_a.up.sql", "SELECT 1;\n");
    for args in [
        "check --base main db",
        "check --staged db",
        "locks --staged db",
    ] {
        let mut command = place.command("", args);
        let said = failure(
            &command
                .env("GIT_CEILING_DIRECTORIES", place.path(".."))
                .output()
                .unwrap(),
        );
        assert!(
            said.contains("does not lie in a Git work tree"),
            "{args}: {said}"
        );
    }
    place.git("", "init -q .");
    place.commit("");
    let said = failure(
        &place
            .command("", "check --base HEAD db")
            .env("PATH", "")
            .output()
            .unwrap(),
    );
    assert!(
        said.contains("`git` is needed for this, and there is no such program"),
        "{said}"
    );
    // A program of that name in the repository is not it.
    place.write("git", "#!/bin/sh\ntouch ran\n");
    let said = failure(
        &place
            .command("", "check --base HEAD db")
            .env("PATH", ".")
            .output()
            .unwrap(),
    );
    assert!(said.contains("there is no such program"), "{said}");
    for name in ["nowhere", "--help", "HEAD:db", ""] {
        let mut command = place.command("", "check db");
        let said = failure(&command.arg(format!("--base={name}")).output().unwrap());
        assert!(said.contains("Git knows no commit"), "{name}: {said}");
    }
    place.git("", "checkout -q --orphan other");
    place.commit("");
    let said = failure(&place.lockgate("", "check --base main db"));
    assert!(said.contains("no commit in common"), "{said}");
    let said = failure(&place.lockgate("", "check --base main --staged"));
    assert!(said.contains("cannot be used with"), "{said}");
}

/// Everything in a repository's configuration that Git is known to run, on the plumbing used here or elsewhere.
#[cfg(unix)]
#[test]
fn nothing_in_a_repository_is_run() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::repository();
    place.write("r/lockgate.yaml", TIMEOUTS);
    place.write("r/db/2_a.up.sql", INDEX);
    place.write("r/.gitattributes", "* filter=evil diff=evil merge=evil\n");
    place.commit("r");
    place.write("r/db/2_b.up.sql", "SELECT 1;\n");
    place.git("r", "add -A");
    let script = place.path("evil");
    place.write(
        "evil",
        &format!(
            "#!/bin/sh\ntouch '{}'\nexit 1\n",
            place.path("ran").display()
        ),
    );
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let script = script.display();
    let settings = [
        "core.fsmonitor",
        "core.pager",
        "core.editor",
        "core.sshCommand",
        "core.gitProxy",
        "core.askPass",
        "core.alternateRefsCommand",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "diff.external",
        "diff.evil.textconv",
        "diff.evil.command",
        "merge.evil.driver",
        "pager.ls-tree",
        "pager.rev-parse",
        "pager.cat-file",
        "pager.ls-files",
        "alias.rev-parse",
        "alias.cat-file",
        "gpg.program",
        "credential.helper",
        "uploadpack.packObjectsHook",
        "remote.origin.uploadpack",
        "sequence.editor",
    ];
    for setting in settings {
        place.git("r", &format!("config {setting} {script}"));
    }
    let hooks = [
        "post-index-change",
        "reference-transaction",
        "pre-commit",
        "post-checkout",
        "fsmonitor-watchman",
    ];
    for hook in hooks {
        fs::create_dir_all(place.path("r/.git/hooks")).unwrap();
        let path = place.path(&format!("r/.git/hooks/{hook}"));
        fs::copy(place.path("evil"), path).unwrap();
    }
    // A partial clone that would fetch what is not there, by a command.
    let lost = place.git("r", "rev-parse main:db/1_users.up.sql");
    let lost = lost.trim();
    place.remove(&format!("r/.git/objects/{}/{}", &lost[..2], &lost[2..]));
    for (name, value) in [
        ("core.repositoryFormatVersion", "1".to_owned()),
        ("extensions.partialClone", "origin".to_owned()),
        ("remote.origin.promisor", "true".to_owned()),
        ("remote.origin.url", format!("ext::{script}")),
        ("protocol.ext.allow", "always".to_owned()),
        ("protocol.allow", "always".to_owned()),
    ] {
        place.git("r", &format!("config {name} {value}"));
    }
    for args in [
        "check --base main",
        "check --staged",
        "locks --base main",
        "locks --staged",
    ] {
        let output = place.lockgate("r", args);
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!place.path("ran").exists(), "{args}: {said}");
        assert!(
            said.contains("its text is not in this clone"),
            "{args}: {said}"
        );
    }
    // The traps work: Git itself would have run one.
    let git = |args: &[&str]| {
        Command::new("git")
            .args(args)
            .current_dir(place.path("r"))
            .output()
            .unwrap()
    };
    git(&["status"]);
    assert!(place.path("ran").exists(), "the test proves nothing");
    fs::remove_file(place.path("ran")).unwrap();
    git(&["cat-file", "-p", lost]);
    assert!(
        place.path("ran").exists(),
        "the test proves nothing about fetching"
    );
}

#[test]
fn a_repository_of_somebody_else_can_be_read() {
    let place = Place::repository();
    place.write("r/lockgate.yaml", TIMEOUTS);
    place.write("r/db/2_a.up.sql", INDEX);
    let mut command = place.command("r", "check --format short --base main");
    let output = command
        .env("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
        .output()
        .unwrap();
    assert!(findings(&output).contains(&"db/2_a.up.sql index-not-concurrent".to_owned()));
}
