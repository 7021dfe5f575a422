//! Alembic: a graph of Python files, each with `upgrade()` and `downgrade()`.
//!
//! Tried with the tool: all pending revisions run in one transaction unless `env.py` configures
//! `transaction_per_migration=True`; what stands in an `autocommit_block()` runs outside of it. Each call sends one
//! message, so a string with several statements is one message even there. Every file in a `versions` directory that
//! is not called `__init__…` or `.#…` is loaded, and one that is no revision stops the tool.

mod config;
mod graph;
mod imports;
mod models;

pub use imports::Imports;

use super::{
    Applied, Client, Direction, DownScripts, Emptiness, File, Files, Found, Late, Layout, Outside,
    Piece, Problem, ProblemKind, Reading, Runner, RunnerLock, Script, Send, Wraps, path,
};
use crate::python::revision::{self, BodyKind, Revision};
use crate::source::{Location, Span};

/// The tool.
pub(super) static LAYOUT: Layout = Layout {
    name: "alembic",
    detect: config::detect,
    open: config::open,
    files,
    read,
    arrange: graph::arrange,
    compare: None,
    applied: Applied {
        gone: Some("stops: it cannot find the revision that the database names"),
        late: |_, _| Late::Unknown,
        ..Applied::by("Alembic")
    },
    client: Client {
        fills: true,
        ..Client::DRIVER
    },
    runner: Runner {
        send: Send::SimpleBatch,
        wraps: Wraps::Run,
        session: crate::layout::Session::One,
        leaves_transaction_for: None,
        sets_apart: None,
        splits_run: false,
        way_out: "run it inside `with op.get_context().autocommit_block():`",
        outside: Outside::Block("with op.get_context().autocommit_block():"),
        opens: "",
        keeps: None,
        lock: RunnerLock::Harmless,
        mixing: None,
        down: DownScripts::Expected,
    },
};

/// Longest id that fits into `alembic_version.version_num`.
const MAX_ID: usize = 32;
/// Characters that Alembic's command line gives a meaning.
const RESERVED: [char; 4] = ['@', '-', '+', ':'];

fn files(found: &Found, files: &dyn Files) -> Vec<String> {
    let is_recursive = found.is_on("recursive_version_locations");
    let is_bare = found.settings.contains_key(config::BARE);
    files
        .paths()
        .iter()
        .filter(|path| path::is_python(path) && !is_left_out(path::file_name(path)))
        .filter(|path| {
            let directory = path::parent(path);
            found.directories.iter().any(|own| own == directory)
                || (is_recursive && found.claims(directory))
        })
        // Nobody says that a directory without an environment holds nothing but revisions.
        .filter(|path| {
            !is_bare
                || files
                    .text(path)
                    .is_some_and(|text| config::is_revision(&text))
        })
        .cloned()
        .collect()
}

/// True for the names that Alembic does not load.
fn is_left_out(name: &str) -> bool {
    name.starts_with("__init__") || name.starts_with(".#")
}

fn read(found: &Found, file: &File<'_>) -> Reading {
    let source = file.source;
    let convention: Vec<(String, String)> = found
        .settings
        .iter()
        .filter_map(|(key, template)| {
            let kind = key.strip_prefix(config::CONVENTION)?;
            Some((kind.to_owned(), template.clone()))
        })
        .collect();
    let convention = (!convention.is_empty()).then_some(convention);
    let around = revision::Surroundings {
        path: file.path,
        modules: &Imports(file.files),
        convention: convention.as_deref(),
    };
    let revision = revision::read_in(&source.text, &around);
    let mut reading = Reading::default();
    let at = |span: Span| Location {
        source: source.id,
        span,
    };
    // Python stops at the first one; the parser's later ones may follow from it.
    if let Some(error) = revision.syntax_errors.first() {
        reading.problems.push(Problem {
            kind: ProblemKind::Syntax,
            location: at(error.span),
            message: format!("Python cannot load this revision: {}", error.message),
            help: None,
            labels: Vec::new(),
        });
    }
    if !revision.is_revision {
        if revision.syntax_errors.is_empty() {
            let message = format!(
                "`{}` is no revision: it sets neither `revision` nor `down_revision`",
                file.name()
            );
            let help = "Alembic loads every file here and stops at this one; move it out of the versions directory";
            reading
                .problems
                .push(file.problem(ProblemKind::Graph, message, Some(help.to_owned())));
        }
        return reading;
    }
    for problem in &revision.problems {
        let Some(kind) = kind_of(problem.trap) else {
            reading
                .not_analysed
                .push((problem.span, problem.message.clone()));
            continue;
        };
        reading.problems.push(Problem {
            kind,
            location: at(problem.span),
            message: problem.message.clone(),
            help: problem.help.clone(),
            labels: Vec::new(),
        });
    }
    let Some(id) = id_of(&revision, file) else {
        if !is_unknown(&revision, "revision") {
            let help = "Alembic cannot tell its id and stops; set `revision = \"…\"` at the top of the file";
            reading.problems.push(file.problem(
                ProblemKind::Graph,
                format!("`{}` does not set `revision`", file.name()),
                Some(help.to_owned()),
            ));
        }
        return reading;
    };
    let id_span = revision
        .revision
        .as_ref()
        .map_or_else(|| source.first_line(), |id| id.span);
    reading.problems.extend(id_problems(&id, at(id_span)));
    if revision.down_revision.is_none() && !is_unknown(&revision, "down_revision") {
        let help = "Alembic stops at it; set `down_revision` to the id it follows, or to `None` for the first revision";
        reading.problems.push(file.problem(
            ProblemKind::Graph,
            format!("revision `{id}` does not set `down_revision`"),
            Some(help.to_owned()),
        ));
    }
    if revision.upgrade.is_none() && revision.syntax_errors.is_empty() {
        let message = format!("revision `{id}` has no function `upgrade`");
        let help = "Alembic fails when it runs the revision; define `def upgrade():`, with `pass` if there is nothing to do";
        reading
            .problems
            .push(file.problem(ProblemKind::Graph, message, Some(help.to_owned())));
    }
    reading.scripts = scripts(found, file, &revision, &id);
    reading
}

/// What a defect is to the rules; `None` for what is listed as not analysed.
fn kind_of(trap: revision::Trap) -> Option<ProblemKind> {
    use revision::Trap;
    Some(match trap {
        Trap::Syntax => ProblemKind::Syntax,
        Trap::NotKnown => return None,
        Trap::IgnoredArgument => ProblemKind::IgnoredArgument,
        Trap::NeverCreated => ProblemKind::NeverCreated,
        Trap::UnnamedDrop => ProblemKind::UnnamedDrop,
        Trap::UnsetParameter => ProblemKind::UnsetParameter,
        Trap::Refused => ProblemKind::Refused,
        Trap::Overtakes => ProblemKind::Overtakes,
        Trap::ExpressionAsName => ProblemKind::ExpressionAsName,
    })
}

/// The revision's id; Alembic takes it from a file name of hexadecimal digits if the file does not set it.
fn id_of(revision: &Revision, file: &File<'_>) -> Option<String> {
    if let Some(id) = &revision.revision {
        return Some(id.text.clone());
    }
    let stem = file.name().strip_suffix(".py")?;
    let is_hex = !stem.is_empty()
        && stem
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    (is_hex && !is_unknown(revision, "revision")).then(|| stem.to_owned())
}

/// True if the file sets the variable to something that is not known without running it.
fn is_unknown(revision: &Revision, variable: &str) -> bool {
    let message = format!("the value of `{variable}`");
    revision
        .problems
        .iter()
        .any(|problem| problem.message.starts_with(&message))
}

fn id_problems(id: &str, location: Location) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut push = |message: String, help: &str| {
        problems.push(Problem {
            kind: ProblemKind::Graph,
            location,
            message,
            help: Some(help.to_owned()),
            labels: Vec::new(),
        });
    };
    let length = id.chars().count();
    if length > MAX_ID {
        push(
            format!(
                "the id `{id}` has {length} characters, and `alembic_version.version_num` holds {MAX_ID}"
            ),
            "shorten it here and in the revisions that follow it",
        );
    }
    if let Some(reserved) = id.chars().find(|c| RESERVED.contains(c)) {
        push(
            format!("the id `{id}` holds `{reserved}`, which Alembic refuses in ids"),
            "use letters, digits and `_` only, here and in the revisions that follow it",
        );
    }
    problems
}

/// The way up and the way back of a revision, as far as it has them.
fn scripts(found: &Found, file: &File<'_>, revision: &Revision, id: &str) -> Vec<Script> {
    let ids = |ids: &[revision::Id]| -> Vec<(String, Span)> {
        ids.iter().map(|id| (id.text.clone(), id.span)).collect()
    };
    let name = file.name().strip_suffix(".py").unwrap_or(file.name());
    let ways = [
        (Direction::Up, &revision.upgrade),
        (Direction::Down, &revision.downgrade),
    ];
    let mut scripts = Vec::new();
    for (direction, way) in ways {
        if way.is_none() && direction == Direction::Down {
            continue;
        }
        let mut script = Script::of_part(file, direction, file.source.first_line());
        id.clone_into(&mut script.version);
        id.clone_into(&mut script.key);
        script.description = revision
            .message
            .clone()
            .unwrap_or_else(|| name.replace('_', " "));
        script.parents = ids(revision.down_revision.as_deref().unwrap_or_default());
        script.depends_on = ids(&revision.depends_on);
        script.labels = revision
            .branch_labels
            .iter()
            .map(|label| label.text.clone())
            .collect();
        script.pieces.clear();
        script.emptiness = None;
        if let Some(way) = way {
            script.span = head(file, way.span);
            script.pieces = way.ops.iter().map(|op| piece(found, op)).collect();
            script.emptiness = match &way.body {
                BodyKind::Ops => None,
                BodyKind::Pass | BodyKind::Docstring => Some(Emptiness::Pass),
                BodyKind::Raises { text } => Some(Emptiness::Raises(text.clone())),
            };
            script.not_analysed = way
                .not_analysed
                .iter()
                .map(|entry| (entry.span, entry.reason.clone()))
                .collect();
        }
        scripts.push(script);
    }
    scripts
}

/// One call; what it sends is one message.
fn piece(found: &Found, op: &revision::Op) -> Piece {
    Piece {
        fragment: op.fragment.clone(),
        send: None,
        wraps: if op.autocommit.is_some() {
            Some(Wraps::Nothing)
        } else {
            found
                .is_on("transaction_per_migration")
                .then_some(Wraps::Script)
        },
        conditional: op.conditional || op.approximate,
    }
}

/// The first line of a function.
fn head(file: &File<'_>, function: Span) -> Span {
    let text = file.source.slice(function);
    let line = text.split(['\n', '\r']).next().unwrap_or("").trim_end();
    Span::new(
        function.start as usize,
        function.start as usize + line.len(),
    )
}
