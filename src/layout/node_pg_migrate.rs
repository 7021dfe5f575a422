//! node-pg-migrate: `1704110400000_create-users.sql` with `-- Up Migration` and `-- Down Migration`.
//!
//! Tried with the tool (9.0): every file of the directory whose name does not begin with a dot is a migration, in the
//! order of the numbers in front, then of the names; 17 digits are a date in UTC. A name without a number stops the tool.
//! The first marker of each direction counts. Without one for the way up, the whole file runs on the way up, the way back
//! included. A `.down.sql` file is a migration forward like any other unless the loader `sql` is configured in code.
//! Everything that is pending runs in one transaction, each file as one message, and SQL files cannot leave it.

use std::cmp::Ordering;

use super::section::Section;
use super::{
    Applied, Arrangement, Client, Direction, DownScripts, File, Files, Found, Late, Layout,
    Outside, ProblemKind, Reading, Runner, RunnerLock, Script, Send, Wraps, arrange_by_version,
    name, path, section, sign, text,
};
use crate::source::Span;

/// The tool.
pub(super) static LAYOUT: Layout = Layout {
    name: "node-pg-migrate",
    detect,
    open: |_, root, options| Found::named(&LAYOUT, root, options),
    files,
    read,
    arrange,
    compare: Some(compare_versions),
    applied: Applied {
        gone: Some("stops: it compares the order of files with that of what ran"),
        late: |_, _| Late::Refuses("without `--no-check-order`"),
        ..Applied::by("node-pg-migrate")
    },
    client: Client::DRIVER,
    runner: Runner {
        send: Send::SimpleBatch,
        wraps: Wraps::Run,
        session: crate::layout::Session::One,
        leaves_transaction_for: None,
        sets_apart: None,
        splits_run: false,
        way_out: "write that migration in JavaScript with `pgm.noTransaction()`: one in SQL cannot leave the transaction",
        outside: Outside::Never,
        opens: "",
        keeps: None,
        lock: RunnerLock::Harmless,
        mixing: None,
        down: DownScripts::Expected,
    },
};

/// Endings of migrations that are programs, with their language.
const CODE: &[(&str, &str)] = &[
    ("js", "JavaScript"),
    ("cjs", "JavaScript"),
    ("mjs", "JavaScript"),
    ("ts", "TypeScript"),
    ("cts", "TypeScript"),
    ("mts", "TypeScript"),
];

/// The direction of a line that begins a section.
fn mark(line: &str) -> Option<(Direction, &str)> {
    let rest = line.trim_start().strip_prefix("--")?;
    let mut words = rest
        .trim_start_matches(|c: char| c.is_whitespace() || c == '-')
        .split_whitespace();
    let direction = words.next()?;
    let is_migration = words.next().is_some_and(|word| {
        word.get(..9)
            .is_some_and(|word| word.eq_ignore_ascii_case("migration"))
    });
    if !is_migration {
        None
    } else if direction.eq_ignore_ascii_case("up") {
        Some((Direction::Up, ""))
    } else if direction.eq_ignore_ascii_case("down") {
        Some((Direction::Down, ""))
    } else {
        None
    }
}

fn detect(files: &dyn Files) -> Vec<Found> {
    let mut founds: Vec<Found> = sign::marked(files, |text| {
        text::lines(text).any(|(_, line)| mark(line).is_some())
    })
    .into_iter()
    .map(|(directory, first)| {
        let reason = format!("`{first}` has a section `-- Up Migration` or `-- Down Migration`");
        Found::of(&LAYOUT, &directory, reason)
    })
    .collect();
    for (directory, names) in sign::by_directory(files) {
        let numbered = names.iter().filter(|name| !name::digits(name).is_empty());
        if 2 * numbered.count() > names.len()
            && path::file_name(directory).contains("migration")
            && !founds.iter().any(|found| found.root == directory)
            && sign::needs_package(files, directory, "node-pg-migrate")
        {
            let reason =
                "its files have version numbers, and the package around it needs `node-pg-migrate`";
            founds.push(Found::of(&LAYOUT, directory, reason.to_owned()));
        }
    }
    founds
}

fn files(found: &Found, files: &dyn Files) -> Vec<String> {
    path::below(files.paths(), &found.root)
        .filter(|path| path::parent(path) == found.root)
        .filter(|path| path::is_sql(path) || language(path).is_some())
        .cloned()
        .collect()
}

/// The language of a migration that is a program.
fn language(path: &str) -> Option<&'static str> {
    let extension = path::extension(path)?;
    let (_, language) = CODE.iter().find(|(known, _)| *known == extension)?;
    Some(language)
}

fn read(_: &Found, file: &File<'_>) -> Reading {
    let version = name::digits(file.name());
    if version.is_empty() {
        return Reading::problem(file.problem(
            ProblemKind::Misnamed,
            format!(
                "node-pg-migrate refuses to start because of `{}`: its name does not begin with a number",
                file.name()
            ),
            Some("name it `<timestamp>_<title>.sql`, or move it elsewhere".to_owned()),
        ));
    }
    if let Some(language) = language(file.path) {
        return Reading::of_code(file, "node-pg-migrate", language);
    }
    let mut reading = Reading::default();
    let stem = path::stem(file.name());
    let pair = [(".up", Direction::Up), (".down", Direction::Down)]
        .into_iter()
        .find_map(|(end, direction)| Some((stem.strip_suffix(end)?, direction)));
    let (key, title) = match pair {
        Some((key, _)) => (key, &key[version.len()..]),
        None => (stem, &stem[version.len()..]),
    };
    reading.scripts = scripts(file, &mut reading);
    let is_marked = text::lines(&file.source.text).any(|(_, line)| mark(line).is_some());
    match pair {
        // Meant as the way back; what the tool makes of it depends on code.
        Some((_, direction)) if !is_marked => {
            if direction == Direction::Down {
                reading.problems.push(file.problem(
                    ProblemKind::Ignored,
                    format!("node-pg-migrate runs `{}` forward, unless the loader `sql` is configured", file.name()),
                    Some(format!(
                        "write its text behind `-- Down Migration` in `{key}.sql`, or set `migrationLoaderStrategies`"
                    )),
                ));
            }
            reading.scripts = vec![Script::of_file(file, direction)];
        }
        _ => {}
    }
    for script in &mut reading.scripts {
        version.clone_into(&mut script.version);
        key.clone_into(&mut script.key);
        script.description = name::title(title);
    }
    reading
}

/// The two ways in a file.
fn scripts(file: &File<'_>, reading: &mut Reading) -> Vec<Script> {
    let whole = Span::new(0, file.source.text.len());
    let (_, sections) = section::cut(&file.source.text, mark);
    let first = |direction| sections.iter().find(|one| one.direction == direction);
    let (up, down) = (first(Direction::Up), first(Direction::Down));
    let from = |section: &Section<'_>, other: Option<&Section<'_>>| {
        let end = other
            .filter(|other| other.mark.start > section.mark.start)
            .map_or(whole.end, |other| other.mark.start);
        let body = Span::new(section.body.start as usize, end as usize);
        let mut script = Script::of_part(file, section.direction, body);
        script.span = section.mark;
        script
    };
    let all = || Script::of_file(file, Direction::Up);
    match (up, down) {
        (None, None) => vec![all()],
        (Some(up), None) => vec![from(up, None)],
        (None, Some(down)) => {
            reading.problems.push(file.problem_at(
                down.mark,
                ProblemKind::Ignored,
                "node-pg-migrate runs this part on the way up too: the file has no line `-- Up Migration`".to_owned(),
                Some("write `-- Up Migration` above the way up".to_owned()),
            ));
            vec![all(), from(down, None)]
        }
        (Some(up), Some(down)) => {
            let start = Span::new(0, up.mark.start.min(down.mark.start) as usize);
            if text::blank(file.source.slice(start)).is_none() {
                reading.problems.push(file.problem_at(
                    text::first_line(file.source, start),
                    ProblemKind::Ignored,
                    "node-pg-migrate never runs what stands before the first section".to_owned(),
                    Some("move it behind `-- Up Migration`".to_owned()),
                ));
            }
            vec![from(up, Some(down)), from(down, Some(up))]
        }
    }
}

fn arrange(_: &Found, scripts: Vec<Script>) -> Arrangement {
    arrange_by_version(
        scripts,
        compare,
        "node-pg-migrate records migrations by their names; rename one",
    )
}

/// The order in which the tool runs migrations, whatever they are written in.
pub(super) fn compare(a: &Script, b: &Script) -> Ordering {
    compare_versions(&a.version, &b.version).then_with(|| name::natural(&a.key, &b.key))
}

/// By value; 17 digits are a date and count as its milliseconds.
fn compare_versions(a: &str, b: &str) -> Ordering {
    match (milliseconds(a), milliseconds(b)) {
        (None, None) => name::number(a, b),
        (x, y) => {
            let text = |millis: Option<i64>, digits: &str| {
                millis.map_or_else(|| digits.to_owned(), |millis| millis.to_string())
            };
            name::number(&text(x, a), &text(y, b))
        }
    }
}

/// The milliseconds since 1970 of 17 digits (`20240131120000000`).
fn milliseconds(digits: &str) -> Option<i64> {
    if digits.len() != 17 {
        return None;
    }
    let part = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    // Days since 1970 in the Gregorian calendar, with years that begin in March.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    let seconds = (days * 24 + part(8..10)?) * 3600 + part(10..12)? * 60 + part(12..14)?;
    Some(seconds * 1000 + part(14..17)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seventeen_digits_are_a_date() {
        assert_eq!(milliseconds("20240101120000000"), Some(1_704_110_400_000));
        assert_eq!(milliseconds("19700101000000001"), Some(1));
        assert_eq!(milliseconds("20240229000000000"), Some(1_709_164_800_000));
        assert_eq!(milliseconds("1704110400000"), None);
        let mut versions = ["1704110400001", "20240101120000000", "2", "10"];
        versions.sort_by(|a, b| compare_versions(a, b));
        assert_eq!(versions, ["2", "10", "20240101120000000", "1704110400001"]);
    }

    #[test]
    fn markers_are_lines_that_begin_with_a_comment() {
        let direction = |line| mark(line).map(|(direction, _)| direction);
        assert_eq!(direction("-- Up Migration"), Some(Direction::Up));
        assert_eq!(
            direction("  --- - down   MIGRATIONS"),
            Some(Direction::Down)
        );
        assert_eq!(direction("-- Uphill Migration"), None);
        assert_eq!(direction("Up Migration"), None);
        assert_eq!(direction("-- the Up Migration"), None);
    }
}
