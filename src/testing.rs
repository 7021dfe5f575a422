//! For the project's own integration tests; no part of the public interface.

pub mod replay;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::analyze;
use crate::diagnostic::NotAnalysed;
use crate::discover::{Discovered, Project};
use crate::effect::{LockMode, RelationKind};
use crate::layout::{self, Arrangement, File, Files, Script};
use crate::replay::replay;
use crate::report::Report;
use crate::settings::Settings;
use crate::source::{Location, Source, SourceId};

pub use crate::sql::tree::testing::agrees_with_protobuf;

/// Files that are nowhere on disk.
struct Memory {
    paths: Vec<String>,
    texts: BTreeMap<String, Arc<str>>,
}

impl Memory {
    fn of(files: &[(&str, &str)]) -> Self {
        let texts: BTreeMap<String, Arc<str>> = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), Arc::from(*text)))
            .collect();
        Self {
            paths: texts.keys().cloned().collect(),
            texts,
        }
    }
}

impl Files for Memory {
    fn paths(&self) -> &[String] {
        &self.paths
    }

    fn text(&self, path: &str) -> Option<Arc<str>> {
        self.texts.get(path).cloned()
    }
}

/// Checks files that are nowhere on disk as one project of a layout.
///
/// `world` is SQL that ran before all of them: it is replayed, and nothing is reported in it.
///
/// # Panics
/// If there is no such layout.
#[must_use]
pub fn check(
    layout: &str,
    files: &[(&str, &str)],
    world: Option<&str>,
    settings: Settings,
) -> Report {
    let mut discovered = discover(layout, files, world, None);
    if let Some(patterns) = &settings.sources {
        let code = discovered.sources.iter();
        let code = code.filter(|source| patterns.is_match(&source.path));
        discovered.code = code.map(|source| source.id).collect();
    }
    analyze::run(discovered, settings)
}

/// The branch that files are merged into.
#[derive(Debug, Clone, Copy)]
pub struct Other<'a> {
    /// Its files when the branches parted.
    pub base: &'a [(&'a str, &'a str)],
    /// The files that it has got since.
    pub theirs: &'a [(&'a str, &'a str)],
}

/// [`check`], of what a branch changes.
///
/// # Panics
/// If there is no such layout.
#[must_use]
pub fn check_branch(
    layout: &str,
    files: &[(&str, &str)],
    other: Other<'_>,
    world: Option<&str>,
    settings: Settings,
) -> Report {
    analyze::run(discover(layout, files, world, Some(other)), settings)
}

/// Compares the scripts of files with those of another branch.
fn compare(
    found: &layout::Found,
    scripts: &[Script],
    sources: &[Source],
    other: Other<'_>,
) -> (Vec<SourceId>, Vec<layout::Problem>) {
    let changed: BTreeSet<SourceId> = sources
        .iter()
        .filter(|source| !other.base.contains(&(source.path.as_str(), &*source.text)))
        .map(|source| source.id)
        .collect();
    let read = |files: &[(&str, &str)]| -> Vec<Script> {
        let memory = Memory::of(files);
        let scripts = memory.paths.iter().map(|path| {
            let source = Source::new(SourceId(0), path.clone(), memory.texts[path].clone());
            let file = File {
                path,
                source: &source,
                files: &memory,
            };
            (found.layout.read)(found, &file).scripts
        });
        scripts.flatten().collect()
    };
    let is_gone = |(path, _): &&(&str, &str)| {
        !sources
            .iter()
            .any(|source| source.path == *path && !changed.contains(&source.id))
    };
    let then: Vec<(&str, &str)> = other.base.iter().filter(is_gone).copied().collect();
    let comparison = layout::base::compare(
        found,
        scripts,
        &layout::base::Branch {
            name: "main",
            changed: &changed,
            then: &read(&then),
            ahead: &read(other.theirs),
        },
    );
    let pending = changed.difference(&comparison.moved).copied().collect();
    (pending, comparison.problems)
}

/// A statement of a file, in the order in which statements run, with what is known about it.
#[derive(Debug)]
pub struct Ran {
    /// Its text as PostgreSQL receives it.
    pub sql: String,
    /// The strongest lock on each relation that exists before it, by name as PostgreSQL prints a `regclass` with
    /// `public` in the search path; sorted.
    pub locks: Vec<(String, RelationKind, LockMode)>,
    /// The SQLSTATE that it is certain to fail with.
    pub fails: Option<&'static str>,
    /// It stands in a script that goes forward.
    pub forward: bool,
}

/// The statements of files as [`check`] takes them, and what the model says that each one locks. The statements in a
/// `DO` block count for the block.
///
/// # Panics
/// If there is no such layout.
#[must_use]
pub fn effects(
    layout: &str,
    files: &[(&str, &str)],
    world: Option<&str>,
    settings: &Settings,
) -> Vec<Ran> {
    let Discovered {
        sources, projects, ..
    } = discover(layout, files, world, None);
    let mut all: Vec<Ran> = Vec::new();
    for project in projects {
        let arrangement = Arrangement {
            scripts: project.scripts,
            problems: project.problems,
        };
        let (history, _) = analyze::history(
            project.found,
            arrangement,
            (project.wanted.as_deref(), &project.settled),
            settings,
        );
        let replay = replay(&history, settings);
        for step in &replay.steps {
            let source = history.migrations[step.migration].source;
            if sources[source.0 as usize].path == "world.sql" {
                continue;
            }
            if !step.is_nested() {
                all.push(Ran {
                    sql: step.statement.source.sql.to_string(),
                    locks: Vec::new(),
                    fails: None,
                    forward: history.migrations[step.migration].direction.is_forward(),
                });
            }
            let Some(ran) = all.last_mut() else { continue };
            ran.fails = ran
                .fails
                .or(step.effects.fails.as_ref().map(|failure| failure.sqlstate));
            for effect in &step.effects.list {
                let relation = &effect.relation;
                let name = match &*relation.schema {
                    "public" => relation.name.to_string(),
                    schema => format!("{schema}.{}", relation.name),
                };
                match ran.locks.iter_mut().find(|(other, ..)| *other == name) {
                    Some((_, _, lock)) => *lock = effect.lock.max(*lock),
                    None => ran.locks.push((name, effect.kind, effect.lock)),
                }
            }
            ran.locks.sort();
        }
    }
    all
}

/// Asks a database about files that are nowhere on disk, all of them pending.
///
/// # Panics
/// If there is no such layout, or the connection string is wrong.
#[cfg(feature = "live")]
#[must_use]
pub fn ask(
    when: crate::probe::When,
    database: &str,
    layout: &str,
    files: &[(&str, &str)],
    world: Option<&str>,
    settings: Settings,
) -> Report {
    let outside = crate::probe::Outside::default();
    ask_with(when, database, layout, files, world, settings, outside)
}

/// The same with what a user hands over beside the database.
///
/// # Panics
/// If there is no such layout, or the connection string is wrong.
#[cfg(feature = "live")]
#[must_use]
pub fn ask_with(
    when: crate::probe::When,
    database: &str,
    layout: &str,
    files: &[(&str, &str)],
    world: Option<&str>,
    settings: Settings,
    outside: crate::probe::Outside,
) -> Report {
    let discovered = discover(layout, files, world, None);
    let surroundings = crate::live::Surroundings::default();
    let target = crate::live::Target::new(Some(database), &surroundings);
    let request = crate::live::Request {
        when,
        targets: vec![target.expect("a valid connection string")],
        jobs: std::num::NonZero::<usize>::MIN,
        files_named: true,
        outside,
    };
    crate::live::run(discovered, settings, &request)
}

/// Runs a statement in a session of live mode.
///
/// # Panics
/// If the connection string is wrong.
#[cfg(feature = "live")]
pub fn try_to_write(database: &str, statement: &str) -> Result<(), String> {
    let surroundings = crate::live::Surroundings::default();
    let target = crate::live::Target::new(Some(database), &surroundings);
    crate::live::try_statement(&target.expect("a valid connection string"), statement)
}

/// How a database is called in output.
///
/// # Panics
/// If the connection string is wrong.
#[cfg(feature = "live")]
#[must_use]
pub fn label(database: &str) -> String {
    let surroundings = crate::live::Surroundings::default();
    let target = crate::live::Target::new(Some(database), &surroundings);
    target.expect("a valid connection string").label()
}

/// Reads files as one project of a layout.
fn discover(
    layout: &str,
    files: &[(&str, &str)],
    world: Option<&str>,
    other: Option<Other<'_>>,
) -> Discovered {
    let layout = layout::by_name(layout).expect("a layout of that name");
    let mut sources: Vec<Source> = Vec::new();
    let mut add = |path: &str, text: &str| {
        let id = SourceId(u32::try_from(sources.len()).expect("few files"));
        sources.push(Source::new(id, path, text));
    };
    let mut sorted: Vec<(&str, &str)> = files.to_vec();
    sorted.sort_unstable();
    for (path, text) in &sorted {
        add(path, text);
    }
    if let Some(world) = world {
        add("world.sql", world);
    }
    let memory = Memory::of(&sorted);
    // A path such as `versions/abc.py` puts the migrations into that directory.
    let root = sorted
        .first()
        .and_then(|(path, _)| path.rsplit_once('/'))
        .map_or("", |(root, _)| root);
    // Tools with a directory for each migration.
    let root = match layout.name {
        "diesel" | "prisma" => root.rsplit_once('/').map_or("", |(root, _)| root),
        _ => root,
    };
    let found = (layout.open)(&memory, root, &BTreeMap::new());
    let wanted_files = (layout.files)(&found, &memory);
    let (mut scripts, mut problems, mut not_analysed): (Vec<Script>, _, _) =
        (Vec::new(), Vec::new(), Vec::new());
    for (source, path) in sources.iter().zip(sorted.iter().map(|(path, _)| *path)) {
        if !wanted_files.iter().any(|file| file == path) {
            continue;
        }
        let reading = (layout.read)(
            &found,
            &File {
                path,
                source,
                files: &memory,
            },
        );
        scripts.extend(reading.scripts);
        problems.extend(reading.problems);
        not_analysed.extend(
            reading
                .not_analysed
                .into_iter()
                .map(|(span, reason)| NotAnalysed {
                    location: Location {
                        source: source.id,
                        span,
                    },
                    reason,
                }),
        );
    }
    let files_of_models = found.files_of_models().into_iter().map(str::to_owned);
    let model_files: Vec<(String, SourceId)> = files_of_models
        .filter_map(|file| {
            let source = sources.iter().find(|source| source.path == file)?;
            Some((file, source.id))
        })
        .collect();
    let found = layout::Found {
        model_files: model_files.into(),
        ..found
    };
    let arrangement = (layout.arrange)(&found, scripts);
    problems.extend(arrangement.problems);
    let own: Vec<&Source> = sources
        .iter()
        .filter(|source| wanted_files.contains(&source.path))
        .collect();
    let foreign = layout::dialect::of_history(&found, &own);
    let dialect = foreign.as_ref().map(|(dialect, _)| *dialect);
    problems.extend(foreign.map(|(_, problem)| problem));
    let mut scripts = arrangement.scripts;
    let mut pending = None;
    if let Some(other) = other {
        let of_world = usize::from(world.is_some());
        let own = &sources[..sources.len() - of_world];
        let (files, found) = compare(&found, &scripts, own, other);
        pending = Some(files);
        problems.extend(found);
    }
    if let Some(source) = world.and(sources.last()) {
        let file = File {
            path: "world.sql",
            source,
            files: &memory,
        };
        scripts.insert(0, Script::of_file(&file, layout::Direction::Repeatable));
    }
    let wanted = pending.unwrap_or_else(|| {
        sources
            .iter()
            .filter(|source| source.path != "world.sql")
            .map(|source| source.id)
            .collect()
    });
    let project = Project {
        found,
        root: String::new(),
        scripts,
        problems,
        wanted: Some(wanted),
        settled: Vec::new(),
        dialect,
    };
    Discovered {
        sources,
        projects: vec![project],
        errors: Vec::new(),
        not_analysed,
        ..Discovered::default()
    }
}

/// What the model says about one statement.
#[derive(Debug, Clone)]
pub struct Prediction {
    /// Effects on relations, names as in `public.t`.
    pub effects: Vec<crate::effect::Effect>,
    /// Tables of the indexes that exist, by index name, both without `public`.
    pub index_tables: BTreeMap<String, String>,
    /// SQLSTATE of a certain refusal.
    pub fails: Option<&'static str>,
    /// It may lock more than the history tells.
    pub open_ended: bool,
    /// What stays behind when it fails half way.
    pub leaves_behind: Vec<crate::effect::Leftover>,
    /// Waits beyond ordinary locks.
    pub waits_for: Vec<&'static str>,
}

/// What the model says about the last statement of `sql`, after `before` ran in earlier changes and the statements before
/// the last one in the same one, and in its transaction.
///
/// # Panics
/// If `sql` holds no statement.
#[must_use]
pub fn predict(before: &str, sql: &str, postgres: u32, time_zone: Option<&str>) -> Prediction {
    use crate::effect::{Situation, effects_with_nested};
    use crate::schema::{Origin, Schema};
    use crate::source::{Fragment, Span, SpanMap};
    let parse = |text: &str| {
        crate::sql::parse(&Fragment {
            sql: text.into(),
            map: SpanMap::copied(0, text.len()),
        })
        .statements
    };
    let mut schema = Schema::on(postgres);
    let mut number = 0;
    let mut apply = |schema: &mut Schema, statement: &crate::statement::Statement, batch| {
        number += 1;
        schema.begin_batch(batch);
        let location = Location {
            source: SourceId(0),
            span: Span::default(),
        };
        schema.apply(
            statement,
            Origin {
                location,
                batch,
                statement: number,
            },
        );
        for nested in statement.nested.iter().filter(|nested| nested.runs) {
            schema.apply(
                &nested.statement,
                Origin {
                    location,
                    batch,
                    statement: number,
                },
            );
        }
    };
    for statement in parse(before) {
        schema.begin_transaction();
        apply(&mut schema, &statement, 1);
    }
    schema.begin_transaction();
    let statements = parse(sql);
    let (last, earlier) = statements.split_last().expect("a statement");
    for statement in earlier {
        apply(&mut schema, statement, 2);
    }
    let found = effects_with_nested(
        last,
        Situation {
            schema: &schema,
            postgres,
            time_zone,
            check_function_bodies: true,
        },
    );
    Prediction {
        effects: found.list,
        index_tables: schema
            .indexes()
            .map(|index| (plain(&index.name), plain(&index.table)))
            .collect(),
        fails: found.fails.map(|failure| failure.sqlstate),
        open_ended: found.open_ended,
        leaves_behind: found.leaves_behind.clone(),
        waits_for: found.waits_for.iter().map(|waits| waits.as_str()).collect(),
    }
}

/// Which of the statements refuse to run because they are sent together in one simple-protocol message.
#[must_use]
pub fn refused_in_one_message(sql: &str) -> Vec<bool> {
    use crate::layout::{Send, Unit, Wraps};
    use crate::source::{Fragment, SpanMap};
    let statements = crate::sql::parse(&Fragment {
        sql: sql.into(),
        map: SpanMap::copied(0, sql.len()),
    })
    .statements;
    let unit = Unit {
        statements: 0..statements.len(),
        send: Send::SimpleBatch,
        wraps: Wraps::Nothing,
    };
    let moments =
        crate::session::moments(&statements, &[unit], crate::session::Defaults::default());
    statements
        .iter()
        .zip(&moments)
        .map(|(statement, moment)| {
            crate::effect::refuses_transaction(statement, &crate::schema::Schema::default(), 18)
                .is_some()
                && moment.refusal().is_some()
        })
        .collect()
}

fn plain(name: &crate::statement::QualifiedName) -> String {
    if &*name.schema == "public" {
        name.name.to_string()
    } else {
        format!("{}.{}", name.schema, name.name)
    }
}
