//! A primary and a standby that streams from it.

use super::{monitor, pre, showing, url, wait_for};
use crate::servers::{Database, Own, free_port};

/// A pair, with the world on both.
fn pair(major: u32) -> (Own, Own, Database, Database) {
    let (primary, standby) = Own::with_standby(major);
    let database = primary.world();
    monitor(&database);
    wait_for(
        &mut primary.connect(),
        "SELECT count(*) = 1 AND bool_and(replay_lsn = pg_current_wal_insert_lsn() AND state = 'streaming' AND coalesce(replay_lag, '0') < '0.9 s') FROM pg_stat_replication",
    );
    let copy = standby.same(&database);
    (primary, standby, database, copy)
}

#[test]
fn a_replica_whose_replay_is_paused_is_named() {
    for major in showing("replica-lagging") {
        let (primary, standby, database, _) = pair(major);
        let question = pre("replica-lagging");
        question.is_silent(&database);
        question
            .clone()
            .option("expected", "1")
            .is_silent(&database);
        question
            .clone()
            .option("expected", "2")
            .finds(&database, "error: 1 of 2 expected replicas are connected");
        standby
            .connect()
            .batch_execute("SELECT pg_wal_replay_pause()")
            .unwrap();
        database
            .connect()
            .batch_execute("UPDATE orders SET note = 'x'; SELECT pg_switch_wal()")
            .unwrap();
        wait_for(
            &mut primary.connect(),
            "SELECT bool_and(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) > 100000) FROM pg_stat_replication",
        );
        question
            .clone()
            .option("bytes", "100000")
            .finds(&database, "warning: the replica `standby` is …behind");
        wait_for(
            &mut primary.connect(),
            "SELECT bool_and(replay_lag > '1.2 s') FROM pg_stat_replication",
        );
        question.finds(
            &database,
            "warning: the replica `standby` is …s and …behind",
        );
        question
            .option("error", "1s")
            .finds(&database, "error: the replica `standby` is …behind");
        standby
            .connect()
            .batch_execute("SELECT pg_wal_replay_resume()")
            .unwrap();
        wait_for(
            &mut primary.connect(),
            "SELECT bool_and(replay_lsn = pg_current_wal_insert_lsn()) FROM pg_stat_replication",
        );
        wait_for(
            &mut primary.connect(),
            "SELECT bool_and(coalesce(replay_lag, '0') < '0.9 s') FROM pg_stat_replication",
        );
        pre("replica-lagging").is_silent(&database);
        drop(standby);
        wait_for(
            &mut primary.connect(),
            "SELECT count(*) = 0 FROM pg_stat_replication",
        );
        pre("replica-lagging")
            .option("expected", "1")
            .finds(&database, "error: 0 of 1 expected replicas are connected");
    }
}

#[test]
fn a_standby_is_no_place_for_a_migration() {
    const STANDBY: &str = "error: the server is a standby, and migrations run on its primary";
    for major in showing("unfit-session") {
        let (primary, standby, database, copy) = pair(major);
        let question = pre("unfit-session").checked_for(major);
        assert_eq!(question.told(&database, "monitor"), [""; 0]);
        let superuser = "info: the role `postgres` is a superuser";
        assert_eq!(question.told(&database, "postgres"), [superuser]);
        assert_eq!(question.told(&copy, "monitor"), [STANDBY]);
        assert_eq!(question.told(&copy, "postgres"), [STANDBY, superuser]);
        let other = pre("unfit-session").checked_for(15);
        assert!(
            other.told(&database, "monitor")[0].contains(&format!(
                ": the files are checked for PostgreSQL 15, and the server is {major}"
            )),
            "{:?}",
            other.told(&database, "monitor")
        );
        // Every probe has an answer there.
        for role in ["postgres", "monitor"] {
            let report = super::all_probes_at(&url(&copy, role));
            assert!(report.errors.is_empty(), "{:?}", report.errors);
            let refused: Vec<_> = report
                .diagnostics
                .iter()
                .filter(|found| {
                    found.message.contains("refused the question")
                        || found.message.contains("recovery")
                })
                .collect();
            assert!(refused.is_empty(), "{refused:#?}");
        }
        // `target_session_attrs` finds the right one of the two.
        for (attributes, expected) in [("primary", 1), ("standby", 2), ("any", 2)] {
            let url = format!(
                "host={},{} user=postgres dbname={} target_session_attrs={attributes}",
                standby.socket().display(),
                primary.socket().display(),
                database.name()
            );
            assert_eq!(
                question.told_at(&url, "postgres").len(),
                expected,
                "{attributes}"
            );
        }
        // A place where nobody is does not stop the search; where only the wrong one is, that is said.
        let places = format!(
            "host=127.0.0.1,{} port={},5432 user=postgres dbname={}",
            standby.socket().display(),
            free_port(),
            database.name()
        );
        assert_eq!(question.told_at(&places, "postgres").len(), 2);
        let url = format!("{places} target_session_attrs=read-write");
        let report = question.report_at(&url);
        let [error] = &report.errors[..] else {
            panic!("{:?}", report.errors);
        };
        for part in [
            "no connection to 127.0.0.1",
            " is a standby; `target_session_attrs` asks",
        ] {
            assert!(error.message.contains(part), "{}", error.message);
        }
    }
}
