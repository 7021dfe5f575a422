//! Cuts a file into statements without parsing it, and masks what PostgreSQL's parser does not know: psql commands,
//! rows after `COPY … FROM stdin`, templating.
//!
//! This is the slow path, for files that do not parse whole. On files that do, it cuts exactly where the parser does.
//!
//! # Where a statement ends
//!
//! At a `;` outside of parentheses, brackets and `BEGIN ATOMIC … END`; at a psql command that sends the query buffer
//! (`\g`, `\gexec` …); at a `GO` or `DELIMITER` line. Parentheses that are never closed must not swallow the file, so a
//! `;` inside of them ends the statement too if it is the last thing on its line and the next statement keyword begins
//! a line (in `CREATE RULE` only if it is a keyword that cannot be part of a rule).
//!
//! # What is never closed
//!
//! If some quote or comment reaches the end of the file unclosed, an earlier quote is the culprit as likely as the last
//! one. The file is then read again with doubt. In doubt, a *fresh line* is one that begins at column 1 with a
//! statement keyword, where the line before (blank lines and comment lines aside) ended with `;`. A string or quoted
//! identifier that contains a fresh line, a dollar-quoted string that contains one which begins with `CREATE FUNCTION`
//! or the like, and whatever is not closed at all, costs its statement up to the fresh line
//! ([`SegmentKind::Unterminated`]), and reading goes on there. `BEGIN ATOMIC` without `END` costs its statement up to
//! the next fresh line that begins with a schema keyword. Without a fresh line, the rest of the file is lost.
//! What is read twice this way is bounded, so that the time stays linear.

use crate::source::Span;

mod foreign;
mod keywords;
mod mask;
mod recover;
mod scan;
mod template;

pub use template::{Style, StyleSet};

/// How to split.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SplitOptions {
    /// The templating that is masked. All by default, psql's `:var` included: `:word` outside of array slices is an
    /// error in PostgreSQL, so nothing that could be right is hidden by it.
    pub styles: StyleSet,
}

/// A file cut into pieces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Split {
    /// The pieces, in order and apart from each other. Together they hold all that is not blank, a comment or the `;`
    /// of an empty statement.
    pub segments: Vec<Segment>,
    /// The text with everything foreign masked, of the same length in bytes. `None` if nothing was masked.
    pub masked: Option<String>,
    /// What was masked as templating, in order.
    pub placeholders: Vec<Placeholder>,
}

/// A piece of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// From the first token to the last one, without the `;`. This is what to parse, out of the masked text.
    pub span: Span,
    /// The same with the `;` and what stands before it.
    pub full: Span,
    /// What it is.
    pub kind: SegmentKind,
}

/// What a [`Segment`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SegmentKind {
    /// To be parsed as SQL.
    Statement,
    /// A backslash command of psql. One in the midst of a statement is part of that statement, as psql goes on with it.
    PsqlCommand {
        /// Its name without the backslash, such as `connect`.
        name: String,
    },
    /// Rows after `COPY … FROM stdin`, up to and with the `\.` line.
    CopyData,
    /// A line that is no SQL but ends a statement for the client of another database: `GO`, `DELIMITER //`.
    ForeignCommand {
        /// The first word in upper case.
        name: String,
    },
    /// Templating that stands between statements, such as `{% if x %}`; masked to blanks.
    Template,
    /// Something was opened and not closed (see the module).
    Unterminated {
        /// What was opened.
        what: Unterminated,
    },
}

/// What was opened and not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unterminated {
    /// `'…`
    String,
    /// `"…`
    QuotedIdentifier,
    /// `$tag$…`
    DollarQuote,
    /// `/*…`
    BlockComment,
    /// `BEGIN ATOMIC …`
    BeginAtomic,
}

/// Templating that was masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    /// Where it stands. In the masked text the same place holds an identifier, a constant or blanks.
    pub span: Span,
    /// What the file says there.
    pub text: String,
}

/// Splits a text. Never fails; takes linear time.
#[must_use]
pub fn split(text: &str, options: &SplitOptions) -> Split {
    scan::split(text, *options)
}

#[cfg(test)]
mod tests;
