//! The committed list of functions that not every major has, against the servers' own catalogs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::servers;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/effect/functions.txt");

/// Functions that a migration may call, with each number of arguments they take. Left out is what only PostgreSQL itself
/// calls: support functions of types, operators and indexes, and statistics views' helpers.
const QUERY: &str = r"
    SELECT proname || '/' || n FROM pg_proc, generate_series(pronargs::int - pronargdefaults::int, pronargs::int) n
    WHERE pronamespace = 'pg_catalog'::regnamespace AND provariadic = 0 AND prokind IN ('f', 'w', 'a')
      AND prorettype <> 'internal'::regtype
      AND proname !~ '_(in|out|recv|send|transfn|accum|handler|support|sel|joinsel|ops|cmp|eq|hash|typmodin|typmodout)$'
      AND proname !~ '^(pg_stat_|binary_upgrade|RI_|pg_show_|bt|gist|gin|brin|spg)'
    GROUP BY 1";

#[test]
fn the_list_of_functions_is_what_the_servers_have() {
    let majors = servers::majors();
    if majors.len() < 6 {
        return; // Without all of them a first and a last major cannot be told.
    }
    let mut seen: BTreeMap<(String, u32), BTreeSet<u32>> = BTreeMap::new();
    for major in &majors {
        for row in servers::connect(*major).query(QUERY, &[]).unwrap() {
            let entry: String = row.get(0);
            let (name, count) = entry.split_once('/').unwrap();
            let key = (name.to_owned(), count.parse().unwrap());
            seen.entry(key).or_default().insert(*major);
        }
    }
    let mut by_majors: BTreeMap<(u32, u32), Vec<String>> = BTreeMap::new();
    for ((name, count), with) in seen {
        if with.len() < majors.len() {
            let range = (*with.first().unwrap(), *with.last().unwrap());
            by_majors
                .entry(range)
                .or_default()
                .push(format!("{name}/{count}"));
        }
    }
    let mut text = String::from(
        "# Functions in pg_catalog that not every major from 13 to 18 has: name and number of arguments, under the first and the\n\
         # last major with them. Measured on the servers (pg_proc); `BLESS=1 cargo test --test it catalog_functions` writes this.\n",
    );
    for ((first, last), entries) in by_majors {
        writeln!(text, "[{first}-{last}]").unwrap();
        let mut line = String::new();
        for entry in entries {
            if line.len() + entry.len() + 1 > 118 {
                writeln!(text, "{line}").unwrap();
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&entry);
        }
        writeln!(text, "{line}").unwrap();
    }
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(FILE).unwrap(), text);
}
