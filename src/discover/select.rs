//! Which histories a request means.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::base::Then;
use super::git::GitError;
use super::tree::{self, Tree, relative};
use super::{PathKind, Request, STDIN, exists, is_sql, kind_of, normal, parent, shown};
use crate::diagnostic::FileError;
use crate::layout::{self, Files, Found};
use crate::settings::Root;

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
    "sqitch.plan",
    "diesel.toml",
    "sqlx.toml",
    "refinery.toml",
    "atlas.hcl",
    "dbconfig.yml",
    "tern.conf",
    "manage.py",
    "mix.exs",
    "Gemfile",
];
/// How far above a file its project's root is looked for where no repository marks it.
const MAX_LEVELS: usize = 5;

/// A tree with the histories in it.
pub(super) struct Ground {
    pub(super) tree: Tree,
    founds: Vec<Found>,
    /// The files of each history.
    files: Vec<Vec<String>>,
    /// What it is compared with.
    pub(super) then: Option<Then>,
}

/// A history of a tree that is looked at.
pub(super) struct Selection {
    pub(super) ground: usize,
    pub(super) found: Found,
    pub(super) files: Vec<String>,
    /// None: all of its files.
    pub(super) wanted: Option<BTreeSet<String>>,
    /// One file that belongs to no tool.
    pub(super) is_single: bool,
}

/// A file that was named, with the text that stands for what is on disk.
type Named = (String, Option<Arc<str>>);

/// The selection as it grows.
pub(super) struct Run<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) grounds: Vec<Ground>,
    pub(super) selections: Vec<Selection>,
    pub(super) errors: Vec<FileError>,
    pub(super) ignored: usize,
    /// Texts that stand for what is on disk, by absolute path.
    pub(super) texts: Option<&'a BTreeMap<PathBuf, Arc<str>>>,
    /// Why Git could not be asked: the run is for nothing.
    pub(super) failure: Option<GitError>,
}

impl<'a> Run<'a> {
    pub(super) fn new(request: &'a Request<'a>) -> Self {
        Self {
            request,
            grounds: Vec::new(),
            selections: Vec::new(),
            errors: Vec::new(),
            ignored: 0,
            texts: None,
            failure: None,
        }
    }

    pub(super) fn select(&mut self) {
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
        let mut files: BTreeMap<PathBuf, Vec<Named>> = BTreeMap::new();
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
        let founds = &self.grounds[ground].founds;
        if founds.iter().all(|found| layout::is_code(found.layout)) && is_named {
            let tree = &self.grounds[ground].tree;
            let found = (layout::plain().open)(tree, "", &BTreeMap::new());
            let files = (found.layout.files)(&found, tree);
            if !files.is_empty() {
                self.grounds[ground].founds.push(found);
                self.grounds[ground].files.push(files);
            }
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

    fn select_files(&mut self, root: &Path, files: Vec<Named>) {
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
                "a single file that belongs to no migration tool".clone_into(&mut found.reason);
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
        "standard input".clone_into(&mut found.reason);
        self.grounds.push(Ground {
            tree,
            founds: Vec::new(),
            files: Vec::new(),
            then: None,
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
        let shown = |path: &Path| shown(path, cwd);
        let mut tree = match self.staged(root) {
            None => Tree::walk(root, &top, &mut errors, &shown),
            Some(snapshot) => Tree::of_snapshot(root, snapshot, &mut errors, &shown),
        };
        for (path, text) in self.texts.into_iter().flatten() {
            if let Some(path) = relative(path, root) {
                tree.overlay(&path, Arc::clone(text));
            }
        }
        self.errors.append(&mut errors);
        self.grounds.push(Ground {
            tree,
            founds: Vec::new(),
            files: Vec::new(),
            then: None,
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
                let is_left_out = |path: &&String| {
                    is_sql(path)
                        && found
                            .left_out
                            .iter()
                            .any(|directory| directory == parent(path))
                };
                files.extend(tree.paths().iter().filter(is_left_out).cloned());
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

    pub(super) fn shown(&self, path: &Path) -> String {
        shown(path, self.request.cwd)
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
            if let Some(layout) = layout::by_name(name) {
                founds.push((layout.open)(tree, place, &root.options));
            } else {
                let known: Vec<&str> = layout::ALL.iter().map(|layout| layout.name).collect();
                failed(format!(
                    "the configuration names the layout `{name}`; known are {}",
                    known.join(", ")
                ));
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
