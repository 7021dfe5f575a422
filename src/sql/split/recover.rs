//! Where to go on after something that was never closed.

use crate::sql::lex::is_blank;

use super::keywords::Starters;

/// What a line must begin with to be trusted as the start of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fresh {
    /// One of these words.
    Word(Starters),
    /// `CREATE FUNCTION`, `CREATE PROCEDURE`, `CREATE TRIGGER` or `DO`: what hardly stands in a function body.
    Routine,
}

/// The first fresh line (see the module `split`) that begins behind `from` and before `to`. Runs in time linear in what
/// it passes over.
pub(super) fn fresh_line(text: &str, from: usize, to: usize, fresh: Fresh) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut line = from;
    // Only what belongs to the unclosed thing counts: a `;` before it ended another statement.
    let mut ended = false;
    while line < to {
        if ended && begins(text, line, fresh) {
            return Some(line);
        }
        let end = memchr::memchr(b'\n', &bytes[line..to]).map_or(to, |n| line + n);
        if let Some(&last) = without_comment(&bytes[line..end]).last() {
            ended = last == b';';
        }
        line = end + 1;
    }
    None
}

fn begins(text: &str, line: usize, fresh: Fresh) -> bool {
    match fresh {
        Fresh::Word(starters) => starters.begin_at(text, line),
        Fresh::Routine => {
            let words: Vec<&str> = text[line..].split_ascii_whitespace().take(4).collect();
            let is =
                |n: usize, word: &str| words.get(n).is_some_and(|w| w.eq_ignore_ascii_case(word));
            let object = if is(1, "or") && is(2, "replace") {
                3
            } else {
                1
            };
            let routine = ["function", "procedure", "trigger"]
                .iter()
                .any(|word| is(object, word));
            is(0, "create") && routine
                || is(0, "do") && words.get(1).is_some_and(|word| word.starts_with('$'))
        }
    }
}

/// A line without blanks at its end and without a `--` comment.
fn without_comment(line: &[u8]) -> &[u8] {
    let code = memchr::memmem::find(line, b"--").map_or(line, |n| &line[..n]);
    let len = code
        .iter()
        .rposition(|&byte| !is_blank(byte))
        .map_or(0, |n| n + 1);
    &code[..len]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_lines() {
        let any = Fresh::Word(Starters::Any);
        for (text, expected) in [
            ("'a);\nCREATE TABLE", Some("CREATE TABLE")),
            (
                "'a); -- note\n\n-- note\ncreate table",
                Some("create table"),
            ),
            ("'a)\nCREATE TABLE", None),
            ("'a);\n CREATE TABLE", None),
            ("'a);\ncreated by", None),
            ("'a);\r\nSELECT\r\n", Some("SELECT\r\n")),
            ("", None),
        ] {
            let found = fresh_line(text, 0, text.len(), any).map(|at| &text[at..]);
            assert_eq!(found, expected, "{text:?}");
        }
        let text = "$$a;\nSELECT 1;\nCREATE OR REPLACE FUNCTION";
        assert_eq!(fresh_line(text, 0, text.len(), Fresh::Routine), Some(15));
    }
}
