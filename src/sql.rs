//! SQL text to [`Statement`]s.
//!
//! A text that PostgreSQL's parser takes whole is parsed once. One that it refuses is cut by [`split`] and parsed
//! piece by piece, so that an error costs its statement only. Bodies of `DO` blocks and functions are read the same way.

pub mod lex;
mod lower;
pub mod plpgsql;
pub mod split;
pub(crate) mod tree;

use crate::source::{Fragment, Span, SpanMap};
use crate::statement::{Kind, Nested, Statement, Transaction};
use lower::Lower;
use plpgsql::PartKind;
use split::{SegmentKind, SplitOptions, Unterminated};
use tree::{Mode, Node};

/// How deep code inside code is followed: a `DO` block that executes a `DO` block that executes a statement.
const DEEPEST_NESTING: usize = 4;

/// What a text holds.
#[derive(Debug, Default)]
pub struct Parsed {
    /// Its statements in order, unparsed ones included.
    pub statements: Vec<Statement>,
    /// Syntax errors.
    pub errors: Vec<SyntaxError>,
    /// Text that runs and was not understood, with the reason.
    pub not_analysed: Vec<(Span, String)>,
    /// What only psql understands: its commands by name, and rows behind `COPY … FROM stdin` (no name).
    pub psql: Vec<(Span, Option<String>)>,
}

/// A syntax error. Spans are in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The place PostgreSQL names.
    pub span: Span,
    /// The statement it is in, which was left out.
    pub statement: Span,
    /// PostgreSQL's message.
    pub message: String,
    /// What else is known about it.
    pub help: Option<String>,
}

/// Checks that the parser's memory is laid out as expected. Costs microseconds.
///
/// # Errors
/// What differs; the program must not go on then.
pub fn self_check() -> Result<(), String> {
    tree::self_check()
}

/// Parses a text.
#[must_use]
pub fn parse(fragment: &Fragment) -> Parsed {
    parse_at(fragment, DEEPEST_NESTING)
}

/// Parses a text that stands in no file: places are those in the text.
#[must_use]
pub fn parse_text(text: &str) -> Parsed {
    parse(&Fragment {
        sql: text.into(),
        map: SpanMap::copied(0, text.len()),
    })
}

/// A body that is read after its statement's tree is gone: the parser has one tree per thread.
enum Body {
    Block { language: String, source: Fragment },
    Function,
}

fn parse_at(fragment: &Fragment, depth: usize) -> Parsed {
    let mut parsed = Parsed::default();
    let mut bodies: Vec<(usize, Body)> = Vec::new();
    // A byte order mark is no SQL, and the parser takes it for a part of the first word.
    let bom = fragment.sql.starts_with('\u{feff}');
    let whole = !bom
        && lower_text(
            &fragment.sql,
            &fragment.map,
            &mut parsed.statements,
            &mut bodies,
        )
        .is_ok();
    if !whole {
        parsed.statements.clear();
        bodies.clear();
        parse_pieces(fragment, &mut parsed, &mut bodies);
    }
    for (index, body) in bodies {
        read_body(&mut parsed, index, body, depth);
    }
    parsed
}

/// Parses a text whole and appends its statements.
fn lower_text(
    text: &str,
    map: &SpanMap,
    statements: &mut Vec<Statement>,
    bodies: &mut Vec<(usize, Body)>,
) -> Result<(), tree::SyntaxError> {
    tree::with_tree(text, Mode::Statements, |tree| {
        for parsed in tree?.statements() {
            let mut statement = Lower::statement(text, map, &parsed);
            match parsed.node {
                Node::CreateSchemaStmt(create) => {
                    let elements = Lower::schema_elements(text, map, &parsed, create);
                    statement.nested = elements
                        .into_iter()
                        .map(|statement| Nested {
                            statement,
                            runs: true,
                            conditional: false,
                            looped: false,
                        })
                        .collect();
                }
                Node::DoStmt(block) => {
                    if let Some((language, source)) = Lower::block_body(text, map, &parsed, block) {
                        bodies.push((statements.len(), Body::Block { language, source }));
                    }
                }
                Node::CreateFunctionStmt(_) => bodies.push((statements.len(), Body::Function)),
                _ => {}
            }
            statements.push(statement);
        }
        Ok(())
    })
}

/// Parses the statements of a text one by one.
fn parse_pieces(fragment: &Fragment, parsed: &mut Parsed, bodies: &mut Vec<(usize, Body)>) {
    let split = split::split(&fragment.sql, &SplitOptions::default());
    let text: &str = split.masked.as_deref().unwrap_or(&fragment.sql);
    for segment in &split.segments {
        let span = fragment.map.to_file(segment.span);
        match &segment.kind {
            SegmentKind::Statement => {
                let first = parsed.statements.len();
                let part = &text[segment.span.range()];
                let map = fragment.map.part(segment.span);
                match lower_text(part, &map, &mut parsed.statements, bodies) {
                    Ok(()) => {
                        for statement in &mut parsed.statements[first..] {
                            statement.placeholders = split
                                .placeholders
                                .iter()
                                .filter(|placeholder| segment.span.contains(placeholder.span))
                                .map(|placeholder| fragment.map.to_file(placeholder.span))
                                .collect();
                        }
                    }
                    Err(error) => {
                        parsed.statements.truncate(first);
                        bodies.retain(|(index, _)| *index < first);
                        let masked = split
                            .placeholders
                            .iter()
                            .any(|p| segment.span.contains(p.span));
                        if masked {
                            // The text is a template: what it becomes is not known, so it is no error of the file.
                            let reason = format!(
                                "a template that is no SQL before it is filled in: {}",
                                error.message
                            );
                            parsed.not_analysed.push((span, reason));
                        } else {
                            let at = error.offset.unwrap_or(0).min(part.len());
                            let token = lex::next_token(part, at)
                                .map_or(Span::new(at, at), |token| token.span);
                            parsed.errors.push(SyntaxError {
                                span: map.to_file(token),
                                statement: span,
                                message: format!("PostgreSQL's parser: {}", error.message),
                                help: None,
                            });
                        }
                        parsed.statements.push(unparsed(
                            &fragment.sql,
                            segment.span,
                            &fragment.map,
                        ));
                    }
                }
            }
            SegmentKind::PsqlCommand { name } => {
                parsed.psql.push((span, Some(name.clone())));
                // pg_dump's \restrict and \unrestrict run nothing.
                if !matches!(
                    name.as_str(),
                    "restrict"
                        | "unrestrict"
                        | "echo"
                        | "qecho"
                        | "warn"
                        | "timing"
                        | "pset"
                        | "encoding"
                        | "t"
                        | "a"
                        | "x"
                        | "q"
                        | "unset"
                ) {
                    let reason = match name.as_str() {
                        "i" | "ir" | "include" | "include_relative" => {
                            format!("psql's \\{name} runs another file, which is not followed")
                        }
                        "set" => "psql's \\set gives a variable a value, which is not followed"
                            .to_owned(),
                        "c" | "connect" => format!("psql's \\{name} goes on in another database"),
                        name => format!("psql's \\{name}"),
                    };
                    parsed.not_analysed.push((span, reason));
                }
            }
            SegmentKind::CopyData => parsed.psql.push((span, None)),
            SegmentKind::ForeignCommand { name } => parsed.errors.push(SyntaxError {
                span,
                statement: span,
                message: format!("`{name}` is a command of another database's client"),
                help: None,
            }),
            SegmentKind::Template => {
                parsed
                    .not_analysed
                    .push((span, "templating that decides what runs".to_owned()));
            }
            SegmentKind::Unterminated { what } => {
                let what = match what {
                    Unterminated::String => "quoted string",
                    Unterminated::QuotedIdentifier => "quoted identifier",
                    Unterminated::DollarQuote => "dollar-quoted string",
                    Unterminated::BlockComment => "/* comment",
                    Unterminated::BeginAtomic => "BEGIN ATOMIC body",
                };
                parsed.errors.push(SyntaxError {
                    span: first_line(&fragment.sql, segment.span, &fragment.map),
                    statement: span,
                    message: format!("unterminated {what}"),
                    help: None,
                });
                parsed
                    .statements
                    .push(unparsed(&fragment.sql, segment.span, &fragment.map));
            }
        }
    }
}

/// The span of a piece's first line.
fn first_line(text: &str, span: Span, map: &SpanMap) -> Span {
    let piece = &text[span.range()];
    let len = piece.find(['\n', '\r']).unwrap_or(piece.len());
    map.to_file(Span::new(span.start as usize, span.start as usize + len))
}

fn unparsed(text: &str, span: Span, map: &SpanMap) -> Statement {
    Statement {
        span: map.to_file(span),
        source: Fragment {
            sql: text[span.range()].into(),
            map: map.part(span),
        },
        kind: Kind::Unparsed,
        tag: "",
        nested: Vec::new(),
        dynamic: Vec::new(),
        conditional: false,
        placeholders: Vec::new(),
    }
}

/// `COMMIT` or `ROLLBACK` of a PL/pgSQL body.
fn control(text: &str, map: SpanMap, commit: bool) -> Statement {
    // PL/pgSQL begins the next transaction by itself, with or without AND CHAIN.
    let chain = false;
    Statement {
        span: map.whole,
        source: Fragment {
            sql: text.into(),
            map,
        },
        kind: Kind::Transaction(if commit {
            Transaction::Commit { chain }
        } else {
            Transaction::Rollback { chain }
        }),
        tag: if commit { "COMMIT" } else { "ROLLBACK" },
        nested: Vec::new(),
        dynamic: Vec::new(),
        conditional: false,
        placeholders: Vec::new(),
    }
}

/// Reads the body of the statement at `index`.
fn read_body(parsed: &mut Parsed, index: usize, body: Body, depth: usize) {
    match body {
        Body::Block { language, source } => {
            if language != "plpgsql" {
                let span = parsed.statements[index].span;
                parsed
                    .not_analysed
                    .push((span, format!("a DO block in {language}")));
                return;
            }
            if depth == 0 {
                let span = parsed.statements[index].span;
                parsed
                    .not_analysed
                    .push((span, "code nested too deep in other code".to_owned()));
                return;
            }
            let (nested, dynamic) = read_plpgsql(&source, true, depth, parsed);
            parsed.statements[index].nested = nested;
            parsed.statements[index].dynamic = dynamic;
        }
        Body::Function => {
            let Kind::CreateFunction(function) = &parsed.statements[index].kind else {
                return;
            };
            let Some(source) = function.body.clone() else {
                return;
            };
            match &*function.language {
                "plpgsql" if depth > 0 => {
                    // What a function would do is not done by defining it: only its errors are kept.
                    let (nested, _) = read_plpgsql(&source, false, depth, parsed);
                    parsed.statements[index].nested = nested;
                }
                "sql" if depth > 0 => {
                    let inner = parse_at(&source, depth - 1);
                    parsed.errors.extend(inner.errors);
                    let expression = single_expression(&inner.statements);
                    parsed.statements[index].nested = inner
                        .statements
                        .into_iter()
                        .map(|statement| Nested {
                            statement,
                            runs: false,
                            conditional: false,
                            looped: false,
                        })
                        .collect();
                    if let Kind::CreateFunction(function) = &mut parsed.statements[index].kind {
                        function.sql_expression = expression;
                    }
                }
                _ => {}
            }
        }
    }
}

/// The expression of a body that is one `SELECT expression`.
fn single_expression(statements: &[Statement]) -> Option<crate::statement::Expr> {
    let [
        Statement {
            kind: Kind::Select(query),
            ..
        },
    ] = statements
    else {
        return None;
    };
    match query.targets.as_slice() {
        [target] if query.reads.is_empty() && !query.has_where => Some(target.clone()),
        _ => None,
    }
}

/// Statements of a PL/pgSQL body, with the errors in them.
fn read_plpgsql(
    source: &Fragment,
    runs: bool,
    depth: usize,
    parsed: &mut Parsed,
) -> (Vec<Nested>, Vec<Box<str>>) {
    let body = plpgsql::read(&source.sql);
    for (span, message) in body.problems {
        let span = source.map.to_file(span);
        parsed.errors.push(SyntaxError {
            span,
            statement: source.map.whole,
            message,
            help: None,
        });
    }
    let mut nested = Vec::new();
    let mut dynamic: Vec<Box<str>> = Vec::new();
    for part in body.parts {
        let conditional = part.guard.conditional || part.guard.handler;
        let fragment = match part.kind {
            PartKind::Sql { sql, .. } | PartKind::Execute { sql, .. } => Fragment {
                map: sql.map.then(&source.map),
                sql: sql.sql,
            },
            PartKind::Dynamic { reason, .. } => {
                if runs {
                    parsed
                        .not_analysed
                        .push((source.map.to_file(part.span), reason));
                    dynamic.push(source.sql[part.span.range()].into());
                }
                continue;
            }
            PartKind::Transaction { commit } => {
                let map = source.map.part(part.span);
                let statement = control(&source.sql[part.span.range()], map, commit);
                nested.push(Nested {
                    statement: Statement {
                        conditional,
                        ..statement
                    },
                    runs,
                    conditional,
                    looped: part.guard.looped,
                });
                continue;
            }
        };
        let mut inner = parse_at(&fragment, depth - 1);
        parsed.errors.append(&mut inner.errors);
        if runs {
            parsed.not_analysed.append(&mut inner.not_analysed);
        }
        for mut statement in inner.statements {
            statement.conditional |= conditional;
            nested.push(Nested {
                statement,
                runs,
                conditional,
                looped: part.guard.looped,
            });
        }
    }
    (nested, dynamic)
}
