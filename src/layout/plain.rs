//! SQL files without a tool that is known: directories of `.sql` files, or a single one.
//!
//! The order is that of the names as a person reads them. Files that go back are told by their names, and sections
//! that go back (`-- +goose Down`) by the comment that opens them: neither is ever judged as a migration forward.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{
    Applied, Arrangement, Client, Direction, DownScripts, File, Files, Found, Late, Layout,
    Outside, Reading, Runner, RunnerLock, Script, Send, Wraps, is_other_database, is_postgres,
    name, path, section, text,
};

/// The layout.
pub(super) static LAYOUT: Layout = Layout {
    name: "plain",
    detect,
    open,
    files,
    read,
    arrange,
    compare: Some(name::natural),
    applied: Applied {
        late: |_, _| Late::Unknown,
        ..Applied::by("the tool")
    },
    client: Client::PSQL,
    runner: Runner {
        send: Send::Unknown,
        wraps: Wraps::Nothing,
        session: crate::layout::Session::Unknown,
        leaves_transaction_for: None,
        sets_apart: None,
        splits_run: false,
        way_out: "put it in a file of its own and run that file outside of a transaction",
        outside: Outside::Alone,
        opens: "",
        keeps: None,
        lock: RunnerLock::Harmless,
        mixing: None,
        down: DownScripts::Optional,
    },
};

/// Names of directories whose numbered SQL files are something else.
const ELSEWHERE: &[&str] = &[
    "test", "tests", "testdata", "fixture", "fixtures", "seed", "seeds", "stub", "stubs",
];
/// Names of directories whose SQL files are taken for migrations whatever their names are.
const DIRECTORIES: &[&str] = &[
    "migration",
    "migrations",
    "migrate",
    "db-migrations",
    "schema_migrations",
    "changesets",
];
/// Words in names and directories of scripts that go back.
const BACK: &[&str] = &["down", "rollback", "rollbacks", "revert", "undo"];
/// Words in names and directories of their counterparts.
const FORWARD: &[&str] = &["up", "deploy", "forward", "apply"];
/// Names of files that take their meaning from their directory.
const NAMELESS: &[&str] = &["up", "down", "migration"];
/// Comments that open a section, in lower case, of tools that keep both ways in one file.
const SECTIONS: &[(&str, Direction)] = &[
    ("-- +goose up", Direction::Up),
    ("-- +goose down", Direction::Down),
    ("-- +migrate up", Direction::Up),
    ("-- +migrate down", Direction::Down),
    ("-- migrate:up", Direction::Up),
    ("-- migrate:down", Direction::Down),
    ("-- rambler up", Direction::Up),
    ("-- rambler down", Direction::Down),
    ("-- up migration", Direction::Up),
    ("-- down migration", Direction::Down),
    ("---- create above / drop below ----", Direction::Down),
];

/// A file's name, understood.
#[derive(Debug, PartialEq, Eq)]
struct Name {
    /// What it shares with its counterpart: the path without the word for the direction.
    key: String,
    version: String,
    description: String,
    direction: Direction,
    /// The word for going back stands where it may be the subject of a forward migration (`003_revert_prices.sql`).
    ambiguous: bool,
}

fn parse(path: &str) -> Name {
    let directory = path::parent(path);
    let file = path::file_name(path);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    // `001_users.postgres.up` is the PostgreSQL variant of `001_users.up`.
    let parts: Vec<&str> = stem.split('.').collect();
    let kept: Vec<&str> = parts
        .iter()
        .copied()
        .filter(|part| !is_postgres(part))
        .collect();
    let stem = &if kept.is_empty() {
        parts.join(".")
    } else {
        kept.join(".")
    };
    let mut direction = Direction::Up;
    let mut ambiguous = false;

    // A directory `down/` or `rollback/` beside the forward scripts, or beside a directory `up/`.
    let mut home = directory;
    let last = path::file_name(directory).to_ascii_lowercase();
    if BACK.contains(&last.as_str()) {
        direction = Direction::Down;
        home = path::parent(directory);
    } else if FORWARD.contains(&last.as_str()) {
        home = path::parent(directory);
    }
    let (mut bare, mut place) = (stem.to_owned(), home);
    if NAMELESS.contains(&stem.to_ascii_lowercase().as_str()) && !home.is_empty() {
        if BACK.contains(&stem.to_ascii_lowercase().as_str()) {
            direction = Direction::Down;
        }
        path::file_name(home).clone_into(&mut bare);
        place = path::parent(home);
    } else if let Some((rest, word)) = split_last(stem) {
        let word = word.to_ascii_lowercase();
        if BACK.contains(&word.as_str()) {
            direction = Direction::Down;
            rest.clone_into(&mut bare);
        } else if word == "up" {
            rest.clone_into(&mut bare);
        } else if let Some(rest) = without_first_word(stem, BACK) {
            ambiguous = direction == Direction::Up;
            direction = Direction::Down;
            bare = rest;
        } else if let Some(rest) = without_first_word(stem, &["up"]) {
            bare = rest;
        }
    } else if BACK.contains(&stem.to_ascii_lowercase().as_str()) {
        direction = Direction::Down;
    }
    let version = version_of(&bare).to_owned();
    let description = bare[version.len()..]
        .trim_matches(['_', '-', '.', ' '])
        .replace(['_', '-'], " ");
    Name {
        key: if place.is_empty() {
            bare.clone()
        } else {
            format!("{place}/{bare}")
        },
        version: if version.is_empty() { bare } else { version },
        description,
        direction,
        ambiguous,
    }
}

/// The number that a name begins with; parts joined by `-` or `.` belong to it (`2024-01-31-120000_users`, `1.2_users`).
fn version_of(bare: &str) -> &str {
    let mut end = name::digits(bare).len();
    while end > 0 && bare[end..].starts_with(['-', '.']) {
        let part = name::digits(&bare[end + 1..]).len();
        let behind = end + 1 + part;
        if part == 0 || bare[behind..].starts_with(char::is_alphabetic) {
            break;
        }
        end = behind;
    }
    &bare[..end]
}

/// The other database whose variant of a migration a file is: `001_users.mysql.up.sql`.
fn for_another(path: &str) -> Option<&str> {
    let mut parts = path::file_name(path).split('.');
    parts.find(|part| is_other_database(part))
}

/// True for a file that holds the whole schema as it is, beside numbered migrations that make it.
fn is_dump(file: &File<'_>, root: &str) -> bool {
    const NAMES: &[&str] = &["latest", "schema", "structure", "dump", "full", "complete"];
    let stem = path::stem(file.name()).to_ascii_lowercase();
    let stem = stem.strip_prefix("latest_").unwrap_or(&stem);
    NAMES.contains(&stem)
        && path::below(file.files.paths(), root)
            .filter(|path| path::is_sql(path) && *path != file.path)
            .take(2)
            .filter(|path| !name::digits(&parse(path).version).is_empty())
            .count()
            == 2
}

/// Splits the last word off: `001_users.down` → (`001_users`, `down`).
fn split_last(stem: &str) -> Option<(&str, &str)> {
    let at = stem.rfind(['.', '_', '-', ' '])?;
    let rest = stem[..at].trim_end_matches(['.', '_', '-', ' ']);
    (!rest.is_empty()).then(|| (rest, &stem[at + 1..]))
}

/// The stem without its first word behind the version, if that is one of the words: `rollback_001` → `001`.
fn without_first_word(stem: &str, words: &[&str]) -> Option<String> {
    let version = name::digits(stem);
    let rest = stem[version.len()..].trim_start_matches(['.', '_', '-', ' ']);
    let end = rest.find(['.', '_', '-', ' '])?;
    let word = rest[..end].to_ascii_lowercase();
    if !words.contains(&word.as_str()) {
        return None;
    }
    let rest = &rest[end + 1..];
    Some(if version.is_empty() {
        rest.to_owned()
    } else {
        format!("{version}_{rest}")
    })
}

/// The name of a file among the others: `003_revert_prices.sql` goes back only if another file has its version or name.
fn understood(path: &str, files: &dyn Files) -> Name {
    let name = parse(path);
    if !name.ambiguous {
        return name;
    }
    let directory = path::parent(path);
    let version = name::digits(&name.version);
    let first = files
        .paths()
        .partition_point(|other| other.as_str() < directory);
    let has_counterpart = files.paths()[first..]
        .iter()
        .take_while(|other| path::is_inside(other, directory))
        .filter(|other| {
            other.as_str() != path && path::parent(other) == directory && path::is_sql(other)
        })
        .map(|other| parse(other))
        .any(|other| {
            other.direction == Direction::Up
                && (other.key == name.key
                    || (!version.is_empty() && name::digits(&other.version) == version))
        });
    if has_counterpart {
        return name;
    }
    let stem = path::file_name(path);
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    Name {
        key: if directory.is_empty() {
            stem.to_owned()
        } else {
            format!("{directory}/{stem}")
        },
        description: stem[name::digits(stem).len()..]
            .trim_matches(['_', '-', '.', ' '])
            .replace(['_', '-'], " "),
        version: if version.is_empty() {
            stem.to_owned()
        } else {
            name.version
        },
        direction: Direction::Up,
        ambiguous: false,
    }
}

fn detect(files: &dyn Files) -> Vec<Found> {
    let mut directories: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in files.paths().iter().filter(|path| path::is_sql(path)) {
        directories.entry(home(path)).or_default().push(path);
    }
    let mut founds: Vec<Found> = Vec::new();
    for (directory, paths) in directories {
        if founds.iter().any(|found| found.claims(directory)) {
            continue;
        }
        let own = path::file_name(directory).to_ascii_lowercase();
        let numbered: Vec<&&str> = paths
            .iter()
            .filter(|path| !name::digits(&parse(path).version).is_empty())
            .collect();
        let reason = if DIRECTORIES.contains(&own.as_str()) {
            format!(
                "the directory is called `{}` and holds SQL files",
                path::file_name(directory)
            )
        } else if let Some(first) = numbered.first()
            && !directory.split('/').any(|part| ELSEWHERE.contains(&part))
            && numbered.len() > 1
            && 2 * numbered.len() > paths.len()
        {
            format!(
                "most of its files are numbered like `{}`",
                path::file_name(first)
            )
        } else {
            continue;
        };
        founds.push(Found {
            root: directory.to_owned(),
            directories: vec![directory.to_owned()],
            reason,
            settings: BTreeMap::new(),
            ..Found::bare(&LAYOUT)
        });
    }
    founds
}

/// The directory whose history a file belongs to: above those named after a direction or after one migration.
fn home(file: &str) -> &str {
    let mut directory = path::parent(file);
    let is_word = |name: &str, words: &[&str]| words.contains(&name.to_ascii_lowercase().as_str());
    let last = path::file_name(directory);
    if is_word(last, BACK) || is_word(last, FORWARD) {
        directory = path::parent(directory);
    }
    let stem = path::file_name(file)
        .rsplit_once('.')
        .map_or("", |(stem, _)| stem);
    if is_word(stem, NAMELESS) && !directory.is_empty() {
        directory = path::parent(directory);
    }
    directory
}

fn open(_: &dyn Files, root: &str, options: &BTreeMap<String, String>) -> Found {
    Found {
        root: root.to_owned(),
        directories: vec![root.to_owned()],
        reason: "no migration tool was recognised; SQL files in the order of their names"
            .to_owned(),
        settings: options.clone(),
        ..Found::bare(&LAYOUT)
    }
}

fn files(found: &Found, files: &dyn Files) -> Vec<String> {
    path::below(files.paths(), &found.root)
        .filter(|path| path::is_sql(path))
        .cloned()
        .collect()
}

fn read(found: &Found, file: &File<'_>) -> Reading {
    if let Some(database) = for_another(file.path) {
        return Reading::left_out(database);
    }
    if is_dump(file, &found.root) {
        let reason = "by its name the whole schema at once, for databases made anew; beside it are the migrations";
        return Reading {
            not_analysed: vec![(file.source.first_line(), reason.to_owned())],
            ..Reading::default()
        };
    }
    let name = understood(file.path, file.files);
    let (preamble, sections) =
        section::cut(&file.source.text, |line| Some((direction_of(line)?, "")));
    let mut scripts: Vec<Script> = Vec::new();
    // What stands before the first mark belongs to the way up.
    if sections.is_empty() || text::blank(file.source.slice(preamble)).is_none() {
        scripts.push(Script::of_part(file, Direction::Up, preamble));
    }
    scripts.extend(sections.iter().map(|one| section::script(file, one)));
    for script in &mut scripts {
        if name.direction == Direction::Down {
            script.direction = Direction::Down;
        }
        script.version.clone_from(&name.version);
        script.key.clone_from(&name.key);
        script.description.clone_from(&name.description);
    }
    Reading {
        scripts: section::joined(scripts),
        ..Reading::default()
    }
}

/// The direction that a line opens a section for.
fn direction_of(line: &str) -> Option<Direction> {
    if !line.starts_with("--") {
        return None;
    }
    let line = line.to_ascii_lowercase();
    let (_, direction) = SECTIONS.iter().find(|(mark, _)| {
        line.strip_prefix(mark)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
    })?;
    Some(*direction)
}

fn arrange(_: &Found, scripts: Vec<Script>) -> Arrangement {
    let (mut forward, mut down): (Vec<_>, Vec<_>) = scripts
        .into_iter()
        .partition(|script| script.direction.is_forward());
    let compare = |a: &Script, b: &Script| -> Ordering {
        name::natural(&a.key, &b.key).then_with(|| name::natural(&a.path, &b.path))
    };
    forward.sort_by(compare);
    down.sort_by(|a, b| compare(b, a));
    forward.append(&mut down);
    // Without a tool nobody says that two files of one number are one too many.
    Arrangement {
        scripts: forward,
        problems: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_direction() {
        use Direction::{Down, Up};
        let cases = [
            ("001_users.sql", "001_users", "001", Up),
            ("001_users.up.sql", "001_users", "001", Up),
            ("001_users.down.sql", "001_users", "001", Down),
            ("m/001_users_down.sql", "m/001_users", "001", Down),
            ("m/001_users-rollback.sql", "m/001_users", "001", Down),
            ("m/001.undo.sql", "m/001", "001", Down),
            ("m/2024_users/up.sql", "m/2024_users", "2024", Up),
            ("m/2024_users/down.sql", "m/2024_users", "2024", Down),
            ("m/2024_users/migration.sql", "m/2024_users", "2024", Up),
            ("m/down/001_users.sql", "m/001_users", "001", Down),
            ("m/up/001_users.sql", "m/001_users", "001", Up),
            (
                "m/rollback/001_users_rollback.sql",
                "m/001_users",
                "001",
                Down,
            ),
            ("rollback_001.sql", "001", "001", Down),
            (
                "003_add_rollback_reason.sql",
                "003_add_rollback_reason",
                "003",
                Up,
            ),
            (
                "m/2024-01-31-120000_users/up.sql",
                "m/2024-01-31-120000_users",
                "2024-01-31-120000",
                Up,
            ),
            ("m/001-2fa.sql", "m/001-2fa", "001", Up),
            ("m/1.2.10__users.sql", "m/1.2.10__users", "1.2.10", Up),
            ("m/1_a.postgres.up.sql", "m/1_a", "1", Up),
            ("m/1_a.postgres.down.sql", "m/1_a", "1", Down),
            ("m/pg.sql", "m/pg", "pg", Up),
            ("down.sql", "down", "down", Down),
            ("setup.sql", "setup", "setup", Up),
            ("breakdown.sql", "breakdown", "breakdown", Up),
            (".sql", "", "", Up),
        ];
        for (path, key, version, direction) in cases {
            let name = parse(path);
            assert_eq!(
                (name.key.as_str(), name.version.as_str(), name.direction),
                (key, version, direction),
                "{path}"
            );
        }
    }

    #[test]
    fn lines_of_other_tools_tell_the_direction() {
        use Direction::{Down, Up};
        let cases = [
            ("-- +goose Up", Some(Up)),
            ("-- +goose Down", Some(Down)),
            ("-- migrate:down transaction:false", Some(Down)),
            ("-- migrate:downtown", None),
            ("-- rambler up", Some(Up)),
            (" -- rambler up", None),
            ("-- Down Migration", Some(Down)),
            ("---- create above / drop below ----", Some(Down)),
        ];
        for (line, direction) in cases {
            assert_eq!(direction_of(line), direction, "{line}");
        }
    }
}
