//! Comments that allow a finding, ours and those of other tools.
//!
//! `-- lockgate: allow drop-column, drop-table -- the table is empty until 2027-03-01` covers the statement that it
//! stands directly above, beside or inside; `allow-file` covers the file. `suppress/directive.rs` reads a comment,
//! this file decides what it covers and whether it was needed.

mod directive;
pub mod markup;

use std::collections::BTreeSet;

use crate::diagnostic::Diagnostic;
use crate::markers::{Declaration, Declared, Marker, Misread};
use crate::rule::Rule;
use crate::rules::RULES;
use crate::settings::Settings;
use crate::source::{Location, Source, Span};
use crate::suggest::{closest, one_of};
use directive::{Directive, Tool};

/// Text without any of these holds no suppression comment.
pub(crate) const MARKERS: [&str; 3] = ["lockgate", "squawk", "eugene"];

/// A comment of a file, SQL or Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentText {
    /// The whole comment with its markers.
    pub span: Span,
    /// Its text without them.
    pub text: String,
}

/// What is wrong with a suppression comment; each kind is one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// It is not understood, or names a rule that does not exist.
    Invalid,
    /// Its `until` date has passed.
    Expired,
    /// It gives no reason where one is demanded.
    Unexplained,
    /// Nothing that it allows is reported.
    Unused,
}

/// A problem with a suppression comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its kind.
    pub kind: ProblemKind,
    /// Where: the comment, or the word in it.
    pub location: Location,
    /// One line, as a finding's message.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The whole comment, with its line where it has one to itself, if it says nothing else.
    pub comment: Option<Span>,
}

/// What the comments of a file declare: markers, and findings that are allowed for a reason.
pub(crate) fn declarations(source: &Source, comments: &[CommentText]) -> Vec<Declaration> {
    let mut found = Vec::new();
    for comment in comments {
        for directive in directive::read(&comment.text) {
            let allowed = !directive.rules.is_empty() && !directive.reason.is_empty();
            let marker = directive.marker.or_else(|| {
                allowed.then(|| Marker::Allowed {
                    rules: directive.rules.iter().map(ToString::to_string).collect(),
                    reason: directive.reason.to_owned(),
                })
            });
            if let Some(value) = marker {
                found.push(Declared {
                    value,
                    location: Location {
                        source: source.id,
                        span: word_span(source, comment, directive.text),
                    },
                });
            }
        }
    }
    found
}

/// The suppression comments of one file.
#[derive(Debug)]
pub struct Suppressions {
    entries: Vec<Entry>,
    covers: Vec<Cover>,
    problems: Vec<Problem>,
    first_statement: u32,
    statements: Vec<Span>,
}

/// One name in a comment.
#[derive(Debug)]
struct Entry {
    name: String,
    rules: Vec<&'static str>,
    /// The name's place.
    location: Location,
    /// Index into the covers.
    cover: usize,
    /// Unused ones are reported.
    ours: bool,
    used: bool,
}

/// What a comment covers.
#[derive(Debug, Default)]
struct Cover {
    whole_file: bool,
    /// Statements.
    statements: Vec<Span>,
    /// The comment's own lines and the line that it stands above, for findings about no statement.
    lines: Span,
    /// The comment, with its line where it has one to itself, if it holds one directive.
    comment: Option<Span>,
    /// It stands above the first statement: it covers findings about the file as a whole.
    header: bool,
}

impl Suppressions {
    /// Reads the comments of a file. `statements` are the places of everything that a comment can stand beside:
    /// statements, text that was not understood, the calls of a Python migration.
    #[must_use]
    pub fn read(
        source: &Source,
        comments: &[CommentText],
        statements: &[Span],
        settings: &Settings,
    ) -> Self {
        Self::read_with(source, comments, statements, settings, RULES)
    }

    fn read_with(
        source: &Source,
        comments: &[CommentText],
        statements: &[Span],
        settings: &Settings,
        rules: &'static [Rule],
    ) -> Self {
        let mut this = Self {
            entries: Vec::new(),
            covers: Vec::new(),
            problems: Vec::new(),
            first_statement: statements.iter().map(|s| s.start).min().unwrap_or(u32::MAX),
            statements: statements.to_vec(),
        };
        let mut lines = None;
        for comment in comments {
            let directives: Vec<Directive<'_>> = directive::read(&comment.text).collect();
            // In a comment of several lines may stand other things.
            let alone = directives.len() == 1 && !comment.text.contains(['\n', '\r']);
            for directive in directives {
                let lines = lines.get_or_insert_with(|| Lines::new(source, comments, statements));
                let mut cover = lines.cover(source, comment.span);
                cover.whole_file = directive.whole_file;
                cover.comment = alone.then(|| with_its_line(source, comment.span));
                cover.header = comment.span.end <= this.first_statement;
                this.covers.push(cover);
                let place = |word: &str| Location {
                    source: source.id,
                    span: word_span(source, comment, word),
                };
                this.add(&directive, settings, rules, &place);
            }
        }
        this
    }

    fn add(
        &mut self,
        directive: &Directive<'_>,
        settings: &Settings,
        rules: &'static [Rule],
        place: &dyn Fn(&str) -> Location,
    ) {
        let whole = place(directive.text);
        let mut problem = |kind, location, message: String, help: String| {
            self.problems.push(Problem {
                kind,
                location,
                message,
                help,
                comment: None,
            });
        };
        for Misread {
            text,
            message,
            help,
        } in &directive.misread
        {
            let location = place(text);
            problem(
                ProblemKind::Invalid,
                location,
                message.clone(),
                help.clone(),
            );
        }
        if let (Some(until), Some(today)) = (directive.until, &settings.today)
            && until < today.as_str()
        {
            let message = format!("this comment allows nothing any more: {until} has passed");
            let help = "mend what it allowed and remove it, or give it a new date".to_owned();
            problem(ProblemKind::Expired, place(until), message, help);
            return;
        }
        let ours = directive.tool == Tool::Lockgate;
        let allows = ours && directive.marker.is_none() && !directive.rules.is_empty();
        if allows && settings.require_reason && directive.reason.is_empty() {
            let message = "this comment does not say why".to_owned();
            let help = "give the reason behind the rules: `-- lockgate: allow <rule> -- <reason>`";
            problem(ProblemKind::Unexplained, whole, message, help.to_owned());
        }
        let cover = self.covers.len() - 1;
        let mut entry = |name: &str, covered: Vec<&'static str>, location| {
            self.entries.push(Entry {
                name: name.to_owned(),
                rules: covered,
                location,
                cover,
                ours,
                used: false,
            });
        };
        for name in &directive.rules {
            let covered = directive.tool.rules(name, rules);
            if !covered.is_empty() {
                entry(name, covered, place(name));
            } else if ours {
                let message = format!("`{name}` is not a rule");
                problem(
                    ProblemKind::Invalid,
                    place(name),
                    message,
                    unknown(name, rules),
                );
            }
        }
        if directive.rules.is_empty() && directive.whole_file && !ours {
            let covered = directive.tool.all_rules(rules);
            entry("", covered, whole);
        }
    }

    /// True if a comment allows this finding of the file. Remembers that the comment was needed.
    pub fn silences(&mut self, diagnostic: &Diagnostic) -> bool {
        let start = diagnostic.primary.span.start;
        let subject = diagnostic.subject.map_or(start, |subject| subject.start);
        let about_file = diagnostic.subject.is_none()
            && start < self.first_statement
            && !self
                .statements
                .iter()
                .any(|s| s.contains(diagnostic.primary.span));
        let mut silenced = false;
        for entry in &mut self.entries {
            if !entry.rules.contains(&diagnostic.rule) {
                continue;
            }
            let cover = &self.covers[entry.cover];
            let holds = |span: &Span, at: u32| span.start <= at && at <= span.end;
            let covered = cover.whole_file
                || (cover.header && about_file)
                || holds(&cover.lines, start)
                || cover
                    .statements
                    .iter()
                    .any(|s| holds(s, start) || holds(s, subject));
            if covered {
                entry.used = true;
                silenced = true;
            }
        }
        silenced
    }

    /// What is wrong with the comments, sorted by place. Call it when all findings of the file were offered to
    /// [`Suppressions::silences`]. A comment is not called needless for a rule that was not asked: `asked` says which were.
    #[must_use]
    pub fn problems(self, asked: &dyn Fn(&str) -> bool) -> Vec<Problem> {
        let mut problems = self.problems;
        let unused = self.entries.iter().filter(|entry| {
            entry.ours && !entry.used && entry.rules.iter().all(|rule| asked(rule))
        });
        for entry in unused {
            let cover = &self.covers[entry.cover];
            let name = &entry.name;
            let (message, help) = if cover.whole_file {
                (format!("`{name}` is not reported in this file"), REMOVE)
            } else if cover.statements.is_empty() && !cover.header {
                (
                    format!("this comment covers no statement, so `{name}` is not allowed"),
                    MOVE,
                )
            } else {
                (format!("`{name}` is not reported here"), REMOVE)
            };
            problems.push(Problem {
                kind: ProblemKind::Unused,
                location: entry.location,
                message,
                help: help.to_owned(),
                comment: cover.comment.filter(|_| {
                    let mut others = self.entries.iter();
                    others.all(|other| other.cover != entry.cover || other.name == entry.name)
                }),
            });
        }
        problems.sort_by_key(|problem| (problem.location, problem.kind));
        problems
    }
}

/// A comment with the line that it has to itself, else with the blanks before it.
fn with_its_line(source: &Source, comment: Span) -> Span {
    let text = source.text.as_bytes();
    let blank = |byte: &&u8| matches!(**byte, b' ' | b'\t');
    let (start, end) = (comment.start as usize, comment.end as usize);
    if start > text.len() {
        return comment;
    }
    let before = text[..start].iter().rev().take_while(blank).count();
    let start = start - before;
    let newline = match text.get(end..) {
        Some([b'\r', b'\n', ..]) => 2,
        Some([b'\n' | b'\r', ..]) => 1,
        _ => 0,
    };
    let opens_line = start == 0 || matches!(text[start - 1], b'\n' | b'\r');
    Span::new(start, if opens_line { end + newline } else { end })
}

const REMOVE: &str = "remove it from the comment";
const MOVE: &str = "write it directly above the statement, or beside it";

/// What to do about a name that is no rule.
fn unknown(name: &str, rules: &'static [Rule]) -> String {
    let ours: Vec<&str> = rules
        .iter()
        .filter(|rule| rule.is_called(name))
        .map(|rule| rule.id)
        .collect();
    if !ours.is_empty() {
        return format!("here it is called {}", one_of(&ours));
    }
    match closest(name, rules.iter().map(|rule| rule.id)) {
        Some(id) => format!("did you mean `{id}`?"),
        None => "`lockgate rules` lists them all".to_owned(),
    }
}

/// The place of a part of a comment's text; the whole comment if the text does not stand in the file as it is.
fn word_span(source: &Source, comment: &CommentText, word: &str) -> Span {
    match source.slice(comment.span).find(word) {
        Some(at) if !word.is_empty() => {
            let start = comment.span.start as usize + at;
            Span::new(start, start + word.len())
        }
        _ => comment.span,
    }
}

/// What stands on which line of a file.
struct Lines {
    /// Statements by line.
    statements: Vec<Vec<Span>>,
    /// Lines of comments on which no statement stands.
    comments: BTreeSet<usize>,
}

impl Lines {
    fn new(source: &Source, comments: &[CommentText], statements: &[Span]) -> Self {
        let mut by_line = vec![Vec::new(); source.line_starts().len()];
        for span in statements {
            for line in lines_of(source, *span) {
                by_line[line].push(*span);
            }
        }
        let comments = comments
            .iter()
            .flat_map(|comment| lines_of(source, comment.span))
            .filter(|line| by_line[*line].is_empty())
            .collect();
        Self {
            statements: by_line,
            comments,
        }
    }

    fn cover(&self, source: &Source, comment: Span) -> Cover {
        let own = lines_of(source, comment);
        let (mut first, mut last) = (*own.start(), *own.end());
        let mut statements: Vec<Span> = self.statements[own].concat();
        let starts = source.line_starts();
        let before = Span {
            start: starts[first],
            end: comment.start,
        };
        if statements.is_empty() && source.slice(before).trim().is_empty() {
            while first > 0 && self.comments.contains(&(first - 1)) {
                first -= 1;
            }
            last += 1;
            while self.comments.contains(&last) {
                last += 1;
            }
            statements = self.statements.get(last).cloned().unwrap_or_default();
        }
        let end = starts.get(last + 1).map_or(u32::MAX, |start| start - 1);
        Cover {
            statements,
            lines: Span {
                start: starts[first],
                end,
            },
            ..Cover::default()
        }
    }
}

/// The lines (from 0) that a place touches.
fn lines_of(source: &Source, span: Span) -> std::ops::RangeInclusive<usize> {
    let line = |at: u32| source.line_starts().partition_point(|&start| start <= at) - 1;
    line(span.start)..=line(span.end.saturating_sub(1).max(span.start))
}

#[cfg(test)]
mod tests;
