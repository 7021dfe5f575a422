//! `src/effect/volatility.txt` is what the servers' own catalog says.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use super::example::{blesses, root};
use super::servers;

/// Lines of the list are no longer than this.
const WIDTH: usize = 120;

#[test]
fn volatility_is_what_servers_say() {
    let majors = servers::majors();
    if majors.is_empty() {
        return;
    }
    // Classes of all overloads, on all majors.
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for major in &majors {
        let rows = servers::connect(*major)
            .query(
                "SELECT proname::text, provolatile::text FROM pg_proc
                 WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f'
                 GROUP BY 1, 2 ORDER BY 1, 2",
                &[],
            )
            .unwrap();
        for row in rows {
            found.entry(row.get(0)).or_default().push(row.get(1));
        }
    }
    let mut classes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, overloads) in &found {
        let is = |class: &str| overloads.iter().any(|overload| overload == class);
        let class = if is("v") && !is("s") && !is("i") {
            "volatile"
        } else if is("s") {
            "stable"
        } else {
            "immutable"
        };
        classes.entry(class).or_default().push(name);
    }
    let path = root().join("src/effect/volatility.txt");
    let list = fs::read_to_string(&path).unwrap();
    let mut text: String = list
        .split_inclusive('\n')
        .take_while(|line| line.starts_with('#'))
        .collect();
    for class in ["immutable", "stable", "volatile"] {
        let _ = writeln!(text, "[{class}]");
        let mut line = String::new();
        for name in classes.get(class).into_iter().flatten() {
            if !line.is_empty() && line.len() + 1 + name.len() > WIDTH {
                let _ = writeln!(text, "{line}");
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(name);
        }
        let _ = writeln!(text, "{line}");
    }
    if blesses() && majors.len() == 6 {
        fs::write(&path, &text).unwrap();
        return;
    }
    if majors.len() == 6 {
        let diff = similar::TextDiff::from_lines(&list, &text);
        assert!(
            list == text,
            "BLESS=1 rewrites the list:\n{}",
            diff.unified_diff()
        );
        return;
    }
    // Some servers alone know fewer functions, and fewer overloads of each.
    let unknown: Vec<&String> = found
        .keys()
        .filter(|name| list.split_whitespace().all(|listed| listed != *name))
        .collect();
    assert!(unknown.is_empty(), "not listed: {unknown:?}");
}
