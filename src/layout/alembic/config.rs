//! Where Alembic's environments and their revisions are.

use std::collections::BTreeMap;

use super::{LAYOUT, models};
use crate::layout::alembic::imports::Imports;
use crate::layout::{Files, Found, keys, path, text};
use crate::python::env::{Env, convention, read_env};

/// Marks a directory of revisions that was found without its environment.
pub(super) const BARE: &str = "lockgate.bare";

/// What the keys of the naming convention begin with.
pub(super) const CONVENTION: &str = "naming_convention.";

/// Settings that are kept as they are.
const KEYS: &[&str] = &[
    "sqlalchemy.url",
    "recursive_version_locations",
    "version_locations",
    "script_location",
    models::OPTION,
];
/// Names of directories in which revisions are looked for without an environment.
const DIRECTORIES: &[&str] = &["versions", "migrations", "alembic", "revisions"];

pub(super) fn detect(files: &dyn Files) -> Vec<Found> {
    let mut founds: Vec<Found> = Vec::new();
    let mut push = |found: Found| {
        if !founds
            .iter()
            .any(|other| other.directories == found.directories)
        {
            founds.push(found);
        }
    };
    for (file, section, settings) in sections(files) {
        let base = path::parent(file);
        let Some(root) = script_location(files, base, &settings) else {
            continue;
        };
        let directories = version_directories(files, base, &root, &settings);
        if directories
            .iter()
            .any(|directory| holds_python(files, directory))
        {
            let reason = if section == "alembic" {
                format!("`{file}` points to it")
            } else {
                format!("section `[{section}]` of `{file}` points to it")
            };
            push(found(files, root, directories, reason, settings));
        }
    }
    for path in files
        .paths()
        .iter()
        .filter(|path| path::file_name(path) == "env.py")
    {
        let root = path::parent(path);
        let Some(versions) = path::resolve(root, "versions") else {
            continue;
        };
        let has_template =
            path::resolve(root, "script.py.mako").is_some_and(|path| is_there(files, &path));
        if has_template && holds_python(files, &versions) {
            let reason = "`env.py` and `script.py.mako` stand beside `versions`".to_owned();
            push(found(
                files,
                root.to_owned(),
                vec![versions],
                reason,
                BTreeMap::new(),
            ));
        }
    }
    for directory in path::directories(files.paths()) {
        let name = path::file_name(directory);
        let is_likely = directory.is_empty() || DIRECTORIES.contains(&name);
        if is_likely
            && !founds.iter().any(|found| found.claims(directory))
            && let Some(example) = bare(files, directory)
        {
            let settings = BTreeMap::from([(BARE.to_owned(), "true".to_owned())]);
            let reason = format!(
                "`{}` sets `revision` and `down_revision`",
                path::file_name(example)
            );
            // An environment whose template is missing still says how revisions run.
            founds.push(found(
                files,
                directory.to_owned(),
                vec![directory.to_owned()],
                reason,
                settings,
            ));
        }
    }
    founds
}

pub(super) fn open(files: &dyn Files, root: &str, options: &BTreeMap<String, String>) -> Found {
    let mut settings = sections(files)
        .into_iter()
        .find(|(file, _, settings)| {
            let own = script_location(files, path::parent(file), settings);
            own.is_some_and(|own| own == root || path::is_inside(root, &own))
        })
        .map(|(_, _, settings)| settings)
        .unwrap_or_default();
    settings.extend(options.clone());
    let mut directories = version_directories(files, root, root, &settings);
    directories.retain(|directory| holds_python(files, directory));
    if directories.is_empty() {
        directories.push(root.to_owned());
        settings.insert(BARE.to_owned(), "true".to_owned());
    }
    found(
        files,
        root.to_owned(),
        directories,
        "the configuration names it".to_owned(),
        settings,
    )
}

fn found(
    files: &dyn Files,
    root: String,
    directories: Vec<String>,
    reason: String,
    mut settings: BTreeMap<String, String>,
) -> Found {
    settings.retain(|key, _| {
        KEYS.contains(&key.as_str()) || key == BARE || key == "transaction_per_migration"
    });
    let beside = [
        path::resolve(&root, "env.py"),
        path::resolve(path::parent(&root), "env.py"),
    ];
    if let Some((path, text)) = beside
        .into_iter()
        .flatten()
        .find_map(|path| files.text(&path).map(|text| (path, text)))
    {
        let mut env = read_env(&text, &path, &Imports(files));
        if env.naming_convention.is_none() && text.contains("current_app") {
            env.naming_convention = convention_of_application(files, parent_of(&root));
        }
        for (key, value) in of_env(&env) {
            settings.entry(key).or_insert(value);
        }
    }
    let models = models::of(files, &root, settings.get(models::OPTION));
    Found {
        models: std::sync::Arc::new(models),
        root,
        directories,
        reason,
        settings,
        ..Found::bare(&LAYOUT)
    }
}

fn parent_of(root: &str) -> &str {
    if root.is_empty() {
        ""
    } else {
        path::parent(root)
    }
}

/// The naming convention of a Flask application, which Flask-Migrate's `env.py` reaches at run time only: of a file
/// beside the environment or below with a name that such things have.
fn convention_of_application(files: &dyn Files, directory: &str) -> Option<Vec<(String, String)>> {
    const NAMES: &[&str] = &[
        "__init__.py",
        "app.py",
        "base.py",
        "database.py",
        "db.py",
        "extensions.py",
        "models.py",
    ];
    /// Candidates that are opened.
    const MAX: usize = 200;
    path::below(files.paths(), directory)
        .filter(|path| NAMES.contains(&path::file_name(path)))
        .take(MAX)
        .filter(|path| {
            files
                .text(path)
                .is_some_and(|text| text.contains("naming_convention"))
        })
        .find_map(|path| convention(path, files.python(path)?, &Imports(files)))
}

/// What an `env.py` says, as settings.
fn of_env(env: &Env) -> Vec<(String, String)> {
    let mut settings = Vec::new();
    if env.transaction_per_migration {
        settings.push(("transaction_per_migration".to_owned(), "true".to_owned()));
    }
    for set in &env.sets {
        // `SET [SESSION|LOCAL] name = value`, `SET name TO value`.
        let words = set.replace('=', " = ");
        let mut words = words.split_ascii_whitespace().skip(1).peekable();
        words.next_if(|word| {
            word.eq_ignore_ascii_case("session") || word.eq_ignore_ascii_case("local")
        });
        let Some(name) = words.next() else { continue };
        words.next_if(|word| *word == "=" || word.eq_ignore_ascii_case("to"));
        let value = words.collect::<Vec<_>>().join(" ");
        settings.push((
            format!("set.{}", name.to_ascii_lowercase()),
            value.trim_matches('\'').to_owned(),
        ));
    }
    for (kind, template) in env.naming_convention.iter().flatten() {
        settings.push((format!("{CONVENTION}{kind}"), template.clone()));
    }
    settings
}

type Section<'a> = (&'a str, String, BTreeMap<String, String>);

/// The sections of configuration files that may describe an environment: file, name, keys.
fn sections(files: &dyn Files) -> Vec<Section<'_>> {
    let mut sections = Vec::new();
    for path in files.paths() {
        let name = path::file_name(path);
        if name == "pyproject.toml" {
            let Some(text) = files.text(path) else {
                continue;
            };
            let keys: BTreeMap<String, String> = keys::toml(&text)
                .into_iter()
                .filter_map(|(key, value)| {
                    Some((key.strip_prefix("tool.alembic.")?.to_owned(), value))
                })
                .collect();
            if !keys.is_empty() {
                sections.push((path.as_str(), "alembic".to_owned(), keys));
            }
        } else if name.contains("alembic") && path::extension(name).as_deref() == Some("ini") {
            let Some(text) = files.text(path) else {
                continue;
            };
            for (section, keys) in keys::ini(&text) {
                let keys: BTreeMap<String, String> = keys.into_iter().collect();
                if section == "alembic" || keys.contains_key("script_location") {
                    sections.push((path.as_str(), section, keys));
                }
            }
        }
    }
    sections
}

/// The directory of an environment.
fn script_location(
    files: &dyn Files,
    base: &str,
    settings: &BTreeMap<String, String>,
) -> Option<String> {
    let Some(location) = settings.get("script_location") else {
        // Flask-Migrate keeps its `alembic.ini` inside the environment.
        return path::resolve(base, "env.py")
            .filter(|env| is_there(files, env))
            .map(|_| base.to_owned());
    };
    resolve(files, base, location)
}

/// A place as configuration files write it: `%(here)s/db`, `db`, `package.sub:db`.
fn resolve(files: &dyn Files, base: &str, place: &str) -> Option<String> {
    let place = place.trim().replace("%(here)s", ".").replace("%%", "%");
    if let Some((package, rest)) = place
        .split_once(':')
        .filter(|(package, _)| package.len() > 1)
    {
        let inside = format!("{}/{}", package.replace('.', "/"), rest.trim_matches('/'));
        let end = format!("/{inside}");
        return path::directories(files.paths())
            .into_iter()
            .filter(|directory| *directory == inside || directory.ends_with(&end))
            .filter(|directory| path::is_inside(directory, base))
            .min_by_key(|directory| directory.len())
            .map(str::to_owned);
    }
    path::resolve(base, &place)
}

/// The directories that hold an environment's revisions.
fn version_directories(
    files: &dyn Files,
    base: &str,
    root: &str,
    settings: &BTreeMap<String, String>,
) -> Vec<String> {
    let listed = settings.get("version_locations").map_or("", String::as_str);
    let separator = settings
        .get("path_separator")
        .or_else(|| settings.get("version_path_separator"))
        .map_or("", String::as_str);
    let mut directories: Vec<String> = Vec::new();
    for place in split(listed, separator) {
        if let Some(directory) = resolve(files, base, place)
            && !directories.contains(&directory)
        {
            directories.push(directory);
        }
    }
    if directories.is_empty() {
        directories.extend(path::resolve(root, "versions"));
    }
    directories
}

/// Splits a list of places. Without a separator by blanks and commas, as Alembic always did.
fn split<'a>(list: &'a str, separator: &str) -> Vec<&'a str> {
    let parts: Vec<&str> = match separator {
        "newline" => list.split('\n').collect(),
        ";" => list.split([';', '\n']).collect(),
        ":" | "os" => list.split([':', '\n']).collect(),
        _ => list.split([' ', ',', '\n', '\t']).collect(),
    };
    parts
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

fn is_there(files: &dyn Files, path: &str) -> bool {
    files
        .paths()
        .binary_search_by(|other| other.as_str().cmp(path))
        .is_ok()
}

fn holds_python(files: &dyn Files, directory: &str) -> bool {
    path::below(files.paths(), directory).any(|path| path::is_python(path))
}

/// A revision among the files of a directory; the first few tell.
fn bare<'a>(files: &'a dyn Files, directory: &str) -> Option<&'a str> {
    path::below(files.paths(), directory)
        .filter(|path| path::parent(path) == directory && path::is_python(path))
        .filter(|path| !super::is_left_out(path::file_name(path)))
        .take(5)
        .find(|path| files.text(path).is_some_and(|text| is_revision(&text)))
        .map(String::as_str)
}

/// True if a Python file sets both `revision` and `down_revision` at its top level.
pub(super) fn is_revision(text: &str) -> bool {
    let sets = |name: &str| {
        text::lines(text).any(|(_, line)| {
            line.strip_prefix(name).is_some_and(|rest| {
                rest.trim_start().starts_with(['=', ':']) && !rest.trim_start().starts_with("==")
            })
        })
    };
    sets("revision") && sets("down_revision")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_places_have_many_separators() {
        let cases = [
            ("a b, c", "", vec!["a", "b", "c"]),
            ("a b\nc", "newline", vec!["a b", "c"]),
            ("a:b", "os", vec!["a", "b"]),
            ("a;b", ";", vec!["a", "b"]),
            ("", "", vec![]),
        ];
        for (list, separator, expected) in cases {
            assert_eq!(split(list, separator), expected, "{list}");
        }
    }

    #[test]
    fn settings_made_by_env_are_kept_by_name() {
        let env = Env {
            transaction_per_migration: true,
            sets: vec![
                "SET SESSION lock_timeout = '4s'".to_owned(),
                "set statement_timeout to 0".to_owned(),
                "SET x".to_owned(),
            ],
            naming_convention: Some(vec![("ix".to_owned(), "ix_%(table_name)s".to_owned())]),
        };
        let settings: Vec<String> = of_env(&env)
            .into_iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        assert_eq!(
            settings,
            [
                "transaction_per_migration=true",
                "set.lock_timeout=4s",
                "set.statement_timeout=0",
                "set.x=",
                "naming_convention.ix=ix_%(table_name)s"
            ]
        );
    }

    #[test]
    fn a_revision_sets_both_names() {
        assert!(is_revision(
            "revision = 'a'\ndown_revision: str | None = None\n"
        ));
        assert!(!is_revision("revision = 'a'\n"));
        assert!(!is_revision(
            "    revision = 'a'\n    down_revision = 'b'\n"
        ));
        assert!(!is_revision("revisions = []\ndown_revision == 1"));
    }
}
