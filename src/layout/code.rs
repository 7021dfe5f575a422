//! Migrations that are programs: those of Rails, Django, Ecto and the tools of Node.js.
//!
//! Their SQL exists only when they run. They are recognised so that a project is never taken for one without migrations,
//! and named once, with what makes the tool show its SQL.

use std::collections::BTreeMap;

use super::{
    Applied, Arrangement, Client, DownScripts, File, Files, Found, Late, Layout, Reading, Runner,
    Send, Wraps, name, path, sign,
};

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
}

/// Makes the layout of a tool; all of them look at one file only, to have a place to speak about.
macro_rules! layout {
    ($name:literal, $index:literal) => {
        Layout {
            name: $name,
            detect: |files| detect(&TOOLS[$index], files),
            open: |_, root, options| Found::named(TOOLS[$index].layout, root, options),
            files: |found, files| {
                let first = migrations(&TOOLS[$index], found, files).next();
                first.cloned().into_iter().collect()
            },
            read: |found, file| read(&TOOLS[$index], found, file),
            arrange: |_, scripts| Arrangement {
                scripts,
                problems: Vec::new(),
            },
            compare: Some(name::number),
            applied: Applied {
                late: |_, _| Late::Unknown,
                ..Applied::by("the tool")
            },
            client: Client::PSQL,
            runner: RUNNER,
        }
    };
}

const RUNNER: Runner = Runner {
    send: Send::Unknown,
    wraps: Wraps::Nothing,
    session: crate::layout::Session::Unknown,
    leaves_transaction_for: None,
    way_out: "run it outside of the tool's transaction",
    down: DownScripts::Unsupported,
};

pub(super) static RAILS: Layout = layout!("rails", 0);
pub(super) static DJANGO: Layout = layout!("django", 1);
pub(super) static ECTO: Layout = layout!("ecto", 2);
pub(super) static TYPEORM: Layout = layout!("typeorm", 3);
pub(super) static SEQUELIZE: Layout = layout!("sequelize", 4);
pub(super) static KNEX: Layout = layout!("knex", 5);
pub(super) static NODE_PG_MIGRATE: Layout = layout!("node-pg-migrate-js", 6);

static TOOLS: [Tool; 7] = [
    Tool {
        layout: &RAILS,
        title: "Rails",
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
    },
    Tool {
        layout: &DJANGO,
        title: "Django",
        language: "Python",
        extensions: &["py"],
        is_home: |directory| path::file_name(directory) == "migrations",
        words: &["migrations.Migration"],
        project: Some("manage.py"),
        render: "`python manage.py sqlmigrate <app> <migration>` prints it",
    },
    Tool {
        layout: &ECTO,
        title: "Ecto",
        language: "Elixir",
        extensions: &["exs"],
        is_home: |directory| directory.split('/').any(|part| part == "priv"),
        words: &["Ecto.Migration"],
        project: None,
        render: "`mix ecto.migrate --log-migrations-sql` logs it on a scratch database",
    },
    Tool {
        layout: &TYPEORM,
        title: "TypeORM",
        language: "JavaScript",
        extensions: &["ts", "js"],
        is_home: is_for_migrations,
        words: &["MigrationInterface", "queryRunner"],
        project: None,
        render: "`npx typeorm migration:run` with `logging: [\"query\"]` in the data source logs it on a scratch database",
    },
    Tool {
        layout: &SEQUELIZE,
        title: "Sequelize",
        language: "JavaScript",
        extensions: &["js", "cjs", "ts"],
        is_home: is_for_migrations,
        words: &["queryInterface", "QueryInterface"],
        project: None,
        render: "`npx sequelize-cli db:migrate` with `logging: console.log` in its configuration logs it on a scratch database",
    },
    Tool {
        layout: &KNEX,
        title: "Knex",
        language: "JavaScript",
        extensions: &["js", "cjs", "mjs", "ts"],
        is_home: is_for_migrations,
        words: &["knex", "Knex"],
        project: None,
        render: "`DEBUG=knex:query npx knex migrate:latest` logs it on a scratch database",
    },
    Tool {
        layout: &NODE_PG_MIGRATE,
        title: "node-pg-migrate",
        language: "JavaScript",
        extensions: &["js", "cjs", "mjs", "ts"],
        is_home: is_for_migrations,
        words: &["pgm."],
        project: None,
        render: "`npx node-pg-migrate up --dry-run --verbose` prints it",
    },
];

/// True for a layout whose migrations are programs: none of its SQL is seen.
pub(super) fn is_code(layout: &Layout) -> bool {
    TOOLS.iter().any(|tool| std::ptr::eq(tool.layout, layout))
}

fn is_for_migrations(directory: &str) -> bool {
    path::file_name(directory)
        .to_ascii_lowercase()
        .contains("migration")
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
    projects.into_values().collect()
}

/// The migrations of a project.
fn migrations<'f>(
    tool: &'static Tool,
    found: &'f Found,
    files: &'f dyn Files,
) -> impl Iterator<Item = &'f String> {
    files.paths().iter().filter(move |path| {
        may_be(tool, path)
            && found
                .directories
                .iter()
                .any(|own| own == path::parent(path))
    })
}

fn read(tool: &'static Tool, found: &Found, file: &File<'_>) -> Reading {
    let count = migrations(tool, found, file.files).count();
    let noun = if count == 1 {
        "migration"
    } else {
        "migrations"
    };
    let language = match path::extension(file.path).as_deref() {
        Some("ts") => "TypeScript",
        _ => tool.language,
    };
    let reason = format!(
        "{count} {} {noun} in {language}, whose SQL exists only when they run; {}, for `lockgate check -`",
        tool.title, tool.render
    );
    Reading {
        not_analysed: vec![(file.source.first_line(), reason)],
        ..Reading::default()
    }
}
