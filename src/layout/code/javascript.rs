//! Migrations in JavaScript and TypeScript.

use super::program::{Call, Program, is_sql};
use super::token::{Cursor, Escapes, Quote, Scan, Token, TokenKind, joined, quoted};
use crate::layout::{Direction, Wraps};
use crate::source::{Fragment, Span};

/// So many tokens behind the SQL of a call are looked at.
const MAX_OPTIONS: usize = 100;

/// Whose calls are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Library {
    TypeOrm,
    Sequelize,
    Knex,
    NodePgMigrate,
}

/// Words, marks and strings.
pub(super) fn scan(text: &str) -> Scan<'_> {
    let mut scan = Scan::default();
    let mut cursor = Cursor { text, at: 0 };
    loop {
        let start = cursor.at;
        if cursor.starts("//") || (start == 0 && cursor.starts("#!")) {
            cursor.skip_line();
            scan.comments.push(Span::new(start, cursor.at));
            continue;
        }
        if cursor.starts("/*") {
            cursor.at += 2;
            cursor.skip_past("*/");
            scan.comments.push(Span::new(start, cursor.at));
            continue;
        }
        let word = cursor.word();
        if !word.is_empty() {
            scan.push(start, cursor.at, TokenKind::Word(word));
            continue;
        }
        let Some(next) = cursor.next() else {
            return scan;
        };
        let close = match next {
            '\'' => "'",
            '"' => "\"",
            '`' => "`",
            '/' if scan.wants_operand() => {
                skip_pattern(&mut cursor);
                scan.push(start, cursor.at, TokenKind::Text(None));
                continue;
            }
            next => {
                if !next.is_whitespace() {
                    scan.push(start, cursor.at, TokenKind::Mark(next));
                }
                continue;
            }
        };
        let quote = Quote {
            open: None,
            close,
            escapes: Escapes::All,
            value: (close == "`").then_some("${"),
        };
        let string = quoted(&mut cursor, quote);
        scan.push(start, cursor.at, TokenKind::Text(string));
    }
}

/// The milliseconds at the end of a class's name, or of the `name` that it has instead.
fn stamp(tokens: &[Token<'_>]) -> Option<String> {
    const LENGTH: usize = 13;
    let class = tokens
        .iter()
        .position(|token| token.word() == Some("class"))?;
    let property = tokens[class..].windows(3).find_map(|window| match window {
        [
            name,
            sign,
            Token {
                kind: TokenKind::Text(Some(text)),
                ..
            },
        ] if name.word() == Some("name") && sign.is('=') => Some(text.sql.to_string()),
        _ => None,
    });
    let name = property.or_else(|| Some(tokens.get(class + 1)?.word()?.to_owned()))?;
    let stamp = name.get(name.len().checked_sub(LENGTH)?..)?;
    let is_number = stamp.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| stamp.to_owned())
}

/// Passes over the rest of a regular expression.
fn skip_pattern(cursor: &mut Cursor<'_>) {
    let mut in_class = false;
    while let Some(next) = cursor.next() {
        match next {
            '\\' => {
                cursor.next();
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '\n' => return,
            '/' if !in_class => return,
            _ => {}
        }
    }
}

/// A function that is being read.
struct Body {
    direction: Direction,
    /// Brackets around its definition.
    depth: usize,
    /// Its head was passed.
    entered: bool,
}

/// Finds the SQL of a file.
pub(super) fn read(text: &str, library: Library) -> Program {
    let scan = scan(text);
    let tokens = &scan.tokens;
    let mut program = Program {
        version: (library == Library::TypeOrm)
            .then(|| stamp(tokens))
            .flatten(),
        ..Program::default()
    };
    let mut body: Option<Body> = None;
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let begins = definition(tokens, at).filter(|_| match &body {
            None => depth <= 1,
            Some(body) => body.depth == depth,
        });
        if let Some(direction) = begins {
            program.ways.push((direction, token.span));
            body = Some(Body {
                direction,
                depth,
                entered: false,
            });
            at += 1;
            continue;
        }
        let is_outside = body.is_none();
        let here = body.as_mut();
        match token.kind {
            TokenKind::Mark('(' | '[' | '{') => {
                if let Some(body) = here
                    && body.depth == depth
                    && token.is('{')
                {
                    body.entered = true;
                }
                depth += 1;
            }
            TokenKind::Mark(mark @ (')' | ']' | '}')) => {
                depth = depth.saturating_sub(1);
                let ends = |body: &Body| depth < body.depth || (mark == '}' && depth == body.depth);
                if body.as_ref().is_some_and(ends) {
                    body = None;
                }
            }
            TokenKind::Mark(';' | ',') if here.as_ref().is_some_and(|body| body.depth == depth) => {
                body = None;
            }
            TokenKind::Mark('>') if at > 0 && tokens[at - 1].is('=') => match here {
                Some(body) if body.depth == depth && !body.entered => body.entered = true,
                Some(_) => program.unread = true,
                None => {}
            },
            // A function without braces ends with its line, and nothing else tells.
            TokenKind::Word("exports" | "module" | "export" | "const" | "function" | "class")
                if here
                    .as_ref()
                    .is_some_and(|body| body.entered && body.depth == depth) =>
            {
                body = None;
            }
            TokenKind::Word("transaction") if is_outside => {
                let is_off = matches!(&tokens[at + 1..], [sign, value, ..]
                    if (sign.is('=') || sign.is(':')) && value.word() == Some("false"));
                if is_off {
                    program.outside = [true; 2];
                }
            }
            TokenKind::Word("await" | "return") => {}
            _ => {
                let inside = here.filter(|body| body.entered);
                if let Some((call, end)) = statement(tokens, at, library) {
                    match inside {
                        Some(body) => program.calls.push(Call {
                            direction: body.direction,
                            ..call
                        }),
                        None => program.unread = true,
                    }
                    at = end;
                    continue;
                }
                if let Some(body) = inside {
                    match &tokens[at..] {
                        [pgm, dot, name, open, close, ..]
                            if pgm.word() == Some("pgm")
                                && dot.is('.')
                                && name.word() == Some("noTransaction")
                                && open.is('(')
                                && close.is(')') =>
                        {
                            program.outside[usize::from(body.direction == Direction::Down)] = true;
                            at += 5;
                            continue;
                        }
                        _ if !token.is(';') => program.unread = true,
                        _ => {}
                    }
                }
            }
        }
        at += 1;
    }
    program
}

/// The way that a function or property goes that is defined here.
fn definition(tokens: &[Token<'_>], at: usize) -> Option<Direction> {
    let direction = match tokens[at].word()? {
        "up" => Direction::Up,
        "down" => Direction::Down,
        _ => return None,
    };
    let next = tokens.get(at + 1)?;
    let is_assigned = next.is('=')
        && !tokens
            .get(at + 2)
            .is_some_and(|token| token.is('=') || token.is('>'));
    if !(is_assigned || next.is(':') || next.is('(')) {
        return None;
    }
    let is_member = at > 0 && tokens[at - 1].is('.');
    let of_exports = at > 1 && tokens[at - 2].word() == Some("exports");
    (!is_member || of_exports).then_some(direction)
}

/// The call of a method with constant SQL that begins here, and the index behind it.
fn statement(tokens: &[Token<'_>], at: usize, library: Library) -> Option<(Call, usize)> {
    // What is handed to another function is a value in SQL of its own, or of an unknown time.
    if at > 0 && (tokens[at - 1].is('.') || (library == Library::Knex && tokens[at - 1].is('('))) {
        return None;
    }
    let mut end = at + 1;
    let mut path = vec![tokens[at].word()?];
    while let [dot, name, ..] = tokens.get(end..)?
        && dot.is('.')
        && path.len() < 8
        && let Some(name) = name.word()
    {
        path.push(name);
        end += 2;
    }
    let (method, receiver) = path.split_last()?;
    let is_meant = !receiver.is_empty()
        && match library {
            Library::TypeOrm => *method == "query",
            Library::Sequelize => *method == "query" && receiver.last() == Some(&"sequelize"),
            Library::Knex => *method == "raw",
            Library::NodePgMigrate => *method == "sql" && receiver.last() == Some(&"pgm"),
        };
    if !is_meant || !tokens.get(end)?.is('(') {
        return None;
    }
    let (fragment, next) = constant(tokens, end + 1)?;
    let (options, end) = rest(tokens, next)?;
    let has = |word: &str| options.iter().any(|token| token.word() == Some(word));
    let wraps = match library {
        Library::Sequelize if has("replacements") || has("bind") => return None,
        Library::Sequelize if has("transaction") => Some(Wraps::Script),
        Library::Sequelize => None,
        _ if !options.is_empty() => return None,
        _ => None,
    };
    is_sql(&fragment).then_some((
        Call {
            direction: Direction::Up,
            fragment,
            wraps,
        },
        end,
    ))
}

/// A string, or several that are added up, and the index behind it.
fn constant(tokens: &[Token<'_>], mut at: usize) -> Option<(Fragment, usize)> {
    let mut parts = Vec::new();
    loop {
        let TokenKind::Text(Some(part)) = &tokens.get(at)?.kind else {
            return None;
        };
        parts.push(part);
        if !tokens.get(at + 1)?.is('+') {
            return Some((joined(&parts)?, at + 1));
        }
        at += 2;
    }
}

/// What stands between the first argument and the closing bracket, and the index behind that.
fn rest<'t, 'a>(tokens: &'t [Token<'a>], from: usize) -> Option<(&'t [Token<'a>], usize)> {
    let mut open = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(from).take(MAX_OPTIONS) {
        match token.kind {
            TokenKind::Mark('(' | '[' | '{') => open += 1,
            TokenKind::Mark(')') if open == 0 => {
                let options = &tokens[from..index];
                let is_comma = options.first().is_none_or(|first| first.is(','));
                let options = options.get(1..).unwrap_or_default();
                return is_comma.then_some((options, index + 1));
            }
            TokenKind::Mark(')' | ']' | '}') => open = open.checked_sub(1)?,
            _ => {}
        }
    }
    None
}
