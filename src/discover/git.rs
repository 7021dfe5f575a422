//! Reading a Git repository: commits, the index, and the texts in them.
//!
//! The `git` program does the reading, and only its plumbing that looks things up. A library was the alternative: measured
//! on two cores, gix (few features) adds 128 crates and 29 s to the first build, libgit2 15 crates and 13 s; libgit2
//! refuses SHA-256 and reftable repositories and sparse indexes, and wants its owner check switched off through unsafe
//! code. The program costs nothing, reads every repository that a person's own Git reads, and is there where a
//! repository is.
//!
//! Nothing in a repository may run code, whoever wrote its configuration:
//!
//! - The commands are `rev-parse`, `merge-base`, `ls-tree`, `ls-files --stage` and `cat-file --batch`: none of them knows
//!   filters, `textconv`, external diffs, aliases, signatures or pagers, and none writes, so no hook is due.
//! - `core.fsmonitor` and `core.hooksPath` are overridden all the same.
//! - Nothing is fetched, not even what a partial clone lacks: `GIT_NO_LAZY_FETCH` says so to newer versions, and an empty
//!   `GIT_ALLOW_PROTOCOL` forbids older ones every transport, over any configuration.
//! - The environment's own `GIT_*` variables are not handed on; of them only an index inside of the repository counts,
//!   which is how `git commit -a` tells its hook what is being committed.
//! - The program is looked for in absolute directories of `PATH` only, so never in the repository.
//!
//! So the check of `safe.directory`, which guards against such code, is not needed and is waived: it would stop most
//! containers.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// Why Git could not be asked, or what it does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct GitError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl GitError {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: help.into(),
        }
    }

    /// A repository without any commit.
    pub(super) fn no_commit() -> Self {
        Self::new(
            "there is no commit yet that could be compared",
            "use `--staged`, or commit first",
        )
    }
}

/// Always given: nothing that a repository's configuration names is run.
const OVERRIDES: &[&str] = &[
    "safe.directory=*",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "protocol.allow=never",
];

/// An object's id.
pub(super) type Oid = String;

/// A file of a commit or of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// Its path below the top of the repository; none if it is not UTF-8.
    path: Option<String>,
    /// The path as a person reads it.
    shown: String,
    oid: Oid,
    sort: Sort,
    /// It has conflicts that nobody has resolved.
    unmerged: bool,
}

/// What an entry stands for; links and directories are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    File,
    /// Another repository, at a commit.
    Submodule,
}

/// The files below a directory at one time.
#[derive(Default)]
pub(super) struct Snapshot {
    /// Where their texts are, by path relative to the directory, with `/`.
    pub(super) files: BTreeMap<String, Blob>,
    /// Files that cannot be looked at, with the reason.
    pub(super) unusable: Vec<(String, &'static str)>,
}

/// A text in a repository.
#[derive(Clone)]
pub(super) struct Blob {
    git: Arc<Git>,
    oid: Oid,
}

impl Blob {
    /// True for the same text; two texts that differ in nothing have one id.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.oid == other.oid
    }

    /// Its bytes, if they are there and not more than `limit`.
    pub(super) fn read(&self, limit: u64) -> Result<Vec<u8>, String> {
        self.git.read(&self.oid, limit)
    }
}

/// What a snapshot shows.
#[derive(Debug, Clone)]
pub(super) enum At {
    /// What is staged.
    Index,
    /// A commit.
    Commit(Oid),
}

/// Submodules in submodules are followed so far.
const MAX_DEPTH: usize = 8;

/// A repository with a work tree.
pub(super) struct Git {
    program: PathBuf,
    /// The top of the work tree, absolute.
    top: PathBuf,
    /// The directory that was asked about, below the top; empty for the top itself.
    prefix: String,
    /// An index that stands for the repository's own.
    index: Option<PathBuf>,
    texts: Mutex<Option<Texts>>,
}

impl Git {
    /// The repository that a directory lies in. `index` is the process's `GIT_INDEX_FILE`, absolute.
    pub(super) fn open(directory: &Path, index: Option<&Path>) -> Result<Self, GitError> {
        let program = program().ok_or_else(|| {
            GitError::new(
                "`git` is needed for this, and there is no such program",
                "install Git, or leave `--base` and `--staged` away",
            )
        })?;
        let mut git = Self {
            program,
            top: directory.to_owned(),
            prefix: String::new(),
            index: None,
            texts: Mutex::default(),
        };
        let arguments = [
            "rev-parse",
            "--show-toplevel",
            "--absolute-git-dir",
            "--show-prefix",
        ];
        let found = String::from_utf8(git.ask(&arguments)?).map_err(|_| {
            GitError::new(
                format!(
                    "the path of the repository around `{}` is not UTF-8",
                    directory.display()
                ),
                "rename its directory",
            )
        })?;
        let mut lines = found.split('\n').map(|line| line.trim_end_matches('\r'));
        let mut next = || lines.next().unwrap_or_default();
        git.top = PathBuf::from(next());
        let own = PathBuf::from(next());
        next().trim_end_matches('/').clone_into(&mut git.prefix);
        git.index = index
            .filter(|index| index.starts_with(&own))
            .map(Path::to_owned);
        Ok(git)
    }

    /// The commit of a name.
    pub(super) fn commit(&self, name: &str) -> Result<Oid, GitError> {
        let unknown = || {
            let fetch = match name.strip_prefix("origin/") {
                Some(branch) => format!("git fetch origin {branch}:refs/remotes/origin/{branch}"),
                None => "git fetch".to_owned(),
            };
            GitError::new(
                format!("Git knows no commit `{name}` in `{}`", self.top.display()),
                format!("fetch it first: `{fetch}`; `git branch --all` lists what is there"),
            )
        };
        if name.is_empty() || name.starts_with('-') || name.contains('\0') {
            return Err(unknown());
        }
        let commit = format!("{name}^{{commit}}");
        let out = self.run(&["rev-parse", "--verify", "--quiet", &commit])?;
        out.success().map(|out| line(&out)).map_err(|_| unknown())
    }

    /// The commit that is checked out; none before the first one.
    pub(super) fn head(&self) -> Result<Option<Oid>, GitError> {
        let out = self.run(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?;
        Ok(out.success().map(|out| line(&out)).ok())
    }

    /// The newest commit that both have behind them.
    pub(super) fn merge_base(&self, name: &str, base: &Oid, head: &Oid) -> Result<Oid, GitError> {
        let out = self.run(&["merge-base", base, head])?;
        if let Ok(found) = out.success() {
            return Ok(line(&found));
        }
        let is_shallow = line(&self.ask(&["rev-parse", "--is-shallow-repository"])?) == "true";
        Err(if is_shallow {
            GitError::new(
                format!(
                    "this clone is shallow: it does not reach back to where the branch left `{name}`"
                ),
                "fetch the rest: `git fetch --unshallow` (GitHub: `fetch-depth: 0` for actions/checkout; GitLab: `GIT_DEPTH: 0`)",
            )
        } else {
            GitError::new(
                format!("the branch has no commit in common with `{name}`"),
                "name the branch that this one is merged into",
            )
        })
    }

    /// The files below the directory that was asked about, with those in its submodules.
    pub(super) fn snapshot(self: &Arc<Self>, at: &At) -> Result<Snapshot, GitError> {
        let mut snapshot = Snapshot::default();
        let mut waiting = vec![(
            Arc::clone(self),
            at.clone(),
            self.prefix.clone(),
            String::new(),
            0,
        )];
        while let Some((git, at, prefix, place, depth)) = waiting.pop() {
            for entry in git.entries(&at, &prefix)? {
                let inside = |path: &str| {
                    let path = match prefix.as_str() {
                        "" => path,
                        prefix => path.strip_prefix(prefix)?.strip_prefix('/')?,
                    };
                    Some(format!("{place}{path}"))
                };
                let Some(shown) = inside(&entry.shown) else {
                    continue;
                };
                let Some(path) = entry.path.as_deref().and_then(inside) else {
                    snapshot
                        .unusable
                        .push((shown, "its name is not UTF-8; rename it"));
                    continue;
                };
                match entry.sort {
                    Sort::File if entry.unmerged => {
                        snapshot
                            .unusable
                            .push((path, "it has conflicts; resolve them and stage it"));
                    }
                    Sort::File => {
                        let git = Arc::clone(&git);
                        snapshot.files.insert(
                            path,
                            Blob {
                                git,
                                oid: entry.oid,
                            },
                        );
                    }
                    Sort::Submodule if depth < MAX_DEPTH => {
                        let own = git.top.join(entry.path.as_deref().unwrap_or_default());
                        // One that was never fetched has no files in the work tree either.
                        if let Ok(other) = Self::open(&own, None)
                            && other.prefix.is_empty()
                            && other.top != git.top
                        {
                            let at = At::Commit(entry.oid);
                            waiting.push((
                                Arc::new(other),
                                at,
                                String::new(),
                                format!("{path}/"),
                                depth + 1,
                            ));
                        }
                    }
                    Sort::Submodule => {}
                }
            }
        }
        Ok(snapshot)
    }

    /// What lies in a directory.
    fn entries(&self, at: &At, directory: &str) -> Result<Vec<Entry>, GitError> {
        let below = format!("{directory}/");
        let only: &[&str] = if directory.is_empty() {
            &[]
        } else {
            &["--", &below]
        };
        match at {
            // `<mode> <type> <oid>TAB<path>`
            At::Commit(commit) => {
                let out =
                    self.ask(&[&["ls-tree", "-r", "-z", "--full-tree", commit], only].concat())?;
                Ok(entries(&out, |fields| match fields {
                    &[mode, _, oid] => Some((mode, oid, false)),
                    _ => None,
                }))
            }
            // `<mode> <oid> <stage>TAB<path>`
            At::Index => {
                let out =
                    self.ask(&[&["ls-files", "--stage", "-z", "--full-name"], only].concat())?;
                let mut all = entries(&out, |fields| match fields {
                    &[mode, oid, stage] => Some((mode, oid, stage != "0")),
                    _ => None,
                });
                all.dedup_by(|a, b| a.shown == b.shown);
                Ok(all)
            }
        }
    }

    /// The bytes of an object, if it is there and not larger than `limit`.
    fn read(&self, oid: &Oid, limit: u64) -> Result<Vec<u8>, String> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let running = match texts.take() {
            Some(running) => Ok(running),
            None => self.start(),
        };
        let mut running = running.map_err(|error| format!("cannot be read from Git: {error}"))?;
        let read = running.read(oid, limit);
        // After a failure nobody knows what comes next.
        if let Ok(read) = read {
            *texts = Some(running);
            return read;
        }
        Err("cannot be read from Git: it ended early".to_owned())
    }

    fn start(&self) -> std::io::Result<Texts> {
        let mut child = self
            .command(&["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let closed = || std::io::Error::other("a pipe is closed");
        let input = child.stdin.take().ok_or_else(closed)?;
        let output = BufReader::new(child.stdout.take().ok_or_else(closed)?);
        Ok(Texts {
            child,
            input: Some(input),
            output,
        })
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that runs Git")]
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        let own = std::env::vars_os().map(|(name, _)| name);
        for name in own.filter(|name| {
            name.to_string_lossy()
                .to_ascii_uppercase()
                .starts_with("GIT_")
        }) {
            command.env_remove(name);
        }
        if let Some(index) = &self.index {
            command.env("GIT_INDEX_FILE", index);
        }
        command
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_ALLOW_PROTOCOL", "")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .current_dir(&self.top)
            .arg("--no-pager")
            .arg("--literal-pathspecs");
        for setting in OVERRIDES {
            command.args(["-c", setting]);
        }
        command.args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Result<Answer, GitError> {
        let output = self
            .command(arguments)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| {
                GitError::new(
                    format!("`{}` cannot be run: {error}", self.program.display()),
                    "repair the installation of Git",
                )
            })?;
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.split('\n').next().unwrap_or_default();
        Ok(if output.status.success() {
            Answer(Ok(output.stdout))
        } else {
            Answer(Err(said.trim_start_matches("fatal: ").to_owned()))
        })
    }

    /// Runs what works in every repository.
    fn ask(&self, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
        self.run(arguments)?.success().map_err(|said| {
            let place = self.top.display();
            if said.contains("not a git repository") || said.contains("must be run in a work tree")
            {
                GitError::new(
                    format!("`{place}` does not lie in a Git work tree"),
                    "run it inside of a clone, or leave `--base` and `--staged` away",
                )
            } else {
                GitError::new(
                    format!("Git cannot read the repository around `{place}`: {said}"),
                    "see whether `git status` works there",
                )
            }
        })
    }
}

/// What Git wrote, or its first complaint.
struct Answer(Result<Vec<u8>, String>);

impl Answer {
    fn success(self) -> Result<Vec<u8>, String> {
        self.0
    }
}

/// A `git cat-file --batch` that answers one question after the other.
struct Texts {
    child: Child,
    /// None once it is told to end.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Texts {
    /// The outer error is one of the pipe.
    fn read(&mut self, oid: &Oid, limit: u64) -> std::io::Result<Result<Vec<u8>, String>> {
        if let Some(input) = &mut self.input {
            writeln!(input, "{oid}")?;
            input.flush()?;
        }
        let mut header = String::new();
        self.output.read_line(&mut header)?;
        // `<oid> blob <size>`, or `<oid> missing`
        let fields: Vec<&str> = header.split_whitespace().collect();
        let &[_, kind, size] = fields.as_slice() else {
            if fields.last() == Some(&"missing") {
                return Ok(Err("its text is not in this clone; a partial clone can be filled with `git fetch --refetch --filter=blob:limit=1g`".to_owned()));
            }
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        };
        let size: u64 = size.parse().map_err(std::io::Error::other)?;
        let mut body = self.output.by_ref().take(size);
        let mut bytes = Vec::new();
        if size <= limit && kind == "blob" {
            body.read_to_end(&mut bytes)?;
        } else {
            std::io::copy(&mut body, &mut std::io::sink())?;
        }
        self.output.read_exact(&mut [0])?;
        Ok(if size > limit {
            Err(format!(
                "larger than {} MiB; split it, or leave it out of the migrations",
                limit >> 20
            ))
        } else {
            Ok(bytes)
        })
    }
}

impl Drop for Texts {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// The `git` of the first absolute directory in `PATH` that has one.
#[expect(clippy::disallowed_methods, reason = "the one place that runs Git")]
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let name = format!("git{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(&name))
        .find(|program| program.is_file())
}

/// Mode, id, and whether it has conflicts.
type Fields<'f> = (&'f str, &'f str, bool);

/// Entries of a list that ends each with a zero byte: fields with blanks between them, a tab, the path. `read` picks
/// mode, id and whether it has conflicts out of the fields.
fn entries(out: &[u8], read: for<'f> fn(&[&'f str]) -> Option<Fields<'f>>) -> Vec<Entry> {
    out.split(|byte| *byte == 0)
        .filter_map(|entry| {
            let tab = memchr::memchr(b'\t', entry)?;
            let fields = std::str::from_utf8(&entry[..tab]).ok()?;
            let fields: Vec<&str> = fields.split_whitespace().collect();
            let (mode, oid, unmerged) = read(&fields)?;
            let sort = match mode {
                "160000" => Sort::Submodule,
                mode if mode.starts_with("100") => Sort::File,
                _ => return None,
            };
            let path = &entry[tab + 1..];
            Some(Entry {
                path: std::str::from_utf8(path).ok().map(str::to_owned),
                shown: String::from_utf8_lossy(path).into_owned(),
                oid: oid.to_owned(),
                sort,
                unmerged,
            })
        })
        .collect()
}

fn line(out: &[u8]) -> String {
    String::from_utf8_lossy(out).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_taken_apart() {
        let out = b"100644 blob aa\tm/1 \xc3\xa9.sql\x00120000 blob bb\tlink\x00160000 commit cc\tsub\x00100755 blob dd\tm/\xff.sql\0";
        let found = entries(out, |fields| match fields {
            &[mode, _, oid] => Some((mode, oid, false)),
            _ => None,
        });
        let found: Vec<(Option<&str>, Sort)> = found
            .iter()
            .map(|entry| (entry.path.as_deref(), entry.sort))
            .collect();
        assert_eq!(
            found,
            [
                (Some("m/1 é.sql"), Sort::File),
                (Some("sub"), Sort::Submodule),
                (None, Sort::File)
            ]
        );
    }
}
