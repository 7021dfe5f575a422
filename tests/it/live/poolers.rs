//! PgBouncer between live mode and the server.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

use super::certificates::Authority;
use super::faults::{asks, fails};
use super::{ends, monitor, pre, showing};
use crate::servers::{Database, Program, free_port, system_tool, world};

/// A running PgBouncer.
struct Pooler {
    port: u16,
    _program: Program,
}

impl Pooler {
    /// In front of the server with this socket; `more` are lines of its configuration.
    fn start(pgbouncer: &Path, socket: &Path, more: &str, files: &[(&str, PathBuf)]) -> Self {
        let port = free_port();
        let program = Program::start(pgbouncer, |dir| {
            let at = |name: &str| dir.join(name).display().to_string();
            let config = format!(
                "[databases]\n* = host={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
                 auth_type = trust\nauth_file = {}\nlogfile = {}\nadmin_users = postgres\n{}\n",
                socket.display(),
                at("users"),
                at("pgbouncer.log"),
                more.replace("$DIR", &dir.display().to_string()),
            );
            fs::write(dir.join("pgbouncer.ini"), config).unwrap();
            fs::write(dir.join("users"), "\"postgres\" \"\"\n\"monitor\" \"\"\n").unwrap();
            for (name, from) in files {
                fs::copy(from, dir.join(name)).unwrap();
            }
            vec![dir.join("pgbouncer.ini")]
        });
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(20), "no pgbouncer");
            sleep(Duration::from_millis(10));
        }
        Self {
            port,
            _program: program,
        }
    }

    fn url(&self, role: &str, database: &str) -> String {
        format!("postgresql://{role}@127.0.0.1:{}/{database}", self.port)
    }

    fn connect(&self, database: &Database) -> Client {
        Client::connect(&self.url("postgres", database.name()), NoTls).unwrap()
    }
}

/// The ways in which a pooler treats what a session asks for at its start.
const POOLS: [&str; 3] = [
    "pool_mode = session",
    "pool_mode = transaction\ndefault_pool_size = 1",
    // It takes the settings and drops them.
    "pool_mode = transaction\ndefault_pool_size = 1\nignore_startup_parameters = options",
];

#[test]
fn live_mode_works_through_a_pooler_and_cannot_write_there() {
    const COUNT: &str = "SELECT sum(reltuples)::int8 + (SELECT count(*) FROM orders) FROM pg_class WHERE relkind = 'r'";
    let Some(pgbouncer) = system_tool("pgbouncer") else {
        return;
    };
    for major in showing("transaction-pooler") {
        let database = world(major);
        monitor(&database);
        let question = pre("transaction-pooler");
        question.is_silent(&database);
        for pool in POOLS {
            let pooler = Pooler::start(&pgbouncer, database.socket(), pool, &[]);
            for role in ["postgres", "monitor"] {
                let url = pooler.url(role, database.name());
                assert_eq!(
                    question.told_at(&url, role),
                    [
                        "warning: a pooler between here and the server does not pass on the settings of a session"
                    ],
                    "{pool}"
                );
                let report = super::all_probes_at(&url);
                assert!(report.errors.is_empty(), "{:?}", report.errors);
                assert!(report.databases[0].answers.len() >= 20);
                for write in [
                    "CREATE TABLE x (id int)",
                    "UPDATE public.orders SET note = 'x'",
                    "DELETE FROM public.order_lines",
                    "SELECT nextval('public.orders_id_seq')",
                    "CREATE TEMP TABLE x (id int)",
                    "SET LOCAL transaction_read_only = off; SELECT 1; CREATE TABLE x (id int)",
                ] {
                    let refused = lockgate::testing::try_to_write(&url, write).unwrap_err();
                    assert!(
                        refused.contains("read-only transaction")
                            || refused.contains("permission denied")
                            || refused.contains("transaction read-write mode"),
                        "{write}: {refused}"
                    );
                }
            }
            // Whoever gets the server's connection next finds nothing of ours on it.
            let mut next = pooler.connect(&database);
            let messages = next
                .simple_query("SELECT current_setting('default_transaction_read_only') || ' ' || current_setting('lock_timeout') || ' ' || current_setting('statement_timeout') || ' ' || current_setting('search_path')")
                .unwrap();
            let row = messages.iter().find_map(|message| match message {
                postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                _ => None,
            });
            assert_eq!(row.unwrap(), "off 0 0 \"$user\", public", "{pool}");
        }
        database.connect().query_one(COUNT, &[]).unwrap();
    }
}

#[test]
fn what_cannot_go_through_a_pooler_is_said() {
    let Some(pgbouncer) = system_tool("pgbouncer") else {
        return;
    };
    let database = world(ends()[0]);
    let start = |more: &str| Pooler::start(&pgbouncer, database.socket(), more, &[]);
    let name = database.name();

    let statement = start("pool_mode = statement");
    fails(
        &statement.url("postgres", name),
        "the pooler gives each statement another connection (`pool_mode = statement`), and a question is a transaction; connect to the server itself",
    );
    fails(
        &statement.url("postgres", "pgbouncer"),
        "this is the console of PgBouncer, which is no database",
    );
    fails(
        &statement.url("postgres", "nothing"),
        "database \"nothing\" does not exist; name an existing database",
    );

    let full = start("pool_mode = transaction\ndefault_pool_size = 1");
    let mut busy = full.connect(&database);
    busy.batch_execute("BEGIN; SELECT 1").unwrap();
    fails(
        &full.url("postgres", name),
        "no answer within 8 s; is the server behind the pooler up, and has its pool a free connection (SHOW POOLS)?",
    );
    busy.batch_execute("COMMIT").unwrap();
    drop(busy);
    let said = asks(&full.url("postgres", name));
    assert_eq!(said.status, Some(0), "{}", said.text);

    let nobody = tempfile::tempdir().unwrap();
    let down = Pooler::start(&pgbouncer, nobody.path(), "server_login_retry = 1", &[]);
    fails(
        &format!("{}?connect_timeout=2", down.url("postgres", name)),
        "took the connection and did not answer within 2 s; is it a PostgreSQL server, does it still work, and if it is a pooler, is its server up?",
    );
}

#[test]
fn tls_ends_at_the_pooler() {
    let (Some(pgbouncer), Some(authority)) = (system_tool("pgbouncer"), Authority::new()) else {
        return;
    };
    authority.sign("right", "2", true);
    let root = format!("sslrootcert={}", authority.certificate("ca").display());
    let database = world(*ends().last().unwrap());
    let plain = Pooler::start(
        &pgbouncer,
        database.socket(),
        "pool_mode = transaction",
        &[],
    );
    let url = plain.url("postgres", database.name());
    // TLS is offered to it, and it says no.
    assert_eq!(asks(&url).status, Some(0));
    fails(
        &format!("{url}?sslmode=require"),
        "does not offer TLS, and `sslmode` demands it",
    );
    let encrypted = Pooler::start(
        &pgbouncer,
        database.socket(),
        "pool_mode = transaction\nclient_tls_sslmode = require\nclient_tls_cert_file = $DIR/crt\nclient_tls_key_file = $DIR/key",
        &[
            ("crt", authority.certificate("right")),
            ("key", authority.key("right")),
        ],
    );
    let url = encrypted.url("postgres", database.name());
    for tls in [
        "",
        "?sslmode=require",
        &format!("?sslmode=verify-full&{root}"),
    ] {
        let said = asks(&format!("{url}{tls}"));
        assert_eq!(said.status, Some(0), "{tls}: {}", said.text);
    }
    fails(
        &format!("{url}?sslmode=disable"),
        "connect with `sslmode=require`",
    );
}
