//! What sign-offs are bound to: a hash of a migration that any edit of what runs changes.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::layout::{self, History};
use crate::python;
use crate::source::{Source, SourceId, Span};
use crate::sql::lex;

/// Bytes of SHA-256 that are kept.
const BYTES: usize = 16;

/// The hash of each migration of a history, in hexadecimal digits: of its statements as PostgreSQL receives them, and of
/// the part of the file that it stands in. Comments, blank lines and the ends of lines do not count.
pub(super) fn of_all(history: &History, sources: &[Source]) -> Vec<String> {
    let mut by_source: BTreeMap<SourceId, Vec<u32>> = BTreeMap::new();
    for migration in &history.migrations {
        let starts = by_source.entry(migration.source).or_default();
        starts.push(migration.span.start);
    }
    for starts in by_source.values_mut() {
        starts.sort_unstable();
        starts.dedup();
    }
    let mut comments: BTreeMap<SourceId, Vec<Span>> = BTreeMap::new();
    let digests = history.migrations.iter().map(|migration| {
        let source = &sources[migration.source.0 as usize];
        let comments = comments
            .entry(source.id)
            .or_insert_with(|| comments_in(source));
        let part = part(source, migration.span, &by_source[&migration.source]);
        let mut hash = Sha256::new();
        for line in bare_lines(source, part, comments) {
            hash.update(line.as_bytes());
            hash.update(b"\n");
        }
        for statement in &migration.statements {
            hash.update(b"\0");
            hash.update(statement.source.sql.as_bytes());
        }
        hash.finalize()
            .iter()
            .take(BYTES)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    });
    digests.collect()
}

/// The part of its file that a migration is made of. What stands in a program above its functions counts for all of them.
fn part(source: &Source, migration: Span, starts: &[u32]) -> Span {
    let end = source.text.len();
    let is_sql = !is_python(source) && layout::program_comments(source).is_none();
    if starts.len() < 2 || !is_sql {
        return Span::new(0, end);
    }
    let next = starts.iter().find(|start| **start > migration.start);
    let start = match starts.first() {
        Some(first) if *first == migration.start => 0,
        _ => migration.start as usize,
    };
    Span::new(start, next.map_or(end, |next| *next as usize))
}

fn is_python(source: &Source) -> bool {
    source.path.to_ascii_lowercase().ends_with(".py")
}

fn comments_in(source: &Source) -> Vec<Span> {
    if is_python(source) {
        return python::syntax::parse(&source.text).comments;
    }
    if let Some(comments) = layout::program_comments(source) {
        return comments;
    }
    if crate::suppress::markup::is_markup(source) {
        return Vec::new();
    }
    lex::comments(&source.text, lex::Bodies::Read)
        .into_iter()
        .map(|comment| comment.span)
        .collect()
}

/// The lines of a part of a file that hold anything but comments and blanks.
fn bare_lines(source: &Source, part: Span, comments: &[Span]) -> Vec<String> {
    let mut bare = String::new();
    let mut at = part.start;
    let inside = comments
        .iter()
        .filter(|comment| part.start <= comment.start && comment.end <= part.end);
    for comment in inside {
        if comment.start < at {
            continue;
        }
        bare.push_str(source.slice(Span {
            start: at,
            end: comment.start,
        }));
        at = comment.end;
    }
    bare.push_str(source.slice(Span {
        start: at,
        end: part.end,
    }));
    bare.split(['\n', '\r'])
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<String> {
        let source = Source::new(SourceId(0), path, text);
        let all = Span::new(0, text.len());
        bare_lines(&source, all, &comments_in(&source))
    }

    #[test]
    fn comments_and_blank_lines_do_not_count() {
        let bare = "DROP TABLE a;\nSELECT '-- b';\n";
        let commented =
            "-- lockgate: tables a\r\n\r\nDROP TABLE a; /* x */\r\n  -- y\r\nSELECT '-- b';\r\n";
        assert_eq!(lines("a.sql", bare), lines("a.sql", commented));
        assert_ne!(
            lines("a.sql", bare),
            lines("a.sql", &bare.replace("-- b", "-- c"))
        );
        assert_eq!(lines("a.py", "x = 1  # y\n"), ["x = 1"]);
        assert_eq!(lines("a.py", "x = '# y'\n"), ["x = '# y'"]);
    }

    #[test]
    fn a_migration_is_its_part_of_a_file() {
        let text = "-- +goose Up\nDROP TABLE a;\n-- +goose Down\nSELECT 1;\n";
        let source = Source::new(SourceId(0), "1_a.sql", text);
        let starts = [0, 27];
        let of = |start: usize| source.slice(part(&source, Span::new(start, start), &starts));
        assert_eq!(of(0), "-- +goose Up\nDROP TABLE a;\n");
        assert_eq!(of(27), "-- +goose Down\nSELECT 1;\n");
        let python = Source::new(SourceId(0), "a.py", text);
        assert_eq!(part(&python, Span::new(27, 27), &starts).start, 0);
    }
}
