//! What the tables of migration tools say.

use super::{ends, monitor, pre, showing};
use crate::servers::{Database, world};

/// A tool, its table after one migration, two files, and ways in which the table goes wrong.
struct Tool {
    layout: &'static str,
    files: [(&'static str, &'static str); 2],
    table: &'static str,
    wrong: &'static [(&'static str, &'static str)],
}

const UP: &str = "ALTER TABLE orders ADD COLUMN a int;";
const NEXT: &str = "ALTER TABLE orders ADD COLUMN b int;";

const TOOLS: &[Tool] = &[
    Tool {
        layout: "golang-migrate",
        files: [("000001_a.up.sql", UP), ("000002_b.up.sql", NEXT)],
        table: "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL); INSERT INTO schema_migrations VALUES (1, false)",
        wrong: &[
            (
                "UPDATE schema_migrations SET dirty = true",
                "error: `public.schema_migrations` has version 1: dirty: it failed half way, and the tool refuses to go on",
            ),
            (
                "UPDATE schema_migrations SET dirty = false, version = 7",
                "error: `public.schema_migrations` has versions that no file has: `7`",
            ),
        ],
    },
    Tool {
        layout: "dbmate",
        files: [
            (
                "20240101000000_a.sql",
                "-- migrate:up\nALTER TABLE orders ADD COLUMN a int;\n-- migrate:down\n",
            ),
            (
                "20240102000000_b.sql",
                "-- migrate:up\nALTER TABLE orders ADD COLUMN b int;\n-- migrate:down\n",
            ),
        ],
        table: "CREATE TABLE schema_migrations (version varchar PRIMARY KEY); INSERT INTO schema_migrations VALUES ('20240101000000')",
        wrong: &[(
            "INSERT INTO schema_migrations VALUES ('20230101000000')",
            "error: `public.schema_migrations` has versions that no file has: `20230101000000`",
        )],
    },
    Tool {
        layout: "flyway",
        files: [("V1__a.sql", "1234\n56789"), ("V2__b.sql", NEXT)],
        table: "CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, version varchar(50), description varchar(200), type varchar(20), script varchar(1000), checksum int, installed_by varchar(100), installed_on timestamp DEFAULT now(), execution_time int, success bool); INSERT INTO flyway_schema_history VALUES (1, '1', 'a', 'SQL', 'V1__a.sql', -873187034, 'me', now(), 1, true)",
        wrong: &[
            (
                "UPDATE flyway_schema_history SET checksum = 5",
                "error: the file of version 1 is not the one that ran: `public.flyway_schema_history` has another checksum",
            ),
            (
                "UPDATE flyway_schema_history SET success = false",
                "error: `public.flyway_schema_history` has version 1: failed",
            ),
        ],
    },
    Tool {
        layout: "goose",
        files: [
            (
                "00001_a.sql",
                "-- +goose Up\nALTER TABLE orders ADD COLUMN a int;\n",
            ),
            (
                "00002_b.sql",
                "-- +goose Up\nALTER TABLE orders ADD COLUMN b int;\n",
            ),
        ],
        table: "CREATE TABLE goose_db_version (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, version_id bigint, is_applied bool, tstamp timestamp DEFAULT now()); INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), (2, true), (2, false)",
        wrong: &[],
    },
    Tool {
        layout: "sqlx",
        files: [("0001_a.sql", UP), ("0002_b.sql", NEXT)],
        table: "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL, installed_on timestamptz NOT NULL DEFAULT now(), success boolean NOT NULL, checksum bytea NOT NULL, execution_time bigint NOT NULL); INSERT INTO _sqlx_migrations VALUES (1, 'a', now(), true, '\\x00714ca91baa49b3523a07123fbdc18d75c3cf7744bb02c67e431a0da12e46b75c049f67747705d69b56483956cee4a9', 5)",
        wrong: &[
            (
                "UPDATE _sqlx_migrations SET checksum = 'other'",
                "error: the file of version 1 is not the one that ran: `public._sqlx_migrations` has another checksum",
            ),
            (
                "UPDATE _sqlx_migrations SET success = false",
                "error: `public._sqlx_migrations` has version 1: dirty: it failed half way",
            ),
        ],
    },
];

fn make(database: &Database, sql: &str) {
    database.connect().batch_execute(sql).unwrap();
}

#[test]
fn the_tools_own_table_says_what_is_pending() {
    for major in showing("broken-migration-state") {
        for tool in TOOLS {
            let database = world(major);
            let mut question = pre("broken-migration-state").layout(tool.layout);
            for (name, text) in tool.files {
                question = question.file(name, text);
            }
            let pending = |expected: usize| {
                let report = question.report(&database, "postgres");
                assert_eq!(report.databases[0].pending, expected, "{}", tool.layout);
            };
            pending(2);
            make(&database, tool.table);
            let told = question.told(&database, monitor(&database));
            assert!(
                told[0].starts_with("unknown: the role `monitor` may not read `"),
                "{told:?}"
            );
            make(
                &database,
                "GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC",
            );
            question.is_silent(&database);
            pending(1);
            for (wrong, expected) in tool.wrong {
                make(&database, wrong);
                question.finds(&database, expected);
            }
        }
    }
}

#[test]
fn a_database_that_differs_from_its_migrations_is_named() {
    for major in showing("schema-drift") {
        let database = world(major);
        let question = pre("schema-drift")
            .layout("golang-migrate")
            .file("000001_a.up.sql", UP)
            .file("000002_b.up.sql", NEXT);
        make(&database, TOOLS[0].table);
        make(
            &database,
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC; ALTER TABLE orders ADD COLUMN a int",
        );
        question.is_silent(&database);
        make(&database, "ALTER TABLE orders ADD COLUMN by_hand int");
        question.finds(
            &database,
            "warning: `orders` has columns that no migration makes: `by_hand`",
        );
        make(
            &database,
            "ALTER TABLE orders DROP COLUMN by_hand, DROP COLUMN a",
        );
        question.finds(
            &database,
            "warning: `orders` lacks columns that the applied migrations make: `a`",
        );
        make(
            &database,
            "ALTER TABLE orders ADD COLUMN a int; CREATE TABLE by_hand (id int)",
        );
        question.finds(&database, "info: no migration makes the table `by_hand`");
        make(&database, "DROP TABLE by_hand, coupons");
        question.finds(
            &database,
            "warning: the table `coupons` that the applied migrations make is not there",
        );
    }
}

/// What differs is told fact by fact; what somebody keeps locked is not guessed.
#[test]
fn objects_that_differ_from_the_migrations_are_named() {
    for major in ends() {
        let database = world(major);
        let question = pre("schema-drift")
            .layout("golang-migrate")
            .file("000001_a.up.sql", UP)
            .file("000002_b.up.sql", NEXT);
        question.is_not_asked(&database);
        make(&database, TOOLS[0].table);
        make(
            &database,
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC; ALTER TABLE orders ADD COLUMN a int",
        );
        question.is_silent(&database);
        for (change, undo, expected) in [
            (
                "ALTER TABLE orders ALTER COLUMN a TYPE bigint",
                "ALTER TABLE orders ALTER COLUMN a TYPE int",
                "warning: `orders.a` differs: its type is int8, and the applied migrations make it int4",
            ),
            (
                "ALTER TABLE orders ALTER COLUMN status DROP NOT NULL",
                "ALTER TABLE orders ALTER COLUMN status SET NOT NULL",
                "warning: `orders.status` differs: its nullability is nullable, and the applied migrations make it NOT NULL",
            ),
            (
                "ALTER TABLE orders ALTER COLUMN a SET DEFAULT 7",
                "ALTER TABLE orders ALTER COLUMN a DROP DEFAULT",
                "warning: `orders.a` differs: its default is '7', and the applied migrations make it none",
            ),
            (
                "CREATE INDEX by_hand ON orders (note)",
                "DROP INDEX by_hand",
                "info: `orders` has indexes that no migration makes: `by_hand`",
            ),
            (
                "DROP INDEX idx_orders_status; CREATE INDEX idx_orders_status ON orders (status, note)",
                "DROP INDEX idx_orders_status; CREATE INDEX idx_orders_status ON orders (status)",
                "warning: the index `idx_orders_status` of `orders` differs: its key is status, note, and the applied migrations make it status",
            ),
            (
                "ALTER TABLE orders ADD CONSTRAINT by_hand CHECK (total > 0)",
                "ALTER TABLE orders DROP CONSTRAINT by_hand",
                "warning: `orders` has constraints that no migration makes: `by_hand`",
            ),
            (
                "ALTER TABLE orders RENAME CONSTRAINT orders_user_id_fkey TO x; ALTER TABLE orders DROP CONSTRAINT x",
                "ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users (id)",
                "warning: `orders` lacks constraints that the applied migrations make: `orders_user_id_fkey`",
            ),
            (
                "ALTER TABLE orders DROP CONSTRAINT orders_user_id_fkey, ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (id) REFERENCES users (id)",
                "ALTER TABLE orders DROP CONSTRAINT orders_user_id_fkey, ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)",
                "warning: the constraint `orders_user_id_fkey` of `orders` differs: its column list is id, and the applied migrations make it user_id",
            ),
        ] {
            make(&database, change);
            question.finds(&database, expected);
            make(&database, undo);
            question.is_silent(&database);
        }
        make(&database, "ALTER TABLE orders ADD COLUMN by_hand int");
        let mut holder = super::session(&database, "holder", "BEGIN; LOCK TABLE orders");
        question.is_silent(&database);
        holder.batch_execute("COMMIT").unwrap();
        question.finds(&database, "warning: `orders` has columns");
    }
}
