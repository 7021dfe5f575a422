//! `lockgate live snapshot` and `compare`.

use std::path::Path;
use std::process::{Command, Output};

use lockgate::report::COMPARISON_SCHEMA;
use lockgate::snapshot::{SCHEMA, Snapshot};

use super::{ends, monitor, session, url};
use crate::servers::{Database, fresh_database, world};

/// Runs `lockgate` away from every setting of the user.
pub(super) fn lockgate(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lockgate"))
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("HOME", directory)
        .env("USER", "somebody")
        .output()
        .unwrap()
}

/// A value is of the form that a committed schema describes, and has no key that it does not.
#[track_caller]
pub(super) fn is_described(schema: &str, value: &serde_json::Value) {
    fn close(schema: &mut serde_json::Value) {
        match schema {
            serde_json::Value::Object(map) => {
                if map.contains_key("properties") {
                    map.entry("additionalProperties").or_insert(false.into());
                }
                map.values_mut().for_each(close);
            }
            serde_json::Value::Array(list) => list.iter_mut().for_each(close),
            _ => {}
        }
    }
    let mut schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    close(&mut schema);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors = validator.iter_errors(value);
    let errors: Vec<String> = errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(errors, [""; 0], "{value:#}");
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A snapshot as its text.
fn json(database: &Database, role: &str, more: &[&str]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let url = url(database, role);
    let mut arguments = vec!["live", "snapshot", "--database-url", &url];
    arguments.extend(more);
    let output = lockgate(directory.path(), &arguments);
    assert!(output.status.success(), "{output:?}");
    text(&output)
}

pub(super) fn taken(database: &Database, role: &str) -> Snapshot {
    serde_json::from_str(&json(database, role, &[])).unwrap()
}

#[test]
fn a_snapshot_is_of_the_committed_form_and_check_reads_it() {
    let schema = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for major in ends() {
        let database = world(major);
        database
            .connect()
            .batch_execute("ANALYZE; ALTER TABLE orders ALTER COLUMN note SET DEFAULT 'hunter-two'; UPDATE users SET name = 'hunter-three'")
            .unwrap();
        let told = json(&database, monitor(&database), &["--query-texts"]);
        let value = serde_json::from_str(&told).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|e| e.to_string())
            .collect();
        assert_eq!(errors, [""; 0]);
        assert!(!told.contains("hunter"), "data in the snapshot");
        let snapshot: Snapshot = serde_json::from_str(&told).unwrap();
        let orders = snapshot.relation("public", "orders").unwrap();
        assert_eq!(orders.rows, Some(1000));
        let (own, all) = (orders.bytes.unwrap(), orders.total_bytes.unwrap());
        let indexes: u64 = orders
            .indexes
            .iter()
            .map(|index| index.bytes.unwrap())
            .sum();
        assert_eq!(orders.index_bytes, Some(indexes));
        let exact: i64 = database
            .connect()
            .query_one("SELECT pg_total_relation_size('orders')", &[])
            .unwrap()
            .get(0);
        assert_eq!(i64::try_from(all).unwrap(), exact);
        assert!(own > 0 && all > own + indexes - 1);
        // Of the session itself nothing is said.
        assert!(snapshot.settings.contains_key("max_connections"));
        assert_eq!(snapshot.settings.get("lock_timeout"), None);
        assert!(snapshot.schema_fingerprint.is_some());
        // Both roles see the same schema.
        assert_eq!(
            taken(&database, "postgres").schema_fingerprint,
            snapshot.schema_fingerprint
        );

        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("s.json"), &told).unwrap();
        std::fs::write(
            directory.path().join("1.sql"),
            "CREATE INDEX orders_note ON orders (note);\n",
        )
        .unwrap();
        let output = lockgate(
            directory.path(),
            &["check", "--stats", "s.json", "--format", "json", "1.sql"],
        );
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(
            text(&output).contains("\"rows\": 1000"),
            "{}",
            text(&output)
        );
    }
}

#[test]
fn a_snapshot_does_not_wait_for_a_locked_table() {
    for major in ends() {
        let database = world(major);
        let mut holder = session(&database, "holder", "BEGIN; LOCK TABLE orders");
        let snapshot = taken(&database, monitor(&database));
        let orders = snapshot.relation("public", "orders").unwrap();
        assert_eq!((orders.bytes, orders.total_bytes), (None, None));
        assert!(
            snapshot
                .relation("public", "users")
                .unwrap()
                .bytes
                .is_some()
        );
        let unread = snapshot.objects.iter().filter(|o| o.fingerprint.is_none());
        assert!(unread.clone().count() > 3);
        let others: Vec<_> = unread
            .filter(|o| !o.name.contains("orders") && !o.kind.ends_with("view"))
            .collect();
        assert!(others.is_empty(), "{others:?}");
        assert_eq!(snapshot.schema_fingerprint, None);
        holder.batch_execute("COMMIT").unwrap();
    }
}

#[test]
fn schemas_are_compared_object_by_object() {
    for major in ends() {
        let (one, other) = (world(major), world(major));
        let directory = tempfile::tempdir().unwrap();
        let (first, second) = (url(&one, "postgres"), url(&other, monitor(&other)));
        let queries = directory.path().join("q.sql");
        std::fs::write(
            &queries,
            "SELECT * FROM orders WHERE id = 7;\nDELETE FROM users WHERE id = 3;\n",
        )
        .unwrap();
        let compare = |more: &[&str]| {
            let mut arguments = vec!["live", "compare", first.as_str(), second.as_str()];
            arguments.extend(more);
            lockgate(directory.path(), &arguments)
        };
        let same = compare(&[]);
        assert_eq!(text(&same), "no differences\n");
        assert_eq!(same.status.code(), Some(0));
        other
            .connect()
            .batch_execute(
                "ALTER TABLE order_lines DROP CONSTRAINT order_lines_order_id_fkey; ALTER TABLE orders DROP CONSTRAINT orders_pkey CASCADE; \
                 ALTER TABLE orders ALTER COLUMN status DROP NOT NULL; CREATE TABLE more (id int); GRANT SELECT ON orders, users TO monitor; \
                 GRANT DELETE ON users TO monitor; INSERT INTO orders (user_id, status, total) SELECT 1, 'paid', 1 FROM generate_series(1, 50000); ANALYZE orders",
            )
            .unwrap();
        let differ = compare(&["--queries", "q.sql"]);
        assert_eq!(differ.status.code(), Some(1), "{differ:?}");
        let told = text(&differ);
        for expected in [
            "column public.orders.status: differs\n",
            "constraint public.orders.orders_pkey: only in ",
            "index public.orders_pkey: only in ",
            "table public.more: only in ",
            "rows of public.orders: ",
            "query 1: `orders` is read in full instead of by an index",
        ] {
            assert!(told.contains(expected), "{expected}\n{told}");
        }
        assert!(!told.contains("public.more.id"), "{told}");
        assert!(!told.contains("query 2"), "{told}");
        let as_json: serde_json::Value =
            serde_json::from_str(&text(&compare(&["--format", "json"]))).unwrap();
        is_described(COMPARISON_SCHEMA, &as_json);
        assert!(
            as_json["objects"].as_array().unwrap().len() > 3
                && as_json["rows"][0]["table"] == "public.orders"
        );
        // A query is explained and never run, and nothing but queries is looked at.
        std::fs::write(
            &queries,
            "EXPLAIN ANALYZE DELETE FROM users; DROP TABLE users;",
        )
        .unwrap();
        let refused = compare(&["--queries", "q.sql"]);
        assert!(String::from_utf8_lossy(&refused.stderr).contains("query 1 has no plan"));
        let count = "SELECT count(*) > 0 FROM users";
        assert!(
            one.connect()
                .query_one(count, &[])
                .unwrap()
                .get::<_, bool>(0)
        );
    }
}

#[test]
fn two_moments_are_compared_by_their_files() {
    for major in ends() {
        let database = world(major);
        let directory = tempfile::tempdir().unwrap();
        let url = url(&database, "postgres");
        let take = |file: &str| {
            let arguments = ["live", "snapshot", "--database-url", &url, "--output", file];
            assert!(lockgate(directory.path(), &arguments).status.success());
        };
        take("a.json");
        database
            .connect()
            .batch_execute("CREATE INDEX orders_note ON orders (note)")
            .unwrap();
        take("b.json");
        let output = lockgate(directory.path(), &["live", "compare", "a.json", "b.json"]);
        assert_eq!(text(&output), "index public.orders_note: only in b.json\n");
        assert_eq!(output.status.code(), Some(1));
    }
    let empty = fresh_database(ends()[0]);
    assert!(taken(&empty, "postgres").relations.is_empty());
}

#[test]
fn migrations_are_compared_with_a_database() {
    for major in ends() {
        let database = fresh_database(major);
        let directory = tempfile::tempdir().unwrap();
        let migrations = directory.path().join("m");
        std::fs::create_dir(&migrations).unwrap();
        for (name, sql) in [
            (
                "000001_a.up.sql",
                "CREATE TABLE shops (id bigserial PRIMARY KEY, name text NOT NULL DEFAULT 'x');\n",
            ),
            (
                "000002_b.up.sql",
                "ALTER TABLE shops ADD COLUMN open boolean DEFAULT true;\nCREATE INDEX shops_name ON shops (lower(name));\n",
            ),
        ] {
            std::fs::write(migrations.join(name), sql).unwrap();
            database.connect().batch_execute(sql).unwrap();
        }
        let url = url(&database, monitor(&database));
        let compare = |first: &str, second: &str| {
            lockgate(directory.path(), &["live", "compare", first, second])
        };
        let same = compare("m", &url);
        assert_eq!(text(&same), "no differences\n", "{same:?}");
        assert_eq!(same.status.code(), Some(0));
        database
            .connect()
            .batch_execute(
                "DROP INDEX shops_name; CREATE INDEX by_hand ON shops (open); ALTER TABLE shops ALTER COLUMN open SET DEFAULT false; \
                 CREATE TABLE schema_migrations (version bigint, dirty boolean)",
            )
            .unwrap();
        let shown = lockgate::testing::label(&url);
        assert_eq!(
            text(&compare("m", &url)),
            format!(
                "column public.shops.open: differs\n  m: default: true\n  {shown}: default: false\n\
                 index public.shops_name: only in m\nindex public.by_hand: only in {shown}\n"
            )
        );
        let json = lockgate(
            directory.path(),
            &["live", "compare", "m", &url, "--format", "json"],
        );
        is_described(
            COMPARISON_SCHEMA,
            &serde_json::from_slice(&json.stdout).unwrap(),
        );
        let other = text(&compare(&url, "m"));
        assert!(
            other.contains("index public.by_hand: only in ")
                && !other.contains("by_hand: only in m"),
            "{other}"
        );
        let refused = lockgate(directory.path(), &["live", "compare", "m", "m"]);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    }
}
