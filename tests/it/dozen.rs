//! An expert's dozen: what people get wrong about PostgreSQL, each case with the whole answer.

use std::fmt::Write as _;

use lockgate::diagnostic::Certainty;
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
    Case {
        title: "a constant partition key leaves the other partitions out, without a lock",
        before: PARTS,
        sql: "DELETE FROM p WHERE k = 5",
        postgres: 16,
        zone: None,
        expected: "p ROW EXCLUSIVE\np1 ROW EXCLUSIVE",
    },
    Case {
        title: "… also with other conditions",
        before: PARTS,
        sql: "DELETE FROM p WHERE k = 5 AND a = 'x'",
        postgres: 16,
        zone: None,
        expected: "p ROW EXCLUSIVE\np1 ROW EXCLUSIVE",
    },
    Case {
        title: "… and for a query",
        before: PARTS,
        sql: "SELECT * FROM p x WHERE x.k = 5",
        postgres: 16,
        zone: None,
        expected: "p ACCESS SHARE\np1 ACCESS SHARE",
    },
    Case {
        title: "a value that no partition has goes to the default one",
        before: PARTS,
        sql: "DELETE FROM p WHERE k = 25",
        postgres: 16,
        zone: None,
        expected: "p ROW EXCLUSIVE\npd ROW EXCLUSIVE possible",
    },
    Case {
        title: "a limit leaves out what is behind it",
        before: PARTS,
        sql: "DELETE FROM p WHERE k < 5",
        postgres: 16,
        zone: None,
        expected: "p ROW EXCLUSIVE\np1 ROW EXCLUSIVE possible\npd ROW EXCLUSIVE possible",
    },
    Case {
        title: "a constant of another type is compared when the statement runs",
        before: PARTS,
        sql: "DELETE FROM p WHERE k = 5.0",
        postgres: 16,
        zone: None,
        expected: "p ROW EXCLUSIVE\np1 ROW EXCLUSIVE possible\np2 ROW EXCLUSIVE possible\npd ROW EXCLUSIVE possible",
    },
    Case {
        title: "a condition on another column leaves out nothing",
        before: PARTS,
        sql: "DELETE FROM p WHERE a = 'x'",
        postgres: 16,
        zone: None,
        expected: "p ROW EXCLUSIVE\np1 ROW EXCLUSIVE\np2 ROW EXCLUSIVE\npd ROW EXCLUSIVE",
    },
    Case {
        title: "a row whose key changes may go anywhere",
        before: PARTS,
        sql: "UPDATE p SET k = 6 WHERE k = 5",
        postgres: 16,
        zone: None,
        expected: "p ROW EXCLUSIVE\np1 ROW EXCLUSIVE\np2 ROW EXCLUSIVE possible\npd ROW EXCLUSIVE possible",
    },
    Case {
        title: "partitions of partitions are left out with them",
        before: SUB_PARTS,
        sql: "DELETE FROM p WHERE k = 5",
        postgres: 16,
        zone: None,
        expected: "p ROW EXCLUSIVE\np1 ROW EXCLUSIVE\np11 ROW EXCLUSIVE\np12 ROW EXCLUSIVE",
    },
    Case {
        title: "a list of values",
        before: LIST_PARTS,
        sql: "DELETE FROM p WHERE k IN ('a', 'b')",
        postgres: 16,
        zone: None,
        expected: "p ROW EXCLUSIVE\np1 ROW EXCLUSIVE",
    },
    Case {
        title: "CREATE STATISTICS lets reads and writes through",
        before: "CREATE TABLE t (a int, b int);",
        sql: "CREATE STATISTICS st ON a, b FROM t",
        postgres: 16,
        zone: None,
        expected: "t SHARE UPDATE EXCLUSIVE",
    },
    Case {
        title: "DROP STATISTICS locks the table it does not name",
        before: "CREATE TABLE t (a int, b int); CREATE STATISTICS st ON a, b FROM t;",
        sql: "DROP STATISTICS st",
        postgres: 16,
        zone: None,
        expected: "t SHARE UPDATE EXCLUSIVE",
    },
    Case {
        title: "ALTER STATISTICS locks no table",
        before: "CREATE TABLE t (a int, b int); CREATE STATISTICS st ON a, b FROM t;",
        sql: "ALTER STATISTICS st SET STATISTICS 100",
        postgres: 16,
        zone: None,
        expected: "",
    },
];

const PARTS: &str = "CREATE TABLE p (k int NOT NULL, a text) PARTITION BY RANGE (k);
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
    CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);
    CREATE TABLE pd PARTITION OF p DEFAULT;";

const SUB_PARTS: &str = "CREATE TABLE p (k int, a int) PARTITION BY RANGE (k);
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10) PARTITION BY LIST (a);
    CREATE TABLE p11 PARTITION OF p1 FOR VALUES IN (1);
    CREATE TABLE p12 PARTITION OF p1 FOR VALUES IN (2);
    CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);";

const LIST_PARTS: &str = "CREATE TABLE p (k text, a int) PARTITION BY LIST (k);
    CREATE TABLE p1 PARTITION OF p FOR VALUES IN ('a', 'b');
    CREATE TABLE p2 PARTITION OF p FOR VALUES IN ('c');";

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
            if effect.certainty != Certainty::Certain {
                write!(lines, " possible").unwrap();
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
