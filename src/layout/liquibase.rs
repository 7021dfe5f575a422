//! Liquibase: changelogs in SQL (`--liquibase formatted sql`), XML, YAML and JSON.
//!
//! Tried with versions 4.6.1 and 4.28: the order is that of the changelog, with what it includes in its place. The unit
//! is the changeset, known by its id, author and file. Statements are cut ([`split`]) and sent one by one, in one
//! transaction per changeset unless it says `runInTransaction:false`; a text that is not cut is one message, which the
//! driver sends as a pipeline. Without contexts on the command line every changeset runs, whatever its own says. The way
//! back is the changeset's `rollback`, or what Liquibase knows by itself for many change types ([`change`]); SQL has none.
//!
//! Change types are lowered to the SQL that Liquibase sends to PostgreSQL. Only what runs on PostgreSQL is read. Its
//! tables `databasechangelog` and `databasechangeloglock` are its own: it locks by a row, not by an advisory lock.

mod change;
mod changeset;
mod column;
mod data;
mod document;
mod find;
mod formatted;
mod plan;
mod property;
mod split;
mod structured;
mod text;
mod types;

use std::collections::BTreeMap;

use self::plan::{Kind, Plan};
use self::split::{Cut, Torn};
use super::{
    Applied, Arrangement, Client, Direction, DownScripts, File, Files, Found, Layout, Outside,
    Problem, ProblemKind, Reading, Runner, RunnerLock, Script, Send, Session, Wraps,
    arrange_by_place, path,
};
use crate::source::{Location, Span};

pub use self::plan::Plan as Changelogs;

/// The tool.
pub(super) static LAYOUT: Layout = Layout {
    name: "liquibase",
    detect: find::detect,
    open: find::open,
    files,
    read,
    arrange,
    compare: None,
    applied: Applied {
        edited: Some("refuses to update: the checksum of the changeset is another one"),
        ..Applied::by("Liquibase")
    },
    client: Client {
        fills: true,
        ..Client::DRIVER
    },
    runner: Runner {
        session: Session::One,
        send: Send::PerStatement,
        wraps: Wraps::Script,
        leaves_transaction_for: None,
        sets_apart: None,
        splits_run: false,
        way_out: "put it in a changeset of its own that says `runInTransaction:false` (in XML `runInTransaction=\"false\"`)",
        outside: Outside::Words,
        opens: "",
        keeps: None,
        lock: RunnerLock::Harmless,
        mixing: None,
        down: DownScripts::Expected,
    },
};

fn files(found: &Found, _: &dyn Files) -> Vec<String> {
    found.changelogs.paths().cloned().collect()
}

fn read(found: &Found, file: &File<'_>) -> Reading {
    let plan: &Plan = &found.changelogs;
    let entry = plan.entry(file.path);
    let kind = entry.map_or_else(|| kind_of(file), |entry| entry.kind);
    let mut reading = match kind {
        Kind::Document => read_document(file, plan),
        Kind::Formatted => formatted::read(file, plan),
        Kind::Raw => read_raw(file, plan),
        Kind::Sql => Reading::default(),
        Kind::Orphan => Reading::problem(file.problem(
            ProblemKind::Misnamed,
            format!(
                "Liquibase never runs `{}`: the changelogs that include its neighbours leave it out",
                file.name()
            ),
            Some("include it, or move it elsewhere if it is run by itself".to_owned()),
        )),
    };
    let Some(entry) = entry else { return reading };
    for reference in &entry.references {
        let own = structured::of_file(
            file,
            &reference.head,
            reference.direction,
            &reference.cut,
            plan,
        );
        reading.scripts.extend(own.scripts);
        reading.problems.extend(own.problems);
    }
    for trouble in &entry.troubles {
        reading.problems.push(file.problem_at(
            trouble.span,
            trouble.kind,
            trouble.message.clone(),
            Some(trouble.help.clone()),
        ));
    }
    reading.not_analysed.extend(entry.not_analysed.clone());
    reading
}

/// What a file is that no changelog names.
fn kind_of(file: &File<'_>) -> Kind {
    if plan::is_document(file.path) {
        Kind::Document
    } else if formatted::is_formatted(&file.source.text) {
        Kind::Formatted
    } else {
        Kind::Raw
    }
}

fn read_document(file: &File<'_>, plan: &Plan) -> Reading {
    let extension = path::extension(file.path).unwrap_or_default();
    match document::read(file.source, &extension) {
        Ok(Some(root)) => structured::read(file, &root.filled(&plan.properties(file.path)), plan),
        // Beside the changelogs of a directory stand other files.
        Ok(None) => Reading::default(),
        // A DTD is refused here, not by the tool.
        Err(broken) if broken.message.contains("DTD") => Reading {
            not_analysed: vec![(
                file.source.first_line(),
                "it has a document type definition, which is not read".to_owned(),
            )],
            ..Reading::default()
        },
        Err(broken) => Reading::problem(file.problem_at(
            broken.span,
            ProblemKind::Syntax,
            format!("Liquibase cannot read this changelog: {}", broken.message),
            None,
        )),
    }
}

/// SQL without a header is one changeset, and one message.
fn read_raw(file: &File<'_>, plan: &Plan) -> Reading {
    let head = changeset::Head {
        id: "raw".to_owned(),
        author: "includeAll".to_owned(),
        path: file.path.to_owned(),
        place: plan.place(file.path, 0),
        direction: Direction::Up,
        wraps: None,
        conditional: false,
        comment: super::name::title(path::stem(file.name())),
        contexts: String::new(),
        span: file.source.first_line(),
    };
    structured::of_file(file, &head, Direction::Up, &Cut::Whole, plan)
}

/// A database by a name that Liquibase does not know.
fn misspelt(file: &File<'_>, span: Span, name: &str) -> Problem {
    file.problem_at(
        span,
        ProblemKind::Ignored,
        format!("Liquibase never runs this: it knows no database `{name}`"),
        Some(
            "write `dbms:postgresql` (in XML `dbms=\"postgresql\"`), without quotes of its own"
                .to_owned(),
        ),
    )
}

/// A statement that Liquibase cuts in two.
fn torn(file: &File<'_>, torn: &Torn, help: &str) -> Problem {
    let line = file.source.position(torn.at.start).line;
    file.problem_at(
        super::text::first_line_of(&file.source.text, torn.statement),
        ProblemKind::Ignored,
        format!("Liquibase cuts this statement in two at the `;` of line {line}"),
        Some(help.to_owned()),
    )
}

fn arrange(_: &Found, scripts: Vec<Script>) -> Arrangement {
    let mut arrangement = arrange_by_place(scripts);
    let mut first: BTreeMap<(&str, bool), &Script> = BTreeMap::new();
    for script in &arrangement.scripts {
        let earlier = *first
            .entry((&script.key, script.direction.is_forward()))
            .or_insert(script);
        if std::ptr::eq(earlier, script) || !script.direction.is_forward() {
            continue;
        }
        arrangement.problems.push(Problem {
            kind: ProblemKind::DuplicateVersion,
            location: script.location(),
            message: format!("changeset `{}` stands twice", script.version),
            help: Some(
                "Liquibase refuses to start with two changesets of one id, author and file; give it another id"
                    .to_owned(),
            ),
            labels: vec![(
                Location {
                    source: earlier.source,
                    span: earlier.span,
                },
                "it stands here first".to_owned(),
            )],
        });
    }
    arrangement
}
