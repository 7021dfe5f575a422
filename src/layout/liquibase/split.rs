//! How Liquibase cuts SQL into statements, and where that is not how PostgreSQL reads it.
//!
//! Tried with version 4.28: a statement ends at `;`, or at a line that is `GO` or `/`. Strings, quoted names and comments
//! are known, dollar quotes are not. Words are counted instead: behind `begin` no `;` ends a statement until as many
//! `end` have come, whichever statement's they are. So a body with `DECLARE x int;`, `END IF;` or `END LOOP;` in it is cut in
//! two, and a `BEGIN;` that opens a transaction takes everything up to the next `end` with it; `begin transaction` is not
//! counted. With a delimiter of the changeset's own nothing is counted.

use super::text::{Sql, Text};
use crate::layout::Send;
use crate::source::Span;
use crate::sql::split::{self, SegmentKind, SplitOptions};

/// How a text is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cut {
    /// In the usual way.
    Usual,
    /// At this delimiter only.
    At(String),
    /// Not at all: it is sent as one message.
    Whole,
}

impl Cut {
    /// The way that the attributes `splitStatements` and `endDelimiter` ask for.
    pub(super) fn of(splits: Option<bool>, delimiter: Option<&str>) -> Self {
        match delimiter.map(unescaped) {
            _ if splits == Some(false) => Self::Whole,
            None => Self::Usual,
            Some(delimiter) if delimiter.trim() == ";" || delimiter.is_empty() => Self::Usual,
            Some(delimiter) => Self::At(delimiter),
        }
    }
}

/// A delimiter is a regular expression; of these, the signs for line ends and blanks are in use.
fn unescaped(delimiter: &str) -> String {
    delimiter
        .replace("\\r?", "")
        .replace("\\n", "\n")
        .replace("\\s*", "")
        .replace("\\$", "$")
        .replace("\\/", "/")
        .replace("\\|", "|")
}

/// What was cut off.
#[derive(Debug)]
pub(super) struct Part {
    /// Its SQL.
    pub(super) sql: Text,
    /// How it is sent, if not as one statement.
    pub(super) send: Option<Send>,
}

/// A statement that is cut in two, with the place behind which that happens.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Torn {
    /// The statement, in the file.
    pub(super) statement: Span,
    /// The delimiter, in the file.
    pub(super) at: Span,
}

/// Cuts a text.
pub(super) fn cut(text: &Text, cut: &Cut) -> (Vec<Part>, Vec<Torn>) {
    let mut torn = Vec::new();
    let ends = match cut {
        Cut::Whole => Vec::new(),
        Cut::At(delimiter) => own_ends(&text.value, delimiter),
        Cut::Usual => {
            let found = usual_ends(&text.value);
            let statements = statements(&with_semicolons(&text.value, &found));
            let mut ends = Vec::new();
            for end in found {
                let index =
                    statements.partition_point(|statement| statement.end as usize <= end.start);
                match statements.get(index) {
                    Some(statement) if (statement.start as usize) < end.start => {
                        let statement = text.map.to_file(*statement);
                        if torn.iter().all(|other: &Torn| other.statement != statement) {
                            torn.push(Torn {
                                statement,
                                at: text.map.to_file(Span::new(end.start, end.end)),
                            });
                        }
                    }
                    _ => ends.push(end),
                }
            }
            ends
        }
    };
    let mut parts = Vec::new();
    let mut start = 0;
    for end in ends {
        push(&mut parts, text, start..end.start);
        start = end.end;
    }
    push(&mut parts, text, start..text.value.len());
    (parts, torn)
}

/// The text with `;` for `GO` and `/`, which PostgreSQL does not know.
fn with_semicolons(text: &str, ends: &[std::ops::Range<usize>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut start = 0;
    for end in ends {
        out.push_str(&text[start..end.start]);
        out.push(';');
        out.extend(std::iter::repeat_n(' ', end.len() - 1));
        start = end.end;
    }
    out.push_str(&text[start..]);
    out
}

fn push(parts: &mut Vec<Part>, text: &Text, range: std::ops::Range<usize>) {
    let sql = text.part(range);
    if sql.is_blank() {
        return;
    }
    let send = (statements(&sql.value).len() > 1).then_some(Send::Pipeline);
    parts.push(Part { sql, send });
}

/// The statements of a text as PostgreSQL cuts it.
fn statements(text: &str) -> Vec<Span> {
    split::split(text, &SplitOptions::default())
        .segments
        .iter()
        .filter(|segment| segment.kind == SegmentKind::Statement)
        .map(|segment| segment.span)
        .collect()
}

/// The places of a delimiter of the changeset's own.
fn own_ends(text: &str, delimiter: &str) -> Vec<std::ops::Range<usize>> {
    let (text, delimiter) = (text.to_ascii_lowercase(), delimiter.to_ascii_lowercase());
    text.match_indices(&delimiter)
        .map(|(at, found)| at..at + found.len())
        .collect()
}

/// The places at which Liquibase ends a statement by itself.
fn usual_ends(text: &str) -> Vec<std::ops::Range<usize>> {
    let bytes = text.as_bytes();
    let mut ends = Vec::new();
    let (mut at, mut depth) = (0, 0_usize);
    while at < bytes.len() {
        let rest = &bytes[at..];
        match rest {
            [b'-', b'-', ..] => {
                at = memchr::memchr(b'\n', rest).map_or(bytes.len(), |end| at + end)
            }
            [b'/', b'*', ..] => {
                at = text[at + 2..]
                    .find("*/")
                    .map_or(bytes.len(), |end| at + end + 4)
            }
            [quote @ (b'\'' | b'"'), ..] => {
                at = memchr::memchr(*quote, &rest[1..]).map_or(bytes.len(), |end| at + end + 2);
            }
            [b';', ..] => {
                if depth == 0 {
                    ends.push(at..at + 1);
                }
                at += 1;
            }
            [b'/', ..] => {
                if is_alone(text, at, 1) {
                    ends.push(at..at + 1);
                }
                at += 1;
            }
            [first, ..] if first.is_ascii_alphabetic() || matches!(first, b'_' | b'$') => {
                // Behind a dot it is a column, whatever it is called.
                let length = rest
                    .iter()
                    .position(|byte| {
                        !(byte.is_ascii_alphanumeric()
                            || matches!(byte, b'_' | b'.' | b'$')
                            || *byte >= 0x80)
                    })
                    .unwrap_or(rest.len());
                let word = &text[at..at + length];
                let follows = text[at + length..].trim_start();
                if word.eq_ignore_ascii_case("begin") {
                    let is_transaction = follows
                        .get(.."transaction".len())
                        .is_some_and(|next| next.eq_ignore_ascii_case("transaction"));
                    depth += usize::from(!is_transaction);
                } else if word.eq_ignore_ascii_case("end") {
                    depth = depth.saturating_sub(1);
                } else if word.eq_ignore_ascii_case("go") && is_alone(text, at, length) {
                    ends.push(at..at + length);
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    ends
}

/// True if nothing else stands on the line.
fn is_alone(text: &str, at: usize, length: usize) -> bool {
    let before = text[..at].rsplit('\n').next().unwrap_or_default();
    let behind = text[at + length..].split('\n').next().unwrap_or_default();
    before.trim().is_empty() && behind.trim().is_empty()
}

/// A text of which some parts, in order, are not read: blanks stand for them.
pub(super) fn without(text: &Text, gone: &[std::ops::Range<usize>]) -> Text {
    let mut sql = Sql::new(text.span);
    let mut start = 0;
    for range in gone {
        let blank: String = text.value[range.clone()]
            .chars()
            .map(|c| if c == '\n' { '\n' } else { ' ' })
            .collect();
        sql = sql.copy(text, start..range.start).add(&blank);
        start = range.end;
    }
    sql.copy(text, start..text.value.len()).into_text()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, how: &Cut) -> (Vec<String>, Vec<String>) {
        let whole = Text::copied(text, Span::new(0, text.len()));
        let (parts, torn) = cut(&whole, how);
        let parts = parts.iter().map(|part| {
            let mark = if part.send.is_some() { "+ " } else { "" };
            format!("{mark}{}", part.sql.value.trim())
        });
        let torn = torn.iter().map(|torn| {
            assert_eq!(&text[torn.at.range()], ";");
            text[..torn.at.start as usize]
                .rsplit([';', '\n'])
                .next()
                .unwrap()
                .trim()
                .to_owned()
        });
        (parts.collect(), torn.collect())
    }

    /// Each case was run by Liquibase 4.28.
    #[test]
    fn statements_end_where_liquibase_ends_them() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            ("select 1; select 2", &["select 1", "select 2"], &[]),
            (
                "select 1\nGO\nselect 2; select 3\n/\nselect 4",
                &["select 1", "select 2", "select 3", "select 4"],
                &[],
            ),
            (
                "begin; select 1; commit; select 2;",
                &["+ begin; select 1; commit; select 2;"],
                &[],
            ),
            (
                "begin transaction; select 1; end; select 2;",
                &["begin transaction", "select 1", "end", "select 2"],
                &[],
            ),
            (
                "begin work; select 1; end; select 2;",
                &["+ begin work; select 1; end", "select 2"],
                &[],
            ),
            (
                "do $$ begin begin select 1; end; select 2; end $$; select 3;",
                &[
                    "do $$ begin begin select 1; end; select 2; end $$",
                    "select 3",
                ],
                &[],
            ),
            (
                "create function f() returns int language plpgsql as $$ declare x int; begin x := 1; return x; end; $$; select 9;",
                &[
                    "create function f() returns int language plpgsql as $$ declare x int; begin x := 1; return x; end; $$",
                    "select 9",
                ],
                &["create function f() returns int language plpgsql as $$ declare x int"],
            ),
            (
                "do $$ begin for i in 1..2 loop select 2; end loop; select 3; end $$; select 4;",
                &[
                    "do $$ begin for i in 1..2 loop select 2; end loop; select 3; end $$",
                    "select 4",
                ],
                &["end loop"],
            ),
            (
                "create function f() returns int language sql as $$ select 1; select 2; $$;",
                &["create function f() returns int language sql as $$ select 1; select 2; $$"],
                &["create function f() returns int language sql as $$ select 1"],
            ),
            (
                "create function f() returns int begin atomic; select 1; select 2; end; select 5;",
                &[
                    "create function f() returns int begin atomic; select 1; select 2; end",
                    "select 5",
                ],
                &[],
            ),
            (
                "select x.begin from x; select begin_at from x;",
                &["select x.begin from x", "select begin_at from x"],
                &[],
            ),
            (
                "select 1; -- begin ;\nselect 2; /* ; begin */ select 'begin;'",
                &[
                    "select 1",
                    "-- begin ;\nselect 2",
                    "/* ; begin */ select 'begin;'",
                ],
                &[],
            ),
            (
                "select $$begin$$; select 2;",
                &["select $$begin$$", "select 2"],
                &[],
            ),
        ];
        for (text, parts, torn) in cases {
            let (found, tear) = shown(text, &Cut::Usual);
            assert_eq!(found, *parts, "{text}");
            assert_eq!(tear, *torn, "{text}");
        }
    }

    #[test]
    fn delimiters_of_ones_own_are_the_only_ones() {
        let at = |delimiter: &str| Cut::of(None, Some(delimiter));
        assert_eq!(
            shown(
                "select 1; select 2 // begin select 3; end; // select 4",
                &at("//")
            )
            .0,
            ["+ select 1; select 2", "begin select 3; end;", "select 4"].map(|part| {
                if part.starts_with("begin") {
                    format!("+ {part}")
                } else {
                    part.to_owned()
                }
            })
        );
        assert_eq!(
            shown(
                "select 1\nGO\nselect 3; select 4\ngo\nselect 5",
                &at("\\nGO")
            )
            .0,
            ["select 1", "+ select 3; select 4", "select 5"]
        );
        assert_eq!(shown("a; b", &Cut::of(Some(false), None)).0, ["+ a; b"]);
        assert_eq!(at(";"), Cut::Usual);
    }

    #[test]
    fn cut_anywhere_nothing_breaks() {
        let text = "é /* ü */ do $$ begin 'x\"' end $$; \"ä;\" -- ö\nGO\n/\n";
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            shown_parts(&text[..end]);
        }
    }

    fn shown_parts(text: &str) {
        let whole = Text::copied(text, Span::new(0, text.len()));
        cut(&whole, &Cut::Usual);
    }
}
