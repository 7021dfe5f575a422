//! Liquibase, from npm with its driver for PostgreSQL; it needs Java.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::thread;

use lockgate::layout::{Direction, Script};

use super::{Tool, discovered, output};
use crate::servers::{Database, node_tools, system_tool};

/// Java speaks no Unix sockets: a port that leads to one, for as long as the test runs.
fn port_to(database: &Database) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let socket = database.socket().join(".s.PGSQL.5432");
    thread::spawn(move || {
        for near in listener.incoming() {
            let (near, far) = (near.unwrap(), UnixStream::connect(&socket).unwrap());
            let (near_too, far_too) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            thread::spawn(move || forward(near, &far));
            thread::spawn(move || back(far_too, &near_too));
        }
    });
    port
}

fn forward(mut near: TcpStream, mut far: &UnixStream) {
    // One side hangs up when it is done, whatever the other one thinks of it.
    let _ = io::copy(&mut near, &mut far);
    let _ = far.shutdown(Shutdown::Both);
}

fn back(mut far: UnixStream, mut near: &TcpStream) {
    let _ = io::copy(&mut far, &mut near);
    let _ = near.shutdown(Shutdown::Both);
}

fn liquibase(project: &Path, url: &str, changelog: &str, command: &str) -> Option<Command> {
    system_tool("java")?;
    let program = node_tools()?.join("node_modules/liquibase/dist/liquibase/liquibase");
    let mut liquibase = Command::new(program);
    liquibase
        // It starts faster if it is not compiled for long runs.
        .env(
            "JAVA_OPTS",
            "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto",
        )
        .arg("--show-banner=false")
        .arg(format!("--url={url}"))
        .arg(format!("--changelog-file={changelog}"))
        .args(["--search-path=.", command])
        .current_dir(project);
    Some(liquibase)
}

pub(super) const LIQUIBASE: Tool = Tool {
    layout: "liquibase",
    run: |project, database| {
        let url = format!(
            "jdbc:postgresql://127.0.0.1:{}/{}?user=postgres&sslmode=disable",
            port_to(database),
            database.name()
        );
        let master = ["db/master.yaml", "db/a.sql"]
            .into_iter()
            .find(|path| project.join(path).exists())?;
        Some(output(&mut liquibase(project, &url, master, "update")?))
    },
    probes: &[
        (
            "the order is the changelog's, and a directory's by name; a changeset is rolled back as a whole",
            &[
                (
                    "db/master.yaml",
                    "databaseChangeLog:\n- include: {file: z.xml, relativeToChangelogFile: true}\n- includeAll: {path: db/all}\n- changeSet:\n    id: 1\n    author: a\n    changes:\n    - insert: {tableName: ran, columns: [{column: {name: name, value: 'yaml'}}]}\n    - sql: SELECT 1/0\n",
                ),
                (
                    "db/z.xml",
                    "<databaseChangeLog xmlns=\"http://www.liquibase.org/xml/ns/dbchangelog\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"http://www.liquibase.org/xml/ns/dbchangelog http://www.liquibase.org/xml/ns/dbchangelog/dbchangelog-latest.xsd\"><changeSet id=\"1\" author=\"a\"><sqlFile path=\"z/fill.sql\" relativeToChangelogFile=\"true\"/></changeSet></databaseChangeLog>",
                ),
                (
                    "db/z/fill.sql",
                    "INSERT INTO ran VALUES ('file1');\nINSERT INTO ran VALUES ('file2');\n",
                ),
                (
                    "db/all/9.sql",
                    "--liquibase formatted sql\n--changeset a:9\nINSERT INTO ran VALUES ('9');\n",
                ),
                (
                    "db/all/10.sql",
                    "-- liquibase formatted sql\nINSERT INTO ran VALUES ('before');\n--changeset a:10\nINSERT INTO ran VALUES ('10');\n--changeset a:10m dbms:mysql\nINSERT INTO ran VALUES ('mysql');\n--changeset a:10p dbms:postgres\nINSERT INTO ran VALUES ('postgres');\n--changeset a:10d context:dev\nINSERT INTO ran VALUES ('dev');\n--ignoreLines:1\nINSERT INTO ran VALUES ('ignored');\n",
                ),
                (
                    "db/all/B.sql",
                    "--liquibase formatted sql\n--changeset a:B\nINSERT INTO ran VALUES ('B');\n",
                ),
                (
                    "db/all/a/raw.sql",
                    "INSERT INTO ran VALUES ('raw1'); INSERT INTO ran VALUES ('raw2');\n",
                ),
            ],
        ),
        (
            "without a transaction statements stand alone, and indexes are built concurrently",
            &[(
                "db/a.sql",
                "--liquibase formatted sql\n--changeset a:1 runInTransaction:false\nINSERT INTO ran VALUES ('a');\nCREATE INDEX CONCURRENTLY i ON ran (name);\nCREATE INDEX CONCURRENTLY j ON ran (name);\nINSERT INTO ran VALUES ('b');\nSELECT 1/0;\n",
            )],
        ),
        (
            "what is not split is a pipeline",
            &[(
                "db/a.sql",
                "--liquibase formatted sql\n--changeset a:1 runInTransaction:false splitStatements:false\nINSERT INTO ran VALUES ('a');\nCREATE INDEX CONCURRENTLY i ON ran (name);\n",
            )],
        ),
        (
            "of which the first statement may leave it",
            &[(
                "db/a.sql",
                "--liquibase formatted sql\n--changeset a:1 runInTransaction:false splitStatements:false\nCREATE INDEX CONCURRENTLY i ON ran (name);\n",
            )],
        ),
        (
            "in a transaction none is built",
            &[(
                "db/a.sql",
                "--liquibase formatted sql\n--changeset a:1\nINSERT INTO ran VALUES ('a');\n--changeset a:2\nINSERT INTO ran VALUES ('b');\nCREATE INDEX CONCURRENTLY i ON ran (name);\n",
            )],
        ),
    ],
    refuses: &[(
        "stands twice",
        &[(
            "db/a.sql",
            "--liquibase formatted sql\n--changeset a:1\nSELECT 1;\n--changeset a:1\nSELECT 2;\n",
        )],
    )],
};

/// The statements of each changeset, by id and author, in Liquibase's output.
fn theirs(sql: &str, mark: &str) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for part in sql.split(mark).skip(1) {
        let (name, rest) = part.split_once('\n').unwrap();
        let name = name.split_once("::").unwrap().1.trim().to_owned();
        let own: String = rest
            .split_inclusive('\n')
            .take_while(|line| !line.contains(" databasechangelog"))
            .collect();
        all.insert(name, normal(&own));
    }
    all
}

fn ours(script: &Script) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for piece in &script.pieces {
        all.extend(normal(&piece.fragment.sql));
    }
    all
}

/// The statements as the parser prints them, with the parts of a list in the order of the alphabet.
fn normal(sql: &str) -> Vec<String> {
    let all = crate::alembic::normal(sql);
    let sorted = all.into_iter().map(|statement| {
        if !statement.starts_with("CREATE TABLE ") {
            return statement;
        }
        let parts = statement.split(',');
        let mut parts: Vec<&str> = parts
            .map(|part| part.trim_matches([' ', ')', ';']))
            .collect();
        parts.sort_unstable();
        parts.join(", ")
    });
    sorted.collect()
}

/// Every change type and attribute, against what Liquibase says that it sends. Not compared: `dropPrimaryKey` without a
/// name, for which Liquibase sends a block that looks the name up, and Lockgate takes the one that PostgreSQL makes.
#[test]
fn change_types_become_the_sql_that_liquibase_sends() {
    let project = tempfile::tempdir().unwrap();
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/liquibase");
    for entry in fs::read_dir(home).unwrap() {
        let path = entry.unwrap().path();
        let to = project.path().join("db");
        fs::create_dir_all(&to).unwrap();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
    let history = discovered(&LIQUIBASE, project.path());
    let mut differences = String::new();
    let mut count = 0;
    for (command, mark, is_forward) in [
        ("update-sql", "-- Changeset ", true),
        ("future-rollback-sql", "-- Rolling Back ChangeSet: ", false),
    ] {
        let Some(mut command) = liquibase(
            project.path(),
            "offline:postgresql?version=15",
            "db/changes.xml",
            command,
        ) else {
            return;
        };
        let output = output(&mut command);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let _ = fs::remove_file(project.path().join("databasechangelog.csv"));
        let mut theirs = theirs(&said, mark);
        assert!(
            output.status.success() || !is_forward,
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        for script in &history.scripts {
            if (script.direction != Direction::Down) != is_forward {
                continue;
            }
            let (author, id) = script.version.split_once(':').unwrap();
            let theirs = theirs
                .remove(&format!("{id}::{author}"))
                .unwrap_or_default();
            let ours = ours(script);
            count += ours.len();
            if ours != theirs {
                let (ours, theirs) = (ours.join(";\n"), theirs.join(";\n"));
                let diff = similar::TextDiff::from_lines(&theirs, &ours);
                differences.push_str(&format!(
                    "{} {}\n{}\n",
                    script.version,
                    mark.trim(),
                    diff.unified_diff()
                ));
            }
        }
    }
    assert!(differences.is_empty(), "{differences}");
    assert!(count > 150, "only {count} statements were compared");
}
