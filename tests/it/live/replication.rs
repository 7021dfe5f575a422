//! Logical replication.

use super::{ends, pre, showing};
use crate::servers::{Database, world};

fn run(database: &Database, sql: &str) {
    database.connect().batch_execute(sql).unwrap();
}

#[test]
fn a_subscription_that_stands_still_is_named() {
    for major in showing("stalled-subscription") {
        let database = world(major);
        let question = pre("stalled-subscription");
        question.is_silent(&database);
        run(
            &database,
            "CREATE SUBSCRIPTION shop CONNECTION 'host=/nowhere dbname=x' PUBLICATION all_of_it WITH (connect = false)",
        );
        question.finds(
            &database,
            "warning: the subscription `shop` is switched off",
        );
        run(&database, "ALTER SUBSCRIPTION shop ENABLE");
        question.finds(
            &database,
            "error: the subscription `shop` has no worker: it does not run, or it fails again and again",
        );
        run(
            &database,
            "ALTER SUBSCRIPTION shop DISABLE; SET allow_system_table_mods = on; \
             INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate) SELECT oid, 'orders'::regclass, 'd' FROM pg_subscription WHERE subname = 'shop'",
        );
        let told = question.says(&database);
        assert!(
            told.iter().any(|line| line.starts_with(
                "error: tables of the subscription `shop` do not follow yet, 1 in all, among them `"
            )),
            "{told:?}"
        );
        run(
            &database,
            "SET allow_system_table_mods = on; UPDATE pg_subscription_rel SET srsubstate = 'r'",
        );
        let told = question
            .clone()
            .pending("ALTER TABLE orders ADD COLUMN x int;")
            .says(&database);
        assert!(
            told.contains(&"warning: the migrations change columns of `orders`, which the subscription `shop` fills, and the publisher does not hear of it".to_owned()),
            "{told:?}"
        );
        run(
            &database,
            "ALTER SUBSCRIPTION shop SET (slot_name = NONE); DROP SUBSCRIPTION shop",
        );
        question.is_silent(&database);
    }
}

#[test]
fn a_published_table_without_identity_is_named() {
    for major in ends() {
        let database = world(major);
        let question = pre("stalled-subscription");
        run(
            &database,
            "CREATE TABLE no_key (id int); CREATE PUBLICATION p FOR TABLE orders, no_key",
        );
        question.finds(
            &database,
            "error: `no_key` is published by `p` and has no replica identity: UPDATE and DELETE of it fail",
        );
        // So it is.
        run(&database, "INSERT INTO no_key VALUES (1)");
        let refused = database.connect().batch_execute("DELETE FROM no_key");
        assert!(refused.is_err());
        run(&database, "ALTER TABLE no_key REPLICA IDENTITY FULL");
        question.is_silent(&database);
        let adds = question
            .clone()
            .pending("ALTER TABLE orders ADD COLUMN x int;");
        adds.finds(
            &database,
            "warning: the migrations change columns of `orders`, which `p` publishes, and no subscriber hears of it",
        );
        question
            .pending("CREATE INDEX CONCURRENTLY i ON orders (note);")
            .is_silent(&database);
    }
}
