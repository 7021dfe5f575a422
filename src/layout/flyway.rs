//! Flyway: `V1__create_users.sql`, `R__views.sql`, `U1__create_users.sql`, `B10__state.sql`, callbacks.
//!
//! Read in the tool's source and manual: names are prefix, version, separator, description, suffix; what does not fit
//! is left out with an information line only. Versions are numbers between dots or underscores, `1` = `1.0` = `001`.
//! Statements are cut by a real tokenizer and sent one by one, in one transaction per migration (with `group`, in one
//! for all). A migration leaves the transaction if Flyway recognises a statement that needs it, or by a file
//! `<name>.sql.conf` with `executeInTransaction=false`. Repeatable migrations run behind all versioned ones, by
//! description.
//!
//! Callbacks of `migrate` run SQL at every migrate. They are read as repeatable scripts: `before…` ones in front of
//! everything, the others behind everything. Callbacks of other commands (clean, repair, …) are listed as not looked
//! at. Placeholders are left in the text; the splitter knows them.

mod name;
mod settings;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use self::name::{Naming, Sort};
use super::name::compare_dotted;
use super::{
    Applied, Arrangement, Client, Direction, DownScripts, File, Files, Found, Late, Layout,
    Outside, ProblemKind, Reading, Runner, RunnerLock, Script, Send, Wraps, duplicates, keys, path,
};
use crate::source::Beside;
use crate::statement::{Kind, ObjectKind, ReindexTarget, Statement};

/// The tool.
pub(super) static LAYOUT: Layout = Layout {
    name: "flyway",
    detect: settings::detect,
    open: settings::open,
    files,
    read,
    arrange,
    compare: Some(compare_dotted),
    applied: Applied {
        edited: Some("refuses to migrate until somebody repairs its checksum"),
        renamed: Some("refuses to migrate until somebody repairs its description"),
        gone: Some("refuses to migrate: it does not find an applied migration"),
        late: |found, _| {
            if found.is_on("outOfOrder") {
                Late::Runs
            } else {
                Late::Refuses("without `outOfOrder=true`")
            }
        },
        ..Applied::by("Flyway")
    },
    client: Client {
        copies: true,
        fills: true,
        ..Client::DRIVER
    },
    runner: Runner {
        send: Send::PerStatement,
        wraps: Wraps::Script,
        session: crate::layout::Session::One,
        leaves_transaction_for: Some(leaves_transaction_for),
        sets_apart: None,
        splits_run: false,
        way_out: "put it in a migration of its own with a file `<name>.sql.conf` beside it that says \
                  `executeInTransaction=false`",
        outside: Outside::Beside(Beside::Behind(".conf"), "executeInTransaction=false\n"),
        opens: "",
        keeps: None,
        lock: RunnerLock::Transaction("postgresql.transactional.lock"),
        mixing: Some("mixed"),
        down: DownScripts::Optional,
    },
};

/// The statements that make Flyway run a migration without a transaction, on servers from 13 on. `REINDEX INDEX|TABLE
/// CONCURRENTLY` and `DETACH PARTITION CONCURRENTLY` are not among them.
fn leaves_transaction_for(statement: &Statement) -> bool {
    const TAGS: &[&str] = &[
        "CREATE DATABASE",
        "DROP DATABASE",
        "CREATE TABLESPACE",
        "DROP TABLESPACE",
        "CREATE SUBSCRIPTION",
        "DROP SUBSCRIPTION",
        "ALTER SYSTEM",
        "DISCARD ALL",
    ];
    match &statement.kind {
        Kind::CreateIndex(index) => index.concurrently,
        Kind::Drop(drop) if drop.object == ObjectKind::Index => drop.concurrently,
        Kind::Reindex(reindex) => matches!(
            reindex.target,
            ReindexTarget::Schema | ReindexTarget::Database | ReindexTarget::System
        ),
        Kind::Vacuum { vacuum, .. } => *vacuum,
        _ => TAGS.contains(&statement.tag),
    }
}

fn files(found: &Found, files: &dyn Files) -> Vec<String> {
    let naming = Naming::of(&found.settings);
    found
        .directories
        .iter()
        .flat_map(|directory| path::below(files.paths(), directory))
        .filter(|path| naming.without_suffix(path::file_name(path)).is_some())
        .cloned()
        .collect()
}

fn read(found: &Found, file: &File<'_>) -> Reading {
    let naming = Naming::of(&found.settings);
    let name = match naming.parse(file.name()) {
        Ok(name) => name,
        Err(misnamed) => {
            let message = format!("Flyway never runs `{}`: {}", file.name(), misnamed.why);
            return Reading::problem(file.problem(
                ProblemKind::Misnamed,
                message,
                Some(misnamed.help),
            ));
        }
    };
    let direction = match name.sort {
        Sort::Versioned => Direction::Up,
        Sort::Undo => Direction::Down,
        Sort::Baseline => Direction::Baseline,
        Sort::Repeatable | Sort::Callback { migrate: true } => Direction::Repeatable,
        Sort::Callback { migrate: false } => {
            let reason = format!(
                "Flyway callback `{}`, which does not run when the database is migrated",
                name.prefix
            );
            return Reading {
                not_analysed: vec![(file.source.first_line(), reason)],
                ..Reading::default()
            };
        }
    };
    let own = own_settings(file);
    let own_setting = |key: &str| own.get(key).map(String::as_str);
    if own_setting("shouldExecute") == Some("false") {
        let message = format!(
            "Flyway never runs `{}`: its `.conf` file says `shouldExecute=false`",
            file.name()
        );
        let help = "remove the line, or remove the migration".to_owned();
        return Reading::problem(file.problem(ProblemKind::Ignored, message, Some(help)));
    }
    let mut script = Script::of_file(file, direction);
    name.version.clone_into(&mut script.version);
    script.key = match name.sort {
        Sort::Repeatable => name.description.clone(),
        Sort::Callback { .. } => format!("{} {}", name.prefix, name.description),
        Sort::Versioned | Sort::Undo | Sort::Baseline => {
            super::name::dotted(name.version).unwrap_or_else(|| name.version.to_owned())
        }
    };
    script.description = match name.sort {
        Sort::Callback { .. } => script.key.trim_end().to_owned(),
        _ => name.description,
    };
    let wrapped = if found.is_on("group") {
        Wraps::Run
    } else {
        Wraps::Script
    };
    let global = found
        .settings
        .get("executeInTransaction")
        .map(String::as_str);
    let wraps = match own_setting("executeInTransaction").or(global) {
        Some("false") => Some(Wraps::Nothing),
        Some(_) => Some(wrapped),
        None => (wrapped == Wraps::Run).then_some(Wraps::Run),
    };
    for piece in &mut script.pieces {
        piece.wraps = wraps;
    }
    Reading::script(script)
}

/// The settings in the file's own `<name>.sql.conf`.
fn own_settings(file: &File<'_>) -> BTreeMap<String, String> {
    let text = file.files.text(&format!("{}.conf", file.path));
    text.map(|text| keys::properties(&text).into_iter().collect())
        .unwrap_or_default()
}

fn arrange(_: &Found, mut scripts: Vec<Script>) -> Arrangement {
    scripts.sort_by(|a, b| {
        let versions = || match (a.direction, b.direction) {
            (Direction::Down, Direction::Down) => compare_dotted(&b.version, &a.version),
            _ => compare_dotted(&a.version, &b.version).then(a.direction.cmp(&b.direction)),
        };
        stage(a)
            .cmp(&stage(b))
            .then_with(|| {
                if a.version.is_empty() {
                    Ordering::Equal
                } else {
                    versions()
                }
            })
            .then_with(|| a.description.cmp(&b.description))
            .then_with(|| a.path.cmp(&b.path))
    });
    let problems = duplicates(
        &scripts,
        "Flyway refuses to start with two migrations of one version or description; rename one",
    );
    Arrangement { scripts, problems }
}

/// When a script runs: callbacks before, versioned, repeatable, callbacks after, and the way back last.
fn stage(script: &Script) -> u8 {
    let file = path::file_name(&script.path);
    match script.direction {
        Direction::Up | Direction::Baseline => 1,
        Direction::Down => 4,
        Direction::Repeatable if file.starts_with("before") => 0,
        Direction::Repeatable if name::event_of(file).is_some() => 3,
        Direction::Repeatable => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Fragment, Span, SpanMap};
    use crate::statement::Reindex;

    fn statement(tag: &'static str, kind: Kind) -> Statement {
        let span = Span::default();
        Statement {
            span,
            source: Fragment {
                sql: "".into(),
                map: SpanMap::generated(span),
            },
            kind,
            tag,
            nested: Vec::new(),
            dynamic: Vec::new(),
            conditional: false,
            placeholders: Vec::new(),
        }
    }

    #[test]
    fn flyway_recognises_some_statements_that_need_no_transaction() {
        let reindex = |target| {
            Kind::Reindex(Reindex {
                target,
                name: None,
                concurrently: true,
                options: Vec::new(),
            })
        };
        let vacuum = |vacuum| Kind::Vacuum {
            tables: Vec::new(),
            vacuum,
            full: false,
            options: Vec::new(),
        };
        let cases = [
            ("VACUUM", vacuum(true), true),
            ("ANALYZE", vacuum(false), false),
            ("REINDEX", reindex(ReindexTarget::Schema), true),
            ("REINDEX", reindex(ReindexTarget::Index), false),
            ("REINDEX", reindex(ReindexTarget::Table), false),
            ("ALTER SYSTEM", Kind::Other(Vec::new()), true),
            ("CREATE DATABASE", Kind::Other(Vec::new()), true),
            ("ALTER TYPE", Kind::Other(Vec::new()), false),
        ];
        for (tag, kind, expected) in cases {
            let statement = statement(tag, kind);
            assert_eq!(
                leaves_transaction_for(&statement),
                expected,
                "{statement:?}"
            );
        }
    }
}
