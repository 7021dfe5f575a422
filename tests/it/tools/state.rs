//! What real tools write into their own tables, and what live mode reads there.
//!
//! Not here, because they are neither in npm, PyPI, Debian nor a Rust library that builds: golang-migrate, goose, tern, Atlas, Flyway,
//! Prisma and Supabase.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::crates::{DIESEL, REFINERY, SQLX};
use super::debian::{SQITCH, SQL_MIGRATE};
use super::liquibase::LIQUIBASE;
use super::node::{DBMATE, DRIZZLE, NODE_PG_MIGRATE};
use super::{Tool, lay_out};
use crate::servers::{Database, majors, python_tool};

type Files = &'static [(&'static str, &'static str)];

/// A project that ran, and what becomes of it.
struct Story {
    tool: Tool,
    /// The files of the first run.
    first: Files,
    /// Files that come afterwards, which may replace others.
    added: Files,
    /// What is pending then.
    pending: &'static [&'static str],
    /// Another text for a file that ran, and what is said then; an empty message where the tool itself keeps no checksum.
    edited: (&'static str, &'static str, &'static str),
    /// A text for a pending file that fails, and what is said after a run with it; empty if the tool leaves no trace.
    fails: (&'static str, &'static str, &'static str),
}

/// What `lockgate live pre` says: the pending files with their versions, and the findings.
fn asked(project: &Path, database: &Database) -> (Vec<String>, Vec<String>) {
    let output = Command::new(env!("CARGO_BIN_EXE_lockgate"))
        .args(["live", "pre", "--select", "broken-migration-state"])
        .args(["--format", "json", "--database-url", &database.url()])
        .current_dir(project)
        .env_clear()
        .output()
        .unwrap();
    let value: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let list = |value: &Value, key: &str| -> Vec<String> {
        let texts = value.as_array().unwrap().iter();
        texts
            .map(|one| one[key].as_str().unwrap().to_owned())
            .collect()
    };
    let database = &value["databases"][0];
    let pending = &database["pending_migrations"];
    let both = list(pending, "file")
        .into_iter()
        .zip(list(pending, "version"));
    let pending = both.map(|(file, version)| format!("{version} {file}"));
    (pending.collect(), list(&value["findings"], "message"))
}

fn write(project: &Path, files: Files) {
    for (path, text) in files {
        let path = project.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn tell(story: &Story) {
    let Some(major) = majors().pop() else { return };
    let layout = story.tool.layout;
    let (project, database) = lay_out(story.first, major);
    let root = project.path();
    let run = || (story.tool.run)(root, &database);
    let all = asked(root, &database).0.len();
    let Some(output) = run() else { return };
    assert!(output.status.success(), "{layout}: {output:?}");
    let nothing: Vec<String> = Vec::new();
    assert_eq!(
        asked(root, &database),
        (nothing.clone(), nothing.clone()),
        "{layout}"
    );
    assert!(all > 0, "{layout}: nothing was pending before");

    write(root, story.added);
    let (pending, told) = asked(root, &database);
    assert_eq!(pending, story.pending, "{layout}");
    assert_eq!(told, nothing, "{layout}");

    let (file, text, expected) = story.edited;
    let before = fs::read_to_string(root.join(file)).unwrap();
    fs::write(root.join(file), text).unwrap();
    let (pending, told) = asked(root, &database);
    assert_eq!(
        pending, story.pending,
        "{layout}: an edited file is not pending"
    );
    let expected: Vec<&str> = [expected].into_iter().filter(|m| !m.is_empty()).collect();
    assert_eq!(told, expected, "{layout}");
    fs::write(root.join(file), before).unwrap();

    let (file, text, expected) = story.fails;
    let before = fs::read_to_string(root.join(file)).unwrap();
    fs::write(root.join(file), text).unwrap();
    let output = run().unwrap();
    assert!(!output.status.success(), "{layout}: {output:?}");
    let (pending, told) = asked(root, &database);
    assert_eq!(pending, story.pending, "{layout}: what failed is pending");
    let expected: Vec<&str> = [expected].into_iter().filter(|m| !m.is_empty()).collect();
    assert_eq!(told, expected, "{layout}");
    fs::write(root.join(file), before).unwrap();

    let output = run().unwrap();
    assert!(output.status.success(), "{layout}: {output:?}");
    assert_eq!(
        asked(root, &database),
        (nothing.clone(), nothing),
        "{layout}"
    );
}

#[test]
fn dbmate() {
    tell(&Story {
        tool: DBMATE,
        first: &[
            ("m/2_b.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n"),
            ("m/10_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n"),
        ],
        // It runs what is older as well.
        added: &[
            ("m/1_c.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n"),
            ("m/3_d.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n"),
        ],
        pending: &["1 m/1_c.sql", "3 m/3_d.sql"],
        edited: (
            "m/2_b.sql",
            "-- migrate:up\nSELECT 2;\n-- migrate:down\n",
            "",
        ),
        fails: (
            "m/1_c.sql",
            "-- migrate:up\nSELECT 1/0;\n-- migrate:down\n",
            "",
        ),
    });
}

#[test]
fn node_pg_migrate() {
    tell(&Story {
        tool: NODE_PG_MIGRATE,
        first: &[
            (
                "package.json",
                r#"{"dependencies": {"node-pg-migrate": "9"}}"#,
            ),
            ("migrations/1_a.sql", "-- Up Migration\nSELECT 1;\n"),
            ("migrations/2_b.sql", "-- Up Migration\nSELECT 1;\n"),
        ],
        added: &[
            ("migrations/3_c.sql", "-- Up Migration\nSELECT 1;\n"),
            ("migrations/10_d.sql", "-- Up Migration\nSELECT 1;\n"),
        ],
        pending: &["3 migrations/3_c.sql", "10 migrations/10_d.sql"],
        edited: ("migrations/1_a.sql", "-- Up Migration\nSELECT 2;\n", ""),
        fails: ("migrations/3_c.sql", "-- Up Migration\nSELECT 1/0;\n", ""),
    });
}

#[test]
fn drizzle() {
    const FIRST: &str = r#"{"version":"7","dialect":"postgresql","entries":[{"idx":0,"when":5,"tag":"0000_a","breakpoints":true},{"idx":1,"when":7,"tag":"0001_b","breakpoints":true}]}"#;
    const THEN: &str = r#"{"version":"7","dialect":"postgresql","entries":[{"idx":0,"when":5,"tag":"0000_a","breakpoints":true},{"idx":1,"when":7,"tag":"0001_b","breakpoints":true},{"idx":2,"when":9,"tag":"0002_c","breakpoints":true}]}"#;
    tell(&Story {
        tool: DRIZZLE,
        first: &[
            ("m/meta/_journal.json", FIRST),
            ("m/0000_a.sql", "SELECT 1;"),
            ("m/0001_b.sql", "SELECT 2;"),
        ],
        added: &[
            ("m/meta/_journal.json", THEN),
            ("m/0002_c.sql", "SELECT 3;"),
        ],
        pending: &["0002 m/0002_c.sql"],
        edited: (
            "m/0000_a.sql",
            "SELECT 4;",
            "the file of version 0000 is not the one that ran: `drizzle.__drizzle_migrations` has another checksum",
        ),
        fails: ("m/0002_c.sql", "SELECT 1/0;", ""),
    });
}

#[test]
fn sql_migrate() {
    tell(&Story {
        tool: SQL_MIGRATE,
        first: &[
            ("m/1_a.sql", "-- +migrate Up\nSELECT 1;\n"),
            ("m/3_b.sql", "-- +migrate Up\nSELECT 1;\n"),
        ],
        added: &[
            ("m/2_c.sql", "-- +migrate Up\nSELECT 1;\n"),
            ("m/10_d.sql", "-- +migrate Up\nSELECT 1;\n"),
        ],
        pending: &["2_c.sql m/2_c.sql", "10_d.sql m/10_d.sql"],
        edited: ("m/1_a.sql", "-- +migrate Up\nSELECT 2;\n", ""),
        fails: ("m/2_c.sql", "-- +migrate Up\nSELECT 1/0;\n", ""),
    });
}

#[test]
fn sqlx() {
    tell(&Story {
        tool: SQLX,
        first: &[
            ("sqlx.toml", ""),
            ("m/1_a.sql", "SELECT 1;"),
            ("m/02_b.up.sql", "SELECT 1;"),
            ("m/02_b.down.sql", "SELECT 1;"),
        ],
        added: &[("m/3_c.sql", "SELECT 1;"), ("m/10_d.sql", "SELECT 1;")],
        pending: &["3 m/3_c.sql", "10 m/10_d.sql"],
        edited: (
            "m/1_a.sql",
            "SELECT 2;",
            "the file of version 1 is not the one that ran: `public._sqlx_migrations` has another checksum",
        ),
        fails: ("m/3_c.sql", "SELECT 1/0;", ""),
    });
}

#[test]
fn refinery() {
    tell(&Story {
        tool: REFINERY,
        first: &[
            ("refinery.toml", ""),
            ("m/V1__a_b.sql", "SELECT 1;"),
            ("m/V02__b.sql", "SELECT 1;"),
        ],
        added: &[("m/V3__c.sql", "SELECT 1;"), ("m/V10__d.sql", "SELECT 1;")],
        pending: &["3 m/V3__c.sql", "10 m/V10__d.sql"],
        edited: (
            "m/V1__a_b.sql",
            "SELECT 2;",
            "the file of version 1 is not the one that ran: `public.refinery_schema_history` has another checksum",
        ),
        fails: ("m/V3__c.sql", "SELECT 1/0;", ""),
    });
}

#[test]
fn diesel() {
    tell(&Story {
        tool: DIESEL,
        first: &[
            ("diesel.toml", ""),
            ("m/2024-01-01-120000_a/up.sql", "SELECT 1;"),
            ("m/20240101130000_b/up.sql", "SELECT 1;"),
        ],
        added: &[
            ("m/2024-01-01-123000_c/up.sql", "SELECT 1;"),
            ("m/2024-01-02-120000_d/up.sql", "SELECT 1;"),
        ],
        pending: &[
            "2024-01-01-123000 m/2024-01-01-123000_c/up.sql",
            "2024-01-02-120000 m/2024-01-02-120000_d/up.sql",
        ],
        edited: ("m/20240101130000_b/up.sql", "SELECT 2;", ""),
        fails: ("m/2024-01-01-123000_c/up.sql", "SELECT 1/0;", ""),
    });
}

#[test]
fn sqitch() {
    const HEAD: &str = "%syntax-version=1.0.0\n%project=shop\n\nb 2024-01-01T00:00:00Z Ann <ann@example.org> # b\na_1 [b] 2024-01-02T00:00:00Z Ann <ann@example.org> # a\n";
    const THEN: &str = "%syntax-version=1.0.0\n%project=shop\n\nb 2024-01-01T00:00:00Z Ann <ann@example.org> # b\na_1 [b] 2024-01-02T00:00:00Z Ann <ann@example.org> # a\n@v1 2024-01-03T00:00:00Z Ann <ann@example.org> # v1\nb [b@v1] 2024-01-04T00:00:00Z Ann <ann@example.org> # b\nc 2024-01-05T00:00:00Z Ann <ann@example.org> # c\n";
    tell(&Story {
        tool: SQITCH,
        first: &[
            ("sqitch.conf", "[core]\n\tengine = pg\n"),
            ("sqitch.plan", HEAD),
            ("deploy/a_1.sql", "SELECT 1;\n"),
            ("deploy/b.sql", "SELECT 2;\n"),
        ],
        added: &[
            ("sqitch.plan", THEN),
            ("deploy/b@v1.sql", "SELECT 2;\n"),
            ("deploy/b.sql", "SELECT 3;\n"),
            ("deploy/c.sql", "SELECT 4;\n"),
        ],
        pending: &["b deploy/b.sql", "c deploy/c.sql"],
        edited: ("deploy/a_1.sql", "SELECT 5;\n", ""),
        fails: ("deploy/b.sql", "SELECT 1/0;\n", ""),
    });
}

#[test]
fn liquibase() {
    tell(&Story {
        tool: LIQUIBASE,
        first: &[(
            "db/a.sql",
            "--liquibase formatted sql\n--changeset ann:1\nSELECT 1;\n--changeset bob:1\nSELECT 1;\n",
        )],
        added: &[(
            "db/a.sql",
            "--liquibase formatted sql\n--changeset ann:1\nSELECT 1;\n--changeset cyd:1\nSELECT 1;\n--changeset bob:1\nSELECT 1;\n--changeset ann:2\nSELECT 2;\n",
        )],
        pending: &["cyd:1 db/a.sql", "ann:2 db/a.sql"],
        // Its checksums are those of a normal form of the changes, which is not known here.
        edited: (
            "db/a.sql",
            "--liquibase formatted sql\n--changeset ann:1\nSELECT 9;\n--changeset cyd:1\nSELECT 1;\n--changeset bob:1\nSELECT 1;\n--changeset ann:2\nSELECT 2;\n",
            "",
        ),
        fails: (
            "db/a.sql",
            "--liquibase formatted sql\n--changeset ann:1\nSELECT 1;\n--changeset cyd:1\nSELECT 1/0;\n--changeset bob:1\nSELECT 1;\n--changeset ann:2\nSELECT 2;\n",
            "",
        ),
    });
}

/// Somebody who died while he migrated has left the lock behind.
#[test]
fn liquibase_says_who_holds_its_lock() {
    let Some(major) = majors().pop() else { return };
    let files = [(
        "db/a.sql",
        "--liquibase formatted sql\n--changeset ann:1\nSELECT 1;\n",
    )];
    let (project, database) = lay_out(&files, major);
    if (LIQUIBASE.run)(project.path(), &database).is_none() {
        return;
    }
    database
        .connect()
        .batch_execute(
            "UPDATE databasechangeloglock SET locked = true, lockedby = 'build-7 (10.0.0.7)'",
        )
        .unwrap();
    let (_, told) = asked(project.path(), &database);
    assert_eq!(
        told,
        [
            "the lock of the migration tool beside `public.databasechangelog` is held by build-7 (10.0.0.7)"
        ]
    );
}

const REVISION: &str = "revision = \"{id}\"\ndown_revision = {parents}\nfrom alembic import op\n\n\ndef upgrade():\n    op.execute(\"SELECT 1\")\n\n\ndef downgrade():\n    pass\n";

/// Two heads, one of them applied: what is behind the other one is pending.
#[test]
fn alembic() {
    let Some(major) = majors().pop() else { return };
    let Some(alembic) = python_tool("alembic") else {
        return;
    };
    let (project, database) = lay_out(&[], major);
    let root = project.path();
    let run = |arguments: &[&str]| {
        let output = Command::new(&alembic)
            .args(arguments)
            .current_dir(root)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    run(&["init", "m"]);
    let ini = fs::read_to_string(root.join("alembic.ini")).unwrap();
    let url = database
        .url()
        .replace("postgresql://", "postgresql+psycopg://");
    let lines: Vec<String> = ini
        .split('\n')
        .map(|line| {
            if line.starts_with("sqlalchemy.url") {
                format!("sqlalchemy.url = {}", url.replace('%', "%%"))
            } else {
                line.to_owned()
            }
        })
        .collect();
    fs::write(root.join("alembic.ini"), lines.join("\n")).unwrap();
    let revision = |id: &str, parents: &str| {
        let text = REVISION.replace("{id}", id).replace("{parents}", parents);
        fs::write(root.join(format!("m/versions/{id}.py")), text).unwrap();
    };
    revision("a1", "None");
    revision("b1", "\"a1\"");
    revision("c1", "\"a1\"");
    run(&["upgrade", "b1"]);
    let (pending, told) = asked(root, &database);
    assert_eq!(pending, ["c1 m/versions/c1.py"]);
    assert_eq!(told, [""; 0]);
    revision("d1", "(\"b1\", \"c1\")");
    let (pending, _) = asked(root, &database);
    assert_eq!(pending, ["c1 m/versions/c1.py", "d1 m/versions/d1.py"]);
    run(&["upgrade", "c1"]);
    assert_eq!(asked(root, &database).0, ["d1 m/versions/d1.py"]);
    run(&["upgrade", "head"]);
    assert_eq!(asked(root, &database).0, [""; 0]);
    // The file of what is applied is gone.
    fs::remove_file(root.join("m/versions/d1.py")).unwrap();
    let (_, told) = asked(root, &database);
    assert_eq!(
        told,
        ["`public.alembic_version` has versions that no file has: `d1`"]
    );
}
