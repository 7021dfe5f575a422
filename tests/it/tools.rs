//! What a layout says about order and transactions is what the real tool does.
//!
//! Each probe is a tree of migrations that insert into the table `ran`. The tool runs it on a real server; what is found
//! there afterwards must be what the layout's scripts, with the transactions that [`session::moments`] gives them,
//! predict.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use lockgate::discover::{Project, Request, discover};
use lockgate::layout::{Direction, Script, Unit, Wraps};
use lockgate::session::{self, TransactionKind};
use lockgate::settings::Settings;
use lockgate::sql;
use lockgate::statement::{Kind, Statement};

use crate::servers::{Database, fresh_database, majors, node_tools, runner, system_tool};

/// A tool that can be run here.
struct Tool {
    layout: &'static str,
    /// Runs everything that is pending in the project; none if the tool is not installed.
    run: fn(project: &Path, database: &Database) -> Option<Output>,
    /// The probes: what is tried, and the files.
    probes: &'static [Probe],
    /// Trees at which the tool stops, with a part of the message that says so.
    refuses: &'static [Probe],
}

/// A title or message, and files with their texts.
type Probe = (&'static str, &'static [(&'static str, &'static str)]);

const DBMATE: Tool = Tool {
    layout: "dbmate",
    run: |project, database| {
        let program = node_tools()?.join("node_modules/.bin/dbmate");
        let url = format!(
            "postgres://postgres@/{}?socket={}",
            database.name(),
            database.socket().display()
        );
        Some(output(
            Command::new(program)
                .args([
                    "--url",
                    &url,
                    "--no-dump-schema",
                    "--migrations-dir",
                    "m",
                    "migrate",
                ])
                .current_dir(project),
        ))
    },
    probes: &[
        (
            "file names are compared as text, and other names are left out",
            &[
                (
                    "m/2_b.sql",
                    "-- migrate:up\nINSERT INTO ran VALUES ('2');\n-- migrate:down\n",
                ),
                (
                    "m/10_a.sql",
                    "-- migrate:up\nINSERT INTO ran VALUES ('10');\n-- migrate:down\n",
                ),
                (
                    "m/1_c.sql",
                    "--migrate:up\nINSERT INTO ran VALUES ('1');\n-- migrate:down\n",
                ),
                (
                    "m/3.sql",
                    "-- migrate:up\nINSERT INTO ran VALUES ('3');\n-- migrate:down\n",
                ),
                (
                    "m/x_y.sql",
                    "-- migrate:up\nINSERT INTO ran VALUES ('x');\n-- migrate:down\n",
                ),
            ],
        ),
        (
            "a block is rolled back as a whole, the file before it stays",
            &[
                (
                    "m/1_a.sql",
                    "-- migrate:up\nINSERT INTO ran VALUES ('a');\n-- migrate:down\n",
                ),
                (
                    "m/2_b.sql",
                    "-- migrate:up\nINSERT INTO ran VALUES ('b');\nSELECT 1/0;\n-- migrate:down\n",
                ),
            ],
        ),
        (
            "without a transaction a block is still one message",
            &[(
                "m/1_a.sql",
                "-- migrate:up transaction:false\nINSERT INTO ran VALUES ('a');\nSELECT 1/0;\n-- migrate:down\n",
            )],
        ),
        (
            "COMMIT in a block",
            &[(
                "m/1_a.sql",
                "-- migrate:up\nINSERT INTO ran VALUES ('a');\nCOMMIT;\nINSERT INTO ran VALUES ('b');\nSELECT 1/0;\n-- migrate:down\n",
            )],
        ),
        (
            "an index is built concurrently without a transaction",
            &[(
                "m/1_a.sql",
                "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON ran (name);\n-- migrate:down\n",
            )],
        ),
        (
            "but not behind another statement",
            &[(
                "m/1_a.sql",
                "-- migrate:up transaction:false\nSET lock_timeout = '2s';\nCREATE INDEX CONCURRENTLY i ON ran (name);\n-- migrate:down\n",
            )],
        ),
        (
            "and not by default",
            &[(
                "m/1_a.sql",
                "-- migrate:up\nCREATE INDEX CONCURRENTLY i ON ran (name);\n-- migrate:down\n",
            )],
        ),
        (
            "an option that is spelled wrong is passed over",
            &[(
                "m/1_a.sql",
                "-- migrate:up transaction=false\nCREATE INDEX CONCURRENTLY i ON ran (name);\n-- migrate:down\n",
            )],
        ),
        (
            "a marker that is indented is a comment",
            &[(
                "m/1_a.sql",
                "-- migrate:up\nINSERT INTO ran VALUES ('a');\n -- migrate:down\nINSERT INTO ran VALUES ('b');\n-- migrate:down\n",
            )],
        ),
    ],
    refuses: &[
        (
            "has no block `-- migrate:down`",
            &[("m/1_a.sql", "-- migrate:up\nSELECT 1;\n")],
        ),
        (
            "has no block `-- migrate:up`",
            &[("m/1_a.sql", "-- migrate:down\nSELECT 1;\n")],
        ),
        (
            "SQL stands before its first block",
            &[(
                "m/1_a.sql",
                "SELECT 1;\n-- migrate:up\nSELECT 1;\n-- migrate:down\n",
            )],
        ),
        (
            "its first block goes back",
            &[(
                "m/1_a.sql",
                "-- migrate:down\nSELECT 1;\n-- migrate:up\nSELECT 1;\n",
            )],
        ),
        (
            "second `migrate:up` block fails",
            &[(
                "m/1_a.sql",
                "-- migrate:up\nSELECT 1;\n-- migrate:down\n-- migrate:up\nSELECT 1;\n-- migrate:down\n",
            )],
        ),
        (
            "claims version 1",
            &[
                ("m/1_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n"),
                ("m/1_b.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n"),
            ],
        ),
    ],
};

const NODE_PG_MIGRATE: Tool = Tool {
    layout: "node-pg-migrate",
    run: |project, database| {
        let program = node_tools()?.join("node_modules/.bin/node-pg-migrate");
        let directory = ["m", "migrations"]
            .into_iter()
            .find(|directory| project.join(directory).exists())?;
        Some(output(
            Command::new(program)
                .args(["-m", directory, "up"])
                .current_dir(project)
                .env("PGHOST", database.socket())
                .env("PGUSER", "postgres")
                .env("PGDATABASE", database.name())
                .env("DATABASE_URL", database.url()),
        ))
    },
    probes: &[
        (
            "numbers are compared, 17 digits as a date, and hidden files are left out",
            &[
                (
                    "m/2_b.sql",
                    "-- Up Migration\nINSERT INTO ran VALUES ('2');\n-- Down Migration\n",
                ),
                (
                    "m/10_a.sql",
                    "-- Up Migration\nINSERT INTO ran VALUES ('10');\n",
                ),
                (
                    "m/1704110400001_c.sql",
                    "INSERT INTO ran VALUES ('late');\n-- nothing\n",
                ),
                (
                    "m/20240101120000000_d.sql",
                    "-- up migration\nINSERT INTO ran VALUES ('date');\n",
                ),
                ("m/.3_hidden.sql", "INSERT INTO ran VALUES ('hidden');\n"),
            ],
        ),
        (
            "everything that is pending is one transaction",
            &[
                (
                    "m/1_a.sql",
                    "-- Up Migration\nINSERT INTO ran VALUES ('a');\n",
                ),
                (
                    "m/2_b.sql",
                    "-- Up Migration\nINSERT INTO ran VALUES ('b');\nSELECT 1/0;\n",
                ),
            ],
        ),
        (
            "no index is built concurrently",
            &[(
                "m/1_a.sql",
                "-- Up Migration\nCREATE INDEX CONCURRENTLY i ON ran (name);\n",
            )],
        ),
        (
            "without a marker for the way up everything runs",
            &[(
                "m/1_a.sql",
                "INSERT INTO ran VALUES ('a');\n-- Down Migration\nINSERT INTO ran VALUES ('down');\n",
            )],
        ),
        (
            "the way back may stand first, and what stands before it never runs",
            &[(
                "m/1_a.sql",
                "INSERT INTO ran VALUES ('before');\n-- Down Migration\nINSERT INTO ran VALUES ('down');\n  ---- UP  migrations\nINSERT INTO ran VALUES ('a');\n",
            )],
        ),
        (
            "the first marker of a direction counts",
            &[(
                "m/1_a.sql",
                "-- Up Migration\nINSERT INTO ran VALUES ('a');\n-- Up Migration\nINSERT INTO ran VALUES ('b');\n-- Down Migration\nINSERT INTO ran VALUES ('c');\n",
            )],
        ),
    ],
    refuses: &[
        (
            "does not begin with a number",
            &[
                ("m/1_a.sql", "-- Up Migration\nSELECT 1;\n"),
                ("m/a.sql", "-- Up Migration\nSELECT 1;\n"),
            ],
        ),
        (
            "forward, unless the loader `sql` is configured",
            &[
                (
                    "package.json",
                    r#"{"dependencies": {"node-pg-migrate": "9"}}"#,
                ),
                ("migrations/1_a.up.sql", "SELECT 1;\n"),
                ("migrations/1_a.down.sql", "SELECT 1/0;\n"),
            ],
        ),
    ],
};

const DRIZZLE: Tool = Tool {
    layout: "drizzle",
    run: |project, database| {
        let script = "import { drizzle } from 'drizzle-orm/node-postgres';\n\
            import { migrate } from 'drizzle-orm/node-postgres/migrator';\n\
            import pg from 'pg';\n\
            const pool = new pg.Pool();\n\
            try { await migrate(drizzle(pool), { migrationsFolder: process.env.FOLDER }); }\n\
            finally { await pool.end(); }";
        Some(output(
            Command::new("node")
                .args(["--input-type=module", "-e", script])
                .current_dir(node_tools()?)
                .env("FOLDER", project.join("m"))
                .env("PGHOST", database.socket())
                .env("PGUSER", "postgres")
                .env("PGDATABASE", database.name()),
        ))
    },
    probes: &[
        (
            "the journal is the order, and what it does not name never runs",
            &[
                (
                    "m/meta/_journal.json",
                    r#"{"version":"7","dialect":"postgresql","entries":[{"idx":0,"when":1,"tag":"0001_b","breakpoints":true},{"idx":1,"when":2,"tag":"0000_a","breakpoints":true}]}"#,
                ),
                (
                    "m/0000_a.sql",
                    "INSERT INTO ran VALUES ('a');\n--> statement-breakpoint\nINSERT INTO ran VALUES ('a2');",
                ),
                ("m/0001_b.sql", "INSERT INTO ran VALUES ('b');"),
                ("m/0002_c.sql", "INSERT INTO ran VALUES ('c');"),
            ],
        ),
        (
            "everything that is pending is one transaction",
            &[
                (
                    "m/meta/_journal.json",
                    r#"{"version":"7","dialect":"postgresql","entries":[{"idx":0,"when":1,"tag":"0000_a","breakpoints":true},{"idx":1,"when":2,"tag":"0001_b","breakpoints":true}]}"#,
                ),
                ("m/0000_a.sql", "INSERT INTO ran VALUES ('a');"),
                (
                    "m/0001_b.sql",
                    "INSERT INTO ran VALUES ('b');\n--> statement-breakpoint\nSELECT 1/0;",
                ),
            ],
        ),
        (
            "no index is built concurrently",
            &[
                (
                    "m/meta/_journal.json",
                    r#"{"version":"7","dialect":"postgresql","entries":[{"idx":0,"when":1,"tag":"0000_a","breakpoints":true}]}"#,
                ),
                ("m/0000_a.sql", "CREATE INDEX CONCURRENTLY i ON ran (name);"),
            ],
        ),
    ],
    refuses: &[
        (
            "there is no `0001_gone.sql`",
            &[
                (
                    "m/meta/_journal.json",
                    r#"{"entries":[{"idx":0,"when":1,"tag":"0000_a","breakpoints":true},{"idx":1,"when":2,"tag":"0001_gone","breakpoints":true}]}"#,
                ),
                ("m/0000_a.sql", "SELECT 1;"),
            ],
        ),
        (
            "cannot read its journal",
            &[("m/meta/_journal.json", "{"), ("m/0000_a.sql", "SELECT 1;")],
        ),
    ],
};

const SQL_MIGRATE: Tool = Tool {
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

const SQITCH: Tool = Tool {
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

const SQLX: Tool = Tool {
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

const REFINERY: Tool = Tool {
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

const DIESEL: Tool = Tool {
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

fn output(command: &mut Command) -> Output {
    command.output().unwrap()
}

/// What a run leaves behind: rows in the order in which they were inserted, indexes that are valid, and if it failed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Left {
    rows: Vec<String>,
    indexes: BTreeSet<String>,
    failed: bool,
}

fn observed(database: &Database, output: &Output) -> Left {
    let mut client = database.connect();
    let rows = client
        .query(
            "SELECT name FROM ran ORDER BY xmin::text::bigint, ctid",
            &[],
        )
        .unwrap();
    let indexes = client
        .query(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'ran'::regclass AND indisvalid",
            &[],
        )
        .unwrap();
    Left {
        rows: rows.iter().map(|row| row.get(0)).collect(),
        indexes: indexes.iter().map(|row| row.get(0)).collect(),
        failed: !output.status.success(),
    }
}

/// The one history in a project.
fn discovered(tool: &Tool, project: &Path) -> Project {
    let settings = Settings {
        root: Some(project.to_owned()),
        ..Settings::default()
    };
    let found = discover(&Request {
        cwd: project,
        paths: &[],
        settings: &settings,
        stdin: None,
    });
    let mut projects = found.projects;
    assert_eq!(projects.len(), 1, "{projects:?}");
    let history = projects.remove(0);
    assert_eq!(history.found.layout.name, tool.layout);
    history
}

/// What the layout and the session say will be left behind.
fn predicted(tool: &Tool, project: &Path) -> Left {
    let history = discovered(tool, project);
    let mut effects: Vec<(Effect, (usize, u32))> = Vec::new();
    let mut left = Left::default();
    'run: for (number, script) in history.scripts.iter().enumerate() {
        if script.direction != Direction::Up {
            continue;
        }
        let (statements, units) = parsed(script, history.found.layout.runner);
        let moments = session::moments(&statements, &units, session::Defaults::default());
        let is_run = units.iter().any(|unit| unit.wraps == Wraps::Run);
        for (statement, moment) in statements.iter().zip(moments) {
            // One transaction around the whole run is the same one in each script.
            let key = match moment.transaction.kind {
                TransactionKind::Runner if is_run => (usize::MAX, 0),
                _ => (number, moment.transaction.number),
            };
            let effect = Effect::of(statement);
            let refused = matches!(effect, Effect::Index(_)) && moment.refusal().is_some();
            if refused || effect == Effect::Failure {
                effects.retain(|(_, other)| *other != key);
                left.failed = true;
                break 'run;
            }
            effects.push((effect, key));
        }
    }
    for (effect, _) in effects {
        match effect {
            Effect::Row(name) => left.rows.push(name),
            Effect::Index(name) => {
                left.indexes.insert(name);
            }
            Effect::Failure | Effect::Nothing => {}
        }
    }
    left
}

/// What a statement of a probe does.
#[derive(Debug, PartialEq, Eq)]
enum Effect {
    Row(String),
    Index(String),
    Failure,
    Nothing,
}

impl Effect {
    fn of(statement: &Statement) -> Self {
        let sql = &statement.source.sql;
        if sql.contains("1/0") {
            return Self::Failure;
        }
        if sql.contains("INSERT INTO ran") {
            return Self::Row(sql.split('\'').nth(1).unwrap().to_owned());
        }
        match &statement.kind {
            Kind::CreateIndex(index) if index.concurrently => {
                let name = sql.split_whitespace().nth(3).unwrap();
                Self::Index(name.to_owned())
            }
            _ => Self::Nothing,
        }
    }
}

fn parsed(script: &Script, runner: lockgate::layout::Runner) -> (Vec<Statement>, Vec<Unit>) {
    let (mut statements, mut units) = (Vec::new(), Vec::new());
    for piece in &script.pieces {
        let first = statements.len();
        let parsed = sql::parse(&piece.fragment);
        assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
        statements.extend(parsed.statements);
        units.push(Unit {
            statements: first..statements.len(),
            send: piece.send.unwrap_or(runner.send),
            wraps: piece.wraps.unwrap_or(runner.wraps),
        });
    }
    (statements, units)
}

/// Runs the probes of a tool; the differences between the model and the tool.
fn check(tool: &Tool) {
    let Some(major) = majors().pop() else { return };
    let mut differences: BTreeMap<&str, String> = BTreeMap::new();
    for (title, files) in tool.probes {
        let (project, database) = lay_out(files, major);
        let predicted = predicted(tool, project.path());
        let Some(output) = (tool.run)(project.path(), &database) else {
            return;
        };
        let observed = observed(&database, &output);
        if predicted != observed {
            let said = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
            differences.insert(
                title,
                format!(
                    "predicted {predicted:?}\n observed {observed:?}\n{}",
                    said.join("\n")
                ),
            );
        }
    }
    for (problem, files) in tool.refuses {
        let (project, database) = lay_out(files, major);
        let history = discovered(tool, project.path());
        let is_said = history
            .problems
            .iter()
            .any(|found| found.message.contains(problem));
        let Some(output) = (tool.run)(project.path(), &database) else {
            return;
        };
        if !is_said || output.status.success() {
            differences.insert(
                problem,
                format!("said: {:#?}\n the tool: {output:?}", history.problems),
            );
        }
    }
    assert!(differences.is_empty(), "{}: {differences:#?}", tool.layout);
}

/// A project of these files, and a database with the table of the probes.
fn lay_out(files: &[(&str, &str)], major: u32) -> (tempfile::TempDir, Database) {
    let project = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = project.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let database = fresh_database(major);
    database
        .connect()
        .batch_execute("CREATE TABLE ran (name text)")
        .unwrap();
    (project, database)
}

#[test]
fn dbmate_does_what_its_layout_says() {
    check(&DBMATE);
}

#[test]
fn node_pg_migrate_does_what_its_layout_says() {
    check(&NODE_PG_MIGRATE);
}

#[test]
fn drizzle_does_what_its_layout_says() {
    check(&DRIZZLE);
}

#[test]
fn sql_migrate_does_what_its_layout_says() {
    check(&SQL_MIGRATE);
}

#[test]
fn sqlx_does_what_its_layout_says() {
    check(&SQLX);
}

#[test]
fn refinery_does_what_its_layout_says() {
    check(&REFINERY);
}

#[test]
fn diesel_does_what_its_layout_says() {
    check(&DIESEL);
}

#[test]
fn sqitch_does_what_its_layout_says() {
    check(&SQITCH);
}

/// An entry that is older than an applied one never runs, and the tool says nothing.
#[test]
fn drizzle_leaves_out_what_is_older() {
    const OLD: &str = r#"{"idx":0,"when":5,"tag":"0000_a","breakpoints":true}"#;
    const NEW: &str = r#"{"idx":1,"when":3,"tag":"0001_b","breakpoints":true}"#;
    let Some(major) = majors().pop() else { return };
    let first = format!(r#"{{"entries":[{OLD}]}}"#);
    let files = [
        ("m/meta/_journal.json", first.as_str()),
        ("m/0000_a.sql", "INSERT INTO ran VALUES ('a');"),
    ];
    let (project, database) = lay_out(&files, major);
    let mut output = None;
    for journal in [first.clone(), format!(r#"{{"entries":[{OLD},{NEW}]}}"#)] {
        fs::write(project.path().join("m/meta/_journal.json"), journal).unwrap();
        output = (DRIZZLE.run)(project.path(), &database);
        fs::write(
            project.path().join("m/0001_b.sql"),
            "INSERT INTO ran VALUES ('b');",
        )
        .unwrap();
    }
    let Some(output) = output else { return };
    let expected = Left {
        rows: vec!["a".to_owned()],
        ..Left::default()
    };
    assert_eq!(observed(&database, &output), expected);
    let problems = discovered(&DRIZZLE, project.path()).problems;
    assert!(
        problems[0].message.contains("leaves `0001_b` out"),
        "{problems:?}"
    );
}
