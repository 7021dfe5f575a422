//! The other Python files of the project that a revision imports: helpers, models, constants.
//!
//! They are parsed, never run, and followed like the revision itself. What they send to the database is reported at the
//! place of the revision that calls them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::tree::{Module, Stmt, StmtKind};

/// Files that are read for one revision, itself included.
const MAX_MODULES: usize = 32;
/// The same for an `env.py`, which is read once and often imports every model.
const MAX_MODULES_OF_ENV: usize = 500;
/// Imports behind imports that are followed.
const MAX_DISTANCE: usize = 4;

/// Packages that no project file is looked up for: their meaning is known, or they come with Python.
const KNOWN: &[&str] = &[
    "alembic",
    "alembic_postgresql_enum",
    "alembic_utils",
    "collections",
    "datetime",
    "enum",
    "geoalchemy2",
    "json",
    "logging",
    "os",
    "pgvector",
    "re",
    "sqlalchemy",
    "sqlalchemy_utils",
    "sqlmodel",
    "sys",
    "textwrap",
    "typing",
    "uuid",
];

/// Finds the Python files of a project.
pub trait Modules {
    /// The file that `from <dots><module> import …` in the file `from` loads: its path and what it holds, parsed by
    /// [`super::syntax::parse_foreign`]. None if the project has no such file.
    fn find(&self, from: &str, level: u32, module: &str) -> Option<(String, Arc<Module>)>;
}

/// No other files.
#[derive(Debug, Clone, Copy)]
pub struct NoModules;

impl Modules for NoModules {
    fn find(&self, _: &str, _: u32, _: &str) -> Option<(String, Arc<Module>)> {
        None
    }
}

/// A file and those it imports, directly or not.
#[derive(Debug)]
pub(super) struct Library {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    path: String,
    module: Arc<Module>,
    /// Index of the entry by dots and dotted name, as this file writes it.
    imports: BTreeMap<(u32, String), usize>,
}

impl Library {
    /// The file, which becomes the first entry, and what it imports.
    pub(super) fn new(path: &str, module: Arc<Module>, modules: &dyn Modules) -> Self {
        Self::of_at_most(MAX_MODULES, path, module, modules)
    }

    /// An `env.py` and what it imports.
    pub(super) fn of_env(path: &str, module: Arc<Module>, modules: &dyn Modules) -> Self {
        Self::of_at_most(MAX_MODULES_OF_ENV, path, module, modules)
    }

    /// Several files that hold models, and what they import.
    pub(super) fn of_models(roots: Vec<(String, Arc<Module>)>, modules: &dyn Modules) -> Self {
        Self::of_roots(MAX_MODULES_OF_ENV, roots, modules)
    }

    fn of_at_most(most: usize, path: &str, module: Arc<Module>, modules: &dyn Modules) -> Self {
        Self::of_roots(most, vec![(path.to_owned(), module)], modules)
    }

    fn of_roots(most: usize, roots: Vec<(String, Arc<Module>)>, modules: &dyn Modules) -> Self {
        let entry = |(path, module)| Entry {
            path,
            module,
            imports: BTreeMap::new(),
        };
        let mut library = Self {
            entries: roots.into_iter().take(most).map(entry).collect(),
        };
        let mut waiting: VecDeque<(usize, usize)> =
            (0..library.entries.len()).map(|index| (index, 0)).collect();
        while let Some((index, distance)) = waiting.pop_front() {
            let mut wanted = Vec::new();
            imports(&library.entries[index].module.body, &mut wanted);
            for (level, name) in wanted {
                let root = name.split('.').next().unwrap_or_default();
                if level == 0 && KNOWN.contains(&root) {
                    continue;
                }
                let from = library.entries[index].path.clone();
                let Some((path, module)) = modules.find(&from, level, &name) else {
                    continue;
                };
                let known = library.entries.iter().position(|entry| entry.path == path);
                let found = match known {
                    Some(found) => found,
                    None if library.entries.len() < most && distance < MAX_DISTANCE => {
                        let found = library.entries.len();
                        library.entries.push(Entry {
                            path,
                            module,
                            imports: BTreeMap::new(),
                        });
                        waiting.push_back((found, distance + 1));
                        found
                    }
                    None => continue,
                };
                library.entries[index].imports.insert((level, name), found);
            }
        }
        library
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What an entry holds.
    pub(super) fn module(&self, index: usize) -> &Module {
        &self.entries[index].module
    }

    /// The path of an entry.
    pub(super) fn path(&self, index: usize) -> &str {
        &self.entries[index].path
    }

    /// The entry that an import in another one loads.
    pub(super) fn imported(&self, by: usize, level: u32, module: &str) -> Option<usize> {
        let imports = &self.entries[by].imports;
        if imports.is_empty() {
            return None;
        }
        imports.get(&(level, module.to_owned())).copied()
    }
}

/// The modules that are imported anywhere in a block: dots and dotted name. A name that is imported from a package may
/// be a module itself.
fn imports(body: &[Stmt], out: &mut Vec<(u32, String)>) {
    let mut add = |level: u32, name: String| {
        let entry = (level, name);
        if !out.contains(&entry) {
            out.push(entry);
        }
    };
    for stmt in body {
        match &stmt.kind {
            StmtKind::Import(names) => {
                for (path, _) in names {
                    add(0, path.clone());
                }
            }
            StmtKind::ImportFrom {
                level,
                module,
                names,
            } => {
                if *level > 0 || !module.is_empty() {
                    add(*level, module.clone());
                }
                for (name, _) in names {
                    let dot = if module.is_empty() { "" } else { "." };
                    add(*level, format!("{module}{dot}{name}"));
                }
            }
            _ => {}
        }
    }
    for stmt in body {
        match &stmt.kind {
            StmtKind::Def(def) => imports(&def.body, out),
            StmtKind::If(branches) => {
                for (_, body) in branches {
                    imports(body, out);
                }
            }
            StmtKind::With { body, .. } => imports(body, out),
            StmtKind::For { body, orelse, .. } | StmtKind::While { body, orelse, .. } => {
                imports(body, out);
                imports(orelse, out);
            }
            StmtKind::Try {
                body,
                handlers,
                orelse,
                finalbody,
            } => {
                imports(body, out);
                for body in handlers {
                    imports(body, out);
                }
                imports(orelse, out);
                imports(finalbody, out);
            }
            _ => {}
        }
    }
}
