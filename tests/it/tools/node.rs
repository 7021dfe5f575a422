//! Tools that come from npm.

use std::fs;
use std::process::Command;

use super::{Tool, output};
use crate::servers::node_tools;

pub(super) const DBMATE: Tool = Tool {
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

pub(super) const NODE_PG_MIGRATE: Tool = Tool {
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

pub(super) const DRIZZLE: Tool = Tool {
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

pub(super) const SUPABASE: Tool = Tool {
    layout: "supabase",
    run: |project, database| {
        let program = node_tools()?.join("node_modules/.bin/supabase");
        // The name of the host is not looked at, as the socket's directory is given; the password is asked for otherwise.
        let url = format!(
            "postgresql://postgres:none@localhost/{}?host={}&sslmode=disable",
            database.name(),
            database.socket().display().to_string().replace('/', "%2F")
        );
        Some(output(
            Command::new(program)
                .args(["db", "push", "--yes", "--include-all", "--db-url", &url])
                .current_dir(project)
                .env("HOME", project)
                .env("SUPABASE_TELEMETRY_DISABLED", "1"),
        ))
    },
    probes: &[
        (
            "versions are compared as text, then names, and other names are left out",
            &[
                (
                    "supabase/migrations/2_b.sql",
                    "INSERT INTO ran VALUES ('2');",
                ),
                (
                    "supabase/migrations/10_a.sql",
                    "INSERT INTO ran VALUES ('10');",
                ),
                (
                    "supabase/migrations/1_c.sql",
                    "INSERT INTO ran VALUES ('1');",
                ),
                (
                    "supabase/migrations/01_d.sql",
                    "INSERT INTO ran VALUES ('01');",
                ),
                (
                    "supabase/migrations/7_.sql",
                    "INSERT INTO ran VALUES ('7');",
                ),
                (
                    "supabase/migrations/3-e.sql",
                    "INSERT INTO ran VALUES ('3');",
                ),
                (
                    "supabase/migrations/x_y.sql",
                    "INSERT INTO ran VALUES ('x');",
                ),
            ],
        ),
        (
            "a file is rolled back as a whole, the file before it stays",
            &[
                (
                    "supabase/migrations/1_a.sql",
                    "INSERT INTO ran VALUES ('a');",
                ),
                (
                    "supabase/migrations/2_b.sql",
                    "INSERT INTO ran VALUES ('b');\nINSERT INTO ran VALUES ('c');\nSELECT 1/0;",
                ),
            ],
        ),
        (
            "what stands before and behind an index built concurrently are two transactions",
            &[(
                "supabase/migrations/1_a.sql",
                "INSERT INTO ran VALUES ('a');\nINSERT INTO ran VALUES ('b');\n-- why\ncreate unique index\n concurrently i ON ran (name);\nINSERT INTO ran VALUES ('c');\nSELECT 1/0;",
            )],
        ),
        (
            "also behind a setting",
            &[(
                "supabase/migrations/1_a.sql",
                "SET lock_timeout = '2s';\nCREATE INDEX CONCURRENTLY i ON ran (name);",
            )],
        ),
        (
            "other statements that refuse a transaction are known by their words",
            &[(
                "supabase/migrations/1_a.sql",
                "INSERT INTO ran VALUES ('a');\nVACUUM (ANALYZE) ran;\nINSERT INTO ran VALUES ('b');\nVACUUM(ANALYZE) ran;\nINSERT INTO ran VALUES ('c');\nCLUSTER;\nCREATE INDEX j ON ran (name);\nREINDEX(VERBOSE) INDEX CONCURRENTLY j;\nINSERT INTO ran VALUES ('d');\nDROP INDEX CONCURRENTLY j;\nINSERT INTO ran VALUES ('e');\nSELECT 1/0;",
            )],
        ),
        (
            "but not behind a comment",
            &[(
                "supabase/migrations/1_a.sql",
                "INSERT INTO ran VALUES ('a');\nCREATE /* soon */ INDEX CONCURRENTLY i ON ran (name);",
            )],
        ),
        (
            "the first statement of a pipeline may be one that is not known",
            &[(
                "supabase/migrations/1_a.sql",
                "CREATE /* soon */ INDEX CONCURRENTLY i ON ran (name);\nINSERT INTO ran VALUES ('a');",
            )],
        ),
        (
            "a file with BEGIN is sent one by one",
            &[(
                "supabase/migrations/1_a.sql",
                "INSERT INTO ran VALUES ('a');\nBEGIN;\nINSERT INTO ran VALUES ('b');\nCOMMIT;\nINSERT INTO ran VALUES ('c');\nCREATE /* soon */ INDEX CONCURRENTLY i ON ran (name);\nBEGIN;\nINSERT INTO ran VALUES ('d');\nSELECT 1/0;",
            )],
        ),
        (
            "in a transaction of the file no index is built concurrently",
            &[(
                "supabase/migrations/1_a.sql",
                "INSERT INTO ran VALUES ('a');\nBEGIN;\nINSERT INTO ran VALUES ('b');\nCREATE INDEX CONCURRENTLY i ON ran (name);\nCOMMIT;",
            )],
        ),
        (
            "ROLLBACK is such a statement too, and a savepoint is none",
            &[
                (
                    "supabase/migrations/1_a.sql",
                    "INSERT INTO ran VALUES ('a');\nROLLBACK;\nINSERT INTO ran VALUES ('b');",
                ),
                (
                    "supabase/migrations/2_b.sql",
                    "INSERT INTO ran VALUES ('c');\nSELECT 1/0;\nSAVEPOINT s;",
                ),
            ],
        ),
    ],
    refuses: &[(
        "claims version 1",
        &[
            ("supabase/migrations/1_a.sql", "SELECT 1;"),
            ("supabase/migrations/1_b.sql", "SELECT 1;"),
        ],
    )],
};

/// The command line of Prisma with its engine as WebAssembly: see `tests/tools/prisma-engine.cjs`.
pub(super) const PRISMA: Tool = Tool {
    layout: "prisma",
    run: |project, database| {
        let tools = node_tools()?;
        // It begins in an empty schema only.
        database
            .connect()
            .batch_execute(&format!(
                "CREATE SCHEMA probe; ALTER TABLE ran SET SCHEMA probe; ALTER DATABASE {} SET search_path = public, probe",
                database.name()
            ))
            .unwrap();
        let files = [
            (
                "prisma/migrations/migration_lock.toml",
                "provider = \"postgresql\"\n",
            ),
            (
                "prisma/schema.prisma",
                "datasource db {\n  provider = \"postgresql\"\n}\n",
            ),
            (
                "prisma.config.mjs",
                "export default { schema: 'prisma/schema.prisma', datasource: { url: 'postgresql://nobody@localhost/none' } };\n",
            ),
        ];
        for (path, text) in files {
            fs::write(project.join(path), text).unwrap();
        }
        Some(output(
            Command::new(tools.join("node_modules/.bin/prisma"))
                .args(["migrate", "deploy"])
                .current_dir(project)
                .env(
                    "PRISMA_SCHEMA_ENGINE_BINARY",
                    tools.join("prisma-engine.cjs"),
                )
                .env("CHECKPOINT_DISABLE", "1")
                .env("PGHOST", database.socket())
                .env("PGUSER", "postgres")
                .env("PGDATABASE", database.name()),
        ))
    },
    probes: &[
        (
            "directories are compared as words, and what is not `migration.sql` in one never runs",
            &[
                (
                    "prisma/migrations/2_b/migration.sql",
                    "INSERT INTO ran VALUES ('2');",
                ),
                (
                    "prisma/migrations/10_a/migration.sql",
                    "INSERT INTO ran VALUES ('10');",
                ),
                (
                    "prisma/migrations/1_c/migration.sql",
                    "INSERT INTO ran VALUES ('1');",
                ),
                (
                    "prisma/migrations/1_c/down.sql",
                    "INSERT INTO ran VALUES ('down');",
                ),
                ("prisma/migrations/3_d.sql", "INSERT INTO ran VALUES ('3');"),
                (
                    "prisma/migrations/2_B2/migration.sql",
                    "INSERT INTO ran VALUES ('B2');",
                ),
            ],
        ),
        (
            "a file is rolled back as a whole, the file before it stays",
            &[
                (
                    "prisma/migrations/1_a/migration.sql",
                    "INSERT INTO ran VALUES ('a');",
                ),
                (
                    "prisma/migrations/2_b/migration.sql",
                    "INSERT INTO ran VALUES ('b');\nSELECT 1/0;",
                ),
            ],
        ),
        (
            "an index is built concurrently where it is alone, and not behind another statement",
            &[
                (
                    "prisma/migrations/1_a/migration.sql",
                    "CREATE INDEX CONCURRENTLY i ON ran (name);",
                ),
                (
                    "prisma/migrations/2_b/migration.sql",
                    "INSERT INTO ran VALUES ('a');\nCREATE INDEX CONCURRENTLY j ON ran (name);",
                ),
            ],
        ),
        (
            "BEGIN and COMMIT are the file's own",
            &[(
                "prisma/migrations/1_a/migration.sql",
                "BEGIN;\nINSERT INTO ran VALUES ('a');\nCOMMIT;\nINSERT INTO ran VALUES ('b');\nSELECT 1/0;",
            )],
        ),
    ],
    refuses: &[(
        "has no `migration.sql`",
        &[
            ("prisma/migrations/1_a/migration.sql", "SELECT 1;"),
            ("prisma/migrations/2_b/down.sql", "SELECT 1;"),
        ],
    )],
};
