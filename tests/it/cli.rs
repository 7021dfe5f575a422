//! Command runs: arguments, exit status, and what is written where.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

struct Run {
    /// Words of the command line.
    args: &'static str,
    /// Files in the directory that it is run in.
    files: &'static [(&'static str, &'static str)],
    exit: i32,
    /// What is on standard output and standard error: a part of each; empty means that nothing is there.
    stdout: &'static str,
    stderr: &'static str,
}

/// An index on a table of which a snapshot knows the rows.
const STATS: &[(&str, &str)] = &[
    (
        "prod.json",
        "{\"relations\": [{\"name\": \"orders\", \"rows\": 12000000}]}",
    ),
    ("new.sql", "CREATE INDEX ON orders (note);\n"),
];

const CONFIG: &str = "lockgate.yaml";

const RUNS: &[Run] = &[
    Run {
        args: "explain unused-suppression",
        files: &[],
        exit: 0,
        stdout: "# Comment that allows what is not reported\n\nunused-suppression: warning, ",
        stderr: "",
    },
    Run {
        args: "explain unused-suppression --color always",
        files: &[],
        exit: 0,
        stdout: "\u{1b}[1mInstead\u{1b}[0m\n",
        stderr: "",
    },
    Run {
        args: "explain unused-supression",
        files: &[],
        exit: 2,
        stdout: "",
        stderr: "error: `unused-supression` is not a rule\n  help: did you mean `unused-suppression`?\n",
    },
    Run {
        args: "rules",
        files: &[],
        exit: 0,
        stdout: "  unused-suppression ",
        stderr: "",
    },
    Run {
        args: "rules --format json",
        files: &[],
        exit: 0,
        stdout: "\"id\": \"unused-suppression\"",
        stderr: "",
    },
    Run {
        args: "schema json",
        files: &[],
        exit: 0,
        stdout: "\"$schema\"",
        stderr: "",
    },
    Run {
        args: "schema watch",
        files: &[],
        exit: 0,
        stdout: "\"lockgate-watch\"",
        stderr: "",
    },
    Run {
        args: "schema comparison",
        files: &[],
        exit: 0,
        stdout: "\"lockgate-comparison\"",
        stderr: "",
    },
    Run {
        args: "schema snapshot",
        files: &[],
        exit: 0,
        stdout: "\"lockgate-snapshot\"",
        stderr: "",
    },
    Run {
        args: "check --stats prod.json --format short new.sql",
        files: STATS,
        exit: 1,
        stdout: "writes wait until it is built; 12 million rows, 1.8 GB: about 6 s to 60 s",
        stderr: "",
    },
    Run {
        args: "locks --stats prod.json new.sql",
        files: STATS,
        exit: 0,
        stdout: "index build: 6 s to 60 s",
        stderr: "",
    },
    Run {
        args: "check new.sql",
        files: &[
            ("lockgate.yaml", "stats: ops/prod.json\n"),
            (
                "ops/prod.json",
                "{\"relations\": [{\"name\": \"orders\", \"row\": 1}]}",
            ),
            ("new.sql", ""),
        ],
        exit: 2,
        stdout: "",
        stderr: "[ops/prod.json:1:36]",
    },
    Run {
        args: "check --stats none.json new.sql",
        files: &[("new.sql", "")],
        exit: 2,
        stdout: "",
        stderr: "error: the snapshot cannot be read: none.json",
    },
    Run {
        args: "schema approvals",
        files: &[],
        exit: 0,
        stdout: "\"lockgate-approvals\"",
        stderr: "",
    },
    Run {
        args: "check --format short new.sql",
        files: &[
            ("lockgate.yaml", "approvals: ops/approvals.yaml\n"),
            ("ops/approvals.yaml", "approvals: []\n"),
            ("new.sql", "TRUNCATE orders;\n"),
        ],
        exit: 1,
        stdout: "once agreed, add to ops/approvals.yaml: `- { migration: \"new\", hash: \"",
        stderr: "",
    },
    Run {
        args: "check new.sql",
        files: &[
            ("lockgate.yaml", "approvals: ops/approvals.yaml\n"),
            ("ops/approvals.yaml", "approvals:\n  - role: dba\n"),
            ("new.sql", "TRUNCATE orders;\n"),
        ],
        exit: 2,
        stdout: "",
        stderr: "[ops/approvals.yaml:2:5]",
    },
    Run {
        args: "check new.sql",
        files: &[
            ("lockgate.yaml", "approvals: ops/approvals.yaml\n"),
            ("new.sql", "TRUNCATE orders;\n"),
        ],
        exit: 2,
        stdout: "",
        stderr: "error: the sign-offs cannot be read: ops/approvals.yaml",
    },
    Run {
        args: "schema config",
        files: &[],
        exit: 0,
        stdout: "\"unused-suppression\"",
        stderr: "",
    },
    Run {
        args: "check",
        files: &[(
            "app/migrations/0001_initial.py",
            "from django.db import migrations\nclass Migration(migrations.Migration):\n    pass\n",
        )],
        exit: 0,
        stdout: "Django migrations in Python",
        stderr: "",
    },
    Run {
        args: "generate completions bash",
        files: &[],
        exit: 0,
        stdout: "_lockgate",
        stderr: "",
    },
    Run {
        args: "generate man",
        files: &[],
        exit: 0,
        stdout: ".TH lockgate",
        stderr: "",
    },
    Run {
        args: "--version",
        files: &[],
        exit: 0,
        stdout: concat!("lockgate ", env!("CARGO_PKG_VERSION"), "\n"),
        stderr: "",
    },
    Run {
        args: "check --help",
        files: &[],
        exit: 0,
        stdout: "Examples:\n  lockgate check\n",
        stderr: "",
    },
    Run {
        args: "",
        files: &[],
        exit: 2,
        stdout: "",
        stderr: "Usage: lockgate",
    },
    Run {
        args: "chekc",
        files: &[],
        exit: 2,
        stdout: "",
        stderr: "unrecognized subcommand 'chekc'",
    },
    Run {
        args: "check --postgres 12",
        files: &[],
        exit: 2,
        stdout: "",
        stderr: "12 is not in 13..=18",
    },
    Run {
        args: "check --env prod",
        files: &[],
        exit: 2,
        stdout: "",
        stderr: "it can be `local`, `ci`, `dev`, `staging` or `production`",
    },
    Run {
        args: "check --ignore unused-supression",
        files: &[],
        exit: 2,
        stdout: "",
        stderr: "there is no such rule; did you mean `unused-suppression`?",
    },
    Run {
        args: "check nowhere",
        files: &[],
        exit: 2,
        stdout: "",
        stderr: "error: `nowhere` does not exist\n",
    },
    Run {
        args: "check --config nowhere.yaml",
        files: &[],
        exit: 2,
        stdout: "",
        stderr: "error: the configuration cannot be read: nowhere.yaml: ",
    },
    Run {
        args: "check --format json --format short",
        files: &[],
        exit: 2,
        stdout: "",
        stderr: "error: several formats go to standard output\n",
    },
    Run {
        args: "check --format json --output nowhere/report.json",
        files: &[],
        exit: 2,
        stdout: "",
        stderr: "error: nowhere/report.json: cannot be written: ",
    },
    Run {
        args: "check db",
        files: &[(CONFIG, "postgres: 16\nenviroment: ci\n"), ("db/1.sql", "")],
        exit: 2,
        stdout: "",
        stderr: "\
error: `enviroment` is not known here
   ╭─[lockgate.yaml:2:1]
 2 │ enviroment: ci
   · ──────────
   ╰────
  help: did you mean `environment`?
",
    },
    Run {
        args: "check --color always",
        files: &[(CONFIG, "environment: prod\n")],
        exit: 2,
        stdout: "",
        stderr: "\u{1b}[",
    },
    Run {
        args: "check --format json",
        files: &[(CONFIG, "postgres: 16\nenvironment: ci\n")],
        exit: 2,
        stdout: "\"postgres\": 16,\n    \"environment\": \"ci\"",
        stderr: "",
    },
    Run {
        args: "check --format json --postgres 15 --env dev",
        files: &[(CONFIG, "postgres: 16\nenvironment: ci\n")],
        exit: 2,
        stdout: "\"postgres\": 15,\n    \"environment\": \"dev\"",
        stderr: "",
    },
    Run {
        args: "check",
        files: &[],
        exit: 2,
        stdout: "no migrations found\n",
        stderr: "",
    },
];

fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for (path, text) in files {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, text).expect("written");
    }
    directory
}

fn lockgate(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockgate"));
    command
        .current_dir(directory)
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::null());
    command
}

#[test]
fn commands_end_and_speak_as_they_should() {
    for run in RUNS {
        let directory = directory(run.files);
        let output = lockgate(directory.path())
            .args(run.args.split_whitespace())
            .output()
            .expect("runs");
        let stdout = String::from_utf8(output.stdout).expect("UTF-8");
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        let shown = format!("`lockgate {}`\n{stdout}\n{stderr}", run.args);
        assert_eq!(output.status.code(), Some(run.exit), "{shown}");
        for (text, expected) in [(&stdout, run.stdout), (&stderr, run.stderr)] {
            assert!(text.contains(expected), "{shown}\nexpected: {expected}");
            assert_eq!(text.is_empty(), expected.is_empty(), "{shown}");
        }
        if !run.args.contains("--color always") {
            assert!(!shown.contains('\u{1b}'), "{shown}");
        }
    }
}

#[test]
fn each_format_can_go_to_its_own_file() {
    let directory = directory(&[]);
    let status = lockgate(directory.path())
        .args("check --format json --output a.json --output b.txt --format short".split(' '))
        .status();
    assert_eq!(status.expect("runs").code(), Some(2));
    let read = |name: &str| fs::read_to_string(directory.path().join(name)).expect("written");
    assert!(read("a.json").starts_with('{'));
    assert_eq!(read("b.txt"), "no migrations found\n");
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let directory = directory(&[]);
    let mut child = lockgate(directory.path())
        .args(["schema", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
