//! Atlas: a directory of `20240101120000_create_users.sql` files with `atlas.sum`.
//!
//! Read in the tool's source: files lie in the directory itself, in the order of their names as text; the version is what
//! stands before the first `_`. Statements are cut by a real tokenizer and sent one by one, in one transaction per file.
//! Comments at the top of a file direct it (`-- atlas:txmode none`), if a blank line stands behind them; without it they
//! are a comment. `atlas.sum` must name every file with its hash (the hashes are not recomputed here). A checkpoint
//! stands for everything before it on a new database. The way back is computed by the tool.

use super::{
    Applied, Arrangement, Client, Direction, DownScripts, File, Files, Found, Late, Layout,
    Outside, ProblemKind, Reading, Runner, RunnerLock, Script, Send, Wraps, arrange_by_version,
    name, path, sign, text,
};
use crate::source::Span;

/// The tool.
pub(super) static LAYOUT: Layout = Layout {
    name: "atlas",
    detect,
    open: |_, root, options| Found::named(&LAYOUT, root, options),
    files,
    read,
    arrange,
    compare: Some(name::as_file_names),
    applied: Applied {
        edited: Some("stops while `atlas.sum` has the old checksum, and never runs the change"),
        late: |_, _| Late::Refuses("unless `--exec-order` says otherwise"),
        ..Applied::by("Atlas")
    },
    client: Client {
        fills: true,
        ..Client::DRIVER
    },
    runner: Runner {
        send: Send::PerStatement,
        wraps: Wraps::Script,
        session: crate::layout::Session::Unknown,
        leaves_transaction_for: None,
        sets_apart: None,
        splits_run: false,
        way_out: "put it in a migration of its own that begins with the line `-- atlas:txmode none` and a blank line",
        outside: Outside::Top("-- atlas:txmode none\n\n"),
        opens: "",
        keeps: None,
        lock: RunnerLock::Harmless,
        mixing: None,
        down: DownScripts::Unsupported,
    },
};

/// The file of hashes.
const SUM: &str = "atlas.sum";

fn detect(files: &dyn Files) -> Vec<Found> {
    let mut founds: Vec<Found> = Vec::new();
    for (directory, names) in sign::by_directory(files) {
        // Atlas writes its sums into other tools' directories too; those have the tool's own names.
        if names.iter().any(|name| name.ends_with(".up.sql")) {
            continue;
        }
        if sign::exists(files, &path::join(directory, SUM)) {
            founds.push(Found::of(&LAYOUT, directory, format!("it holds `{SUM}`")));
        }
    }
    let marked = sign::marked(files, |text| {
        text::lines(text).any(|(_, line)| line.starts_with("-- atlas:"))
    });
    for (directory, first) in marked {
        if !founds.iter().any(|found| found.root == directory) {
            let reason = format!("`{first}` has a directive `-- atlas:`");
            founds.push(Found::of(&LAYOUT, &directory, reason));
        }
    }
    founds
}

fn files(found: &Found, files: &dyn Files) -> Vec<String> {
    let mut all = path::sql_in(files.paths(), &found.root);
    let sum = path::join(&found.root, SUM);
    if sign::exists(files, &sum) {
        all.push(sum);
    }
    all
}

/// A directive in a file: its line, its name and its value.
struct Directive<'t> {
    span: Span,
    name: &'t str,
    value: &'t str,
}

/// The directives among the comments at the top, and whether a blank line makes them count.
fn header(text: &str) -> (Vec<Directive<'_>>, bool) {
    let mut directives = Vec::new();
    for (start, line) in text::lines(text) {
        if line.trim().is_empty() {
            return (directives, true);
        }
        let Some(comment) = line.strip_prefix("--") else {
            break;
        };
        if let Some(directive) = comment.trim_start().strip_prefix("atlas:") {
            let (name, value) = directive.split_once(' ').unwrap_or((directive, ""));
            directives.push(Directive {
                span: Span::new(start, start + line.len()),
                name: name.trim(),
                value: value.trim(),
            });
        }
    }
    (directives, false)
}

fn read(found: &Found, file: &File<'_>) -> Reading {
    if file.name() == SUM {
        return read_sum(found, file);
    }
    let stem = path::stem(file.name());
    let (version, title) = stem.split_once('_').unwrap_or((stem, ""));
    let (directives, counts) = header(&file.source.text);
    let mut reading = Reading::default();
    let mut direction = Direction::Up;
    let mut wraps = None;
    for directive in &directives {
        let known = matches!(
            directive.name,
            "txmode" | "checkpoint" | "delimiter" | "sum" | "import"
        );
        if !counts && known {
            reading.problems.push(file.problem_at(
                directive.span,
                ProblemKind::Ignored,
                format!("Atlas takes this for a comment: no blank line stands between `atlas:{}` and the first statement", directive.name),
                Some("put a blank line behind it".to_owned()),
            ));
            continue;
        }
        match (directive.name, directive.value) {
            ("checkpoint", _) => direction = Direction::Baseline,
            ("txmode", "none") => wraps = Some(Wraps::Nothing),
            ("txmode", "file") => {}
            ("txmode", other) => reading.problems.push(file.problem_at(
                directive.span,
                ProblemKind::Syntax,
                format!(
                    "Atlas refuses this file: a file's `txmode` is `none` or `file`, not `{other}`"
                ),
                None,
            )),
            _ => {}
        }
    }
    let sum = file.files.text(&path::join(&found.root, SUM));
    if sum.is_some_and(|sum| !summed(&sum).any(|(_, name)| name == file.name())) {
        reading.problems.push(file.problem(
            ProblemKind::Graph,
            format!(
                "`{SUM}` does not name `{}`: Atlas refuses the directory",
                file.name()
            ),
            Some("run `atlas migrate hash`, and commit the result with the file".to_owned()),
        ));
    }
    let mut script = Script::of_file(file, direction);
    version.clone_into(&mut script.version);
    version.clone_into(&mut script.key);
    script.description = name::title(title);
    script.run_as(None, wraps);
    reading.scripts.push(script);
    reading
}

/// The files that the sums name, with the offset of their lines.
fn summed(sum: &str) -> impl Iterator<Item = (usize, &str)> {
    text::lines(sum)
        .skip(1)
        .filter_map(|(start, line)| Some((start, line.rsplit_once(" h1:")?.0)))
}

fn read_sum(found: &Found, file: &File<'_>) -> Reading {
    let mut reading = Reading::default();
    for (start, name) in summed(&file.source.text) {
        if !sign::exists(file.files, &path::join(&found.root, name)) {
            reading.problems.push(
                file.problem_at(
                    Span::new(start, start + name.len()),
                    ProblemKind::Graph,
                    format!(
                        "`{SUM}` names `{name}`, which is not there: Atlas refuses the directory"
                    ),
                    Some(
                        "bring the file back, or run `atlas migrate hash` if it was never applied"
                            .to_owned(),
                    ),
                ),
            );
        }
    }
    reading
}

fn arrange(_: &Found, scripts: Vec<Script>) -> Arrangement {
    arrange_by_version(
        scripts,
        |a, b| path::file_name(&a.path).cmp(path::file_name(&b.path)),
        "Atlas records a version once; number it anew and run `atlas migrate hash`",
    )
}
