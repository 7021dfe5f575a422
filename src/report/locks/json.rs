//! The JSON format of `lockgate locks`, version 1. Fields may be added within a version; a field's meaning never
//! changes. [`SCHEMA`] describes it.

use std::io::{self, Write};

use serde::Serialize;

use crate::locks::{LocksReport, MigrationLocks, Row};
use crate::report::json::{
    Effect, Estimate, FileError, NotAnalysed, Place, effect, estimate, place_in,
};

/// Version of the format.
pub const VERSION: u32 = 1;

/// The JSON Schema of the format, as `lockgate schema locks` prints it.
pub const SCHEMA: &str = include_str!("../locks.schema.json");

/// Writes the document.
pub(super) fn write(report: &LocksReport, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &document(report)).map_err(io::Error::from)?;
    writeln!(out)
}

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    settings: Settings,
    statements: Vec<Statement<'a>>,
    not_analysed: Vec<NotAnalysed<'a>>,
    errors: Vec<FileError<'a>>,
}

#[derive(Serialize)]
struct Settings {
    postgres: u32,
}

#[derive(Serialize)]
struct Statement<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    migration: Option<&'a str>,
    direction: &'static str,
    kind: &'static str,
    transaction: Transaction,
    effects: Vec<EffectOnRow>,
    waits_for: Vec<&'static str>,
    fails: Option<Fails<'a>>,
}

#[derive(Serialize)]
struct EffectOnRow {
    #[serde(flatten)]
    effect: Effect,
    estimate: Option<Estimate>,
}

#[derive(Serialize)]
struct Transaction {
    number: u32,
    kind: &'static str,
}

#[derive(Serialize)]
struct Fails<'a> {
    sqlstate: &'static str,
    reason: &'a str,
}

fn document(report: &LocksReport) -> Document<'_> {
    Document {
        schema_version: VERSION,
        settings: Settings {
            postgres: report.postgres,
        },
        statements: report
            .migrations
            .iter()
            .flat_map(|migration| {
                let rows = migration.rows.iter().filter(|row| !row.inside);
                rows.filter_map(|row| Some(statement(report, migration, row, row.tag?)))
            })
            .collect(),
        not_analysed: report
            .not_analysed
            .iter()
            .map(|entry| NotAnalysed {
                place: place_in(report.source(entry.location.source), entry.location.span),
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

fn statement<'a>(
    report: &'a LocksReport,
    migration: &'a MigrationLocks,
    row: &'a Row,
    tag: &'static str,
) -> Statement<'a> {
    Statement {
        place: place_in(report.source(row.place.source), row.place.span),
        migration: Some(&*migration.version).filter(|version| !version.is_empty()),
        direction: migration.direction.as_str(),
        kind: tag,
        transaction: Transaction {
            number: row.transaction.number,
            kind: row.transaction.kind.as_str(),
        },
        effects: row
            .effects
            .iter()
            .map(|found| EffectOnRow {
                effect: effect(&found.effect),
                estimate: found.estimate.as_ref().map(estimate),
            })
            .collect(),
        waits_for: row.waits_for.iter().map(|waits| waits.as_str()).collect(),
        fails: row.fails.as_ref().map(|failure| Fails {
            sqlstate: failure.sqlstate,
            reason: &failure.reason,
        }),
    }
}
