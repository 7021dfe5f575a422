//! `check --fix` and `check --fix --diff`: fixes in rounds, and files written safely.
//!
//! The rounds happen in memory. What a round makes worse in a file is taken back, and that file is left as it was. Files
//! are written at the end, each as a whole: a temporary file beside it takes its place. Only regular files inside the
//! paths that were asked about are written, never through a symbolic link.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Failure;
use super::target::Request;
use crate::analyze;
use crate::fix::{is_worse, round, trouble};
use crate::report::Report;
use crate::settings::Settings;
use crate::source::SourceId;

/// Rounds after which fixes that undo each other are given up.
const MOST_ROUNDS: usize = 10;

/// A file with what the fixes make of it.
pub(super) struct Changed {
    /// Its path as shown.
    pub(super) path: String,
    /// Its path.
    file: PathBuf,
    /// Its text before; none for a file that was not there.
    old: Option<Arc<str>>,
    /// Its text behind all rounds.
    new: Arc<str>,
    /// Number of fixes.
    fixes: usize,
}

/// What the fixes come to.
pub(super) struct Fixed {
    /// The report on the new texts.
    pub(super) report: Report,
    /// The files that change, sorted by path.
    pub(super) changed: Vec<Changed>,
}

impl Fixed {
    /// `fixed 3 problems in 2 files`.
    pub(super) fn in_words(&self, done: &str) -> String {
        let fixes: usize = self.changed.iter().map(|changed| changed.fixes).sum();
        let s = |number: usize| if number == 1 { "" } else { "s" };
        let files = self.changed.len();
        format!(
            "{done} {fixes} problem{} in {files} file{}",
            s(fixes),
            s(files)
        )
    }
}

/// Fixes until nothing is left that can be.
pub(super) fn fix(
    request: &Request,
    settings: &Settings,
    unsafe_too: bool,
) -> Result<Fixed, Failure> {
    let mut texts: BTreeMap<PathBuf, Arc<str>> = BTreeMap::new();
    let mut files: BTreeMap<String, Changed> = BTreeMap::new();
    let mut left_alone: BTreeSet<String> = BTreeSet::new();
    let look = |texts: &BTreeMap<PathBuf, Arc<str>>| {
        let found = request.discover_over(settings, texts)?;
        Ok::<Report, Failure>(analyze::run(found, settings.clone()))
    };
    let mut report = look(&texts)?;
    for _ in 0..MOST_ROUNDS {
        let wanted = |id: SourceId| !left_alone.contains(&report.source(id).path);
        let is_free = |path: &str| {
            let file = request.file(path);
            !texts.contains_key(&file) && file.symlink_metadata().is_err()
        };
        let step = round(&report, unsafe_too, wanted, is_free);
        if step.texts.is_empty() {
            break;
        }
        let mut tried = texts.clone();
        for (id, text) in &step.texts {
            tried.insert(
                request.file(&report.source(*id).path),
                Arc::from(text.as_str()),
            );
        }
        for (path, (_, text)) in &step.new_files {
            tried.insert(request.file(path), Arc::from(text.as_str()));
        }
        let after = look(&tried)?;
        let mut worse = false;
        for id in step.texts.keys() {
            let path = &report.source(*id).path;
            if is_worse(&trouble(&report, path), &trouble(&after, path)) {
                worse = true;
                left_alone.insert(path.clone());
            }
        }
        if worse {
            // The other files get their turn without it.
            continue;
        }
        for (id, number) in &step.fixes {
            let source = report.source(*id);
            let changed = files.entry(source.path.clone()).or_insert_with(|| Changed {
                path: source.path.clone(),
                file: request.file(&source.path),
                old: Some(Arc::clone(&source.text)),
                new: Arc::clone(&source.text),
                fixes: 0,
            });
            changed.fixes += number;
            if let Some(text) = step.texts.get(id) {
                changed.new = Arc::from(text.as_str());
            }
        }
        for (path, (_, text)) in step.new_files {
            let changed = Changed {
                file: request.file(&path),
                path: path.clone(),
                old: None,
                new: Arc::from(text),
                fixes: 0,
            };
            files.insert(path, changed);
        }
        texts = tried;
        report = after;
    }
    Ok(Fixed {
        report,
        changed: files
            .into_values()
            .filter(|changed| changed.old.as_deref() != Some(&*changed.new))
            .collect(),
    })
}

/// Writes the changes as one unified diff.
pub(super) fn diff(fixed: &Fixed, out: &mut dyn Write) -> io::Result<()> {
    for changed in &fixed.changed {
        let old = changed.old.as_deref().unwrap_or_default();
        let diff = similar::TextDiff::from_lines(old, &*changed.new);
        let path = crate::report::harmless::escaped(&changed.path);
        let before = match changed.old {
            Some(_) => format!("a/{path}"),
            None => "/dev/null".to_owned(),
        };
        let names = (before, format!("b/{path}"));
        write!(out, "{}", diff.unified_diff().header(&names.0, &names.1))?;
    }
    Ok(())
}

/// Writes the files.
pub(super) fn write(request: &Request, fixed: &Fixed) -> Result<(), Failure> {
    let roots = request.writable();
    for changed in &fixed.changed {
        write_one(changed, &roots).map_err(|error| Failure::Output {
            path: changed.path.clone(),
            error,
        })?;
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a person asked for these files to be written"
)]
fn write_one(changed: &Changed, roots: &[PathBuf]) -> io::Result<()> {
    let refused = |reason: &str| io::Error::other(reason.to_owned());
    let file = &changed.file;
    let Some(old) = &changed.old else {
        return create(changed, roots);
    };
    let data = std::fs::symlink_metadata(file)?;
    if !data.is_file() {
        return Err(refused("it is no regular file; fix the file itself"));
    }
    let real = file.canonicalize()?;
    let inside = |root: &PathBuf| root.canonicalize().is_ok_and(|root| real.starts_with(root));
    if !roots.iter().any(inside) {
        return Err(refused("it lies outside of what was asked about"));
    }
    if std::fs::read(&real)? != old.as_bytes() {
        return Err(refused("it has changed since it was read; try again"));
    }
    let (Some(directory), Some(name)) = (real.parent(), real.file_name()) else {
        return Err(refused("it has no directory"));
    };
    let temporary = directory.join(format!(
        ".{}.lockgate-{}",
        name.to_string_lossy(),
        std::process::id()
    ));
    let result = replace(&temporary, &real, &changed.new, &data);
    if result.is_err() {
        // What failed is told; a temporary file that cannot be removed either is not the news.
        let _ = std::fs::remove_file(&temporary);
    }
    result
}

/// Writes a file that is not there yet, beside one of those that were asked about.
#[expect(
    clippy::disallowed_methods,
    reason = "a person asked for these files to be written"
)]
fn create(changed: &Changed, roots: &[PathBuf]) -> io::Result<()> {
    let directory = changed.file.parent().unwrap_or(Path::new("."));
    let real = directory.canonicalize()?;
    let inside = |root: &PathBuf| {
        let root = root.canonicalize().ok();
        // A file that was named lets one beside it come into being.
        root.is_some_and(|root| real.starts_with(&root) || root.parent() == Some(&*real))
    };
    if !roots.iter().any(inside) {
        return Err(io::Error::other("it lies outside of what was asked about"));
    }
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).open(&changed.file)?;
    file.write_all(changed.new.as_bytes())?;
    file.sync_all()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a person asked for these files to be written"
)]
fn replace(temporary: &Path, real: &Path, text: &str, data: &std::fs::Metadata) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).open(temporary)?;
    file.write_all(text.as_bytes())?;
    file.set_permissions(data.permissions())?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(temporary, real)
}
