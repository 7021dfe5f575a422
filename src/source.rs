//! Files as they are on disk, and places in them.
//!
//! Text is normalised nowhere: every [`Span`] counts bytes of the file as it was read. Lines and columns exist only
//! where something is shown to a person or written to a machine format ([`Source::position`]).

use std::sync::{Arc, OnceLock};

/// Index of a [`Source`] in the run's list of sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// A half-open range of bytes in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

impl Span {
    /// A span from byte offsets; offsets past `u32::MAX` are clamped (files that large are refused before they are read).
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self {
            start: clamp(start),
            end: clamp(end.max(start)),
        }
    }

    /// The range as `usize`, for slicing.
    #[must_use]
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// True if the span covers no byte.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// True if `other` lies inside this span.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The smallest span that covers both.
    #[must_use]
    pub fn cover(self, other: Self) -> Self {
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

/// A [`Span`] in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The file.
    pub source: SourceId,
    /// The place in it.
    pub span: Span,
}

/// A line and a column, both counted from 1; the column counts Unicode scalar values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1. Lines end at LF, CRLF or a lone CR.
    pub line: u32,
    /// Column in Unicode scalar values, from 1.
    pub column: u32,
}

/// One file that was read.
#[derive(Debug)]
pub struct Source {
    /// Its index in the run.
    pub id: SourceId,
    /// Path as shown: relative to the directory the program was started in, with `/`.
    pub path: String,
    /// The text, byte for byte.
    pub text: Arc<str>,
    line_starts: OnceLock<Vec<u32>>,
}

impl Source {
    /// A source from its parts.
    #[must_use]
    pub fn new(id: SourceId, path: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        Self {
            id,
            path: path.into(),
            text: text.into(),
            line_starts: OnceLock::new(),
        }
    }

    /// Offsets at which lines start; computed once, when first asked for.
    #[must_use]
    pub fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let bytes = self.text.as_bytes();
            let mut starts = vec![0];
            for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
                // The CR of a CRLF pair does not end a line of its own.
                if bytes[at] == b'\n' || bytes.get(at + 1) != Some(&b'\n') {
                    starts.push(u32::try_from(at + 1).unwrap_or(u32::MAX));
                }
            }
            starts
        })
    }

    /// Line and column of a byte offset. An offset past the end gives the end; one inside a character gives its start.
    #[must_use]
    pub fn position(&self, offset: u32) -> Position {
        let starts = self.line_starts();
        let mut offset = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = starts.partition_point(|&start| start as usize <= offset);
        let start = starts[line - 1] as usize;
        let column = self.text[start..offset].chars().count() + 1;
        Position {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    }

    /// The text of a span; empty if the span does not lie on character borders of this file.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or("")
    }

    /// The span of the first line that holds anything, for findings about the file as a whole.
    #[must_use]
    pub fn first_line(&self) -> Span {
        let bytes = self.text.as_bytes();
        let start = bytes
            .iter()
            .position(|b| !b.is_ascii_whitespace())
            .unwrap_or(0);
        let start = if bytes[start..].starts_with(b"\xef\xbb\xbf") {
            start + 3
        } else {
            start
        };
        let end = bytes[start..]
            .iter()
            .position(|b| matches!(b, b'\n' | b'\r'))
            .map_or(bytes.len(), |n| start + n);
        Span::new(start, end)
    }
}

/// What a file that stands beside another one is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// As the other one, with this behind its whole name.
    Behind(&'static str),
    /// This, in the directory of the other one.
    Own(&'static str),
}

impl Beside {
    /// The path of the file beside the one of that path.
    #[must_use]
    pub fn path(self, of: &str) -> String {
        match self {
            Self::Behind(behind) => format!("{of}{behind}"),
            Self::Own(name) => match of.rsplit_once('/') {
                Some((directory, _)) => format!("{directory}/{name}"),
                None => name.to_owned(),
            },
        }
    }
}

/// SQL text taken out of a file, with the way back: a whole file, a Python string, the body of a `DO` block, the
/// text that an Alembic directive emits.
#[derive(Debug, Clone)]
pub struct Fragment {
    /// The SQL as PostgreSQL receives it.
    pub sql: Arc<str>,
    /// From offsets in `sql` to offsets in the file.
    pub map: SpanMap,
}

/// Translates spans of a [`Fragment`]'s text into spans of the file it came from.
///
/// A map is a list of runs that were copied byte for byte. A span whose two ends lie in such runs is exact; any other
/// (text that was generated, or that went through an escape sequence) falls back to `whole`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanMap {
    /// The place in the file that stands for the whole text.
    pub whole: Span,
    runs: Vec<Run>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    sql: u32,
    file: u32,
    len: u32,
}

impl SpanMap {
    /// Text that stands in the file byte for byte from `file_start` on.
    #[must_use]
    pub fn copied(file_start: usize, len: usize) -> Self {
        let mut map = Self::generated(Span::new(file_start, file_start + len));
        map.push_run(0, file_start, len);
        map
    }

    /// Text that stands nowhere in the file; all of it points at `whole`.
    #[must_use]
    pub fn generated(whole: Span) -> Self {
        Self {
            whole,
            runs: Vec::new(),
        }
    }

    /// Adds a run copied byte for byte. Runs are added in the order of the SQL text.
    pub fn push_run(&mut self, sql_start: usize, file_start: usize, len: usize) {
        if len == 0 {
            return;
        }
        let run = Span::new(sql_start, sql_start + len);
        self.runs.push(Run {
            sql: run.start,
            file: Span::new(file_start, file_start).start,
            len: run.end - run.start,
        });
    }

    /// Adds the runs of another map, whose text stands at `sql_start` of this one's and behind all that was added.
    pub fn push_map(&mut self, sql_start: usize, other: &Self) {
        let shift = Span::new(sql_start, sql_start).start;
        self.runs.extend(other.runs.iter().map(|run| Run {
            sql: run.sql + shift,
            ..*run
        }));
    }

    /// The place in the file of a span of the SQL text.
    #[must_use]
    pub fn to_file(&self, span: Span) -> Span {
        match (self.offset(span.start, false), self.offset(span.end, true)) {
            (Some(start), Some(end)) if start <= end => Span { start, end },
            _ => self.whole,
        }
    }

    /// The map of a part of this text: `part` is where the part stands in the SQL text.
    #[must_use]
    pub fn part(&self, part: Span) -> Self {
        let mut map = Self::generated(self.to_file(part));
        for run in &self.runs {
            let start = run.sql.max(part.start);
            let end = (run.sql + run.len).min(part.end);
            if start < end {
                map.runs.push(Run {
                    sql: start - part.start,
                    file: run.file + (start - run.sql),
                    len: end - start,
                });
            }
        }
        map
    }

    /// This map followed by another: text taken out of text that was itself taken out of the file.
    #[must_use]
    pub fn then(&self, outer: &Self) -> Self {
        let mut map = Self::generated(outer.to_file(self.whole));
        for run in &self.runs {
            for far in &outer.runs {
                let start = run.file.max(far.sql);
                let end = (run.file + run.len).min(far.sql + far.len);
                if start < end {
                    map.runs.push(Run {
                        sql: run.sql + (start - run.file),
                        file: far.file + (start - far.sql),
                        len: end - start,
                    });
                }
            }
        }
        map
    }

    fn offset(&self, at: u32, is_end: bool) -> Option<u32> {
        // An end offset belongs to the run that ends there rather than to the one that begins there.
        let index = if is_end {
            self.runs.partition_point(|run| run.sql < at)
        } else {
            self.runs.partition_point(|run| run.sql <= at)
        };
        let run = self.runs.get(index.checked_sub(1)?)?;
        let within = at - run.sql;
        (within <= run.len).then_some(run.file + within)
    }
}

/// Something that is not understood in a file that people write for Lockgate: its configuration, a snapshot, sign-offs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// One line.
    pub message: String,
    /// What to do instead, if that is known.
    pub help: Option<String>,
    /// Where.
    pub span: Span,
}

impl Problem {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            span,
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new(SourceId(0), "a.sql", text)
    }

    #[test]
    fn positions_count_characters_and_every_kind_of_line_end() {
        let source = source("a\r\nbé\rc\nd");
        let at = |offset| {
            let position = source.position(offset);
            (position.line, position.column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(3), (2, 1));
        assert_eq!(at(6), (2, 3));
        assert_eq!(at(5), (2, 2), "inside a character: its start");
        assert_eq!(at(7), (3, 1));
        assert_eq!(at(9), (4, 1));
        assert_eq!(at(99), (4, 2));
    }

    #[test]
    fn first_line_skips_a_bom_and_blank_lines() {
        let source = source("\u{feff}\n");
        assert_eq!(source.slice(source.first_line()), "");
        let source = self::source("\n  select 1;\nselect 2;");
        assert_eq!(source.slice(source.first_line()), "select 1;");
    }

    #[test]
    fn copied_runs_are_exact_and_everything_else_falls_back() {
        let mut map = SpanMap::generated(Span::new(100, 200));
        map.push_run(0, 110, 5);
        map.push_run(6, 120, 4);
        assert_eq!(map.to_file(Span::new(1, 3)), Span::new(111, 113));
        assert_eq!(map.to_file(Span::new(6, 10)), Span::new(120, 124));
        assert_eq!(map.to_file(Span::new(1, 5)), Span::new(111, 115));
        assert_eq!(map.to_file(Span::new(0, 20)), Span::new(100, 200));
        let part = map.part(Span::new(2, 8));
        assert_eq!(part.to_file(Span::new(0, 2)), Span::new(112, 114));
        assert_eq!(part.to_file(Span::new(4, 6)), Span::new(120, 122));
        let inner = SpanMap::copied(2, 6);
        assert_eq!(
            inner.then(&map).to_file(Span::new(0, 2)),
            Span::new(112, 114)
        );
    }
}
