//! An expert's dozen: what people get wrong about PostgreSQL, each case with the whole answer.

use std::fmt::Write as _;

use lockgate::testing::{predict, refused_in_one_message};

struct Case {
    title: &'static str,
    before: &'static str,
    sql: &'static str,
    postgres: u32,
    zone: Option<&'static str>,
    /// One line per relation: name, lock, work. A refusal is a line of its own.
    expected: &'static str,
}

const CASES: &[Case] = &[
    Case {
        title: "SET NOT NULL scans if the CHECK that proves it is dropped by the same command",
        before: "CREATE TABLE t (a int, CONSTRAINT a_nn CHECK (a IS NOT NULL));",
        sql: "ALTER TABLE t ALTER COLUMN a SET NOT NULL, DROP CONSTRAINT a_nn",
        postgres: 17,
        zone: None,
        expected: "t ACCESS EXCLUSIVE scan",
    },
    Case {
        title: "… and does not if it is dropped afterwards",
        before: "CREATE TABLE t (a int, CONSTRAINT a_nn CHECK (a IS NOT NULL));",
        sql: "ALTER TABLE t ALTER COLUMN a SET NOT NULL",
        postgres: 17,
        zone: None,
        expected: "t ACCESS EXCLUSIVE",
    },
    Case {
        title: "a new column with REFERENCES and no default has nothing to check, but locks both tables",
        before: "CREATE TABLE ref (id int PRIMARY KEY); CREATE TABLE t (a int);",
        sql: "ALTER TABLE t ADD COLUMN r int REFERENCES ref",
        postgres: 16,
        zone: None,
        expected: "ref SHARE ROW EXCLUSIVE\nt ACCESS EXCLUSIVE",
    },
    Case {
        title: "dropping a foreign key locks the other table as strongly",
        before: "CREATE TABLE ref (id int PRIMARY KEY); CREATE TABLE t (r int CONSTRAINT t_r REFERENCES ref);",
        sql: "ALTER TABLE t DROP CONSTRAINT t_r",
        postgres: 16,
        zone: None,
        expected: "ref ACCESS EXCLUSIVE\nt ACCESS EXCLUSIVE",
    },
    Case {
        title: "ATTACH scans the table, whose CHECK lets NULL through, and the default partition",
        before: PARTS_WITH_CHECK,
        sql: "ALTER TABLE m ATTACH PARTITION m_new FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
        postgres: 18,
        zone: None,
        expected: "m SHARE UPDATE EXCLUSIVE\nm_new ACCESS EXCLUSIVE scan\nm_rest ACCESS EXCLUSIVE scan",
    },
    Case {
        title: "… and neither if the CHECKs say enough",
        before: PARTS_PROVEN,
        sql: "ALTER TABLE m ATTACH PARTITION m_new FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
        postgres: 18,
        zone: None,
        expected: "m SHARE UPDATE EXCLUSIVE\nm_new ACCESS EXCLUSIVE\nm_rest ACCESS EXCLUSIVE",
    },
    Case {
        title: "widening a varchar keeps the rows, builds expression indexes again and checks CHECKs again",
        before: "CREATE TABLE t (v varchar(10) CHECK (v <> '')); CREATE INDEX t_low ON t (lower(v)); CREATE INDEX t_v ON t (v);",
        sql: "ALTER TABLE t ALTER COLUMN v TYPE varchar(20)",
        postgres: 15,
        zone: None,
        expected: "t ACCESS EXCLUSIVE scan index build",
    },
    Case {
        title: "timestamp to timestamptz is free in a session in UTC",
        before: "CREATE TABLE t (at timestamp);",
        sql: "ALTER TABLE t ALTER COLUMN at TYPE timestamptz",
        postgres: 14,
        zone: Some("UTC"),
        expected: "t ACCESS EXCLUSIVE",
    },
    Case {
        title: "… and rewrites in any other",
        before: "CREATE TABLE t (at timestamp);",
        sql: "ALTER TABLE t ALTER COLUMN at TYPE timestamptz",
        postgres: 14,
        zone: Some("Europe/Berlin"),
        expected: "t ACCESS EXCLUSIVE scan rewrite index build",
    },
    Case {
        title: "a SQL function with a constant body is inlined: volatile by name, constant in fact",
        before: "CREATE TABLE t (a int); CREATE FUNCTION seven() RETURNS int LANGUAGE sql AS 'SELECT 7';",
        sql: "ALTER TABLE t ADD COLUMN b int DEFAULT seven()",
        postgres: 13,
        zone: None,
        expected: "t ACCESS EXCLUSIVE",
    },
    Case {
        title: "NOT NULL … NOT VALID scans nothing on 18",
        before: "CREATE TABLE t (a int);",
        sql: "ALTER TABLE t ADD CONSTRAINT a_nn NOT NULL a NOT VALID",
        postgres: 18,
        zone: None,
        expected: "t ACCESS EXCLUSIVE",
    },
    Case {
        title: "… and is not understood before, so that nothing is locked",
        before: "CREATE TABLE t (a int);",
        sql: "ALTER TABLE t ADD CONSTRAINT a_nn NOT NULL a NOT VALID",
        postgres: 17,
        zone: None,
        expected: "refused 42601",
    },
    Case {
        title: "CREATE TABLE … PARTITION OF locks the parent",
        before: "CREATE TABLE m (at date) PARTITION BY RANGE (at);",
        sql: "CREATE TABLE m_2025 PARTITION OF m FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
        postgres: 18,
        zone: None,
        expected: "m ACCESS EXCLUSIVE",
    },
    Case {
        title: "ADD VALUE locks no table",
        before: "CREATE TYPE mood AS ENUM ('fine'); CREATE TABLE t (m mood);",
        sql: "ALTER TYPE mood ADD VALUE 'tired'",
        postgres: 16,
        zone: None,
        expected: "",
    },
    Case {
        title: "validating a domain's CHECK reads every table that uses it, and stops their writes",
        before: "CREATE DOMAIN d AS int; CREATE TABLE t (a d); CREATE TABLE u (b d); ALTER DOMAIN d ADD CONSTRAINT p CHECK (VALUE > 0) NOT VALID;",
        sql: "ALTER DOMAIN d VALIDATE CONSTRAINT p",
        postgres: 17,
        zone: None,
        expected: "t SHARE scan\nu SHARE scan",
    },
];

const PARTS_WITH_CHECK: &str = "CREATE TABLE m (at date, v int) PARTITION BY RANGE (at);
    CREATE TABLE m_rest PARTITION OF m DEFAULT;
    CREATE TABLE m_new (at date CHECK (at >= '2025-01-01' AND at < '2026-01-01'), v int);";

const PARTS_PROVEN: &str = "CREATE TABLE m (at date, v int) PARTITION BY RANGE (at);
    CREATE TABLE m_rest PARTITION OF m DEFAULT;
    ALTER TABLE m_rest ADD CHECK (at < '2025-01-01' OR at >= '2026-01-01');
    CREATE TABLE m_new (at date NOT NULL CHECK (at >= '2025-01-01' AND at < '2026-01-01'), v int);";

#[test]
fn the_experts_dozen() {
    for case in CASES {
        let prediction = predict(case.before, case.sql, case.postgres, case.zone);
        let mut lines = String::new();
        for effect in &prediction.effects {
            if prediction.index_tables.contains_key(&*effect.relation.name) {
                continue;
            }
            write!(lines, "{} {}", effect.relation.name, effect.lock.as_str()).unwrap();
            for word in effect.work.words() {
                write!(lines, " {word}").unwrap();
            }
            lines.push('\n');
        }
        if let Some(sqlstate) = prediction.fails {
            writeln!(lines, "refused {sqlstate}").unwrap();
        }
        assert_eq!(lines.trim_end(), case.expected, "{}", case.title);
    }
}

#[test]
fn concurrently_is_refused_in_a_message_with_other_statements() {
    let sql = "CREATE INDEX CONCURRENTLY i ON t (a); SELECT 1;";
    assert_eq!(refused_in_one_message(sql), [true, false]);
    let alone = "CREATE INDEX CONCURRENTLY i ON t (a);";
    assert_eq!(refused_in_one_message(alone), [false]);
}
