//! Supabase: `supabase/migrations/20240101120000_create_users.sql`.
//!
//! Read in the tool's source: names are digits, `_`, a title, `.sql`; others are skipped with a notice. The order is that
//! of the names as text. Each file is cut by a real tokenizer and sent as one pipeline of the extended protocol, the
//! record of the version behind it: one implicit transaction, in which only the first statement may be one that refuses
//! a transaction. The session is reset before each file. Nothing goes back.

use super::{
    Applied, Arrangement, Client, Direction, DownScripts, File, Files, Found, Late, Layout,
    Outside, ProblemKind, Reading, Runner, RunnerLock, Script, Send, Wraps, arrange_by_version,
    name, path, sign,
};

/// The tool.
pub(super) static LAYOUT: Layout = Layout {
    name: "supabase",
    detect,
    open: |_, root, options| Found::named(&LAYOUT, root, options),
    files: |found, files| path::sql_in(files.paths(), &found.root),
    read,
    arrange,
    compare: Some(name::as_file_names),
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
        way_out: "put it alone in a migration of its own: the Supabase CLI sends a file as one pipeline, and only its \
                  first statement may refuse a transaction",
        outside: Outside::Alone,
        opens: "",
        keeps: None,
        lock: RunnerLock::Harmless,
        mixing: None,
        down: DownScripts::Unsupported,
    },
};

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
        |a, b| path::file_name(&a.path).cmp(path::file_name(&b.path)),
        "Supabase runs both, and the second one fails when its version is recorded; number it anew",
    )
}
