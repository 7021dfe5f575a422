//! Finds the migrations and reads them: the only place that touches files.
//!
//! A path on the command line selects what is looked at. A directory stands for all migrations inside it, a file for
//! its own migration; either way the whole history that it belongs to is read, because only that says what a statement
//! meets. What was not selected is replayed and not reported ([`Project::wanted`]).

mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use self::tree::{Tree, relative};
use crate::diagnostic::{FileError, NotAnalysed};
use crate::layout::{self, File, Files, Found, Problem, ProblemKind, Reading, Script, dialect};
use crate::settings::{Root, Settings};
use crate::source::{Location, Source, SourceId};

/// What to look for.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The directory that the program was started in, absolute; shown paths are relative to it.
    pub cwd: &'a Path,
    /// Files and directories; `-` is standard input. Empty: the project's root, else the current directory.
    pub paths: &'a [PathBuf],
    /// Settings of the run: the project's root and the directories configured in it.
    pub settings: &'a Settings,
    /// What standard input holds, for the path `-`.
    pub stdin: Option<StdinInput>,
}

/// Standard input.
#[derive(Debug, Clone)]
pub struct StdinInput {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The file that it stands for.
    pub filename: Option<PathBuf>,
}

/// What was found and read.
#[derive(Debug, Default)]
pub struct Discovered {
    /// The files, indexed by [`SourceId`], sorted by path.
    pub sources: Vec<Source>,
    /// The histories, sorted by their directories.
    pub projects: Vec<Project>,
    /// What could not be read, sorted by path.
    pub errors: Vec<FileError>,
    /// Text that a tool runs and that is not looked at.
    pub not_analysed: Vec<NotAnalysed>,
    /// Number of files that were named on the command line and hold no migration.
    pub ignored: usize,
}

/// The migrations of one directory, in the order in which its tool runs them.
#[derive(Debug)]
pub struct Project {
    /// Where and how it was found.
    pub found: Found,
    /// The directory as shown.
    pub root: String,
    /// Forward scripts in the order they run, then the down scripts.
    pub scripts: Vec<Script>,
    /// What is wrong with the set and with files that hold no script.
    pub problems: Vec<Problem>,
    /// The files that findings are wanted for, sorted; none for all.
    pub wanted: Option<Vec<SourceId>>,
    /// The other database that the migrations are written for; their statements must not be judged.
    pub dialect: Option<&'static str>,
}

/// Finds and reads the migrations that a request selects.
#[must_use]
pub fn discover(request: &Request<'_>) -> Discovered {
    let mut run = Run::new(request);
    run.select();
    run.read()
}

/// Files that mark the root of a project where no repository does.
const MARKERS: &[&str] = &[
    "lockgate.yaml",
    "alembic.ini",
    "env.py",
    "flyway.conf",
    "flyway.toml",
    "pyproject.toml",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "go.mod",
    "Cargo.toml",
    "package.json",
];
/// How far above a file its project's root is looked for where no repository marks it.
const MAX_LEVELS: usize = 5;
/// The name under which standard input is shown if it stands for no file.
const STDIN: &str = "<stdin>";

/// A tree with the histories in it.
struct Ground {
    tree: Tree,
    founds: Vec<Found>,
    /// The files of each history.
    files: Vec<Vec<String>>,
}

/// A history of a tree that is looked at.
struct Selection {
    ground: usize,
    found: Found,
    files: Vec<String>,
    /// None: all of its files.
    wanted: Option<BTreeSet<String>>,
    /// One file that belongs to no tool.
    is_single: bool,
}

struct Run<'a> {
    request: &'a Request<'a>,
    grounds: Vec<Ground>,
    selections: Vec<Selection>,
    errors: Vec<FileError>,
    ignored: usize,
}

impl<'a> Run<'a> {
    fn new(request: &'a Request<'a>) -> Self {
        Self {
            request,
            grounds: Vec::new(),
            selections: Vec::new(),
            errors: Vec::new(),
            ignored: 0,
        }
    }

    fn select(&mut self) {
        let request = self.request;
        if request.paths.is_empty() {
            let root = request
                .settings
                .root
                .clone()
                .unwrap_or_else(|| request.cwd.to_owned());
            self.select_directory(&normal(&root), false);
        }
        // Files of one project go together: they are one history, walked once.
        let mut files: BTreeMap<PathBuf, Vec<(String, Option<Arc<str>>)>> = BTreeMap::new();
        for path in request.paths {
            let mut text = None;
            let path = if path.as_os_str() == "-" {
                let Some(stdin) = &request.stdin else {
                    continue;
                };
                let shown = stdin
                    .filename
                    .as_ref()
                    .map_or_else(|| STDIN.to_owned(), |path| self.shown(&self.absolute(path)));
                match tree::decode(stdin.bytes.clone()) {
                    Ok(decoded) => text = Some(Arc::from(decoded)),
                    Err(message) => {
                        self.errors.push(FileError {
                            path: shown,
                            message,
                        });
                        continue;
                    }
                }
                let Some(filename) = &stdin.filename else {
                    self.select_stdin(text.unwrap_or_default());
                    continue;
                };
                self.absolute(filename)
            } else {
                self.absolute(path)
            };
            if text.is_none() {
                match kind_of(&path) {
                    Ok(PathKind::Directory) => {
                        self.select_directory(&path, true);
                        continue;
                    }
                    Ok(PathKind::File) => {}
                    Err(message) => {
                        self.errors.push(FileError {
                            path: self.shown(&path),
                            message,
                        });
                        continue;
                    }
                }
            }
            let boundary = self.boundary(path.parent().unwrap_or(&path));
            match relative(&path, &boundary) {
                Some(relative) => files.entry(boundary).or_default().push((relative, text)),
                None => self.errors.push(FileError {
                    path: self.shown(&path),
                    message: "its name is not UTF-8; rename it".to_owned(),
                }),
            }
        }
        for (root, files) in files {
            self.select_files(&root, files);
        }
    }

    /// Selects the histories inside a directory, and those that it is a part of.
    fn select_directory(&mut self, directory: &Path, is_named: bool) {
        let boundary = self.boundary(directory);
        if !self.request.settings.roots.is_empty()
            && self
                .request
                .settings
                .root
                .as_ref()
                .is_some_and(|root| normal(root) == boundary)
        {
            let ground = self.ground(&boundary);
            if self.select_related(ground, directory) {
                return;
            }
        }
        let ground = self.ground(directory);
        let founds = &self.grounds[ground].founds;
        let is_part = founds.is_empty()
            || founds
                .iter()
                .any(|found| found.directories.iter().any(String::is_empty));
        if is_part && is_named && boundary != directory {
            // The directory itself holds migrations: what rules them may stand above it.
            let above = self.ground(&boundary);
            if self.select_related(above, directory) {
                return;
            }
        }
        if self.grounds[ground].founds.is_empty() && is_named {
            let tree = &self.grounds[ground].tree;
            let found = (layout::plain().open)(tree, "", &BTreeMap::new());
            let files = (found.layout.files)(&found, tree);
            if !files.is_empty() {
                self.grounds[ground].founds.push(found);
                self.grounds[ground].files.push(files);
                self.add(ground, 0, None);
            }
            return;
        }
        self.select_related(ground, directory);
    }

    /// Selects those histories of a ground that lie in a directory or hold it. False if there are none.
    fn select_related(&mut self, ground: usize, directory: &Path) -> bool {
        let Some(place) = relative(directory, &self.grounds[ground].tree.root) else {
            return false;
        };
        let is_below = |path: &str| {
            place.is_empty()
                || path
                    .strip_prefix(&place)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let mut related = Vec::new();
        for (index, found) in self.grounds[ground].founds.iter().enumerate() {
            let files = &self.grounds[ground].files[index];
            let below: BTreeSet<String> = files
                .iter()
                .filter(|file| is_below(file))
                .cloned()
                .collect();
            if is_below(&found.root) || below.len() == files.len() {
                related.push((index, None));
            } else if found.claims(&place) || !below.is_empty() {
                related.push((index, Some(below)));
            }
        }
        for (index, wanted) in &related {
            self.add(ground, *index, wanted.clone());
        }
        !related.is_empty()
    }

    fn select_files(&mut self, root: &Path, files: Vec<(String, Option<Arc<str>>)>) {
        let index = self.ground(root);
        let ground = &mut self.grounds[index];
        for (path, text) in &files {
            match text {
                Some(text) => ground.tree.overlay(path, Arc::clone(text)),
                None => ground.tree.add(path),
            }
        }
        // A file that was named is there even if it was ignored: look again with it.
        self.survey(index);
        let mut wanted: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        for (path, _) in files {
            let ground = &self.grounds[index];
            let owner = |path: &str| {
                let holds = |files: &Vec<String>| {
                    files
                        .binary_search_by(|file| file.as_str().cmp(path))
                        .is_ok()
                };
                ground.files.iter().position(holds)
            };
            // Flyway keeps a file's own settings beside it: who changes them changes the migration.
            let meant = path
                .strip_suffix(".conf")
                .filter(|path| owner(path).is_some())
                .unwrap_or(&path);
            if let Some(owner) = owner(meant) {
                wanted.entry(owner).or_default().insert(meant.to_owned());
            } else if is_sql(&path) {
                let directory = parent(&path);
                let mut found = (layout::plain().open)(&ground.tree, directory, &BTreeMap::new());
                found.reason = "a single file that belongs to no migration tool".to_owned();
                self.selections.push(Selection {
                    ground: index,
                    found,
                    files: vec![path],
                    wanted: None,
                    is_single: true,
                });
            } else {
                self.ignored += 1;
            }
        }
        for (owner, wanted) in wanted {
            self.add(index, owner, Some(wanted));
        }
    }

    fn select_stdin(&mut self, text: Arc<str>) {
        let mut tree = Tree::empty(self.request.cwd);
        tree.overlay(STDIN, text);
        let mut found = (layout::plain().open)(&tree, "", &BTreeMap::new());
        found.reason = "standard input".to_owned();
        self.grounds.push(Ground {
            tree,
            founds: Vec::new(),
            files: Vec::new(),
        });
        self.selections.push(Selection {
            ground: self.grounds.len() - 1,
            found,
            files: vec![STDIN.to_owned()],
            wanted: None,
            is_single: true,
        });
    }

    /// Adds a history of a ground, or widens what is wanted of one that was selected before, perhaps from elsewhere.
    fn add(&mut self, ground: usize, index: usize, wanted: Option<BTreeSet<String>>) {
        let new = Selection {
            ground,
            found: self.grounds[ground].founds[index].clone(),
            files: self.grounds[ground].files[index].clone(),
            wanted,
            is_single: false,
        };
        let place = |selection: &Selection| {
            let root = &self.grounds[selection.ground].tree.root;
            let directories = selection
                .found
                .directories
                .iter()
                .map(|directory| root.join(directory));
            directories.collect::<Vec<PathBuf>>()
        };
        let places = place(&new);
        let same = self.selections.iter().position(|other| {
            !other.is_single
                && std::ptr::eq(other.found.layout, new.found.layout)
                && place(other) == places
        });
        let Some(same) = same else {
            self.selections.push(new);
            return;
        };
        let other = &mut self.selections[same];
        match (&mut other.wanted, new.wanted) {
            // The whole history from where it was first seen; a file that came to it since is one more.
            (None, _) if other.ground == new.ground => other.files = new.files,
            (None, _) => {}
            (Some(wanted), Some(more)) if other.ground == new.ground => {
                wanted.extend(more);
                other.files = new.files;
            }
            (Some(_), wanted) => {
                *other = Selection {
                    wanted: wanted.filter(|_| other.ground == new.ground),
                    ..new
                };
            }
        }
    }

    /// The ground of a directory, walked when first asked for.
    fn ground(&mut self, root: &Path) -> usize {
        if let Some(index) = self
            .grounds
            .iter()
            .position(|ground| ground.tree.root == root)
        {
            return index;
        }
        let top = self.boundary(root);
        let (mut errors, cwd) = (Vec::new(), self.request.cwd);
        let tree = Tree::walk(root, &top, &mut errors, &|path| shown(path, cwd));
        self.errors.append(&mut errors);
        self.grounds.push(Ground {
            tree,
            founds: Vec::new(),
            files: Vec::new(),
        });
        let index = self.grounds.len() - 1;
        self.survey(index);
        index
    }

    /// Finds the histories of a ground: those configured, else those detected.
    fn survey(&mut self, index: usize) {
        let settings = self.request.settings;
        let tree = &self.grounds[index].tree;
        let is_configured = !settings.roots.is_empty()
            && settings
                .root
                .as_ref()
                .is_none_or(|root| normal(root) == tree.root);
        let mut errors = Vec::new();
        let founds = if is_configured {
            configured(&settings.roots, tree, &mut errors)
        } else {
            layout::detect(tree)
        };
        let files = founds
            .iter()
            .map(|found| {
                let mut files = (found.layout.files)(found, tree);
                files.sort_unstable();
                files
            })
            .collect();
        for error in errors {
            let path = self.shown(&self.grounds[index].tree.root.join(&error.path));
            self.errors.push(FileError { path, ..error });
        }
        let ground = &mut self.grounds[index];
        (ground.founds, ground.files) = (founds, files);
    }

    /// The root of the project that a directory belongs to: the configured one, else that of the repository, else the
    /// highest directory not far above that holds a tool's or package's file, else the directory itself.
    fn boundary(&self, directory: &Path) -> PathBuf {
        if let Some(root) = self.request.settings.root.as_ref().map(|root| normal(root))
            && directory.starts_with(&root)
        {
            return root;
        }
        if let Some(root) = directory
            .ancestors()
            .find(|root| exists(&root.join(".git")))
        {
            return root.to_owned();
        }
        directory
            .ancestors()
            .take(MAX_LEVELS)
            .filter(|root| MARKERS.iter().any(|marker| exists(&root.join(marker))))
            .last()
            .unwrap_or(directory)
            .to_owned()
    }

    fn absolute(&self, path: &Path) -> PathBuf {
        normal(&self.request.cwd.join(path))
    }

    fn shown(&self, path: &Path) -> String {
        shown(path, self.request.cwd)
    }

    /// Reads every selected file, in parallel, and puts each history in order.
    fn read(mut self) -> Discovered {
        self.selections.sort_by_key(|selection| {
            let root = self.grounds[selection.ground]
                .tree
                .root
                .join(&selection.found.root);
            (root, selection.files.first().cloned())
        });
        // Sorted by the path as shown, so that ids follow it.
        let mut wanted: BTreeMap<String, (usize, &str)> = BTreeMap::new();
        for selection in &self.selections {
            for file in &selection.files {
                let shown = self.shown_in(selection.ground, file);
                wanted.entry(shown).or_insert((selection.ground, file));
            }
        }
        let wanted: Vec<(String, (usize, &str))> = wanted.into_iter().collect();
        let texts: Vec<_> = wanted
            .par_iter()
            .map(|(_, (ground, file))| self.grounds[*ground].tree.read(file))
            .collect();
        let mut sources: Vec<Source> = Vec::with_capacity(texts.len());
        let mut errors = std::mem::take(&mut self.errors);
        for ((path, _), text) in wanted.into_iter().zip(texts) {
            match text {
                Ok(text) => {
                    let id = SourceId(u32::try_from(sources.len()).unwrap_or(u32::MAX));
                    sources.push(Source::new(id, path, text));
                }
                Err(message) => errors.push(FileError { path, message }),
            }
        }
        let mut not_analysed = Vec::new();
        let mut projects = Vec::with_capacity(self.selections.len());
        for selection in &self.selections {
            errors.extend(self.broken(selection));
            projects.push(self.project(selection, &sources, &mut not_analysed));
        }
        errors.sort_by(|a, b| a.path.cmp(&b.path).then_with(|| a.message.cmp(&b.message)));
        errors.dedup();
        Discovered {
            sources,
            projects,
            errors,
            not_analysed,
            ignored: self.ignored,
        }
    }

    fn project(
        &self,
        selection: &Selection,
        sources: &[Source],
        not_analysed: &mut Vec<NotAnalysed>,
    ) -> Project {
        let tree = &self.grounds[selection.ground].tree;
        let found = &selection.found;
        let own: Vec<(&String, &Source)> = selection
            .files
            .iter()
            .filter_map(|file| {
                Some((
                    file,
                    by_path(sources, &self.shown_in(selection.ground, file))?,
                ))
            })
            .collect();
        let readings: Vec<(&Source, Reading)> = own
            .par_iter()
            .map(|(path, source)| {
                (
                    *source,
                    (found.layout.read)(
                        found,
                        &File {
                            path,
                            source,
                            files: tree,
                        },
                    ),
                )
            })
            .collect();
        let (mut scripts, mut problems) = (Vec::new(), Vec::new());
        for (source, reading) in readings {
            scripts.extend(reading.scripts);
            problems.extend(reading.problems);
            not_analysed.extend(reading.not_analysed.into_iter().map(|(span, reason)| {
                NotAnalysed {
                    location: Location {
                        source: source.id,
                        span,
                    },
                    reason,
                }
            }));
        }
        let arrangement = (found.layout.arrange)(found, scripts);
        problems.extend(arrangement.problems);
        let sources: Vec<&Source> = own.iter().map(|(_, source)| *source).collect();
        let foreign = foreign(found, &sources);
        let dialect = foreign.as_ref().map(|(dialect, _)| *dialect);
        problems.extend(foreign.map(|(_, problem)| problem));
        problems.sort_by_key(|problem| (problem.location, problem.kind));
        let wanted = selection.wanted.as_ref().map(|wanted| {
            own.iter()
                .filter(|(path, _)| wanted.contains(*path))
                .map(|(_, source)| source.id)
                .collect()
        });
        Project {
            root: self.shown_in(selection.ground, &found.root),
            found: found.clone(),
            scripts: arrangement.scripts,
            problems,
            wanted,
            dialect,
        }
    }

    /// Links in the directories of a history that lead nowhere.
    fn broken(&self, selection: &Selection) -> Vec<FileError> {
        let tree = &self.grounds[selection.ground].tree;
        tree.broken
            .iter()
            .filter(|path| !selection.is_single && (is_sql(path) || path.ends_with(".py")))
            .filter(|path| selection.found.claims(parent(path)))
            .map(|path| FileError {
                path: self.shown_in(selection.ground, path),
                message: "cannot be read: it is a symbolic link to a file that is not there"
                    .to_owned(),
            })
            .collect()
    }

    fn shown_in(&self, ground: usize, path: &str) -> String {
        if path == STDIN {
            return STDIN.to_owned();
        }
        self.shown(&self.grounds[ground].tree.root.join(path))
    }
}

/// The histories that the configuration names.
fn configured(roots: &[Root], tree: &Tree, errors: &mut Vec<FileError>) -> Vec<Found> {
    let mut founds = Vec::new();
    let mut detected = None;
    for root in roots {
        let place = root.path.trim_start_matches("./").trim_matches('/');
        let place = if place == "." { "" } else { place };
        let is_there = place.is_empty()
            || tree.paths().iter().any(|path| {
                path.strip_prefix(place)
                    .is_some_and(|rest| rest.starts_with('/'))
            });
        let mut failed = |message: String| {
            errors.push(FileError {
                path: place.to_owned(),
                message,
            });
        };
        if !is_there {
            failed(
                "the configuration names this directory for migrations, and it holds no files"
                    .to_owned(),
            );
            continue;
        }
        if let Some(name) = &root.layout {
            match layout::by_name(name) {
                Some(layout) => founds.push((layout.open)(tree, place, &root.options)),
                None => {
                    let known: Vec<&str> = layout::ALL.iter().map(|layout| layout.name).collect();
                    failed(format!(
                        "the configuration names the layout `{name}`; known are {}",
                        known.join(", ")
                    ));
                }
            }
            continue;
        }
        let all = detected.get_or_insert_with(|| layout::detect(tree));
        let mut inside: Vec<Found> = all
            .iter()
            .filter(|found| found.root == place || found.claims(place))
            .cloned()
            .collect();
        if inside.is_empty() {
            inside = all
                .iter()
                .filter(|found| {
                    place.is_empty()
                        || found
                            .root
                            .strip_prefix(place)
                            .is_some_and(|rest| rest.starts_with('/'))
                })
                .cloned()
                .collect();
        }
        if inside.is_empty() {
            inside.push((layout::plain().open)(tree, place, &root.options));
        }
        for found in &mut inside {
            if !root.options.is_empty() {
                let reason = std::mem::take(&mut found.reason);
                *found = (found.layout.open)(tree, &found.root, &root.options);
                found.reason = reason;
            }
        }
        founds.extend(inside);
    }
    founds
}

/// The other database that a history is written for, by its tool's connection URL or by its SQL.
fn foreign(found: &Found, sources: &[&Source]) -> Option<(&'static str, Problem)> {
    let help = "Lockgate judges PostgreSQL only; leave this directory out, or name the PostgreSQL one in `migrations:`";
    let problem = |source: &Source, span, message: String| Problem {
        kind: ProblemKind::Dialect,
        location: Location {
            source: source.id,
            span,
        },
        message,
        help: Some(help.to_owned()),
        labels: Vec::new(),
    };
    let url = ["url", "sqlalchemy.url"]
        .iter()
        .find_map(|key| found.settings.get(*key));
    if let Some(dialect) = url.and_then(|url| dialect::of_url(url))
        && let Some(first) = sources.first()
        && !sources.iter().any(|source| dialect::is_postgres(source))
    {
        let message = format!(
            "these migrations are for {dialect}: the connection URL in the tool's configuration says so"
        );
        return Some((dialect, problem(first, first.first_line(), message)));
    }
    let sql: Vec<&Source> = sources
        .iter()
        .copied()
        .filter(|source| !source.path.ends_with(".py"))
        .collect();
    let (index, sign) = dialect::of_files(&sql)?;
    let message = format!(
        "these migrations are for {}: {} in this file and its neighbours",
        sign.dialect, sign.evidence
    );
    Some((sign.dialect, problem(sql[index], sign.span, message)))
}

fn by_path<'s>(sources: &'s [Source], path: &str) -> Option<&'s Source> {
    let index = sources
        .binary_search_by(|source| source.path.as_str().cmp(path))
        .ok()?;
    sources.get(index)
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

fn is_sql(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| {
        ["sql", "pgsql", "psql", "ddl"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

enum PathKind {
    File,
    Directory,
}

#[expect(clippy::disallowed_methods, reason = "this module finds files")]
fn kind_of(path: &Path) -> Result<PathKind, String> {
    match std::fs::metadata(path) {
        Ok(data) if data.is_dir() => Ok(PathKind::Directory),
        Ok(_) => Ok(PathKind::File),
        Err(_) if std::fs::symlink_metadata(path).is_ok() => {
            Err("cannot be read: it is a symbolic link to a file that is not there".to_owned())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err("there is no such file or directory".to_owned())
        }
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

#[expect(clippy::disallowed_methods, reason = "this module finds files")]
fn exists(path: &Path) -> bool {
    path.exists()
}

/// A path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}

/// A path as shown: relative to the current directory, with `/`; absolute if the two have nothing in common.
fn shown(path: &Path, cwd: &Path) -> String {
    let cwd = normal(cwd);
    let common = path
        .components()
        .zip(cwd.components())
        .take_while(|(a, b)| a == b)
        .count();
    let named = |part: &Component<'_>| matches!(part, Component::Normal(_));
    if path.components().take(common).filter(named).count() == 0
        && cwd.components().any(|part| named(&part))
    {
        return path.to_string_lossy().replace('\\', "/");
    }
    let up = cwd.components().skip(common).map(|_| "..".to_owned());
    let down = path
        .components()
        .skip(common)
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    let parts: Vec<String> = up.chain(down).collect();
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}

#[cfg(test)]
mod tests;
