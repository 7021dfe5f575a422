//! Where Flyway's migrations are, and the settings that change what they mean.

use std::collections::{BTreeMap, BTreeSet};

use globset::GlobBuilder;

use super::LAYOUT;
use super::name::{Naming, Sort};
use crate::layout::{Files, Found, is_other_database, is_postgres, keys, path};

/// Settings that matter for reading migrations; placeholders and the other database's URL come on top.
const KEYS: &[&str] = &[
    "locations",
    "url",
    "sqlMigrationPrefix",
    "repeatableSqlMigrationPrefix",
    "undoSqlMigrationPrefix",
    "baselineMigrationPrefix",
    "sqlMigrationSeparator",
    "sqlMigrationSuffixes",
    "placeholderReplacement",
    "placeholderPrefix",
    "placeholderSuffix",
    "placeholderSeparator",
    "mixed",
    "group",
    "outOfOrder",
    "executeInTransaction",
    "validateMigrationNaming",
    "postgresql.transactional.lock",
    "enabled",
    "initSql",
];

/// A configuration file with what it says.
struct Config<'a> {
    file: &'a str,
    /// The directory that relative locations start from.
    base: &'a str,
    settings: BTreeMap<String, String>,
}

pub(super) fn detect(files: &dyn Files) -> Vec<Found> {
    let directories = path::directories(files.paths());
    let mut founds: Vec<Found> = Vec::new();
    for config in configs(files) {
        let directories = located(&config, &directories);
        if let Some(root) = directories.first() {
            founds.push(Found {
                root: root.clone(),
                reason: format!("`{}` points to it", config.file),
                settings: config.settings,
                directories,
                ..Found::bare(&LAYOUT)
            });
        }
    }
    for (root, reason) in by_names(files) {
        if !founds.iter().any(|found| found.claims(&root)) {
            founds.push(Found {
                directories: vec![root.clone()],
                settings: nearest(files, &root),
                root,
                reason,
                ..Found::bare(&LAYOUT)
            });
        }
    }
    founds
}

pub(super) fn open(files: &dyn Files, root: &str, options: &BTreeMap<String, String>) -> Found {
    let mut settings = nearest(files, root);
    settings.extend(options.clone());
    let config = Config {
        file: "",
        base: root,
        settings: options.clone(),
    };
    let named = if options.contains_key("locations") {
        located(&config, &path::directories(files.paths()))
    } else {
        Vec::new()
    };
    Found {
        root: root.to_owned(),
        directories: if named.is_empty() {
            vec![root.to_owned()]
        } else {
            named
        },
        reason: "the configuration names it".to_owned(),
        settings,
        ..Found::bare(&LAYOUT)
    }
}

/// The settings of the nearest configuration file in a directory above.
fn nearest(files: &dyn Files, root: &str) -> BTreeMap<String, String> {
    let mut configs = configs(files);
    configs.retain(|config| path::is_inside(root, config.base));
    configs
        .into_iter()
        .max_by_key(|config| config.base.len())
        .map(|config| config.settings)
        .unwrap_or_default()
}

/// Every configuration file that says something about Flyway, those of one directory put together.
fn configs(files: &dyn Files) -> Vec<Config<'_>> {
    let mut configs: Vec<Config<'_>> = Vec::new();
    for path in files.paths() {
        let name = path::file_name(path);
        let is_spring = matches!(
            name,
            "application.properties" | "application.yml" | "application.yaml"
        );
        if !is_spring && !matches!(name, "flyway.conf" | "flyway.toml" | "flyway.user.toml") {
            continue;
        }
        let Some(text) = files.text(path) else {
            continue;
        };
        let keys = match path::extension(path).as_deref() {
            Some("toml") => keys::toml(&text),
            Some("yml" | "yaml") => keys::yaml(&text),
            _ => keys::properties(&text),
        };
        let mut settings = BTreeMap::new();
        for (key, value) in &keys {
            if let Some(key) = setting(key, is_spring) {
                settings.insert(key, value.clone());
            }
        }
        if settings
            .get("enabled")
            .is_some_and(|value| value == "false")
            || (is_spring && settings.is_empty())
        {
            continue;
        }
        settings.remove("enabled");
        if is_spring
            && let Some((_, url)) = keys.iter().find(|(key, _)| key == "spring.datasource.url")
        {
            settings
                .entry("url".to_owned())
                .or_insert_with(|| url.clone());
        }
        let directory = path::parent(path);
        let base = if path::file_name(directory) == "conf" {
            path::parent(directory)
        } else {
            directory
        };
        // `flyway.user.toml` overrides `flyway.toml`, which comes before it.
        match configs.iter_mut().find(|config| config.base == base) {
            Some(earlier) => earlier.settings.extend(settings),
            None => configs.push(Config {
                file: path,
                base,
                settings,
            }),
        }
    }
    configs
}

/// A key by Flyway's own name, if it matters: `spring.flyway.out-of-order` → `outOfOrder`.
fn setting(key: &str, is_spring: bool) -> Option<String> {
    if !is_spring
        && key.starts_with("environments.")
        && let Some(own) = key.rsplit('.').next()
        && matches!(own, "url" | "initSql")
    {
        return Some(own.to_owned());
    }
    let prefixes: &[&str] = if is_spring {
        &["spring.flyway.", "quarkus.flyway."]
    } else {
        &["flyway."]
    };
    let key = prefixes
        .iter()
        .find_map(|prefix| key.strip_prefix(prefix))?;
    if key.starts_with("placeholders.") {
        return Some(key.to_owned());
    }
    let mut name = String::new();
    let mut upper = false;
    for c in key.chars() {
        match c {
            '-' => upper = true,
            c if upper => {
                name.push(c.to_ascii_uppercase());
                upper = false;
            }
            c => name.push(c),
        }
    }
    if matches!(
        name.as_str(),
        "postgresql.transactionalLock" | "transactionalLock"
    ) {
        "postgresql.transactional.lock".clone_into(&mut name);
    }
    // Spring Boot's name for the same.
    if name == "initSqls" {
        "initSql".clone_into(&mut name);
    }
    KEYS.contains(&name.as_str()).then_some(name)
}

/// The directories that a configuration names, as far as they are in the project; the first one first.
fn located(config: &Config<'_>, directories: &[&str]) -> Vec<String> {
    let locations = config.settings.get("locations").map_or("", String::as_str);
    let mut found: Vec<String> = Vec::new();
    let defaults = ["classpath:db/migration", "filesystem:sql"];
    let named: Vec<&str> = locations
        .split(',')
        .map(str::trim)
        .filter(|location| !location.is_empty())
        .collect();
    for location in if named.is_empty() {
        defaults.to_vec()
    } else {
        named
    } {
        let location = location.replace("{vendor}", "postgresql");
        let (kind, place) = location.split_once(':').unwrap_or(("classpath", &location));
        let place = place.trim_matches('/');
        let candidates: Vec<Option<String>> = match kind {
            "filesystem" => vec![path::resolve(config.base, place), path::resolve("", place)],
            "classpath" => [
                config.base.to_owned(),
                format!("{}/src/main/resources", config.base),
            ]
            .iter()
            .map(|base| path::resolve(base, place))
            .collect(),
            _ => continue,
        };
        let mut matches = candidates
            .into_iter()
            .flatten()
            .map(|candidate| expand(&candidate, directories))
            .find(|matches| !matches.is_empty())
            .unwrap_or_default();
        if matches.is_empty() && kind == "classpath" {
            // The class path is put together by the build; take the directory of that name below the configuration.
            let end = format!("/{place}");
            let inside = directories
                .iter()
                .filter(|directory| path::is_inside(directory, config.base));
            let mut named: Vec<&&str> = inside
                .filter(|directory| **directory == place || directory.ends_with(&end))
                .collect();
            named.sort_by_key(|directory| (!directory.contains("main/resources"), directory.len()));
            matches.extend(named.first().map(|directory| (**directory).to_owned()));
        }
        for directory in matches {
            if !found.iter().any(|other| path::is_inside(&directory, other)) {
                found.push(directory);
            }
        }
    }
    found
}

/// The project's directories that a location with `*`, `**` and `?` means.
fn expand(location: &str, directories: &[&str]) -> Vec<String> {
    if !location.contains(['*', '?']) {
        return directories
            .iter()
            .filter(|directory| **directory == location)
            .map(|d| (*d).to_owned())
            .collect();
    }
    let Ok(glob) = GlobBuilder::new(location).literal_separator(true).build() else {
        return Vec::new();
    };
    let matcher = glob.compile_matcher();
    directories
        .iter()
        .filter(|directory| matcher.is_match(directory))
        .map(|d| (*d).to_owned())
        .collect()
}

/// Directories whose files have Flyway's names, each with the reason.
fn by_names(files: &dyn Files) -> Vec<(String, String)> {
    let naming = Naming::of(&BTreeMap::new());
    let mut counts: BTreeMap<&str, (usize, BTreeSet<String>, &str)> = BTreeMap::new();
    for path in files.paths().iter().filter(|path| path::is_sql(path)) {
        let name = path::file_name(path);
        let entry = counts.entry(path::parent(path)).or_default();
        entry.0 += 1;
        if let Ok(parts) = naming.parse(name)
            && parts.sort == Sort::Versioned
            && name.contains("__")
        {
            entry
                .1
                .insert(super::super::name::dotted(parts.version).unwrap_or_default());
            entry.2 = name;
        }
    }
    let is_standard = |directory: &str| format!("/{directory}/").contains("/db/migration/");
    counts.retain(|directory, (all, versions, _)| {
        !versions.is_empty()
            && (2 * versions.len() >= *all || is_standard(directory))
            && !is_refinery(directory, files)
    });
    let mut roots: Vec<(String, String)> = Vec::new();
    for (directory, (_, versions, example)) in &counts {
        if roots
            .iter()
            .any(|(root, _)| path::is_inside(directory, root))
        {
            continue;
        }
        let root = root_of(directory, versions, &counts);
        roots.push((
            root.to_owned(),
            format!("its files are named like `{example}`"),
        ));
    }
    roots
}

/// The directory that Flyway is pointed to for the sake of this one: the standard one above it, or the one above
/// that splits its migrations by release or year.
fn root_of<'a>(
    directory: &'a str,
    versions: &BTreeSet<String>,
    all: &BTreeMap<&str, (usize, BTreeSet<String>, &str)>,
) -> &'a str {
    let mut at = directory;
    while !at.is_empty() {
        if at == "db/migration"
            || at.ends_with("/db/migration")
            || is_other_database(path::file_name(at))
            || is_postgres(path::file_name(at))
        {
            return at;
        }
        at = path::parent(at);
    }
    let parent = path::parent(directory);
    let is_release = |name: &str| {
        name.trim_start_matches(['v', 'V', 'r', 'R'])
            .starts_with(|c: char| c.is_ascii_digit())
    };
    let siblings: Vec<_> = all
        .iter()
        .filter(|(other, _)| {
            **other != directory && !other.is_empty() && path::parent(other) == parent
        })
        .collect();
    let splits = is_release(path::file_name(directory))
        && siblings.iter().any(|_| true)
        && siblings.iter().all(|(other, (_, others, _))| {
            is_release(path::file_name(other)) && others.is_disjoint(versions)
        });
    if splits { parent } else { directory }
}

/// True if the nearest Rust package names refinery, which has the same file names.
fn is_refinery(directory: &str, files: &dyn Files) -> bool {
    let mut at = directory;
    loop {
        let manifest = path::resolve(at, "Cargo.toml").and_then(|path| files.text(&path));
        if let Some(manifest) = manifest {
            return manifest.contains("refinery");
        }
        if at.is_empty() {
            return false;
        }
        at = path::parent(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_flyways_own_names() {
        let cases = [
            ("spring.flyway.out-of-order", true, Some("outOfOrder")),
            ("spring.flyway.outOfOrder", true, Some("outOfOrder")),
            (
                "spring.flyway.postgresql.transactional-lock",
                true,
                Some("postgresql.transactional.lock"),
            ),
            (
                "spring.flyway.placeholders.my-name",
                true,
                Some("placeholders.my-name"),
            ),
            ("spring.flyway.user", true, None),
            ("flyway.locations", false, Some("locations")),
            ("environments.default.url", false, Some("url")),
            ("flyway.initSql", false, Some("initSql")),
            ("environments.default.initSql", false, Some("initSql")),
            ("spring.flyway.init-sqls", true, Some("initSql")),
            ("flyway.password", false, None),
        ];
        for (key, is_spring, expected) in cases {
            assert_eq!(setting(key, is_spring).as_deref(), expected, "{key}");
        }
    }

    #[test]
    fn locations_may_hold_wildcards() {
        let directories = ["", "db", "db/a", "db/a/x", "db/b"];
        assert_eq!(expand("db/*", &directories), ["db/a", "db/b"]);
        assert_eq!(expand("db/**", &directories), ["db/a", "db/a/x", "db/b"]);
        assert_eq!(expand("db/a", &directories), ["db/a"]);
        assert!(expand("db/[", &directories).is_empty());
    }
}
