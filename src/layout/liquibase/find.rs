//! Finding the changelogs of a project, and which of them form one history.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::document::{Element, ROOT};
use super::plan::{Kind, Plan, document, includes, is_document, resolve};
use super::{LAYOUT, formatted};
use crate::layout::{Files, Found, keys, path, sign};

/// Words in the path of a file that may be a changelog: other XML, YAML and JSON is not looked into.
const PLAUSIBLE: &[&str] = &[
    "changelog",
    "change-log",
    "change_log",
    "changeset",
    "liquibase",
    "migration",
    "database",
    "schema",
    "sql",
    "db/",
    "db.",
];
/// Files of one directory that are looked into to see if it holds formatted SQL.
const SAMPLE: usize = 4;
/// The setting that names the first changelog.
const CHANGELOG: &str = "changeLogFile";

pub(super) fn detect(files: &dyn Files) -> Vec<Found> {
    let named = named(files);
    let mut candidates: BTreeSet<String> = files
        .paths()
        .iter()
        .filter(|path| is_document(path) && is_plausible(path))
        .filter(|path| is_changelog(files, path))
        .cloned()
        .collect();
    candidates.extend(formatted_files(files));
    candidates.extend(named.iter().map(|(path, _)| path.clone()));
    let survey = Survey::of(files, candidates);
    let mut founds = Vec::new();
    for group in survey.groups(files) {
        let settings = named.iter().find(|(path, _)| group.masters.contains(path));
        let settings = settings.map(|(_, settings)| settings.clone());
        founds.push(group.found(files, settings.unwrap_or_default()));
    }
    founds
}

pub(super) fn open(files: &dyn Files, root: &str, options: &BTreeMap<String, String>) -> Found {
    let mut found = Found::named(&LAYOUT, root, options);
    let named = options
        .get(CHANGELOG)
        .and_then(|named| resolve(files, &path::join(root, "_"), named, false));
    let plan = if let Some(master) = named {
        Plan::of(files, &[master])
    } else {
        let inside = path::below(files.paths(), root).filter(|path| {
            if is_document(path) {
                is_changelog(files, path)
            } else {
                path::is_sql(path)
                    && files
                        .text(path)
                        .is_some_and(|text| formatted::is_formatted(&text))
            }
        });
        let survey = Survey::of(files, inside.cloned().collect());
        let groups = survey.groups(files);
        let masters: Vec<String> = groups
            .iter()
            .flat_map(|group| group.masters.clone())
            .collect();
        let mut plan = Plan::of(files, &masters);
        for orphan in groups.iter().flat_map(|group| &group.orphans) {
            plan.add_orphan(orphan);
        }
        plan
    };
    found.changelogs = Arc::new(plan);
    found
}

fn is_plausible(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    PLAUSIBLE.iter().any(|word| path.contains(word))
}

fn is_changelog(files: &dyn Files, path: &str) -> bool {
    files.text(path).is_some_and(|text| {
        text.contains(ROOT) && document(path, &text).is_some_and(|root| root.name == ROOT)
            || (text.contains("<databaseChangeLog") && document(path, &text).is_none())
    })
}

/// The SQL files that are Liquibase's by their first line, in directories whose first files show it.
fn formatted_files(files: &dyn Files) -> Vec<String> {
    let is_formatted = |path: &String| {
        files
            .text(path)
            .is_some_and(|text| formatted::is_formatted(&text))
    };
    let mut all = Vec::new();
    for (directory, names) in sign::by_directory(files) {
        let paths: Vec<String> = names
            .iter()
            .map(|name| path::join(directory, name))
            .collect();
        if paths.iter().take(SAMPLE).any(is_formatted) {
            all.extend(paths.into_iter().filter(is_formatted));
        }
    }
    all
}

/// The first changelogs that configuration files name, each with what else they say.
fn named(files: &dyn Files) -> Vec<(String, BTreeMap<String, String>)> {
    let mut all = Vec::new();
    for file in files.paths() {
        let name = path::file_name(file);
        let is_own = name.starts_with("liquibase") && name.ends_with(".properties");
        let is_spring = name.starts_with("application")
            && (name.ends_with(".properties") || name.ends_with(".yml") || name.ends_with(".yaml"));
        if !is_own && !is_spring {
            continue;
        }
        let Some(text) = files.text(file) else {
            continue;
        };
        let entries: Vec<keys::Key> = if name.ends_with(".properties") {
            keys::properties(&text)
        } else if text.contains("liquibase") {
            keys::yaml(&text)
        } else {
            continue;
        };
        let mut settings = BTreeMap::new();
        for (key, value) in entries {
            let key = key
                .rsplit_once("liquibase.")
                .map_or(if is_own { key.as_str() } else { "" }, |(_, key)| key);
            let known = match key.replace(['-', '_'], "").to_ascii_lowercase().as_str() {
                "changelogfile" | "liquibase.command.changelogfile" | "changelog" => CHANGELOG,
                "url" => "url",
                _ => continue,
            };
            settings.entry(known.to_owned()).or_insert(value);
        }
        let found = settings
            .get(CHANGELOG)
            .and_then(|named| resolve(files, file, named, false));
        if let Some(found) = found {
            settings.remove(CHANGELOG);
            all.push((found, settings));
        }
    }
    all
}

/// The changelogs of a project, with what each includes.
struct Survey {
    includes: BTreeMap<String, Vec<String>>,
}

/// Changelogs that form one history.
#[derive(Debug, Default)]
struct Group {
    masters: Vec<String>,
    orphans: Vec<String>,
    directories: Vec<String>,
}

impl Survey {
    /// Candidates and what they include, deep.
    fn of(files: &dyn Files, candidates: BTreeSet<String>) -> Self {
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut waiting: Vec<String> = candidates.into_iter().collect();
        while let Some(path) = waiting.pop() {
            if all.contains_key(&path) {
                continue;
            }
            let root: Option<Element> = is_document(&path)
                .then(|| files.text(&path).and_then(|text| document(&path, &text)))
                .flatten();
            let own = root.map_or(Vec::new(), |root| includes(files, &path, &root));
            waiting.extend(own.iter().cloned());
            all.insert(path, own);
        }
        Self { includes: all }
    }

    /// Everything that a changelog holds, itself included.
    fn reached(&self, master: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut waiting = vec![master];
        while let Some(path) = waiting.pop() {
            if seen.insert(path.to_owned()) {
                let own = self.includes.get(path).into_iter().flatten();
                waiting.extend(own.map(String::as_str));
            }
        }
        seen
    }

    fn groups(&self, files: &dyn Files) -> Vec<Group> {
        let targets: BTreeSet<&String> = self.includes.values().flatten().collect();
        let (mut masters, mut loose): (Vec<&String>, Vec<&String>) = self
            .includes
            .keys()
            .filter(|path| !targets.contains(path))
            .partition(|path| !self.includes[*path].is_empty());
        let mut reached: BTreeMap<&String, BTreeSet<String>> = BTreeMap::new();
        for master in &masters {
            reached.insert(master, self.reached(master));
        }
        // Changelogs that only include each other begin somewhere.
        for path in self.includes.keys() {
            let is_known = reached.values().any(|all| all.contains(path));
            if !is_known && !loose.contains(&path) {
                reached.insert(path, self.reached(path));
                masters.push(path);
            }
        }
        let mut groups: Vec<Group> = Vec::new();
        let mut by_directory: BTreeMap<&str, Group> = BTreeMap::new();
        // The directories whose files a master names one by one or all.
        let mut owners: BTreeMap<String, usize> = BTreeMap::new();
        for (index, master) in masters.iter().enumerate() {
            let all = &reached[master];
            let mut directories: BTreeSet<String> = all
                .iter()
                .filter(|path| path != master)
                .map(|path| path::parent(path).to_owned())
                .collect();
            for directory in &directories {
                owners.entry(directory.clone()).or_insert(index);
            }
            if has_changesets(files, master) || directories.is_empty() {
                directories.insert(path::parent(master).to_owned());
            }
            groups.push(Group {
                masters: vec![(*master).clone()],
                orphans: Vec::new(),
                directories: directories.into_iter().collect(),
            });
        }
        loose.retain(|path| is_document(path) || path::is_sql(path));
        for path in loose {
            let directory = path::parent(path);
            if let Some(owner) = owners.get(directory) {
                groups[*owner].orphans.push(path.clone());
            } else {
                let group = by_directory.entry(directory).or_default();
                group.masters.push(path.clone());
                group.directories = vec![directory.to_owned()];
            }
        }
        groups.extend(by_directory.into_values());
        merged(groups)
    }
}

fn has_changesets(files: &dyn Files, path: &str) -> bool {
    files
        .text(path)
        .and_then(|text| document(path, &text))
        .is_some_and(|root| root.child("changeSet").is_some())
}

/// Groups that share directories are one history: a directory belongs to one.
fn merged(groups: Vec<Group>) -> Vec<Group> {
    let mut all: Vec<Group> = Vec::new();
    for mut group in groups {
        group.directories = covering(group.directories);
        // What a group takes in may overlap with others in turn.
        while let Some(index) = all.iter().position(|other| overlaps(other, &group)) {
            let other = all.remove(index);
            let mut masters = other.masters;
            masters.append(&mut group.masters);
            group.masters = masters;
            group.orphans.extend(other.orphans);
            group.directories.extend(other.directories);
            group.directories = covering(group.directories);
        }
        all.push(group);
    }
    all
}

fn overlaps(a: &Group, b: &Group) -> bool {
    a.directories.iter().any(|one| {
        b.directories
            .iter()
            .any(|other| path::is_inside(one, other) || path::is_inside(other, one))
    })
}

/// The directories without those inside of others. The project's root holds everything, and is left out if there are
/// others.
fn covering(mut directories: Vec<String>) -> Vec<String> {
    directories.sort();
    directories.dedup();
    if directories.len() > 1 {
        directories.retain(|directory| !directory.is_empty());
    }
    let all = directories.clone();
    directories.retain(|directory| {
        !all.iter()
            .any(|other| other != directory && path::is_inside(directory, other))
    });
    directories
}

impl Group {
    fn found(self, files: &dyn Files, settings: BTreeMap<String, String>) -> Found {
        let mut plan = Plan::of(files, &self.masters);
        for orphan in &self.orphans {
            plan.add_orphan(orphan);
        }
        let first = &self.masters[0];
        let name = path::file_name(first);
        let reason = if plan
            .kinds()
            .any(|(path, kind)| path == first && kind == Kind::Document)
        {
            format!("`{name}` is a `{ROOT}`")
        } else {
            format!("`{name}` begins with `--liquibase formatted sql`")
        };
        // SQL that changesets name belongs to nobody else.
        let mut directories = self.directories;
        let named = plan.kinds().filter(|(_, kind)| *kind == Kind::Sql);
        directories.extend(named.map(|(path, _)| path::parent(path).to_owned()));
        let mut found = Found {
            directories: covering(directories),
            settings,
            changelogs: Arc::new(plan),
            ..Found::of(&LAYOUT, path::parent(first), reason)
        };
        if let Some(dialect) = driver(files, first) {
            found
                .settings
                .entry("dialect".to_owned())
                .or_insert(dialect.to_owned());
        }
        found
    }
}

/// The other database that the package around a changelog has a driver for, if it has none for PostgreSQL.
fn driver(files: &dyn Files, changelog: &str) -> Option<&'static str> {
    const DRIVERS: &[(&str, &str)] = &[
        ("mysql-connector", "mysql"),
        ("mariadb-java-client", "mariadb"),
        ("ojdbc", "oracle"),
        ("mssql-jdbc", "sqlserver"),
        ("sqlite-jdbc", "sqlite"),
    ];
    let mut texts = Vec::new();
    for name in ["pom.xml", "build.gradle", "build.gradle.kts"] {
        let mut at = path::parent(changelog).to_owned();
        while let Some(file) = sign::nearest(files, &at, name) {
            texts.extend(files.text(&file));
            let home = path::parent(&file);
            if home.is_empty() {
                break;
            }
            path::parent(home).clone_into(&mut at);
        }
    }
    if texts
        .iter()
        .any(|text| text.to_ascii_lowercase().contains("postgres"))
    {
        return None;
    }
    DRIVERS
        .iter()
        .find(|(needle, _)| texts.iter().any(|text| text.contains(needle)))
        .map(|(_, dialect)| *dialect)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_cover_each_other() {
        let covered = |all: &[&str]| covering(all.iter().map(|one| (*one).to_owned()).collect());
        assert_eq!(covered(&["a", "a/b", "c/d", "a"]), ["a", "c/d"]);
        assert_eq!(covered(&["", "a"]), ["a"]);
        assert_eq!(covered(&[""]), [""]);
    }
}
