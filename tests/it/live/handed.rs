//! What a user hands over: backups, metrics, queries, who is old; and what nobody asks about without it.

use std::fs;

use lockgate::probe::{Gates, Limits, Outside, When, invariants, limit_from};
use lockgate::settings::Environment;

use super::snapshots::{lockgate, taken};
use super::{Question, ends, monitor, pre, session, showing, url};
use crate::servers::{Database, world};

fn run(database: &Database, sql: &str) {
    database.connect().batch_execute(sql).unwrap();
}

fn post(probe: &'static str) -> Question<'static> {
    Question {
        when: When::Post,
        ..pre(probe)
    }
}

/// Seconds since 1970 by the server's clock.
fn now(database: &Database) -> f64 {
    let query = "SELECT extract(epoch FROM now())::float8";
    database.connect().query_one(query, &[]).unwrap().get(0)
}

fn backup(text: String) -> Outside {
    Outside {
        backup: Some(Ok(text)),
        ..Outside::default()
    }
}

#[test]
fn an_old_backup_is_named() {
    for major in showing("backup-too-old") {
        let database = world(major);
        let now = now(&database);
        let question = pre("backup-too-old");
        question.is_not_asked(&database);
        let ago = |hours: f64, size: u64| format!("{size} {}\n", now - hours * 3600.0);
        for (text, expected) in [
            (ago(25.0, 1000), "error: the last backup is 25 h old"),
            (
                ago(50.0, 1000) + &ago(20.0, 0),
                "error: the last backup is empty",
            ),
            (
                ago(50.0, 8000) + &ago(20.0, 3000),
                "warning: the last backup has 3000 bytes, and the one before it had 8000 bytes",
            ),
            (String::new(), "error: there is no backup"),
            (
                "soon".to_owned(),
                "unknown: when the last backup was made is not known: no size and moment can be read",
            ),
            (
                ago(-5.0, 1000),
                "unknown: when the last backup was made is not known: the moment is 5 h from now",
            ),
        ] {
            question
                .clone()
                .handing(backup(text))
                .finds(&database, expected);
        }
        // Lines may stand in any order, and a size is not needed.
        let fresh = ago(20.0, 900) + &ago(50.0, 1000);
        question
            .clone()
            .handing(backup(fresh.clone()))
            .is_silent(&database);
        let alone = format!("{}", now - 60.0);
        question.clone().handing(backup(alone)).is_silent(&database);
        let drops = question.clone().pending("DROP TABLE coupons;");
        drops.clone().handing(backup(fresh)).finds(
            &database,
            "warning: the last backup is 20 h old, and the migrations drop `coupons`",
        );
        drops.handing(backup(ago(0.5, 1000))).is_silent(&database);
        let unreadable = Outside {
            backup: Some(Err("not known: gone.txt: no such file".to_owned())),
            ..Outside::default()
        };
        question.handing(unreadable).finds(
            &database,
            "unknown: when the last backup was made is not known: gone.txt",
        );
    }
}

/// A program is run as it is named, without a shell; a staging database is no production one.
#[test]
fn a_backup_may_be_told_by_a_program() {
    let Some(major) = ends().pop() else { return };
    let database = world(major);
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("shop.dump; touch x"), "a dump").unwrap();
    let url = url(&database, monitor(&database));
    let ask = |more: &[&str]| {
        let mut arguments = vec![
            "live",
            "pre",
            "--select",
            "backup-too-old",
            "--format",
            "json",
            "--database-url",
            &url,
        ];
        arguments.extend(more);
        let output = lockgate(directory.path(), &arguments);
        let value: serde_json::Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        let answer = value["databases"][0]["probes"][0]["answer"].clone();
        (output.status.code(), answer.as_str().unwrap().to_owned())
    };
    let answer = |code, answer: &str| (Some(code), answer.to_owned());
    assert_eq!(ask(&[]), answer(0, "not_asked"));
    let stat = r#"["stat","-c","%s %Y","shop.dump; touch x"]"#;
    assert_eq!(ask(&["--backup-command", stat]), answer(0, "ok"));
    assert!(!directory.path().join("x").exists());
    assert_eq!(
        ask(&["--backup-command", r#"["false"]"#]),
        answer(0, "unknown")
    );
    fs::write(directory.path().join("old"), "7 2020-01-01T00:00:00Z").unwrap();
    assert_eq!(ask(&["--backup", "old"]), answer(1, "finding"));
    assert_eq!(
        ask(&["--backup", "old", "--env", Environment::Staging.as_str()]),
        answer(0, "finding")
    );
    assert_eq!(ask(&["--backup", "missing"]), answer(0, "unknown"));
    assert_eq!(
        ask(&["--backup", "missing", "--fail-on-unknown"]),
        answer(1, "unknown")
    );
    // What a project's own files say is never run.
    fs::write(
        directory.path().join("lockgate.yaml"),
        "rules:\n  backup-too-old: { command: [touch, y] }\n",
    )
    .unwrap();
    let refused = lockgate(directory.path(), &["live", "pre", "--database-url", &url]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(!directory.path().join("y").exists());
}

fn metric(name: &str, text: &str, gates: Gates) -> Outside {
    Outside {
        metrics: vec![(name.to_owned(), Ok(text.to_owned()))],
        gates,
        oldest: 60.0,
        ..Outside::default()
    }
}

fn against(name: &str, before: f64) -> Gates {
    Gates::new(Limits::new(), [(name.to_owned(), before)].into())
}

#[test]
fn metrics_are_gates_before_and_after() {
    for major in showing("metric-over-limit") {
        let database = world(major);
        let now = now(&database);
        for question in [pre("metric-over-limit"), post("metric-over-limit")] {
            question.is_not_asked(&database);
            let with = |outside| question.clone().handing(outside);
            with(metric("cpu", &format!("50 {now}"), Gates::default())).is_silent(&database);
            with(metric("cpu", &format!("85 {now}"), Gates::default()))
                .finds(&database, "warning: the metric `cpu` is 85 (85.0%)");
            // The last one is of now, each one before it a minute older.
            let minutes = |values: &[i32]| -> String {
                let mut at = now + 60.0;
                let mut lines: Vec<String> = Vec::new();
                for value in values.iter().rev() {
                    at -= 60.0;
                    lines.push(format!("{value} {at}\n"));
                }
                lines.reverse();
                lines.concat()
            };
            let long = minutes(&[85, 90, 85, 81, 85, 86]);
            with(metric("cpu", &long, Gates::default()))
                .finds(&database, "error: the metric `cpu` is 86 (86.0%)");
            let short = minutes(&[85, 90, 85, 70, 85, 86]);
            with(metric("cpu", &short, Gates::default()))
                .finds(&database, "warning: the metric `cpu` is 86 (86.0%)");
            with(metric("error-rate", &minutes(&[1, 1, 3]), Gates::default())).finds(
                &database,
                "error: the metric `error-rate` is 3 (2.0 points above the first value)",
            );
            let alone = format!("3 {now}");
            with(metric("error-rate", &alone, Gates::default())).finds(
                &database,
                "unknown: whether the metric `error-rate` is too high is not known: nothing says what it was before",
            );
            with(metric("error-rate", &alone, against("error-rate", 2.95))).is_silent(&database);
            with(metric("p99", &alone, against("p99", 2.0))).finds(
                &database,
                "error: the metric `p99` is 3 (150.0% of the first value)",
            );
            with(metric("p99", &alone, against("p99", 2.5)))
                .finds(&database, "warning: the metric `p99` is 3 (120.0%");
            with(metric(
                "cpu",
                &format!("5 {}", now - 100.0),
                Gates::default(),
            ))
            .finds(
                &database,
                "unknown: the metric `cpu` is not known: the number is 10",
            );
            let limits = Limits::from([limit_from("queue=1,2,3").unwrap()]);
            with(metric("queue", &alone, Gates::new(limits, [].into())))
                .finds(&database, "error: the metric `queue` is 3");
        }
    }
}

#[test]
fn too_much_traffic_is_named() {
    for major in showing("traffic-too-high") {
        let database = world(major);
        let question = pre("traffic-too-high");
        question.is_not_asked(&database);
        question.clone().option("active", "1").is_silent(&database);
        let quiet = question
            .clone()
            .option("transactions", "20")
            .option("over", "3s");
        assert_eq!(quiet.told(&database, "postgres"), [""; 0]);
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut client = session(&database, "load", "");
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    // Counters of what touches no table wait longer.
                    let query = "SELECT FROM coupons LIMIT 1; SELECT pg_sleep(0.003)";
                    for part in query.split("; ") {
                        client.batch_execute(part).unwrap();
                    }
                }
            });
            super::wait_for(
                &mut database.connect(),
                "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'load'",
            );
            // A session hands in its counters once a second.
            let told = quiet.told(&database, monitor(&database));
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(
                told.len() == 1 && told[0].starts_with("warning: the database runs "),
                "{major}: {told:?}"
            );
        });
        std::thread::scope(|scope| {
            scope.spawn(|| run(&database, "SELECT pg_sleep(1.5)"));
            std::thread::sleep(std::time::Duration::from_millis(300));
            question.option("active", "1").finds(
                &database,
                "warning: sessions at work in this database: 1, and 1 are too many",
            );
        });
    }
}

#[test]
fn invariants_are_asked_before_and_after() {
    const QUERIES: &str = "-- Every line has an order.\n\
        SELECT l.order_id FROM order_lines l WHERE NOT EXISTS (SELECT FROM orders o WHERE o.id = l.order_id);\n\
        -- Users stay.\n-- expect: same\nSELECT count(*) FROM users;\n\
        -- Orders grow.\n-- expect: not less\nSELECT count(*) FROM orders;\n\
        -- No status is unknown.\n-- expect: 0\nSELECT count(*) FROM orders WHERE status = 'unknown';\n";
    for major in showing("violated-invariant") {
        let database = world(major);
        run(
            &database,
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC",
        );
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("q.sql"), QUERIES).unwrap();
        let url = url(&database, monitor(&database));
        let arguments = [
            "live",
            "snapshot",
            "--database-url",
            &url,
            "--invariants",
            "q.sql",
            "--output",
            "b.json",
        ];
        let output = lockgate(directory.path(), &arguments);
        assert!(output.status.success(), "{output:?}");
        let text = fs::read_to_string(directory.path().join("b.json")).unwrap();
        let before: lockgate::snapshot::Snapshot = serde_json::from_str(&text).unwrap();
        let kept: Vec<(&str, &str)> = before
            .invariants
            .iter()
            .map(|(title, value)| (title.as_str(), value.as_str()))
            .collect();
        assert_eq!(kept, [("Orders grow", "1000"), ("Users stay", "1000")]);

        let handed = |text: &str| Outside {
            invariants: Some(invariants(text).unwrap()),
            ..Outside::default()
        };
        pre("violated-invariant").is_not_asked(&database);
        pre("violated-invariant")
            .handing(handed(QUERIES))
            .is_silent(&database);
        let question = post("violated-invariant").handing(handed(QUERIES));
        let told = question.says(&database);
        assert!(
            told[0].starts_with("unknown: what the query `Orders grow` returned before is not known (name the snapshot"),
            "{told:?}"
        );
        let question = question.before(&before);
        question.is_silent(&database);
        for (sql, undo, expected) in [
            (
                "INSERT INTO users (email, name) SELECT 'new@example.org', 'n'",
                "DELETE FROM users WHERE email = 'new@example.org'",
                "error: the query `Users stay` returns 1001, and returned 1000 before",
            ),
            (
                "UPDATE orders SET status = 'unknown' WHERE id = 7",
                "UPDATE orders SET status = 'paid' WHERE id = 7",
                "error: the query `No status is unknown` returns 1, and must return 0",
            ),
            (
                "ALTER TABLE order_lines DISABLE TRIGGER ALL; UPDATE order_lines SET order_id = 0 WHERE order_id = 3",
                "UPDATE order_lines SET order_id = 3 WHERE order_id = 0; ALTER TABLE order_lines ENABLE TRIGGER ALL",
                "error: the query `Every line has an order` finds a row, and must not find any",
            ),
            (
                "INSERT INTO orders (user_id, status, total) VALUES (1, 'paid', 1)",
                "DELETE FROM orders WHERE id IN (SELECT max(id) FROM orders) AND id > 1000",
                "",
            ),
        ] {
            run(&database, sql);
            if expected.is_empty() {
                question.is_silent(&database);
            } else {
                question.finds(&database, expected);
            }
            run(&database, undo);
        }
        run(
            &database,
            "DELETE FROM order_lines WHERE order_id = 5; DELETE FROM orders WHERE id = 5",
        );
        question.finds(
            &database,
            "error: the query `Orders grow` returns 999, and returned 1000 before",
        );
    }
}

#[test]
fn an_invariant_that_cannot_be_asked_is_unknown() {
    let Some(major) = ends().pop() else { return };
    let database = world(major);
    let told = |role: &str, text: &str| {
        let outside = Outside {
            invariants: Some(invariants(text).unwrap()),
            ..Outside::default()
        };
        let told = pre("violated-invariant")
            .handing(outside)
            .told(&database, role);
        assert_eq!(told.len(), 1, "{told:?}");
        told.into_iter().next().unwrap()
    };
    let monitor = monitor(&database);
    for (text, expected) in [
        (
            "SELECT 1 FROM users",
            "unknown: what the query `SELECT 1 FROM users` returns is not known: permission denied for table users (GRANT SELECT on what it reads TO monitor)",
        ),
        (
            "SELECT 1 FROM gone",
            "unknown: what the query `SELECT 1 FROM gone` returns is not known: relation \"gone\" does not exist",
        ),
        (
            "-- expect: 1\nSELECT 1 AS a, 2 AS b",
            "unknown: the query `SELECT 1 AS a, 2 AS b` does not return one value",
        ),
        (
            "SELECT nextval('orders_id_seq')",
            "unknown: what the query `SELECT nextval('orders_id_seq')` returns is not known: ",
        ),
    ] {
        assert!(
            told(monitor, text).starts_with(expected),
            "{}",
            told(monitor, text)
        );
    }
    let slow = told("postgres", "SELECT pg_sleep(9)");
    assert!(slow.contains("it takes longer than a probe may"), "{slow}");
    let _holder = session(&database, "holder", "BEGIN; LOCK TABLE users");
    let locked = told("postgres", "SELECT 1 FROM users");
    assert!(locked.contains("somebody keeps a table locked"), "{locked}");
}

#[test]
fn sessions_of_an_old_version_are_named() {
    for major in showing("outdated-session") {
        let database = world(major);
        let question = pre("outdated-session");
        question.is_not_asked(&database);
        let by_name = question
            .clone()
            .option("application", "shop-%")
            .option("current", "shop-2.%");
        let _new = session(&database, "shop-2.1", "");
        by_name.is_silent(&database);
        let old = session(&database, "shop-1.9", "");
        by_name.finds(
            &database,
            "warning: 1 session of `shop-1.9` (role `postgres`) still runs, the oldest since ",
        );
        let deployed = |at: f64| Outside {
            deployed: Some(at),
            ..Outside::default()
        };
        let by_time = question.option("application", "shop-1%");
        by_time
            .clone()
            .handing(deployed(now(&database) - 600.0))
            .is_silent(&database);
        by_time
            .clone()
            .handing(deployed(now(&database) + 600.0))
            .finds(&database, "warning: 1 session of `shop-1.9`");
        drop(old);
        super::wait_for(
            &mut database.connect(),
            "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'shop-1.9'",
        );
        by_time.is_silent(&database);
    }
}

/// The tables of pg_cron 1.4 as its own scripts make them.
const CRON: &str = "CREATE SCHEMA cron; GRANT USAGE ON SCHEMA cron TO PUBLIC; \
    CREATE TABLE cron.job (jobid bigserial PRIMARY KEY, schedule text NOT NULL, command text NOT NULL, nodename text NOT NULL DEFAULT 'localhost', \
      nodeport int NOT NULL DEFAULT 5432, database text NOT NULL DEFAULT current_database(), username text NOT NULL DEFAULT current_user, \
      active bool NOT NULL DEFAULT true, jobname text); GRANT SELECT ON cron.job TO PUBLIC; ALTER TABLE cron.job ENABLE ROW LEVEL SECURITY; \
    CREATE POLICY cron_job_policy ON cron.job USING (username = current_user); \
    CREATE TABLE cron.job_run_details (jobid bigint, runid bigserial PRIMARY KEY, job_pid int, database text, username text, command text, \
      status text, return_message text, start_time timestamptz, end_time timestamptz); GRANT SELECT ON cron.job_run_details TO PUBLIC; \
    ALTER TABLE cron.job_run_details ENABLE ROW LEVEL SECURITY; \
    CREATE POLICY cron_job_run_details_policy ON cron.job_run_details USING (username = current_user); \
    INSERT INTO cron.job (schedule, command, jobname) VALUES ('* * * * *', 'SELECT 1/0', 'bad'), ('* * * * *', 'SELECT 1', NULL)";

#[test]
fn jobs_that_failed_or_run_are_named() {
    const RUN: &str = "INSERT INTO cron.job_run_details (jobid, job_pid, command, status, return_message, start_time, end_time) SELECT ";
    for major in showing("failed-job") {
        let database = world(major);
        pre("failed-job").is_not_asked(&database);
        run(&database, CRON);
        let question = pre("failed-job");
        let told = |question: &Question<'_>| question.told(&database, "postgres");
        assert_eq!(told(&question), [""; 0]);
        let unseen = question.told(&database, monitor(&database));
        assert!(
            unseen[0].starts_with("unknown: how the jobs of `pg_cron` stand is not known: the role `monitor` does not see those of other roles"),
            "{unseen:?}"
        );
        run(
            &database,
            &format!(
                "{RUN} 1, 1, 'SELECT 1/0', 'failed', E'ERROR: division by zero\\n', now() - interval '9 min', now() - interval '8 min'"
            ),
        );
        assert_eq!(
            told(&question),
            ["warning: the job `bad` failed 8 min ago: ERROR: division by zero"]
        );
        assert_eq!(told(&post("failed-job").option("within", "5min")), [""; 0]);
        run(
            &database,
            &format!("{RUN} 1, 1, 'SELECT 1/0', 'succeeded', '1 row', now(), now()"),
        );
        assert_eq!(told(&question), [""; 0]);
        // What a server that was stopped has left behind does not run.
        run(
            &database,
            &format!("{RUN} 2, 1, 'SELECT 1', 'running', NULL, now() - interval '1 day', NULL"),
        );
        assert_eq!(told(&question), [""; 0]);
        let mut job = session(&database, "job", "");
        job.batch_execute(&format!(
            "{RUN} 2, pg_backend_pid(), 'SELECT 1', 'running', NULL, now(), NULL"
        ))
        .unwrap();
        assert!(
            told(&question)[0].starts_with("warning: the job `SELECT 1` is at work since "),
            "{:?}",
            told(&question)
        );
        assert_eq!(told(&post("failed-job")), [""; 0]);
        job.batch_execute(&format!(
            "{RUN} 2, pg_backend_pid(), 'SELECT 1', 'running', NULL, now(), NULL"
        ))
        .unwrap();
        assert!(
            told(&question)[0]
                .starts_with("warning: the job `SELECT 1` runs twice at the same time"),
            "{:?}",
            told(&question)
        );
    }
}

#[test]
fn a_table_that_has_become_bloated_is_named() {
    for major in showing("bloated-table") {
        let database = world(major);
        let question = post("bloated-table");
        question.is_not_asked(&database);
        run(
            &database,
            "CREATE TABLE wide (id int, note text); INSERT INTO wide SELECT n, repeat('x', 500) FROM generate_series(1, 40000) n; \
             CREATE INDEX wide_id ON wide (id)",
        );
        run(&database, "VACUUM ANALYZE wide");
        let before = taken(&database, "postgres");
        let question = question.before(&before);
        question.is_silent(&database);
        run(
            &database,
            "INSERT INTO wide SELECT n, repeat('x', 500) FROM generate_series(1, 20000) n",
        );
        run(&database, "VACUUM ANALYZE wide");
        // More rows are no bloat.
        question.is_silent(&database);
        run(&database, "UPDATE wide SET note = note");
        run(&database, "VACUUM ANALYZE wide");
        question.finds(
            &database,
            "warning: `wide` takes …, and about … would do: 50 % is bloat",
        );
        run(&database, "VACUUM FULL wide");
        run(&database, "ANALYZE wide");
        question.is_silent(&database);
    }
}
