//! Tools that Debian has.

use std::fs;
use std::process::Command;

use super::{Tool, output};
use crate::servers::system_tool;

pub(super) const SQL_MIGRATE: Tool = Tool {
    layout: "sql-migrate",
    run: |project, database| {
        let program = system_tool("sql-migrate")?;
        let config = format!(
            "development:\n  dialect: postgres\n  datasource: host={} user=postgres dbname={} sslmode=disable\n  dir: m\n",
            database.socket().display(),
            database.name()
        );
        fs::write(project.join("dbconfig.yml"), config).unwrap();
        Some(output(Command::new(program).arg("up").current_dir(project)))
    },
    probes: &[
        (
            "COMMIT in a section",
            &[(
                "m/1_a.sql",
                "-- +migrate Up\nINSERT INTO ran VALUES ('a');\nCOMMIT;\nINSERT INTO ran VALUES ('b');\nSELECT 1/0;\n",
            )],
        ),
        (
            "numbers are compared, then text",
            &[
                (
                    "m/2_b.sql",
                    "-- +migrate Up\nINSERT INTO ran VALUES ('2');\n",
                ),
                (
                    "m/10_b.sql",
                    "-- +migrate Up\nINSERT INTO ran VALUES ('10b');\n",
                ),
                (
                    "m/10_a.sql",
                    "INSERT INTO ran VALUES ('before');\n-- +migrate Up\nINSERT INTO ran VALUES ('10a');\n",
                ),
                (
                    "m/x.sql",
                    "-- +migrate Up\nINSERT INTO ran VALUES ('x');\n-- +migrate Down\n-- none\n-- +migrate Up\nINSERT INTO ran VALUES ('x2');\n",
                ),
            ],
        ),
        (
            "a section is rolled back as a whole, the file before it stays",
            &[
                (
                    "m/1_a.sql",
                    "-- +migrate Up\nINSERT INTO ran VALUES ('a');\n",
                ),
                (
                    "m/2_b.sql",
                    "-- +migrate Up\nINSERT INTO ran VALUES ('b');\nSELECT 1/0;\n",
                ),
            ],
        ),
        (
            "without a transaction lines that end with a semicolon stand alone",
            &[(
                "m/1_a.sql",
                "-- +migrate Up notransaction\nINSERT INTO ran VALUES ('a');\nINSERT INTO ran VALUES ('b'); SELECT 1/0;\n",
            )],
        ),
        (
            "indexes are built concurrently there",
            &[(
                "m/1_a.sql",
                "-- +migrate Up notransaction\nSET lock_timeout = '2s';\nCREATE INDEX CONCURRENTLY i ON ran (name);\nCREATE INDEX CONCURRENTLY j ON ran (name);\n",
            )],
        ),
        (
            "but not two of them on one line",
            &[(
                "m/1_a.sql",
                "-- +migrate Up notransaction\nCREATE INDEX CONCURRENTLY i ON ran (name); CREATE INDEX CONCURRENTLY j ON ran (name);\n",
            )],
        ),
        (
            "and not by default",
            &[(
                "m/1_a.sql",
                "-- +migrate Up\nCREATE INDEX CONCURRENTLY i ON ran (name);\n",
            )],
        ),
        (
            "what stands between the marks is one statement",
            &[(
                "m/1_a.sql",
                "-- +migrate Up notransaction\n-- +migrate StatementBegin\nINSERT INTO ran VALUES ('a');\nSELECT 1/0;\n-- +migrate StatementEnd\n",
            )],
        ),
    ],
    refuses: &[
        (
            "it has no section",
            &[
                ("m/1_a.sql", "-- +migrate Up\nSELECT 1;\n"),
                ("m/2_b.sql", "-- +migrate up\nSELECT 1;\n"),
            ],
        ),
        (
            "no line of its last statement ends with `;`",
            &[("m/1_a.sql", "-- +migrate Up\nSELECT 1\n")],
        ),
        (
            "nothing ends this `StatementBegin`",
            &[(
                "m/1_a.sql",
                "-- +migrate Up\n-- +migrate StatementBegin\nSELECT 1;\n",
            )],
        ),
        (
            "cuts this statement in two behind line 4",
            &[(
                "m/1_a.sql",
                "-- +migrate Up\nDO $$\nBEGIN\n  PERFORM 1;\nEND;\n$$;\n",
            )],
        ),
    ],
};

pub(super) const SQITCH: Tool = Tool {
    layout: "sqitch",
    run: |project, database| {
        let program = system_tool("sqitch")?;
        Some(output(
            Command::new(program)
                .args(["deploy", &format!("db:pg:{}", database.name())])
                .current_dir(project)
                .env("HOME", project)
                .env("PGHOST", database.socket())
                .env("PGUSER", "postgres")
                .env("SQITCH_FULLNAME", "Ann")
                .env("SQITCH_EMAIL", "ann@example.org"),
        ))
    },
    probes: &[
        (
            "the plan is the order",
            &[
                ("sqitch.conf", "[core]\n\tengine = pg\n"),
                (
                    "sqitch.plan",
                    "%syntax-version=1.0.0\n%project=shop\n\nb 2024-01-01T00:00:00Z Ann <ann@example.org> # b\na [b] 2024-01-02T00:00:00Z Ann <ann@example.org> # a\n",
                ),
                (
                    "deploy/a.sql",
                    "BEGIN;\nINSERT INTO ran VALUES ('a');\nCOMMIT;\n",
                ),
                ("deploy/b.sql", "INSERT INTO ran VALUES ('b');\n"),
                ("deploy/c.sql", "INSERT INTO ran VALUES ('c');\n"),
            ],
        ),
        (
            "a reworked change runs in both of its forms",
            &[
                ("sqitch.conf", "[core]\n\tengine = pg\n"),
                (
                    "sqitch.plan",
                    "%syntax-version=1.0.0\n%project=shop\n\nf 2024-01-01T00:00:00Z Ann <ann@example.org> # f\n@v1 2024-01-02T00:00:00Z Ann <ann@example.org> # v1\nf [f@v1] 2024-01-03T00:00:00Z Ann <ann@example.org> # f\n",
                ),
                ("deploy/f@v1.sql", "INSERT INTO ran VALUES ('old');\n"),
                ("deploy/f.sql", "INSERT INTO ran VALUES ('new');\n"),
                ("revert/f@v1.sql", "SELECT 1;\n"),
                ("revert/f.sql", "SELECT 1;\n"),
            ],
        ),
        (
            "a script's own transaction is rolled back, what stands before it stays",
            &[
                ("sqitch.conf", "[core]\n\tengine = pg\n"),
                (
                    "sqitch.plan",
                    "%syntax-version=1.0.0\n%project=shop\n\na 2024-01-01T00:00:00Z Ann <ann@example.org> # a\n",
                ),
                (
                    "deploy/a.sql",
                    "INSERT INTO ran VALUES ('a');\nBEGIN;\nINSERT INTO ran VALUES ('b');\nSELECT 1/0;\nCOMMIT;\n",
                ),
                ("revert/a.sql", "SELECT 1;\n"),
            ],
        ),
        (
            "an index is built concurrently outside of it",
            &[
                ("sqitch.conf", "[core]\n\tengine = pg\n"),
                (
                    "sqitch.plan",
                    "%syntax-version=1.0.0\n%project=shop\n\na 2024-01-01T00:00:00Z Ann <ann@example.org> # a\n",
                ),
                (
                    "deploy/a.sql",
                    "SET lock_timeout = '2s';\nCREATE INDEX CONCURRENTLY i ON ran (name);\n",
                ),
            ],
        ),
    ],
    refuses: &[(
        "there is no `deploy/gone.sql`",
        &[
            ("sqitch.conf", "[core]\n\tengine = pg\n"),
            (
                "sqitch.plan",
                "%syntax-version=1.0.0\n%project=shop\n\ngone 2024-01-01T00:00:00Z Ann <ann@example.org> # a\n",
            ),
        ],
    )],
};
