//! Supabase: `supabase/migrations/20240101120000_create_users.sql`.
//!
//! Names are digits, `_`, a title, `.sql`; others are skipped with a notice. The order is that of the versions as text,
//! of equal ones that of the names. Measured with the CLI of npm, 2.116 to 3.1: a file is cut by a tokenizer of its own;
//! statements that it takes for such as refuse a transaction are sent alone, those between them as one pipeline of the
//! extended protocol, which is one implicit transaction, the record of the version behind the last one. A file with
//! `BEGIN` or `COMMIT` in it is sent statement by statement. The session is reset before each file. Nothing goes back.
//! (The CLI of earlier years sent each file as a single pipeline.)

use super::{
    Applied, Arrangement, Client, Direction, DownScripts, File, Files, Found, Late, Layout,
    Outside, ProblemKind, Reading, Runner, RunnerLock, Script, Send, SetsApart, Wraps,
    arrange_by_version, name, path, sign,
};
use crate::statement::{Statement, Transaction};

/// The tool.
pub(super) static LAYOUT: Layout = Layout {
    name: "supabase",
    detect,
    open: |_, root, options| Found::named(&LAYOUT, root, options),
    files: |found, files| path::sql_in(files.paths(), &found.root),
    read,
    arrange,
    compare: Some(str::cmp),
    applied: Applied {
        gone: Some("stops: it finds a version in the database that it has no file for"),
        late: |_, _| Late::Refuses("without `--include-all`"),
        ..Applied::by("Supabase")
    },
    client: Client::DRIVER,
    runner: Runner {
        send: Send::Pipeline,
        wraps: Wraps::Nothing,
        session: crate::layout::Session::Each,
        leaves_transaction_for: None,
        sets_apart: Some(SetsApart {
            alone: is_sent_alone,
            controls: is_control,
        }),
        splits_run: false,
        way_out: "put it first in a migration without BEGIN and COMMIT: the Supabase CLI sends the statements of a file as \
                  one pipeline, and only the first one of a pipeline may refuse a transaction",
        outside: Outside::Alone,
        opens: "",
        keeps: None,
        lock: RunnerLock::Harmless,
        mixing: None,
        down: DownScripts::Unsupported,
    },
};

/// The statements that the CLI takes for such as refuse a transaction. It looks at their words, so that a comment between
/// them hides one, and it knows neither `REINDEX (CONCURRENTLY)` nor `CREATE DATABASE` nor `DETACH … CONCURRENTLY`.
fn is_sent_alone(statement: &Statement) -> bool {
    let text = statement.source.sql.to_ascii_uppercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    match *words.as_slice() {
        ["CREATE" | "DROP", "INDEX", "CONCURRENTLY", ..]
        | ["CREATE", "UNIQUE", "INDEX", "CONCURRENTLY", ..]
        | ["VACUUM" | "CLUSTER", ..]
        | ["ALTER", "SYSTEM", ..] => true,
        ["REINDEX", ref rest @ ..] => rest.contains(&"CONCURRENTLY"),
        [first, ref rest @ ..] if first.starts_with("REINDEX(") => rest.contains(&"CONCURRENTLY"),
        [first, ..] => first.starts_with("VACUUM("),
        [] => false,
    }
}

/// True for what makes the CLI leave transactions to the file.
fn is_control(statement: &Statement) -> bool {
    matches!(
        statement.transaction_control(),
        Some(
            Transaction::Begin
                | Transaction::Commit { .. }
                | Transaction::Rollback { .. }
                | Transaction::Prepare
                | Transaction::Other
        )
    )
}

fn detect(files: &dyn Files) -> Vec<Found> {
    let mut founds = Vec::new();
    for directory in sign::by_directory(files).into_keys() {
        let home = path::parent(directory);
        if path::file_name(directory) != "migrations" {
            continue;
        }
        let reason = if path::file_name(home) == "supabase" {
            "it is the directory `supabase/migrations`".to_owned()
        } else if files
            .text(&path::join(home, "config.toml"))
            .is_some_and(|text| text.contains("project_id") && text.contains("[db]"))
        {
            format!(
                "`{}` is Supabase's configuration",
                path::join(home, "config.toml")
            )
        } else {
            continue;
        };
        founds.push(Found::of(&LAYOUT, directory, reason));
    }
    founds
}

fn read(_: &Found, file: &File<'_>) -> Reading {
    let (version, title) = match name::numbered(file.name()) {
        Ok(parsed) => parsed,
        Err(why) => {
            return Reading::problem(file.problem(
                ProblemKind::Misnamed,
                format!("Supabase never runs `{}`: {why}", file.name()),
                Some("name it `<timestamp>_<title>.sql`, or move it elsewhere".to_owned()),
            ));
        }
    };
    let mut script = Script::of_file(file, Direction::Up);
    version.clone_into(&mut script.version);
    version.clone_into(&mut script.key);
    script.description = name::title(title);
    Reading::script(script)
}

fn arrange(_: &Found, scripts: Vec<Script>) -> Arrangement {
    arrange_by_version(
        scripts,
        |a, b| a.version.cmp(&b.version),
        "Supabase runs both, and the second one fails when its version is recorded; number it anew",
    )
}
