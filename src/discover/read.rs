//! Reading what was selected.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::select::{Run, Selection};
use super::{Discovered, Project, STDIN, is_python, is_sql, parent};
use crate::diagnostic::{FileError, NotAnalysed};
use crate::layout::{File, Files, Found, Problem, ProblemKind, Reading, dialect};
use crate::source::{Location, Source, SourceId};

/// Sources of the application that are looked into, in one tree.
const MOST_CODE: usize = 20_000;

impl Run<'_> {
    /// Reads every selected file, in parallel, and puts each history in order.
    pub(super) fn read(mut self) -> Discovered {
        self.selections.sort_by_key(|selection| {
            let root = self.grounds[selection.ground]
                .tree
                .root
                .join(&selection.found.root);
            (root, selection.files.first().cloned())
        });
        let mut errors = std::mem::take(&mut self.errors);
        // Sorted by the path as shown, so that ids follow it.
        let mut wanted: BTreeMap<String, (usize, &str)> = BTreeMap::new();
        for selection in &self.selections {
            let models = selection.found.files_of_models();
            for file in selection.files.iter().map(String::as_str).chain(models) {
                let shown = self.shown_in(selection.ground, file);
                wanted.entry(shown).or_insert((selection.ground, file));
            }
        }
        let own: BTreeSet<String> = self
            .selections
            .iter()
            .flat_map(|selection| {
                let files = selection.files.iter();
                files.map(|file| self.shown_in(selection.ground, file))
            })
            .collect();
        let mut code: Vec<String> = Vec::new();
        for (ground, file) in self.code() {
            let shown = self.shown_in(ground, file);
            if !own.contains(&shown) {
                code.push(shown.clone());
                wanted.entry(shown).or_insert((ground, file));
            }
        }
        let wanted: Vec<(String, (usize, &str))> = wanted.into_iter().collect();
        let texts: Vec<_> = wanted
            .par_iter()
            .map(|(_, (ground, file))| self.grounds[*ground].tree.read(file))
            .collect();
        let mut sources: Vec<Source> = Vec::with_capacity(texts.len());
        for ((path, _), text) in wanted.into_iter().zip(texts) {
            match text {
                Ok(text) => {
                    let id = SourceId(u32::try_from(sources.len()).unwrap_or(u32::MAX));
                    sources.push(Source::new(id, path, text));
                }
                // Nobody asked about a picture.
                Err(_) if code.contains(&path) => {}
                Err(message) => errors.push(FileError { path, message }),
            }
        }
        let mut not_analysed = Vec::new();
        let mut projects = Vec::with_capacity(self.selections.len());
        for selection in &self.selections {
            errors.extend(self.broken(selection));
            projects.push(self.project(selection, &sources, &mut not_analysed, &mut errors));
        }
        errors.sort_by(|a, b| a.path.cmp(&b.path).then_with(|| a.message.cmp(&b.message)));
        errors.dedup();
        let code = code.iter().filter_map(|path| by_path(&sources, path));
        Discovered {
            code: code.map(|source| source.id).collect(),
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
        errors: &mut Vec<FileError>,
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
                let file = File {
                    path,
                    source,
                    files: tree,
                };
                let home = parent(path);
                let reading = if found.left_out.iter().any(|directory| directory == home) {
                    Reading::left_out(home.rsplit('/').next().unwrap_or(home))
                } else {
                    (found.layout.read)(found, &file)
                };
                (*source, reading)
            })
            .collect();
        let (mut scripts, mut problems) = (Vec::new(), Vec::new());
        let mut left_out: BTreeMap<String, Vec<&Source>> = BTreeMap::new();
        for (source, reading) in readings {
            if let Some(database) = reading.left_out {
                left_out.entry(database).or_default().push(source);
            }
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
        not_analysed.extend(left_out.iter().filter_map(named));
        let is_kept = |source: &Source| {
            let mut groups = left_out.values();
            !groups.any(|group| group.iter().any(|other| other.id == source.id))
        };
        let own: Vec<(&String, &Source)> = own
            .into_iter()
            .filter(|(_, source)| left_out.is_empty() || is_kept(source))
            .collect();
        let arrangement = (found.layout.arrange)(found, scripts);
        problems.extend(arrangement.problems);
        let all = sources;
        let sources: Vec<&Source> = own.iter().map(|(_, source)| *source).collect();
        let foreign = dialect::of_history(found, &sources);
        let dialect = foreign.as_ref().map(|(dialect, _)| *dialect);
        problems.extend(foreign.map(|(_, problem)| problem));
        let pending = self.pending(selection, &own, &arrangement.scripts, errors);
        let is_pending = |id: &SourceId| {
            let pending = pending.as_ref();
            pending.is_none_or(|pending| pending.files.contains(id))
        };
        let models: Vec<(String, &Source)> = found
            .files_of_models()
            .into_iter()
            .filter_map(|file| {
                let source = by_path(all, &self.shown_in(selection.ground, file))?;
                Some((file.to_owned(), source))
            })
            .collect();
        let mut wanted: Option<Vec<SourceId>> = match (&selection.wanted, &pending) {
            (None, None) => None,
            (wanted, _) => Some(
                own.iter()
                    .filter(|(path, _)| wanted.as_ref().is_none_or(|wanted| wanted.contains(*path)))
                    .map(|(_, source)| source.id)
                    .filter(is_pending)
                    .collect(),
            ),
        };
        if let (Some(wanted), Some(_), None) = (&mut wanted, &pending, &selection.wanted) {
            wanted.extend(self.changed_models(selection, &models));
            wanted.sort_unstable();
        }
        let (settled, found_problems) = pending
            .map(|pending| (pending.settled, pending.problems))
            .unwrap_or_default();
        problems.extend(found_problems);
        if let Some(wanted) = &wanted {
            for problem in &mut problems {
                turn(problem, wanted);
            }
        }
        problems.sort_by_key(|problem| (problem.location, problem.kind));
        Project {
            root: self.shown_in(selection.ground, &found.root),
            found: Found {
                model_files: models
                    .into_iter()
                    .map(|(file, source)| (file, source.id))
                    .collect::<Vec<_>>()
                    .into(),
                ..found.clone()
            },
            scripts: arrangement.scripts,
            problems,
            wanted,
            settled,
            dialect,
        }
    }

    /// The sources of the application: index of the ground, path in it.
    fn code(&self) -> Vec<(usize, &str)> {
        let Some(patterns) = &self.request.settings.sources else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for (index, ground) in self.grounds.iter().enumerate() {
            let paths = ground.tree.paths().iter().filter(|path| {
                let shown = self.shown(&ground.tree.root.join(path));
                patterns.is_match(self.request.settings.path_in_root(&shown))
            });
            found.extend(paths.take(MOST_CODE).map(|path| (index, path.as_str())));
        }
        found
    }

    /// The files of models that differ from what they are compared with.
    fn changed_models(&self, selection: &Selection, models: &[(String, &Source)]) -> Vec<SourceId> {
        let ground = &self.grounds[selection.ground];
        let Some(then) = &ground.then else {
            return Vec::new();
        };
        models
            .iter()
            // What cannot be compared is not said to have changed.
            .filter(|(path, source)| then.has(path, &source.text, &ground.tree) == Ok(false))
            .map(|(_, source)| source.id)
            .collect()
    }

    /// Links in the directories of a history that lead nowhere.
    fn broken(&self, selection: &Selection) -> Vec<FileError> {
        let tree = &self.grounds[selection.ground].tree;
        tree.broken
            .iter()
            .filter(|path| !selection.is_single && (is_sql(path) || is_python(path)))
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

/// Files for another database, named once.
fn named((database, files): (&String, &Vec<&Source>)) -> Option<NotAnalysed> {
    let first = files.first()?;
    let more = match files.len() - 1 {
        0 => String::new(),
        more => format!(" (this file and {more} more)"),
    };
    Some(NotAnalysed {
        location: Location {
            source: first.id,
            span: first.first_line(),
        },
        reason: format!("for {database}, not for PostgreSQL{more}"),
    })
}

/// A broken graph is the fault of all its places: it is said at one that findings are wanted for.
fn turn(problem: &mut Problem, wanted: &[SourceId]) {
    if problem.kind != ProblemKind::Graph || wanted.contains(&problem.location.source) {
        return;
    }
    let label = problem
        .labels
        .iter_mut()
        .find(|(place, _)| wanted.contains(&place.source));
    if let Some((place, text)) = label {
        std::mem::swap(place, &mut problem.location);
        "and this one".clone_into(text);
    }
}

fn by_path<'s>(sources: &'s [Source], path: &str) -> Option<&'s Source> {
    let index = sources
        .binary_search_by(|source| source.path.as_str().cmp(path))
        .ok()?;
    sources.get(index)
}
