//! The files below one directory: walking, and reading them as text.
#![expect(clippy::disallowed_methods, reason = "the one place that reads files")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use walkdir::{DirEntry, WalkDir};

use super::git::{Blob, Snapshot};
use super::{is_python, is_sql};
use crate::diagnostic::FileError;
use crate::layout::{Files, PythonModule, parse_python};

/// Files larger than this are refused.
const MAX_BYTES: u64 = 64 << 20;
/// Configuration files larger than this are not looked at.
const MAX_CONFIG_BYTES: u64 = 1 << 20;
/// Directories that hold other people's files or build products.
const SKIPPED: &[&str] = &[
    "node_modules",
    "target",
    "venv",
    "env.bak",
    "__pycache__",
    "bower_components",
    "site-packages",
];

/// The files below a directory.
pub(super) struct Tree {
    /// The directory, absolute.
    pub(super) root: PathBuf,
    paths: Vec<String>,
    /// Symbolic links that lead nowhere.
    pub(super) broken: Vec<String>,
    /// Texts that stand for what is on disk (an editor's buffer).
    overlay: BTreeMap<String, Arc<str>>,
    /// For a tree that is not on disk: where its texts are.
    blobs: Option<BTreeMap<String, Blob>>,
    texts: Mutex<BTreeMap<String, Option<Arc<str>>>>,
    /// Python files that many revisions import.
    modules: Mutex<BTreeMap<String, Option<Arc<PythonModule>>>>,
}

impl Tree {
    /// Walks a directory. `top` is where ignore files above begin to count.
    pub(super) fn walk(
        root: &Path,
        top: &Path,
        errors: &mut Vec<FileError>,
        shown: &dyn Fn(&Path) -> String,
    ) -> Self {
        let mut ignores = Ignores::above(root, top);
        let mut paths = Vec::new();
        let mut broken = Vec::new();
        let walk = WalkDir::new(root).follow_links(false).sort_by_file_name();
        for entry in walk.into_iter().filter_entry(|entry| ignores.keeps(entry)) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let path = error.path().unwrap_or(root);
                    errors.push(FileError {
                        path: shown(path),
                        message: cause(
                            &error
                                .io_error()
                                .map_or_else(|| error.to_string(), ToString::to_string),
                        ),
                    });
                    continue;
                }
            };
            if entry.file_type().is_dir() {
                continue;
            }
            let Some(path) = relative(entry.path(), root) else {
                if entry
                    .path()
                    .extension()
                    .is_some_and(|extension| extension == "sql" || extension == "py")
                {
                    errors.push(FileError {
                        path: shown(entry.path()),
                        message: "its name is not UTF-8; rename it".to_owned(),
                    });
                }
                continue;
            };
            if entry.file_type().is_symlink() {
                match fs::metadata(entry.path()) {
                    Ok(target) if target.is_file() => paths.push(path),
                    Ok(_) => {}
                    Err(_) => broken.push(path),
                }
            } else if entry.file_type().is_file() {
                paths.push(path);
            }
        }
        paths.sort_unstable();
        Self {
            root: root.to_owned(),
            paths,
            broken,
            overlay: BTreeMap::new(),
            blobs: None,
            texts: Mutex::default(),
            modules: Mutex::default(),
        }
    }

    /// What Git has below a directory, without what a walk leaves out. What cannot be read is an error if it is a
    /// migration by its name.
    pub(super) fn of_snapshot(
        root: &Path,
        snapshot: Snapshot,
        errors: &mut Vec<FileError>,
        shown: &dyn Fn(&Path) -> String,
    ) -> Self {
        let is_migration = |path: &str| is_sql(path) || is_python(path);
        for (path, why) in snapshot.unusable {
            if is_migration(&path) && !is_skipped(&path) {
                errors.push(FileError {
                    path: shown(&root.join(path)),
                    message: why.to_owned(),
                });
            }
        }
        let mut blobs = snapshot.files;
        blobs.retain(|path, _| !is_skipped(path));
        Self {
            paths: blobs.keys().cloned().collect(),
            blobs: Some(blobs),
            ..Self::empty(root)
        }
    }

    /// What Git has where it has nothing yet.
    pub(super) fn of_nothing(root: &Path) -> Self {
        Self {
            blobs: Some(BTreeMap::new()),
            ..Self::empty(root)
        }
    }

    /// A tree without files.
    pub(super) fn empty(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            paths: Vec::new(),
            broken: Vec::new(),
            overlay: BTreeMap::new(),
            blobs: None,
            texts: Mutex::default(),
            modules: Mutex::default(),
        }
    }

    /// The file's text in Git, for a tree of Git's.
    pub(super) fn blob(&self, path: &str) -> Option<&Blob> {
        self.blobs.as_ref()?.get(path)
    }

    /// Adds a file that was named by a person, whatever ignore files say. What Git does not have cannot be added.
    pub(super) fn add(&mut self, path: &str) {
        if self.blobs.is_none() {
            self.insert(path);
        }
    }

    /// Adds a file whose text is not the one on disk.
    pub(super) fn overlay(&mut self, path: &str, text: Arc<str>) {
        self.insert(path);
        self.overlay.insert(path.to_owned(), text);
    }

    fn insert(&mut self, path: &str) {
        if let Err(at) = self
            .paths
            .binary_search_by(|other| other.as_str().cmp(path))
        {
            self.paths.insert(at, path.to_owned());
        }
    }

    /// Reads a file; an error says what failed and what to try.
    pub(super) fn read(&self, path: &str) -> Result<Arc<str>, String> {
        match self.overlay.get(path) {
            Some(text) => Ok(Arc::clone(text)),
            None => self.read_up_to(path, MAX_BYTES),
        }
    }

    fn read_up_to(&self, path: &str, limit: u64) -> Result<Arc<str>, String> {
        let text = match self.blobs.as_ref().map(|blobs| blobs.get(path)) {
            None => read(&self.root.join(path), limit)?,
            Some(Some(blob)) => decode(blob.read(limit)?)?,
            Some(None) => return Err("it is not there".to_owned()),
        };
        Ok(Arc::from(text))
    }
}

impl Files for Tree {
    fn paths(&self) -> &[String] {
        &self.paths
    }

    fn text(&self, path: &str) -> Option<Arc<str>> {
        if let Some(text) = self.overlay.get(path) {
            return Some(Arc::clone(text));
        }
        // Layouts ask for files by name; what the walk left out does not exist for them.
        self.paths
            .binary_search_by(|other| other.as_str().cmp(path))
            .ok()?;
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        texts
            .entry(path.to_owned())
            .or_insert_with(|| self.read_up_to(path, MAX_CONFIG_BYTES).ok())
            .clone()
    }

    fn python(&self, path: &str) -> Option<Arc<PythonModule>> {
        let known =
            |modules: &BTreeMap<String, Option<Arc<PythonModule>>>| modules.get(path).cloned();
        let lock = || self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = known(&lock()) {
            return module;
        }
        // Parsed without the lock: others need it meanwhile, and the same file parsed twice is the same.
        let module = self.text(path).map(|text| parse_python(&text));
        lock().entry(path.to_owned()).or_insert(module).clone()
    }
}

/// What ignore files say, from the directory of each down.
struct Ignores {
    /// Those above the root; they count unless they ignore the root itself, which was named by a person.
    above: Vec<Gitignore>,
    /// Those inside, with their depth.
    inside: Vec<(usize, Gitignore)>,
}

impl Ignores {
    fn above(root: &Path, top: &Path) -> Self {
        let mut above: Vec<Gitignore> = root
            .ancestors()
            .skip(1)
            .take_while(|directory| directory.starts_with(top))
            .filter_map(Self::read)
            .collect();
        if above
            .iter()
            .any(|ignore| ignore.matched_path_or_any_parents(root, true).is_ignore())
        {
            above.clear();
        }
        Self {
            above,
            inside: Vec::new(),
        }
    }

    fn read(directory: &Path) -> Option<Gitignore> {
        let mut builder = GitignoreBuilder::new(directory);
        let mut any = false;
        for file in [".gitignore", ".git/info/exclude"] {
            let file = directory.join(file);
            // A line that is no pattern is Git's to complain about.
            if file.is_file() {
                builder.add(file);
                any = true;
            }
        }
        builder.build().ok().filter(|_| any)
    }

    fn keeps(&mut self, entry: &DirEntry) -> bool {
        let is_directory = entry.file_type().is_dir();
        self.inside.retain(|(depth, _)| *depth < entry.depth());
        if entry.depth() > 0 {
            let name = entry.file_name().to_string_lossy();
            if is_left_out(&name, is_directory) || (is_directory && is_venv(entry.path())) {
                return false;
            }
            let nearest_first = self
                .inside
                .iter()
                .rev()
                .map(|(_, ignore)| ignore)
                .chain(&self.above);
            let verdict = nearest_first
                .map(|ignore| ignore.matched(entry.path(), is_directory))
                .find(|verdict| !verdict.is_none());
            if verdict.is_some_and(|verdict| verdict.is_ignore()) {
                return false;
            }
        }
        if is_directory && let Some(ignore) = Self::read(entry.path()) {
            self.inside.push((entry.depth(), ignore));
        }
        true
    }
}

/// True for names that are never looked at.
fn is_left_out(name: &str, is_directory: bool) -> bool {
    name.starts_with('.') || (is_directory && SKIPPED.contains(&name))
}

/// True if a part of the path is never looked at.
fn is_skipped(path: &str) -> bool {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    is_left_out(name, false) || directory.split('/').any(|part| is_left_out(part, true))
}

/// True for a Python environment, whatever it is called.
fn is_venv(directory: &Path) -> bool {
    directory.join("pyvenv.cfg").is_file()
}

/// A path below a directory, with `/`; none if it is not below it or not UTF-8.
pub(super) fn relative(path: &Path, root: &Path) -> Option<String> {
    let path = path.strip_prefix(root).ok()?;
    let parts: Option<Vec<&str>> = path
        .components()
        .map(|part| part.as_os_str().to_str())
        .collect();
    Some(parts?.join("/"))
}

fn read(path: &Path, limit: u64) -> Result<String, String> {
    let failed = |error: std::io::Error| cause(&error.to_string());
    let file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    let too_large = || {
        format!(
            "larger than {} MiB; split it, or leave it out of the migrations",
            limit >> 20
        )
    };
    if size > limit {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    // What is no regular file tells no size: one byte more than allowed is enough to know.
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(too_large());
    }
    decode(bytes)
}

fn cause(error: &str) -> String {
    let error = error.split(" (os error").next().unwrap_or(error);
    format!("cannot be read: {error}")
}

/// Text from bytes, or where they stop being UTF-8.
pub(super) fn decode(bytes: Vec<u8>) -> Result<String, String> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err("UTF-16 (it begins with a byte order mark); save it as UTF-8, for instance with `iconv -f UTF-16 -t UTF-8`".to_owned());
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let before = &error.as_bytes()[..at];
        let ends = memchr::memchr2_iter(b'\n', b'\r', before).filter(|&end| before[end] == b'\n' || before.get(end + 1) != Some(&b'\n'));
        let line = ends.count() + 1;
        format!("not UTF-8 at byte {at} (line {line}); save it as UTF-8, for instance with `iconv -f LATIN1 -t UTF-8`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_utf8_are_located() {
        assert_eq!(decode(b"a\xc3\xa9".to_vec()).as_deref(), Ok("a\u{e9}"));
        let message = decode(b"a\r\nb\rc\n\xe9".to_vec()).unwrap_err();
        assert!(
            message.starts_with("not UTF-8 at byte 7 (line 4)"),
            "{message}"
        );
        assert!(
            decode(b"\xff\xfea\0".to_vec())
                .unwrap_err()
                .starts_with("UTF-16")
        );
        assert_eq!(
            decode(b"\xef\xbb\xbfa".to_vec()).as_deref(),
            Ok("\u{feff}a")
        );
    }
}
