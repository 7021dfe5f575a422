//! Sessions that stand in the way.

use super::{ends, plain, pre, session, showing, wait_for};
use crate::servers::world;

#[test]
fn a_long_transaction_is_named() {
    let question = pre("long-transaction").option("warning", "200ms");
    for major in showing("long-transaction") {
        let database = world(major);
        question.is_silent(&database);
        let mut idle = session(&database, "report", "BEGIN; SELECT 'secret', 1");
        std::thread::sleep(std::time::Duration::from_millis(300));
        question.finds(
            &database,
            "warning: session …(`postgres`, `report`) has a transaction open for …; it is idle in transaction for …, last `SET application_name = '…'; BEGIN; SELECT '…', 1`",
        );
        // Old enough for the second threshold.
        question
            .clone()
            .option("error", "250ms")
            .finds(&database, "error: session …");
        assert_eq!(
            question.told(&database, plain(&database)),
            [
                "unknown: the role `plain` does not see what the sessions of other roles do (GRANT pg_monitor TO plain)"
            ]
        );
        idle.batch_execute("COMMIT").unwrap();
        question.is_silent(&database);
    }
}

#[test]
fn a_prepared_transaction_is_named() {
    for major in ends() {
        let database = world(major);
        let mut client = database.connect();
        client
            .batch_execute("BEGIN; LOCK TABLE orders; PREPARE TRANSACTION 'lost'")
            .unwrap();
        pre("long-transaction").option("warning", "0").finds(
            &database,
            "warning: the prepared transaction `lost` is open for …and keeps its locks without a session",
        );
        pre("target-locked")
            .pending("SET lock_timeout = '1min';\nCREATE INDEX CONCURRENTLY orders_note ON orders (id);")
            .finds(
                &database,
                "error: the migration needs a SHARE UPDATE EXCLUSIVE lock on `orders`, and the prepared transaction `lost` holds ACCESS EXCLUSIVE, in a transaction of …",
            );
        client.batch_execute("ROLLBACK PREPARED 'lost'").unwrap();
    }
}

#[test]
fn a_holder_of_a_target_is_named() {
    let question = pre("target-locked")
        .pending("SET lock_timeout = '5s';\nALTER TABLE orders ADD COLUMN note text;");
    for major in showing("target-locked") {
        let database = world(major);
        question.is_silent(&database);
        let mut idle = session(&database, "app", "BEGIN; SELECT count(*) FROM orders");
        question.finds(
            &database,
            "error: the migration needs an ACCESS EXCLUSIVE lock on `orders`, and session …(`postgres`, `app`) holds ACCESS SHARE, in a transaction of …; it is idle in transaction",
        );
        // What does not conflict is nobody's business.
        pre("target-locked")
            .pending("CREATE INDEX CONCURRENTLY orders_note ON orders (id);")
            .is_silent(&database);
        idle.batch_execute("COMMIT").unwrap();
        question.is_silent(&database);
    }
}

#[test]
fn a_server_of_another_version_is_named() {
    for major in ends() {
        let database = world(major);
        let mut told = pre("unfit-session").told(&database, "postgres");
        let superuser = told.pop().unwrap();
        assert_eq!(superuser, "info: the role `postgres` is a superuser");
        let other: Vec<String> = if major == 18 {
            Vec::new()
        } else {
            vec![format!(
                "warning: the files are checked for PostgreSQL 18, and the server is {major}"
            )]
        };
        assert_eq!(told, other);
        assert_eq!(
            pre("unfit-session").told(&database, super::monitor(&database)),
            other
        );
    }
}

#[test]
fn a_snapshot_that_concurrently_waits_for_is_named() {
    let build = pre("old-snapshot")
        .pending("CREATE INDEX CONCURRENTLY orders_note ON orders (note);")
        .option("warning", "0");
    for major in showing("old-snapshot") {
        let database = world(major);
        build.is_silent(&database);
        let mut report = session(
            &database,
            "dump",
            "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM users",
        );
        build.finds(
            &database,
            "warning: CREATE INDEX would wait for session …(`postgres`, `dump`), whose transaction is open for …; it is idle in transaction",
        );
        pre("old-snapshot")
            .pending("CREATE INDEX orders_note ON orders (note);")
            .option("warning", "0")
            .is_silent(&database);
        report.batch_execute("COMMIT").unwrap();
        build.is_silent(&database);
    }
}

#[test]
fn the_root_of_waiting_sessions_is_named() {
    let question = pre("blocked-session").option("warning", "1");
    for major in showing("blocked-session") {
        let database = world(major);
        question.is_silent(&database);
        let mut root = session(&database, "root", "BEGIN; LOCK TABLE orders");
        let mut waiting = Vec::new();
        for name in ["first", "second"] {
            let mut client = session(&database, name, "SELECT 1");
            waiting.push(std::thread::spawn(move || {
                client
                    .batch_execute("UPDATE orders SET note = 'x' WHERE id = 1")
                    .unwrap();
            }));
        }
        wait_for(
            &mut database.connect(),
            "SELECT count(*) = 2 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
        );
        std::thread::sleep(std::time::Duration::from_millis(20));
        question.finds(
            &database,
            "warning: 2 sessions wait for session …(`postgres`, `root`) (it is idle in transaction for …), the longest for ",
        );
        question
            .clone()
            .option("error", "5")
            .finds(&database, "error: 2 sessions wait");
        root.batch_execute("COMMIT").unwrap();
        for thread in waiting {
            thread.join().unwrap();
        }
        question.is_silent(&database);
    }
}

#[test]
fn another_migration_is_named() {
    let question = pre("concurrent-migration");
    for major in showing("concurrent-migration") {
        let database = world(major);
        question.is_silent(&database);
        let mut tool = session(&database, "tool", "SELECT pg_advisory_lock(42)");
        question.finds(
            &database,
            "warning: session …(`postgres`, `tool`) holds an advisory lock, as migration tools do; it is idle for ",
        );
        tool.batch_execute(
            "SELECT pg_advisory_unlock(42); BEGIN; ALTER TABLE users ADD COLUMN x int",
        )
        .unwrap();
        question.finds(
            &database,
            "error: session …(`postgres`, `tool`) changes the schema; it is idle in transaction",
        );
        tool.batch_execute("ROLLBACK; BEGIN; CREATE TEMP TABLE t (a int); ROLLBACK")
            .unwrap();
        question.is_silent(&database);
    }
}

#[test]
fn few_connections_left_are_counted() {
    for major in showing("few-connections-left") {
        let database = world(major);
        let question = pre("few-connections-left");
        question
            .clone()
            .option("warning", "99")
            .is_silent(&database);
        database
            .connect()
            .batch_execute(&format!(
                "ALTER DATABASE {} CONNECTION LIMIT 4",
                database.name()
            ))
            .unwrap();
        let _held: Vec<_> = (0..2).map(|_| database.connect()).collect();
        question.finds(
            &database,
            &format!(
                "warning: 3 of 4 usable connections of the database {} are taken, 75 %",
                database.name()
            ),
        );
        let unknown = question.told(&database, plain(&database));
        assert_eq!(unknown.len(), 1);
        assert!(unknown[0].starts_with("unknown: "), "{unknown:?}");
    }
}
