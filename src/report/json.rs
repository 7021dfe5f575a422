//! The JSON format, version 1: own types, so that a change of the program's insides never changes what leaves it.
//!
//! Fields may be added within a version; a field's meaning never changes. [`SCHEMA`] describes it.

use std::io::{self, Write};

use serde::Serialize;

use super::Report;
use crate::diagnostic as inner;
use crate::effect as inner_effect;
use crate::rules;
use crate::source::{Location, Source, Span};

/// Version of the format.
pub const VERSION: u32 = 1;

/// The JSON Schema of the format, as `lockgate schema json` prints it.
pub const SCHEMA: &str = include_str!("json.schema.json");

/// Writes the report.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &document(report)).map_err(io::Error::from)?;
    writeln!(out)
}

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    tool: Tool,
    settings: Settings,
    summary: Summary,
    projects: Vec<Project<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    databases: Vec<Database<'a>>,
    findings: Vec<Finding<'a>>,
    not_analysed: Vec<NotAnalysed<'a>>,
    errors: Vec<FileError<'a>>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Settings {
    postgres: u32,
    environment: &'static str,
}

#[derive(Serialize)]
struct Summary {
    files: usize,
    migrations: usize,
    statements: usize,
    errors: usize,
    warnings: usize,
    infos: usize,
    suppressed: usize,
    baselined: usize,
    below_strictness: usize,
    not_analysed: usize,
}

#[derive(Serialize)]
struct Project<'a> {
    root: &'a str,
    layout: &'static str,
    reason: &'a str,
    migrations: usize,
}

#[derive(Serialize)]
struct Database<'a> {
    url: &'a str,
    server: Option<&'a str>,
    role: &'a str,
    pending: usize,
    pending_migrations: Vec<Pending<'a>>,
    probes: Vec<Probe>,
}

#[derive(Serialize)]
struct Pending<'a> {
    file: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
struct Probe {
    probe: &'static str,
    answer: &'static str,
}

#[derive(Serialize)]
pub(super) struct Place<'a> {
    file: &'a str,
    start: Position,
    end: Position,
}

#[derive(Serialize)]
struct Position {
    line: u32,
    column: u32,
    offset: u32,
}

#[derive(Serialize)]
struct Finding<'a> {
    rule: &'static str,
    level: &'static str,
    certainty: &'static str,
    message: &'a str,
    help: Option<&'a str>,
    steps: Vec<Step<'a>>,
    #[serde(flatten)]
    place: Place<'a>,
    migration: Option<&'a str>,
    direction: Option<&'static str>,
    labels: Vec<Label<'a>>,
    effects: Vec<Effect>,
    estimate: Option<Estimate>,
    fix: Option<Fix<'a>>,
    checklist: &'static [&'static str],
    fingerprint: &'a str,
}

#[derive(Serialize)]
struct Step<'a> {
    place: &'static str,
    outside_of_transaction: bool,
    sketch: bool,
    sql: &'a str,
    text: &'a str,
    beside: Option<BesideFile<'a>>,
}

#[derive(Serialize)]
struct BesideFile<'a> {
    name: String,
    text: &'a str,
}

#[derive(Serialize)]
struct Label<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    text: &'a str,
}

#[derive(Serialize)]
pub(super) struct Effect {
    relation: String,
    relation_kind: &'static str,
    lock: &'static str,
    blocks: Vec<&'static str>,
    work: Vec<&'static str>,
    certainty: &'static str,
}

#[derive(Serialize)]
pub(super) struct Estimate {
    relation: String,
    rows: u64,
    bytes: u64,
    size: &'static str,
    seconds_min: f64,
    seconds_max: f64,
    assumes: &'static str,
}

#[derive(Serialize)]
struct Fix<'a> {
    title: &'a str,
    safety: &'static str,
    edits: Vec<Edit<'a>>,
    new_files: Vec<NewFile<'a>>,
}

#[derive(Serialize)]
struct Edit<'a> {
    file: &'a str,
    start: u32,
    end: u32,
    text: &'a str,
}

#[derive(Serialize)]
struct NewFile<'a> {
    path: String,
    text: &'a str,
}

#[derive(Serialize)]
pub(super) struct NotAnalysed<'a> {
    #[serde(flatten)]
    pub(super) place: Place<'a>,
    pub(super) reason: &'a str,
}

#[derive(Serialize)]
pub(super) struct FileError<'a> {
    pub(super) file: &'a str,
    pub(super) message: &'a str,
}

fn document(report: &Report) -> Document<'_> {
    let counts = report.counts;
    Document {
        schema_version: VERSION,
        tool: Tool {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
        },
        settings: Settings {
            postgres: report.settings.postgres,
            environment: report.settings.environment.as_str(),
        },
        summary: Summary {
            files: counts.files,
            migrations: counts.migrations,
            statements: counts.statements,
            errors: report.count(inner::Level::Error),
            warnings: report.count(inner::Level::Warning),
            infos: report.count(inner::Level::Info),
            suppressed: counts.suppressed,
            baselined: counts.baselined,
            below_strictness: counts.below_strictness,
            not_analysed: report.not_analysed.len(),
        },
        projects: report
            .projects
            .iter()
            .map(|project| Project {
                root: &project.root,
                layout: project.layout,
                reason: &project.reason,
                migrations: project.migrations,
            })
            .collect(),
        databases: report
            .databases
            .iter()
            .map(|database| Database {
                url: &report.source(database.source).path,
                server: database.server.as_deref(),
                role: &database.role,
                pending: database.pending,
                pending_migrations: database
                    .pending_migrations
                    .iter()
                    .map(|pending| Pending {
                        file: &pending.path,
                        version: &pending.version,
                    })
                    .collect(),
                probes: database
                    .answers
                    .iter()
                    .map(|answered| Probe {
                        probe: answered.probe,
                        answer: answered.answer.as_str(),
                    })
                    .collect(),
            })
            .collect(),
        findings: report
            .diagnostics
            .iter()
            .map(|diagnostic| finding(report, diagnostic))
            .collect(),
        not_analysed: report
            .not_analysed
            .iter()
            .map(|entry| NotAnalysed {
                place: place(report, entry.location),
                reason: &entry.reason,
            })
            .collect(),
        errors: report
            .errors
            .iter()
            .map(|error| FileError {
                file: &error.path,
                message: &error.message,
            })
            .collect(),
    }
}

fn finding<'a>(report: &'a Report, diagnostic: &'a inner::Diagnostic) -> Finding<'a> {
    Finding {
        rule: diagnostic.rule,
        level: diagnostic.level.as_str(),
        certainty: diagnostic.certainty.as_str(),
        message: &diagnostic.message,
        help: diagnostic.help.as_deref(),
        steps: diagnostic.steps.iter().map(step).collect(),
        place: place(report, diagnostic.primary),
        migration: diagnostic.migration.as_deref(),
        direction: diagnostic.direction,
        labels: diagnostic
            .labels
            .iter()
            .map(|label| Label {
                place: place(report, label.location),
                text: &label.text,
            })
            .collect(),
        effects: diagnostic.effects.iter().map(effect).collect(),
        estimate: diagnostic.estimate.as_ref().map(estimate),
        fix: diagnostic.fix.as_ref().map(|found| {
            fix(
                report,
                &report.source(diagnostic.primary.source).path,
                found,
            )
        }),
        checklist: rules::by_id(diagnostic.rule).map_or(&[], |rule| rule.checklist),
        fingerprint: &diagnostic.fingerprint,
    }
}

fn step(step: &inner::Step) -> Step<'_> {
    Step {
        place: step.place.as_str(),
        outside_of_transaction: step.outside,
        sketch: step.sketch,
        sql: &step.sql,
        text: &step.text,
        beside: step.beside.as_ref().map(|file| BesideFile {
            name: file.name.path("<name>"),
            text: &file.text,
        }),
    }
}

pub(super) fn effect(effect: &inner_effect::Effect) -> Effect {
    Effect {
        relation: effect.relation.to_string(),
        relation_kind: effect.kind.as_str(),
        lock: effect.lock.as_str(),
        blocks: effect.blocks(),
        work: effect.work.words(),
        certainty: effect.certainty.as_str(),
    }
}

pub(super) fn estimate(estimate: &inner::Estimate) -> Estimate {
    let tenths = |seconds: f64| (seconds * 10.0).round() / 10.0;
    Estimate {
        relation: estimate.relation.to_string(),
        rows: estimate.rows,
        bytes: estimate.bytes,
        size: estimate.class.as_str(),
        seconds_min: tenths(estimate.seconds.0),
        seconds_max: tenths(estimate.seconds.1),
        assumes: estimate.assumes,
    }
}

fn fix<'a>(report: &'a Report, of: &str, fix: &'a inner::Fix) -> Fix<'a> {
    Fix {
        title: &fix.title,
        safety: match fix.safety {
            inner::Safety::Safe => "safe",
            inner::Safety::Unsafe => "unsafe",
        },
        edits: fix
            .edits
            .iter()
            .map(|edit| Edit {
                file: &report.source(edit.location.source).path,
                start: edit.location.span.start,
                end: edit.location.span.end,
                text: &edit.text,
            })
            .collect(),
        new_files: fix
            .new_files
            .iter()
            .map(|file| NewFile {
                path: file.name.path(of),
                text: &file.text,
            })
            .collect(),
    }
}

fn place(report: &Report, location: Location) -> Place<'_> {
    place_in(report.source(location.source), location.span)
}

pub(super) fn place_in(source: &Source, span: Span) -> Place<'_> {
    let position = |offset| {
        let position = source.position(offset);
        Position {
            line: position.line,
            column: position.column,
            offset,
        }
    };
    let Span { start, end } = span;
    Place {
        file: &source.path,
        start: position(start),
        end: position(end),
    }
}
