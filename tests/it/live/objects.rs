//! Tables, indexes, constraints and rows that a migration would meet.

use lockgate::probe::Outside;

use super::{monitor, plain, pre, session, showing, wait_for};
use crate::servers::{Database, world};

fn run(database: &Database, sql: &str) {
    database.connect().batch_execute(sql).unwrap();
}

#[test]
fn an_index_that_a_cancelled_build_left_is_named() {
    let question = pre("invalid-index");
    for major in showing("invalid-index") {
        let database = world(major);
        question.is_silent(&database);
        // The build waits for the snapshot of the other session, and is cancelled there.
        let mut holder = session(
            &database,
            "holder",
            "BEGIN; LOCK TABLE orders IN ROW EXCLUSIVE MODE",
        );
        let mut builder = session(&database, "builder", "SET lock_timeout = '50ms'");
        builder
            .batch_execute("CREATE INDEX CONCURRENTLY orders_note ON orders (note)")
            .unwrap_err();
        holder.batch_execute("COMMIT").unwrap();
        question.finds(
            &database,
            "error: the index `orders_note` on `orders` is not valid",
        );
        let report = question
            .clone()
            .pending("CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_note ON orders (note);")
            .report(&database, "postgres");
        let label = &report.diagnostics[0].labels[0].text;
        assert_eq!(label, "does nothing as long as the invalid one is there");
        run(&database, "DROP INDEX orders_note");
        question.is_silent(&database);
    }
}

#[test]
fn an_unvalidated_constraint_is_named() {
    let question = pre("unvalidated-constraint");
    for major in showing("unvalidated-constraint") {
        let database = world(major);
        question.finds(
            &database,
            "warning: the CHECK constraint `orders_total_present` of `orders` is not validated",
        );
        let validates = question
            .clone()
            .pending("ALTER TABLE orders VALIDATE CONSTRAINT orders_total_present;");
        validates.finds(
            &database,
            "info: the CHECK constraint `orders_total_present`",
        );
        run(
            &database,
            "ALTER TABLE orders VALIDATE CONSTRAINT orders_total_present",
        );
        question.is_silent(&database);
    }
}

#[test]
fn a_disabled_trigger_is_named() {
    let question = pre("disabled-trigger");
    for major in showing("disabled-trigger") {
        let database = world(major);
        question.is_silent(&database);
        run(&database, "ALTER TABLE order_lines DISABLE TRIGGER ALL");
        question.finds(
            &database,
            "error: triggers of `order_lines` that check `order_lines_order_id_fkey` and `order_lines_product_id_fkey` are switched off",
        );
        run(
            &database,
            "ALTER TABLE order_lines ENABLE TRIGGER ALL; ALTER TABLE orders DISABLE TRIGGER orders_trim_note",
        );
        question.finds(
            &database,
            "warning: triggers of `orders` are switched off: `orders_trim_note`",
        );
        run(&database, "ALTER TABLE orders ENABLE TRIGGER ALL");
        question.is_silent(&database);
    }
}

#[test]
fn dependents_of_what_is_dropped_are_named() {
    for major in showing("dependent-object") {
        let database = world(major);
        let drops = pre("dependent-object").pending("ALTER TABLE users DROP COLUMN age;");
        drops.finds(
            &database,
            "error: view public.active_users depends on `users.age`",
        );
        let retypes =
            pre("dependent-object").pending("ALTER TABLE users ALTER COLUMN age TYPE bigint;");
        retypes.finds(
            &database,
            "error: view public.active_users depends on `users.age`",
        );
        // The plan takes the view away first.
        pre("dependent-object")
            .pending("DROP VIEW active_users; ALTER TABLE users DROP COLUMN age;")
            .is_silent(&database);
        pre("dependent-object")
            .pending("ALTER TABLE users DROP COLUMN phone;")
            .is_silent(&database);
        run(
            &database,
            "CREATE FUNCTION phones() RETURNS SETOF text LANGUAGE plpgsql AS 'BEGIN RETURN QUERY SELECT phone::text FROM users; END'",
        );
        pre("dependent-object")
            .pending("ALTER TABLE users DROP COLUMN phone;")
            .finds(&database, "warning: the function `public.phones()` names `users.phone`, and PostgreSQL does not notice");
        pre("dependent-object")
            .pending("DROP TABLE coupons;")
            .is_silent(&database);
        let table = pre("dependent-object").pending("DROP TABLE products;");
        table.finds(&database, "error: constraint order_lines_product_id_fkey on table …order_lines depends on `products`");
    }
}

#[test]
fn a_query_that_uses_a_dropped_column_is_named() {
    for major in showing("column-still-queried") {
        let database = world(major);
        let question =
            pre("column-still-queried").pending("ALTER TABLE orders DROP COLUMN coupon_id;");
        let told = question.told(&database, monitor(&database));
        assert!(
            told[0].starts_with(
                "unknown: which queries run is not known: `pg_stat_statements` is not installed"
            ),
            "{told:?}"
        );
        let mut client = database.connect();
        if client
            .batch_execute("CREATE EXTENSION pg_stat_statements")
            .is_err()
        {
            continue;
        }
        client
            .batch_execute("SELECT pg_stat_statements_reset()")
            .unwrap();
        client
            .batch_execute("SELECT id FROM orders WHERE note = 'a'")
            .unwrap();
        let told = question.told(&database, monitor(&database));
        assert!(
            told[0].starts_with("unknown: no query uses what goes away, and "),
            "{told:?}"
        );
        client
            .batch_execute("SELECT o.id FROM orders o WHERE o.coupon_id = 5")
            .unwrap();
        question.finds(
            &database,
            "error: queries use `orders.coupon_id`: `SELECT o.id FROM orders o WHERE o.coupon_id = $1`, 1 times",
        );
        let told = question.told(&database, plain(&database));
        assert!(
            told[0].starts_with("unknown: the role `plain` does not see"),
            "{told:?}"
        );
        pre("column-still-queried")
            .pending("ALTER TABLE orders ADD COLUMN x int;")
            .is_silent(&database);
        // A window that the statistics reach over.
        if major >= 14 {
            client
                .batch_execute("SELECT pg_stat_statements_reset()")
                .unwrap();
            question.option("window", "0").is_silent(&database);
        }
    }
}

#[test]
fn an_index_in_use_is_named_before_it_is_dropped() {
    for major in showing("index-in-use") {
        let database = world(major);
        let question = pre("index-in-use").pending("DROP INDEX CONCURRENTLY idx_orders_user_id;");
        let unused = question.clone().option("window", "0");
        unused.is_silent(&database);
        let told = question.told(&database, "postgres");
        assert!(told[0].starts_with("unknown: the index `idx_orders_user_id` was not used, and the statistics reach only"), "{told:?}");
        {
            let mut client = database.connect();
            client
                .batch_execute(
                    "SET enable_seqscan = off; SELECT count(*) FROM orders WHERE user_id = 5",
                )
                .unwrap();
        }
        wait_for(
            &mut database.connect(),
            "SELECT idx_scan > 0 FROM pg_stat_user_indexes WHERE indexrelname = 'idx_orders_user_id'",
        );
        question.finds(
            &database,
            "error: the index `idx_orders_user_id` of `orders` was used 1 times within ",
        );
        pre("index-in-use")
            .pending("DROP INDEX CONCURRENTLY idx_products_sku;")
            .finds(
                &database,
                "warning: the index `idx_products_sku` keeps rows of `products` unique",
            );
    }
}

#[test]
fn work_on_a_large_table_is_measured() {
    for major in showing("large-target") {
        let database = world(major);
        let rewrite =
            pre("large-target").pending("ALTER TABLE orders ALTER COLUMN coupon_id TYPE bigint;");
        rewrite.is_silent(&database);
        rewrite
            .clone()
            .option("warning", "1000")
            .finds(&database, "warning: `orders` has about 1000 rows (…), and the migration does its work (scan, rewrite and index build) under an ACCESS EXCLUSIVE lock");
        rewrite
            .clone()
            .option("warning", "10")
            .option("error", "1000")
            .finds(&database, "error: ");
        rewrite.clone().option("free", "200000").finds(
            &database,
            "error: the migrations write about …and …are free: less than twice as much",
        );
        let told = rewrite
            .clone()
            .option("headroom", "1")
            .told(&database, monitor(&database));
        assert!(
            told[0].starts_with("unknown: the migrations write about "),
            "{told:?}"
        );
        pre("large-target")
            .pending("CREATE INDEX CONCURRENTLY orders_note ON orders (note);")
            .option("warning", "1000")
            .is_silent(&database);
    }
}

#[test]
fn rows_that_break_a_constraint_are_found() {
    for major in showing("violated-constraint") {
        let database = world(major);
        run(
            &database,
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC",
        );
        for (sql, breaks, expected) in [
            (
                "ALTER TABLE orders ALTER COLUMN note SET NOT NULL;",
                "UPDATE orders SET note = NULL WHERE id = 7",
                "error: rows of `orders` break NOT NULL of `note`",
            ),
            (
                "ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0) NOT VALID;",
                "UPDATE orders SET total = -1 WHERE id = 7",
                "error: rows of `orders` break CHECK (total > 0)",
            ),
            (
                "CREATE UNIQUE INDEX CONCURRENTLY c ON coupons (discount);",
                "UPDATE coupons SET discount = 1",
                "error: rows of `coupons` break UNIQUE (discount)",
            ),
            (
                "ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY (coupon_id) REFERENCES coupons (id);",
                "DELETE FROM coupons WHERE id = 3",
                "error: rows of `orders` break FOREIGN KEY (coupon_id) to `coupons`",
            ),
            (
                "ALTER TABLE orders VALIDATE CONSTRAINT orders_total_present;",
                "ALTER TABLE orders DISABLE TRIGGER ALL; ALTER TABLE orders DROP CONSTRAINT orders_total_present; UPDATE orders SET total = NULL WHERE id = 9",
                "error: rows of `orders` break CHECK (total IS NOT NULL)",
            ),
        ] {
            let question = pre("violated-constraint").pending(sql);
            question.is_silent(&database);
            run(&database, breaks);
            question.finds(&database, expected);
        }
        let question = pre("violated-constraint")
            .pending("ALTER TABLE orders ALTER COLUMN note SET NOT NULL;");
        let mut holder = session(&database, "holder", "BEGIN; LOCK TABLE orders");
        let told = question.told(&database, "postgres");
        assert!(told[0].starts_with("unknown: whether rows of `orders` break NOT NULL of `note` is not known: somebody keeps the table locked"), "{told:?}");
        holder.batch_execute("COMMIT").unwrap();
        run(
            &database,
            "REVOKE SELECT ON ALL TABLES IN SCHEMA public FROM PUBLIC",
        );
        assert_eq!(
            question.told(&database, monitor(&database)),
            [
                "unknown: whether rows of `orders` break NOT NULL of `note` is not known: the role `monitor` may not read it (GRANT SELECT ON orders TO monitor)"
            ]
        );
    }
}

#[test]
fn a_role_that_may_not_migrate_is_named() {
    for major in showing("missing-privilege") {
        let database = world(major);
        plain(&database);
        pre("missing-privilege").is_silent(&database);
        let question = pre("missing-privilege").pending("ALTER TABLE orders ADD COLUMN x int;");
        question.finds(&database, "unknown: whether the migrations may do what they do is not known: nothing says which role runs them");
        let named = Outside {
            role: Some("plain".to_owned()),
            ..Outside::default()
        };
        question
            .clone()
            .option("role", "postgres")
            .handing(named)
            .finds(&database, "error: the role `plain` does not own `orders`");
        question
            .clone()
            .option("role", "postgres")
            .is_silent(&database);
        question.clone().option("role", "plain").finds(
            &database,
            "error: the role `plain` does not own `orders`, `postgres` does",
        );
        question
            .option("role", "nobody")
            .finds(&database, "error: there is no role `nobody` on this server");
        run(&database, "REVOKE CREATE ON SCHEMA public FROM PUBLIC");
        pre("missing-privilege")
            .pending("CREATE TABLE x (id int);")
            .option("role", "plain")
            .finds(
                &database,
                "error: the role `plain` may not create anything in the schema `public`",
            );
    }
}

#[test]
fn a_role_without_lock_timeout_is_named() {
    for major in showing("role-without-timeout") {
        let database = world(major);
        let question = pre("role-without-timeout").pending("ALTER TABLE orders ADD COLUMN x int;");
        question.finds(&database, "warning: nothing limits how long a migration waits for an ACCESS EXCLUSIVE lock on `orders`");
        pre("role-without-timeout")
            .pending("SET lock_timeout = '2s'; ALTER TABLE orders ADD COLUMN x int;")
            .is_silent(&database);
        run(
            &database,
            &format!("ALTER DATABASE {} SET lock_timeout = '2s'", database.name()),
        );
        question.is_silent(&database);
    }
}

#[test]
fn rows_without_a_parent_are_found() {
    let question = pre("orphan-row");
    for major in showing("orphan-row") {
        let database = world(major);
        run(
            &database,
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC",
        );
        question.is_silent(&database);
        // Nobody looks at keys that PostgreSQL keeps.
        run(
            &database,
            "ALTER TABLE order_lines DISABLE TRIGGER ALL; DELETE FROM orders WHERE id = 7; \
             UPDATE order_lines SET order_id = 7 WHERE order_id = 8",
        );
        question.finds(
            &database,
            "error: rows of `order_lines` have no parent in `orders`: `order_lines_order_id_fkey` has a trigger that is switched off",
        );
        run(
            &database,
            "DELETE FROM order_lines WHERE order_id = 7; ALTER TABLE order_lines ENABLE TRIGGER ALL",
        );
        question.is_silent(&database);
        run(
            &database,
            "UPDATE orders SET coupon_id = 99 WHERE id = 9; ALTER TABLE orders ADD CONSTRAINT own FOREIGN KEY (coupon_id) REFERENCES coupons (id) NOT VALID",
        );
        question.finds(
            &database,
            "error: rows of `orders` have no parent in `coupons`: `own` is not validated",
        );
        let mut holder = session(&database, "holder", "BEGIN; LOCK TABLE orders");
        question.finds(
            &database,
            "unknown: whether `orders` has rows without a parent by `own` is not known: somebody keeps the table locked",
        );
        holder.batch_execute("COMMIT").unwrap();
        run(
            &database,
            "REVOKE SELECT ON ALL TABLES IN SCHEMA public FROM PUBLIC",
        );
        let told = question.told(&database, monitor(&database));
        assert_eq!(
            told,
            [
                "unknown: whether `orders` has rows without a parent by `own` is not known: the role `monitor` may not read it (GRANT SELECT ON public.orders, public.coupons TO monitor)"
            ]
        );
    }
}
