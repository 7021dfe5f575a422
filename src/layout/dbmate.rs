//! dbmate: `20240101120000_create_users.sql` with the blocks `-- migrate:up` and `-- migrate:down`.
//!
//! Tried with the tool: files are `digits….sql` in one directory, others are left out without a word; the order is that
//! of the file names as text, so `10_x` runs before `2_x`. Blocks open at the beginning of a line, in lower case; both
//! must be there, `up` first. A block is sent as one message, in a transaction unless its marker says
//! `transaction:false`: several statements of such a block are still one implicit transaction. Of several pairs in one
//! file the second one fails, as both insert the file's version.

use super::section::Section;
use super::{
    Applied, Arrangement, Client, Direction, DownScripts, File, Files, Found, Layout, Outside,
    ProblemKind, Reading, Runner, RunnerLock, Script, Send, Wraps, arrange_by_version, name, path,
    section, sign, text,
};

/// The tool.
pub(super) static LAYOUT: Layout = Layout {
    name: "dbmate",
    detect,
    open: |_, root, options| Found::named(&LAYOUT, root, options),
    files: |found, files| path::sql_in(files.paths(), &found.root),
    read,
    arrange,
    compare: Some(name::as_file_names),
    applied: Applied::by("dbmate"),
    client: Client::DRIVER,
    runner: Runner {
        send: Send::SimpleBatch,
        wraps: Wraps::Script,
        session: crate::layout::Session::Unknown,
        leaves_transaction_for: None,
        sets_apart: None,
        splits_run: false,
        way_out: "put it alone in a migration whose block opens with `-- migrate:up transaction:false`",
        outside: Outside::Mark(" transaction:false"),
        opens: "-- migrate:up\n",
        keeps: None,
        lock: RunnerLock::Harmless,
        mixing: None,
        down: DownScripts::Expected,
    },
};

/// The direction and options of a line that opens a block.
fn mark(line: &str) -> Option<(Direction, &str)> {
    let rest = line.strip_prefix("--")?.trim_start();
    let (direction, rest) = if let Some(rest) = rest.strip_prefix("migrate:up") {
        (Direction::Up, rest)
    } else {
        (Direction::Down, rest.strip_prefix("migrate:down")?)
    };
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then_some((direction, rest))
}

fn detect(files: &dyn Files) -> Vec<Found> {
    let is_marked = |text: &str| {
        text.contains("migrate:") && text::lines(text).any(|(_, line)| mark(line).is_some())
    };
    sign::marked(files, is_marked)
        .into_iter()
        .map(|(directory, first)| {
            let reason = format!("`{first}` has a block `-- migrate:up`");
            Found::of(&LAYOUT, &directory, reason)
        })
        .collect()
}

fn read(_: &Found, file: &File<'_>) -> Reading {
    let version = name::digits(file.name());
    let why = if version.is_empty() {
        Some("it does not begin with a version number")
    } else if file.name().strip_suffix(".sql").is_none() {
        Some("its name does not end in `.sql`")
    } else {
        None
    };
    if let Some(why) = why {
        return Reading::problem(file.problem(
            ProblemKind::Misnamed,
            format!("dbmate never runs `{}`: {why}", file.name()),
            Some("name it `<version>_<title>.sql`, or move it elsewhere".to_owned()),
        ));
    }
    let (preamble, sections) = section::cut(&file.source.text, mark);
    let mut reading = Reading::default();
    let refused = |span, message: &str, help: &str| {
        file.problem_at(
            span,
            ProblemKind::Syntax,
            format!("dbmate refuses this file: {message}"),
            Some(help.to_owned()),
        )
    };
    let has = |direction| sections.iter().any(|one| one.direction == direction);
    if !has(Direction::Up) {
        reading.problems.push(refused(
            file.source.first_line(),
            "it has no block `-- migrate:up`",
            "write the line above its SQL",
        ));
    } else if !has(Direction::Down) {
        reading.problems.push(refused(
            file.source.first_line(),
            "it has no block `-- migrate:down`",
            "write the line at its end, with the way back behind it",
        ));
    } else if sections[0].direction == Direction::Down {
        reading.problems.push(refused(
            sections[0].mark,
            "its first block goes back",
            "put the block `-- migrate:up` first",
        ));
    }
    if !sections.is_empty() && text::blank(file.source.slice(preamble)).is_none() {
        reading.problems.push(refused(
            text::first_line(file.source, preamble),
            "SQL stands before its first block",
            "put it behind `-- migrate:up`",
        ));
    }
    let second = sections
        .iter()
        .filter(|one| one.direction == Direction::Up)
        .nth(1);
    reading.problems.extend(second.map(|second| {
        file.problem_at(
            second.mark,
            ProblemKind::Ignored,
            format!("this second `migrate:up` block fails: the first one has recorded version {version} already"),
            Some("move it into a migration of its own".to_owned()),
        )
    }));
    for one in &sections {
        reading.problems.extend(options(file, one));
        let mut script = section::script(file, one);
        version.clone_into(&mut script.version);
        version.clone_into(&mut script.key);
        let stem = path::stem(file.name());
        script.description = name::title(&stem[version.len()..]);
        if is_unwrapped(one) {
            script.run_as(None, Some(Wraps::Nothing));
        }
        reading.scripts.push(script);
    }
    reading.scripts = section::joined(reading.scripts);
    reading
}

fn is_unwrapped(section: &Section<'_>) -> bool {
    section
        .options
        .split_whitespace()
        .any(|option| option == "transaction:false")
}

/// Options that dbmate passes over, and markers that it does not take for any.
fn options(file: &File<'_>, section: &Section<'_>) -> Vec<super::Problem> {
    let mut problems = Vec::new();
    for option in section.options.split_whitespace() {
        if !matches!(option, "transaction:false" | "transaction:true") {
            problems.push(file.problem_at(
                section.mark,
                ProblemKind::Ignored,
                format!(
                    "dbmate passes over `{option}`: it knows the option `transaction:false` only"
                ),
                None,
            ));
        }
    }
    for (start, line) in text::lines(file.source.slice(section.body)) {
        let trimmed = line.trim_start();
        if !trimmed.starts_with("--") || mark(line).is_some() {
            continue;
        }
        if mark(&trimmed.to_ascii_lowercase()).is_some() {
            let at = section.body.start as usize + start + line.len() - trimmed.len();
            problems.push(file.problem_at(
                crate::source::Span::new(at, at + trimmed.trim_end().len()),
                ProblemKind::Ignored,
                "dbmate takes this for a comment, and the block above goes on".to_owned(),
                Some("write it in lower case at the beginning of the line".to_owned()),
            ));
        }
    }
    problems
}

fn arrange(_: &Found, scripts: Vec<Script>) -> Arrangement {
    arrange_by_version(
        scripts,
        |a, b| path::file_name(&a.path).cmp(path::file_name(&b.path)),
        "dbmate runs both, and the second one fails when it records its version; number it anew",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_read_as_the_tool_reads_them() {
        use Direction::{Down, Up};
        let cases = [
            ("-- migrate:up", Some((Up, ""))),
            ("--migrate:up", Some((Up, ""))),
            (
                "-- migrate:down transaction:false",
                Some((Down, " transaction:false")),
            ),
            (" -- migrate:up", None),
            ("-- Migrate:Up", None),
            ("-- migrate:upper", None),
        ];
        for (line, expected) in cases {
            assert_eq!(mark(line), expected, "{line}");
        }
    }
}
