//! The comments of a text alone, faster than lexing it.

use crate::source::Span;

use super::{
    block_comment_end, dollar_tag_length, is_word_byte, line_end, quoted_identifier, string_end,
};

/// A comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comment {
    /// The comment with its marks, without the line end.
    pub span: Span,
    /// What stands between the marks.
    pub body: Span,
}

/// Whether to look for comments in dollar-quoted strings too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bodies {
    /// A dollar-quoted string is a string.
    Skip,
    /// A dollar-quoted string is code: its comments count.
    Read,
}

/// Dollar quotes inside of dollar quotes are looked into this deep. Deeper ones are strings: a cap keeps the time linear.
const DEEPEST_BODY: usize = 4;

/// All comments in order. Runs in linear time; text without a comment mark costs two searches.
#[must_use]
pub fn comments(text: &str, bodies: Bodies) -> Vec<Comment> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let any = |mark: &[u8]| memchr::memmem::find(bytes, mark).is_some();
    if any(b"--") || any(b"/*") {
        let depth = if bodies == Bodies::Read {
            DEEPEST_BODY
        } else {
            0
        };
        collect(bytes, 0, depth, &mut found);
    }
    found
}

/// Collects from `at` to the end of `bytes`. Recursion is bounded by `depth`.
fn collect(bytes: &[u8], mut at: usize, depth: usize, found: &mut Vec<Comment>) {
    let begins = |byte: &u8| matches!(byte, b'\'' | b'"' | b'$' | b'-' | b'/');
    while let Some(n) = bytes[at..].iter().position(begins) {
        at += n;
        let next = bytes.get(at + 1).copied().unwrap_or(0);
        let in_word = at > 0 && is_word_byte(bytes[at - 1]);
        match bytes[at] {
            b'\'' => at = string_end(bytes, at + 1, is_escape_string(bytes, at)).0,
            b'"' => at = quoted_identifier(bytes, at, at + 1).span.end as usize,
            b'-' if next == b'-' => {
                let end = line_end(bytes, at);
                found.push(comment(at, end, 0));
                at = end;
            }
            b'/' if next == b'*' => {
                let (end, terminated) = block_comment_end(bytes, at);
                found.push(comment(at, end, if terminated { 2 } else { 0 }));
                at = end;
            }
            b'$' if !in_word => {
                let Some(tag) = dollar_tag_length(bytes, at) else {
                    at += 1;
                    continue;
                };
                let body = at + tag + 2;
                let close =
                    memchr::memmem::find(&bytes[body..], &bytes[at..body]).map(|n| body + n);
                let body_end = close.unwrap_or(bytes.len());
                if depth > 0 {
                    collect(&bytes[..body_end], body, depth - 1, found);
                }
                at = close.map_or(bytes.len(), |close| close + tag + 2);
            }
            _ => at += 1,
        }
    }
}

fn comment(start: usize, end: usize, close: usize) -> Comment {
    Comment {
        span: Span::new(start, end),
        body: Span::new(start + 2, end - close),
    }
}

/// True if the quote at `at` belongs to an `E'…'` string.
fn is_escape_string(bytes: &[u8], at: usize) -> bool {
    at > 0 && matches!(bytes[at - 1], b'e' | b'E') && !(at > 1 && is_word_byte(bytes[at - 2]))
}
