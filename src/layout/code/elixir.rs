//! Migrations in Elixir: those of Ecto.

use super::program::{Call, Program, is_sql};
use super::token::{Cursor, Escapes, Quote, Scan, Token, TokenKind, joined, quoted};
use crate::layout::Direction;
use crate::source::{Fragment, Span};

/// Words, marks, strings and line ends.
pub(super) fn scan(text: &str) -> Scan<'_> {
    let mut scan = Scan::default();
    let mut cursor = Cursor { text, at: 0 };
    loop {
        let start = cursor.at;
        if cursor.starts("#") {
            cursor.skip_line();
            scan.comments.push(Span::new(start, cursor.at));
            continue;
        }
        let word = cursor.word();
        if !word.is_empty() {
            scan.push(start, cursor.at, TokenKind::Word(word));
            continue;
        }
        if let Some((quote, is_text)) = string(&mut cursor) {
            let string = quoted(&mut cursor, quote);
            let string = string.filter(|_| is_text);
            scan.push(start, cursor.at, TokenKind::Text(string));
            // Letters behind a sigil change what it means.
            if text[start..].starts_with('~') {
                cursor.word();
            }
            continue;
        }
        match cursor.next() {
            None => return scan,
            Some('\n') => scan.push(start, cursor.at, TokenKind::Line),
            // A character: `?"`.
            Some('?') if scan.wants_operand() => {
                if cursor.next() == Some('\\') {
                    cursor.next();
                }
                scan.push(start, cursor.at, TokenKind::Text(None));
            }
            Some(next) if !next.is_whitespace() => {
                scan.push(start, cursor.at, TokenKind::Mark(next));
            }
            Some(_) => {}
        }
    }
}

/// How the string is written that begins here, and if it is text; its opening marks are passed over.
fn string(cursor: &mut Cursor<'_>) -> Option<(Quote<'static>, bool)> {
    let rest = cursor.rest();
    let mut letters = rest.strip_prefix('~').unwrap_or_default().chars();
    let letter = letters.next().filter(char::is_ascii_alphabetic);
    let skipped = if letter.is_some() { 2 } else { 0 };
    let mark = &rest[skipped..];
    let (open, close) = if mark.starts_with("\"\"\"") {
        ("\"\"\"", "\"\"\"")
    } else if mark.starts_with("'''") {
        ("'''", "'''")
    } else {
        match mark.chars().next()? {
            '"' => ("\"", "\""),
            '\'' => ("'", "'"),
            '(' if letter.is_some() => ("(", ")"),
            '[' if letter.is_some() => ("[", "]"),
            '{' if letter.is_some() => ("{", "}"),
            '<' if letter.is_some() => ("<", ">"),
            '|' if letter.is_some() => ("|", "|"),
            '/' if letter.is_some() => ("/", "/"),
            _ => return None,
        }
    };
    cursor.at += skipped + open.len();
    let is_raw = letter.is_some_and(|letter| letter.is_ascii_uppercase());
    let quote = Quote {
        // Brackets in sigils are not counted: the first closing one ends them.
        open: None,
        close,
        escapes: if is_raw { Escapes::None } else { Escapes::All },
        value: (!is_raw).then_some("#{"),
    };
    Some((quote, matches!(letter, None | Some('s' | 'S'))))
}

/// What `end` ends.
struct Block {
    direction: Option<Option<Direction>>,
}

/// Finds the SQL of a file.
pub(super) fn read(text: &str) -> Program {
    let scan = scan(text);
    let tokens = &scan.tokens;
    let mut program = Program::default();
    let mut blocks: Vec<Block> = Vec::new();
    // The function whose head was read, and the one that is written behind `do:`.
    let (mut head, mut short): (Option<Option<Direction>>, _) = (None, None);
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let previous = at.checked_sub(1).map(|at| &tokens[at]);
        let is_member = previous.is_some_and(|mark| {
            mark.is('.') || mark.is('@') || (mark.is(':') && mark.span.end == token.span.start)
        });
        let is_key = tokens.get(at + 1).is_some_and(|next| next.is(':'));
        let direction = short.or_else(|| blocks.last().and_then(|block| block.direction));
        match &token.kind {
            TokenKind::Word("def" | "defp") if !is_member && !is_key => {
                let direction = match tokens.get(at + 1).and_then(Token::word) {
                    Some("up" | "change") => Some(Direction::Up),
                    Some("down") => Some(Direction::Down),
                    _ => None,
                };
                program.ways.extend(direction.map(|way| (way, token.span)));
                (head, short) = (Some(direction), None);
                at += 2;
                continue;
            }
            TokenKind::Word("do") if is_key && head.is_some() => short = head.take(),
            TokenKind::Word("do") if !is_key && !is_member => {
                program.unread |= head.is_none() && direction.is_some();
                blocks.push(Block {
                    direction: head.take().or(direction),
                });
            }
            TokenKind::Word("fn") if !is_key && !is_member => {
                program.unread |= direction.is_some();
                blocks.push(Block { direction });
            }
            TokenKind::Word("end") if !is_key && !is_member => {
                short = None;
                program.unread |= blocks.pop().is_none();
            }
            TokenKind::Word("disable_ddl_transaction")
                if previous.is_some_and(|token| token.is('@'))
                    && tokens.get(at + 1).and_then(Token::word) == Some("true") =>
            {
                program.outside = [true; 2];
            }
            TokenKind::Word("execute") if !is_member && !is_key => {
                let known = direction.flatten();
                if let (Some((up, down, end)), Some(way)) = (statement(tokens, at), known) {
                    let back = down.map(|fragment| (Direction::Down, fragment));
                    let calls = [(way, up)].into_iter().chain(back);
                    program
                        .calls
                        .extend(calls.map(|(direction, fragment)| Call {
                            direction,
                            fragment,
                            wraps: None,
                        }));
                    at = end;
                    continue;
                }
                program.unread = true;
            }
            TokenKind::Word(_) | TokenKind::Text(_) => {
                program.unread |= direction.is_some() && head.is_none();
            }
            TokenKind::Mark(_) | TokenKind::Line => {}
        }
        at += 1;
    }
    program
}

/// The SQL of a call of `execute`, that of the way back, and the index behind the call.
fn statement(tokens: &[Token<'_>], at: usize) -> Option<(Fragment, Option<Fragment>, usize)> {
    let skip_lines = |mut at: usize| {
        while tokens.get(at).is_some_and(Token::is_line) {
            at += 1;
        }
        at
    };
    let mut at = at + 1;
    let in_brackets = tokens.get(at)?.is('(');
    if in_brackets {
        at = skip_lines(at + 1);
    }
    let (up, end) = constant(tokens, at)?;
    at = if in_brackets { skip_lines(end) } else { end };
    let mut down = None;
    if tokens.get(at).is_some_and(|token| token.is(',')) {
        let (text, end) = constant(tokens, skip_lines(at + 1))?;
        // Nothing is to be done on the way back.
        down = (!text.sql.trim().is_empty()).then_some(text);
        at = if in_brackets { skip_lines(end) } else { end };
    }
    let ends = match tokens.get(at).map(|token| &token.kind) {
        Some(TokenKind::Mark(')')) => in_brackets,
        None | Some(TokenKind::Line | TokenKind::Mark(';') | TokenKind::Word("end")) => {
            !in_brackets
        }
        _ => false,
    };
    let plain = is_sql(&up) && down.as_ref().is_none_or(is_sql);
    (ends && plain).then_some((up, down, at + usize::from(in_brackets)))
}

/// A string, or several joined by `<>`, and the index behind it.
fn constant(tokens: &[Token<'_>], mut at: usize) -> Option<(Fragment, usize)> {
    let mut parts = Vec::new();
    loop {
        let TokenKind::Text(Some(part)) = &tokens.get(at)?.kind else {
            return None;
        };
        parts.push(part);
        at += 1;
        match tokens.get(at..at + 2) {
            Some([less, more]) if less.is('<') && more.is('>') => at += 2,
            _ => return Some((joined(&parts)?, at)),
        }
        while tokens.get(at).is_some_and(Token::is_line) {
            at += 1;
        }
    }
}
