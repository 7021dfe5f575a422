//! pop and soda of Go, and Ory's fork of them: `20210710035447_alter_users.up.sql`, `1_users.postgres.up.sql`.
//!
//! Read in the tool's source: a name is digits, `_`, a title without dots, perhaps a database, perhaps `.autocommit` (the
//! fork only), the direction and `sql` or `fizz`; others are skipped. Versions are compared as text. Of the files of one
//! version that for PostgreSQL wins over the one for all databases. A file is a template of Go, sent as one message in a
//! transaction of its own; `.autocommit` leaves the transaction. What is missing runs, whatever ran before.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Applied, Client, Direction, DownScripts, File, Files, Found, Layout, Outside, ProblemKind,
    Reading, Runner, RunnerLock, Script, Send, Wraps, arrange_by_version, is_other_database,
    is_postgres, name, path, sign, text,
};

/// The tool.
pub(super) static LAYOUT: Layout = Layout {
    name: "pop",
    detect,
    open: |_, root, options| Found::named(&LAYOUT, root, options),
    files: |found, files| {
        path::below(files.paths(), &found.root)
            .filter(|path| path::parent(path) == found.root && is_own(path))
            .cloned()
            .collect()
    },
    read,
    arrange: |_, scripts| {
        arrange_by_version(
            scripts,
            |a, b| a.version.cmp(&b.version),
            "pop runs one of the two and takes the other one for done; number it anew",
        )
    },
    compare: Some(str::cmp),
    applied: Applied::by("pop"),
    client: Client {
        fills: true,
        ..Client::DRIVER
    },
    runner: Runner {
        send: Send::SimpleBatch,
        wraps: Wraps::Script,
        session: crate::layout::Session::Unknown,
        leaves_transaction_for: None,
        sets_apart: None,
        splits_run: false,
        way_out: "with Ory's pop, put it alone in a file `<version>_<title>.autocommit.up.sql`; pop itself runs every \
                  migration inside of a transaction",
        outside: Outside::Words,
        opens: "",
        keeps: None,
        lock: RunnerLock::Harmless,
        mixing: None,
        down: DownScripts::Optional,
    },
};

/// The parts of a file's name.
#[derive(Debug, PartialEq, Eq)]
struct Name<'a> {
    version: &'a str,
    title: &'a str,
    /// The database that it is for; none for all of them.
    database: Option<&'a str>,
    autocommit: bool,
    direction: Direction,
    fizz: bool,
}

fn parse(file: &str) -> Option<Name<'_>> {
    let version = name::digits(file);
    let rest = file[version.len()..].strip_prefix('_')?;
    let mut parts: Vec<&str> = rest.split('.').collect();
    let fizz = match parts.pop()? {
        "sql" => false,
        "fizz" => true,
        _ => return None,
    };
    let direction = match parts.pop()? {
        "up" => Direction::Up,
        "down" => Direction::Down,
        _ => return None,
    };
    let (title, database, autocommit) = match *parts.as_slice() {
        [title] => (title, None, false),
        [title, "autocommit"] => (title, None, true),
        [title, database] => (title, Some(database), false),
        [title, database, "autocommit"] => (title, Some(database), true),
        _ => return None,
    };
    (!version.is_empty() && !title.is_empty()).then_some(Name {
        version,
        title,
        database,
        autocommit,
        direction,
        fizz,
    })
}

/// True for a file that the tool may look at.
fn is_own(path: &str) -> bool {
    path::is_sql(path) || path::extension(path).is_some_and(|extension| extension == "fizz")
}

fn detect(files: &dyn Files) -> Vec<Found> {
    let mut directories: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in files.paths().iter().filter(|path| is_own(path)) {
        directories
            .entry(path::parent(path))
            .or_default()
            .push(path::file_name(path));
    }
    let mut founds = Vec::new();
    for (directory, names) in directories {
        let parsed: Vec<Name<'_>> = names.iter().filter_map(|name| parse(name)).collect();
        if parsed.is_empty() || 2 * parsed.len() < names.len() {
            continue;
        }
        let reason = if parsed.iter().any(|name| name.fizz) {
            "there are migrations in Fizz".to_owned()
        } else if let Some(module) = sign::nearest(files, directory, "go.mod").filter(|module| {
            files
                .text(module)
                .is_some_and(|text| text::lines(&text).any(|(_, line)| names_pop(line)))
        }) {
            format!("its files are named like pop's, and `{module}` needs pop")
        } else {
            continue;
        };
        founds.push(Found::of(&LAYOUT, directory, reason));
    }
    founds
}

/// True for a line of a `go.mod` that names pop or a fork of it.
fn names_pop(line: &str) -> bool {
    line.split_whitespace().any(|word| {
        let mut parts = word.split('/');
        word.starts_with("github.com/") && parts.nth(2) == Some("pop")
    })
}

fn read(_: &Found, file: &File<'_>) -> Reading {
    let Some(name) = parse(file.name()) else {
        return Reading::problem(file.problem(
            ProblemKind::Misnamed,
            format!("pop never runs `{}`", file.name()),
            Some("name it `<version>_<title>.up.sql` (and `.down.sql` for the way back), or move it elsewhere".to_owned()),
        ));
    };
    match name.database {
        Some(database) if is_other_database(database) => return Reading::left_out(database),
        Some(database) if !is_postgres(database) => return Reading::left_out(database),
        // PostgreSQL has a file of its own.
        None if has_own(file, &name) => {
            return Reading::left_out("the databases that have no file of their own");
        }
        _ => {}
    }
    if name.fizz {
        return Reading::of_code(file, "pop", "Fizz");
    }
    let mut script = Script::of_file(file, name.direction);
    name.version.clone_into(&mut script.version);
    name.version.clone_into(&mut script.key);
    script.description = name::title(name.title);
    if name.autocommit {
        script.run_as(None, Some(Wraps::Nothing));
    }
    Reading::script(script)
}

/// True if a file of the same version and direction beside this one is for PostgreSQL.
fn has_own(file: &File<'_>, name: &Name<'_>) -> bool {
    let directory = path::parent(file.path);
    let start = path::join(directory, &format!("{}_", name.version));
    let paths = file.files.paths();
    let first = paths.partition_point(|path| *path < start);
    let beside: BTreeSet<&str> = paths[first..]
        .iter()
        .take_while(|path| path.starts_with(&start))
        .map(|path| path::file_name(path))
        .collect();
    beside.into_iter().filter_map(parse).any(|other| {
        other.version == name.version
            && other.direction == name.direction
            && other.database.is_some_and(is_postgres)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_as_the_tool_does() {
        let parsed = |file| {
            parse(file).map(|name| {
                let direction = name.direction.as_str();
                (
                    name.version,
                    name.title,
                    name.database,
                    name.autocommit,
                    direction,
                )
            })
        };
        let cases = [
            ("1_a.up.sql", Some(("1", "a", None, false, "up"))),
            ("1_a_b.down.fizz", Some(("1", "a_b", None, false, "down"))),
            (
                "1_a.postgres.up.sql",
                Some(("1", "a", Some("postgres"), false, "up")),
            ),
            ("1_a.autocommit.up.sql", Some(("1", "a", None, true, "up"))),
            (
                "1_a.postgres.autocommit.down.sql",
                Some(("1", "a", Some("postgres"), true, "down")),
            ),
            ("1_a.sql", None),
            ("a.up.sql", None),
            ("_a.up.sql", None),
            ("1_.up.sql", None),
            ("1_a.b.c.d.up.sql", None),
            ("", None),
        ];
        for (file, expected) in cases {
            assert_eq!(parsed(file), expected, "{file}");
        }
    }

    #[test]
    fn modules_name_pop() {
        assert!(names_pop("\tgithub.com/gobuffalo/pop/v6 v6.1.1"));
        assert!(names_pop(
            "require github.com/ory/pop/v6 v6.4.2 // indirect"
        ));
        assert!(!names_pop("\tgithub.com/gobuffalo/nulls v0.4.2"));
        assert!(!names_pop("\tgithub.com/a/b/pop v1.0.0"));
    }
}
