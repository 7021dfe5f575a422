//! Lines that only the clients of other databases know.

use crate::sql::lex::{Token, is_blank, line_end, next_token};

use super::keywords::Starters;
use super::template::begins_line;

/// A line that is a command of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ForeignLine<'a> {
    /// In upper case.
    pub(super) name: &'static str,
    /// End of the line, without blanks.
    pub(super) end: usize,
    /// What stands behind the first word.
    pub(super) argument: &'a str,
}

/// The command line that begins with `token`, if it is one. `inside` says that a statement has begun before it.
pub(super) fn line<'a>(text: &'a str, token: &Token, inside: bool) -> Option<ForeignLine<'a>> {
    let start = token.span.start as usize;
    let word_end = token.span.end as usize;
    let name = if token.is_word(text, "go") {
        "GO"
    } else if token.is_word(text, "delimiter") {
        "DELIMITER"
    } else {
        return None;
    };
    let bytes = text.as_bytes();
    if !begins_line(bytes, start) {
        return None;
    }
    let line = line_end(bytes, word_end);
    let argument = text[word_end..line].trim_matches(|c| c == ' ' || c == '\t' || c == '\u{c}');
    let found = match name {
        "GO" => {
            argument
                .trim_end_matches(';')
                .bytes()
                .all(|b| b.is_ascii_digit())
                && (!inside || statement_follows(text, line))
        }
        // In the midst of a statement it is a name, or an option of COPY.
        _ => !(argument.is_empty() || inside),
    };
    let end = bytes[..line]
        .iter()
        .rposition(|&byte| !is_blank(byte))
        .map_or(line, |n| n + 1);
    found.then_some(ForeignLine {
        name,
        end,
        argument,
    })
}

/// True if the line that begins at `at` is a `DELIMITER` line.
pub(super) fn is_delimiter_line(bytes: &[u8], at: usize) -> bool {
    let start = bytes[at..]
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\t'))
        .map_or(bytes.len(), |n| at + n);
    let word = bytes.get(start..start + "delimiter".len());
    word.is_some_and(|word| word.eq_ignore_ascii_case(b"delimiter"))
        && bytes
            .get(start + "delimiter".len())
            .is_some_and(|&byte| matches!(byte, b' ' | b'\t'))
}

/// True if the next token begins a statement, or there is none. (`go` may be the name of a column.)
fn statement_follows(text: &str, at: usize) -> bool {
    match next_token(text, at) {
        None => true,
        Some(next) => next.is_comment() || Starters::Batch.begin_at(text, next.span.start as usize),
    }
}
