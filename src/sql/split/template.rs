//! Finds templating in SQL text: what some tool replaces before PostgreSQL sees the file.

use crate::sql::lex::{is_blank, is_word_byte, is_word_start, line_end};

/// A way to write templating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum Style {
    /// `${x}`, `${x:default}` (Flyway, shells, JavaScript)
    DollarBrace = 1,
    /// `{{ x }}` (Jinja, Go, Handlebars)
    DoubleBrace = 1 << 1,
    /// `{% … %}` and `{# … #}` (Jinja)
    Jinja = 1 << 2,
    /// `:x`, `:'x'`, `:"x"` and `:{?x}` (psql)
    Psql = 1 << 3,
    /// `%(x)s` (Python drivers)
    Pyformat = 1 << 4,
    /// `#{x}` (Ruby, MyBatis)
    HashBrace = 1 << 5,
    /// `@x@` (Maven, Ant)
    At = 1 << 6,
    /// `<%= x %>` and `<% … %>` (ERB, EJS)
    Erb = 1 << 7,
    /// `$(x)` (sqlcmd)
    SqlCmd = 1 << 8,
}

/// A set of [`Style`]s; all of them by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StyleSet(u16);

impl Default for StyleSet {
    fn default() -> Self {
        Self::ALL
    }
}

impl StyleSet {
    /// Every style.
    pub const ALL: Self = Self(0x1ff);
    /// No style: nothing is taken for templating.
    pub const NONE: Self = Self(0);

    /// The set with one more style.
    #[must_use]
    pub const fn with(self, style: Style) -> Self {
        Self(self.0 | style as u16)
    }

    /// The set without a style.
    #[must_use]
    pub const fn without(self, style: Style) -> Self {
        Self(self.0 & !(style as u16))
    }

    /// True if the style is in the set.
    #[must_use]
    pub const fn has(self, style: Style) -> bool {
        self.0 & style as u16 != 0
    }
}

/// What templating stands for, as far as its form tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Nothing that remains in the SQL: a condition, a loop, a comment.
    Blank,
    /// Some text: a name, a value.
    Text,
    /// A string constant: `:'x'`.
    String,
    /// A quoted identifier: `:"x"`.
    Identifier,
    /// True or false: `:{?x}`.
    Truth,
}

/// Templating found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Template {
    pub(super) end: usize,
    pub(super) shape: Shape,
}

/// Longest content in bytes of `${…}` and `#{…}`.
const LONGEST_NAME: usize = 256;
/// Longest content in bytes of the other styles with two marks.
const LONGEST_BLOCK: usize = 4096;

/// Finds templating in one text. Keeps where the closing marks are, so that a text full of opening ones takes linear time.
#[derive(Debug)]
pub(super) struct Finder<'a> {
    text: &'a str,
    styles: StyleSet,
    closes: [Close; CLOSING.len()],
}

/// For a closing mark: none stands in `from..at`, one stands at `at` (or none behind `from` if that is `usize::MAX`).
#[derive(Debug, Clone, Copy)]
struct Close {
    from: usize,
    at: usize,
}

const CLOSING: [&str; 5] = ["}", "}}", "%}", "#}", "%>"];

impl<'a> Finder<'a> {
    pub(super) fn new(text: &'a str, styles: StyleSet) -> Self {
        Self {
            text,
            styles,
            closes: [Close {
                from: usize::MAX,
                at: 0,
            }; CLOSING.len()],
        }
    }

    /// The templating that begins at `at`. `slice` says that a colon here may belong to an array slice.
    pub(super) fn at(&mut self, at: usize, slice: bool) -> Option<Template> {
        let bytes = self.text.as_bytes();
        let rest = &bytes[at..];
        let next = rest.get(1).copied().unwrap_or(0);
        let has = |style| self.styles.has(style);
        let text = |end| Template {
            end,
            shape: Shape::Text,
        };
        let blank = |end| Template {
            end,
            shape: Shape::Blank,
        };
        match *rest.first()? {
            b'$' if next == b'{' && has(Style::DollarBrace) => self.name(at).map(text),
            b'#' if next == b'{' && has(Style::HashBrace) => self.name(at).map(text),
            b'$' if next == b'(' && has(Style::SqlCmd) => {
                let end = word(bytes, at + 2)?;
                (bytes.get(end) == Some(&b')')).then_some(text(end + 1))
            }
            b'{' if next == b'{' && has(Style::DoubleBrace) => self.block(at, 1).map(text),
            b'"' if rest.starts_with(b"\"{{") && has(Style::DoubleBrace) => self.quoted(at),
            b'{' if next == b'%' && has(Style::Jinja) => self.block(at, 2).map(blank),
            b'{' if next == b'#' && has(Style::Jinja) => self.block(at, 3).map(blank),
            b'%' if next == b'(' && has(Style::Pyformat) => {
                let end = word(bytes, at + 2)?;
                (bytes[end..].starts_with(b")s") || bytes[end..].starts_with(b")d"))
                    .then_some(text(end + 2))
            }
            b'@' if has(Style::At) => {
                let end = word(bytes, at + 1)?;
                (bytes.get(end) == Some(&b'@')).then_some(text(end + 1))
            }
            b'<' if next == b'%' && has(Style::Erb) => self.erb(at),
            b':' if has(Style::Psql) => psql(bytes, at, slice),
            _ => None,
        }
    }

    /// `${…}`: on one line, without another brace.
    fn name(&mut self, at: usize) -> Option<usize> {
        let end = self.close(at + 2, 0)?;
        let content = &self.text.as_bytes()[at + 2..end];
        let simple =
            content.len() <= LONGEST_NAME && memchr::memchr3(b'\n', b'{', b';', content).is_none();
        (simple && !content.is_empty()).then_some(end + 1)
    }

    fn block(&mut self, at: usize, closing: usize) -> Option<usize> {
        let end = self.close(at + 2, closing)?;
        (end - at <= LONGEST_BLOCK).then_some(end + 2)
    }

    /// A quoted name that is a template with quotes of its own: `"{{ index .Options "Namespace" }}"`.
    fn quoted(&mut self, at: usize) -> Option<Template> {
        let end = self.block(at + 1, 1)?;
        let bytes = self.text.as_bytes();
        let content = &bytes[at + 1..end];
        let closes = bytes.get(end) == Some(&b'"') && memchr::memchr(b'\n', content).is_none();
        (closes && memchr::memchr(b'"', content).is_some()).then_some(Template {
            end: end + 1,
            shape: Shape::Identifier,
        })
    }

    /// `<%` is an operator of the extension pg_trgm too, so a plain one counts only where it begins a line.
    fn erb(&mut self, at: usize) -> Option<Template> {
        let bytes = self.text.as_bytes();
        let shape = match bytes.get(at + 2) {
            Some(b'=') => Shape::Text,
            Some(b'-' | b'#' | b'@') => Shape::Blank,
            _ if begins_line(bytes, at) => Shape::Blank,
            _ => return None,
        };
        let end = self.block(at, 4)?;
        Some(Template { end, shape })
    }

    /// Offset of the first closing mark at `from` or behind it.
    fn close(&mut self, from: usize, closing: usize) -> Option<usize> {
        let known = &mut self.closes[closing];
        if !(known.from <= from && from <= known.at) {
            let rest = self.text.as_bytes().get(from..)?;
            let found = memchr::memmem::find(rest, CLOSING[closing].as_bytes());
            *known = Close {
                from,
                at: found.map_or(usize::MAX, |n| from + n),
            };
        }
        (known.at != usize::MAX).then_some(known.at)
    }
}

/// True if only blanks stand between the start of the line and `at`.
pub(super) fn begins_line(bytes: &[u8], at: usize) -> bool {
    bytes[..at]
        .iter()
        .rev()
        .find(|&&byte| !matches!(byte, b' ' | b'\t'))
        .is_none_or(|&byte| {
            matches!(byte, b'\n' | b'\r')
                || at >= 3 && bytes[..at].starts_with(b"\xef\xbb\xbf") && byte == 0xbf
        })
}

/// End of the name (letters, digits, `_`, `.` and `-` behind a letter) at `at`.
fn word(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at).copied().filter(|&byte| is_word_start(byte))?;
    let belongs = |&byte: &u8| is_word_byte(byte) && byte != b'$' || byte == b'.' || byte == b'-';
    Some(
        at + bytes[at..]
            .iter()
            .position(|byte| !belongs(byte))
            .unwrap_or(bytes.len() - at),
    )
}

/// A psql variable. Its names are letters, digits and `_`.
fn psql(bytes: &[u8], at: usize, slice: bool) -> Option<Template> {
    let name_end = |from: usize| {
        let len = bytes[from..]
            .iter()
            .position(|&byte| !is_word_byte(byte) || byte == b'$')
            .unwrap_or(bytes.len() - from);
        (len > 0).then_some(from + len)
    };
    let quoted = |quote: u8, shape| {
        let end = name_end(at + 2)?;
        (bytes.get(end) == Some(&quote)).then_some(Template {
            end: end + 1,
            shape,
        })
    };
    match *bytes.get(at + 1)? {
        b'\'' => quoted(b'\'', Shape::String),
        b'"' => quoted(b'"', Shape::Identifier),
        b'{' if bytes.get(at + 2) == Some(&b'?') => {
            let end = name_end(at + 3)?;
            (bytes.get(end) == Some(&b'}')).then_some(Template {
                end: end + 1,
                shape: Shape::Truth,
            })
        }
        byte if is_word_start(byte) && !slice => Some(Template {
            end: name_end(at + 1)?,
            shape: Shape::Text,
        }),
        _ => None,
    }
}

/// The end of a psql command at `at` (a backslash) and its name. It reaches to the end of the line, or to a `\` outside of
/// quotes, where the next command begins (`\\` only ends this one).
pub(super) fn psql_command(text: &str, at: usize) -> (usize, &str) {
    /// Commands that take the whole line as it is.
    const WHOLE_LINE: &[&str] = &["!", "copy", "ef", "ev", "sf", "sv", "h", "help"];
    let bytes = text.as_bytes();
    if matches!(bytes.get(at + 1), Some(b';' | b'\\')) {
        return (at + 2, &text[at + 1..at + 2]);
    }
    let name_end = bytes[at + 1..]
        .iter()
        .position(|&byte| is_blank(byte) || byte == b'\\')
        .map_or(bytes.len(), |n| at + 1 + n);
    let name = &text[at + 1..name_end];
    if WHOLE_LINE.contains(&name) {
        return (line_end(bytes, name_end), name);
    }
    let mut quote = None;
    for (n, &byte) in bytes[name_end..].iter().enumerate() {
        let end = name_end + n;
        match (quote, byte) {
            (_, b'\n' | b'\r') => return (end, name),
            (Some(open), byte) if open == byte => quote = None,
            (None, b'\'' | b'"' | b'`') => quote = Some(byte),
            (None, b'\\') => {
                let separator = if bytes.get(end + 1) == Some(&b'\\') {
                    2
                } else {
                    0
                };
                return (end + separator, name);
            }
            _ => {}
        }
    }
    (bytes.len(), name)
}
