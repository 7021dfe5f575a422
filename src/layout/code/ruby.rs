//! Migrations in Ruby: those of Rails.

use super::program::{Call, Program, is_sql};
use super::token::{Cursor, Escapes, Quote, Scan, Token, TokenKind, joined, literal, quoted};
use crate::layout::Direction;
use crate::source::{Fragment, Span};
use crate::sql::lex::{self, Lexer};

/// Words, marks, strings and line ends.
pub(super) fn scan(text: &str) -> Scan<'_> {
    let mut scan = Scan::default();
    let mut cursor = Cursor { text, at: 0 };
    // Documents announced on the line: the token, the word that ends it, how it is written.
    let mut documents: Vec<Document<'_>> = Vec::new();
    loop {
        let start = cursor.at;
        let at_line = start == 0 || text.as_bytes().get(start - 1) == Some(&b'\n');
        if at_line && cursor.starts("__END__") {
            return scan;
        }
        if at_line && cursor.starts("=begin") {
            cursor.skip_past("\n=end");
            cursor.skip_line();
            scan.comments.push(Span::new(start, cursor.at));
            continue;
        }
        if cursor.starts("#") {
            cursor.skip_line();
            scan.comments.push(Span::new(start, cursor.at));
            continue;
        }
        if let Some(document) = document(&mut cursor, &scan) {
            scan.push(start, cursor.at, TokenKind::Text(None));
            documents.push(Document {
                token: scan.tokens.len() - 1,
                ..document
            });
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
        let quote = match next {
            '\n' => {
                scan.push(start, cursor.at, TokenKind::Line);
                for document in documents.drain(..) {
                    let Some(text) = document.read(&mut cursor) else {
                        // It goes on to the end: Ruby does not load this file.
                        return scan;
                    };
                    scan.tokens[document.token].kind = TokenKind::Text(text);
                }
                continue;
            }
            '\'' => Some(simple("'")),
            '"' => Some(double("\"")),
            '`' => Some(double("`")),
            '/' if scan.wants_operand() => Some(double("/")),
            '%' => percent(&mut cursor, &scan),
            // A character: `?"`.
            '?' if scan.wants_operand() => {
                cursor.next();
                scan.push(start, cursor.at, TokenKind::Text(None));
                continue;
            }
            _ => None,
        };
        if let Some(quote) = quote {
            let string = quoted(&mut cursor, quote);
            // What a command prints and what a pattern matches is no text.
            let is_text = matches!(next, '\'' | '"') || (next == '%' && is_string(text, start));
            scan.push(
                start,
                cursor.at,
                TokenKind::Text(string.filter(|_| is_text)),
            );
        } else if !next.is_whitespace() {
            scan.push(start, cursor.at, TokenKind::Mark(next));
        }
    }
}

fn simple(close: &str) -> Quote<'_> {
    Quote {
        open: None,
        close,
        escapes: Escapes::End,
        value: None,
    }
}

fn double(close: &str) -> Quote<'_> {
    Quote {
        open: None,
        close,
        escapes: Escapes::All,
        value: Some("#{"),
    }
}

/// True for `%(…)`, `%q(…)` and `%Q(…)`, false for lists and patterns.
fn is_string(text: &str, start: usize) -> bool {
    text[start + 1..].starts_with(|c: char| !c.is_alphanumeric() || c == 'q' || c == 'Q')
}

/// A string that begins with `%`, whose `%` was passed over.
fn percent(cursor: &mut Cursor<'_>, scan: &Scan<'_>) -> Option<Quote<'static>> {
    let mut chars = cursor.rest().chars();
    let kind = chars.next()?;
    let (open, length) = if "qQwWiIr".contains(kind) {
        (chars.next()?, 2)
    } else {
        (kind, 1)
    };
    // `a % (b)` and `a%(b)` are divisions; `execute %(…)` and `execute(%(…))` are not.
    let before = cursor.text[..cursor.at - 1].chars().next_back();
    let is_argument = before.is_some_and(char::is_whitespace)
        && scan.tokens.last().is_some_and(|last| last.word().is_some());
    if length == 1 && !scan.wants_operand() && !is_argument {
        return None;
    }
    let close = match open {
        '(' => ")",
        '[' => "]",
        '{' => "}",
        '<' => ">",
        '|' => "|",
        '!' => "!",
        _ => return None,
    };
    cursor.at += length;
    let base = if matches!(kind, 'q' | 'w' | 'i') {
        simple(close)
    } else {
        double(close)
    };
    Some(Quote {
        open: (!close.starts_with(open)).then_some(open),
        ..base
    })
}

/// Text that stands on the lines behind: `<<~SQL`.
struct Document<'a> {
    token: usize,
    end: &'a str,
    indented: bool,
    raw: bool,
}

/// A document that is announced here, passed over.
fn document<'a>(cursor: &mut Cursor<'a>, scan: &Scan<'_>) -> Option<Document<'a>> {
    let rest = cursor.rest().strip_prefix("<<")?;
    let mark = rest.chars().next()?;
    let indented = matches!(mark, '~' | '-');
    let rest = if indented { &rest[1..] } else { rest };
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'));
    let name = if quote.is_some() { &rest[1..] } else { rest };
    let end = name
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(name.len());
    if let Some(quote) = quote
        && !name[end..].starts_with(quote)
    {
        return None;
    }
    let name = &name[..end];
    let is_name = name.starts_with(|c: char| c.is_uppercase() || (indented && c.is_alphabetic()));
    // `list <<CONSTANT` shifts; what stands behind a value or a bracket is no document.
    let is_shift = !indented
        && quote.is_none()
        && !scan
            .tokens
            .last()
            .is_some_and(|last| last.is('(') || last.word() == Some("execute"));
    if !is_name || is_shift {
        return None;
    }
    let length = 2 + usize::from(indented) + name.len() + 2 * usize::from(quote.is_some());
    cursor.at += length;
    Some(Document {
        token: 0,
        end: name,
        indented,
        raw: quote == Some('\''),
    })
}

impl Document<'_> {
    /// Its text, with the cursor at the beginning of its first line; none without an end, the inner one if values stand
    /// in it.
    fn read(&self, cursor: &mut Cursor<'_>) -> Option<Option<Fragment>> {
        let start = cursor.at;
        loop {
            let line = cursor.at;
            if line >= cursor.text.len() {
                return None;
            }
            cursor.skip_line();
            let text = cursor.text[line..cursor.at].trim_end_matches('\r');
            let text = if self.indented {
                text.trim_start()
            } else {
                text
            };
            if text == self.end {
                let escapes = if self.raw {
                    Escapes::None
                } else {
                    Escapes::All
                };
                let quote = Quote {
                    open: None,
                    close: "\n",
                    escapes,
                    value: (!self.raw).then_some("#{"),
                };
                return Some(literal(cursor.text, start..line, quote));
            }
            cursor.next();
        }
    }
}

/// What `end` or `}` ends.
struct Block {
    is_brace: bool,
    /// The way that its code goes; the inner one none for functions that nobody knows to be called.
    direction: Option<Option<Direction>>,
    /// It, or one around it, may not run, or more than once.
    branches: bool,
}

/// Words that change nothing of what is known.
const KNOWN: &[&str] = &[
    "safety_assured",
    "reversible",
    "dir",
    "up",
    "down",
    "do",
    "end",
    "self",
];

/// Finds the SQL of a file.
pub(super) fn read(text: &str) -> Program {
    let scan = scan(text);
    let tokens = &scan.tokens;
    let mut program = Program::default();
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_loop_head = false;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let previous = at.checked_sub(1).map(|at| &tokens[at]);
        let is_member = previous.is_some_and(|mark| {
            mark.is('.') || (mark.is(':') && mark.span.end == token.span.start)
        });
        let begins = previous.is_none_or(|token| {
            token.is_line()
                || token.is(';')
                || token.is('=')
                || token.is('{')
                || token
                    .word()
                    .is_some_and(|word| matches!(word, "do" | "then" | "else"))
        });
        let (direction, in_branch) = blocks
            .last()
            .map_or((None, false), |block| (block.direction, block.branches));
        let mut push = |is_brace, own: Option<Option<Direction>>, branches| {
            blocks.push(Block {
                is_brace,
                direction: own.or(direction),
                branches: branches || in_branch,
            });
        };
        match &token.kind {
            TokenKind::Line => is_loop_head = false,
            TokenKind::Word("def") if !is_member => {
                let mut name = at + 1;
                if tokens.get(name).and_then(Token::word) == Some("self") {
                    name += 2;
                }
                let direction = match tokens.get(name).and_then(Token::word) {
                    Some("up" | "change") => Some(Direction::Up),
                    Some("down") => Some(Direction::Down),
                    _ => None,
                };
                push(false, Some(direction), false);
                program.ways.extend(direction.map(|way| (way, token.span)));
                at = name + 1;
                continue;
            }
            TokenKind::Word("class" | "module") if begins => push(false, None, false),
            TokenKind::Word("begin" | "case") if begins => {
                push(false, None, true);
                program.unread |= direction.is_some();
            }
            TokenKind::Word(word @ ("if" | "unless" | "while" | "until" | "for")) if begins => {
                push(false, None, true);
                is_loop_head = matches!(*word, "while" | "until" | "for");
                program.unread |= direction.is_some();
            }
            TokenKind::Word("do") if !is_member => {
                if !is_loop_head {
                    let (direction, branches) = opened(tokens, at);
                    push(false, direction, branches);
                }
                is_loop_head = false;
            }
            TokenKind::Mark('{') => {
                let (direction, branches) = opened(tokens, at);
                push(true, direction, branches);
            }
            TokenKind::Mark('}') => {
                if blocks.last().is_some_and(|block| block.is_brace) {
                    blocks.pop();
                }
            }
            TokenKind::Word("end") if !is_member => {
                if blocks.pop().is_none_or(|block| block.is_brace) {
                    program.unread = true;
                }
            }
            TokenKind::Word("disable_ddl_transaction") if !is_member => program.outside = [true; 2],
            TokenKind::Word("execute") if !is_other(tokens, at) => {
                let call = statement(tokens, at).filter(|(fragment, _)| is_sql(fragment));
                let known = direction.flatten();
                if let (Some((fragment, end)), Some(direction)) = (call, known) {
                    program.unread |= in_branch;
                    program.calls.push(Call {
                        direction,
                        fragment,
                        wraps: None,
                    });
                    at = end;
                    continue;
                }
                program.unread = true;
            }
            TokenKind::Word(word) => {
                program.unread |= direction.is_some() && !KNOWN.contains(word);
            }
            TokenKind::Text(_) => program.unread |= direction.is_some(),
            TokenKind::Mark(_) => {}
        }
        at += 1;
    }
    program
}

/// What a block that begins here says about its code: `dir.up do`, `safety_assured {`, anything else.
fn opened(tokens: &[Token<'_>], at: usize) -> (Option<Option<Direction>>, bool) {
    let word = |back: usize| at.checked_sub(back).and_then(|at| tokens[at].word());
    let is_dot = |back: usize| at.checked_sub(back).is_some_and(|at| tokens[at].is('.'));
    match word(1) {
        Some("up") if is_dot(2) => (Some(Some(Direction::Up)), false),
        Some("down") if is_dot(2) => (Some(Some(Direction::Down)), false),
        Some("safety_assured" | "reversible") => (None, false),
        _ => (None, true),
    }
}

/// True if `execute` is a name here, or the method of something that may be another database.
fn is_other(tokens: &[Token<'_>], at: usize) -> bool {
    let back = |count: usize| at.checked_sub(count).map(|at| &tokens[at]);
    let is_method = back(1).is_some_and(|token| token.is('.'));
    let is_ours = back(2).and_then(Token::word) == Some("connection")
        && match back(3) {
            Some(token) if token.is('.') => back(4).and_then(Token::word) == Some("Base"),
            _ => true,
        };
    back(1).is_some_and(|token| token.is(':') || token.word() == Some("def"))
        || (is_method && !is_ours)
}

/// The SQL of a call of `execute`, and the index behind the call.
fn statement(tokens: &[Token<'_>], at: usize) -> Option<(Fragment, usize)> {
    let mut at = at + 1;
    let skip_lines = |mut at: usize| {
        while tokens.get(at).is_some_and(Token::is_line) {
            at += 1;
        }
        at
    };
    let in_brackets = tokens.get(at)?.is('(');
    if in_brackets {
        at = skip_lines(at + 1);
    }
    let mut parts = Vec::new();
    // Strings that stand side by side, also behind a `\` at the end of the line, are one.
    while let Some(token) = tokens.get(at) {
        match &token.kind {
            TokenKind::Text(text) => parts.push(text.as_ref()?),
            TokenKind::Mark('\\') if tokens.get(at + 1).is_some_and(Token::is_line) => at += 1,
            _ => break,
        }
        at += 1;
    }
    let fragment = joined(&parts)?;
    while tokens.get(at).is_some_and(|token| token.is('.')) {
        match tokens.get(at + 1)?.word()? {
            "strip" | "chomp" | "freeze" | "strip_heredoc" => {}
            // It makes one line of the text: a comment swallows the rest.
            "squish" if !has_comment(&fragment) => {}
            _ => return None,
        }
        at += 2;
    }
    if in_brackets {
        at = skip_lines(at);
        if !tokens.get(at)?.is(')') {
            return None;
        }
        at += 1;
    }
    let ends = match tokens.get(at).map(|token| &token.kind) {
        None | Some(TokenKind::Line | TokenKind::Mark(';' | '}') | TokenKind::Word("end")) => true,
        // A condition behind it: it is in the tokens that follow, which nobody knows.
        Some(TokenKind::Word("if" | "unless")) => true,
        _ => false,
    };
    ends.then_some((fragment, at))
}

/// True if a comment that ends with its line stands in the SQL.
fn has_comment(fragment: &Fragment) -> bool {
    Lexer::new(&fragment.sql).any(|token| token.kind == lex::TokenKind::LineComment)
}
