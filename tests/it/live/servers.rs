//! Replicas, slots, archives: the server around the database.

use super::{ends, pre, showing, wait_for};
use crate::servers::{Own, Setup, world};

#[test]
fn a_slot_that_nobody_reads_is_named() {
    let question = pre("slot-behind");
    for major in showing("slot-behind") {
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
fn wal_that_is_not_archived_is_named() {
    let question = pre("stalled-archiving");
    for major in showing("stalled-archiving") {
        question.finds(
            &world(major),
            "warning: WAL is not archived (`archive_mode` is off, `wal_level` is replica)",
        );
        let server = Own::start(
            major,
            &Setup {
                settings: &["archive_mode=on"],
                ..Setup::default()
            },
        );
        // Without a command nothing is archived, and nothing fails.
        let database = server.world();
        question.finds(
            &database,
            "warning: WAL is to be archived, and none has been since the statistics began",
        );
        server.reload("archive_command = 'true'");
        let mut client = database.connect();
        client.batch_execute("SELECT pg_switch_wal()").unwrap();
        wait_for(
            &mut client,
            "SELECT archived_count > 0 FROM pg_stat_archiver",
        );
        question.is_silent(&database);
        question
            .clone()
            .option("age", "0")
            .finds(&database, "warning: the last WAL was archived ");
        // The archive is full, say.
        server.reload("archive_command = 'false'");
        client
            .batch_execute("UPDATE orders SET note = 'x'; SELECT pg_switch_wal()")
            .unwrap();
        wait_for(&mut client, "SELECT failed_count > 0 FROM pg_stat_archiver");
        question.finds(
            &database,
            "error: archiving WAL fails: …times so far, last …",
        );
        server.reload("archive_command = 'true'");
        wait_for(
            &mut client,
            "SELECT last_archived_time > last_failed_time FROM pg_stat_archiver",
        );
        question.is_silent(&database);
    }
}

#[test]
fn a_vacuum_against_wraparound_is_named() {
    // As many transactions as the setting allows at least.
    const BURN: &str =
        "DO $$ BEGIN FOR i IN 1..97000 LOOP PERFORM txid_current(); COMMIT; END LOOP; END $$";
    for major in showing("wraparound-vacuum") {
        let server = Own::start(
            major,
            &Setup {
                settings: &[
                    "autovacuum_freeze_max_age=100000",
                    "autovacuum=on",
                    "autovacuum_naptime=1",
                ],
                ..Setup::default()
            },
        );
        let database = server.world();
        // No vacuum but that one, and so slow that somebody can look at it.
        database
            .connect()
            .batch_execute(
                "ALTER TABLE orders SET (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1, \
                 autovacuum_vacuum_threshold = 1000000, autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_threshold = 1000000); \
                 INSERT INTO orders (user_id, status, total) SELECT 1, 'paid', 1 FROM generate_series(1, 5000)",
            )
            .unwrap();
        let question = pre("wraparound-vacuum").pending("ALTER TABLE orders ADD COLUMN x int;");
        question.is_silent(&database);
        let mut client = database.connect();
        client.batch_execute(BURN).unwrap();
        question.finds(
            &database,
            "warning: `orders` has reached 9… % of `autovacuum_freeze_max_age`",
        );
        // What takes no lock that such a vacuum holds is not concerned.
        pre("wraparound-vacuum")
            .pending("INSERT INTO orders (user_id) VALUES (1);")
            .is_silent(&database);
        client
            .batch_execute(&BURN.replace("97000", "5000"))
            .unwrap();
        wait_for(
            &mut client,
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'autovacuum worker' AND query LIKE '%public.orders (to prevent wraparound)')",
        );
        question.finds(&database, "error: autovacuum …has worked on `orders` for …to prevent wraparound, and does not give way");
    }
}

#[test]
fn a_direct_connection_is_no_pooler() {
    for major in ends() {
        pre("transaction-pooler").is_silent(&world(major));
    }
}
