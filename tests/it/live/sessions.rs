//! Sessions that stand in the way.

use super::{ends, plain, pre, session};
use crate::servers::world;

#[test]
fn a_long_transaction_is_named() {
    let question = pre("long-transaction").option("warning", "200ms");
    for major in ends() {
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
    for major in ends() {
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
