//! Which files the changelogs of a history hold together, in which order: what `include` and `includeAll` mean.
//!
//! Tried with the tool: `includeAll` takes the files below a directory, deep, by their paths as text, capitals first.
//! `include` and `sqlFile` look for a path from the search path on, which is not known here: every directory above the
//! changelog is tried, the nearest one first. A file that two `include`s name is refused for its changesets stand twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::changeset::Head;
use super::document::{self, Element};
use super::formatted;
use super::property::{Properties, Property};
use super::split::Cut;
use super::structured::{cut_of, sole_file};
use super::text::Text;
use crate::layout::{Direction, Files, ProblemKind, path};
use crate::source::{Source, SourceId, Span};

/// Changelogs include each other so deep.
const MAX_DEPTH: usize = 64;
/// More inclusions than this are left out: each may double those before it.
const MAX_VISITS: usize = 100_000;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A changelog in XML, YAML or JSON.
    Document,
    /// A changelog in SQL.
    Formatted,
    /// SQL that is one changeset.
    Raw,
    /// SQL that changesets of other files name.
    Sql,
    /// A changelog that none of the others includes.
    Orphan,
}

/// A changeset whose only change is a file.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    pub(super) head: Head,
    pub(super) direction: Direction,
    pub(super) cut: Cut,
}

/// Something that is wrong with a file's place among the others.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    pub(super) span: Span,
    pub(super) kind: ProblemKind,
    pub(super) message: String,
    pub(super) help: String,
}

/// A file of a history.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    /// The places of its changesets among all.
    places: Vec<usize>,
    pub(super) references: Vec<Reference>,
    pub(super) troubles: Vec<Trouble>,
    pub(super) not_analysed: Vec<(Span, String)>,
    /// Its own parameters.
    properties: Vec<Property>,
    /// The changelog that began it all.
    master: usize,
}

impl Entry {
    fn new(kind: Kind, master: usize) -> Self {
        Self {
            kind,
            places: Vec::new(),
            references: Vec::new(),
            troubles: Vec::new(),
            not_analysed: Vec::new(),
            properties: Vec::new(),
            master,
        }
    }
}

/// The files of a history.
#[derive(Debug, Default)]
pub struct Plan {
    entries: BTreeMap<String, Entry>,
    properties: Vec<Property>,
}

impl Plan {
    /// What the changelogs that begin a history hold together, in the order in which they are named.
    pub(super) fn of(files: &dyn Files, masters: &[String]) -> Self {
        let mut walk = Walk {
            files,
            plan: Self::default(),
            next: 0,
            visits: 0,
            master: 0,
            stack: Vec::new(),
        };
        for (index, master) in masters.iter().enumerate() {
            walk.master = index;
            if !walk.plan.entries.contains_key(master) {
                walk.visit(master);
            }
        }
        walk.plan
    }

    /// Names a changelog that nothing includes.
    pub(super) fn add_orphan(&mut self, path: &str) {
        self.entries
            .entry(path.to_owned())
            .or_insert_with(|| Entry::new(Kind::Orphan, usize::MAX));
    }

    /// What is known of a file.
    pub(super) fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// The files, sorted.
    pub(super) fn paths(&self) -> impl Iterator<Item = &String> {
        self.entries.keys()
    }

    /// The files with what they are.
    pub(super) fn kinds(&self) -> impl Iterator<Item = (&String, Kind)> {
        self.entries.iter().map(|(path, entry)| (path, entry.kind))
    }

    /// The place of a changeset of a file among all.
    pub(super) fn place(&self, path: &str, index: usize) -> usize {
        let places = self.entries.get(path).map(|entry| &entry.places);
        places
            .and_then(|places| places.get(index).or(places.last()))
            .copied()
            .unwrap_or(index)
    }

    /// The parameters that count in a file.
    pub(super) fn properties<'a>(&'a self, path: &str) -> Properties<'a> {
        Properties {
            local: self
                .entries
                .get(path)
                .map_or(&[], |entry| entry.properties.as_slice()),
            global: &self.properties,
        }
    }

    /// A text of a file with its parameters filled in.
    pub(super) fn fill_in(&self, path: &str, text: &Text) -> Text {
        text.filled(&self.properties(path))
    }

    /// A text of a SQL file with its parameters filled in.
    pub(super) fn fill(&self, text: &Text) -> Text {
        self.fill_in("", text)
    }

    /// The file that the attribute `path` of a change names.
    pub(super) fn resolve(
        &self,
        files: &dyn Files,
        from: &str,
        change: &Element,
    ) -> Option<String> {
        let path = change.get("path")?.filled(&self.properties(from));
        resolve(
            files,
            from,
            &path.value,
            change.is_on("relativeToChangelogFile"),
        )
    }
}

/// The file that a changelog names.
pub(super) fn resolve(
    files: &dyn Files,
    from: &str,
    named: &str,
    is_relative: bool,
) -> Option<String> {
    let exists = |path: &String| crate::layout::sign::exists(files, path);
    lookup(from, named, is_relative, exists).or_else(|| {
        // In another module: one file only may end so.
        let named = clean(named);
        let tail = format!("/{named}");
        let mut all = files.paths().iter().filter(|path| path.ends_with(&tail));
        let first = all.next().filter(|_| named.contains('/'))?;
        all.next().is_none().then(|| first.clone())
    })
}

/// A path without what says that it is looked for in the class path.
fn clean(named: &str) -> &str {
    let named = named.trim();
    let named = named
        .strip_prefix("classpath*:")
        .or_else(|| named.strip_prefix("classpath:"))
        .unwrap_or(named);
    named.trim_start_matches('/').trim_start_matches("./")
}

fn lookup(
    from: &str,
    named: &str,
    is_relative: bool,
    exists: impl Fn(&String) -> bool,
) -> Option<String> {
    let home = path::parent(from);
    if is_relative {
        return path::resolve(home, named.trim()).filter(exists);
    }
    let named = clean(named);
    let mut at = home;
    loop {
        if let Some(found) = path::resolve(at, named).filter(&exists) {
            return Some(found);
        }
        if at.is_empty() {
            break;
        }
        at = path::parent(at);
    }
    let roots = ["src/main/resources", "src/test/resources"];
    roots
        .iter()
        .filter_map(|root| path::resolve(root, named))
        .find(exists)
}

/// True for a name that `includeAll` takes for a changelog.
pub(super) fn is_document(path: &str) -> bool {
    path::extension(path)
        .is_some_and(|extension| matches!(extension.as_str(), "xml" | "yaml" | "yml" | "json"))
}

/// A changelog in XML, YAML or JSON; none for a file that is none or cannot be read.
pub(super) fn document(path: &str, text: &Arc<str>) -> Option<Element> {
    let source = Source::new(SourceId(u32::MAX), path, Arc::clone(text));
    let extension = path::extension(path)?;
    document::read(&source, &extension).ok().flatten()
}

/// The files that an `include` or `includeAll` means, or why there are none.
fn included(
    files: &dyn Files,
    from: &str,
    element: &Element,
    properties: &Properties<'_>,
) -> Result<Vec<String>, String> {
    let get = |name: &str| element.get(name).map(|text| text.filled(properties).value);
    let is_relative = element.is_on("relativeToChangelogFile");
    if element.name == "include" {
        let file = get("file").ok_or_else(|| "`include` without `file`".to_owned())?;
        return resolve(files, from, &file, is_relative)
            .map(|path| vec![path])
            .ok_or(format!("there is no `{file}`"));
    }
    let named = get("path").ok_or_else(|| "`includeAll` without `path`".to_owned())?;
    let is_directory = |directory: &String| path::below(files.paths(), directory).next().is_some();
    let trimmed = named.trim().trim_end_matches('/');
    let directory = lookup(from, trimmed, is_relative, is_directory)
        .ok_or(format!("there is no directory `{named}`"))?;
    let number = |name: &str| {
        element
            .value(name)
            .and_then(|value| value.parse::<usize>().ok())
    };
    let (min, max) = (
        number("minDepth").unwrap_or(0),
        number("maxDepth").unwrap_or(usize::MAX),
    );
    let end = element.value("endsWithFilter").unwrap_or_default();
    let all = path::below(files.paths(), &directory).filter(|path| {
        let inside = path[directory.len()..].trim_start_matches('/');
        let depth = inside.matches('/').count() + 1;
        (is_document(path) || path::is_sql(path))
            && path.ends_with(end)
            && (min..=max).contains(&depth)
            && path.as_str() != from
    });
    Ok(all.cloned().collect())
}

/// The files that a changelog includes, as far as they are there.
pub(super) fn includes(files: &dyn Files, path: &str, root: &Element) -> Vec<String> {
    let nothing = Properties {
        local: &[],
        global: &[],
    };
    let mut all = Vec::new();
    for element in &root.children {
        if matches!(element.name.as_str(), "include" | "includeAll") {
            all.extend(included(files, path, element, &nothing).unwrap_or_default());
        }
    }
    all
}

struct Walk<'a> {
    files: &'a dyn Files,
    plan: Plan,
    next: usize,
    visits: usize,
    master: usize,
    stack: Vec<String>,
}

impl Walk<'_> {
    fn visit(&mut self, path: &str) {
        self.visits += 1;
        let text = self.files.text(path);
        let kind = if is_document(path) {
            Kind::Document
        } else if text
            .as_ref()
            .is_some_and(|text| formatted::is_formatted(text))
        {
            Kind::Formatted
        } else {
            Kind::Raw
        };
        self.plan
            .entries
            .insert(path.to_owned(), Entry::new(kind, self.master));
        let Some(text) = text else {
            self.places(path, 1);
            return;
        };
        match kind {
            Kind::Document => {
                if let Some(root) = document(path, &text) {
                    self.stack.push(path.to_owned());
                    self.children(path, &root);
                    self.stack.pop();
                }
            }
            Kind::Formatted => {
                for property in formatted::properties(&text) {
                    self.define(path, property);
                }
                self.places(path, formatted::count(&text));
            }
            _ => self.places(path, 1),
        }
    }

    fn entry(&mut self, path: &str) -> &mut Entry {
        let (kind, master) = (Kind::Document, self.master);
        self.plan
            .entries
            .entry(path.to_owned())
            .or_insert_with(|| Entry::new(kind, master))
    }

    fn places(&mut self, path: &str, count: usize) {
        let first = self.next;
        self.next += count;
        self.entry(path).places.extend(first..first + count);
    }

    fn define(&mut self, path: &str, property: Property) {
        if property.is_global {
            self.plan.properties.push(property);
        } else {
            self.entry(path).properties.push(property);
        }
    }

    fn children(&mut self, path: &str, root: &Element) {
        for element in &root.children {
            match element.name.as_str() {
                "property" => match Property::of(element) {
                    Some(property) => self.define(path, property),
                    None if element.get("file").is_some() => {
                        let reason = "the parameters of a properties file are not read".to_owned();
                        self.entry(path).not_analysed.push((element.head, reason));
                    }
                    None => {}
                },
                "changeSet" => {
                    self.places(path, 1);
                    self.reference(path, root, element);
                }
                "include" | "includeAll" => self.include(path, element),
                _ => {}
            }
        }
    }

    /// Hands a changeset over to the file that is its only change.
    fn reference(&mut self, path: &str, root: &Element, element: &Element) {
        if Head::skipped(element).is_some() {
            return;
        }
        let place = self.next - 1;
        let head = Head::of(element, root, path, place);
        let rollbacks: Vec<&Element> = element.all("rollback").collect();
        let mut ways: Vec<(&Element, Direction)> = sole_file(element)
            .map(|file| (file, head.direction))
            .into_iter()
            .collect();
        if let [rollback] = rollbacks[..] {
            ways.extend(sole_file(rollback).map(|file| (file, Direction::Down)));
        }
        for (change, direction) in ways {
            let Some(found) = self.plan.resolve(self.files, path, change) else {
                continue;
            };
            let reference = Reference {
                head: head.clone(),
                direction,
                cut: cut_of(change),
            };
            let master = self.master;
            let entry = self.plan.entries.entry(found);
            let entry = entry.or_insert_with(|| Entry::new(Kind::Sql, master));
            entry.references.push(reference);
        }
    }

    fn include(&mut self, path: &str, element: &Element) {
        let properties = self.plan.properties(path);
        let found = match included(self.files, path, element, &properties) {
            Ok(found) => found,
            Err(why) => {
                let is_accepted =
                    element.is_off("errorIfMissing") || element.is_off("errorIfMissingOrEmpty");
                if !is_accepted {
                    self.trouble(
                        path,
                        element.head,
                        ProblemKind::Graph,
                        format!("Liquibase stops here: {why}"),
                        "bring it back, or remove the line; a path is looked for from the search path on, or beside the changelog with `relativeToChangelogFile=\"true\"`",
                    );
                }
                return;
            }
        };
        for filter in ["filter", "resourceComparator"] {
            if let Some(class) = element.value(filter) {
                let reason = format!(
                    "`{class}` is a program that chooses or orders the files; all are read, by name"
                );
                self.entry(path).not_analysed.push((element.head, reason));
            }
        }
        for found in found {
            if self.stack.contains(&found) {
                self.trouble(
                    path,
                    element.head,
                    ProblemKind::Graph,
                    format!("`{found}` includes itself"),
                    "Liquibase reads it without end; include it once, from the changelog that holds the others",
                );
            } else if self.stack.len() >= MAX_DEPTH || self.visits >= MAX_VISITS {
                let reason =
                    "changelogs include each other too often; the rest is left out".to_owned();
                self.entry(path).not_analysed.push((element.head, reason));
                return;
            } else if let Some(entry) = self.plan.entries.get(&found)
                && entry.kind != Kind::Sql
            {
                if entry.master == self.master && !entry.places.is_empty() {
                    self.trouble(
                        path,
                        element.head,
                        ProblemKind::DuplicateVersion,
                        format!("`{found}` is included a second time, and Liquibase refuses changesets that stand twice"),
                        "include it once",
                    );
                }
            } else {
                let references = self
                    .plan
                    .entries
                    .remove(&found)
                    .map(|entry| entry.references);
                self.visit(&found);
                self.entry(&found)
                    .references
                    .extend(references.unwrap_or_default());
            }
        }
    }

    fn trouble(&mut self, path: &str, span: Span, kind: ProblemKind, message: String, help: &str) {
        self.entry(path).troubles.push(Trouble {
            span,
            kind,
            message,
            help: help.to_owned(),
        });
    }
}
