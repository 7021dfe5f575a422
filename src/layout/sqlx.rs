//! sqlx: `20240101120000_create_users.sql`, or the pair `….up.sql` and `….down.sql`.
//!
//! Read in the tool's source: names are a 64-bit number, `_`, and a rest that ends in `.sql`; what has no `_` or another
//! end is left out without a word, and what has no number stops the tool. A file is sent as one message, in a transaction
//! unless its very first bytes are `-- no-transaction`. Files older than the newest applied one are applied too; applied
//! files that were edited or deleted are an error.

use std::cmp::Ordering;

use super::{
    Applied, Arrangement, Client, Direction, DownScripts, File, Files, Found, Layout, Outside,
    ProblemKind, Reading, Runner, RunnerLock, Script, Send, Wraps, arrange_by_version, name, path,
    sign, text,
};
use crate::source::Span;

/// The tool.
pub(super) static LAYOUT: Layout = Layout {
    name: "sqlx",
    detect,
    open: |_, root, options| Found::named(&LAYOUT, root, options),
    files: |found, files| path::sql_in(files.paths(), &found.root),
    read,
    arrange,
    compare: Some(name::number),
    applied: Applied {
        edited: Some("stops: it compares checksums"),
        gone: Some("stops: it misses an applied migration"),
        ..Applied::by("sqlx")
    },
    client: Client::DRIVER,
    runner: Runner {
        send: Send::SimpleBatch,
        wraps: Wraps::Script,
        session: crate::layout::Session::One,
        leaves_transaction_for: None,
        sets_apart: None,
        splits_run: false,
        way_out: "put it alone in a migration whose very first line is `-- no-transaction`",
        outside: Outside::Top("-- no-transaction\n"),
        opens: "",
        keeps: None,
        lock: RunnerLock::Waiting,
        mixing: None,
        down: DownScripts::Optional,
    },
};

/// What the first bytes of a file say that runs without a transaction.
const MARK: &str = "-- no-transaction";

/// The version, the title and the direction; else why the tool does not run the file.
fn parse(file: &str) -> Result<(&str, &str, Direction), &'static str> {
    let (version, title) = name::numbered(file)?;
    if version.parse::<i64>().is_err() {
        return Err("its version is larger than 9223372036854775807");
    }
    Ok(if let Some(title) = title.strip_suffix(".up") {
        (version, title, Direction::Up)
    } else if let Some(title) = title.strip_suffix(".down") {
        (version, title, Direction::Down)
    } else {
        (version, title, Direction::Up)
    })
}

fn detect(files: &dyn Files) -> Vec<Found> {
    let mut founds = Vec::new();
    for (directory, names) in sign::by_directory(files) {
        let matching = names.iter().filter(|name| parse(name).is_ok()).count();
        if matching == 0 || 2 * matching <= names.len() {
            continue;
        }
        let reason = if let Some(config) = sign::nearest(files, directory, "sqlx.toml") {
            format!("there is a `{config}`, and its files have version numbers")
        } else if sign::needs_crate(files, directory, "sqlx")
            && (path::file_name(directory) == "migrations"
                || path::parent(directory).ends_with("migrations"))
        {
            "its files have version numbers, and the Rust package around it needs `sqlx`".to_owned()
        } else {
            continue;
        };
        founds.push(Found::of(&LAYOUT, directory, reason));
    }
    founds
}

fn read(_: &Found, file: &File<'_>) -> Reading {
    let (version, title, direction) = match parse(file.name()) {
        Ok(parsed) => parsed,
        Err(why) => {
            let what = if file.name().contains('_') {
                "sqlx refuses to start because of"
            } else {
                "sqlx never runs"
            };
            return Reading::problem(file.problem(
                ProblemKind::Misnamed,
                format!("{what} `{}`: {why}", file.name()),
                Some("name it `<version>_<title>.sql`, or move it elsewhere".to_owned()),
            ));
        }
    };
    let mut script = Script::of_file(file, direction);
    version.clone_into(&mut script.version);
    version.trim_start_matches('0').clone_into(&mut script.key);
    script.description = name::title(title);
    let text = &file.source.text;
    let mut reading = Reading::default();
    if text.starts_with(MARK) {
        script.run_as(None, Some(Wraps::Nothing));
    } else if let Some((start, line)) = text::lines(text).find(|(_, line)| is_mark(line)) {
        reading.problems.push(file.problem_at(
            Span::new(start, start + line.len()),
            ProblemKind::Ignored,
            "sqlx takes this for a comment: `-- no-transaction` counts only as the very first bytes of the file"
                .to_owned(),
            Some("write exactly that at the top, with no blank, no line and no byte order mark before it".to_owned()),
        ));
    }
    reading.scripts.push(script);
    reading
}

/// True for a line that is meant to be the mark.
fn is_mark(line: &str) -> bool {
    line.trim_start_matches('\u{feff}')
        .trim()
        .strip_prefix("--")
        .is_some_and(|rest| rest.trim().eq_ignore_ascii_case("no-transaction"))
}

fn arrange(_: &Found, scripts: Vec<Script>) -> Arrangement {
    arrange_by_version(
        scripts,
        compare,
        "sqlx runs both, and the second one fails when its version is recorded; number it anew",
    )
}

fn compare(a: &Script, b: &Script) -> Ordering {
    name::number(&a.version, &b.version)
}
