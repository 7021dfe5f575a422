//! The comments of a project's files that say something to Lockgate.

use std::collections::BTreeMap;

use crate::diagnostic::NotAnalysed;
use crate::layout::{self, History};
use crate::markers::{self, Markers};
use crate::python;
use crate::settings::Settings;
use crate::source::{Source, SourceId, Span};
use crate::sql::lex;
use crate::suppress::{self, CommentText, Problem, ProblemKind, Suppressions};

/// Comments by file.
pub(super) type Comments = BTreeMap<SourceId, Vec<CommentText>>;

/// The comments of all files of a history that may hold an instruction.
pub(super) fn of(history: &History, sources: &[Source]) -> Comments {
    let mut files: Vec<SourceId> = history
        .migrations
        .iter()
        .map(|migration| migration.source)
        .chain(
            history
                .problems
                .iter()
                .map(|problem| problem.location.source),
        )
        .chain(history.found.model_files.iter().map(|(_, id)| *id))
        .collect();
    files.sort_unstable();
    files.dedup();
    let mut found = Comments::new();
    for id in files {
        let source = &sources[id.0 as usize];
        let text = source.text.as_bytes();
        if !suppress::MARKERS
            .iter()
            .any(|marker| memchr::memmem::find(text, marker.as_bytes()).is_some())
        {
            continue;
        }
        let comments = if source.path.to_ascii_lowercase().ends_with(".py") {
            in_python(source)
        } else if let Some(comments) = layout::program_comments(source) {
            in_program(source, comments)
        } else if suppress::markup::is_markup(source) {
            suppress::markup::comments(source)
        } else {
            in_sql(source)
        };
        found.insert(id, comments);
    }
    found
}

/// What the migrations say about themselves, and where they contradict themselves.
pub(super) fn markers(
    history: &History,
    comments: &Comments,
    sources: &[Source],
) -> (Vec<Markers>, Vec<Problem>) {
    let declared = comments
        .iter()
        .map(|(id, comments)| {
            let source = &sources[id.0 as usize];
            (*id, suppress::declarations(source, comments))
        })
        .filter(|(_, declarations)| !declarations.is_empty())
        .collect();
    let (markers, contradictions) = markers::of_history(history, &declared);
    let problems = contradictions.into_iter().map(|found| Problem {
        kind: ProblemKind::Invalid,
        location: found.location,
        message: found.message,
        help: "keep one of the two comments".to_owned(),
        comment: None,
    });
    (markers, problems.collect())
}

/// The comments that allow findings.
pub(super) fn suppressions(
    history: &History,
    not_analysed: &[NotAnalysed],
    comments: &Comments,
    sources: &[Source],
    settings: &Settings,
) -> BTreeMap<SourceId, Suppressions> {
    let mut found = BTreeMap::new();
    for (&id, comments) in comments {
        let source = &sources[id.0 as usize];
        let mut places: Vec<Span> = history
            .migrations
            .iter()
            .filter(|migration| migration.source == id)
            .flat_map(|migration| migration.statements.iter().map(|statement| statement.span))
            .chain(
                not_analysed
                    .iter()
                    .filter(|place| place.location.source == id)
                    .map(|place| place.location.span),
            )
            .collect();
        places.sort_unstable();
        places.dedup();
        found.insert(id, Suppressions::read(source, comments, &places, settings));
    }
    found
}

fn in_sql(source: &Source) -> Vec<CommentText> {
    lex::comments(&source.text, lex::Bodies::Read)
        .into_iter()
        .map(|comment| CommentText {
            span: comment.span,
            text: source.slice(comment.body).to_owned(),
        })
        .collect()
}

fn in_program(source: &Source, comments: Vec<Span>) -> Vec<CommentText> {
    let text = |span| {
        let text = source.slice(span).trim_start_matches(['#', '/', '*']);
        text.trim_end_matches(['*', '/']).to_owned()
    };
    comments
        .into_iter()
        .map(|span| CommentText {
            span,
            text: text(span),
        })
        .collect()
}

fn in_python(source: &Source) -> Vec<CommentText> {
    python::syntax::parse(&source.text)
        .comments
        .into_iter()
        .map(|span| CommentText {
            span,
            text: source.slice(span).trim_start_matches('#').to_owned(),
        })
        .collect()
}
