//! The format for people.
//!
//! The pretty printer draws headlines and marked source lines; notes, help and the summary are plain lines below, so
//! that SQL in a help text keeps its shape.

use std::fmt;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Ansi};
use miette::{
    Diagnostic as _, GraphicalReportHandler, GraphicalTheme, LabeledSpan, Severity, SourceCode,
    ThemeCharacters, ThemeStyles,
};

use super::harmless::{count, visible, visible_lines};
use super::snippet::{Mark, View};
use super::{Answer, DatabaseSummary, Report, Style};
use crate::diagnostic::{Certainty, Diagnostic, Level, NotAnalysed};
use crate::rule::page_url;
use crate::source::{Location, Source, Span};

/// Places of one file that are listed one by one before the rest is only counted.
const PLACES_LISTED: usize = 3;

/// Writes the report.
pub(super) fn write(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    for diagnostic in &report.diagnostics {
        write_finding(report, diagnostic, style, out)?;
        writeln!(out)?;
    }
    write_errors(report, style, out)?;
    write_not_analysed(report, style, out)?;
    write_databases(report, style, out)?;
    write_summary(report, style, out)
}

/// Something the program has to say about a place in a file: a finding, or an error in a configuration.
pub(crate) struct Notice<'a> {
    /// Level, for the colour and the word.
    pub(crate) level: Level,
    /// What stands in brackets behind the level, with the address of its page.
    pub(crate) id: Option<(&'a str, Option<String>)>,
    /// One line.
    pub(crate) message: String,
    /// The file, and where in it.
    pub(crate) place: Option<(&'a Source, Span)>,
    /// Other places of the same file.
    pub(crate) labels: Vec<(Span, String)>,
    /// Lines of this part may be shown around the place.
    pub(crate) around: Option<Span>,
    /// Lines below the source text.
    pub(crate) notes: Vec<String>,
    /// What to do; may have several lines.
    pub(crate) help: Option<&'a str>,
}

fn write_finding(
    report: &Report,
    diagnostic: &Diagnostic,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let source = report.source(diagnostic.primary.source);
    let (here, elsewhere): (Vec<_>, Vec<_>) = diagnostic
        .labels
        .iter()
        .partition(|label| label.location.source == source.id);
    let notice = Notice {
        level: diagnostic.level,
        id: Some((diagnostic.rule, page_url(diagnostic.rule))),
        message: match diagnostic.certainty {
            Certainty::Certain => diagnostic.message.clone(),
            other => format!("{}: {}", other.as_str(), diagnostic.message),
        },
        place: Some((source, diagnostic.primary.span)),
        labels: here
            .iter()
            .map(|label| (label.location.span, label.text.clone()))
            .collect(),
        around: diagnostic.subject,
        notes: elsewhere
            .iter()
            .map(|label| {
                format!(
                    "{}: {}",
                    place(report, label.location),
                    visible(&label.text)
                )
            })
            .collect(),
        help: diagnostic.help.as_deref(),
    };
    if report.is_database(source.id) {
        let at = std::iter::once(visible(&source.path)).chain(notice.notes);
        let notice = Notice {
            place: None,
            notes: at.collect(),
            ..notice
        };
        return write_notice(&notice, style, out);
    }
    write_notice(&notice, style, out)
}

/// Writes one notice, without a blank line behind it.
pub(crate) fn write_notice(
    notice: &Notice<'_>,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut shown = Shown::new(notice);
    shown.say_things_once();
    let mut drawn = String::new();
    // Writing to a string cannot fail; what the printer itself could object to is a place outside of the view.
    if printer(notice, &shown, style)
        .render_report(&mut drawn, &shown)
        .is_err()
    {
        writeln!(out, "{}", shown.message)?;
    }
    out.write_all(drawn.strip_prefix("  ").unwrap_or(&drawn).as_bytes())?;
    let nowhere = notice.place.filter(|(source, _)| source.text.is_empty());
    let nowhere = nowhere.map(|(source, _)| format!("{}:1:1", visible(&source.path)));
    for note in nowhere.iter().chain(&notice.notes) {
        writeln!(out, "  {} {note}", paint(style, DIM, "at"))?;
    }
    if let Some(help) = notice.help {
        let mut lines = visible_lines(help.trim_end()).into_iter();
        let first = lines.next().unwrap_or_default();
        writeln!(out, "  {} {first}", paint(style, HELP, "help:"))?;
        for line in lines {
            writeln!(out, "{}", format!("        {line}").trim_end())?;
        }
    }
    Ok(())
}

/// What the pretty printer is given.
struct Shown {
    message: String,
    severity: Severity,
    view: Option<View>,
    texts: Vec<(Option<String>, bool)>,
}

impl Shown {
    fn new(notice: &Notice<'_>) -> Self {
        let mut marks = Vec::new();
        if let Some((_, span)) = notice.place {
            marks.push(Mark {
                span,
                text: None,
                primary: true,
            });
        }
        marks.extend(notice.labels.iter().map(|(span, text)| Mark {
            span: *span,
            text: Some(visible(text)),
            primary: false,
        }));
        Self {
            message: visible(&notice.message),
            severity: match notice.level {
                Level::Error => Severity::Error,
                Level::Warning => Severity::Warning,
                Level::Info => Severity::Advice,
            },
            view: notice
                .place
                // An empty file has no line to show.
                .filter(|(source, _)| !source.text.is_empty())
                .map(|(source, _)| View::new(source, &marks, notice.around)),
            texts: marks
                .into_iter()
                .map(|mark| (mark.text, mark.primary))
                .collect(),
        }
    }

    /// Gives the text of a label to the main place where both are the same.
    fn say_things_once(&mut self) {
        let Some(view) = &mut self.view else { return };
        let Some(main) = view.marks.first().map(|mark| (mark.start, mark.len)) else {
            return;
        };
        while let Some(same) = view.marks[1..]
            .iter()
            .position(|mark| (mark.start, mark.len) == main)
        {
            view.marks.remove(same + 1);
            let (text, _) = self.texts.remove(same + 1);
            let said = &mut self.texts[0].0;
            *said = match (said.take(), text) {
                (Some(said), Some(text)) => Some(format!("{said}; {text}")),
                (said, text) => said.or(text),
            };
        }
    }

    fn spans(&self) -> impl Iterator<Item = LabeledSpan> + '_ {
        let marks = self.view.iter().flat_map(|view| &view.marks);
        marks
            .zip(&self.texts)
            .map(|(mark, (text, primary))| match primary {
                true => LabeledSpan::new_primary_with_span(text.clone(), (mark.start, mark.len)),
                false => LabeledSpan::new_with_span(text.clone(), (mark.start, mark.len)),
            })
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl miette::Diagnostic for Shown {
    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }
    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.view.as_ref().map(|view| view as &dyn SourceCode)
    }
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.view.as_ref()?;
        Some(Box::new(self.spans()))
    }
}

/// The printer for one notice: its "icon" is the headline's beginning, and the colours of the marks are in the order
/// in which it will draw them.
fn printer(notice: &Notice<'_>, shown: &Shown, style: Style) -> GraphicalReportHandler {
    let mut word = notice.level.as_str().to_owned();
    if let Some((id, url)) = &notice.id {
        let id = match url {
            Some(url) if style.links => format!("\x1b]8;;{url}\x1b\\{id}\x1b]8;;\x1b\\"),
            _ => (*id).to_owned(),
        };
        word = format!("{word}[{id}]");
    }
    word.push(':');
    let mut characters = ThemeCharacters::unicode();
    characters.error.clone_from(&word);
    characters.warning.clone_from(&word);
    characters.advice = word;
    let mut styles = if style.color {
        ThemeStyles::ansi()
    } else {
        ThemeStyles::none()
    };
    if style.color {
        styles.link = styles.help;
        styles.error = styles.error.bold();
        styles.warning = styles.warning.bold();
        styles.advice = styles.advice.bold();
        let level = match shown.severity {
            Severity::Error => styles.error,
            Severity::Warning => styles.warning,
            Severity::Advice => styles.advice,
        };
        let mut order: Vec<(usize, bool)> = shown
            .labels()
            .into_iter()
            .flatten()
            .map(|label| (label.offset(), label.primary()))
            .collect();
        order.sort_by_key(|(offset, _)| *offset);
        styles.highlights = order
            .iter()
            .map(|(_, primary)| if *primary { level } else { styles.help })
            .collect();
    }
    if styles.highlights.is_empty() {
        styles.highlights = ThemeStyles::none().highlights;
    }
    GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
        .with_links(false)
        .with_cause_chain()
        .with_context_lines(1)
        .with_wrap_lines(false)
        .without_syntax_highlighting()
}

fn write_errors(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    for error in &report.errors {
        let word = paint(style, ERROR, "error:");
        writeln!(
            out,
            "{word} {}: {}",
            visible(&error.path),
            visible(&error.message)
        )?;
    }
    if !report.errors.is_empty() {
        writeln!(out)?;
    }
    Ok(())
}

/// The places that were not analysed, file by file: the first few with their reasons, the rest counted.
fn write_not_analysed(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    if report.not_analysed.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", paint(style, BOLD, "not analysed:"))?;
    for (shown, left_out) in condensed(&report.not_analysed) {
        for entry in shown {
            let reason = visible(&entry.reason);
            writeln!(out, "  {}: {reason}", place(report, entry.location))?;
        }
        if let (Some(entry), 1..) = (shown.first(), left_out) {
            let path = visible(&report.source(entry.location.source).path);
            writeln!(out, "  {path}: and {}", count(left_out, "place", "places"))?;
        }
    }
    writeln!(out)
}

/// The entries file by file: those to list, and how many more the file has.
pub(super) fn condensed(entries: &[NotAnalysed]) -> impl Iterator<Item = (&[NotAnalysed], usize)> {
    entries
        .chunk_by(|a, b| a.location.source == b.location.source)
        .map(|file| {
            let listed = file.len().min(PLACES_LISTED);
            (&file[..listed], file.len() - listed)
        })
}

/// One line for each database that was asked.
fn write_databases(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    for database in report.databases.iter().filter(|d| d.server.is_some()) {
        let path = visible(&report.source(database.source).path);
        writeln!(
            out,
            "{} {}",
            paint(style, BOLD, &format!("{path}:")),
            answers(database)
        )?;
    }
    Ok(())
}

/// `PostgreSQL 18.1, role shop, 2 pending migrations; 20 probes: 17 ok, 2 with findings, 1 unknown`.
pub(super) fn answers(database: &DatabaseSummary) -> String {
    let server = database.server.as_deref().unwrap_or_default();
    let mut line = format!("{server}, role {}, ", visible(&database.role));
    line.push_str(&count(
        database.pending,
        "pending migration",
        "pending migrations",
    ));
    line.push_str("; ");
    line.push_str(&count(database.answers.len(), "probe", "probes"));
    let parts: Vec<String> = [
        (Answer::Ok, "ok"),
        (Answer::Finding, "with findings"),
        (Answer::Unknown, "unknown"),
        (Answer::NotAsked, "not asked"),
    ]
    .into_iter()
    .map(|(answer, word)| (database.count(answer), word))
    .filter(|(number, _)| *number > 0)
    .map(|(number, word)| format!("{number} {word}"))
    .collect();
    if !parts.is_empty() {
        line.push_str(": ");
        line.push_str(&parts.join(", "));
    }
    line
}

fn write_summary(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    if report.settings.stats.is_none() && report.diagnostics.iter().any(waits_for_work) {
        let note = "how long the work under these locks takes is a matter of size: `--stats FILE`, a snapshot of production, tells";
        writeln!(out, "{}\n", paint(style, DIM, note))?;
    }
    let line = summary(report);
    let worst = report.diagnostics.iter().map(|d| d.level).max();
    let color = match worst {
        _ if !report.errors.is_empty() => ERROR,
        Some(Level::Error) => ERROR,
        Some(Level::Warning) => WARNING,
        Some(Level::Info) => HELP,
        None => CLEAN,
    };
    writeln!(out, "{}", paint(style, color, &line))
}

/// True for a finding about work that others wait for.
fn waits_for_work(diagnostic: &Diagnostic) -> bool {
    let mut effects = diagnostic.effects.iter();
    effects.any(|effect| !effect.work.is_none() && !effect.blocks().is_empty())
}

/// The last line: what was found, in how much, and what is not shown.
pub(super) fn summary(report: &Report) -> String {
    let counts = report.counts;
    let found: Vec<String> = [
        (Level::Error, "error", "errors"),
        (Level::Warning, "warning", "warnings"),
        (Level::Info, "info", "infos"),
    ]
    .into_iter()
    .map(|(level, singular, plural)| (report.count(level), singular, plural))
    .filter(|(number, ..)| *number > 0)
    .map(|(number, singular, plural)| count(number, singular, plural))
    .collect();

    let unreachable = report.databases.iter().filter(|d| d.server.is_none());
    let unreachable = unreachable.count().min(report.errors.len());
    let mut line = if !report.databases.is_empty() {
        let asked = report.databases.iter().filter(|d| d.server.is_some());
        let databases = count(asked.count(), "database", "databases");
        if found.is_empty() {
            format!("asked {databases}: nothing to report")
        } else {
            format!("{} in {databases}", found.join(", "))
        }
    } else if !found.is_empty() {
        format!(
            "{} in {} ({}, {})",
            found.join(", "),
            count(counts.files, "file", "files"),
            count(counts.migrations, "migration", "migrations"),
            count(counts.statements, "statement", "statements"),
        )
    } else if report.projects.is_empty() && counts.migrations == 0 {
        "no migrations found".to_owned()
    } else {
        format!(
            "checked {}{}: nothing to report",
            count(counts.migrations, "migration", "migrations"),
            projects(report)
        )
    };
    for (number, singular, plural) in [
        (counts.suppressed, "suppressed", "suppressed"),
        (counts.baselined, "in the baseline", "in the baseline"),
        (
            counts.below_strictness,
            "more with --strict",
            "more with --strict",
        ),
        (
            report.not_analysed.len(),
            "place not analysed",
            "places not analysed",
        ),
        (
            report.errors.len() - unreachable,
            "file could not be read",
            "files could not be read",
        ),
        (
            unreachable,
            "database could not be asked",
            "databases could not be asked",
        ),
    ] {
        if number > 0 {
            line.push_str("; ");
            line.push_str(&count(number, singular, plural));
        }
    }
    line
}

/// ` (golang-migrate in db/migrations, plain in sql)`; empty if nothing is known.
fn projects(report: &Report) -> String {
    if report.projects.is_empty() {
        return String::new();
    }
    let names: Vec<String> = report
        .projects
        .iter()
        .map(|project| {
            let root = if project.root.is_empty() {
                "."
            } else {
                &project.root
            };
            format!("{} in {}", project.layout, visible(root))
        })
        .collect();
    format!(" ({})", names.join(", "))
}

/// `path:line:col`.
fn place(report: &Report, location: Location) -> String {
    let source = report.source(location.source);
    if report.is_database(source.id) {
        return visible(&source.path);
    }
    let position = source.position(location.span.start);
    format!(
        "{}:{}:{}",
        visible(&source.path),
        position.line,
        position.column
    )
}

const ERROR: Ansi = AnsiColor::Red.on_default().bold();
const WARNING: Ansi = AnsiColor::Yellow.on_default().bold();
const HELP: Ansi = AnsiColor::Cyan.on_default();
const CLEAN: Ansi = AnsiColor::Green.on_default();
const DIM: Ansi = Ansi::new().dimmed();
const BOLD: Ansi = Ansi::new().bold();

/// A text in a colour, where colours are wanted.
fn paint(style: Style, ansi: Ansi, text: &str) -> String {
    if style.color {
        format!("{ansi}{text}{ansi:#}")
    } else {
        text.to_owned()
    }
}
