//! Diesel: a directory `2024-01-01-120000_create_users` with `up.sql` and `down.sql`.
//!
//! Read in the tool's source: the version is what stands before the first `_`, without `-`, and is compared as text.
//! `up.sql` must be there, and an empty one is an error; `down.sql` is wanted only when going back. A file is sent as one
//! message, in one transaction per migration, unless `metadata.toml` beside it says `run_in_transaction = false`. A
//! `metadata.toml` without that key says the same. Of two directories of one version one is left out without a word.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{
    Applied, Arrangement, Client, Direction, DownScripts, Emptiness, File, Files, Found, Layout,
    Outside, ProblemKind, Reading, Runner, RunnerLock, Script, Send, Wraps, arrange_by_version,
    keys, name, path, sign,
};
use crate::source::Beside;

/// The tool.
pub(super) static LAYOUT: Layout = Layout {
    name: "diesel",
    detect,
    open: |_, root, options| Found::named(&LAYOUT, root, options),
    files,
    read,
    arrange,
    compare: Some(compare_versions),
    applied: Applied::by("Diesel"),
    client: Client::DRIVER,
    runner: Runner {
        send: Send::SimpleBatch,
        wraps: Wraps::Script,
        session: crate::layout::Session::Each,
        leaves_transaction_for: None,
        sets_apart: None,
        splits_run: false,
        way_out: "put it alone in a migration with a file `metadata.toml` beside it that says \
                  `run_in_transaction = false`",
        outside: Outside::Beside(Beside::Own("metadata.toml"), "run_in_transaction = false\n"),
        opens: "",
        keeps: None,
        lock: RunnerLock::Harmless,
        mixing: None,
        down: DownScripts::Expected,
    },
};

fn detect(files: &dyn Files) -> Vec<Found> {
    let mut homes: BTreeMap<&str, &str> = BTreeMap::new();
    for path in files.paths() {
        let migration = path::parent(path);
        if path::file_name(path) == "up.sql" && !migration.is_empty() {
            homes
                .entry(path::parent(migration))
                .or_insert(path::file_name(migration));
        }
    }
    let mut founds = Vec::new();
    for (home, first) in homes {
        let reason = if let Some(config) = sign::nearest(files, home, "diesel.toml") {
            format!("there is a `{config}`, and `{first}` holds an `up.sql`")
        } else if sign::needs_crate(files, home, "diesel")
            || sign::needs_crate(files, home, "diesel_migrations")
            || sign::needs_crate(files, home, "diesel-async")
        {
            format!("`{first}` holds an `up.sql`, and the Rust package around it needs `diesel`")
        } else {
            continue;
        };
        founds.push(Found::of(&LAYOUT, home, reason));
    }
    founds
}

/// The SQL files of the directories that are migrations, and those beside them; what begins with a dot is none.
fn files(found: &Found, files: &dyn Files) -> Vec<String> {
    path::below(files.paths(), &found.root)
        .filter(|path| {
            let directory = path::parent(path);
            let is_beside = directory == found.root;
            let is_within = !is_beside
                && path::parent(directory) == found.root
                && !path::file_name(directory).starts_with('.');
            path::is_sql(path) && (is_beside || is_within)
        })
        .cloned()
        .collect()
}

fn read(found: &Found, file: &File<'_>) -> Reading {
    let directory = path::parent(file.path);
    let migration = path::file_name(directory);
    let direction = match file.name() {
        "up.sql" if directory != found.root => Direction::Up,
        "down.sql" if directory != found.root => Direction::Down,
        name => {
            return Reading::problem(file.problem(
                ProblemKind::Misnamed,
                format!("Diesel never runs `{name}`: a migration is a directory with `up.sql` and `down.sql`"),
                Some("rename it, or move it elsewhere".to_owned()),
            ));
        }
    };
    let mut reading = Reading::default();
    if direction == Direction::Down && !sign::exists(file.files, &path::join(directory, "up.sql")) {
        reading.problems.push(file.problem(
            ProblemKind::Graph,
            format!("`{migration}` has no `up.sql`: Diesel refuses to run any migration"),
            Some("write one, or remove the directory".to_owned()),
        ));
    }
    let mut script = Script::of_file(file, direction);
    let (version, title) = migration.split_once('_').unwrap_or((migration, ""));
    version.clone_into(&mut script.version);
    script.key = version.replace('-', "");
    script.description = name::title(title);
    if direction == Direction::Up && script.emptiness == Some(Emptiness::Blank(None)) {
        reading.problems.push(file.problem(
            ProblemKind::Syntax,
            format!("Diesel refuses the migration `{migration}`: its `up.sql` is empty"),
            Some("write a statement, if only `SELECT 1;`".to_owned()),
        ));
    }
    let metadata = file.files.text(&path::join(directory, "metadata.toml"));
    if let Some(metadata) = metadata {
        let keys = keys::toml(&metadata);
        let wrapped = keys.iter().find(|(key, _)| key == "run_in_transaction");
        if wrapped.is_none() && direction == Direction::Up {
            reading.problems.push(file.problem(
                ProblemKind::Ignored,
                "this migration runs without a transaction: its `metadata.toml` does not set `run_in_transaction`, \
                 and then Diesel takes it for `false`"
                    .to_owned(),
                Some("write `run_in_transaction = true`, or `false` if that is meant".to_owned()),
            ));
        }
        if wrapped.is_none_or(|(_, value)| value != "true") {
            script.run_as(None, Some(Wraps::Nothing));
        }
    }
    reading.scripts.push(script);
    reading
}

fn arrange(_: &Found, scripts: Vec<Script>) -> Arrangement {
    arrange_by_version(
        scripts,
        |a, b| a.key.cmp(&b.key),
        "Diesel runs one of them and leaves out the other without a word; rename one",
    )
}

fn compare_versions(a: &str, b: &str) -> Ordering {
    a.replace('-', "").cmp(&b.replace('-', ""))
}
