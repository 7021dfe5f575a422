//! `src/effect/types.txt` is what the servers' own catalogs say about types, casts and operator classes, and what the
//! model makes of it is what the servers do with every pair of types.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use postgres::Client;

use super::example::{blesses, root};
use super::servers;

/// Contrib extensions whose types people use in columns.
const EXTENSIONS: &[&str] = &["citext", "cube", "hstore", "ltree"];

/// The base types that a column can have: name, category, and whether its length coercion can be simplified away.
/// Arrays, composite types and domains follow from others.
const TYPES: &str = r"
    CREATE TEMP TABLE found_type AS
    SELECT t.oid, t.typname::text AS name, t.typcategory::text AS category, t.typispreferred AS preferred,
           (SELECT CASE WHEN p.prosupport = 0 THEN 'always' ELSE 'support' END
            FROM pg_cast c JOIN pg_proc p ON p.oid = c.castfunc
            WHERE c.castsource = t.oid AND c.casttarget = t.oid) AS length
    FROM pg_type t
    LEFT JOIN pg_depend d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
    WHERE t.typtype IN ('b', 'r', 'm') AND NOT (t.typelem <> 0 AND t.typlen = -1)
      AND (t.typnamespace = 'pg_catalog'::regnamespace OR d.objid IS NOT NULL)
      AND t.typname !~ '(^pg_(brin|dependencies|mcv|ndistinct|node)|^gtsvector$|^ghstore$|_gist$)'";

/// For stand-ins of types that a project defines, their catalog class decides: arrays, enums, ranges, rows.
const CLASSES: &str = r"
    CREATE TYPE some_enum AS ENUM ('a');
    CREATE TYPE some_range AS RANGE (SUBTYPE = text);
    CREATE TYPE some_row AS (a int);
    INSERT INTO found_type SELECT to_regtype(t)::oid, n, '-', false, NULL
    FROM (VALUES ('some_enum', '(enum)'), ('some_range', '(range)'), ('some_row', '(row)'), ('int4[]', '(array)')) v(t, n)";

/// Which operator class an index without one gets, by trying.
const CLASSES_OF_INDEXES: &str = r"
    CREATE TEMP TABLE found_class (name text, method text, class text, key text, family oid);
    DO $$
    DECLARE
        ty record;
        method text;
        class oid;
    BEGIN
        FOR ty IN SELECT name, format_type(oid, NULL) AS written FROM found_type LOOP
            EXECUTE format('CREATE TEMP TABLE probe (c %s)', ty.written);
            FOREACH method IN ARRAY ARRAY['btree', 'hash', 'gin', 'gist', 'spgist', 'brin'] LOOP
                BEGIN
                    EXECUTE format('CREATE INDEX probed ON probe USING %I (c)', method);
                    SELECT indclass[0] INTO class FROM pg_index WHERE indexrelid = 'probed'::regclass;
                    INSERT INTO found_class
                        SELECT ty.name, method, opcname, t.typname, opcfamily
                        FROM pg_opclass JOIN pg_type t ON t.oid = opcintype WHERE pg_opclass.oid = class;
                    DROP INDEX probed;
                EXCEPTION WHEN undefined_object THEN NULL;
                END;
            END LOOP;
            DROP TABLE probe;
        END LOOP;
    END $$";

/// Casts between them: context and method. The two conversions whose bits are the same in UTC have a method of their own.
const CASTS: &str = r"
    WITH named AS (SELECT oid, name FROM found_type
                   UNION ALL SELECT typarray, name || '[]' FROM found_type JOIN pg_type USING (oid) WHERE typarray <> 0)
    SELECT s.name, t.name, castcontext::text,
           CASE WHEN (s.name, t.name) IN (('timestamp', 'timestamptz'), ('timestamptz', 'timestamp')) THEN 'z'
                ELSE castmethod::text END
    FROM pg_cast JOIN named s ON s.oid = castsource JOIN named t ON t.oid = casttarget
    WHERE castsource <> casttarget ORDER BY 1, 2";

/// Types of different names that one equality operator of the default btree family compares.
const EQUAL: &str = r"
    SELECT l.name, r.name FROM pg_amop
    JOIN found_type l ON l.oid = amoplefttype JOIN found_type r ON r.oid = amoprighttype
    WHERE amopstrategy = 3 AND amoplefttype <> amoprighttype
      AND amopfamily IN (SELECT family FROM found_class WHERE method = 'btree' AND name = l.name)
    ORDER BY 1, 2";

/// A fact and the majors on which it was seen.
type Seen = BTreeMap<String, BTreeSet<u32>>;

fn read(client: &mut Client) -> [Vec<String>; 3] {
    client.batch_execute("BEGIN").unwrap();
    for extension in EXTENSIONS {
        client
            .batch_execute(&format!("CREATE EXTENSION {extension}"))
            .unwrap();
    }
    for sql in [TYPES, CLASSES, CLASSES_OF_INDEXES] {
        client.batch_execute(sql).unwrap();
    }
    let mut types = Vec::new();
    let rows = client
        .query(
            "SELECT t.name, category || CASE WHEN preferred THEN '!' ELSE '' END, coalesce(length, '-'),
                    coalesce((SELECT key FROM found_class c WHERE c.name = t.name AND method = 'btree'), '-'),
                    coalesce((SELECT string_agg(method || '=' || class, ' ' ORDER BY method) FROM found_class c WHERE c.name = t.name), '')
             FROM found_type t ORDER BY 1",
            &[],
        )
        .unwrap();
    for row in rows {
        let column = |index: usize| row.get::<_, String>(index);
        let line = format!(
            "{} {} {} {} {}",
            column(0),
            column(1),
            column(2),
            column(3),
            column(4)
        );
        types.push(line.trim_end().to_owned());
    }
    let casts = client
        .query(CASTS, &[])
        .unwrap()
        .iter()
        .map(|row| {
            let column = |index: usize| row.get::<_, String>(index);
            format!("{} {} {}{}", column(0), column(1), column(2), column(3))
        })
        .collect();
    let equal = client
        .query(EQUAL, &[])
        .unwrap()
        .iter()
        .map(|row| format!("{} {}", row.get::<_, String>(0), row.get::<_, String>(1)))
        .collect();
    client.batch_execute("ROLLBACK").unwrap();
    [types, casts, equal]
}

#[test]
fn types_casts_and_operator_classes_are_what_servers_say() {
    let majors = servers::majors();
    if majors.len() < 6 {
        return; // Without all of them a first and a last major cannot be told.
    }
    let mut seen: [Seen; 3] = Default::default();
    for major in &majors {
        let mut client = servers::connect(*major);
        for (seen, lines) in seen.iter_mut().zip(read(&mut client)) {
            for line in lines {
                seen.entry(line).or_default().insert(*major);
            }
        }
        let volatile: i64 = client
            .query_one(
                "SELECT count(*) FROM pg_operator JOIN pg_proc p ON p.oid = oprcode WHERE provolatile = 'v'",
                &[],
            )
            .unwrap()
            .get(0);
        // `effect::volatility` takes operators for what their operands are.
        assert_eq!(volatile, 0, "a built-in operator of {major} is volatile");
    }
    let path = root().join("src/effect/types.txt");
    let list = fs::read_to_string(&path).unwrap_or_default();
    let mut text: String = list
        .split_inclusive('\n')
        .take_while(|line| line.starts_with('#'))
        .collect();
    for (title, seen) in ["types", "casts", "equal"].into_iter().zip(&seen) {
        let _ = writeln!(text, "[{title}]");
        for (line, with) in seen {
            let (first, last) = (with.first().unwrap(), with.last().unwrap());
            if with.len() == majors.len() {
                let _ = writeln!(text, "{line}");
            } else {
                let _ = writeln!(text, "{line} @{first}-{last}");
            }
        }
    }
    if blesses() {
        fs::write(&path, &text).unwrap();
        return;
    }
    let diff = similar::TextDiff::from_lines(&list, &text);
    assert!(
        list == text,
        "BLESS=1 rewrites the list:\n{}",
        diff.unified_diff()
    );
}
