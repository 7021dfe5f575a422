//! From text to a snapshot, with the place of what is wrong.

use std::cell::{Cell, RefCell};
use std::io::Read;

use serde::Deserialize;

use super::{Snapshot, VERSION};
pub use crate::source::Problem;
use crate::source::{Source, Span};
use crate::suggest::closest;

/// Keys that mean something, for suggestions.
const KEYS: [&str; 39] = [
    "format",
    "version",
    "taken_at",
    "server_version_num",
    "database",
    "database_bytes",
    "stats_reset",
    "schema_fingerprint",
    "objects",
    "fingerprint",
    "settings",
    "invariants",
    "relations",
    "statements",
    "schema",
    "name",
    "kind",
    "partition_of",
    "rows",
    "bytes",
    "total_bytes",
    "index_bytes",
    "indexes",
    "activity",
    "last_analyzed",
    "valid",
    "unique",
    "scans",
    "inserted",
    "updated",
    "deleted",
    "seq_scans",
    "idx_scans",
    "dead_rows",
    "query_id",
    "text",
    "calls",
    "mean_ms",
    "lockgate-snapshot",
];

/// Reads a snapshot. A key that is not known is an error, since it is a slip of the pen in most cases; in a file of a
/// newer minor version it is passed over.
///
/// # Errors
/// The text is no JSON, or not of the form that the schema describes.
pub fn parse(source: &Source) -> Result<Snapshot, Problem> {
    let text = source.text.strip_prefix('\u{feff}').unwrap_or(&source.text);
    let shift = source.text.len() - text.len();
    let mut unknown = 0_usize;
    let mut reader = serde_json::Deserializer::from_str(text);
    let mut ignored = |_: serde_ignored::Path<'_>| unknown += 1;
    let read = Snapshot::deserialize(serde_ignored::Deserializer::new(&mut reader, &mut ignored))
        .and_then(|snapshot| reader.end().map(|()| snapshot));
    let snapshot = read.map_err(|error| not_understood(source, &error))?;
    if unknown > 0
        && snapshot.version.0 <= VERSION
        && let Some((key, end)) = first_unknown_key(text)
    {
        let start = end.saturating_sub(key.len());
        return Err(Problem {
            message: format!("`{key}` is not a key of a snapshot"),
            help: closest(&key, KEYS).map(|near| format!("did you mean `{near}`?")),
            span: Span::new(shift + start, shift + end),
        });
    }
    Ok(snapshot)
}

/// What the JSON reader says, without its place, and the place as a span.
fn not_understood(source: &Source, error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    let message = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(message, _)| message);
    let message = match error.classify() {
        serde_json::error::Category::Data => format!("not a snapshot: {message}"),
        _ => format!("this is not JSON: {message}"),
    };
    let line = error.line().saturating_sub(1);
    let starts = source.line_starts();
    let len = source.text.len();
    let start = starts.get(line).map_or(len, |&start| start as usize);
    // The column counts bytes, and the byte it names was read already.
    let mut at = (start + error.column().saturating_sub(1)).min(len);
    while !source.text.is_char_boundary(at) {
        at -= 1;
    }
    let width = source.text[at..].chars().next().map_or(0, char::len_utf8);
    Problem {
        message,
        help: Some("`lockgate schema snapshot` describes the form; `{\"relations\": [{\"name\": \"orders\", \"rows\": 12000000}]}` is enough".to_owned()),
        span: Span::new(at, at + width),
    }
}

/// The first key that is passed over, with the offset behind it (before its closing quote).
fn first_unknown_key(text: &str) -> Option<(String, usize)> {
    let read = Cell::new(0);
    let mut reader = serde_json::Deserializer::from_reader(Counted {
        text: text.as_bytes(),
        read: &read,
    });
    let found = RefCell::new(None);
    let mut ignored = |path: serde_ignored::Path<'_>| {
        let key = match &path {
            serde_ignored::Path::Map { key, .. } => key.clone(),
            other => other.to_string(),
        };
        // The key was read just before, and nothing but `":` and blanks since.
        let before = text.get(..read.get()).unwrap_or(text);
        let end = before.rfind('"').unwrap_or(before.len());
        let mut found = found.borrow_mut();
        if found.is_none() {
            *found = Some((key, end));
        }
    };
    // It was read once already.
    let _ = Snapshot::deserialize(serde_ignored::Deserializer::new(&mut reader, &mut ignored));
    found.into_inner()
}

/// A reader that is asked for one byte at a time and knows how many it gave.
struct Counted<'a> {
    text: &'a [u8],
    read: &'a Cell<usize>,
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let (Some(slot), Some(byte)) = (into.first_mut(), self.text.get(self.read.get())) else {
            return Ok(0);
        };
        *slot = *byte;
        self.read.set(self.read.get() + 1);
        Ok(1)
    }
}
