//! What can go wrong with a connection: one clear error each, in time, with exit status 2. And what must not be possible.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::{ends, monitor, pre, session, url, wait_for};
use crate::servers::{Database, Own, Setup, free_port, signal, world};

/// What `lockgate` said.
pub(super) struct Said {
    pub(super) status: Option<i32>,
    /// Standard output, then standard error.
    pub(super) text: String,
    pub(super) took: Duration,
}

/// Runs `lockgate` away from every project and every setting of the user.
pub(super) fn lockgate(arguments: &[&str], environment: &[(&str, &str)]) -> Said {
    lockgate_in(tempfile::tempdir().unwrap().path(), arguments, environment)
}

pub(super) fn lockgate_in(
    directory: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockgate"));
    command
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("HOME", directory)
        .env("USER", "somebody");
    for (name, value) in environment {
        command.env(name, value);
    }
    let started = Instant::now();
    let output = command.output().unwrap();
    Said {
        status: output.status.code(),
        text: format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
        took: started.elapsed(),
    }
}

/// One error that holds a text, status 2, in time, and no secret anywhere.
pub(super) fn fails(url: &str, expected: &str) {
    let said = asks(url);
    is_failure(&said, expected);
}

/// What `lockgate live pre` says of a database.
pub(super) fn asks(url: &str) -> Said {
    let arguments = ["live", "pre", "--format", "short", "--database-url", url];
    lockgate(&arguments, &[("PGPASSWORD", SECRET)])
}

pub(super) const SECRET: &str = "hunter-two";

#[track_caller]
pub(super) fn is_failure(said: &Said, expected: &str) {
    let text = &said.text;
    assert_eq!(said.status, Some(2), "{text}");
    assert!(text.contains(expected), "expected {expected:?} in\n{text}");
    assert_eq!(text.matches("error: ").count(), 1, "{text}");
    assert!(!text.contains("hunter"), "{text}");
    assert!(said.took < Duration::from_secs(15), "{:?}", said.took);
}

#[test]
fn nobody_listens() {
    fails(
        &format!("postgresql://127.0.0.1:{}/x", free_port()),
        "is the server running, and does it listen on that port",
    );
    fails(
        "postgresql:///x?host=/nowhere",
        "no connection to /nowhere/.s.PGSQL.5432: No such file or directory",
    );
}

/// Somebody who answers each request of eight bytes with a text, and then says nothing more or hangs up.
pub(super) fn listener(answer: &'static [u8], hangs_up: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            if !hangs_up || !answer.is_empty() {
                let mut request = [0; 8];
                let _ = stream.read_exact(&mut request);
                let _ = stream.write_all(answer);
            }
            if !hangs_up {
                open.push(stream);
            }
        }
    });
    port
}

#[test]
fn listeners_that_are_no_servers() {
    const CASES: [(&[u8], bool, &str, &str); 6] = [
        (
            b"",
            false,
            "prefer",
            "took the connection and did not answer within 2 s",
        ),
        (
            b"S",
            false,
            "require",
            "took the connection and did not answer within 2 s",
        ),
        (b"", true, "prefer", "did not complete the connection"),
        (
            b"N",
            true,
            "require",
            "does not offer TLS, and `sslmode` demands it",
        ),
        (b"S", true, "verify-ca", "root certificate"),
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            true,
            "disable",
            "did not complete the connection",
        ),
    ];
    thread::scope(|scope| {
        for (answer, hangs_up, sslmode, expected) in CASES {
            scope.spawn(move || {
                let port = listener(answer, hangs_up);
                fails(
                    &format!("postgresql://127.0.0.1:{port}/x?connect_timeout=2&sslmode={sslmode}"),
                    expected,
                );
            });
        }
    });
}

#[test]
fn every_command_fails_alike() {
    let url = format!("postgresql://me:hunter-two@127.0.0.1:{}/x", free_port());
    for arguments in [
        &["live", "pre", "--database-url", &url][..],
        &["live", "post", "--database-url", &url],
        &["live", "watch", "--database-url", &url],
        &["live", "snapshot", "--database-url", &url],
        &["live", "compare", &url, "postgresql:///x"],
    ] {
        let said = lockgate(arguments, &[]);
        is_failure(
            &said,
            "is the server running, and does it listen on that port",
        );
        assert_eq!(
            said.text
                .matches("note: the password on the command line")
                .count(),
            1,
            "{}",
            said.text
        );
    }
}

/// A queue that is full looks like a firewall that drops what it does not like.
#[test]
fn nobody_takes_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        waiting.push(stream);
        assert!(waiting.len() < 900, "the queue is too long to be filled");
    }
    fails(
        &format!("postgresql://{address}/x?connect_timeout=2"),
        "did not answer within 2 s; does a firewall let you through?",
    );
}

/// A question that takes longer than a probe may, and what happens in the middle of it.
fn in_the_middle(major: u32, happens: impl FnOnce(&Own, i32)) -> Said {
    const SLOW: &str = "ALTER TABLE orders ADD CONSTRAINT slow CHECK (length(repeat(md5(id::text), 1000000)) > 0) NOT VALID;";
    const BUSY: &str = "SELECT pid FROM pg_stat_activity WHERE application_name = 'lockgate' AND state = 'active' AND query LIKE '%repeat(%'";
    let server = Own::start(major, &Setup::default());
    let database: Database = server.world();
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("1.sql"), SLOW).unwrap();
    let url = url(&database, "postgres");
    let mut client = database.connect();
    let arguments = ["live", "pre", "--format", "short", "--database-url", &url];
    thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut arguments = arguments.to_vec();
            arguments.push("1.sql");
            lockgate_in(directory.path(), &arguments, &[])
        });
        wait_for(&mut client, &format!("SELECT EXISTS ({BUSY})"));
        let pid: i32 = client.query_one(BUSY, &[]).unwrap().get(0);
        happens(&server, pid);
        let said = asking.join().unwrap();
        let _ = Command::new("kill")
            .args(["-CONT", &pid.to_string()])
            .output();
        said
    })
}

#[test]
fn a_server_that_is_killed_in_the_middle_of_a_probe() {
    for major in ends() {
        let said = in_the_middle(major, |server, _| signal(server.pid(), "QUIT"));
        is_failure(
            &said,
            "the connection was lost when it was asked for `violated-constraint`: ",
        );
        assert!(said.took < Duration::from_secs(5), "{:?}", said.took);
    }
}

#[test]
fn a_session_that_is_ended_in_the_middle_of_a_probe() {
    let said = in_the_middle(ends()[0], |_, pid| signal(pid, "TERM"));
    is_failure(
        &said,
        "asked for `violated-constraint`: terminating connection due to administrator command",
    );
}

#[test]
fn a_server_that_falls_silent_in_the_middle_of_a_probe() {
    let said = in_the_middle(*ends().last().unwrap(), |_, pid| signal(pid, "STOP"));
    is_failure(
        &said,
        "asked for `violated-constraint`: no answer within 8 s",
    );
}

#[test]
fn a_password_that_is_wrong_or_missing_is_never_shown() {
    for major in ends() {
        let server = Own::start(
            major,
            &Setup {
                settings: &["password_encryption=scram-sha-256"],
                tcp: true,
                hba: "host all all 127.0.0.1/32 scram-sha-256",
                ..Setup::default()
            },
        );
        server
            .connect()
            .batch_execute("CREATE ROLE reader LOGIN PASSWORD 'correct-horse'")
            .unwrap();
        let place = format!("127.0.0.1:{}/postgres", server.port());
        let url = format!("postgresql://reader@{place}");
        fails(&url, "password authentication failed for user \"reader\"");
        let pre = ["live", "pre", "--format", "short", "--database-url"];
        let with = |url: &str, environment: &[(&str, &str)]| {
            let mut arguments = pre.to_vec();
            arguments.push(url);
            lockgate(&arguments, environment)
        };
        is_failure(
            &with(&url, &[]),
            "asks for the password of `reader`, and there is none; put it into the password file (~/.pgpass) or PGPASSWORD",
        );
        let right = with(&url, &[("PGPASSWORD", "correct-horse")]);
        assert_eq!(right.status, Some(0), "{}", right.text);
        assert!(!right.text.contains("on the command line"));
        // On the command line it works too, with a warning that does not repeat it.
        for url in [
            format!("postgresql://reader:correct-horse@{place}"),
            format!("postgresql://reader@{place}?password=correct-horse"),
        ] {
            let warned = with(&url, &[]);
            assert_eq!(warned.status, Some(0), "{}", warned.text);
            assert!(
                warned
                    .text
                    .contains("note: the password on the command line can be read by other users"),
                "{}",
                warned.text
            );
            assert!(!warned.text.contains("correct"), "{}", warned.text);
        }
        let wrong = with(&format!("postgresql://reader:hunter-three@{place}"), &[]);
        is_failure(&wrong, "password authentication failed");
        // In a file that only its owner reads, and in one that everybody does.
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(".pgpass");
        fs::write(&file, "127.0.0.1:*:*:reader:correct-horse\n").unwrap();
        let arguments = [&pre[..], &[&url]].concat();
        for (mode, status) in [("0600", 0), ("0644", 2)] {
            let chmod = Command::new("chmod").arg(mode).arg(&file).status();
            assert!(chmod.unwrap().success());
            let said = lockgate_in(directory.path(), &arguments, &[]);
            assert_eq!(said.status, Some(status), "{}", said.text);
            let left_out = said.text.contains("because others may read it; chmod 0600");
            assert_eq!(left_out, status == 2, "{}", said.text);
            assert!(!said.text.contains("correct"), "{}", said.text);
        }
    }
}

#[test]
fn a_url_in_the_wrong_place_is_not_repeated() {
    for arguments in [
        &["live", "pre", "postgresql://me:hunter-two@db/x"][..],
        &["check", "postgresql://me:hunter-two@db/x"],
    ] {
        let said = lockgate(arguments, &[]);
        is_failure(&said, "a URL is no file or directory of migrations");
        assert!(said.text.contains("--database-url"), "{}", said.text);
    }
}

#[test]
fn all_connections_are_taken() {
    for major in ends() {
        let server = Own::start(
            major,
            &Setup {
                settings: &["max_connections=8", "superuser_reserved_connections=2"],
                ..Setup::default()
            },
        );
        let database = server.world();
        let monitor = monitor(&database);
        let mut held = vec![database.connect(), database.connect()];
        // Connections that were closed take a moment to go.
        let settle = |held: &mut Vec<postgres::Client>| {
            let query = format!(
                "SELECT count(*) = {} FROM pg_stat_activity WHERE backend_type = 'client backend'",
                held.len()
            );
            wait_for(&mut held[0], &query);
        };
        settle(&mut held);
        let question = pre("few-connections-left");
        question.is_silent(&database);
        settle(&mut held);
        held.extend((0..3).map(|_| database.connect()));
        let told = question.told(&database, monitor);
        assert_eq!(
            told,
            ["error: 6 of 6 usable connections of the server are taken, 100 %"]
        );
        settle(&mut held);
        held.push(database.connect());
        let said = asks(&url(&database, monitor));
        is_failure(
            &said,
            "all connections are taken: end some, or raise `max_connections`",
        );
        // The last ones are for superusers.
        assert_eq!(
            question.told(&database, "postgres"),
            ["error: 7 of 6 usable connections of the server are taken, 116 %"]
        );
    }
}

#[test]
fn watch_tells_that_its_server_is_gone() {
    let server = Own::start(ends()[0], &Setup::default());
    let url = format!(
        "postgresql://postgres@/postgres?host={}",
        server.socket().display()
    );
    let arguments = [
        "live",
        "watch",
        "--database-url",
        &url,
        "--interval",
        "100ms",
        "--for",
        "20s",
    ];
    thread::scope(|scope| {
        let watching = scope.spawn(|| lockgate(&arguments, &[]));
        wait_for(
            &mut server.connect(),
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'lockgate')",
        );
        thread::sleep(Duration::from_millis(300));
        signal(server.pid(), "QUIT");
        let said = watching.join().unwrap();
        assert_eq!(said.status, Some(2), "{}", said.text);
        assert!(said.text.contains("connection"), "{}", said.text);
        assert!(said.took < Duration::from_secs(15), "{:?}", said.took);
    });
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

/// What a migration brings along does not run before somebody lets it.
#[test]
fn no_function_of_a_pending_migration_runs() {
    const MINE: &str = "CREATE FUNCTION mine(bigint) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS \
        'BEGIN RAISE EXCEPTION ''it ran''; END'";
    let check = |expression: &str| {
        format!("ALTER TABLE orders ADD CONSTRAINT c CHECK ({expression}) NOT VALID;")
    };
    for major in ends() {
        let database = world(major);
        database.connect().batch_execute(MINE).unwrap();
        for (expression, reason) in [
            ("pg_sleep(60) IS NOT NULL", "it calls `pg_sleep()`"),
            ("id > 0 AND mine(id)", "it calls `mine()`"),
            ("NOT (id = 1 OR public.mine(id))", "it calls `mine()`"),
            (
                "pg_terminate_backend(id::int)",
                "it calls `pg_terminate_backend()`",
            ),
            (
                "CASE WHEN dblink_exec('') = '' THEN true END",
                "it calls `dblink_exec()`",
            ),
            (
                "ARRAY[lower(pg_read_file('x'))] IS NULL",
                "it calls `pg_read_file()`",
            ),
            (
                "id IN (SELECT 1 FROM users WHERE mine(id))",
                "it holds a query",
            ),
        ] {
            let sql = check(expression);
            let told = pre("violated-constraint")
                .pending(&sql)
                .told(&database, "postgres");
            assert_eq!(told.len(), 1, "{told:?}");
            let expected = format!(" is not known: {reason}");
            assert!(
                told[0].starts_with("unknown: whether rows of `orders` break CHECK (")
                    && told[0].contains(&expected),
                "{told:?}"
            );
        }
        let sql =
            check("length(lower(coalesce(note, ''))) < nullif(1000, 0) AND (ARRAY[1, 2])[1] = 1");
        assert_eq!(
            pre("violated-constraint")
                .pending(&sql)
                .told(&database, "postgres"),
            [""; 0]
        );
        let sql = check("greatest(length(coalesce(note, '')), 1) > 100000 OR now() < 'epoch'");
        let told = pre("violated-constraint")
            .pending(&sql)
            .told(&database, "postgres");
        assert!(
            told[0].starts_with("error: rows of `orders` break CHECK (greatest("),
            "{told:?}"
        );
    }
}

/// What the server itself logs of every statement: reads, and all of them in transactions that only read.
#[test]
fn the_server_logs_reads_only() {
    for major in ends() {
        let server = Own::start(
            major,
            &Setup {
                settings: &[
                    "log_statement=all",
                    "log_line_prefix=[%a] ",
                    "log_min_messages=warning",
                    "log_error_verbosity=terse",
                ],
                ..Setup::default()
            },
        );
        let database = server.world();
        let url = url(&database, monitor(&database));
        let directory = tempfile::tempdir().unwrap();
        let files = [
            (
                "1.sql",
                "SET lock_timeout = '1s';\nALTER TABLE orders ALTER COLUMN note SET NOT NULL, DROP COLUMN coupon_id;\n",
            ),
            (
                "2.sql",
                "CREATE INDEX CONCURRENTLY orders_note ON orders (note);\n",
            ),
            ("q.sql", "SELECT * FROM orders WHERE id = 7;\n"),
        ];
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        for arguments in [
            &["live", "pre", "--database-url", &url, "1.sql", "2.sql"][..],
            &["live", "post", "--database-url", &url, "1.sql", "2.sql"],
            &[
                "live",
                "snapshot",
                "--query-texts",
                "--output",
                "s.json",
                "--database-url",
                &url,
            ],
            &[
                "live",
                "watch",
                "--interval",
                "50ms",
                "--for",
                "200ms",
                "--database-url",
                &url,
            ],
            &["live", "compare", "--queries", "q.sql", &url, &url],
        ] {
            let said = lockgate_in(directory.path(), arguments, &[]);
            assert_ne!(said.status, Some(2), "{arguments:?}\n{}", said.text);
        }
        let log = fs::read_to_string(server.socket().join("log")).unwrap();
        let mut open = false;
        let mut seen = 0;
        for line in log.split('\n') {
            let Some((_, logged)) = line.split_once("[lockgate] LOG:  ") else {
                continue;
            };
            let (kind, statement) = logged.split_once(": ").unwrap();
            let read = match kind {
                "statement" => [
                    "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY",
                    "COMMIT",
                    "ROLLBACK",
                ]
                .into_iter()
                .any(|start| statement.starts_with(start)),
                "execute <unnamed>" => statement.starts_with("SELECT "),
                _ => false,
            };
            assert!(read, "PostgreSQL {major}: {line}");
            seen += 1;
            // One question, one transaction.
            if statement.starts_with("BEGIN") {
                assert!(!open, "{line}");
                open = true;
            } else if statement == "COMMIT" || statement == "ROLLBACK" {
                open = false;
            } else {
                assert!(open, "{line}");
            }
        }
        assert!(seen > 150, "{seen}");
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
