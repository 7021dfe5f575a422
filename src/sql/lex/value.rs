//! The value of a string constant, and where each part of it stands.

use crate::source::Span;

use super::{StringStyle, Token, TokenKind, continuation};

/// A part of a value that stands in the text byte for byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Offset in the value.
    pub at: usize,
    /// Offset in the text.
    pub from: usize,
    /// Length in bytes.
    pub len: usize,
}

/// Text computed from text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Value {
    /// The value.
    pub text: String,
    /// Its parts that were copied, in the order of the value.
    pub runs: Vec<Run>,
}

impl Value {
    /// Adds `part`, which stands at `from` in the text.
    pub fn push_copied(&mut self, part: &str, from: usize) {
        let at = self.text.len();
        self.text.push_str(part);
        match self.runs.last_mut() {
            Some(last) if last.at + last.len == at && last.from + last.len == from => {
                last.len += part.len();
            }
            _ if part.is_empty() => {}
            _ => self.runs.push(Run {
                at,
                from,
                len: part.len(),
            }),
        }
    }

    /// Adds text that stands nowhere.
    pub fn push_new(&mut self, part: &str) {
        self.text.push_str(part);
    }

    /// Adds another value.
    pub fn append(&mut self, other: &Value) {
        let base = self.text.len();
        self.text.push_str(&other.text);
        self.runs.extend(other.runs.iter().map(|run| Run {
            at: run.at + base,
            ..*run
        }));
    }
}

/// The value of a string token (plain, `E''`, `N''`, `U&''` or dollar-quoted).
///
/// `None` for other tokens, unterminated ones, and escapes that PostgreSQL refuses or that do not give UTF-8.
/// `UESCAPE` is not known here: `U&''` is read with the backslash.
#[must_use]
pub fn value(text: &str, token: &Token) -> Option<Value> {
    if !token.terminated {
        return None;
    }
    let mut value = Value::default();
    let style = match token.kind {
        TokenKind::Dollar { .. } => {
            let body = token.body(text);
            value.push_copied(text.get(body.range())?, body.start as usize);
            return Some(value);
        }
        TokenKind::String(StringStyle::Bit | StringStyle::Hex) => return None,
        TokenKind::String(style) => style,
        _ => return None,
    };
    let Span { start, end } = token.span;
    let mut at = start as usize + style.prefix() + 1;
    // The last byte is the closing quote, so every look at the next byte stays inside of the token.
    let end = end as usize;
    let bytes = text.as_bytes();
    let mut plain = at;
    while at < end {
        match bytes[at] {
            b'\'' if at + 1 < end && bytes[at + 1] == b'\'' => {
                value.push_copied(text.get(plain..=at)?, plain);
                at += 2;
                plain = at;
            }
            b'\'' => {
                value.push_copied(text.get(plain..at)?, plain);
                at = continuation(&bytes[..end], at + 1).unwrap_or(end);
                plain = at;
            }
            b'\\' if matches!(style, StringStyle::Escape | StringStyle::Unicode) => {
                value.push_copied(text.get(plain..at)?, plain);
                let (escaped, len) = match style {
                    StringStyle::Escape => escape(text, at)?,
                    _ => unicode_escape(bytes, at)?,
                };
                value.push_new(escaped.encode_utf8(&mut [0; 4]));
                at += len;
                plain = at;
            }
            _ => at += 1,
        }
    }
    Some(value)
}

/// The character of the escape at `at` and the length of the escape. Bytes above ASCII given as `\x` are refused,
/// as they may be any part of a character.
fn escape(text: &str, at: usize) -> Option<(char, usize)> {
    let bytes = text.as_bytes();
    let simple = |c| Some((c, 2));
    match *bytes.get(at + 1)? {
        b'b' => simple('\u{8}'),
        b'f' => simple('\u{c}'),
        b'n' => simple('\n'),
        b'r' => simple('\r'),
        b't' => simple('\t'),
        b'v' => simple('\u{b}'),
        b'x' if digits(bytes, at + 2, 1, 16).is_some() => {
            let len = if digits(bytes, at + 2, 2, 16).is_some() {
                2
            } else {
                1
            };
            ascii(digits(bytes, at + 2, len, 16)?, 2 + len)
        }
        b'u' => character(digits(bytes, at + 2, 4, 16)?, 6),
        b'U' => character(digits(bytes, at + 2, 8, 16)?, 10),
        b'0'..=b'7' => {
            let len = (1..=3)
                .rev()
                .find(|&len| digits(bytes, at + 1, len, 8).is_some())?;
            ascii(digits(bytes, at + 1, len, 8)?, 1 + len)
        }
        byte if byte.is_ascii() => simple(char::from(byte)),
        _ => {
            let c = text.get(at + 1..)?.chars().next()?;
            Some((c, 1 + c.len_utf8()))
        }
    }
}

fn unicode_escape(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    match *bytes.get(at + 1)? {
        b'\\' => Some(('\\', 2)),
        b'+' => character(digits(bytes, at + 2, 6, 16)?, 8),
        _ => character(digits(bytes, at + 1, 4, 16)?, 5),
    }
}

fn digits(bytes: &[u8], at: usize, len: usize, radix: u32) -> Option<u32> {
    let digits = bytes.get(at..at + len)?;
    let text = std::str::from_utf8(digits).ok()?;
    if !text.bytes().all(|byte| char::from(byte).is_digit(radix)) {
        return None;
    }
    u32::from_str_radix(text, radix).ok()
}

fn ascii(code: u32, len: usize) -> Option<(char, usize)> {
    if code > 0x7f {
        None
    } else {
        character(code, len)
    }
}

fn character(code: u32, len: usize) -> Option<(char, usize)> {
    if code == 0 {
        None
    } else {
        char::from_u32(code).map(|c| (c, len))
    }
}
