//! `lockgate live watch`, and the whole story of a migration.

use std::fs;
use std::process::Output;
use std::thread;

use super::snapshots::{is_described, lockgate};
use super::{ends, monitor, session, url, wait_for};
use crate::servers::{Own, Setup};

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn waits_are_told_with_their_tree_and_a_program_is_run() {
    for major in ends() {
        let server = Own::start(major, &Setup::default());
        let database = server.world();
        let directory = tempfile::tempdir().unwrap();
        let url = url(&database, monitor(&database));
        let watch = |more: &[&str]| {
            let mut arguments = vec!["live", "watch", "--database-url", &url];
            arguments.extend(more);
            lockgate(directory.path(), &arguments)
        };
        let calm = watch(&["--interval", "50ms", "--for", "200ms"]);
        assert_eq!(calm.status.code(), Some(0), "{}", text(&calm));
        assert!(
            text(&calm).lines().count() >= 3 && !text(&calm).contains('\u{1b}'),
            "{}",
            text(&calm)
        );

        let mut holder = session(&database, "holder", "BEGIN; LOCK TABLE orders");
        let mut waiter = session(&database, "waiter", "");
        thread::scope(|scope| {
            scope.spawn(|| waiter.batch_execute("SELECT FROM orders WHERE note = 'hunter-two'"));
            let mut client = database.connect();
            wait_for(
                &mut client,
                "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
            );
            let told = watch(&["--interval", "100ms", "--for", "1500ms"]);
            assert_eq!(told.status.code(), Some(1), "{}", text(&told));
            let told = text(&told);
            for expected in [
                "pause: lock-wait of ",
                " s with `SELECT FROM orders WHERE note = '…'`",
                ", idle in transaction, transaction of ",
                "blocked 1",
            ] {
                assert!(told.contains(expected), "{expected}\n{told}");
            }
            assert!(!told.contains("hunter"), "{told}");
            // A shell would make one word of it, and run what stands behind the semicolon.
            let acted = watch(&[
                "--interval",
                "100ms",
                "--for",
                "20s",
                "--limit",
                "lock-wait=-,-,0.2",
                "--on-abort",
                "/usr/bin/touch",
                "a; touch b",
                "--",
                "c",
            ]);
            assert_eq!(acted.status.code(), Some(1), "{}", text(&acted));
            assert!(
                directory.path().join("a; touch b").exists(),
                "{}",
                text(&acted)
            );
            assert!(!directory.path().join("b").exists());
            let lines = watch(&["--interval", "100ms", "--for", "300ms", "--format", "json"]);
            for line in String::from_utf8_lossy(&lines.stdout).lines() {
                let value: serde_json::Value = serde_json::from_str(line).unwrap();
                is_described(lockgate::report::WATCH_SCHEMA, &value);
                assert_eq!(value["sample"]["blocked"][0]["application"], "waiter");
            }
            // Nothing was ended.
            wait_for(
                &mut client,
                "SELECT count(*) = 2 FROM pg_stat_activity WHERE application_name IN ('holder', 'waiter')",
            );
            holder.batch_execute("COMMIT").unwrap();
        });
    }
}

#[test]
fn numbers_from_outside_are_gates() {
    let major = ends()[0];
    let server = Own::start(major, &Setup::default());
    let database = server.world();
    let directory = tempfile::tempdir().unwrap();
    let url = url(&database, "postgres");
    let now: f64 = database
        .connect()
        .query_one("SELECT extract(epoch FROM now())::float8", &[])
        .unwrap()
        .get(0);
    fs::write(directory.path().join("rate"), format!("2.5 {now}")).unwrap();
    fs::write(directory.path().join("old"), format!("2.5 {}", now - 100.0)).unwrap();
    let watch = |more: &[&str]| {
        let mut arguments = vec![
            "live",
            "watch",
            "--database-url",
            &url,
            "--interval",
            "50ms",
            "--for",
            "100ms",
        ];
        arguments.extend(more);
        let output = lockgate(directory.path(), &arguments);
        (output.status.code(), text(&output))
    };
    let cases: [(&[&str], i32, &str); 6] = [
        (&["--metric", "error-rate=rate"], 0, "ok"),
        (
            &["--metric", "error-rate=rate", "--baseline", "error-rate=1"],
            1,
            "pause: error-rate: 2.5 (1.5 points above the first value)",
        ),
        (
            &["--metric", "cpu=old"],
            0,
            "unknown: cpu: not known: the number is 10",
        ),
        (
            &["--metric", "cpu=missing"],
            0,
            "unknown: cpu: not known: missing: ",
        ),
        (
            &[
                "--metric-command",
                "queue=[\"cat\",\"rate\"]",
                "--limit",
                "queue=1,2,3",
            ],
            1,
            "pause: queue: 2.5",
        ),
        (
            &["--metric", "queue=rate"],
            2,
            "add --limit queue=WARNING,PAUSE,ABORT",
        ),
    ];
    for (arguments, status, expected) in cases {
        let (code, told) = watch(arguments);
        assert_eq!(code, Some(status), "{arguments:?}\n{told}");
        assert!(told.contains(expected), "{arguments:?}: {expected}\n{told}");
    }
}

/// Somebody is idle in a transaction; he goes; the migration runs while others work; it ends well; another one does not.
#[test]
fn a_migration_from_beginning_to_end() {
    const UP: &str =
        "SET lock_timeout = '200ms';\nALTER TABLE orders ADD COLUMN checked boolean;\n";
    for major in ends() {
        let server = Own::start(major, &Setup::default());
        let database = server.world();
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("1.sql"), UP).unwrap();
        let url = url(&database, "postgres");
        let live = |moment: &str, more: &[&str]| {
            let mut arguments = vec!["live", moment, "--database-url", &url];
            arguments.extend(more);
            let output = lockgate(directory.path(), &arguments);
            (output.status.code(), text(&output))
        };
        let files = ["--format", "short", "1.sql"];

        let mut idle = session(&database, "report", "BEGIN; SELECT count(*) FROM orders");
        thread::sleep(std::time::Duration::from_millis(300));
        let (code, told) = live("pre", &files);
        assert_eq!(code, Some(1), "{told}");
        assert!(
            told.contains("error[target-locked]") && told.contains("orders"),
            "{told}"
        );
        idle.batch_execute("COMMIT").unwrap();
        let (code, told) = live("pre", &files);
        assert_eq!(code, Some(0), "{told}");

        assert_eq!(live("snapshot", &["--output", "before.json"]).0, Some(0));
        let mut deploy = session(&database, "deploy", "");
        let mut load = session(&database, "load", "");
        let (code, told) = thread::scope(|scope| {
            let watch = scope.spawn(|| {
                live(
                    "watch",
                    &[
                        "--application-name",
                        "deploy",
                        "--interval",
                        "100ms",
                        "--for",
                        "60s",
                    ],
                )
            });
            thread::sleep(std::time::Duration::from_millis(500));
            scope.spawn(move || {
                deploy
                    .batch_execute(&format!("BEGIN; {UP} SELECT pg_sleep(2); COMMIT"))
                    .unwrap();
            });
            thread::sleep(std::time::Duration::from_millis(200));
            load.batch_execute("SELECT count(*) FROM orders").unwrap();
            watch.join().unwrap()
        });
        // It has ended with the session that it followed.
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains("pause: lock-wait of "), "{told}");
        assert!(told.contains("ok: lock-wait of "), "{told}");

        let post = ["--format", "short", "--before", "before.json", "1.sql"];
        let (code, told) = live("post", &post);
        assert_eq!(code, Some(0), "{told}");

        let mut holder = session(
            &database,
            "holder",
            "BEGIN; LOCK TABLE orders IN ROW EXCLUSIVE MODE",
        );
        session(&database, "builder", "SET lock_timeout = '50ms'")
            .batch_execute("CREATE INDEX CONCURRENTLY orders_checked ON orders (checked)")
            .unwrap_err();
        holder.batch_execute("COMMIT").unwrap();
        let (code, told) = live("post", &post);
        assert_eq!(code, Some(1), "{told}");
        assert!(
            told.contains(
                "error[invalid-index] the index `orders_checked` on `orders` is not valid"
            ),
            "{told}"
        );
    }
}
