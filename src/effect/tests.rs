//! What was measured on servers and shows in no rule's page.

use std::fmt::Write as _;
use std::sync::Arc;

use super::{LockMode, Situation, effects, refuses_transaction};
use crate::schema::{Origin, Schema};
use crate::source::{Fragment, Location, SourceId, Span, SpanMap};
use crate::sql;
use crate::statement::Statement;

const SETUP: &str = "
    CREATE TABLE r (id bigint PRIMARY KEY);
    CREATE TABLE t (a int, b int NOT NULL);
    CREATE INDEX t_a_idx ON t (a);
    CREATE TABLE p (k int NOT NULL, a bigint) PARTITION BY RANGE (k);
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
    CREATE INDEX p_k_idx ON p (k);";

fn statements(sql: &str) -> Vec<Statement> {
    let fragment = Fragment {
        sql: Arc::from(sql),
        map: SpanMap::copied(0, sql.len()),
    };
    sql::parse(&fragment).statements
}

fn schema(sql: &str) -> Schema {
    let mut schema = Schema::default();
    for statement in statements(sql) {
        let origin = Origin {
            location: Location {
                source: SourceId(0),
                span: Span::new(0, 0),
            },
            batch: 0,
            statement: 0,
        };
        schema.apply(&statement, origin);
    }
    schema
}

/// Locks of SHARE and stronger, with `*` where rows are read.
fn strong(setup: &str, sql: &str, postgres: u32) -> String {
    let schema = schema(&format!("{SETUP}{setup}"));
    let mut text = String::new();
    for statement in statements(sql) {
        let situation = Situation {
            schema: &schema,
            postgres,
            time_zone: None,
        };
        for effect in effects(&statement, situation).list {
            if effect.lock < LockMode::Share {
                continue;
            }
            let scan = if effect.work.scan { "*" } else { "" };
            let separator = if text.is_empty() { "" } else { ", " };
            let name = effect.relation.short();
            let _ = write!(text, "{separator}{name}{scan} {}", effect.lock.as_str());
        }
    }
    text
}

#[test]
fn locks_and_scans_are_those_measured() {
    let partition_has_it = "
        ALTER TABLE p1 ADD CONSTRAINT p1_fk FOREIGN KEY (a) REFERENCES r NOT VALID;
        ALTER TABLE p1 VALIDATE CONSTRAINT p1_fk;";
    for (setup, sql, postgres, expected) in [
        (
            "",
            "ALTER TABLE p ADD UNIQUE (k)",
            17,
            "p ACCESS EXCLUSIVE, p1* SHARE",
        ),
        (
            "",
            "ALTER TABLE p ADD UNIQUE (k)",
            18,
            "p ACCESS EXCLUSIVE, p1* ACCESS EXCLUSIVE",
        ),
        (
            "",
            "ALTER TABLE ONLY p ADD UNIQUE (k)",
            17,
            "p ACCESS EXCLUSIVE",
        ),
        (
            "",
            "ALTER TABLE p ADD FOREIGN KEY (a) REFERENCES r",
            17,
            "p SHARE ROW EXCLUSIVE, p1* SHARE ROW EXCLUSIVE, r* SHARE ROW EXCLUSIVE",
        ),
        (
            partition_has_it,
            "ALTER TABLE p ADD FOREIGN KEY (a) REFERENCES r",
            17,
            "p SHARE ROW EXCLUSIVE, p1 SHARE ROW EXCLUSIVE, r ACCESS EXCLUSIVE",
        ),
        (
            "",
            "ALTER TABLE t ADD COLUMN x bigint REFERENCES r",
            17,
            "r SHARE ROW EXCLUSIVE, t ACCESS EXCLUSIVE",
        ),
        (
            "",
            "ALTER TABLE t ADD COLUMN x bigint DEFAULT NULL REFERENCES r",
            17,
            "r* SHARE ROW EXCLUSIVE, t* ACCESS EXCLUSIVE",
        ),
        ("", "REINDEX TABLE p", 13, "p SHARE"),
        ("", "REINDEX TABLE p", 14, "p SHARE, p1* SHARE"),
        (
            "",
            "REINDEX TABLE t",
            17,
            "t* SHARE, t_a_idx ACCESS EXCLUSIVE",
        ),
    ] {
        assert_eq!(
            strong(setup, sql, postgres),
            expected,
            "{sql} on {postgres}"
        );
    }
}

#[test]
fn statements_refuse_a_transaction_as_servers_do() {
    let schema = schema(SETUP);
    for (sql, from) in [
        ("CREATE INDEX CONCURRENTLY ON t (a)", Some(13)),
        ("CREATE INDEX ON t (a)", None),
        ("DROP INDEX CONCURRENTLY IF EXISTS nope", Some(13)),
        ("REINDEX TABLE CONCURRENTLY t", Some(13)),
        ("REINDEX TABLE t", None),
        ("REINDEX TABLE p", Some(14)),
        ("REINDEX INDEX p_k_idx", Some(14)),
        ("REINDEX SCHEMA public", Some(13)),
        ("REINDEX SYSTEM shop", Some(13)),
        ("ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY", Some(13)),
        ("ALTER TABLE p DETACH PARTITION p1 FINALIZE", None),
        ("VACUUM t", Some(13)),
        ("ANALYZE t", None),
        ("CLUSTER", Some(13)),
        ("CLUSTER t USING t_a_idx", None),
        ("CLUSTER p USING p_k_idx", Some(15)),
        ("ALTER SYSTEM SET work_mem = '4MB'", Some(13)),
        ("CREATE DATABASE d", Some(13)),
        ("ALTER DATABASE d SET TABLESPACE s", Some(13)),
        ("ALTER DATABASE d SET work_mem = '4MB'", None),
        ("DROP TABLESPACE s", Some(13)),
        ("DISCARD ALL", Some(13)),
        ("DISCARD PLANS", None),
        ("COMMIT PREPARED 'x'", Some(13)),
        (
            "CREATE SUBSCRIPTION s CONNECTION 'c' PUBLICATION p",
            Some(13),
        ),
        (
            "CREATE SUBSCRIPTION s CONNECTION 'c' PUBLICATION p WITH (connect = false)",
            None,
        ),
        (
            "CREATE SUBSCRIPTION s CONNECTION 'c' PUBLICATION p WITH (create_slot = off)",
            None,
        ),
        ("ALTER SUBSCRIPTION s REFRESH PUBLICATION", Some(14)),
        ("ALTER SUBSCRIPTION s DISABLE", None),
        ("DROP SUBSCRIPTION s", Some(13)),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY m", None),
        ("CHECKPOINT", None),
    ] {
        let statement = statements(sql).remove(0);
        for postgres in 13..=18 {
            let refuses = refuses_transaction(&statement, &schema, postgres).is_some();
            let expected = from.is_some_and(|from| postgres >= from);
            assert_eq!(refuses, expected, "{sql} on {postgres}");
        }
    }
}
