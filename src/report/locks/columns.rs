//! How wide the columns of a table are, and where they break.

use anstyle::Style as Ansi;

use super::table::{pad, paint, width};
use crate::report::Style;

/// Blanks between two columns.
pub(super) const GAP: usize = 2;
/// Columns of the bar at the left.
const BAR: usize = 2;
/// Narrowest column for the text of a statement beside its locks; with less it has a line of its own.
const STATEMENT: usize = 34;
/// Widest one.
const WIDEST_STATEMENT: usize = 60;
/// Names longer than this push their row to the next line.
const RELATION: usize = 28;
const HEADS: [&str; 5] = ["relation", "lock", "stops", "work", "held until"];

/// A relation, a lock and what comes of it: a line of the columns about locks.
pub(super) struct Cells {
    /// As in the heads of the columns.
    pub(super) texts: [String; 5],
    /// The last one where there is little room.
    pub(super) short: String,
    pub(super) colour: Ansi,
}

/// The columns of one table.
pub(super) struct Columns {
    /// Width of the line numbers.
    pub(super) line: usize,
    /// Width of a statement's text, if its locks stand beside it.
    pub(super) statement: Option<usize>,
    /// Blanks before the columns about locks, behind the bar.
    pub(super) indent: usize,
    /// Widths of the columns about locks.
    cells: [usize; 5],
    /// There is no room for the long form of the last one.
    short: bool,
    any: bool,
}

impl Columns {
    /// Columns for statements (line, text, locks) in so much room, with the locks beside the statements if that is
    /// wanted and possible.
    pub(super) fn new<'a>(
        statements: &(impl Iterator<Item = (u32, &'a str, &'a [Cells])> + Clone),
        room: usize,
        wide: bool,
    ) -> Self {
        let line = statements
            .clone()
            .map(|(line, ..)| line.to_string().len())
            .max()
            .unwrap_or(1);
        let longest = statements.clone().map(|(_, text, _)| width(text)).max();
        let cells = || statements.clone().flat_map(|(.., cells)| cells);
        let widest = |index: usize, short: bool| {
            let texts = cells().map(|cells| match (index, short) {
                (4, true) => width(&cells.short),
                _ => width(&cells.texts[index]),
            });
            texts
                .filter(|&wide| index > 0 || wide <= RELATION)
                .max()
                .unwrap_or(0)
                .max(width(HEADS[index]))
        };
        let mut widths = [0, 1, 2, 3, 4].map(|index| widest(index, false));
        let total = |widths: [usize; 5]| widths.iter().sum::<usize>() + GAP * (widths.len() - 1);
        let wanted = longest
            .unwrap_or(0)
            .clamp(width("statement"), WIDEST_STATEMENT);
        let left = room.saturating_sub(BAR + line + 2 * GAP + total(widths));
        let statement = (wide && left >= STATEMENT.min(wanted)).then(|| left.min(wanted));
        let mut short = false;
        let mut indent = line + 2 * GAP + statement.unwrap_or(0);
        if statement.is_none() && BAR + indent + total(widths) > room {
            short = true;
            indent = line + GAP;
            widths[4] = widest(4, true);
            let over = (BAR + indent + total(widths)).saturating_sub(room);
            widths[0] = widths[0].saturating_sub(over).max(width(HEADS[0]));
        }
        Self {
            line,
            statement,
            indent,
            cells: widths,
            short,
            any: cells().next().is_some(),
        }
    }

    /// The line with the names of the columns; none without locks.
    pub(super) fn head(&self) -> Option<String> {
        let mut head = " ".repeat(BAR + self.indent);
        if let Some(statement) = self.statement {
            head = " ".repeat(BAR + self.line + GAP) + &pad("statement", statement + GAP);
        }
        for (text, wide) in HEADS.iter().zip(self.cells) {
            head.push_str(&pad(text, wide + GAP));
        }
        self.any.then(|| head.trim_end().to_owned())
    }

    /// The columns about locks, a line each; a long name has one of its own.
    pub(super) fn rows(&self, style: Style, cells: &[Cells]) -> Vec<String> {
        let mut rows = Vec::new();
        for found in cells {
            let [relation, middle @ .., until] = &found.texts;
            let until = if self.short { &found.short } else { until };
            let first = self.cells[0];
            let mut blanks = 0;
            let mut row = String::new();
            if width(relation) > first {
                rows.push(paint(style, found.colour, relation));
                blanks = first + GAP;
            } else {
                row = pad(relation, first + GAP);
            }
            for (text, wide) in middle.iter().zip(&self.cells[1..]) {
                row.push_str(&pad(text, wide + GAP));
            }
            row.push_str(until);
            rows.push(" ".repeat(blanks) + &paint(style, found.colour, &row));
        }
        rows
    }
}
