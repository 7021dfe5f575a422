//! What is pending by Git: the files that another commit does not have as they are.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::git::{At, Git, GitError, Snapshot};
use super::select::{Run, Selection};
use super::tree::Tree;
use super::{Changed, STDIN};
use crate::diagnostic::FileError;
use crate::layout::base::{Branch, compare};
use crate::layout::{self, File, Files, Found, Problem, ProblemKind, Script};
use crate::source::{Location, Source, SourceId};

/// What a ground is compared with.
pub(super) struct Then {
    /// The commit that the branch comes from, or the one that is checked out.
    tree: Tree,
    /// The other branch as it is now, with its name: it may have taken versions in the meantime.
    other: Option<(String, Tree)>,
}

/// The files of a history that are pending.
pub(super) struct Pending {
    pub(super) files: BTreeSet<SourceId>,
    /// Parts of them that are not, sorted.
    pub(super) settled: Vec<Location>,
    /// What the branch does to applied migrations, and where it collides with the other one.
    pub(super) problems: Vec<Problem>,
}

impl Run<'_> {
    /// What is staged below a directory, if that is what is looked at.
    pub(super) fn staged(&mut self, root: &Path) -> Option<Snapshot> {
        let Some(Changed::Staged { index }) = self.request.changed else {
            return None;
        };
        let snapshot =
            Git::open(root, index.as_deref()).and_then(|git| Arc::new(git).snapshot(&At::Index));
        Some(snapshot.unwrap_or_else(|error| {
            self.failure.get_or_insert(error);
            Snapshot::default()
        }))
    }

    /// Looks up what every ground with migrations is compared with.
    pub(super) fn compare(&mut self) -> Result<(), GitError> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        let Some(changed) = self.request.changed else {
            return Ok(());
        };
        for index in 0..self.grounds.len() {
            let is_compared = |selection: &Selection| {
                selection.ground == index && selection.files.iter().any(|file| file != STDIN)
            };
            if self.selections.iter().any(is_compared) {
                let then = Then::of(&self.grounds[index].tree.root, changed)?;
                self.grounds[index].then = Some(then);
            }
        }
        Ok(())
    }

    /// What of a history is pending; none if all of it is. `own` are its files, `scripts` what is in them in order.
    pub(super) fn pending(
        &self,
        selection: &Selection,
        own: &[(&String, &Source)],
        scripts: &[Script],
        errors: &mut Vec<FileError>,
    ) -> Option<Pending> {
        let ground = &self.grounds[selection.ground];
        let then = ground.then.as_ref()?;
        let states: Vec<Result<bool, String>> = own
            .par_iter()
            .map(|(path, source)| then.has(path, &source.text, &ground.tree))
            .collect();
        let mut changed = BTreeSet::new();
        for ((path, source), state) in own.iter().zip(states) {
            match state {
                Ok(true) => {}
                Ok(false) => {
                    changed.insert(source.id);
                }
                Err(message) => errors.push(FileError {
                    path: self.shown(&ground.tree.root.join(path)),
                    message,
                }),
            }
        }
        if selection.is_single {
            return Some(Pending {
                files: changed,
                settled: Vec::new(),
                problems: Vec::new(),
            });
        }
        let found = then.found(selection, &ground.tree);
        let is_unchanged = |path: &str| {
            own.binary_search_by(|(own, _)| own.as_str().cmp(path))
                .is_ok_and(|at| !changed.contains(&own[at].1.id))
        };
        let before: Vec<String> = (found.layout.files)(&found, &then.tree)
            .into_iter()
            .filter(|path| !is_unchanged(path))
            .collect();
        let before = scripts_of(&found, &then.tree, &before);
        let ahead = then.other.as_ref().map_or_else(Vec::new, |(_, tree)| {
            let is_new = |path: &String| match (tree.blob(path), then.tree.blob(path)) {
                (Some(now), Some(before)) => !now.is(before),
                _ => true,
            };
            let mut files = (found.layout.files)(&found, tree);
            files.retain(is_new);
            scripts_of(&found, tree, &files)
        });
        let branch = Branch {
            name: then.other.as_ref().map_or("HEAD", |(name, _)| name),
            changed: &changed,
            then: &before,
            ahead: &ahead,
        };
        let mut comparison = compare(&found, scripts, &branch);
        if selection.wanted.is_some() {
            // Nobody asked about what is not there.
            comparison
                .problems
                .retain(|problem| problem.kind != ProblemKind::Gone);
        }
        changed.retain(|file| !comparison.moved.contains(file));
        Some(Pending {
            files: changed,
            settled: comparison.settled,
            // What is only committed may still be changed.
            problems: match then.other {
                Some(_) => comparison.problems,
                None => Vec::new(),
            },
        })
    }
}

impl Then {
    fn of(root: &Path, changed: &Changed) -> Result<Self, GitError> {
        let git = Arc::new(Git::open(root, None)?);
        let tree = |commit: &str| -> Result<Tree, GitError> {
            let snapshot = git.snapshot(&At::Commit(commit.to_owned()))?;
            Ok(Tree::of_snapshot(
                root,
                snapshot,
                &mut Vec::new(),
                &|path| path.display().to_string(),
            ))
        };
        let head = git.head()?;
        let name = match changed {
            Changed::Staged { .. } => {
                return Ok(Self {
                    tree: head.map_or_else(|| Ok(Tree::of_nothing(root)), |head| tree(&head))?,
                    other: None,
                });
            }
            Changed::Since(name) => name,
        };
        let other = git.commit(name)?;
        let Some(head) = head else {
            return Err(GitError::no_commit());
        };
        let parted = git.merge_base(name, &other, &head)?;
        Ok(Self {
            tree: tree(&parted)?,
            other: Some((name.clone(), tree(&other)?)),
        })
    }

    /// True if a file was there with that text, and with the same settings beside it.
    pub(super) fn has(&self, path: &str, text: &str, now: &Tree) -> Result<bool, String> {
        if self.tree.blob(path).is_none() {
            return Ok(false);
        }
        // Git may have changed line ends on the way into the work tree.
        let is_same =
            |a: &str, b: &str| a == b || a.replace("\r\n", "\n") == b.replace("\r\n", "\n");
        if !is_same(&self.tree.read(path)?, text) {
            return Ok(false);
        }
        // Flyway and Diesel keep a migration's own settings beside it.
        let (directory, _) = path.rsplit_once('/').unwrap_or_default();
        let beside = [format!("{path}.conf"), format!("{directory}/metadata.toml")];
        Ok(beside
            .iter()
            .all(|path| match (self.tree.text(path), now.text(path)) {
                (None, None) => true,
                (Some(then), Some(now)) => is_same(&then, &now),
                _ => false,
            }))
    }

    /// The history as it was: the same directory, else the one of the same tool that is not there any more.
    fn found(&self, selection: &Selection, now: &Tree) -> Found {
        let found = &selection.found;
        let is_there = |directory: &String| {
            now.paths()
                .iter()
                .any(|path| path.starts_with(directory.as_str()))
        };
        if !(found.layout.files)(found, &self.tree).is_empty() {
            return found.clone();
        }
        let mut moved = layout::detect(&self.tree).into_iter().filter(|other| {
            std::ptr::eq(other.layout, found.layout) && !other.directories.iter().any(is_there)
        });
        match (moved.next(), moved.next()) {
            (Some(only), None) => only,
            _ => found.clone(),
        }
    }
}

/// The scripts in files of a commit. Their sources are numbered by themselves.
fn scripts_of(found: &Found, tree: &Tree, paths: &[String]) -> Vec<Script> {
    paths
        .par_iter()
        .enumerate()
        .filter_map(|(index, path)| {
            let id = SourceId(u32::try_from(index).ok()?);
            let source = Source::new(id, path.clone(), tree.read(path).ok()?);
            let file = File {
                path,
                source: &source,
                files: tree,
            };
            Some((found.layout.read)(found, &file).scripts)
        })
        .flatten()
        .collect()
}
