//! A first look at SQL text, before it is split and parsed: what in it is code.

use super::Emptiness;
use crate::source::{Source, Span};

/// The SQL text with comments and the insides of strings blanked out, in upper case, for looking at words.
pub(super) fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let skipped = skip(rest);
        if skipped > 0 {
            out.push(' ');
            at += skipped;
        } else {
            let Some(next) = rest.chars().next() else {
                break;
            };
            out.push(next.to_ascii_uppercase());
            at += next.len_utf8();
        }
    }
    out
}

/// If the text holds nothing but blanks, comments and semicolons: that, with the first comment.
pub(super) fn blank(text: &str) -> Option<Emptiness> {
    let mut comment = None;
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ';' || c == '\u{feff}');
        if rest.is_empty() {
            return Some(Emptiness::Blank(comment));
        }
        if !rest.starts_with("--") && !rest.starts_with("/*") {
            return None;
        }
        let length = skip(rest);
        if length == 0 {
            return None;
        }
        let inside = rest[..length]
            .trim_start_matches(['-', '/', '*'])
            .trim_end_matches(['/', '*', '\n', '\r'])
            .trim();
        if comment.is_none() && !inside.is_empty() {
            comment = Some(inside.to_owned());
        }
        rest = &rest[length..];
    }
}

/// The first line of a part that holds anything.
pub(super) fn first_line(source: &Source, part: Span) -> Span {
    if part.start == 0 && part.len() == source.text.len() {
        return source.first_line();
    }
    first_line_of(&source.text, part)
}

/// The first line of a part of a text that holds anything.
pub(super) fn first_line_of(text: &str, part: Span) -> Span {
    let text = text.get(part.range()).unwrap_or_default();
    let lead = text.len() - text.trim_start().len();
    let start = part.start as usize + lead;
    let line = text[lead..].split(['\n', '\r']).next().unwrap_or("");
    Span::new(start, start + line.len())
}

/// Lines with the offset at which each starts; the end of the line is left out.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line.trim_end_matches(['\n', '\r']))
    })
}

/// Length of the comment or string that the text begins with; zero if it begins with neither. One without an end
/// reaches to the end of the text.
fn skip(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes {
        [b'-', b'-', ..] => text.find('\n').map_or(text.len(), |end| end + 1),
        [b'/', b'*', ..] => {
            let (mut at, mut depth) = (2, 1_usize);
            while at < bytes.len() && depth > 0 {
                match &bytes[at..] {
                    [b'/', b'*', ..] => (at, depth) = (at + 2, depth + 1),
                    [b'*', b'/', ..] => (at, depth) = (at + 2, depth - 1),
                    _ => at += 1,
                }
            }
            at
        }
        [b'\'', ..] => text[1..].find('\'').map_or(text.len(), |end| end + 2),
        [b'$', ..] => {
            let tag = text[1..]
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .map_or("", |end| &text[..=end]);
            let Some(delimiter) = text
                .get(..=tag.len())
                .filter(|d| !tag.is_empty() && d.ends_with('$'))
            else {
                return 0;
            };
            let body = &text[delimiter.len()..];
            body.find(delimiter)
                .map_or(text.len(), |end| end + 2 * delimiter.len())
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_what_is_neither_comment_nor_string() {
        let cases = [
            ("select 'a''b' x", "SELECT    X"),
            ("a -- `b`\nc", "A  C"),
            ("a /* x /* y */ z */ b", "A   B"),
            ("do $$ begin `x` end $$;", "DO  ;"),
            ("do $f_1$ $$ $f_1$;", "DO  ;"),
            ("$1 + $2", "$1 + $2"),
            ("é 'ü", "é  "),
            ("$", "$"),
            ("$é$ x $é$ y", "  Y"),
            ("/*", " "),
        ];
        for (text, expected) in cases {
            assert_eq!(code(text), expected, "{text}");
        }
    }

    #[test]
    fn a_blank_script_may_say_why() {
        let is = |comment: Option<&str>| Some(Emptiness::Blank(comment.map(str::to_owned)));
        assert_eq!(blank(" \n;;\u{feff}"), is(None));
        assert_eq!(blank("-- nothing to undo\n;"), is(Some("nothing to undo")));
        assert_eq!(blank("/* no way back */"), is(Some("no way back")));
        assert_eq!(blank("-- x\nselect 1"), None);
    }

    #[test]
    fn lines_know_where_they_start() {
        assert_eq!(
            lines("a\r\nbc\nd").collect::<Vec<_>>(),
            [(0, "a"), (3, "bc"), (6, "d")]
        );
    }
}
