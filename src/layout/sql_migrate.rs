//! sql-migrate: `1_users.sql` with the sections `-- +migrate Up` and `-- +migrate Down`.
//!
//! Tried with the tool: a migration's id is its file name; the order is by the number it begins with, then by text, and
//! names without a number come behind. What stands before the first annotation is left out without a word. Sections are
//! cut as goose's are ([`super::annotated`]); annotations are case-sensitive. A section runs in a transaction unless its
//! annotation says `notransaction`. Several sections of one direction are run as one.

use std::cmp::Ordering;

use super::annotated::Tool;
use super::section::Section;
use super::{
    Applied, Arrangement, Client, Direction, DownScripts, File, Files, Found, Layout, Outside,
    ProblemKind, Reading, Runner, RunnerLock, Script, Send, Wraps, arrange_by_version, keys, name,
    path, section, sign, text,
};

/// The tool.
pub(super) static LAYOUT: Layout = Layout {
    name: "sql-migrate",
    detect,
    open: |_, root, options| Found::named(&LAYOUT, root, options),
    files: |found, files| path::sql_in(files.paths(), &found.root),
    read,
    arrange,
    compare: Some(compare_names),
    applied: Applied {
        gone: Some("stops: it knows no such migration any more"),
        ..Applied::by("sql-migrate")
    },
    client: Client::DRIVER,
    runner: Runner {
        send: Send::SimpleBatch,
        wraps: Wraps::Script,
        session: crate::layout::Session::Unknown,
        leaves_transaction_for: None,
        sets_apart: None,
        splits_run: false,
        way_out: "put it in a migration of its own that begins with `-- +migrate Up notransaction`",
        outside: Outside::Mark(" notransaction"),
        opens: "-- +migrate Up\n",
        keeps: Some(("-- +migrate StatementBegin", "-- +migrate StatementEnd")),
        lock: RunnerLock::Harmless,
        mixing: None,
        down: DownScripts::Expected,
    },
};

static TOOL: Tool = Tool {
    name: "sql-migrate",
    prefix: "+migrate",
    annotation,
};

/// What a line annotates, if it does.
fn annotation(line: &str) -> Option<&str> {
    line.strip_prefix("-- +migrate ").map(str::trim)
}

fn mark(line: &str) -> Option<(Direction, &str)> {
    let annotation = annotation(line)?;
    let (command, options) = annotation.split_once(' ').unwrap_or((annotation, ""));
    match command {
        "Up" => Some((Direction::Up, options)),
        "Down" => Some((Direction::Down, options)),
        _ => None,
    }
}

fn detect(files: &dyn Files) -> Vec<Found> {
    let is_marked = |text: &str| {
        text.contains("+migrate") && text::lines(text).any(|(_, line)| mark(line).is_some())
    };
    let mut founds: Vec<Found> = sign::marked(files, is_marked)
        .into_iter()
        .map(|(directory, first)| {
            let reason = format!("`{first}` has a section `-- +migrate Up`");
            Found::of(&LAYOUT, &directory, reason)
        })
        .collect();
    for found in &mut founds {
        let dialect = sign::nearest(files, &found.root, "dbconfig.yml")
            .and_then(|config| files.text(&config))
            .and_then(|text| {
                let keys = keys::yaml(&text);
                keys.into_iter().find(|(key, _)| key.ends_with(".dialect"))
            });
        found
            .settings
            .extend(dialect.map(|(_, value)| ("dialect".to_owned(), value)));
    }
    founds
}

fn read(_: &Found, file: &File<'_>) -> Reading {
    let (preamble, sections) = section::cut(&file.source.text, mark);
    let mut reading = Reading::default();
    if sections.is_empty() {
        return Reading::problem(file.problem(
            ProblemKind::Syntax,
            "sql-migrate refuses this file: it has no section".to_owned(),
            Some(
                "write `-- +migrate Up` above the SQL, and `-- +migrate Down` above the way back"
                    .to_owned(),
            ),
        ));
    }
    if text::blank(file.source.slice(preamble)).is_none() {
        reading.problems.push(file.problem_at(
            text::first_line(file.source, preamble),
            ProblemKind::Ignored,
            "sql-migrate never runs what stands before the first section".to_owned(),
            Some("write `-- +migrate Up` above it, or remove it".to_owned()),
        ));
    }
    for one in &sections {
        reading.problems.extend(unknown(file, one));
        let (mut script, problems) = TOOL.script(file, one);
        reading.problems.extend(problems);
        file.name().clone_into(&mut script.version);
        file.name().clone_into(&mut script.key);
        let stem = path::stem(file.name());
        script.description = name::title(stem.trim_start_matches(|c: char| c.is_ascii_digit()));
        if one
            .options
            .split_whitespace()
            .any(|option| option == "notransaction")
        {
            script.run_as(None, Some(Wraps::Nothing));
        }
        reading.scripts.push(script);
    }
    reading.scripts = section::joined(reading.scripts);
    reading
}

/// An option that sql-migrate passes over.
fn unknown(file: &File<'_>, section: &Section<'_>) -> Option<super::Problem> {
    let option = section
        .options
        .split_whitespace()
        .find(|option| *option != "notransaction")?;
    Some(file.problem_at(
        section.mark,
        ProblemKind::Ignored,
        format!("sql-migrate passes over `{option}`: it knows the option `notransaction` only"),
        None,
    ))
}

fn arrange(_: &Found, scripts: Vec<Script>) -> Arrangement {
    arrange_by_version(
        scripts,
        |a, b| compare_names(&a.version, &b.version),
        "sql-migrate keeps one of them",
    )
}

/// By the number that both begin with, else by text.
fn compare_names(a: &str, b: &str) -> Ordering {
    let (x, y) = (name::digits(a), name::digits(b));
    match (x.is_empty(), y.is_empty()) {
        (false, false) => name::number(x, y).then_with(|| a.cmp(b)),
        (false, true) => Ordering::Less,
        (true, false) => Ordering::Greater,
        (true, true) => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ordered_by_number_then_text() {
        let mut names = ["b.sql", "10_a.sql", "2_b.sql", "02_a.sql", "a.sql"];
        names.sort_by(|a, b| compare_names(a, b));
        assert_eq!(names, ["02_a.sql", "2_b.sql", "10_a.sql", "a.sql", "b.sql"]);
    }
}
