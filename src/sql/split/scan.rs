//! The loop that goes over the tokens of a file.

use crate::source::Span;
use crate::sql::lex::{Token, TokenKind, is_blank, is_word_byte, line_end, next_token};

use super::foreign::{self, ForeignLine};
use super::keywords::Starters;
use super::mask::{self, Edit, Write};
use super::recover::{Fresh, fresh_line};
use super::template::{Finder, Shape, Template, psql_command};
use super::{Placeholder, Segment, SegmentKind, Split, SplitOptions, Unterminated};

/// Commands of psql that send the query buffer and so end the statement.
const SENDING: &[&str] = &[
    ";",
    "bind",
    "bind_named",
    "close_prepared",
    "crosstabview",
    "g",
    "gdesc",
    "gexec",
    "gset",
    "gx",
    "parse",
    "r",
    "reset",
    "sendpipeline",
    "watch",
];

/// How often the whole text may be read again because of what is never closed.
const READINGS: usize = 8;

/// Dollar quotes inside of dollar quotes are masked this deep.
const DEEPEST_BODY: usize = 3;

pub(super) fn split(text: &str, options: SplitOptions) -> Split {
    let mut scan = Scan::new(text, options, false);
    if scan.run().is_err() {
        scan = Scan::new(text, options, true);
        // With doubt, nothing ends the reading early.
        let _ = scan.run();
    }
    let masked = (!scan.edits.is_empty()).then(|| mask::apply(text, &scan.edits));
    Split {
        segments: scan.segments,
        masked,
        placeholders: scan.placeholders,
    }
}

/// Something is never closed, and the text has to be read with doubt.
#[derive(Debug)]
struct Unclosed;

/// The statement being read.
#[derive(Debug, Default)]
struct Current {
    /// Start of its first token, and end of its last one so far. `None` between statements.
    span: Option<(usize, usize)>,
    /// Its first tokens.
    lead: Vec<Token>,
    /// The last two tokens.
    previous: [Option<Token>; 2],
    parens: usize,
    brackets: usize,
    /// Where `BEGIN ATOMIC` stands, and how many `END`s it and the `CASE`s in it still want.
    atomic: Option<(usize, usize)>,
    copies_from_stdin: bool,
    /// Commands and blanked templating behind the last token.
    behind: Vec<Segment>,
}

struct Scan<'a> {
    text: &'a str,
    bytes: &'a [u8],
    doubt: bool,
    at: usize,
    /// Bytes that may still be read again.
    budget: usize,
    finder: Finder<'a>,
    /// What ends a statement after MySQL's `DELIMITER`, unless it is the `;`, and where the next such line begins.
    delimiter: Option<(&'a str, usize)>,
    /// False once a search found no end of `COPY` data in the rest of the text.
    data_may_end: bool,
    current: Current,
    segments: Vec<Segment>,
    edits: Vec<Edit>,
    placeholders: Vec<Placeholder>,
}

impl<'a> Scan<'a> {
    fn new(text: &'a str, options: SplitOptions, doubt: bool) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            doubt,
            at: 0,
            budget: text.len().saturating_mul(READINGS),
            finder: Finder::new(text, options.styles),
            delimiter: None,
            data_may_end: true,
            current: Current::default(),
            segments: Vec::new(),
            edits: Vec::new(),
            placeholders: Vec::new(),
        }
    }

    fn run(&mut self) -> Result<(), Unclosed> {
        if self.text.starts_with('\u{feff}') {
            self.edit(0, 3, Write::Blank);
            self.at = 3;
        }
        loop {
            while let Some(n) = self.bytes[self.at..]
                .iter()
                .position(|&byte| !is_blank(byte))
            {
                self.at += n;
                self.step()?;
            }
            self.at = self.text.len();
            if !self.end_of_text()? {
                return Ok(());
            }
        }
    }

    /// Reads one thing at `self.at`, which is not blank, and goes behind it.
    fn step(&mut self) -> Result<(), Unclosed> {
        let slice = self.current.brackets > 0 && !self.begins_operand();
        if let Some(template) = self.finder.at(self.at, slice) {
            self.template(template);
            return Ok(());
        }
        if self.bytes[self.at] == b'\\' && self.at_command() {
            self.command();
            return Ok(());
        }
        let Some(token) = next_token(self.text, self.at) else {
            return Ok(());
        };
        if (!token.terminated || self.doubt)
            && let Some((what, fresh)) = doubtful(&token, self.text)
        {
            if !self.doubt {
                return Err(Unclosed);
            }
            if self.give_up(what, fresh, &token) {
                return Ok(());
            }
        }
        if token.is_comment() {
            self.at = token.span.end as usize;
            return Ok(());
        }
        if let Some(line) = foreign::line(self.text, &token, self.current.span.is_some()) {
            self.foreign(line);
            return Ok(());
        }
        if self.current.span.is_none()
            && self
                .delimiter
                .is_some_and(|(_, next_line)| self.at < next_line)
        {
            self.delimited();
            return Ok(());
        }
        let token = self.without_templates(token);
        self.at = token.span.end as usize;
        if token.is_mark(self.text, ";") {
            self.semicolon();
        } else {
            self.token(token);
        }
        Ok(())
    }

    /// Templating may begin in the midst of what the lexer takes for one token: `tbl_${x}`, `=#{x}`.
    fn without_templates(&mut self, mut token: Token) -> Token {
        let Span { start, end } = token.span;
        let (start, end) = (start as usize, end as usize);
        let cut = match token.kind {
            TokenKind::Word if self.bytes[end - 1] == b'$' => {
                self.finder.at(end - 1, true).map(|_| end - 1)
            }
            TokenKind::Operator => (start + 1..end).find(|&at| self.finder.at(at, true).is_some()),
            TokenKind::Dollar { .. } => {
                let body = token.body(self.text).range();
                self.body_templates(body.start, body.end, DEEPEST_BODY);
                None
            }
            _ => None,
        };
        if let Some(cut) = cut {
            token.span = Span::new(start, cut);
        }
        token
    }

    /// Masks templating in a dollar-quoted string, so that a function body can be read. Recursion is bounded by `depth`.
    fn body_templates(&mut self, start: usize, end: usize, depth: usize) {
        let body = &self.bytes[start..end];
        if memchr::memchr2(b'{', b'%', body).is_none()
            && memchr::memmem::find(body, b"$(").is_none()
        {
            return;
        }
        let text = &self.text[..end];
        let mut at = start;
        while let Some(token) = next_token(text, at) {
            let (token_start, token_end) = (token.span.start as usize, token.span.end as usize);
            at = token_end;
            let found = match token.kind {
                TokenKind::Operator | TokenKind::Other => {
                    (token_start..token_end).find_map(|at| self.body_template(at, end))
                }
                TokenKind::Word if self.bytes[token_end - 1] == b'$' => {
                    self.body_template(token_end - 1, end)
                }
                TokenKind::QuotedIdentifier => self.body_template(token_start, end),
                TokenKind::Dollar { .. } if depth > 0 => {
                    let inner = token.body(text);
                    self.body_templates(inner.start as usize, inner.end as usize, depth - 1);
                    None
                }
                _ => None,
            };
            if let Some((start, template)) = found {
                at = template.end;
                self.place(start, template.end, template.shape.into());
            }
        }
    }

    /// Templating at `at` that ends before `end`. Not `:x`, which psql does not replace in quotes, nor `@x@`.
    fn body_template(&mut self, at: usize, end: usize) -> Option<(usize, Template)> {
        if matches!(self.bytes[at], b'@' | b':') {
            return None;
        }
        let template = self.finder.at(at, true)?;
        (template.end <= end).then_some((at, template))
    }

    fn token(&mut self, token: Token) {
        let text = self.text;
        let current = &mut self.current;
        let (start, end) = (token.span.start as usize, token.span.end as usize);
        current.span = Some((current.span.map_or(start, |span| span.0), end));
        // What stood behind the last token turned out to stand in the midst of the statement.
        current.behind.clear();
        match token.kind {
            TokenKind::Punctuation => match token.text(text) {
                "(" => current.parens += 1,
                ")" => current.parens = current.parens.saturating_sub(1),
                "[" => current.brackets += 1,
                "]" => current.brackets = current.brackets.saturating_sub(1),
                _ => {}
            },
            TokenKind::Word => current.word(text, &token),
            _ => {}
        }
        if current.lead.len() < 4 {
            current.lead.push(token);
        }
        current.previous = [current.previous[1], Some(token)];
    }

    fn semicolon(&mut self) {
        let terminator = self.at;
        let current = &self.current;
        let Some((_, end)) = current.span else {
            return;
        };
        let nested = current.parens > 0 || current.brackets > 0;
        if current.atomic.is_some() || nested && !self.unclosed_parenthesis() {
            self.current.span = current.span.map(|(start, _)| (start, terminator));
            self.current.behind.clear();
            return;
        }
        let copies = self.current.copies_from_stdin;
        self.current.behind.clear();
        self.finish(end, terminator);
        if copies {
            self.copy_data();
        }
    }

    /// True if the `;` before `self.at` ends its line, and a line with the next statement follows.
    fn unclosed_parenthesis(&self) -> bool {
        let mut at = self.at;
        let next = loop {
            match next_token(self.text, at) {
                Some(token) if token.is_comment() => at = token.span.end as usize,
                other => break other,
            }
        };
        let starters = if self.current.is_create(self.text, &["rule"]) {
            Starters::Schema
        } else {
            Starters::Any
        };
        next.is_some_and(|next| {
            let start = next.span.start as usize;
            starters.begin_at(self.text, start) && self.bytes[self.at..start].contains(&b'\n')
        })
    }

    /// Ends the statement, if there is one, at `end`; `full_end` is behind its terminator.
    fn finish(&mut self, end: usize, full_end: usize) {
        let current = std::mem::take(&mut self.current);
        if let Some((start, _)) = current.span {
            self.push(start, end, full_end, SegmentKind::Statement);
        }
        self.segments.extend(current.behind);
    }

    /// Ends the statement, if there is one, behind its last token.
    fn finish_open(&mut self) {
        let end = self.current.span.map_or(self.at, |span| span.1);
        self.finish(end, end);
    }

    fn push(&mut self, start: usize, end: usize, full_end: usize, kind: SegmentKind) {
        self.segments.push(Segment {
            span: Span::new(start, end),
            full: Span::new(start, full_end),
            kind,
        });
    }

    fn edit(&mut self, start: usize, end: usize, write: Write) {
        self.edits.push(Edit { start, end, write });
    }

    /// Masks templating and notes it.
    fn place(&mut self, start: usize, end: usize, write: Write) {
        self.edit(start, end, write);
        self.placeholders.push(Placeholder {
            span: Span::new(start, end),
            text: self.text[start..end].to_owned(),
        });
    }

    fn template(&mut self, template: Template) {
        let (start, end) = (self.at, template.end);
        self.at = end;
        let inside = self.current.span.is_some();
        // At the start of a statement, only a whole statement or nothing at all could stand.
        if template.shape == Shape::Blank || !inside && template.shape == Shape::Text {
            self.place(start, end, Write::Blank);
            let segment = Segment {
                span: Span::new(start, end),
                full: Span::new(start, end),
                kind: SegmentKind::Template,
            };
            if inside {
                self.current.behind.push(segment);
            } else {
                self.segments.push(segment);
            }
            return;
        }
        let write = match template.shape {
            Shape::Text => self.wanted(start, end),
            shape => shape.into(),
        };
        self.place(start, end, write);
        let kind = match write {
            Write::Number => TokenKind::Number,
            // Not a word: it is no keyword, whatever it says.
            _ => TokenKind::Other,
        };
        self.token(Token {
            kind,
            span: Span::new(start, end),
            terminated: true,
        });
    }

    /// What fits the grammar in place of a value at `start..end`.
    fn wanted(&self, start: usize, end: usize) -> Write {
        let glued =
            |byte: Option<&u8>| byte.is_some_and(|&byte| is_word_byte(byte) || byte == b'.');
        let [before, last] = &self.current.previous;
        let is = |token: &Option<Token>, words: &[&str]| {
            token.is_some_and(|token| token.is_word_of(self.text, words))
        };
        let touches = last.is_some_and(|last| last.span.end as usize == start);
        if touches && last.is_some_and(|last| last.kind == TokenKind::Number) {
            return Write::Number;
        }
        if glued(self.bytes.get(end)) || start > 0 && glued(self.bytes.get(start - 1)) {
            return Write::Identifier;
        }
        let length_of_type = last.is_some_and(|last| last.is_mark(self.text, "("))
            && is(
                before,
                &[
                    "varchar",
                    "varying",
                    "char",
                    "character",
                    "nchar",
                    "float",
                    "timestamp",
                    "time",
                    "interval",
                ],
            );
        let number = length_of_type
            || is(
                last,
                &[
                    "start",
                    "increment",
                    "cache",
                    "minvalue",
                    "maxvalue",
                    "restart",
                    "statistics",
                ],
            )
            || is(last, &["with"]) && is(before, &["start", "restart"])
            || is(last, &["by"]) && is(before, &["increment"]);
        if number {
            return Write::Number;
        }
        let leads = |word: &str| {
            self.current
                .lead
                .first()
                .is_some_and(|first| first.is_word(self.text, word))
        };
        let string = is(last, &["is"]) && leads("comment")
            || is(last, &["value"]) && leads("alter")
            || is(last, &["password"]);
        if string && end - start > 2 {
            Write::String
        } else {
            Write::Identifier
        }
    }

    /// True if inside of brackets an expression begins here, so that a colon does not separate array bounds.
    fn begins_operand(&self) -> bool {
        let [before, last] = &self.current.previous;
        let Some(last) = last else {
            return true;
        };
        match last.kind {
            TokenKind::Operator => true,
            TokenKind::Punctuation => match last.text(self.text) {
                "," | "(" => true,
                "[" => before.is_some_and(|before| before.is_word(self.text, "array")),
                _ => false,
            },
            _ => false,
        }
    }

    /// True if the backslash at `self.at` begins a psql command: after a blank, a `;` or another command.
    fn at_command(&self) -> bool {
        self.at == 0
            || matches!(self.bytes[self.at - 1], b';' | b')' | b'\\')
            || is_blank(self.bytes[self.at - 1])
            || self.bytes[..self.at].ends_with(b"\xef\xbb\xbf")
            || self.bytes.get(self.at + 1) == Some(&b';')
            || self
                .segments
                .last()
                .is_some_and(|segment| segment.full.end as usize == self.at)
    }

    fn command(&mut self) {
        let start = self.at;
        let (end, name) = psql_command(self.text, start);
        self.at = end;
        let trimmed = trim_end(self.bytes, start, end);
        let segment = Segment {
            span: Span::new(start, trimmed),
            full: Span::new(start, trimmed),
            kind: SegmentKind::PsqlCommand {
                name: name.to_owned(),
            },
        };
        if self.current.span.is_none() {
            self.edit(start, trimmed, Write::Blank);
            self.segments.push(segment);
        } else if SENDING.contains(&name) {
            self.edit(start, trimmed, Write::Terminator);
            self.finish_open();
            self.segments.push(segment);
        } else {
            self.edit(start, trimmed, Write::Blank);
            self.current.behind.push(segment);
        }
        let words = || self.text[start..end].split_ascii_whitespace();
        let from_stdin = || {
            words().zip(words().skip(1)).any(|(from, stdin)| {
                from.eq_ignore_ascii_case("from")
                    && (stdin.eq_ignore_ascii_case("stdin") || stdin.eq_ignore_ascii_case("pstdin"))
            })
        };
        if name == "copy" && from_stdin() {
            self.copy_data();
        }
    }

    fn foreign(&mut self, line: ForeignLine<'a>) {
        self.finish_open();
        let start = self.at;
        self.at = line.end;
        self.push(
            start,
            line.end,
            line.end,
            SegmentKind::ForeignCommand {
                name: line.name.to_owned(),
            },
        );
        if line.name == "DELIMITER" {
            self.delimiter = (line.argument != ";").then(|| {
                let next = lines(self.bytes, line.end)
                    .find(|&next| foreign::is_delimiter_line(self.bytes, next));
                (line.argument, next.unwrap_or(self.text.len()))
            });
        }
    }

    /// A statement that ends at the delimiter set by `DELIMITER`, or before the next such line.
    fn delimited(&mut self) {
        let Some((delimiter, next_line)) = self.delimiter else {
            return;
        };
        let start = self.at;
        let found = memchr::memmem::find(&self.bytes[start..next_line], delimiter.as_bytes());
        let stop = found.map_or(next_line, |n| start + n);
        let end = trim_end(self.bytes, start, stop);
        let full_end = if found.is_some() {
            stop + delimiter.len()
        } else {
            end
        };
        if end > start {
            self.push(start, end, full_end, SegmentKind::Statement);
        } else {
            self.push(
                start,
                full_end,
                full_end,
                SegmentKind::ForeignCommand {
                    name: "DELIMITER".to_owned(),
                },
            );
        }
        self.at = stop.max(full_end);
    }

    /// Rows behind `COPY … FROM stdin;`, up to `\.` on a line of its own. Without it the rows reach to the end of the
    /// file, unless SQL or nothing at all follows: then the file is not for psql, and has no rows.
    fn copy_data(&mut self) {
        let line = line_end(self.bytes, self.at);
        if next_token(&self.text[..line], self.at).is_some_and(|token| !token.is_comment()) {
            return;
        }
        let start = match self.bytes.get(line..line + 2) {
            Some(b"\r\n") => line + 2,
            _ => (line + 1).min(self.text.len()),
        };
        let end = if self.data_may_end {
            end_of_data(self.bytes, start)
        } else {
            None
        };
        self.data_may_end = end.is_some();
        let (stop, marked) = (end.unwrap_or(self.text.len()), end.is_some());
        let first = self.bytes[start..]
            .iter()
            .position(|&byte| !is_blank(byte))
            .map(|n| start + n);
        let sql = |first: usize| {
            let comment =
                self.bytes[first..].starts_with(b"--") || self.bytes[first..].starts_with(b"/*");
            comment || Starters::Any.begin_at(self.text, first)
        };
        match first {
            Some(first) if marked || !sql(first) => {
                let end = trim_end(self.bytes, first, stop);
                let from = self.bytes[..first]
                    .iter()
                    .rposition(|&byte| byte == b'\n')
                    .map_or(first, |n| n + 1)
                    .max(start);
                self.edit(from, end, Write::Blank);
                self.push(from, end, end, SegmentKind::CopyData);
                self.at = end;
            }
            _ => {}
        }
    }

    /// Ends what is open at the end of the text. True if there is more to read after all.
    fn end_of_text(&mut self) -> Result<bool, Unclosed> {
        if let (Some((begin, _)), Some((start, _))) = (self.current.atomic, self.current.span) {
            if !self.doubt {
                return Err(Unclosed);
            }
            let resume = fresh_line(
                self.text,
                begin,
                self.text.len(),
                Fresh::Word(Starters::Schema),
            );
            self.cut(start, resume, Unterminated::BeginAtomic, self.text.len());
            return Ok(resume.is_some());
        }
        self.finish_open();
        Ok(false)
    }

    /// Ends the statement as unterminated before the fresh line in `token`. False if there is no such line, and the token
    /// is closed: then it is trusted.
    fn give_up(&mut self, what: Unterminated, fresh: Fresh, token: &Token) -> bool {
        let (start, end) = (token.span.start as usize, token.span.end as usize);
        let resume = fresh_line(self.text, start, end, fresh);
        if resume.is_none() && token.terminated {
            return false;
        }
        let statement = self.current.span.map_or(start, |span| span.0);
        self.cut(statement, resume, what, end);
        true
    }

    /// Makes `start..resume` an unterminated segment. `read` is how far the text was read in vain.
    fn cut(&mut self, start: usize, resume: Option<usize>, what: Unterminated, read: usize) {
        let mut resume = resume.unwrap_or(self.text.len());
        match self.budget.checked_sub(read.saturating_sub(resume)) {
            Some(left) => self.budget = left,
            None => resume = self.text.len(),
        }
        // Both are in order. What was masked behind `resume` will be masked again if it still stands outside of quotes.
        self.edits
            .truncate(self.edits.partition_point(|edit| edit.start < resume));
        let kept = self
            .placeholders
            .partition_point(|placeholder| (placeholder.span.start as usize) < resume);
        self.placeholders.truncate(kept);
        let end = trim_end(self.bytes, start, resume);
        self.current = Current::default();
        self.push(start, end, end, SegmentKind::Unterminated { what });
        self.at = resume;
    }
}

impl Current {
    /// True for `CREATE [OR REPLACE]` one of these.
    fn is_create(&self, text: &str, objects: &[&str]) -> bool {
        let is = |n: usize, words: &[&str]| {
            self.lead
                .get(n)
                .is_some_and(|token| token.is_word_of(text, words))
        };
        let object = if is(1, &["or"]) && is(2, &["replace"]) {
            3
        } else {
            1
        };
        is(0, &["create"]) && is(object, objects)
    }

    fn word(&mut self, text: &str, token: &Token) {
        let last = self.previous[1];
        let after = |words: &[&str]| last.is_some_and(|last| last.is_word_of(text, words));
        if let Some((_, open)) = &mut self.atomic {
            // `AS end` and `x.end` are names.
            let name = after(&["as"]) || last.is_some_and(|last| last.is_mark(text, "."));
            if token.is_word(text, "case") && !name {
                *open += 1;
            } else if token.is_word(text, "end") && !name {
                *open -= 1;
                if *open == 0 {
                    self.atomic = None;
                }
            }
        } else if token.is_word(text, "atomic")
            && after(&["begin"])
            && self.is_create(text, &["function", "procedure"])
        {
            self.atomic = Some((token.span.start as usize, 1));
        } else if token.is_word(text, "stdin") && after(&["from"]) && self.parens == 0 {
            self.copies_from_stdin = self
                .lead
                .first()
                .is_some_and(|first| first.is_word(text, "copy"));
        }
    }
}

/// What an unclosed token is, and which line in it makes one doubt that it should reach so far.
fn doubtful(token: &Token, text: &str) -> Option<(Unterminated, Fresh)> {
    let any = Fresh::Word(Starters::Any);
    let (what, fresh) = match token.kind {
        TokenKind::String(_) => (Unterminated::String, any),
        TokenKind::QuotedIdentifier => (Unterminated::QuotedIdentifier, any),
        TokenKind::Dollar { .. } if token.terminated => (Unterminated::DollarQuote, Fresh::Routine),
        TokenKind::Dollar { .. } => (Unterminated::DollarQuote, Fresh::Word(Starters::Outside)),
        // A comment that is closed is trusted: much SQL stands in comments.
        TokenKind::BlockComment if !token.terminated => (Unterminated::BlockComment, any),
        _ => return None,
    };
    let spans_lines = || memchr::memchr(b'\n', token.text(text).as_bytes()).is_some();
    (!token.terminated || spans_lines()).then_some((what, fresh))
}

fn trim_end(bytes: &[u8], start: usize, end: usize) -> usize {
    bytes[start..end]
        .iter()
        .rposition(|&byte| !is_blank(byte))
        .map_or(start, |n| start + n + 1)
}

/// Starts of the lines behind `from`.
fn lines(bytes: &[u8], from: usize) -> impl Iterator<Item = usize> {
    memchr::memchr_iter(b'\n', &bytes[from..]).map(move |n| from + n + 1)
}

/// End of the first line at `start` or behind it that is `\.`
fn end_of_data(bytes: &[u8], start: usize) -> Option<usize> {
    let is_end = |at: usize| {
        bytes[at..].starts_with(b"\\.") && matches!(bytes.get(at + 2), None | Some(b'\n' | b'\r'))
    };
    if is_end(start) {
        return Some(start + 2);
    }
    memchr::memmem::find_iter(&bytes[start..], b"\n\\.")
        .map(|n| start + n + 1)
        .find(|&at| is_end(at))
        .map(|at| at + 2)
}
