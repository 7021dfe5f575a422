//! The parser's tree to [`Statement`]s: the only place that knows PostgreSQL's parse nodes.
//!
//! One function per kind of statement, grouped by topic. Nothing is looked up in a schema here, and nothing is
//! judged; what a statement does not say stays unsaid.

mod alter;
mod expr;
mod name;
mod object;
mod query;
mod table;
mod utility;

use std::cell::Cell;

use crate::source::{Fragment, Span, SpanMap};
use crate::sql::lex::{Token, next_token};
use crate::sql::tree::{self, Node};
use crate::statement::{Kind, Name, Nested, Statement};

/// What lowering has to know about the text a tree was made from.
pub(super) struct Lower<'a> {
    /// The text that was parsed.
    pub(super) text: &'a str,
    /// The way from it into the file.
    pub(super) map: &'a SpanMap,
    /// The statement's bytes in the text.
    pub(super) range: Span,
    /// Queries that are being lowered inside one another.
    nesting: Cell<u32>,
}

impl<'a> Lower<'a> {
    /// Lowers one statement of a tree.
    pub(super) fn statement(
        text: &'a str,
        map: &'a SpanMap,
        parsed: &tree::Statement<'_>,
    ) -> Statement {
        let range = trim(text, parsed.range.clone());
        let lower = Self {
            text,
            map,
            range,
            nesting: Cell::new(0),
        };
        let (kind, tag) = lower.kind(parsed.node);
        let nested = lower.inner(parsed.node);
        Statement {
            span: map.to_file(range),
            source: Fragment {
                sql: text[range.range()].into(),
                map: map.part(range),
            },
            kind,
            tag,
            nested,
            dynamic: Vec::new(),
            conditional: false,
            placeholders: Vec::new(),
        }
    }

    /// The statements inside a `CREATE SCHEMA`, with the schema in the names that they create.
    pub(super) fn schema_elements(
        text: &'a str,
        map: &'a SpanMap,
        parsed: &tree::Statement<'_>,
        create: tree::CreateSchemaStmt<'_>,
    ) -> Vec<Statement> {
        let outer = Self::statement(text, map, parsed);
        let Kind::CreateSchema { name, .. } = &outer.kind else {
            return Vec::new();
        };
        let lower = Self {
            text,
            map,
            range: trim(text, parsed.range.clone()),
            nesting: Cell::new(0),
        };
        create
            .schemaElts()
            .iter()
            .map(|node| {
                let (mut kind, tag) = lower.kind(node);
                put_into_schema(&mut kind, &name.text);
                Statement {
                    kind,
                    tag,
                    ..outer.clone()
                }
            })
            .collect()
    }

    /// Language and body of a `DO` block.
    pub(super) fn block_body(
        text: &'a str,
        map: &'a SpanMap,
        parsed: &tree::Statement<'_>,
        block: tree::DoStmt<'_>,
    ) -> Option<(String, Fragment)> {
        let range = trim(text, parsed.range.clone());
        Self {
            text,
            map,
            range,
            nesting: Cell::new(0),
        }
        .do_body(block)
    }

    /// The span in the file of the token at an offset of the text; the whole statement if there is no offset.
    fn at(&self, offset: Option<usize>) -> Span {
        match offset.and_then(|offset| next_token(self.text, offset)) {
            Some(token) => self.map.to_file(token.span),
            None => self.map.to_file(self.range),
        }
    }

    /// The span in the file from an offset of the text to another.
    fn between(&self, start: usize, end: usize) -> Span {
        self.map.to_file(Span::new(start, end))
    }

    /// The whole statement in the file.
    fn whole(&self) -> Span {
        self.map.to_file(self.range)
    }

    /// Tokens of the statement other than comments, from an offset of the text on.
    fn tokens(&self, from: usize) -> impl Iterator<Item = Token> + use<'a> {
        let (text, end) = (self.text, self.range.end as usize);
        let mut at = from;
        std::iter::from_fn(move || {
            loop {
                let token = next_token(text, at)?;
                if token.span.start as usize >= end {
                    return None;
                }
                at = token.span.end as usize;
                if !token.is_comment() {
                    return Some(token);
                }
            }
        })
    }

    /// Statements that stand in a statement as they are: the one that `EXPLAIN` explains or `COPY` runs, those of a
    /// `BEGIN ATOMIC` body.
    fn inner(&self, node: Node<'_>) -> Vec<Nested> {
        let nested = |kind, tag, runs| Nested {
            statement: Statement {
                span: self.whole(),
                source: Fragment {
                    sql: self.text[self.range.range()].into(),
                    map: self.map.part(self.range),
                },
                kind,
                tag,
                nested: Vec::new(),
                dynamic: Vec::new(),
                conditional: false,
                placeholders: Vec::new(),
            },
            runs,
            conditional: false,
            looped: false,
        };
        let (nodes, runs): (Vec<Node<'_>>, bool) = match node {
            Node::ExplainStmt(explain) => (
                explain.query().into_iter().collect(),
                self.flag(explain.options(), "analyze"),
            ),
            Node::CopyStmt(copy) => (copy.query().into_iter().collect(), true),
            Node::CreateFunctionStmt(create) => (
                match create.sql_body() {
                    // BEGIN ATOMIC: a list of one list.
                    Some(Node::List(body)) => body
                        .iter()
                        .flat_map(|node| match node {
                            Node::List(list) => list.iter().collect(),
                            node => vec![node],
                        })
                        .collect(),
                    _ => Vec::new(),
                },
                false,
            ),
            _ => return Vec::new(),
        };
        nodes
            .into_iter()
            .map(|node| {
                let (kind, tag) = self.kind(node);
                nested(kind, tag, runs)
            })
            .collect()
    }

    fn kind(&self, node: Node<'_>) -> (Kind, &'static str) {
        self.table_kind(node)
            .or_else(|| self.query_kind(node))
            .or_else(|| self.object_kind(node))
            .or_else(|| self.utility_kind(node))
            .unwrap_or((Kind::Other(Vec::new()), "SQL"))
    }
}

/// Inside a `CREATE SCHEMA` names without a schema mean that one, those that a query or a foreign key reads included:
/// PostgreSQL looks there first, and what is made in the same statement is nowhere else.
fn put_into_schema(kind: &mut Kind, schema: &str) {
    let put = |name: &mut Name| {
        if name.schema.is_none() {
            name.schema = Some(schema.into());
        }
    };
    match kind {
        Kind::CreateTable(create) => put(&mut create.name),
        Kind::CreateView(create) => {
            put(&mut create.name);
            create.query.reads.iter_mut().for_each(put);
            create
                .query
                .aliases
                .iter_mut()
                .for_each(|(_, name)| put(name));
            for (_, name) in create.query.from.iter_mut().flatten() {
                put(name);
            }
        }
        Kind::CreateIndex(create) => put(&mut create.table),
        Kind::CreateSequence(create) => put(&mut create.name),
        Kind::CreateTrigger(create) => put(&mut create.table),
        _ => {}
    }
}

/// A statement's bytes without blanks and comments at its end.
fn trim(text: &str, range: std::ops::Range<usize>) -> Span {
    let bytes = text.as_bytes();
    let plain_end = range.start + text[range.clone()].trim_end().len();
    // Comments between the last token and the semicolon are rare: look for them only where one may be.
    if memchr::memmem::find(&bytes[range.clone()], b"--").is_none()
        && memchr::memmem::find(&bytes[range.clone()], b"/*").is_none()
    {
        return Span::new(range.start, plain_end);
    }
    let mut end = range.start;
    let mut at = range.start;
    while let Some(token) = next_token(text, at) {
        if token.span.start as usize >= range.end {
            break;
        }
        at = token.span.end as usize;
        if !token.is_comment() {
            end = at;
        }
    }
    Span::new(range.start, end.min(range.end))
}
