//! Migrations that are programs: those of Rails, Django, Ecto and the tools of Node.js.
//!
//! Most of their SQL exists only when they run. What they send as it stands in the file, in constant strings, is read;
//! what else they do is named, with what makes the tool show its SQL. Where anything is not read, what is read is not
//! certain: other code may have created or dropped what it names.
//!
//! Transactions as the tools' sources and documentation have them: Rails and Ecto make one for each migration, Django too
//! (`atomic`), Knex, TypeORM and node-pg-migrate one for the whole run, Sequelize none. If a migration leaves that of the
//! run, Knex makes one for each of the others, TypeORM wants to be told to, and node-pg-migrate commits before it and begins
//! anew behind it. All but Ecto send a string as one message.

mod django;
mod elixir;
mod graph;
mod javascript;
mod program;
mod ruby;
mod token;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use self::javascript::Library;
use self::program::Program;
use super::{
    Applied, Arrangement, Client, Direction, DownScripts, File, Files, Found, Late, Layout,
    Outside, Piece, Reading, Runner, RunnerLock, Script, Send, Wraps, arrange_by_place,
    arrange_by_version, dialect, is_other_database, is_postgres, name, path, sign, text,
};
use crate::source::{Source, Span};

/// A tool whose migrations are programs.
struct Tool {
    layout: &'static Layout,
    /// Its name, as a sentence has it.
    title: &'static str,
    language: &'static str,
    extensions: &'static [&'static str],
    /// Whether a directory may hold its migrations.
    is_home: fn(&str) -> bool,
    /// One of these stands in each migration; empty if names are enough.
    words: &'static [&'static str],
    /// A file at the root of its projects: all directories below it are one project.
    project: Option<&'static str>,
    /// What shows its SQL.
    render: &'static str,
    /// Finds constant SQL in a file.
    program: fn(&str) -> Program,
    /// Two files of one number are one too many.
    by_number: bool,
    /// Migrations name those that they need.
    is_graph: bool,
    /// The order in which they run, unless those decide.
    compare: fn(&Script, &Script) -> Ordering,
}

/// Makes the layout of a tool.
macro_rules! layout {
    ($name:literal, $index:literal, $send:ident, $wraps:ident, $splits_run:literal, $way_out:literal) => {
        Layout {
            name: $name,
            detect: |files| detect(&TOOLS[$index], files),
            open: |_, root, options| Found::named(TOOLS[$index].layout, root, options),
            files: |found, files| migrations(&TOOLS[$index], found, files),
            read: |_, file| read(&TOOLS[$index], file),
            arrange: |found, scripts| arrange(&TOOLS[$index], found, scripts),
            compare: Some(name::number),
            applied: Applied {
                late: |_, _| Late::Unknown,
                ..Applied::by(TITLES[$index])
            },
            client: Client::DRIVER,
            runner: Runner {
                send: Send::$send,
                wraps: Wraps::$wraps,
                session: crate::layout::Session::Unknown,
                leaves_transaction_for: None,
                sets_apart: None,
                splits_run: $splits_run,
                way_out: $way_out,
                outside: Outside::Words,
                opens: "",
                keeps: None,
                lock: RunnerLock::Harmless,
                mixing: None,
                down: DownScripts::Unsupported,
            },
        }
    };
}

/// The tools' names, as a sentence has them.
const TITLES: [&str; 7] = [
    "Rails",
    "Django",
    "Ecto",
    "TypeORM",
    "Sequelize",
    "Knex",
    "node-pg-migrate",
];

pub(super) static RAILS: Layout = layout!(
    "rails",
    0,
    SimpleBatch,
    Script,
    false,
    "write `disable_ddl_transaction!` in the migration's class"
);
pub(super) static DJANGO: Layout = layout!(
    "django",
    1,
    SimpleBatch,
    Script,
    false,
    "write `atomic = False` in the migration's class"
);
pub(super) static ECTO: Layout = layout!(
    "ecto",
    2,
    PerStatement,
    Script,
    false,
    "write `@disable_ddl_transaction true` and `@disable_migration_lock true` in the migration's module"
);
pub(super) static TYPEORM: Layout = layout!(
    "typeorm",
    3,
    SimpleBatch,
    Run,
    true,
    "write `transaction = false` in the migration's class, and run with `--transaction each`"
);
pub(super) static SEQUELIZE: Layout = layout!(
    "sequelize",
    4,
    SimpleBatch,
    Nothing,
    false,
    "do not hand the transaction to this query"
);
pub(super) static KNEX: Layout = layout!(
    "knex",
    5,
    SimpleBatch,
    Run,
    true,
    "export `config = { transaction: false }` from the migration"
);
pub(super) static NODE_PG_MIGRATE: Layout = layout!(
    "node-pg-migrate-js",
    6,
    SimpleBatch,
    Run,
    false,
    "call `pgm.noTransaction()` in the migration"
);

static TOOLS: [Tool; 7] = [
    Tool {
        layout: &RAILS,
        title: TITLES[0],
        language: "Ruby",
        extensions: &["rb"],
        is_home: |directory| {
            let name = path::file_name(directory);
            name == "migrate" || name.ends_with("_migrate")
        },
        words: &["ActiveRecord::Migration"],
        project: None,
        render: "`bin/rails runner 'ActiveRecord::Base.logger = Logger.new($stdout); \
                 ActiveRecord::Base.connection_pool.migration_context.migrate'` logs it on a scratch database",
        program: ruby::read,
        by_number: true,
        is_graph: false,
        compare: by_version,
    },
    Tool {
        layout: &DJANGO,
        title: TITLES[1],
        language: "Python",
        extensions: &["py"],
        is_home: |directory| path::file_name(directory) == "migrations",
        words: &["migrations.Migration"],
        project: Some("manage.py"),
        render: "`python manage.py sqlmigrate <app> <migration>` prints it",
        program: django::read,
        by_number: false,
        is_graph: true,
        compare: by_name,
    },
    Tool {
        layout: &ECTO,
        title: TITLES[2],
        language: "Elixir",
        extensions: &["exs"],
        is_home: |directory| directory.split('/').any(|part| part == "priv"),
        words: &["Ecto.Migration"],
        project: None,
        render: "`mix ecto.migrate --log-migrations-sql` logs it on a scratch database",
        program: elixir::read,
        by_number: true,
        is_graph: false,
        compare: by_version,
    },
    Tool {
        layout: &TYPEORM,
        title: TITLES[3],
        language: "JavaScript",
        extensions: &["ts", "js"],
        is_home: is_for_migrations,
        words: &["MigrationInterface", "queryRunner"],
        project: None,
        render: "`npx typeorm migration:run` with `logging: [\"query\"]` in the data source logs it on a scratch database",
        program: |text| javascript::read(text, Library::TypeOrm),
        by_number: false,
        is_graph: false,
        compare: by_version,
    },
    Tool {
        layout: &SEQUELIZE,
        title: TITLES[4],
        language: "JavaScript",
        extensions: &["js", "cjs", "ts"],
        is_home: is_for_migrations,
        words: &["queryInterface", "QueryInterface"],
        project: None,
        render: "`npx sequelize-cli db:migrate` with `logging: console.log` in its configuration logs it on a scratch database",
        program: |text| javascript::read(text, Library::Sequelize),
        by_number: false,
        is_graph: false,
        compare: by_name,
    },
    Tool {
        layout: &KNEX,
        title: TITLES[5],
        language: "JavaScript",
        extensions: &["js", "cjs", "mjs", "ts"],
        is_home: is_for_migrations,
        words: &["knex", "Knex"],
        project: None,
        render: "`DEBUG=knex:query npx knex migrate:latest` logs it on a scratch database",
        program: |text| javascript::read(text, Library::Knex),
        by_number: false,
        is_graph: false,
        compare: by_name,
    },
    Tool {
        layout: &NODE_PG_MIGRATE,
        title: TITLES[6],
        language: "JavaScript",
        extensions: &["js", "cjs", "mjs", "ts"],
        is_home: is_for_migrations,
        words: &["pgm."],
        project: None,
        render: "`npx node-pg-migrate up --dry-run --verbose` prints it",
        program: |text| javascript::read(text, Library::NodePgMigrate),
        by_number: false,
        is_graph: false,
        compare: super::node_pg_migrate::compare,
    },
];

/// True for a layout whose migrations are programs.
pub(super) fn is_code(layout: &Layout) -> bool {
    TOOLS.iter().any(|tool| std::ptr::eq(tool.layout, layout))
}

/// True for `migrations`, `src/migration` and, for one of several databases, `migrations/postgres`.
fn is_for_migrations(directory: &str) -> bool {
    let mut name = path::file_name(directory);
    if is_postgres(name) || is_other_database(name) {
        name = path::file_name(path::parent(directory));
    }
    name.to_ascii_lowercase().contains("migration")
}

/// True for a file that may be a migration: its name begins with a number.
fn may_be(tool: &Tool, path: &str) -> bool {
    path::extension(path).is_some_and(|extension| tool.extensions.contains(&extension.as_str()))
        && !name::digits(path::file_name(path)).is_empty()
        && (tool.is_home)(path::parent(path))
}

fn detect(tool: &'static Tool, files: &dyn Files) -> Vec<Found> {
    let mut homes: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for path in files.paths().iter().filter(|path| may_be(tool, path)) {
        homes.entry(path::parent(path)).or_default().push(path);
    }
    let mut projects: BTreeMap<String, Found> = BTreeMap::new();
    for (home, paths) in homes {
        let Some(first) = paths.iter().take(3).find(|path| {
            files
                .text(path)
                .is_some_and(|text| tool.words.iter().any(|word| text.contains(word)))
        }) else {
            continue;
        };
        let root = match tool.project {
            Some(marker) => sign::nearest(files, home, marker)
                .map_or_else(String::new, |marker| path::parent(&marker).to_owned()),
            None => home.to_owned(),
        };
        let reason = format!(
            "`{}` is a migration of {}",
            path::file_name(first),
            tool.title
        );
        projects
            .entry(root.clone())
            .and_modify(|found| found.directories.push(home.to_owned()))
            .or_insert_with(|| Found {
                root,
                ..Found::of(tool.layout, home, reason)
            });
    }
    let mut projects: Vec<Found> = projects.into_values().collect();
    for found in projects.iter_mut().filter(|_| tool.is_graph) {
        let model = user_model(files, &found.root);
        found
            .settings
            .extend(model.map(|model| (USER_MODEL.to_owned(), model)));
    }
    projects
}

/// Django's setting that names the model of its users.
const USER_MODEL: &str = "AUTH_USER_MODEL";

/// The application and the model of a project's users, if its settings say so in a constant.
fn user_model(files: &dyn Files, root: &str) -> Option<String> {
    let is_settings = |path: &&String| {
        path::is_python(path)
            && (path::file_name(path).contains("settings")
                || path::file_name(path::parent(path)).contains("settings"))
    };
    let mut paths = path::below(files.paths(), root).filter(is_settings);
    paths.find_map(|path| {
        let text = files.text(path)?;
        let mut lines = text::lines(&text);
        let value = lines.find_map(|(_, line)| {
            let rest = line.strip_prefix(USER_MODEL)?.trim_start();
            rest.strip_prefix('=').map(str::trim)
        })?;
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        Some(value[1..].split(quote).next()?.to_owned())
    })
}

/// The migrations of a project.
fn migrations(tool: &'static Tool, found: &Found, files: &dyn Files) -> Vec<String> {
    let is_own = |path: &&String| {
        may_be(tool, path)
            && found
                .directories
                .iter()
                .any(|own| own == path::parent(path))
    };
    files.paths().iter().filter(is_own).cloned().collect()
}

fn read(tool: &Tool, file: &File<'_>) -> Reading {
    let program = (tool.program)(&file.source.text);
    let number = name::digits(file.name());
    let version = program.version.as_deref().unwrap_or(number);
    let stem = path::stem(file.name());
    let links = |index: usize| program.links[index].iter().cloned();
    let script = |direction: Direction| {
        let way = program.ways.iter().find(|(way, _)| *way == direction);
        let outside = program.outside[usize::from(direction == Direction::Down)];
        let calls = program.calls.iter();
        let pieces = calls
            .filter(|call| call.direction == direction)
            .map(|call| Piece {
                fragment: call.fragment.clone(),
                send: None,
                wraps: call.wraps.or(outside.then_some(Wraps::Nothing)),
                conditional: false,
            })
            .collect();
        Script {
            version: version.to_owned(),
            key: if tool.by_number {
                version.trim_start_matches('0').to_owned()
            } else {
                path::stem(file.path).to_owned()
            },
            description: name::title(&stem[number.len()..]),
            span: way.map_or(file.source.first_line(), |(_, span)| {
                first_line(file.source, *span)
            }),
            pieces,
            emptiness: None,
            depends_on: links(0).map(|id| (id, Span::default())).collect(),
            before: links(1).collect(),
            replaces: links(2).collect(),
            ..Script::of_part(file, direction, Span::default())
        }
    };
    let mut up = script(Direction::Up);
    if program.unread || up.pieces.is_empty() {
        let language = match path::extension(file.path).as_deref() {
            Some("ts") => "TypeScript",
            _ => tool.language,
        };
        let reason = format!(
            "{} migrations in {language} that do more than send constant SQL: the rest exists only when they run; {}, for `lockgate check -`",
            tool.title, tool.render
        );
        up.not_analysed.push((file.source.first_line(), reason));
    }
    let mut down = script(Direction::Down);
    down.not_analysed.clone_from(&up.not_analysed);
    Reading {
        scripts: [up, down]
            .into_iter()
            .filter(|script| script.direction == Direction::Up || !script.pieces.is_empty())
            .collect(),
        ..Reading::default()
    }
}

/// The part of a span on its first line.
fn first_line(source: &Source, span: Span) -> Span {
    let text = source.slice(span);
    let length = text.find(['\n', '\r']).unwrap_or(text.len());
    Span::new(span.start as usize, span.start as usize + length)
}

fn arrange(tool: &Tool, found: &Found, mut scripts: Vec<Script>) -> Arrangement {
    let is_foreign = |piece: &Piece| {
        let sql = Source::new(
            crate::source::SourceId(0),
            "x.sql",
            piece.fragment.sql.clone(),
        );
        dialect::of_sql(&sql).is_some()
    };
    // Code does not say which database it is for; its SQL may.
    let pieces = scripts.iter().flat_map(|script| &script.pieces);
    let foreign = pieces.clone().filter(|piece| is_foreign(piece)).count();
    if foreign > 0 {
        let all = 2 * foreign > pieces.count();
        for script in &mut scripts {
            let count = script.pieces.len();
            script.pieces.retain(|piece| !all && !is_foreign(piece));
            if script.pieces.len() < count && script.not_analysed.is_empty() {
                let reason = "its SQL is for another database".to_owned();
                script.not_analysed.push((script.span, reason));
            }
        }
    }
    if scripts.iter().any(|script| !script.not_analysed.is_empty()) {
        for piece in scripts.iter_mut().flat_map(|script| &mut script.pieces) {
            piece.conditional = true;
        }
    }
    if tool.is_graph {
        graph::place(
            &mut scripts,
            found.settings.get(USER_MODEL).map(String::as_str),
        );
        return arrange_by_place(scripts);
    }
    arrange_by_version(
        scripts,
        tool.compare,
        "the tool refuses two migrations of one version; number one anew",
    )
}

/// By their numbers.
fn by_version(a: &Script, b: &Script) -> Ordering {
    name::number(&a.version, &b.version)
}

/// By the names of the files alone.
fn by_name(a: &Script, b: &Script) -> Ordering {
    path::file_name(&a.path).cmp(path::file_name(&b.path))
}

/// The comments of a program, with their marks; none if it is in no language that is read here.
pub(super) fn comments(source: &Source) -> Option<Vec<Span>> {
    let scan = match path::extension(&source.path)?.as_str() {
        "rb" => ruby::scan(&source.text),
        "exs" => elixir::scan(&source.text),
        "js" | "cjs" | "mjs" | "ts" => javascript::scan(&source.text),
        _ => return None,
    };
    Some(scan.comments)
}

#[cfg(test)]
mod tests;
