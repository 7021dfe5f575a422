//! Words, marks and strings of a program, without its comments.
//!
//! Not a parser: enough to find calls whose arguments are constant strings, and to see that nothing was overlooked. Each
//! byte is looked at a bounded number of times, whatever the text.

use crate::source::{Fragment, Span, SpanMap};

/// Strings in interpolations in strings … deeper than this are taken to go on to the end of the file.
const MAX_DEPTH: usize = 16;

/// What a program is made of.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) span: Span,
    pub(super) kind: TokenKind<'a>,
}

#[derive(Debug)]
pub(super) enum TokenKind<'a> {
    /// A name, a keyword or a number.
    Word(&'a str),
    /// Any other character.
    Mark(char),
    /// A string; none if it is not known before the program runs, or not without more knowledge of the language.
    Text(Option<Fragment>),
    /// The end of a line, in languages in which it ends a statement.
    Line,
}

impl<'a> Token<'a> {
    /// The word that it is.
    pub(super) fn word(&self) -> Option<&'a str> {
        match self.kind {
            TokenKind::Word(word) => Some(word),
            _ => None,
        }
    }

    /// True for that character.
    pub(super) fn is(&self, mark: char) -> bool {
        matches!(self.kind, TokenKind::Mark(own) if own == mark)
    }

    /// True for the end of a line.
    pub(super) fn is_line(&self) -> bool {
        matches!(self.kind, TokenKind::Line)
    }
}

/// What a scanner finds in a file.
#[derive(Debug, Default)]
pub(super) struct Scan<'a> {
    pub(super) tokens: Vec<Token<'a>>,
    /// Comments with their marks.
    pub(super) comments: Vec<Span>,
}

impl<'a> Scan<'a> {
    pub(super) fn push(&mut self, start: usize, end: usize, kind: TokenKind<'a>) {
        self.tokens.push(Token {
            span: Span::new(start, end),
            kind,
        });
    }

    /// True where an operand may begin: what stands there is no operator.
    pub(super) fn wants_operand(&self) -> bool {
        match self.tokens.last().map(|token| &token.kind) {
            None | Some(TokenKind::Line) => true,
            Some(TokenKind::Mark(mark)) => !matches!(mark, ')' | ']' | '}'),
            Some(TokenKind::Word(word)) => {
                matches!(
                    *word,
                    "return" | "case" | "typeof" | "when" | "if" | "unless" | "and" | "or" | "not"
                )
            }
            Some(TokenKind::Text(_)) => false,
        }
    }
}

/// A place in a text that moves forward.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn starts(&self, with: &str) -> bool {
        self.rest().starts_with(with)
    }

    /// The next character, passed over.
    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.rest().chars().next()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Passes over what stands before `end`, and over `end`.
    pub(super) fn skip_past(&mut self, end: &str) {
        self.at += self
            .rest()
            .find(end)
            .map_or(self.rest().len(), |at| at + end.len());
    }

    /// Passes over the rest of the line, but not its end.
    pub(super) fn skip_line(&mut self) {
        self.at += self.rest().find('\n').unwrap_or(self.rest().len());
    }

    /// The word that stands here, passed over; empty if there is none.
    pub(super) fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$')
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }
}

/// How a string is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quote<'q> {
    /// What opens another one of the same kind inside it.
    pub(super) open: Option<char>,
    pub(super) close: &'q str,
    pub(super) escapes: Escapes,
    /// What begins a value inside it.
    pub(super) value: Option<&'static str>,
}

/// What a backslash does in a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    /// Nothing.
    None,
    /// It protects itself and the end.
    End,
    /// It makes control characters, and protects.
    All,
}

/// Reads a string whose opening mark was passed over; the cursor ends behind its end.
pub(super) fn quoted(cursor: &mut Cursor<'_>, quote: Quote<'_>) -> Option<Fragment> {
    let start = cursor.at;
    let end = skip_quoted(cursor, quote, 0)?;
    literal(cursor.text, start..end, quote)
}

/// Passes over a string and gives the offset of its end; none if it has none.
fn skip_quoted(cursor: &mut Cursor<'_>, quote: Quote<'_>, depth: usize) -> Option<usize> {
    if depth > MAX_DEPTH {
        cursor.at = cursor.text.len();
        return None;
    }
    let mut open = 0_usize;
    loop {
        if open == 0 && cursor.starts(quote.close) {
            let end = cursor.at;
            cursor.at += quote.close.len();
            return Some(end);
        }
        if let Some(value) = quote.value
            && cursor.starts(value)
        {
            cursor.at += value.len();
            skip_value(cursor, value, depth + 1);
            continue;
        }
        let next = cursor.next()?;
        if next == '\\' && quote.escapes != Escapes::None {
            cursor.next();
        } else if Some(next) == quote.open {
            open += 1;
        } else if open > 0 && quote.close.starts_with(next) {
            open -= 1;
        }
    }
}

/// Passes over a value in a string, whose opening mark was passed over.
fn skip_value(cursor: &mut Cursor<'_>, value: &'static str, depth: usize) {
    let mut open = 1_usize;
    while let Some(next) = cursor.next() {
        let close = match next {
            '{' => {
                open += 1;
                continue;
            }
            '}' => {
                open -= 1;
                if open == 0 {
                    return;
                }
                continue;
            }
            '"' => "\"",
            '\'' => "'",
            '`' => "`",
            _ => continue,
        };
        let quote = Quote {
            open: None,
            close,
            escapes: Escapes::All,
            value: (close != "'").then_some(value),
        };
        skip_quoted(cursor, quote, depth);
    }
}

/// The text of a string; none if a value stands in it, or an escape that is not known here.
pub(super) fn literal(
    text: &str,
    inside: std::ops::Range<usize>,
    quote: Quote<'_>,
) -> Option<Fragment> {
    let body = text.get(inside.clone())?;
    let mut sql = String::with_capacity(body.len());
    let mut map = SpanMap::generated(Span::new(inside.start, inside.end));
    let mut copied = 0;
    let mut at = 0;
    while at < body.len() {
        let rest = &body[at..];
        if quote.value.is_some_and(|value| rest.starts_with(value)) {
            return None;
        }
        let mut chars = rest.chars();
        let first = chars.next()?;
        if first != '\\' || quote.escapes == Escapes::None {
            at += first.len_utf8();
            continue;
        }
        let second = chars.next()?;
        let meant = match second {
            _ if quote.escapes == Escapes::End => {
                if second != '\\' && !quote.close.starts_with(second) && Some(second) != quote.open
                {
                    at += 1;
                    continue;
                }
                Some(second)
            }
            'n' => Some('\n'),
            't' => Some('\t'),
            'r' => Some('\r'),
            '\n' => None,
            '\\' | '\'' | '"' | '`' | '$' | '#' | '/' => Some(second),
            _ => return None,
        };
        map.push_run(sql.len(), inside.start + copied, at - copied);
        sql.push_str(&body[copied..at]);
        sql.extend(meant);
        at += 1 + second.len_utf8();
        copied = at;
    }
    map.push_run(sql.len(), inside.start + copied, body.len() - copied);
    sql.push_str(&body[copied..]);
    Some(Fragment {
        sql: sql.into(),
        map,
    })
}

/// Texts, one behind the other; none if there are none.
pub(super) fn joined(parts: &[&Fragment]) -> Option<Fragment> {
    let (first, last) = (parts.first()?, parts.last()?);
    let mut sql = String::new();
    let mut map = SpanMap::generated(first.map.whole.cover(last.map.whole));
    for part in parts {
        map.push_map(sql.len(), &part.map);
        sql.push_str(&part.sql);
    }
    Some(Fragment {
        sql: sql.into(),
        map,
    })
}
