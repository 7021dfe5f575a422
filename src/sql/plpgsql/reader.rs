//! Goes over the statements of a body.

use std::sync::Arc;

use crate::source::{Fragment, Span, SpanMap};
use crate::sql::lex::{Lexer, Token, TokenKind};

use super::constant;
use super::{Body, Condition, Guard, Part, PartKind, Role};

/// Words that begin a query after `FOR x IN`; anything else names a cursor.
const QUERIES: &[&str] = &[
    "call", "delete", "explain", "fetch", "insert", "merge", "select", "show", "table", "update",
    "values", "with",
];

pub(super) fn read(text: &str) -> Body {
    let mut reader = Reader {
        text,
        tokens: Lexer::new(text)
            .filter(|token| !token.is_comment())
            .collect(),
        frames: Vec::new(),
        open: [0; 4],
        trapped: Vec::new(),
        begun: false,
        outside: false,
        unclosed: false,
        body: Body::default(),
    };
    if let Some(last) = reader.tokens.last().filter(|token| !token.terminated) {
        reader
            .body
            .problems
            .push((last.span, "a quote is not closed".to_owned()));
    }
    let mut at = 0;
    while at < reader.tokens.len() {
        // Every statement takes at least one token, whatever it is.
        at = reader.statement(at).max(at + 1);
    }
    reader.finish()
}

/// What is closed by an `END`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Block,
    If,
    Case,
    Loop,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Block => "BEGIN",
            Self::If => "IF",
            Self::Case => "CASE",
            Self::Loop => "LOOP",
        }
    }
}

#[derive(Debug)]
struct Frame {
    kind: Kind,
    /// Holds for what stands in it.
    guard: Guard,
    /// Number of parts before it.
    first_part: usize,
    begin: Span,
}

pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: Vec<Token>,
    frames: Vec<Frame>,
    /// How many frames of each kind are open, to know without a search whether an `END` closes anything.
    open: [usize; 4],
    /// Ranges of parts in blocks with an `EXCEPTION` section.
    trapped: Vec<(usize, usize)>,
    /// True once a block was opened.
    begun: bool,
    /// True once a statement was met outside of the outermost block: said only once.
    outside: bool,
    /// True once parentheses or `BEGIN ATOMIC` were not closed before the end. Then they protect no `;` any more, as
    /// looking for the end again and again would take quadratic time.
    unclosed: bool,
    body: Body,
}

impl Reader<'_> {
    pub(super) fn is_word(&self, at: usize, word: &str) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|token| token.is_word(self.text, word))
    }

    pub(super) fn is_mark(&self, at: usize, mark: &str) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|token| token.is_mark(self.text, mark))
    }

    /// From the first to the last of these tokens. Of no tokens, the place where they would stand.
    pub(super) fn span(&self, from: usize, to: usize) -> Span {
        if from < to && to <= self.tokens.len() {
            self.tokens[from].span.cover(self.tokens[to - 1].span)
        } else {
            let place = self
                .tokens
                .get(from)
                .map_or(self.text.len(), |token| token.span.start as usize);
            Span::new(place, place)
        }
    }

    pub(super) fn problem(&mut self, span: Span, message: impl Into<String>) {
        self.body.problems.push((span, message.into()));
    }

    /// The first token at `from` or behind it that is one of `words` outside of parentheses, or a `;`, or the end.
    pub(super) fn find(&self, from: usize, words: &[&str]) -> usize {
        let mut depth = 0usize;
        let mut at = from;
        while let Some(token) = self.tokens.get(at) {
            match token.kind {
                TokenKind::Punctuation => match token.text(self.text) {
                    "(" | "[" => depth += 1,
                    ")" | "]" => depth = depth.saturating_sub(1),
                    ";" => return at,
                    _ => {}
                },
                TokenKind::Word if depth == 0 && token.is_word_of(self.text, words) => return at,
                _ => {}
            }
            at += 1;
        }
        at
    }

    /// Like [`Self::find`], and notes a problem if it is not `word` that was found.
    fn expect(&mut self, from: usize, word: &str) -> usize {
        let at = self.find(from, &[word]);
        if !self.is_word(at, word) {
            let message = format!("{} expected", word.to_ascii_uppercase());
            self.problem(self.span(from.saturating_sub(1), at), message);
        }
        at
    }

    pub(super) fn guard(&self) -> Guard {
        self.frames
            .last()
            .map_or_else(Guard::default, |frame| frame.guard)
    }

    pub(super) fn part(&mut self, span: Span, kind: PartKind) {
        let guard = self.guard();
        self.body.parts.push(Part { span, kind, guard });
    }

    fn push(&mut self, kind: Kind, at: usize, change: impl FnOnce(&mut Guard)) {
        let mut guard = self.guard();
        change(&mut guard);
        self.open[kind as usize] += 1;
        self.frames.push(Frame {
            kind,
            guard,
            first_part: self.body.parts.len(),
            begin: self.span(at, at + 1),
        });
    }

    fn pop(&mut self) -> Option<Frame> {
        let frame = self.frames.pop()?;
        self.open[frame.kind as usize] -= 1;
        Some(frame)
    }

    /// Leaves frames until the innermost one is of this kind. False if none is.
    fn back_to(&mut self, kind: Kind, at: usize) -> bool {
        if self.open[kind as usize] == 0 {
            let message = format!("nothing here belongs to an open {}", kind.name());
            self.problem(self.span(at, at + 1), message);
            return false;
        }
        while let Some(frame) = self.frames.last().filter(|frame| frame.kind != kind) {
            let message = format!("{} is not closed", frame.kind.name());
            self.problem(frame.begin, message);
            self.pop();
        }
        true
    }

    /// Reads the statement that begins at `at`, and gives the token behind it.
    fn statement(&mut self, at: usize) -> usize {
        let Some(&token) = self.tokens.get(at) else {
            return at;
        };
        if token.is_mark(self.text, ";") {
            return at + 1;
        }
        if token.is_mark(self.text, "<<") {
            return self.label(at);
        }
        if !self.begun && token.is_mark(self.text, "#") {
            return self.option_line(at);
        }
        if self.is_assignment(at) {
            return self.find(at, &[]) + 1;
        }
        if token.kind != TokenKind::Word {
            let end = self.find(at, &[]);
            self.problem(self.span(at, end), "no statement begins like this");
            return end + 1;
        }
        let word = token.text(self.text).to_ascii_lowercase();
        if self.frames.is_empty() && !self.outside && !matches!(word.as_str(), "declare" | "begin")
        {
            self.outside = true;
            self.problem(token.span, "this stands outside of BEGIN and END");
        }
        match word.as_str() {
            "declare" => self.declarations(at + 1),
            "begin" => {
                self.begun = true;
                self.push(Kind::Block, at, |_| {});
                at + 1
            }
            "exception" => self.exception(at),
            "when" => self.when(at),
            "if" => {
                let then = self.expect(at + 1, "then");
                let condition = self.condition(at + 1, then);
                self.push(Kind::If, at, |guard| {
                    guard.conditional = true;
                    guard.condition = Some(condition);
                });
                then + 1
            }
            "elsif" | "elseif" => {
                let then = self.expect(at + 1, "then");
                let condition = self.condition(at + 1, then);
                if self.back_to(Kind::If, at) {
                    self.set_condition(condition);
                }
                then + 1
            }
            "else" => self.otherwise(at),
            "end" => self.end(at),
            "case" => {
                let when = self.expect(at + 1, "when");
                self.push(Kind::Case, at, |guard| guard.conditional = true);
                when
            }
            "loop" => {
                self.push(Kind::Loop, at, |guard| guard.looped = true);
                at + 1
            }
            "while" | "foreach" => {
                let begin = self.expect(at + 1, "loop");
                self.push(Kind::Loop, at, |guard| guard.looped = true);
                begin + 1
            }
            "for" => self.for_loop(at),
            "exit" | "continue" | "raise" | "assert" | "get" | "null" | "fetch" | "move"
            | "close" => self.find(at, &[]) + 1,
            "return" => self.return_(at),
            "open" => {
                let query = self.find(at + 1, &["for"]);
                if self.is_word(query, "for") {
                    self.query(query + 1, &[], Role::Cursor) + 1
                } else {
                    query + 1
                }
            }
            "execute" => self.execute(at, &[], Role::Statement) + 1,
            "perform" => self.perform(at),
            "commit" | "rollback" => {
                let end = self.find(at, &[]);
                self.part(
                    self.span(at, end),
                    PartKind::Transaction {
                        commit: word == "commit",
                    },
                );
                end + 1
            }
            _ => self.sql(at),
        }
    }

    pub(super) fn label(&self, at: usize) -> usize {
        if self.is_mark(at + 2, ">>") {
            at + 3
        } else {
            at + 1
        }
    }

    /// `#variable_conflict …` takes its line.
    fn option_line(&self, at: usize) -> usize {
        let start = self.tokens[at].span.start as usize;
        let end = memchr::memchr(b'\n', &self.text.as_bytes()[start..])
            .map_or(self.text.len(), |n| start + n);
        let line = self.tokens[at..]
            .iter()
            .take_while(|token| (token.span.start as usize) < end)
            .count();
        at + line
    }

    /// True for `x :=`, `x.y =`, `x[1] :=`. No SQL statement has such a second word.
    fn is_assignment(&self, at: usize) -> bool {
        let is_name = |at: usize| {
            self.tokens.get(at).is_some_and(|token| {
                matches!(
                    token.kind,
                    TokenKind::Word | TokenKind::QuotedIdentifier | TokenKind::Parameter
                )
            })
        };
        if !is_name(at) {
            return false;
        }
        let mut at = at + 1;
        loop {
            if self.is_mark(at, ".") && is_name(at + 1) {
                at += 2;
            } else if self.is_mark(at, "[") {
                let mut depth = 0usize;
                loop {
                    if self.is_mark(at, "[") {
                        depth += 1;
                    } else if self.is_mark(at, "]") {
                        depth -= 1;
                    } else if at >= self.tokens.len() || self.is_mark(at, ";") {
                        return false;
                    }
                    at += 1;
                    if depth == 0 {
                        break;
                    }
                }
            } else {
                return self.is_mark(at, ":=") || self.is_mark(at, "=");
            }
        }
    }

    fn condition(&self, from: usize, to: usize) -> Condition {
        Condition {
            span: self.span(from, to),
            otherwise: false,
        }
    }

    fn set_condition(&mut self, condition: Condition) {
        if let Some(frame) = self.frames.last_mut() {
            frame.guard.condition = Some(condition);
        }
    }

    fn otherwise(&mut self, at: usize) -> usize {
        match self.frames.last_mut() {
            Some(frame) if frame.kind == Kind::If => {
                if let Some(condition) = &mut frame.guard.condition {
                    condition.otherwise = true;
                }
            }
            Some(frame) if frame.kind == Kind::Case => {}
            _ => self.problem(self.span(at, at + 1), "ELSE without IF or CASE"),
        }
        at + 1
    }

    fn exception(&mut self, at: usize) -> usize {
        if self.back_to(Kind::Block, at) {
            let parts = self.body.parts.len();
            if let Some(frame) = self.frames.last_mut() {
                self.trapped.push((frame.first_part, parts));
                frame.guard.handler = true;
            }
        }
        at + 1
    }

    fn when(&mut self, at: usize) -> usize {
        let kind = self
            .frames
            .last()
            .map(|frame| (frame.kind, frame.guard.handler));
        if !matches!(kind, Some((Kind::Case, _) | (Kind::Block, true))) {
            self.problem(self.span(at, at + 1), "WHEN without CASE or EXCEPTION");
        }
        self.expect(at + 1, "then") + 1
    }

    fn end(&mut self, at: usize) -> usize {
        let named = [(Kind::If, "if"), (Kind::Case, "case"), (Kind::Loop, "loop")];
        let found = named
            .into_iter()
            .find(|(_, word)| self.is_word(at + 1, word));
        let (kind, mut next) = found.map_or((Kind::Block, at + 1), |(kind, _)| (kind, at + 2));
        if self.back_to(kind, at) {
            self.pop();
        }
        // A label may follow.
        let is_end = |at: usize| at >= self.tokens.len() || self.is_mark(at, ";");
        if !is_end(next) && is_end(next + 1) {
            next += 1;
        }
        if !is_end(next) {
            self.problem(self.span(at, next), "`;` expected behind END");
        }
        next
    }

    fn for_loop(&mut self, at: usize) -> usize {
        let source = self.find(at + 1, &["in", "loop"]);
        if !self.is_word(source, "in") {
            self.problem(self.span(at, source), "IN expected");
            self.push(Kind::Loop, at, |guard| guard.looped = true);
            return source + 1;
        }
        let begin = if self.is_word(source + 1, "execute") {
            self.execute(source + 1, &["loop"], Role::Loop)
        } else {
            let begin = self.find(source + 1, &["loop"]);
            let is_query = self.tokens.get(source + 1).is_some_and(|token| {
                token.is_word_of(self.text, QUERIES) || token.is_mark(self.text, "(")
            });
            if is_query && !self.is_range(source + 1, begin) {
                self.query(source + 1, &["loop"], Role::Loop);
            }
            begin
        };
        if !self.is_word(begin, "loop") {
            self.problem(self.span(at, begin), "LOOP expected");
        }
        self.push(Kind::Loop, at, |guard| guard.looped = true);
        begin + 1
    }

    /// True if `..` stands between these tokens outside of parentheses.
    fn is_range(&self, from: usize, to: usize) -> bool {
        let mut depth = 0usize;
        (from..to).any(|at| {
            if self.is_mark(at, "(") {
                depth += 1;
            } else if self.is_mark(at, ")") {
                depth = depth.saturating_sub(1);
            }
            depth == 0 && self.is_mark(at, "..")
        })
    }

    fn return_(&mut self, at: usize) -> usize {
        let end = if !self.is_word(at + 1, "query") {
            self.find(at, &[])
        } else if self.is_word(at + 2, "execute") {
            self.execute(at + 2, &[], Role::Return)
        } else {
            self.query(at + 2, &[], Role::Return)
        };
        end + 1
    }

    /// A query from `from` to one of `words`, or `EXECUTE` and an expression. Gives the token behind it.
    pub(super) fn query(&mut self, from: usize, words: &[&str], role: Role) -> usize {
        if self.is_word(from, "execute") {
            return self.execute(from, words, role);
        }
        let end = self.find(from, words);
        let span = self.span(from, end);
        if span.is_empty() {
            self.problem(span, "a query is missing");
        } else {
            let sql = copied(span, self.text[span.range()].into());
            self.part(span, PartKind::Sql { sql, role });
        }
        end
    }

    /// `EXECUTE` at `at`, up to a `;` or one of `words`, which is given back.
    fn execute(&mut self, at: usize, words: &[&str], role: Role) -> usize {
        let mut stops = vec!["into", "using"];
        stops.extend(words);
        let end = self.find(at + 1, &stops);
        let span = self.span(at, end);
        let expression = &self.tokens[at + 1..end.max(at + 1)];
        let kind = match constant::evaluate(self.text, expression) {
            Ok(value) => {
                let mut map = SpanMap::generated(self.span(at + 1, end));
                for run in &value.runs {
                    map.push_run(run.at, run.from, run.len);
                }
                let sql = Fragment {
                    sql: value.text.into(),
                    map,
                };
                PartKind::Execute { sql, role }
            }
            Err(reason) => PartKind::Dynamic {
                reason,
                pieces: constant::pieces(self.text, expression),
                role,
            },
        };
        self.part(span, kind);
        self.find(end, words)
    }

    fn perform(&mut self, at: usize) -> usize {
        let end = self.find(at, &[]);
        let span = self.span(at, end);
        // Both words have seven bytes with the blank, so that every offset stays.
        let rest = &self.text[self.tokens[at].span.end as usize..span.end as usize];
        let sql = copied(span, format!("SELECT {rest}"));
        self.part(
            span,
            PartKind::Sql {
                sql,
                role: Role::Perform,
            },
        );
        end + 1
    }

    fn sql(&mut self, at: usize) -> usize {
        let end = self.sql_end(at);
        let span = self.span(at, end);
        let (sql, role) = match self.target_clause(at, end) {
            Some(into) => (self.without(span, into), Role::Into),
            None => (self.text[span.range()].to_owned(), Role::Statement),
        };
        self.part(
            span,
            PartKind::Sql {
                sql: copied(span, sql),
                role,
            },
        );
        if end >= self.tokens.len() {
            self.problem(span, "`;` expected");
        }
        end + 1
    }

    /// The `;` that ends the SQL statement at `at`. Those in the parentheses of `CREATE RULE` and in `BEGIN ATOMIC … END`
    /// belong to it; nowhere else can one stand in parentheses.
    fn sql_end(&mut self, at: usize) -> usize {
        if self.unclosed {
            return self.find(at, &[]);
        }
        let object = if self.is_word(at + 1, "or") && self.is_word(at + 2, "replace") {
            at + 3
        } else {
            at + 1
        };
        let creates = |what: &[&str]| {
            self.is_word(at, "create")
                && self
                    .tokens
                    .get(object)
                    .is_some_and(|token| token.is_word_of(self.text, what))
        };
        let (rule, routine) = (creates(&["rule"]), creates(&["function", "procedure"]));
        let mut parens = 0usize;
        let mut atomic = 0usize;
        let mut end = at;
        while end < self.tokens.len() {
            if rule && self.is_mark(end, "(") {
                parens += 1;
            } else if self.is_mark(end, ")") {
                parens = parens.saturating_sub(1);
            } else if routine && self.is_word(end, "begin") && self.is_word(end + 1, "atomic") {
                atomic = 1;
            } else if atomic > 0 && self.is_word(end, "case") {
                atomic += 1;
            } else if atomic > 0 && self.is_word(end, "end") {
                atomic -= 1;
            } else if self.is_mark(end, ";") && parens == 0 && atomic == 0 {
                return end;
            }
            end += 1;
        }
        // Without a closing mark, the first `;` is the likely end.
        self.unclosed = parens > 0 || atomic > 0;
        if self.unclosed {
            self.find(at, &[])
        } else {
            end
        }
    }

    /// Where `INTO [STRICT] target, …` stands between these tokens. `INSERT INTO`, `MERGE INTO` and the one of
    /// `IMPORT FOREIGN SCHEMA` are none.
    fn target_clause(&self, from: usize, to: usize) -> Option<Span> {
        if self.is_word(from, "import") {
            return None;
        }
        let into = (from + 1..to).find(|&at| {
            self.is_word(at, "into")
                && !self.tokens[at - 1].is_word_of(self.text, &["insert", "merge"])
        })?;
        let is_name = |at: usize| {
            at < to
                && matches!(
                    self.tokens[at].kind,
                    TokenKind::Word | TokenKind::QuotedIdentifier | TokenKind::Parameter
                )
        };
        let mut at = into + 1;
        if self.is_word(at, "strict") && is_name(at + 1) {
            at += 1;
        }
        while is_name(at) {
            at += 1;
            while self.is_mark(at, ".") && is_name(at + 1) {
                at += 2;
            }
            if self.is_mark(at, "[") {
                while at < to && !self.is_mark(at, "]") {
                    at += 1;
                }
                at = (at + 1).min(to);
            }
            if !(self.is_mark(at, ",") && is_name(at + 1)) {
                break;
            }
            at += 1;
        }
        Some(self.span(into, at))
    }

    /// The text of `span` with blanks in place of `hole`; line ends stay.
    fn without(&self, span: Span, hole: Span) -> String {
        let mut sql = String::with_capacity(span.len());
        sql.push_str(&self.text[span.start as usize..hole.start as usize]);
        let blank = |byte: u8| {
            if matches!(byte, b'\n' | b'\r') {
                char::from(byte)
            } else {
                ' '
            }
        };
        sql.extend(self.text[hole.range()].bytes().map(blank));
        sql.push_str(&self.text[hole.end as usize..span.end as usize]);
        sql
    }

    fn finish(mut self) -> Body {
        while let Some(frame) = self.pop() {
            let message = format!("{} is not closed", frame.kind.name());
            self.problem(frame.begin, message);
        }
        // A running count instead of marking each range: blocks may be nested as deep as the text is long.
        let mut change = vec![0isize; self.body.parts.len() + 1];
        for (from, to) in self.trapped {
            change[from] += 1;
            change[to] -= 1;
        }
        let mut depth = 0;
        for (part, change) in self.body.parts.iter_mut().zip(change) {
            depth += change;
            part.guard.trapped = depth > 0;
        }
        self.body
    }
}

/// SQL that stands at `span`.
fn copied(span: Span, sql: String) -> Fragment {
    Fragment {
        sql: Arc::from(sql),
        map: SpanMap::copied(span.start as usize, span.len()),
    }
}
