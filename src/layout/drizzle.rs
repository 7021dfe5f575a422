//! Drizzle: `drizzle/0000_users.sql` with `drizzle/meta/_journal.json`.
//!
//! Read in the tool's source: the journal's entries are the order; a file that is not in it never runs, an entry without
//! a file stops the tool. Pending is what has a `when` larger than that of the newest applied migration, so an entry that
//! is older than one before it is left out without a word wherever that one is applied. Files are cut at
//! `--> statement-breakpoint`, each part is one message, and everything that is pending runs in one transaction.
//! Nothing leaves it, and nothing goes back. Newer versions have a directory for each migration, with `migration.sql` and
//! `snapshot.json`, and no journal.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    Applied, Arrangement, Client, Direction, DownScripts, File, Files, Found, Late, Layout,
    Outside, Piece, ProblemKind, Reading, Runner, RunnerLock, Script, Send, Wraps,
    arrange_by_place, arrange_by_version, name, path, sign, text,
};
use crate::source::Span;

/// The tool.
pub(super) static LAYOUT: Layout = Layout {
    name: "drizzle",
    detect,
    open,
    files,
    read,
    arrange,
    compare: None,
    applied: Applied {
        late: |_, _| Late::Unknown,
        ..Applied::by("Drizzle")
    },
    client: Client::DRIVER,
    runner: Runner {
        send: Send::SimpleBatch,
        wraps: Wraps::Run,
        session: crate::layout::Session::One,
        leaves_transaction_for: None,
        sets_apart: None,
        splits_run: false,
        way_out: "run it by hand outside of Drizzle's transaction before the deployment, and write it here with \
                  `IF NOT EXISTS` and without `CONCURRENTLY`",
        outside: Outside::Never,
        opens: "",
        keeps: None,
        lock: RunnerLock::Harmless,
        mixing: None,
        down: DownScripts::Unsupported,
    },
};

/// The journal's path below the directory.
const JOURNAL: &str = "meta/_journal.json";
/// What parts the statements of a file.
const BREAKPOINT: &str = "--> statement-breakpoint";

#[derive(Deserialize)]
struct Journal {
    #[serde(default)]
    dialect: String,
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    tag: String,
    #[serde(default)]
    when: f64,
}

impl Journal {
    fn of(files: &dyn Files, root: &str) -> Option<Self> {
        let text = files.text(&path::join(root, JOURNAL))?;
        serde_json::from_str(&text).ok()
    }
}

fn detect(files: &dyn Files) -> Vec<Found> {
    let mut founds: BTreeMap<&str, String> = BTreeMap::new();
    for path in files.paths() {
        let directory = path::parent(path);
        if path::file_name(path) == "_journal.json" && path::file_name(directory) == "meta" {
            founds.insert(path::parent(directory), format!("it holds `{JOURNAL}`"));
        } else if path::file_name(path) == "snapshot.json"
            && !directory.is_empty()
            && sign::exists(files, &path::join(directory, "migration.sql"))
        {
            let name = path::file_name(directory);
            founds
                .entry(path::parent(directory))
                .or_insert_with(|| format!("`{name}` holds `migration.sql` and `snapshot.json`"));
        }
    }
    founds
        .into_iter()
        .map(|(root, reason)| Found {
            reason,
            ..open(files, root, &BTreeMap::new())
        })
        .collect()
}

fn open(files: &dyn Files, root: &str, options: &BTreeMap<String, String>) -> Found {
    let mut found = Found::named(&LAYOUT, root, options);
    if let Some(journal) = Journal::of(files, root)
        && !journal.dialect.is_empty()
    {
        found
            .settings
            .entry("dialect".to_owned())
            .or_insert(journal.dialect);
    }
    found
}

fn files(found: &Found, files: &dyn Files) -> Vec<String> {
    let journal = path::join(&found.root, JOURNAL);
    if sign::exists(files, &journal) {
        let mut all = path::sql_in(files.paths(), &found.root);
        all.push(journal);
        return all;
    }
    path::below(files.paths(), &found.root)
        .filter(|path| {
            path::is_sql(path)
                && (path::parent(path) == found.root
                    || path::parent(path::parent(path)) == found.root)
        })
        .cloned()
        .collect()
}

fn read(found: &Found, file: &File<'_>) -> Reading {
    if file.name() == "_journal.json" {
        return read_journal(found, file);
    }
    let has_journal = sign::exists(file.files, &path::join(&found.root, JOURNAL));
    if !has_journal {
        if file.name() != "migration.sql" || path::parent(file.path) == found.root {
            return Reading::problem(file.problem(
                ProblemKind::Misnamed,
                format!(
                    "Drizzle never runs `{}`: a migration is a directory with `migration.sql`",
                    file.name()
                ),
                Some("move it into a directory `<timestamp>_<name>`, or elsewhere".to_owned()),
            ));
        }
        let directory = path::file_name(path::parent(file.path));
        return Reading::script(script(file, directory));
    }
    // A journal that cannot be read is a problem of its own.
    let Some(journal) = Journal::of(file.files, &found.root) else {
        return Reading::script(script(file, path::stem(file.name())));
    };
    let tag = path::stem(file.name());
    let Some(place) = journal.entries.iter().position(|entry| entry.tag == tag) else {
        return Reading::problem(file.problem(
            ProblemKind::Misnamed,
            format!(
                "Drizzle never runs `{}`: `{JOURNAL}` does not name it",
                file.name()
            ),
            Some("make migrations with `drizzle-kit generate`, which enters them there".to_owned()),
        ));
    };
    let mut script = script(file, tag);
    script.place = Some(place);
    let mut reading = Reading::script(script);
    let when = journal.entries[place].when;
    let newest = journal.entries[..place]
        .iter()
        .filter(|earlier| earlier.when >= when)
        .max_by(|a, b| a.when.total_cmp(&b.when));
    reading.problems.extend(newest.map(|newest| {
        file.problem(
            ProblemKind::Ignored,
            format!("Drizzle leaves `{tag}` out where `{}` is applied: its `when` in `{JOURNAL}` is not newer", newest.tag),
            Some(format!("make the migration anew, or give its entry a `when` larger than {}", newest.when)),
        )
    }));
    reading
}

/// Entries without a file, and a journal that is none.
fn read_journal(found: &Found, file: &File<'_>) -> Reading {
    let mut reading = Reading::default();
    let journal: Journal = match serde_json::from_str(&file.source.text) {
        Ok(journal) => journal,
        Err(error) => {
            return Reading::problem(file.problem(
                ProblemKind::Syntax,
                format!("Drizzle cannot read its journal: {error}"),
                None,
            ));
        }
    };
    for entry in &journal.entries {
        let sql = format!("{}.sql", entry.tag);
        if sign::exists(file.files, &path::join(&found.root, &sql)) {
            continue;
        }
        let quoted = format!("\"{}\"", entry.tag);
        let start = file.source.text.find(&quoted).unwrap_or(0);
        reading.problems.push(file.problem_at(
            Span::new(start, start + quoted.len()),
            ProblemKind::Graph,
            format!(
                "the journal names `{}`, and there is no `{sql}`: Drizzle stops at it",
                entry.tag
            ),
            Some("bring the file back, or remove the entry with `drizzle-kit drop`".to_owned()),
        ));
    }
    reading
}

fn script(file: &File<'_>, tag: &str) -> Script {
    let mut script = Script::of_file(file, Direction::Up);
    let digits = name::digits(tag);
    let version = if digits.is_empty() { tag } else { digits };
    version.clone_into(&mut script.version);
    tag.clone_into(&mut script.key);
    script.description = name::title(&tag[digits.len()..]);
    let mut start = 0;
    script.pieces.clear();
    for part in file.source.text.split(BREAKPOINT) {
        let span = Span::new(start, start + part.len());
        start += part.len() + BREAKPOINT.len();
        if text::blank(part).is_none() {
            script.pieces.push(Piece::of(file, span));
        }
    }
    script
}

fn arrange(_: &Found, scripts: Vec<Script>) -> Arrangement {
    if scripts.iter().any(|script| script.place.is_some()) {
        return arrange_by_place(scripts);
    }
    arrange_by_version(scripts, |a, b| a.key.cmp(&b.key), "rename one")
}
