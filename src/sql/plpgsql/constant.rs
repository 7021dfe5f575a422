//! Works out the text that `EXECUTE` runs, if nothing but constants goes into it.

use crate::sql::lex::{Token, TokenKind, Value, value};

use super::Piece;
use super::quote::{format, quote_ident, quote_literal};

/// Parentheses nested deeper than this are not looked into.
const DEEPEST: usize = 32;

/// Casts that leave the text as it is.
const TEXT_TYPES: &[&str] = &["char", "name", "regclass", "regtype", "text", "varchar"];

/// The value of an expression. `Err` says what it depends on.
pub(super) fn evaluate(text: &str, tokens: &[Token]) -> Result<Value, String> {
    let mut expression = Expression {
        text,
        tokens,
        at: 0,
    };
    let value = expression.concatenation(DEEPEST)?;
    match expression.tokens.get(expression.at) {
        None => Ok(value),
        Some(_) => Err(expression.depends()),
    }
}

/// The string constants in an expression.
pub(super) fn pieces(text: &str, tokens: &[Token]) -> Vec<Piece> {
    let piece = |token: &Token| {
        let value = value(text, token)?;
        Some(Piece {
            span: token.span,
            text: value.text,
        })
    };
    tokens.iter().filter_map(piece).collect()
}

struct Expression<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
}

impl Expression<'_> {
    /// What cannot be worked out, at this token.
    fn depends(&self) -> String {
        match self.tokens.get(self.at) {
            Some(token) => {
                let shown: String = token.text(self.text).chars().take(60).collect();
                format!("depends on `{shown}`")
            }
            None => "has no end".to_owned(),
        }
    }

    fn take(&mut self, mark: &str) -> bool {
        let found = self
            .tokens
            .get(self.at)
            .is_some_and(|token| token.is_mark(self.text, mark));
        self.at += usize::from(found);
        found
    }

    fn concatenation(&mut self, depth: usize) -> Result<Value, String> {
        let mut value = self.term(depth)?;
        while self.take("||") {
            value.append(&self.term(depth)?);
        }
        Ok(value)
    }

    fn term(&mut self, depth: usize) -> Result<Value, String> {
        let depth = depth
            .checked_sub(1)
            .ok_or_else(|| "is nested too deep".to_owned())?;
        let token = *self.tokens.get(self.at).ok_or_else(|| self.depends())?;
        let term = match token.kind {
            TokenKind::String(_) | TokenKind::Dollar { .. } => {
                let value = value(self.text, &token).ok_or_else(|| self.depends())?;
                self.at += 1;
                value
            }
            TokenKind::Number => {
                self.at += 1;
                let mut value = Value::default();
                value.push_copied(token.text(self.text), token.span.start as usize);
                value
            }
            TokenKind::Punctuation if self.take("(") => {
                let value = self.concatenation(depth)?;
                if !self.take(")") {
                    return Err(self.depends());
                }
                value
            }
            TokenKind::Word => self.call(&token, depth)?,
            _ => return Err(self.depends()),
        };
        while self.take("::") {
            let known = self
                .tokens
                .get(self.at)
                .is_some_and(|token| token.is_word_of(self.text, TEXT_TYPES));
            if !known {
                return Err(self.depends());
            }
            self.at += 1;
        }
        Ok(term)
    }

    fn call(&mut self, name: &Token, depth: usize) -> Result<Value, String> {
        let name = name.text(self.text).to_ascii_lowercase();
        if !matches!(
            name.as_str(),
            "format" | "concat" | "quote_ident" | "quote_literal"
        ) {
            return Err(self.depends());
        }
        self.at += 1;
        if !self.take("(") {
            self.at -= 1;
            return Err(self.depends());
        }
        let mut arguments = vec![self.concatenation(depth)?];
        while self.take(",") {
            arguments.push(self.concatenation(depth)?);
        }
        if !self.take(")") {
            return Err(self.depends());
        }
        match (name.as_str(), arguments.as_slice()) {
            ("format", [text, arguments @ ..]) => format(text, arguments),
            ("quote_ident", [argument]) => Ok(quote_ident(argument)),
            ("quote_literal", [argument]) => Ok(quote_literal(argument)),
            ("concat", arguments) => {
                let mut value = Value::default();
                for argument in arguments {
                    value.append(argument);
                }
                Ok(value)
            }
            _ => Err(format!("depends on a wrong call of `{name}`")),
        }
    }
}
