//! What can go wrong with a connection: one clear error each, in time, with exit status 2. And what must not be possible.

use std::io::Read as _;
use std::net::TcpListener;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use super::{ends, pre, session};
use crate::servers::world;

/// Runs `lockgate live pre` away from every project and every setting of the user.
fn lockgate(arguments: &[&str], environment: &[(&str, &str)]) -> (Output, Duration) {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockgate"));
    command
        .args(["live", "pre", "--format", "short"])
        .args(arguments)
        .current_dir(directory.path())
        .env_clear()
        .env("HOME", directory.path())
        .env("USER", "somebody");
    for (name, value) in environment {
        command.env(name, value);
    }
    let started = Instant::now();
    (command.output().unwrap(), started.elapsed())
}

/// One error that holds a text, status 2, and no secret anywhere.
fn fails(url: &str, expected: &str) {
    let (output, took) = lockgate(&["--database-url", url], &[("PGPASSWORD", "hunter-two")]);
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.contains(expected),
        "{url}: expected {expected:?} in\n{text}"
    );
    assert_eq!(text.matches("error: ").count(), 1, "{text}");
    assert!(!text.contains("hunter-two"), "{text}");
    assert!(took < Duration::from_secs(15), "{took:?}");
}

#[test]
fn nobody_listens() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    fails(
        &format!("postgresql://127.0.0.1:{port}/x"),
        "is the server running, and does it listen on that port",
    );
    fails(
        "postgresql:///x?host=/nowhere",
        "no connection to /nowhere/.s.PGSQL.5432: No such file or directory",
    );
}

#[test]
fn a_listener_that_never_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    fails(
        &format!("postgresql://127.0.0.1:{port}/x?connect_timeout=2"),
        "did not answer within 2 s",
    );
}

#[test]
fn a_server_without_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 8];
            let _ = stream.read_exact(&mut request);
            let _ = std::io::Write::write_all(&mut stream, b"N");
        }
    });
    fails(
        &format!("postgresql://127.0.0.1:{port}/x?sslmode=require"),
        "does not offer TLS, and `sslmode` demands it",
    );
}

#[test]
fn something_that_is_no_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 8];
            let _ = stream.read_exact(&mut request);
            let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    fails(
        &format!("postgresql://127.0.0.1:{port}/x?sslmode=disable"),
        "did not complete the connection",
    );
}

#[test]
fn a_database_that_is_not_there_and_a_role_that_is_not() {
    for major in ends() {
        let database = world(major);
        let socket = database.socket().display();
        fails(
            &format!("postgresql://postgres@/nothing?host={socket}"),
            "database \"nothing\" does not exist",
        );
        fails(
            &format!("postgresql://nobody@/{}?host={socket}", database.name()),
            "role \"nobody\" does not exist",
        );
    }
}

/// What a session may do is tried by hand with the settings that live mode asks for.
#[test]
fn nothing_can_be_written() {
    for major in ends() {
        let database = world(major);
        let question = pre("long-transaction");
        let count = |client: &mut postgres::Client| -> i64 {
            client
                .query_one(
                    "SELECT tup_inserted + tup_updated + tup_deleted FROM pg_stat_database WHERE datname = current_database()",
                    &[],
                )
                .unwrap()
                .get(0)
        };
        let mut client = database.connect();
        client
            .batch_execute("SELECT pg_stat_clear_snapshot()")
            .unwrap();
        let before = count(&mut client);
        question.is_silent(&database);
        let all = super::all_probes(&database);
        assert!(all.errors.is_empty(), "{:?}", all.errors);
        assert!(all.databases[0].answers.len() >= 20);
        thread::sleep(Duration::from_millis(1100));
        client
            .batch_execute("SELECT pg_stat_clear_snapshot()")
            .unwrap();
        assert_eq!(count(&mut client), before, "PostgreSQL {major}");
        for write in [
            "CREATE TABLE x (id int)",
            "UPDATE orders SET note = 'x'",
            "SELECT nextval('orders_id_seq')",
            "CREATE TEMP TABLE x (id int)",
        ] {
            let allowed = lockgate::testing::try_to_write(&database.url(), write);
            assert!(allowed.is_err(), "{write}");
        }
    }
}

/// No probe waits behind a lock that somebody holds on all tables.
#[test]
fn nothing_waits_behind_an_access_exclusive_lock() {
    for major in ends() {
        let database = world(major);
        let _holder = session(
            &database,
            "holder",
            "BEGIN; LOCK TABLE users, products, orders, order_lines, coupons, events, active_users IN ACCESS EXCLUSIVE MODE",
        );
        let started = Instant::now();
        let report = super::all_probes(&database);
        let took = started.elapsed();
        assert!(report.errors.is_empty(), "{:?}", report.errors);
        assert!(took < Duration::from_secs(2), "{took:?}");
        let locked: Vec<&str> = report
            .diagnostics
            .iter()
            .filter(|found| found.message.contains("would wait for a lock"))
            .map(|found| found.rule)
            .collect();
        assert_eq!(locked, [""; 0], "{:#?}", report.diagnostics);
    }
}
