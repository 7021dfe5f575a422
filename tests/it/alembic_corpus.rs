//! How much of real projects' revisions is understood. Opt in, with a directory that holds a directory for each project:
//!
//! `LOCKGATE_ALEMBIC=dir cargo test --test it -- --ignored alembic_corpus --nocapture`
//!
//! `tests/alembic/corpus.py` writes what the real library sends for a project; where `<project>.json` stands in the
//! directory that `LOCKGATE_ALEMBIC_GOLDEN` names, the statements are compared. `LOCKGATE_ALEMBIC_WHY=1` lists every
//! place that is not followed.

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
    /// Revisions that the library renders to the end and that we follow to the end, and those that differ.
    compared: usize,
    different: usize,
    /// Statements in them, and those that differ.
    statements: usize,
    disagreements: usize,
}

/// A statement with `NULL` for its literals.
fn mask(statement: &str) -> String {
    let mut out = String::new();
    let mut rest = statement;
    while let Some(c) = rest.chars().next() {
        let literal = match c {
            '\'' => rest[1..].find('\'').map(|end| end + 2),
            'E' if rest.starts_with("E'") => rest[2..].find('\'').map(|end| end + 3),
            '0'..='9' if !out.ends_with(|c: char| c.is_alphanumeric() || c == '_') => Some(
                rest.find(|c: char| !c.is_ascii_digit())
                    .unwrap_or(rest.len()),
            ),
            _ => ["true", "false", "ARRAY[", "]"]
                .iter()
                .find(|word| rest.starts_with(**word))
                .map(|word| word.len()),
        };
        match literal {
            Some(len) => {
                out.push_str("NULL");
                rest = &rest[len..];
            }
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    while out.contains("NULLNULL") || out.contains("NULL, NULL") {
        out = out
            .replace("NULLNULL", "NULL")
            .replace("NULL, NULL", "NULL");
    }
    out
}

/// Compares a revision that both sides follow to the end, statement by statement.
fn compare(path: &Path, script: &Script, sent: &serde_json::Value, count: &mut Count) {
    let sent = sent.as_array().expect("statements");
    let is_whole = sent.iter().all(serde_json::Value::is_string);
    // A placeholder has no counterpart, and offline the library takes neither way of a condition we know nothing about.
    let is_exact = script
        .ops
        .iter()
        .all(|op| !op.approximate && !op.conditional);
    if !is_whole || !is_complete(script) || !is_exact {
        return;
    }
    let mut theirs: Vec<String> = sent
        .iter()
        .filter_map(|sent| sent.as_str())
        .flat_map(crate::alembic::normal)
        .collect();
    let mut ours: Vec<String> = script
        .ops
        .iter()
        .flat_map(|op| crate::alembic::normal(&op.fragment.sql))
        .collect();
    // Offline, the library prints no values that are given beside a text: NULL stands for each.
    let masked = |statements: &mut Vec<String>| {
        for statement in statements {
            let is_change = ["INSERT", "UPDATE", "DELETE", "WITH", "SELECT"]
                .iter()
                .any(|word| statement.starts_with(word));
            if is_change {
                *statement = mask(statement);
            }
        }
    };
    if theirs.iter().any(|statement| statement.contains("NULL")) {
        masked(&mut theirs);
        masked(&mut ours);
    }
    // A COMMIT of its own is left out with those of the tool.
    ours.retain(|statement| statement != "COMMIT");
    crate::alembic::order(&mut theirs);
    crate::alembic::order(&mut ours);
    count.compared += 1;
    count.statements += theirs.len();
    if ours == theirs {
        return;
    }
    count.different += 1;
    println!("{}", path.display());
    let left: Vec<&str> = theirs.iter().map(String::as_str).collect();
    let right: Vec<&str> = ours.iter().map(String::as_str).collect();
    let mut differing = (0, 0);
    for change in similar::TextDiff::from_slices(&left, &right).iter_all_changes() {
        match change.tag() {
            similar::ChangeTag::Equal => continue,
            similar::ChangeTag::Delete => differing.0 += 1,
            similar::ChangeTag::Insert => differing.1 += 1,
        }
        println!("  {} {}", change.tag(), change.value());
    }
    count.disagreements += differing.0.max(differing.1);
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
        let golden: BTreeMap<String, serde_json::Value> = std::env::var("LOCKGATE_ALEMBIC_GOLDEN")
            .ok()
            .and_then(|directory| {
                let name = project.file_name()?.to_str()?;
                let file = Path::new(&directory).join(format!("{name}.json"));
                serde_json::from_str(&std::fs::read_to_string(file).ok()?).ok()
            })
            .unwrap_or_default();
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
            if let Some(sent) = golden.get(relative.to_str().expect("UTF-8")) {
                compare(&path, script, sent, &mut count);
            }
            for entry in &script.not_analysed {
                *count.reasons.entry(entry.reason.clone()).or_default() += 1;
                if std::env::var_os("LOCKGATE_ALEMBIC_WHY").is_some() {
                    let line = text[..entry.span.start as usize].matches('\n').count() + 1;
                    println!("{}:{line}: {}", path.display(), entry.reason);
                }
            }
        }
        println!("{convention:?}");
        // Tenths of a percent.
        let share = |part: usize, whole: usize| {
            let tenths = 1000 * part / whole.max(1);
            format!("{}.{}", tenths / 10, tenths % 10)
        };
        println!(
            "{:24} {:5} revisions, {:>5} % complete, {:6} calls, {:>5} % known, {} compared with {} statements, {} ({}) differ",
            project
                .file_name()
                .and_then(|name| name.to_str())
                .expect("a name"),
            count.revisions,
            share(count.complete, count.revisions),
            count.calls,
            share(count.known, count.calls),
            count.compared,
            count.statements,
            count.different,
            count.disagreements,
        );
        let mut reasons: Vec<_> = count.reasons.into_iter().collect();
        reasons.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
        for (reason, times) in reasons.iter().take(12) {
            println!("    {times:4} {reason}");
        }
    }
}
