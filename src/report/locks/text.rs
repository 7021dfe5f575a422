//! The table for people.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Ansi};

use super::TableStyle;
use super::columns::{Cells, Columns, GAP};
use super::sentence;
use super::table::{cut, pad, paint, width, wrap};
use crate::diagnostic::{Certainty, NotAnalysed};
use crate::layout::Direction;
use crate::locks::{Group, LocksReport, MigrationLocks, Row, RowEffect, Stop};
use crate::report::harmless::{count, visible};
use crate::session::TransactionKind;

const PLAIN: Ansi = Ansi::new();
const BOLD: Ansi = Ansi::new().bold();
const DIM: Ansi = Ansi::new().dimmed();
const RED: Ansi = AnsiColor::Red.on_default();
const YELLOW: Ansi = AnsiColor::Yellow.on_default();

/// Writes all migrations, what was not analysed, and a summary.
pub(super) fn write(
    report: &LocksReport,
    style: TableStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let places = Places::new(report);
    let mut marked = false;
    let tables: Vec<Table<'_>> = report
        .migrations
        .iter()
        .enumerate()
        .map(|(index, migration)| Table::new(report, migration, places.of(index), style))
        .collect();
    // All tables look alike: beside each other where there is room in every one.
    let wide = tables
        .iter()
        .all(|table| table.columns(true).statement.is_some());
    let mut quiet_before = true;
    for (index, table) in tables.iter().enumerate() {
        let quiet = table.is_quiet();
        if index > 0 && !(quiet && quiet_before) {
            writeln!(out)?;
        }
        quiet_before = quiet;
        marked |= table.write(wide, out)?;
    }
    if !tables.is_empty() {
        writeln!(out)?;
    }
    for entry in places.rest() {
        let source = report.source(entry.location.source);
        let line = report.line(entry.location);
        let place = format!("{}:{line}", visible(&source.path));
        let text = format!("{place}: not analysed: {}", visible(&entry.reason));
        writeln!(out, "{}", paint(style.style, YELLOW, &text))?;
    }
    for error in &report.errors {
        let text = format!("{}: {}", visible(&error.path), visible(&error.message));
        writeln!(out, "{} {text}", paint(style.style, RED, "error:"))?;
    }
    if marked {
        let legend = "?  not certain: it depends on something that the files do not decide";
        writeln!(out, "{}", paint(style.style, DIM, legend))?;
    }
    for line in wrap(&summary(report, &places), style.width) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn summary(report: &LocksReport, places: &Places<'_>) -> String {
    let (mut reads, mut writes, mut nobody, mut unclear) = (0, 0, 0, 0);
    for (index, migration) in report.migrations.iter().enumerate() {
        if migration.stops.iter().any(|stop| stop.reads.is_some()) {
            reads += 1;
        } else if migration.stops.is_empty() && !places.of(index).is_empty() {
            unclear += 1;
        } else if migration.stops.is_empty() {
            nobody += 1;
        } else {
            writes += 1;
        }
    }
    let verb = |number: usize, what: &str| {
        let verb = if number == 1 { "stops" } else { "stop" };
        (number > 0).then(|| format!("{number} {verb} {what}"))
    };
    let parts: Vec<String> = [
        verb(reads, "reads"),
        verb(writes, "writes only"),
        verb(nobody, "nobody"),
        (unclear > 0).then(|| format!("{unclear} unknown")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut text = format!(
        "{} on PostgreSQL {}",
        count(report.migrations.len(), "migration", "migrations"),
        report.postgres
    );
    if !parts.is_empty() {
        text.push_str(": ");
        text.push_str(&parts.join(", "));
    }
    if !report.not_analysed.is_empty() {
        let places = count(report.not_analysed.len(), "place", "places");
        text.push_str("; ");
        text.push_str(&places);
        text.push_str(" not analysed");
    }
    if !report.errors.is_empty() {
        let files = count(report.errors.len(), "file", "files");
        text.push_str("; ");
        text.push_str(&files);
        text.push_str(" not read");
    }
    text
}

/// The places that were not analysed, by the migration that they are in.
struct Places<'a> {
    owners: Vec<(Option<usize>, &'a NotAnalysed)>,
}

impl<'a> Places<'a> {
    fn new(report: &'a LocksReport) -> Self {
        let owner = |entry: &NotAnalysed| {
            let same = report
                .migrations
                .iter()
                .enumerate()
                .filter(|(_, migration)| migration.place.source == entry.location.source);
            // One file can hold both directions.
            let before = same
                .clone()
                .filter(|(_, migration)| migration.place.span.start <= entry.location.span.start)
                .max_by_key(|(_, migration)| migration.place.span.start);
            before
                .or_else(|| same.clone().next())
                .map(|(index, _)| index)
        };
        Self {
            owners: report
                .not_analysed
                .iter()
                .map(|entry| (owner(entry), entry))
                .collect(),
        }
    }

    fn of(&self, migration: usize) -> Vec<&'a NotAnalysed> {
        self.owners
            .iter()
            .filter(|(owner, _)| *owner == Some(migration))
            .map(|(_, entry)| *entry)
            .collect()
    }

    fn rest(&self) -> impl Iterator<Item = &'a NotAnalysed> {
        self.owners
            .iter()
            .filter(|(owner, _)| owner.is_none())
            .map(|(_, entry)| *entry)
    }
}

/// The colour of an effect: how much it hurts. Ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Pain {
    /// Nobody waits.
    None,
    /// Writers wait briefly, or the work stops nobody.
    Little,
    /// Writers wait for the work, or readers briefly.
    Some,
    /// Readers wait for the work.
    Much,
}

impl Pain {
    fn of(found: &RowEffect, waits: bool) -> Self {
        let blocks = found.effect.blocks();
        let works = !found.effect.work.is_none();
        let reads = blocks.contains(&"reads");
        match (blocks.is_empty(), reads, works) {
            _ if found.fresh => Self::None,
            (true, ..) => {
                // A concurrent build or a validation is worth seeing, an INSERT is not.
                let strong = found.effect.lock >= crate::effect::LockMode::ShareUpdateExclusive;
                if strong && (works || waits) {
                    Self::Little
                } else {
                    Self::None
                }
            }
            (_, true, true) => Self::Much,
            (_, true, false) | (_, false, true) => Self::Some,
            (_, false, false) => Self::Little,
        }
    }

    fn of_stop(stop: &Stop) -> Self {
        let long = !stop.work.is_none() || stop.further > 0;
        match (stop.reads.is_some(), long) {
            (true, true) => Self::Much,
            (true, false) | (false, true) => Self::Some,
            (false, false) => Self::Little,
        }
    }

    fn colour(self) -> Ansi {
        match self {
            Self::None => DIM,
            Self::Little => PLAIN,
            Self::Some => YELLOW,
            Self::Much => RED,
        }
    }
}

/// A line of the table.
enum Entry {
    Open(String),
    /// A statement: line, text, its first words about locks, further ones, and notes.
    Statement {
        line: u32,
        text: String,
        cells: Vec<Cells>,
        remark: Option<&'static str>,
        notes: Vec<(Ansi, String)>,
    },
    /// Something to know about the transaction.
    Remark(String),
    Close(String),
}

/// One migration on its way to the screen.
struct Table<'a> {
    report: &'a LocksReport,
    migration: &'a MigrationLocks,
    style: TableStyle,
    /// With true for lines inside a transaction.
    entries: Vec<(bool, Entry)>,
    /// Lines below the table.
    below: Vec<(Ansi, String)>,
    marked: bool,
    hidden: usize,
}

impl<'a> Table<'a> {
    fn new(
        report: &'a LocksReport,
        migration: &'a MigrationLocks,
        places: Vec<&'a NotAnalysed>,
        style: TableStyle,
    ) -> Self {
        let mut table = Self {
            report,
            migration,
            style,
            entries: Vec::new(),
            below: Vec::new(),
            marked: false,
            hidden: 0,
        };
        let mut open_places = places;
        for group in &migration.groups {
            table.group(group, &mut open_places);
        }
        for stop in shown_stops(&migration.stops) {
            table
                .below
                .push((Pain::of_stop(stop).colour(), sentence::stop(report, stop)));
        }
        for entry in open_places {
            let line = report.line(entry.location);
            let text = format!("line {line} not analysed: {}", visible(&entry.reason));
            table.below.push((YELLOW, text));
        }
        table
    }

    /// True if one line says it all.
    fn is_quiet(&self) -> bool {
        self.entries.is_empty() && self.below.is_empty()
    }

    fn group(&mut self, group: &Group, places: &mut Vec<&'a NotAnalysed>) {
        let bracket = group.kind != TransactionKind::None;
        let first = self.entries.len();
        let mut timeout = None;
        for index in group.rows.clone() {
            let rows = &self.migration.rows;
            let row = &rows[index];
            let is_block = !row.inside && rows.get(index + 1).is_some_and(|next| next.inside);
            if let Some(entry) = self.statement(row, is_block, places) {
                if row.effects.iter().any(is_stop) {
                    timeout.get_or_insert(row.lock_timeout);
                }
                self.entries.push((bracket, entry));
            }
        }
        if !bracket || self.entries.len() == first {
            return;
        }
        let tool = self.migration.tool;
        let mut opening = sentence::opening(self.report, group, tool);
        if let Some(timeout) = timeout {
            opening.push_str("; ");
            opening.push_str(&sentence::lock_timeout(timeout));
        }
        let mut before: Vec<Entry> = vec![Entry::Open(opening)];
        before.extend(
            group
                .before
                .iter()
                .flatten()
                .map(|(relation, lock, place)| {
                    Entry::Remark(sentence::before(
                        self.report,
                        relation,
                        lock.as_str(),
                        *place,
                    ))
                }),
        );
        self.entries
            .splice(first..first, before.into_iter().map(|entry| (true, entry)));
        let closing = sentence::closing(self.report, group, tool);
        self.entries.push((true, Entry::Close(closing)));
    }

    fn statement(
        &mut self,
        row: &Row,
        is_block: bool,
        places: &mut Vec<&'a NotAnalysed>,
    ) -> Option<Entry> {
        let all = self.style.all;
        let waits = !row.waits_for.is_empty();
        let worst = row.effects.iter().map(|found| Pain::of(found, waits)).max();
        let touches = worst.is_some_and(|worst| worst > Pain::None);
        let odd = row.tag.is_none() || row.fails.is_some() || waits;
        let meanwhile = row.under_locks && !row.steers;
        if !(all || touches || odd || meanwhile) {
            self.hidden += usize::from(!row.steers && !row.inside);
            return None;
        }
        let mut notes = Vec::new();
        if row.tag.is_none() {
            let here = |entry: &&NotAnalysed| {
                entry.location.source == row.place.source
                    && row.place.span.contains(entry.location.span)
            };
            let (mine, others): (Vec<_>, Vec<_>) = places.drain(..).partition(here);
            *places = others;
            let reason = mine
                .first()
                .map_or("it could not be parsed", |entry| &entry.reason);
            notes.push((YELLOW, format!("not analysed: {}", visible(reason))));
        }
        let mut cells = Vec::new();
        if !is_block {
            if waits {
                notes.push((PLAIN, sentence::waits(&row.waits_for)));
            }
            if let Some(failure) = &row.fails {
                let reason = visible(&failure.reason);
                notes.push((RED, format!("fails: {reason} ({})", failure.sqlstate)));
            }
            for found in &row.effects {
                let pain = Pain::of(found, waits);
                if all || pain > Pain::None {
                    cells.push(self.cells(found, pain));
                }
            }
        }
        let remark =
            (cells.is_empty() && meanwhile && !is_block).then_some("under the locks above");
        let indent = if row.inside { "  " } else { "" };
        Some(Entry::Statement {
            line: self.report.line(row.place),
            text: format!("{indent}{}", visible(&row.text)),
            cells,
            remark,
            notes,
        })
    }

    fn cells(&mut self, found: &RowEffect, pain: Pain) -> Cells {
        let effect = &found.effect;
        let mut relation = sentence::name(&effect.relation);
        if found.fresh {
            relation.push_str(" (new)");
        }
        let mut lock = effect.lock.as_str().to_owned();
        if effect.certainty != Certainty::Certain {
            lock.push_str(" ?");
            self.marked = true;
        }
        let stops = match effect.blocks() {
            blocks if blocks.is_empty() => "–".to_owned(),
            blocks => blocks.join(", "),
        };
        Cells {
            texts: [
                relation,
                lock,
                stops,
                sentence::work_and_time(found),
                sentence::until(self.report, found.until),
            ],
            short: sentence::short_until(self.report, found.until),
            colour: pain.colour(),
        }
    }

    fn columns(&self, wide: bool) -> Columns {
        let statements = self.entries.iter().filter_map(|(_, entry)| match entry {
            Entry::Statement {
                line, text, cells, ..
            } => Some((*line, text.as_str(), cells.as_slice())),
            _ => None,
        });
        Columns::new(&statements, self.style.width, wide)
    }

    /// Writes it; true if a mark needs its legend.
    fn write(&self, wide: bool, out: &mut dyn Write) -> io::Result<bool> {
        let style = self.style.style;
        let path = visible(&self.report.source(self.migration.place.source).path);
        let way = match self.migration.direction {
            Direction::Up => "",
            direction => direction.as_str(),
        };
        let title = format!("{path} {way}");
        let title = title.trim_end();
        if self.is_quiet() {
            let what = match self.hidden {
                0 => "no statements".to_owned(),
                hidden => format!(
                    "nobody waits ({})",
                    count(hidden, "statement", "statements")
                ),
            };
            let fits = width(title) + GAP + width(&what) <= self.style.width;
            let gap = if fits { "  " } else { "\n  " };
            writeln!(out, "{title}{gap}{}", paint(style, DIM, &what))?;
            return Ok(false);
        }
        writeln!(out, "{}", paint(style, BOLD, title))?;
        self.write_table(wide, out)?;
        for (ansi, text) in &self.below {
            for (index, line) in wrap(text, self.style.width.saturating_sub(4))
                .iter()
                .enumerate()
            {
                let indent = if index == 0 { "  " } else { "    " };
                writeln!(out, "{indent}{}", paint(style, *ansi, line))?;
            }
        }
        if self.hidden > 0 {
            let (verb, statements) = match self.hidden {
                1 => ("stops", "1 statement that".to_owned()),
                hidden => ("stop", format!("{hidden} statements that")),
            };
            let be = if self.hidden == 1 { "is" } else { "are" };
            let text = format!("  {statements} {verb} nobody {be} not shown");
            writeln!(out, "{}", paint(style, DIM, &text))?;
        }
        Ok(self.marked)
    }

    fn write_table(&self, wide: bool, out: &mut dyn Write) -> io::Result<()> {
        let style = self.style.style;
        let columns = self.columns(wide);
        if let Some(head) = columns.head() {
            writeln!(out, "{}", paint(style, DIM, &head))?;
        }
        for (bracket, entry) in &self.entries {
            let bar = if *bracket { "│ " } else { "  " };
            match entry {
                Entry::Open(text) => {
                    writeln!(out, "{}", paint(style, DIM, &format!("╭ {text}")))?;
                }
                Entry::Close(text) => {
                    writeln!(out, "{}", paint(style, DIM, &format!("╰ {text}")))?;
                }
                Entry::Remark(text) => {
                    let bar = paint(style, DIM, bar);
                    for line in wrap(text, self.style.width.saturating_sub(2)) {
                        writeln!(out, "{bar}{}", paint(style, YELLOW, &line))?;
                    }
                }
                Entry::Statement {
                    line,
                    text,
                    cells,
                    remark,
                    notes,
                } => {
                    let bar = paint(style, DIM, bar);
                    let number = format!("{line:>width$}", width = columns.line);
                    let number = paint(style, DIM, &number);
                    let mut rows = columns.rows(style, cells);
                    rows.extend(remark.map(|remark| paint(style, DIM, remark)));
                    let mut rows = rows.into_iter();
                    let gap = " ".repeat(GAP);
                    if let Some(wide) = columns.statement {
                        let text = pad(&cut(text, wide), wide);
                        let first = rows.next().unwrap_or_default();
                        let row = format!("{bar}{number}{gap}{text}{gap}{first}");
                        writeln!(out, "{}", row.trim_end())?;
                    } else {
                        let room = self.style.width.saturating_sub(2 + columns.line + GAP);
                        writeln!(out, "{bar}{number}{gap}{}", cut(text, room.max(20)))?;
                    }
                    let indent = " ".repeat(columns.indent);
                    for row in rows {
                        writeln!(out, "{bar}{indent}{row}")?;
                    }
                    let indent = " ".repeat(columns.line + 2 * GAP);
                    let room = self.style.width.saturating_sub(columns.line + 2 * GAP + 2);
                    for (ansi, note) in notes {
                        for line in wrap(note, room.max(20)) {
                            writeln!(out, "{bar}{indent}{}", paint(style, *ansi, &line))?;
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

fn is_stop(found: &RowEffect) -> bool {
    !found.fresh && !found.effect.blocks().is_empty()
}

/// Indexes go with their tables.
fn shown_stops(stops: &[Stop]) -> impl Iterator<Item = &Stop> {
    use crate::effect::RelationKind::Index;
    let only_indexes = stops.iter().all(|stop| stop.kind == Index);
    stops
        .iter()
        .filter(move |stop| only_indexes || stop.kind != Index)
}
