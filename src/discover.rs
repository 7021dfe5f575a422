//! Finds the migrations and reads them: the only place that touches files.
//!
//! A path on the command line selects what is looked at. A directory stands for all migrations inside it, a file for
//! its own migration; either way the whole history that it belongs to is read, because only that says what a statement
//! meets. What was not selected is replayed and not reported ([`Project::wanted`]).

mod base;
mod git;
mod read;
mod select;
mod tree;

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

pub use self::git::GitError;
use self::select::Run;
use crate::diagnostic::{FileError, NotAnalysed};
use crate::layout::{Found, Problem, Script};
use crate::settings::Settings;
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
    /// Only what Git says has changed is pending.
    pub changed: Option<&'a Changed>,
}

/// What Git is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// What has changed since the branch left the one of that name; also, where the two collide.
    Since(String),
    /// What is staged: the index is what is looked at, not the work tree.
    Staged {
        /// The index, if it is not the repository's usual one: `GIT_INDEX_FILE`, absolute.
        index: Option<PathBuf>,
    },
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
    /// The sources of the application that the configuration names.
    pub code: Vec<SourceId>,
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
    /// Parts of those files that hold migrations for which none are wanted, sorted.
    pub settled: Vec<Location>,
    /// The other database that the migrations are written for; their statements must not be judged.
    pub dialect: Option<&'static str>,
}

/// Finds and reads the migrations that a request selects.
///
/// # Errors
/// If Git is asked for and cannot answer.
pub fn discover(request: &Request<'_>) -> Result<Discovered, GitError> {
    let mut run = Run::new(request);
    run.select();
    run.compare()?;
    Ok(run.read())
}

/// The same, with texts that stand for what is on disk, by absolute path.
///
/// # Errors
/// If Git is asked for and cannot answer.
pub fn discover_over(
    request: &Request<'_>,
    texts: &BTreeMap<PathBuf, Arc<str>>,
) -> Result<Discovered, GitError> {
    let mut run = Run::new(request);
    run.texts = Some(texts);
    run.select();
    run.compare()?;
    Ok(run.read())
}

/// The name under which standard input is shown if it stands for no file.
const STDIN: &str = "<stdin>";

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

fn is_python(path: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, extension)| extension == "py")
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
