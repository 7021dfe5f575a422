//! The text of a statement in pieces, for rules about what is written rather than what it means.

use super::Cx;
use crate::source::Span;
use crate::sql::lex::{Lexer, Token, TokenKind};
use crate::statement::Statement;

/// A string constant of a statement.
#[derive(Debug, Clone, Copy)]
pub struct StringConstant<'s> {
    /// Its place in the file, with its quotes.
    pub span: Span,
    /// What stands between the quotes, as written.
    pub body: &'s str,
    /// The word before it, as written; empty if something else stands there.
    pub word_before: &'s str,
}

/// The words of a statement that are not quoted, and characters that begin nothing PostgreSQL knows; each with its place
/// in the statement's text.
#[must_use]
pub fn bare_words(statement: &Statement) -> Vec<(Span, &str)> {
    let text = &*statement.source.sql;
    Lexer::new(text)
        .filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::Other))
        .map(|token| (token.span, token.text(text)))
        .collect()
}

impl Cx<'_> {
    /// The string constants of a statement, those in the bodies of functions and blocks aside.
    #[must_use]
    pub fn strings<'s>(&self, statement: &'s Statement) -> Vec<StringConstant<'s>> {
        let text = &*statement.source.sql;
        let mut before: Option<Token> = None;
        let mut strings = Vec::new();
        for token in Lexer::new(text).filter(|token| !token.is_comment()) {
            if matches!(token.kind, TokenKind::String(_)) {
                let word = before.filter(|before| before.kind == TokenKind::Word);
                strings.push(StringConstant {
                    span: statement.source.map.to_file(token.span),
                    body: &text[token.body(text).range()],
                    word_before: word.map_or("", |word| word.text(text)),
                });
            }
            before = Some(token);
        }
        strings
    }
}
