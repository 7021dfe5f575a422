//! Prisma: `prisma/migrations/20240101120000_create_users/migration.sql`.
//!
//! The order is that of the directories' names as JavaScript compares words (tried with 7.10): `1_a` before `10_b` before
//! `2_c`. A file is sent as one message without a transaction of the tool's, so several statements are one implicit
//! transaction. Prisma's notes on 7.4 say that it cuts a file that holds `CREATE INDEX CONCURRENTLY` where its own parser
//! understands every statement; its engine for WebAssembly does not, and nothing is built on that here. A directory without
//! `migration.sql` stops the tool. Nothing goes back; a `down.sql` that a project keeps beside it is run by hand.

use std::collections::BTreeMap;

use super::{
    Applied, Arrangement, Client, Direction, DownScripts, File, Files, Found, Layout, Outside,
    ProblemKind, Reading, Runner, RunnerLock, Script, Send, Wraps, arrange_by_version, keys, name,
    path, sign,
};

/// The tool.
pub(super) static LAYOUT: Layout = Layout {
    name: "prisma",
    detect,
    open,
    files,
    read,
    arrange,
    compare: Some(name::as_words),
    applied: Applied {
        edited: Some("wants to reset a development database, and elsewhere never runs the change"),
        gone: Some("wants to reset a development database"),
        ..Applied::by("Prisma")
    },
    client: Client::DRIVER,
    runner: Runner {
        send: Send::SimpleBatch,
        wraps: Wraps::Nothing,
        session: crate::layout::Session::One,
        leaves_transaction_for: None,
        sets_apart: None,
        splits_run: false,
        way_out: "put it alone in a migration of its own: Prisma sends a file as one message, which is a transaction as \
                  soon as it holds two statements",
        outside: Outside::Alone,
        opens: "",
        keeps: None,
        lock: RunnerLock::Waiting,
        mixing: None,
        down: DownScripts::Unsupported,
    },
};

/// The file that holds a migration.
const MIGRATION: &str = "migration.sql";
/// The file that names the database.
const LOCK: &str = "migration_lock.toml";

fn detect(files: &dyn Files) -> Vec<Found> {
    let mut homes: BTreeMap<&str, String> = BTreeMap::new();
    for path in files.paths() {
        let directory = path::parent(path);
        match path::file_name(path) {
            LOCK => {
                homes.insert(directory, format!("it holds `{LOCK}`"));
            }
            // Drizzle's newer layout has a snapshot beside the same file.
            MIGRATION
                if !directory.is_empty()
                    && !sign::exists(files, &path::join(directory, "snapshot.json"))
                    && path::file_name(path::parent(directory)) == "migrations" =>
            {
                homes.entry(path::parent(directory)).or_insert_with(|| {
                    format!("`{}` holds a `{MIGRATION}`", path::file_name(directory))
                });
            }
            _ => {}
        }
    }
    homes
        .into_iter()
        .map(|(home, reason)| Found {
            reason,
            ..open(files, home, &BTreeMap::new())
        })
        .collect()
}

fn open(files: &dyn Files, root: &str, options: &BTreeMap<String, String>) -> Found {
    let mut found = Found::named(&LAYOUT, root, options);
    let provider = files.text(&path::join(root, LOCK)).and_then(|text| {
        let keys = keys::toml(&text);
        keys.into_iter().find(|(key, _)| key == "provider")
    });
    if let Some((key, value)) = provider {
        found.settings.entry(key).or_insert(value);
    }
    found
}

fn files(found: &Found, files: &dyn Files) -> Vec<String> {
    path::below(files.paths(), &found.root)
        .filter(|path| path::is_sql(path))
        .cloned()
        .collect()
}

fn read(found: &Found, file: &File<'_>) -> Reading {
    let directory = path::parent(file.path);
    let migration = path::file_name(directory);
    let is_deeper = directory != found.root && path::parent(directory) == found.root;
    let misnamed = |why: &str| {
        Reading::problem(file.problem(
            ProblemKind::Misnamed,
            format!("Prisma never runs `{}`: {why}", file.name()),
            Some(format!(
                "a migration is `<timestamp>_<name>/{MIGRATION}` in `{}`",
                found.root
            )),
        ))
    };
    let direction = match file.name() {
        _ if !is_deeper => return misnamed("it does not lie in the directory of one migration"),
        MIGRATION => Direction::Up,
        "down.sql" | "rollback.sql" => Direction::Down,
        _ => return misnamed("a migration is one file `migration.sql`"),
    };
    let mut reading = Reading::default();
    if direction == Direction::Down && !sign::exists(file.files, &path::join(directory, MIGRATION))
    {
        reading.problems.push(file.problem(
            ProblemKind::Graph,
            format!("`{migration}` has no `{MIGRATION}`: Prisma stops at it"),
            Some("write one, or remove the directory".to_owned()),
        ));
    }
    let mut script = Script::of_file(file, direction);
    let digits = name::digits(migration);
    let version = if digits.is_empty() { migration } else { digits };
    version.clone_into(&mut script.version);
    migration.clone_into(&mut script.key);
    script.description = name::title(&migration[digits.len()..]);
    reading.scripts.push(script);
    reading
}

fn arrange(_: &Found, scripts: Vec<Script>) -> Arrangement {
    // Two directories cannot have one name.
    arrange_by_version(scripts, |a, b| name::as_words(&a.key, &b.key), "rename one")
}
