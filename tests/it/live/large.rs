//! A database as large as some are: live mode is quick there too.

use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;

use super::{all_probes_at, monitor, url};
use crate::servers::{Own, Setup, majors};

const TABLES: u32 = 5_000;
const SESSIONS: usize = 200;

/// The bar for all probes together.
const AT_MOST: Duration = Duration::from_secs(2);

/// Every second of the tables from this one on, each with four indexes.
fn make(client: &mut Client, first: u32) {
    let make = format!(
        "DO $$ BEGIN FOR i IN {first}..{TABLES} BY 2 LOOP \
         EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, a int, b text, c int)', i); \
         EXECUTE format('CREATE INDEX ON t%s (a)', i); \
         EXECUTE format('CREATE INDEX ON t%s (b)', i); \
         EXECUTE format('CREATE INDEX ON t%s (c)', i); \
         IF i % 100 < 2 THEN COMMIT; END IF; END LOOP; END $$"
    );
    client.batch_execute(&make).unwrap();
}

#[test]
fn all_probes_of_a_large_database_take_less_than_two_seconds() {
    let Some(major) = majors().pop() else { return };
    let server = Own::start(
        major,
        &Setup {
            settings: &["max_connections=250", "max_locks_per_transaction=256"],
            ..Setup::default()
        },
    );
    let database = server.world();
    thread::scope(|scope| {
        for first in [1, 2] {
            let mut client = database.connect();
            scope.spawn(move || make(&mut client, first));
        }
    });
    let mut sessions: Vec<Client> = (0..SESSIONS).map(|_| database.connect()).collect();
    for (index, session) in sessions.iter_mut().enumerate() {
        let sql = match index % 4 {
            // Locks on a table and its indexes each.
            0 => format!(
                "BEGIN; SELECT FROM t{0}; SELECT FROM t{1}",
                index + 1,
                index + 2
            ),
            1 => "BEGIN".to_owned(),
            _ => "SELECT 1".to_owned(),
        };
        session.batch_execute(&sql).unwrap();
    }
    let mut client = database.connect();
    let counts = "SELECT (SELECT count(*) FROM pg_class WHERE relkind = 'r') >= 5000 AND \
        (SELECT count(*) FROM pg_class WHERE relkind = 'i') >= 20000 AND \
        (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') >= 200";
    assert!(client.query_one(counts, &[]).unwrap().get::<_, bool>(0));
    for role in ["postgres", monitor(&database)] {
        let started = Instant::now();
        let report = all_probes_at(&url(&database, role));
        let took = started.elapsed();
        assert!(report.errors.is_empty(), "{:?}", report.errors);
        assert!(report.databases[0].answers.len() >= 20);
        assert!(took < AT_MOST, "{role}: {took:?}");
    }
}
