//! Cutting SQL as tools do that know no SQL: a statement ends where a line ends with `;`.
//!
//! Such a tool cuts the body of a function in two unless marker lines keep it together.

use super::text;
use crate::source::Span;
use crate::sql::split::{self, SegmentKind, SplitOptions};

/// What a line tells the tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// From here on no `;` ends a statement.
    Begin,
    /// The statement ends here.
    End,
}

/// A text that was cut.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    /// What is sent, piece by piece; blanks and comments alone are left out.
    pub(super) pieces: Vec<Span>,
    /// What goes wrong.
    pub(super) troubles: Vec<Trouble>,
}

/// What goes wrong in cutting.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The tool cuts this statement in two, behind the line at the offset.
    Inside {
        /// The statement; it is one of the pieces, as it is meant to be.
        statement: Span,
        /// Where the first line begins that the tool takes for its end.
        line: usize,
    },
    /// The last statement has no `;` at the end of a line.
    NoEnd(Span),
    /// Statements are kept together from this line on, and no line ends it.
    NeverEnds(Span),
}

/// Cuts a part of a text at the ends of its lines.
pub(super) fn at_line_ends(text: &str, body: Span, keep: impl Fn(&str) -> Option<Keep>) -> Cut {
    let part = text.get(body.range()).unwrap_or_default();
    let base = body.start as usize;
    let mut cut = Cut::default();
    let statements = statements(part, base);
    let mut start = base;
    let mut kept: Option<Span> = None;
    let push = |cut: &mut Cut, start: usize, end: usize| {
        let piece = &text[start..end];
        if text::blank(piece).is_none() {
            let lead = piece.len() - piece.trim_start().len();
            cut.pieces
                .push(Span::new(start + lead, start + piece.trim_end().len()));
        }
    };
    for (offset, line) in text::lines(part) {
        let (line_start, line_end) = (base + offset, base + offset + line.len());
        match keep(line) {
            Some(Keep::Begin) => {
                push(&mut cut, start, line_start);
                kept.get_or_insert(Span::new(line_start, line_end));
                start = line_end;
                continue;
            }
            Some(Keep::End) => {
                push(&mut cut, start, line_start);
                kept = None;
                start = line_end;
                continue;
            }
            None => {}
        }
        if kept.is_some() || !ends_statement(line) {
            continue;
        }
        // The statement that goes on behind this line.
        let inside = statements.partition_point(|statement| (statement.end as usize) <= line_end);
        if let Some(statement) = statements
            .get(inside)
            .filter(|statement| (statement.start as usize) < line_end)
        {
            let is_known = cut.troubles.iter().any(
                |trouble| matches!(trouble, Trouble::Inside { statement: known, .. } if known == statement),
            );
            if !is_known {
                cut.troubles.push(Trouble::Inside {
                    statement: *statement,
                    line: line_start,
                });
            }
            continue;
        }
        push(&mut cut, start, line_end);
        start = line_end;
    }
    let pieces = cut.pieces.len();
    push(&mut cut, start, base + part.len());
    if let Some(kept) = kept {
        cut.troubles.push(Trouble::NeverEnds(kept));
    } else if cut.pieces.len() > pieces
        && let Some(last) = cut.pieces.last()
    {
        let last = text::first_line_of(text, *last);
        cut.troubles.push(Trouble::NoEnd(last));
    }
    cut
}

/// The statements of a part as PostgreSQL cuts it, with their `;`.
fn statements(part: &str, base: usize) -> Vec<Span> {
    split::split(part, &SplitOptions::default())
        .segments
        .iter()
        .filter(|segment| segment.kind == SegmentKind::Statement)
        .map(|segment| {
            Span::new(
                base + segment.full.start as usize,
                base + segment.full.end as usize,
            )
        })
        .collect()
}

/// True for a line whose last word before a comment ends in `;`.
fn ends_statement(line: &str) -> bool {
    line.split_whitespace()
        .take_while(|word| !word.starts_with("--"))
        .last()
        .is_some_and(|word| word.ends_with(';'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> (Vec<&str>, Vec<String>) {
        let keep = |line: &str| match line {
            "--begin" => Some(Keep::Begin),
            "--end" => Some(Keep::End),
            _ => None,
        };
        let cut = at_line_ends(text, Span::new(0, text.len()), keep);
        let pieces = cut.pieces.iter().map(|piece| &text[piece.range()]);
        let troubles = cut.troubles.iter().map(|trouble| match trouble {
            Trouble::Inside { line, .. } => {
                format!("inside: {}", text[*line..].split('\n').next().unwrap())
            }
            Trouble::NoEnd(span) => format!("no end: {}", &text[span.range()]),
            Trouble::NeverEnds(span) => format!("never ends: {}", &text[span.range()]),
        });
        (pieces.collect(), troubles.collect())
    }

    #[test]
    fn statements_end_where_lines_do() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            ("a;\nb;\n", &["a;", "b;"], &[]),
            ("a; b;\nc;", &["a; b;", "c;"], &[]),
            ("a; -- x\nb;", &["a; -- x", "b;"], &[]),
            ("a\n  b;\n\n-- c\n", &["a\n  b;"], &[]),
            ("a; b\n", &["a; b"], &["no end: a; b"]),
            (
                "select 'a;\nb';\nc;",
                &["select 'a;\nb';", "c;"],
                &["inside: select 'a;"],
            ),
            (
                "do $$ begin\n a;\n b;\nend $$;\nc;",
                &["do $$ begin\n a;\n b;\nend $$;", "c;"],
                &["inside:  a;"],
            ),
            (
                "a;\n--begin\ndo $$ begin\n a;\nend $$;\n--end\nc;",
                &["a;", "do $$ begin\n a;\nend $$;", "c;"],
                &[],
            ),
            ("--begin\na;\n", &["a;"], &["never ends: --begin"]),
            ("--begin\na;\nb;\n--end", &["a;\nb;"], &[]),
            ("", &[], &[]),
        ];
        for (text, pieces, troubles) in cases {
            let (found, trouble) = cut(text);
            assert_eq!(found, *pieces, "{text}");
            assert_eq!(trouble, *troubles, "{text}");
        }
    }
}
