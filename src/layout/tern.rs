//! tern: `001_create_users.sql`, its way back below `---- create above / drop below ----`.
//!
//! Read in the tool's source: names are a number, `_`, anything, `.sql`; others are left out. Numbers run from 1 without
//! a gap and without doubles. Without the dividing line a migration cannot go back. Each direction is one message in a
//! transaction; one that holds the line `---- tern: disable-tx ----` is cut by a real tokenizer and sent statement by
//! statement without one. Files are templates (`{{ … }}`), and those in directories below are parts of them.

use std::cmp::Ordering;

use super::{
    Applied, Arrangement, Client, Direction, DownScripts, File, Files, Found, Late, Layout,
    Outside, Problem, ProblemKind, Reading, Runner, RunnerLock, Script, Send, Wraps,
    arrange_by_version, name, path, sign, text,
};
use crate::source::Span;

/// The tool.
pub(super) static LAYOUT: Layout = Layout {
    name: "tern",
    detect,
    open: |_, root, options| Found::named(&LAYOUT, root, options),
    files: |found, files| path::sql_in(files.paths(), &found.root),
    read,
    arrange,
    compare: Some(name::number),
    applied: Applied {
        gone: Some("stops at the gap"),
        late: |_, _| Late::Unknown,
        ..Applied::by("tern")
    },
    client: Client {
        fills: true,
        ..Client::DRIVER
    },
    runner: Runner {
        send: Send::SimpleBatch,
        wraps: Wraps::Script,
        session: crate::layout::Session::Each,
        leaves_transaction_for: None,
        sets_apart: None,
        splits_run: false,
        way_out: "put it in a migration of its own with the line `---- tern: disable-tx ----`",
        outside: Outside::Top("---- tern: disable-tx ----\n"),
        opens: "",
        keeps: None,
        lock: RunnerLock::Waiting,
        mixing: None,
        down: DownScripts::Optional,
    },
};

/// The line between the two ways.
const DIVIDER: &str = "---- create above / drop below ----";
/// The line that makes a direction run without a transaction.
const DISABLE: &str = "---- tern: disable-tx ----";

fn detect(files: &dyn Files) -> Vec<Found> {
    let mut founds: Vec<Found> = sign::marked(files, |text| {
        text::lines(text).any(|(_, line)| matches!(line, DIVIDER | DISABLE))
    })
    .into_iter()
    .map(|(directory, first)| {
        let reason = format!("`{first}` has a line of tern's (`{DIVIDER}`)");
        Found::of(&LAYOUT, &directory, reason)
    })
    .collect();
    for (directory, names) in sign::by_directory(files) {
        let near = [directory, path::parent(directory)];
        let config = near
            .into_iter()
            .map(|near| path::join(near, "tern.conf"))
            .find(|config| sign::exists(files, config));
        let numbered = names.iter().filter(|name| name::numbered(name).is_ok());
        if let Some(config) = config
            && 2 * numbered.count() > names.len()
            && !founds.iter().any(|found| found.root == directory)
        {
            let reason = format!("there is a `{config}`, and its files have version numbers");
            founds.push(Found::of(&LAYOUT, directory, reason));
        }
    }
    founds
}

fn read(_: &Found, file: &File<'_>) -> Reading {
    let (version, title) = match name::numbered(file.name()) {
        Ok(parsed) => parsed,
        Err(why) => {
            return Reading::problem(file.problem(
                ProblemKind::Misnamed,
                format!("tern never runs `{}`: {why}", file.name()),
                Some("name it `<version>_<title>.sql`, or move it elsewhere".to_owned()),
            ));
        }
    };
    let text = &file.source.text;
    // The text is cut where the divider stands, be it a line of its own or not.
    let (up, down) = match text.find(DIVIDER) {
        Some(at) => (
            Span::new(0, at),
            Some(Span::new(at + DIVIDER.len(), text.len())),
        ),
        None => (Span::new(0, text.len()), None),
    };
    let ways = [(Direction::Up, Some(up)), (Direction::Down, down)];
    let mut reading = Reading::default();
    for (direction, part) in ways {
        let Some(part) = part else { continue };
        let mut script = Script::of_part(file, direction, part);
        version.clone_into(&mut script.version);
        version.trim_start_matches('0').clone_into(&mut script.key);
        script.description = name::title(title);
        if text::lines(file.source.slice(part)).any(|(_, line)| line.trim() == DISABLE) {
            script.run_as(Some(Send::PerStatement), Some(Wraps::Nothing));
        }
        reading.scripts.push(script);
    }
    if let Some(problem) = near_miss(file) {
        reading.problems.push(problem);
    }
    reading
}

/// A line that was meant as one of tern's and is a comment to it.
fn near_miss(file: &File<'_>) -> Option<Problem> {
    let words = |line: &str| {
        line.to_ascii_lowercase()
            .replace('-', " ")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let (start, line, meant) = text::lines(&file.source.text).find_map(|(start, line)| {
        let trimmed = line.trim();
        let meant = [DIVIDER, DISABLE]
            .into_iter()
            .find(|meant| trimmed.starts_with("--") && words(meant) == words(trimmed))?;
        (!line.contains(meant)).then_some((start, line, meant))
    })?;
    Some(file.problem_at(
        Span::new(start, start + line.len()),
        ProblemKind::Ignored,
        "tern takes this line for a comment".to_owned(),
        Some(format!("write exactly `{meant}`")),
    ))
}

fn arrange(_: &Found, scripts: Vec<Script>) -> Arrangement {
    let mut arranged = arrange_by_version(
        scripts,
        compare,
        "tern refuses to start with two files of one version; number it anew",
    );
    // Numbers without a gap, from 1 on.
    let mut expected: u64 = 1;
    let mut gaps = Vec::new();
    for script in arranged
        .scripts
        .iter()
        .filter(|script| script.direction == Direction::Up)
    {
        let Ok(version) = script.version.parse::<u64>() else {
            continue;
        };
        if version > expected {
            gaps.push(Problem {
                kind: ProblemKind::Graph,
                location: script.location(),
                message: format!(
                    "tern refuses to start: there is no migration {expected} before this one"
                ),
                help: Some("number migrations from 1 without a gap".to_owned()),
                labels: Vec::new(),
            });
        }
        expected = version.saturating_add(1).max(expected);
    }
    arranged.problems.extend(gaps);
    arranged
}

fn compare(a: &Script, b: &Script) -> Ordering {
    name::number(&a.version, &b.version)
}
