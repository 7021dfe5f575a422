//! How much of real projects' revisions is understood. Opt in, with a directory that holds a directory for each project:
//!
//! `LOCKGATE_ALEMBIC=dir cargo test --test it -- --ignored alembic_corpus --nocapture`
//!
//! `tests/alembic/corpus.py` writes, for the same tree, what the real library sends (`<file>.golden.json` below
//! `LOCKGATE_ALEMBIC_GOLDEN`); where that is there, the statements are compared.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use std::sync::{Arc, Mutex};

use lockgate::layout::{Files, Imports};
use lockgate::python::tree::Module;
use lockgate::python::{BodyKind, Script, Surroundings, read_env, read_in, syntax};

/// The Python files of a project.
struct Tree {
    root: PathBuf,
    paths: Vec<String>,
    modules: Mutex<BTreeMap<String, Option<Arc<Module>>>>,
}

impl Files for Tree {
    fn paths(&self) -> &[String] {
        &self.paths
    }

    fn text(&self, path: &str) -> Option<Arc<str>> {
        std::fs::read_to_string(self.root.join(path))
            .ok()
            .map(Arc::from)
    }

    fn python(&self, path: &str) -> Option<Arc<Module>> {
        let mut modules = self.modules.lock().expect("the lock");
        modules
            .entry(path.to_owned())
            .or_insert_with(|| {
                self.text(path)
                    .map(|text| Arc::new(syntax::parse_foreign(&text)))
            })
            .clone()
    }
}

#[derive(Default)]
struct Count {
    revisions: usize,
    complete: usize,
    calls: usize,
    known: usize,
    reasons: BTreeMap<String, usize>,
}

fn python_files(directory: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(directory)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            python_files(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "py") {
            out.push(path);
        }
    }
}

fn is_complete(script: &Script) -> bool {
    script.not_analysed.is_empty() && !matches!(script.body, BodyKind::Raises { .. })
}

#[test]
#[ignore = "needs the revisions of real projects"]
fn alembic_corpus() {
    let Ok(root) = std::env::var("LOCKGATE_ALEMBIC") else {
        return;
    };
    let mut projects: Vec<PathBuf> = std::fs::read_dir(root)
        .expect("the directory of projects")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    projects.sort();
    for project in projects {
        let mut files = Vec::new();
        python_files(&project, &mut files);
        let mut paths: Vec<String> = files
            .iter()
            .filter_map(|path| Some(path.strip_prefix(&project).ok()?.to_str()?.to_owned()))
            .collect();
        paths.sort();
        let tree = Tree {
            root: project.clone(),
            paths,
            modules: Mutex::default(),
        };
        let convention = tree
            .paths
            .iter()
            .filter(|path| path.ends_with("env.py"))
            .find_map(|path| {
                let text = tree.text(path)?;
                read_env(&text, path, &Imports(&tree)).naming_convention
            });
        let mut count = Count::default();
        for path in files {
            let Ok(text) = std::fs::read_to_string(&path) else {
                continue;
            };
            if !text.contains("down_revision") {
                continue;
            }
            let relative = path.strip_prefix(&project).expect("it lies inside");
            let around = Surroundings {
                path: relative.to_str().expect("UTF-8"),
                modules: &Imports(&tree),
                convention: convention.as_deref(),
            };
            let revision = read_in(&text, &around);
            let Some(script) = revision.upgrade.as_ref().filter(|_| revision.is_revision) else {
                continue;
            };
            count.revisions += 1;
            count.complete += usize::from(is_complete(script));
            count.calls += script.calls;
            count.known += script.known;
            for entry in &script.not_analysed {
                *count.reasons.entry(entry.reason.clone()).or_default() += 1;
                if std::env::var_os("LOCKGATE_ALEMBIC_WHY").is_some() {
                    let line = text[..entry.span.start as usize].matches('\n').count() + 1;
                    println!("{}:{line}: {}", path.display(), entry.reason);
                }
            }
        }
        println!("{convention:?}");
        let share = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
        println!(
            "{:24} {:5} revisions, {:5.1} % complete, {:6} calls, {:5.1} % known",
            project
                .file_name()
                .and_then(|name| name.to_str())
                .expect("a name"),
            count.revisions,
            share(count.complete, count.revisions),
            count.calls,
            share(count.known, count.calls)
        );
        let mut reasons: Vec<_> = count.reasons.into_iter().collect();
        reasons.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
        for (reason, times) in reasons.iter().take(12) {
            println!("    {times:4} {reason}");
        }
    }
}
