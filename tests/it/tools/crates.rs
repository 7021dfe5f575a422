//! Tools that are Rust libraries.

use std::path::Path;
use std::process::{Command, Output};

use super::{Tool, output};
use crate::servers::{Database, runner, system_tool};

pub(super) const SQLX: Tool = Tool {
    layout: "sqlx",
    run: |project, database| run_with("sqlx", project, database),
    probes: &[
        (
            "versions are numbers, and what has no `_` or another end is left out",
            &[
                ("sqlx.toml", ""),
                ("m/2_b.sql", "INSERT INTO ran VALUES ('2');"),
                ("m/10_a.up.sql", "INSERT INTO ran VALUES ('10');"),
                ("m/10_a.down.sql", "INSERT INTO ran VALUES ('down');"),
                ("m/01_c.sql", "INSERT INTO ran VALUES ('1');"),
                ("m/schema.sql", "INSERT INTO ran VALUES ('schema');"),
            ],
        ),
        (
            "a file is rolled back as a whole, the file before it stays",
            &[
                ("sqlx.toml", ""),
                ("m/1_a.sql", "INSERT INTO ran VALUES ('a');"),
                ("m/2_b.sql", "INSERT INTO ran VALUES ('b');\nSELECT 1/0;"),
            ],
        ),
        (
            "an index is built concurrently without a transaction",
            &[
                ("sqlx.toml", ""),
                (
                    "m/1_a.sql",
                    "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON ran (name);",
                ),
            ],
        ),
        (
            "but not behind another statement",
            &[
                ("sqlx.toml", ""),
                (
                    "m/1_a.sql",
                    "-- no-transaction\nSET lock_timeout = '2s';\nCREATE INDEX CONCURRENTLY i ON ran (name);",
                ),
            ],
        ),
        (
            "without a transaction a file is still one message",
            &[
                ("sqlx.toml", ""),
                (
                    "m/1_a.sql",
                    "-- no-transaction\nINSERT INTO ran VALUES ('a');\nSELECT 1/0;",
                ),
            ],
        ),
        (
            "the mark counts at the very top only",
            &[
                ("sqlx.toml", ""),
                (
                    "m/1_a.sql",
                    "\n-- no-transaction\nCREATE INDEX CONCURRENTLY i ON ran (name);",
                ),
            ],
        ),
        (
            "COMMIT in a file",
            &[
                ("sqlx.toml", ""),
                (
                    "m/1_a.sql",
                    "INSERT INTO ran VALUES ('a');\nCOMMIT;\nINSERT INTO ran VALUES ('b');\nSELECT 1/0;",
                ),
            ],
        ),
    ],
    refuses: &[
        (
            "refuses to start because of `seed_a.sql`",
            &[
                ("sqlx.toml", ""),
                ("m/1_a.sql", "SELECT 1;"),
                ("m/2_b.sql", "SELECT 1;"),
                ("m/seed_a.sql", "SELECT 1;"),
            ],
        ),
        (
            "claims version 1",
            &[
                ("sqlx.toml", ""),
                ("m/1_a.sql", "SELECT 1;"),
                ("m/01_b.sql", "SELECT 1;"),
            ],
        ),
    ],
};

pub(super) const REFINERY: Tool = Tool {
    layout: "refinery",
    run: |project, database| run_with("refinery", project, database),
    probes: &[
        (
            "versions are numbers, directories below are read, and other names are left out",
            &[
                ("refinery.toml", ""),
                ("m/V2__b.sql", "INSERT INTO ran VALUES ('2');"),
                ("m/V10__a.sql", "INSERT INTO ran VALUES ('10');"),
                ("m/below/V3__c.sql", "INSERT INTO ran VALUES ('3');"),
                ("m/U4__d.sql", "INSERT INTO ran VALUES ('4');"),
                ("m/V5_e.sql", "INSERT INTO ran VALUES ('5');"),
                ("m/v6__f.sql", "INSERT INTO ran VALUES ('6');"),
                ("m/R__g.sql", "INSERT INTO ran VALUES ('g');"),
            ],
        ),
        (
            "a file is rolled back as a whole, the file before it stays",
            &[
                ("refinery.toml", ""),
                ("m/V1__a.sql", "INSERT INTO ran VALUES ('a');"),
                ("m/V2__b.sql", "INSERT INTO ran VALUES ('b');\nSELECT 1/0;"),
            ],
        ),
        (
            "no index is built concurrently",
            &[
                ("refinery.toml", ""),
                ("m/V1__a.sql", "CREATE INDEX CONCURRENTLY i ON ran (name);"),
            ],
        ),
    ],
    refuses: &[(
        "claims version 1",
        &[
            ("refinery.toml", ""),
            ("m/V1__a.sql", "SELECT 1;"),
            ("m/V01__b.sql", "SELECT 1;"),
        ],
    )],
};

pub(super) const DIESEL: Tool = Tool {
    layout: "diesel",
    run: |project, database| {
        system_tool("pg_config")?;
        run_with("diesel", project, database)
    },
    probes: &[
        (
            "versions are compared as text without their hyphens, and directories with a dot are none",
            &[
                ("diesel.toml", ""),
                ("m/2_b/up.sql", "INSERT INTO ran VALUES ('2');"),
                ("m/10_a/up.sql", "INSERT INTO ran VALUES ('10');"),
                (
                    "m/2024-01-01-120000_c/up.sql",
                    "INSERT INTO ran VALUES ('hyphens');",
                ),
                (
                    "m/20240101110000_d/up.sql",
                    "INSERT INTO ran VALUES ('earlier');",
                ),
                ("m/.3_e/up.sql", "INSERT INTO ran VALUES ('dot');"),
            ],
        ),
        (
            "a migration is rolled back as a whole, the one before it stays",
            &[
                ("diesel.toml", ""),
                ("m/1_a/up.sql", "INSERT INTO ran VALUES ('a');"),
                ("m/2_b/up.sql", "INSERT INTO ran VALUES ('b');\nSELECT 1/0;"),
            ],
        ),
        (
            "an index is built concurrently without a transaction",
            &[
                ("diesel.toml", ""),
                ("m/1_a/up.sql", "CREATE INDEX CONCURRENTLY i ON ran (name);"),
                ("m/1_a/metadata.toml", "run_in_transaction = false\n"),
            ],
        ),
        (
            "but not behind another statement",
            &[
                ("diesel.toml", ""),
                (
                    "m/1_a/up.sql",
                    "SET lock_timeout = '2s';\nCREATE INDEX CONCURRENTLY i ON ran (name);",
                ),
                ("m/1_a/metadata.toml", "run_in_transaction = false\n"),
            ],
        ),
        (
            "metadata without the key mean the same",
            &[
                ("diesel.toml", ""),
                ("m/1_a/up.sql", "CREATE INDEX CONCURRENTLY i ON ran (name);"),
                ("m/1_a/metadata.toml", "# nothing\n"),
            ],
        ),
        (
            "and not by default",
            &[
                ("diesel.toml", ""),
                ("m/1_a/up.sql", "CREATE INDEX CONCURRENTLY i ON ran (name);"),
            ],
        ),
    ],
    refuses: &[
        (
            "its `up.sql` is empty",
            &[("diesel.toml", ""), ("m/1_a/up.sql", "\n")],
        ),
        (
            "has no `up.sql`",
            &[
                ("diesel.toml", ""),
                ("m/1_a/up.sql", "SELECT 1;"),
                ("m/2_b/down.sql", "SELECT 1;"),
            ],
        ),
    ],
};

/// Runs the migrations in `m` with a Rust library.
fn run_with(library: &str, project: &Path, database: &Database) -> Option<Output> {
    Some(output(
        Command::new(runner()?)
            .arg(library)
            .arg(project.join("m"))
            .arg(database.socket())
            .arg(database.name()),
    ))
}
