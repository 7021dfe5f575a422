//! What is asked after a migration.

use lockgate::probe::When;

use super::{Question, ends, monitor, pre, session, showing, wait_for};
use crate::servers::{Database, world};

fn post(probe: &'static str) -> Question<'static> {
    Question {
        when: When::Post,
        ..pre(probe)
    }
}

fn run(database: &Database, sql: &str) {
    database.connect().batch_execute(sql).unwrap();
}

#[test]
fn what_a_migration_promises_must_be_there() {
    const UP: &str = "ALTER TABLE orders ADD COLUMN paid_at timestamptz, ADD COLUMN code varchar(20), ADD COLUMN share numeric(5);\n\
        ALTER TABLE orders ALTER COLUMN note SET NOT NULL;\n\
        CREATE INDEX orders_paid_at ON orders (paid_at);\n\
        ALTER TABLE orders ADD CONSTRAINT orders_paid CHECK (paid_at > '2020-01-01') NOT VALID;\n\
        CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';\n\
        CREATE TRIGGER orders_stamp BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION stamp();\n\
        ALTER TABLE orders ENABLE ROW LEVEL SECURITY; ALTER TABLE orders FORCE ROW LEVEL SECURITY;\n\
        CREATE POLICY everybody ON orders USING (true);\n\
        CREATE TABLE refunds (id bigint PRIMARY KEY, days int[] NOT NULL);\n\
        DROP INDEX idx_orders_user_id;";
    for major in showing("unkept-promise") {
        let database = world(major);
        let question = post("unkept-promise").pending(UP);
        run(&database, "UPDATE orders SET note = 'x' WHERE note IS NULL");
        run(&database, UP);
        question.is_silent(&database);
        for (undo, redo, expected) in [
            (
                "ALTER TABLE orders RENAME paid_at TO paid",
                "ALTER TABLE orders RENAME paid TO paid_at",
                "error: `orders` lacks the column `paid_at`",
            ),
            (
                "ALTER TABLE orders ALTER COLUMN code TYPE varchar(30)",
                "ALTER TABLE orders ALTER COLUMN code TYPE varchar(20)",
                "error: `orders.code` is character varying(30), and the migrations make it varchar(20)",
            ),
            (
                "ALTER TABLE orders ALTER COLUMN share TYPE numeric(5,2)",
                "ALTER TABLE orders ALTER COLUMN share TYPE numeric(5)",
                "error: `orders.share` is numeric(5,2), and the migrations make it numeric(5)",
            ),
            (
                "ALTER TABLE orders ALTER COLUMN note DROP NOT NULL",
                "ALTER TABLE orders ALTER COLUMN note SET NOT NULL",
                "error: `orders.note` takes NULL, and the migrations make it NOT NULL",
            ),
            (
                "ALTER INDEX orders_paid_at RENAME TO x",
                "ALTER INDEX x RENAME TO orders_paid_at",
                "error: `orders` lacks the index `orders_paid_at`",
            ),
            (
                "ALTER TABLE orders RENAME CONSTRAINT orders_paid TO x",
                "ALTER TABLE orders RENAME CONSTRAINT x TO orders_paid",
                "error: `orders` lacks the constraint `orders_paid`",
            ),
            (
                "ALTER TRIGGER orders_stamp ON orders RENAME TO x",
                "ALTER TRIGGER x ON orders RENAME TO orders_stamp",
                "error: `orders` lacks the trigger `orders_stamp`",
            ),
            (
                "ALTER POLICY everybody ON orders RENAME TO x",
                "ALTER POLICY x ON orders RENAME TO everybody",
                "error: `orders` lacks the policy `everybody`",
            ),
            (
                "ALTER TABLE orders DISABLE ROW LEVEL SECURITY",
                "ALTER TABLE orders ENABLE ROW LEVEL SECURITY",
                "error: row level security of `orders` is not enabled",
            ),
            (
                "ALTER TABLE orders NO FORCE ROW LEVEL SECURITY",
                "ALTER TABLE orders FORCE ROW LEVEL SECURITY",
                "error: row level security of `orders` is not forced",
            ),
            (
                "ALTER TABLE refunds RENAME TO x",
                "ALTER TABLE x RENAME TO refunds",
                "error: the table `refunds` is not there",
            ),
            (
                "CREATE INDEX idx_orders_user_id ON orders (user_id)",
                "DROP INDEX idx_orders_user_id",
                "error: indexes of `orders` that the migrations drop are still there: `idx_orders_user_id`",
            ),
        ] {
            run(&database, undo);
            question.finds(&database, expected);
            run(&database, redo);
        }
        question.is_silent(&database);
    }
}

#[test]
fn a_migration_that_did_not_run_is_named() {
    for major in showing("unapplied-migration") {
        let database = world(major);
        monitor(&database);
        let question = post("unapplied-migration")
            .layout("golang-migrate")
            .file("000001_a.up.sql", "ALTER TABLE orders ADD COLUMN a int;")
            .file("000002_b.up.sql", "ALTER TABLE orders ADD COLUMN b int;");
        run(
            &database,
            "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL); INSERT INTO schema_migrations VALUES (1, false); GRANT SELECT ON schema_migrations TO monitor",
        );
        question.finds(
            &database,
            "error: the migration `000002` is not in `public.schema_migrations`",
        );
        run(&database, "UPDATE schema_migrations SET version = 2");
        question.is_silent(&database);
    }
}

#[test]
fn statistics_from_before_a_backfill_are_named() {
    let question = post("stale-statistics");
    for major in showing("stale-statistics") {
        let database = world(major);
        run(&database, "ANALYZE");
        wait_for(
            &mut database.connect(),
            "SELECT sum(n_mod_since_analyze) = 0 FROM pg_stat_all_tables WHERE schemaname = 'public'",
        );
        question.is_silent(&database);
        // Counters reach the others when the session ends.
        run(&database, "UPDATE orders SET note = 'new'");
        let mut client = database.connect();
        wait_for(
            &mut client,
            "SELECT n_mod_since_analyze >= 1000 FROM pg_stat_all_tables WHERE relname = 'orders'",
        );
        question.finds(
            &database,
            "warning: 1000 rows of `orders` were written since its last ANALYZE, 100 % of what it holds",
        );
        run(&database, "ANALYZE orders");
        wait_for(
            &mut client,
            "SELECT n_mod_since_analyze = 0 FROM pg_stat_all_tables WHERE relname = 'orders'",
        );
        question.is_silent(&database);
    }
}

#[test]
fn policies_without_row_level_security_are_named() {
    let question = post("row-security-gap");
    for major in showing("row-security-gap") {
        let database = world(major);
        question.is_silent(&database);
        run(&database, "CREATE POLICY mine ON orders USING (true)");
        question.finds(
            &database,
            "error: `orders` has policies, and they do nothing",
        );
        run(&database, "ALTER TABLE orders ENABLE ROW LEVEL SECURITY");
        question.is_silent(&database);
        run(&database, "DROP POLICY mine ON orders");
        question.finds(
            &database,
            "warning: row level security of `orders` is enabled, and no policy",
        );
    }
}

#[test]
fn growth_since_the_snapshot_is_named_and_never_waits() {
    for major in showing("grown-table") {
        let database = world(major);
        let before = super::snapshots::taken(&database, "postgres");
        let question = post("grown-table").before(&before);
        question.is_silent(&database);
        run(
            &database,
            "INSERT INTO coupons (code, discount) SELECT 'c' || i, 1 FROM generate_series(1, 300000) i; ANALYZE coupons",
        );
        let mut holder = session(&database, "holder", "BEGIN; LOCK TABLE orders");
        question.finds(
            &database,
            "warning: `coupons` takes …MB, and took 0 MB before",
        );
        holder.batch_execute("COMMIT").unwrap();
    }
}

#[test]
fn a_statement_that_became_slower_is_named() {
    for major in showing("slower-statement") {
        let database = world(major);
        let mut client = database.connect();
        if client
            .batch_execute("CREATE EXTENSION pg_stat_statements")
            .is_err()
        {
            continue;
        }
        let mut many = || {
            for _ in 0..150 {
                client
                    .batch_execute("SELECT count(*) FROM orders WHERE total > 1")
                    .unwrap();
            }
        };
        many();
        let mut before = super::snapshots::taken(&database, "postgres");
        let question = post("slower-statement");
        assert!(before.statements.iter().any(|one| one.calls >= 150));
        many();
        // As fast as before, give or take what a busy machine does.
        question
            .clone()
            .option("warning", "100000")
            .before(&before)
            .is_silent(&database);
        for statement in &mut before.statements {
            statement.mean_ms /= 1000.0;
        }
        question.before(&before).finds(
            &database,
            "error: a statement takes …: `SELECT count(*) FROM orders WHERE total > $1`",
        );
    }
}

#[test]
fn without_a_snapshot_nothing_is_said_about_before() {
    for major in ends() {
        let database = world(major);
        post("grown-table").is_silent(&database);
        post("slower-statement").is_silent(&database);
    }
}
