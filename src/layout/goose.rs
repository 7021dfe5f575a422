//! goose: `00001_create_users.sql` with the sections `-- +goose Up` and `-- +goose Down`.
//!
//! Read in the tool's source: annotations stand at the beginning of a line, in any case; the first one must be `Up`, and
//! nothing but comments may stand before it. A section is cut where a line ends with `;` ([`super::annotated`]); what is
//! cut off is sent as one message, so several statements on one line are one. A file runs in one transaction unless it
//! says `-- +goose NO TRANSACTION`; it does so for both directions. With `-- +goose ENVSUB ON` shell variables are
//! replaced. Versions are 64-bit numbers from 1 on; two files of one version stop the tool.

use std::cmp::Ordering;

use super::annotated::Tool;
use super::{
    Applied, Arrangement, Client, Direction, DownScripts, File, Files, Found, Late, Layout,
    Outside, ProblemKind, Reading, Runner, RunnerLock, Script, Send, Wraps, arrange_by_version,
    name, path, section, sign, text,
};

/// The tool.
pub(super) static LAYOUT: Layout = Layout {
    name: "goose",
    detect,
    open: |_, root, options| Found::named(&LAYOUT, root, options),
    files: own_files,
    read,
    arrange,
    compare: Some(name::number),
    applied: Applied {
        late: |_, _| Late::Refuses("without `-allow-missing`"),
        ..Applied::by("goose")
    },
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
        way_out: "put it in a migration of its own with the line `-- +goose NO TRANSACTION` at its top",
        outside: Outside::Top("-- +goose NO TRANSACTION\n"),
        opens: "-- +goose Up\n",
        keeps: Some(("-- +goose StatementBegin", "-- +goose StatementEnd")),
        lock: RunnerLock::Harmless,
        mixing: None,
        down: DownScripts::Expected,
    },
};

static TOOL: Tool = Tool {
    name: "goose",
    prefix: "+goose",
    annotation,
};

/// The annotations that goose knows.
const KNOWN: &[&str] = &[
    "Up",
    "Down",
    "StatementBegin",
    "StatementEnd",
    "NO TRANSACTION",
    "ENVSUB ON",
    "ENVSUB OFF",
];

/// What a line annotates, if it does.
fn annotation(line: &str) -> Option<&str> {
    let (before, annotation) = line.strip_prefix("--")?.split_once("+goose")?;
    // Words before it make it one that goose does not know.
    let is_bare = before.trim_start_matches('-').trim().is_empty();
    Some(if is_bare { annotation.trim() } else { line })
}

fn mark(line: &str) -> Option<(Direction, &str)> {
    let annotation = annotation(line)?;
    if annotation.eq_ignore_ascii_case("Up") {
        Some((Direction::Up, ""))
    } else if annotation.eq_ignore_ascii_case("Down") {
        Some((Direction::Down, ""))
    } else {
        None
    }
}

fn detect(files: &dyn Files) -> Vec<Found> {
    let is_marked = |text: &str| {
        text.contains("+goose") && text::lines(text).any(|(_, line)| mark(line).is_some())
    };
    sign::marked(files, is_marked)
        .into_iter()
        .map(|(directory, first)| {
            let reason = format!("`{first}` has a section `-- +goose Up`");
            Found::of(&LAYOUT, &directory, reason)
        })
        .collect()
}

/// SQL files, and migrations in Go.
fn own_files(found: &Found, files: &dyn Files) -> Vec<String> {
    let mut all = path::sql_in(files.paths(), &found.root);
    let is_code = |name: &str| {
        name.strip_suffix(".go")
            .is_some_and(|stem| !stem.ends_with("_test") && stem.contains('_'))
            && !name::digits(name).is_empty()
    };
    all.extend(
        path::below(files.paths(), &found.root)
            .filter(|path| path::parent(path) == found.root && is_code(path::file_name(path)))
            .cloned(),
    );
    all
}

fn read(_: &Found, file: &File<'_>) -> Reading {
    if path::extension(file.path).as_deref() == Some("go") {
        return Reading::of_code(file, "goose", "Go");
    }
    let parsed =
        name::numbered(file.name()).and_then(|(version, title)| match version.parse::<i64>() {
            Ok(0) => Err("versions begin at 1"),
            Ok(_) => Ok((version, title)),
            Err(_) => Err("its version is larger than 9223372036854775807"),
        });
    let (version, title) = match parsed {
        Ok(parsed) => parsed,
        Err(why) => {
            return Reading::problem(file.problem(
                ProblemKind::Misnamed,
                format!("goose never runs `{}`: {why}", file.name()),
                Some("name it `<version>_<title>.sql`, or move it elsewhere".to_owned()),
            ));
        }
    };
    let text = &file.source.text;
    let mut reading = Reading::default();
    annotations(file, &mut reading);
    let (preamble, sections) = section::cut(text, mark);
    let refused = |span, message: &str, help: &str| {
        file.problem_at(
            span,
            ProblemKind::Syntax,
            format!("goose refuses this file: {message}"),
            Some(help.to_owned()),
        )
    };
    if sections.is_empty() {
        reading.problems.push(refused(
            file.source.first_line(),
            "it has no section",
            "write `-- +goose Up` above the SQL, and `-- +goose Down` above the way back",
        ));
        return reading;
    }
    if text::blank(file.source.slice(preamble)).is_none() {
        reading.problems.push(refused(
            text::first_line(file.source, preamble),
            "SQL stands before its first section",
            "write `-- +goose Up` above it",
        ));
    }
    let is_wrapped = !text::lines(text)
        .filter_map(|(_, line)| annotation(line))
        .any(|annotation| annotation.eq_ignore_ascii_case("NO TRANSACTION"));
    for (index, one) in sections.iter().enumerate() {
        let message = match (index, one.direction) {
            (0, Direction::Down) => Some("its first section goes back"),
            (0, _) | (1, Direction::Down) => None,
            _ => Some("it has one section of each direction only, `Up` first"),
        };
        if let Some(message) = message {
            let help = "keep one `-- +goose Up` and one `-- +goose Down` behind it";
            reading.problems.push(refused(one.mark, message, help));
        }
        let (mut script, problems) = TOOL.script(file, one);
        reading.problems.extend(problems);
        version.clone_into(&mut script.version);
        version.trim_start_matches('0').clone_into(&mut script.key);
        script.description = name::title(title);
        if !is_wrapped {
            script.run_as(None, Some(Wraps::Nothing));
        }
        reading.scripts.push(script);
    }
    reading.scripts = section::joined(std::mem::take(&mut reading.scripts));
    reading
}

/// Annotations that goose refuses.
fn annotations(file: &File<'_>, reading: &mut Reading) {
    for (start, line) in text::lines(&file.source.text) {
        let trimmed = line.trim_start();
        let Some(annotation) = annotation(trimmed) else {
            continue;
        };
        let at = start + line.len() - trimmed.len();
        let span = crate::source::Span::new(at, start + line.trim_end().len());
        let why = if trimmed.len() < line.len() {
            "this annotation does not stand at the beginning of its line".to_owned()
        } else if !KNOWN
            .iter()
            .any(|known| annotation.eq_ignore_ascii_case(known))
        {
            format!("it knows no annotation `{annotation}`")
        } else {
            continue;
        };
        let help = "goose knows `Up`, `Down`, `StatementBegin`, `StatementEnd`, `NO TRANSACTION`, `ENVSUB ON` and `ENVSUB OFF`";
        reading.problems.push(file.problem_at(
            span,
            ProblemKind::Syntax,
            format!("goose refuses this file: {why}"),
            Some(help.to_owned()),
        ));
    }
}

fn arrange(_: &Found, scripts: Vec<Script>) -> Arrangement {
    arrange_by_version(
        scripts,
        compare,
        "goose refuses to start with two files of one version; number it anew",
    )
}

fn compare(a: &Script, b: &Script) -> Ordering {
    name::number(&a.version, &b.version)
}
