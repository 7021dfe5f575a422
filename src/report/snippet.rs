//! The few lines of a file that a finding shows, prepared for the pretty printer.
//!
//! The printer's own sources read the whole file for every label, stop on a column past 65,535 and pass control
//! characters through. A [`View`] is small and harmless instead: it holds the marked lines and little around them,
//! long lines cut to a window, and knows which line of the file each of its lines is.

use std::collections::{BTreeMap, BTreeSet};

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::harmless::{visible, visible_char};
use crate::source::{Source, Span};

/// Lines longer than this are cut to a window of this many bytes.
const WINDOW: usize = 240;
/// Bytes of a cut line that are shown in front of the first mark.
const LEAD: usize = 60;

/// A place to mark.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    /// Where; a place of several lines is marked on its first.
    pub(super) span: Span,
    /// What is said there, if anything.
    pub(super) text: Option<String>,
    /// The place the finding is about.
    pub(super) primary: bool,
}

/// Some lines of a file, ready to be printed.
#[derive(Debug)]
pub(super) struct View {
    name: String,
    text: String,
    lines: Vec<ViewLine>,
    /// Marks as ranges of `text`, in the order they were asked for, with the column (from 0) in the file.
    pub(super) marks: Vec<ViewMark>,
}

#[derive(Debug)]
struct ViewLine {
    /// Line of the file, from 0.
    number: usize,
    start: usize,
    end: usize,
}

/// A mark in a view.
#[derive(Debug)]
pub(super) struct ViewMark {
    pub(super) start: usize,
    pub(super) len: usize,
    column: usize,
}

impl View {
    /// A view of the marked lines; a line beside a marked one is shown too if it belongs to `around`.
    pub(super) fn new(source: &Source, marks: &[Mark], around: Option<Span>) -> Self {
        let marked: Vec<(usize, Span)> = marks
            .iter()
            .map(|mark| on_one_line(source, mark.span))
            .collect();
        let mut numbers: BTreeSet<usize> = marked.iter().map(|(line, _)| *line).collect();
        if let Some(around) = around {
            let last = Span {
                start: around.end.saturating_sub(1).max(around.start),
                end: around.end,
            };
            let statement = on_one_line(source, around).0..=on_one_line(source, last).0;
            for (line, _) in &marked {
                let beside = [line.saturating_sub(1), line + 1];
                numbers.extend(beside.into_iter().filter(|line| statement.contains(line)));
            }
        }

        let mut view = Self {
            name: visible(&source.path),
            text: String::new(),
            lines: Vec::new(),
            marks: Vec::new(),
        };
        let mut found = BTreeMap::new();
        for number in numbers {
            let here: Vec<(usize, Span)> = marked
                .iter()
                .enumerate()
                .filter(|(_, (line, _))| *line == number)
                .map(|(index, (_, span))| (index, *span))
                .collect();
            view.push_line(source, number, &here, &mut found);
        }
        view.marks = found.into_values().collect();
        view.part_overlapping_marks();
        view
    }

    /// Shortens marks that hold others: the printer draws one row of underlines, where the longer would hide the rest.
    fn part_overlapping_marks(&mut self) {
        let ranges: Vec<(usize, usize)> = self
            .marks
            .iter()
            .map(|mark| (mark.start, mark.start + mark.len))
            .collect();
        for mark in &mut self.marks {
            let (mut start, mut end) = (mark.start, mark.start + mark.len);
            for &(other_start, other_end) in &ranges {
                if other_start == start && other_end < end {
                    start = other_end;
                } else if other_start > start && other_start < end {
                    end = other_start;
                }
            }
            if let Some(text) = self.text.get(start..end) {
                let trimmed = text.trim();
                if (start, end) != (mark.start, mark.start + mark.len) && !trimmed.is_empty() {
                    mark.start = start + (text.len() - text.trim_start().len());
                    mark.len = trimmed.len();
                }
            }
        }
    }

    fn push_line(
        &mut self,
        source: &Source,
        number: usize,
        marks: &[(usize, Span)],
        found: &mut BTreeMap<usize, ViewMark>,
    ) {
        let line = line_span(source, number);
        let shown = window(source, line, marks.iter().map(|(_, span)| span.start).min());
        let start = self.text.len();
        if shown.start > line.start {
            self.text.push('…');
        }
        // Offsets of the file with where they went; the last entry is the end of the window.
        let mut moved = Vec::new();
        for (at, c) in source.slice(shown).char_indices() {
            moved.push((shown.start as usize + at, self.text.len()));
            self.text.push(visible_char(c));
        }
        moved.push((shown.end as usize, self.text.len()));
        if shown.end < line.end {
            self.text.push('…');
        }
        self.text.push('\n');
        self.lines.push(ViewLine {
            number,
            start,
            end: self.text.len(),
        });

        let place = |offset: u32| {
            let next = moved.partition_point(|(file, _)| *file < offset as usize);
            moved[next.min(moved.len() - 1)].1
        };
        for (index, span) in marks {
            let (start, end) = (place(span.start), place(span.end));
            found.insert(
                *index,
                ViewMark {
                    start,
                    len: end.saturating_sub(start),
                    column: source.position(span.start).column as usize - 1,
                },
            );
        }
    }

    /// Index of the line that holds an offset of the view's text.
    fn line_at(&self, offset: usize) -> Option<usize> {
        let index = self.lines.partition_point(|line| line.end <= offset);
        (index < self.lines.len()).then_some(index)
    }
}

impl SourceCode for View {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let last_byte = (span.offset() + span.len().max(1)) - 1;
        let first = self
            .line_at(span.offset())
            .ok_or(MietteError::OutOfBounds)?;
        let last = self.line_at(last_byte).ok_or(MietteError::OutOfBounds)?;
        let follows = |index: usize| self.lines[index].number + 1 == self.lines[index + 1].number;
        if !(first..last).all(follows) {
            // Lines are missing in between: the printer shows two snippets then.
            return Err(MietteError::OutOfBounds);
        }
        let first = (0..first)
            .rev()
            .take_while(|&index| follows(index))
            .last()
            .unwrap_or(first);
        let last = (last..self.lines.len() - 1)
            .take_while(|&index| follows(index))
            .last()
            .map_or(last, |index| index + 1);
        let (start, end) = (self.lines[first].start, self.lines[last].end);
        // The printer asks with a mark's own span where it is, and with others only for the lines around it.
        let mark = self
            .marks
            .iter()
            .find(|mark| mark.start == span.offset() && mark.len == span.len());
        let (line, column) = match mark {
            Some(mark) if before == 0 && after == 0 => (
                self.lines[self.line_at(mark.start).unwrap_or(first)].number,
                mark.column,
            ),
            _ => (self.lines[first].number, 0),
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            &self.text.as_bytes()[start..end],
            (start, end - start).into(),
            line,
            column,
            last - first + 1,
        )))
    }
}

/// The line (from 0) that a place begins on, and the part of the place that is on that line.
fn on_one_line(source: &Source, span: Span) -> (usize, Span) {
    let line = line_at(source, span.start);
    let whole = line_span(source, line);
    let start = span.start.clamp(whole.start, whole.end);
    let end = span.end.clamp(start, whole.end);
    (line, Span { start, end })
}

/// The line (from 0) of an offset. Unlike [`Source::position`] it does not count the characters in front.
fn line_at(source: &Source, offset: u32) -> usize {
    source
        .line_starts()
        .partition_point(|&start| start <= offset)
        .saturating_sub(1)
}

/// A line (from 0) without its end.
fn line_span(source: &Source, line: usize) -> Span {
    let starts = source.line_starts();
    let start = starts[line] as usize;
    let end = starts
        .get(line + 1)
        .map_or(source.text.len(), |next| *next as usize);
    let text = source.text[start..end].trim_end_matches(['\n', '\r']);
    Span::new(start, start + text.len())
}

/// The part of a line that is shown.
fn window(source: &Source, line: Span, first_mark: Option<u32>) -> Span {
    if line.len() <= WINDOW {
        return line;
    }
    let line = line.range();
    let mark = first_mark.map_or(line.start, |mark| mark as usize);
    let last_start = line.end - WINDOW;
    let mut start = mark.saturating_sub(LEAD).clamp(line.start, last_start);
    let mut end = start + WINDOW;
    while !source.text.is_char_boundary(start) {
        start -= 1;
    }
    while !source.text.is_char_boundary(end) {
        end += 1;
    }
    Span::new(start, end)
}
