//! Tokens of SQL text, cut exactly where PostgreSQL's scanner cuts them.
//!
//! The lexer is total: any text gives tokens, none is lost but blanks, and a quote or comment that is never closed
//! gives a token that reaches to the end of the text and says so ([`Token::terminated`]). It keeps no state, so it can
//! be started anywhere ([`next_token`]). Strings are read with `standard_conforming_strings` on, the default since
//! PostgreSQL 9.1. The rules followed are those of PostgreSQL's `src/backend/parser/scan.l`.

use crate::source::Span;

mod comments;
mod value;

#[cfg(test)]
pub(in crate::sql) use tests::passes;

pub use comments::{Bodies, Comment, comments};
pub use value::{Run, Value, value};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A keyword or an identifier without quotes. Every character above ASCII counts as a letter, also a no-break space.
    Word,
    /// `"…"` or `U&"…"`.
    QuotedIdentifier,
    /// A number, with the letters glued to it if there are any (`12ab` is an error in PostgreSQL, not two tokens).
    Number,
    /// `$1`.
    Parameter,
    /// A string in single quotes, with the parts that continue it on following lines.
    String(StringStyle),
    /// `$tag$…$tag$`.
    Dollar {
        /// Length of the tag in bytes, without the dollar signs.
        tag: u32,
    },
    /// An operator, also `::`, `:=` and `..`.
    Operator,
    /// One of `( ) [ ] , ; . :`.
    Punctuation,
    /// `-- …`, without the line end.
    LineComment,
    /// `/* … */`, nested ones included.
    BlockComment,
    /// A byte that begins nothing: `\`, `{`, `}`, a lone `$`, a control character.
    Other,
}

/// How a string in single quotes is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StringStyle {
    /// `'…'`
    Plain,
    /// `E'…'`, with backslash escapes.
    Escape,
    /// `B'…'`
    Bit,
    /// `X'…'`
    Hex,
    /// `N'…'`
    National,
    /// `U&'…'`
    Unicode,
}

impl StringStyle {
    /// Length in bytes of what stands before the first quote.
    #[must_use]
    pub fn prefix(self) -> usize {
        match self {
            Self::Plain => 0,
            Self::Escape | Self::Bit | Self::Hex | Self::National => 1,
            Self::Unicode => 2,
        }
    }
}

/// One token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands.
    pub span: Span,
    /// False if the text ends before the quote or comment is closed.
    pub terminated: bool,
}

impl Token {
    /// The text of the token; empty if it is not a token of `text`.
    #[must_use]
    pub fn text<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.span.range()).unwrap_or("")
    }

    /// True for this keyword, in any case. `keyword` is in lower case.
    #[must_use]
    pub fn is_word(&self, text: &str, keyword: &str) -> bool {
        self.kind == TokenKind::Word && self.text(text).eq_ignore_ascii_case(keyword)
    }

    /// True for one of these keywords, in any case. `keywords` are in lower case.
    #[must_use]
    pub fn is_word_of(&self, text: &str, keywords: &[&str]) -> bool {
        self.kind == TokenKind::Word && {
            let word = self.text(text);
            keywords
                .iter()
                .any(|keyword| word.eq_ignore_ascii_case(keyword))
        }
    }

    /// True for this operator or punctuation mark.
    #[must_use]
    pub fn is_mark(&self, text: &str, mark: &str) -> bool {
        matches!(self.kind, TokenKind::Operator | TokenKind::Punctuation) && self.text(text) == mark
    }

    /// True for comments.
    #[must_use]
    pub fn is_comment(&self) -> bool {
        matches!(self.kind, TokenKind::LineComment | TokenKind::BlockComment)
    }

    /// The tag of a dollar-quoted string, without the dollar signs.
    #[must_use]
    pub fn dollar_tag<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self.kind {
            TokenKind::Dollar { tag } => {
                let start = self.span.start as usize + 1;
                text.get(start..start + tag as usize)
            }
            _ => None,
        }
    }

    /// What stands between the quotes or comment marks; the whole token if it has none. Of a string that goes on over
    /// several lines, everything from the first quote to the last.
    #[must_use]
    pub fn body(&self, text: &str) -> Span {
        let (open, close) = match self.kind {
            TokenKind::String(style) => (style.prefix() + 1, 1),
            TokenKind::QuotedIdentifier if self.text(text).starts_with('"') => (1, 1),
            TokenKind::QuotedIdentifier => (3, 1),
            TokenKind::Dollar { tag } => (tag as usize + 2, tag as usize + 2),
            TokenKind::LineComment => (2, 0),
            TokenKind::BlockComment => (2, 2),
            _ => (0, 0),
        };
        let close = if self.terminated { close } else { 0 };
        let Span { start, end } = self.span;
        Span::new(start as usize + open, (end as usize).saturating_sub(close))
    }
}

/// All tokens of a text, comments included.
#[derive(Debug, Clone)]
pub struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    /// A lexer from the start of `text` on.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let token = next_token(self.text, self.at)?;
        self.at = token.span.end as usize;
        Some(token)
    }
}

/// True for the bytes that PostgreSQL skips between tokens.
#[must_use]
pub fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// True for bytes that may begin an identifier.
#[must_use]
pub fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

/// True for bytes that may go on with an identifier.
#[must_use]
pub fn is_word_byte(byte: u8) -> bool {
    is_word_start(byte) || byte.is_ascii_digit() || byte == b'$'
}

/// The first token that begins at `at` or behind it. `None` if only blanks are left.
///
/// Runs in time linear in the length of the token and of the blanks before it; a string also looks over the blanks
/// and comments behind it, to find a part that continues it.
#[must_use]
pub fn next_token(text: &str, at: usize) -> Option<Token> {
    let token = scan_token(text, at);
    #[cfg(test)]
    tests::count_read(
        token.map_or(text.len(), |token| token.span.end as usize) - at.min(text.len()),
    );
    token
}

fn scan_token(text: &str, at: usize) -> Option<Token> {
    let bytes = text.as_bytes();
    let start = at + bytes.get(at..)?.iter().position(|&byte| !is_blank(byte))?;
    let first = bytes[start];
    let next = bytes.get(start + 1).copied().unwrap_or(0);
    let (kind, end) = match first {
        b'\'' => return Some(string(bytes, start, StringStyle::Plain)),
        b'e' | b'E' if next == b'\'' => return Some(string(bytes, start, StringStyle::Escape)),
        b'b' | b'B' if next == b'\'' => return Some(string(bytes, start, StringStyle::Bit)),
        b'x' | b'X' if next == b'\'' => return Some(string(bytes, start, StringStyle::Hex)),
        b'n' | b'N' if next == b'\'' => return Some(string(bytes, start, StringStyle::National)),
        b'u' | b'U' if next == b'&' && bytes.get(start + 2) == Some(&b'\'') => {
            return Some(string(bytes, start, StringStyle::Unicode));
        }
        b'u' | b'U' if next == b'&' && bytes.get(start + 2) == Some(&b'"') => {
            return Some(quoted_identifier(bytes, start, start + 3));
        }
        b'"' => return Some(quoted_identifier(bytes, start, start + 1)),
        b'$' => return Some(dollar(bytes, start)),
        b'-' if next == b'-' => (TokenKind::LineComment, line_end(bytes, start)),
        b'/' if next == b'*' => {
            let (end, terminated) = block_comment_end(bytes, start);
            return Some(token(TokenKind::BlockComment, start, end, terminated));
        }
        b'0'..=b'9' => (TokenKind::Number, number_end(bytes, start)),
        b'.' if next.is_ascii_digit() => (TokenKind::Number, number_end(bytes, start)),
        b'.' if next == b'.' => (TokenKind::Operator, start + 2),
        b':' if matches!(next, b':' | b'=') => (TokenKind::Operator, start + 2),
        b'(' | b')' | b'[' | b']' | b',' | b';' | b'.' | b':' => {
            (TokenKind::Punctuation, start + 1)
        }
        _ if is_operator_byte(first) => (TokenKind::Operator, operator_end(bytes, start)),
        _ if is_word_start(first) => (TokenKind::Word, run_end(bytes, start, is_word_byte)),
        _ => (TokenKind::Other, start + 1),
    };
    Some(token(kind, start, end, true))
}

fn token(kind: TokenKind, start: usize, end: usize, terminated: bool) -> Token {
    Token {
        kind,
        span: Span::new(start, end),
        terminated,
    }
}

fn run_end(bytes: &[u8], start: usize, belongs: fn(u8) -> bool) -> usize {
    bytes[start..]
        .iter()
        .position(|&byte| !belongs(byte))
        .map_or(bytes.len(), |n| start + n)
}

/// End of the line that `at` stands in, before its LF or CR.
pub(crate) fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr2(b'\n', b'\r', &bytes[at..]).map_or(bytes.len(), |n| at + n)
}

fn is_operator_byte(byte: u8) -> bool {
    matches!(
        byte,
        b'~' | b'!'
            | b'@'
            | b'#'
            | b'^'
            | b'&'
            | b'|'
            | b'`'
            | b'?'
            | b'+'
            | b'-'
            | b'*'
            | b'/'
            | b'%'
            | b'<'
            | b'>'
            | b'='
    )
}

/// PostgreSQL refuses operators of more than 63 bytes. Looking no further keeps a file of plus signs, each of which is
/// a token once the trailing ones are given back, linear.
const LONGEST_OPERATOR: usize = 64;

fn operator_end(bytes: &[u8], start: usize) -> usize {
    let limit = bytes.len().min(start + LONGEST_OPERATOR);
    let mut end = run_end(&bytes[..limit], start, is_operator_byte);
    // A comment begins even in the midst of operator characters.
    if let Some(comment) = bytes[start..bytes.len().min(end + 1)]
        .windows(2)
        .position(|pair| pair == b"--" || pair == b"/*")
    {
        end = end.min(start + comment.max(1));
    }
    // The SQL standard wants `2=-1` to be read as `2 = -1`: a trailing sign stays only with the other characters.
    let may_end_in_sign = bytes[start..end].iter().any(|byte| {
        matches!(
            byte,
            b'~' | b'!' | b'@' | b'#' | b'^' | b'&' | b'|' | b'`' | b'?' | b'%'
        )
    });
    if !may_end_in_sign {
        let last = bytes[start..end]
            .iter()
            .rposition(|byte| !matches!(byte, b'+' | b'-'));
        end = start + last.unwrap_or(0) + 1;
    }
    end
}

fn number_end(bytes: &[u8], start: usize) -> usize {
    let digits = |at| run_end(bytes, at, |byte| byte.is_ascii_digit() || byte == b'_');
    let mut end = digits(start);
    if bytes.get(end) == Some(&b'.') {
        if bytes.get(end + 1) == Some(&b'.') {
            return end.max(start + 1);
        }
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
            end = digits(end + 1 + sign);
        }
    }
    if bytes.get(end).is_some_and(|&byte| is_word_start(byte)) {
        end = run_end(bytes, end, is_word_byte);
    }
    end
}

fn quoted_identifier(bytes: &[u8], start: usize, body: usize) -> Token {
    let mut at = body;
    while let Some(quote) = memchr::memchr(b'"', &bytes[at..]) {
        at += quote + 1;
        if bytes.get(at) != Some(&b'"') {
            return token(TokenKind::QuotedIdentifier, start, at, true);
        }
        at += 1;
    }
    token(TokenKind::QuotedIdentifier, start, bytes.len(), false)
}

fn string(bytes: &[u8], start: usize, style: StringStyle) -> Token {
    let (end, terminated) = string_end(
        bytes,
        start + style.prefix() + 1,
        style == StringStyle::Escape,
    );
    token(TokenKind::String(style), start, end, terminated)
}

/// End of a string whose text begins at `body`, behind all the parts that continue it, and whether it is closed.
fn string_end(bytes: &[u8], body: usize, escapes: bool) -> (usize, bool) {
    let mut at = body;
    loop {
        let Some(end) = segment_end(bytes, at, escapes) else {
            return (bytes.len(), false);
        };
        match continuation(bytes, end) {
            Some(next) => at = next,
            None => return (end, true),
        }
    }
}

/// End of the quoted text that begins at `at`, behind its closing quote.
fn segment_end(bytes: &[u8], mut at: usize, escapes: bool) -> Option<usize> {
    loop {
        let rest = bytes.get(at..)?;
        at += if escapes {
            memchr::memchr2(b'\'', b'\\', rest)?
        } else {
            memchr::memchr(b'\'', rest)?
        };
        if bytes[at] == b'\\' || bytes.get(at + 1) == Some(&b'\'') {
            at += 2;
        } else {
            return Some(at + 1);
        }
    }
}

/// `'a'` and `'b'` with a line end between them are one string. Gives the start of the text of the next part.
fn continuation(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut new_line = false;
    loop {
        match *bytes.get(at)? {
            b'\n' | b'\r' => new_line = true,
            b'\'' => return new_line.then_some(at + 1),
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                at = line_end(bytes, at);
                continue;
            }
            byte if is_blank(byte) => {}
            _ => return None,
        }
        at += 1;
    }
}

/// Length of the tag if a dollar quote opens at `at`.
fn dollar_tag_length(bytes: &[u8], at: usize) -> Option<usize> {
    let first = *bytes.get(at + 1)?;
    if first == b'$' {
        return Some(0);
    }
    if !is_word_start(first) {
        return None;
    }
    let end = run_end(bytes, at + 1, |byte| is_word_byte(byte) && byte != b'$');
    (bytes.get(end) == Some(&b'$')).then(|| end - at - 1)
}

fn dollar(bytes: &[u8], start: usize) -> Token {
    if let Some(tag) = dollar_tag_length(bytes, start) {
        let body = start + tag + 2;
        let delimiter = &bytes[start..body];
        let kind = TokenKind::Dollar {
            tag: u32::try_from(tag).unwrap_or(u32::MAX),
        };
        return match memchr::memmem::find(&bytes[body..], delimiter) {
            Some(n) => token(kind, start, body + n + delimiter.len(), true),
            None => token(kind, start, bytes.len(), false),
        };
    }
    let end = run_end(bytes, start + 1, |byte| byte.is_ascii_digit());
    let kind = if end > start + 1 {
        TokenKind::Parameter
    } else {
        TokenKind::Other
    };
    token(kind, start, end, true)
}

/// End of the block comment that opens at `start`, and whether it is closed.
fn block_comment_end(bytes: &[u8], start: usize) -> (usize, bool) {
    let mut depth = 1usize;
    let mut at = start + 2;
    while let Some(n) = memchr::memchr2(b'*', b'/', &bytes[at..]) {
        at += n;
        match (bytes[at], bytes.get(at + 1)) {
            (b'/', Some(b'*')) => {
                depth += 1;
                at += 2;
            }
            (b'*', Some(b'/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return (at, true);
                }
            }
            _ => at += 1,
        }
    }
    (bytes.len(), false)
}

#[cfg(test)]
mod tests;
