//! Replicas, slots, archives: the server around the database.

use super::{ends, pre};
use crate::servers::world;

#[test]
fn a_slot_that_nobody_reads_is_named() {
    let question = pre("slot-behind");
    for major in ends() {
        let database = world(major);
        question.is_silent(&database);
        let mut client = database.connect();
        client
            .batch_execute("SELECT pg_create_physical_replication_slot('forgotten', true)")
            .unwrap();
        question.finds(
            &database,
            "warning: nobody reads from the physical slot `forgotten`, and it keeps ",
        );
        client
            .batch_execute("SELECT pg_drop_replication_slot('forgotten')")
            .unwrap();
        question.is_silent(&database);
    }
}

#[test]
fn a_replica_that_is_not_there_is_named() {
    for major in ends() {
        let database = world(major);
        pre("replica-lagging").is_silent(&database);
        pre("replica-lagging")
            .option("expected", "1")
            .finds(&database, "error: 0 of 1 expected replicas are connected");
    }
}

#[test]
fn wal_that_is_not_archived_is_named() {
    for major in ends() {
        let database = world(major);
        pre("stalled-archiving").finds(
            &database,
            "warning: WAL is not archived (`archive_mode` is off, `wal_level` is replica)",
        );
    }
}

#[test]
fn a_table_that_is_nearly_due_for_a_freeze_is_named() {
    for major in ends() {
        let database = world(major);
        let question = pre("wraparound-vacuum").pending("ALTER TABLE orders ADD COLUMN x int;");
        question.is_silent(&database);
        question.option("nearly", "0").finds(
            &database,
            "warning: `orders` has reached 0 % of `autovacuum_freeze_max_age`",
        );
    }
}

#[test]
fn a_direct_connection_is_no_pooler() {
    for major in ends() {
        pre("transaction-pooler").is_silent(&world(major));
    }
}
