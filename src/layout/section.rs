//! Files that hold both ways, parted by marker lines: `-- +goose Down`, `-- migrate:down`.

use super::{Direction, File, Script, text};
use crate::source::Span;

/// A part of a file, opened by a marker line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section<'t> {
    /// The way that its SQL goes.
    pub(super) direction: Direction,
    /// The marker line.
    pub(super) mark: Span,
    /// What stands behind the marker on its line.
    pub(super) options: &'t str,
    /// From behind the marker line to the next one.
    pub(super) body: Span,
}

/// Cuts a text at its marker lines. The first result is what stands before the first of them.
pub(super) fn cut<'t>(
    text: &'t str,
    mark: impl Fn(&'t str) -> Option<(Direction, &'t str)>,
) -> (Span, Vec<Section<'t>>) {
    let mut sections: Vec<Section<'t>> = Vec::new();
    let mut preamble = Span::new(0, text.len());
    for (start, line) in text::lines(text) {
        let Some((direction, options)) = mark(line) else {
            continue;
        };
        match sections.last_mut() {
            Some(last) => last.body = Span::new(last.body.start as usize, start),
            None => preamble = Span::new(0, start),
        }
        let end = start + line.len();
        let line_break = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
        sections.push(Section {
            direction,
            mark: Span::new(start, end),
            options: options.trim(),
            body: Span::new(line_break, text.len()),
        });
    }
    (preamble, sections)
}

/// A section as a migration; its marker line stands for it.
pub(super) fn script(file: &File<'_>, section: &Section<'_>) -> Script {
    let mut script = Script::of_part(file, section.direction, section.body);
    script.span = section.mark;
    script
}

/// Sections of one direction as one script each, for tools that run them together.
pub(super) fn joined(scripts: Vec<Script>) -> Vec<Script> {
    let mut joined: Vec<Script> = Vec::new();
    for script in scripts {
        if let Some(earlier) = joined
            .iter_mut()
            .find(|other| other.direction == script.direction)
        {
            earlier.pieces.extend(script.pieces);
            if script.emptiness.is_none() {
                earlier.emptiness = None;
            }
        } else {
            joined.push(script);
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_its_marker_lines() {
        let mark = |line: &'static str| {
            let rest = line.strip_prefix("--")?;
            rest.strip_prefix("up")
                .map(|rest| (Direction::Up, rest))
                .or_else(|| Some((Direction::Down, rest.strip_prefix("down")?)))
        };
        let cut = |text: &'static str| {
            let (preamble, sections) = cut(text, mark);
            let sections: Vec<_> = sections
                .into_iter()
                .map(|section| {
                    (
                        section.direction,
                        &text[section.mark.range()],
                        section.options,
                        &text[section.body.range()],
                    )
                })
                .collect();
            (&text[preamble.range()], sections)
        };
        assert_eq!(cut("a;"), ("a;", vec![]));
        assert_eq!(
            cut("-- x\n--up a b \r\na;\r\n--down\nb;"),
            (
                "-- x\n",
                vec![
                    (Direction::Up, "--up a b ", "a b", "a;\r\n"),
                    (Direction::Down, "--down", "", "b;")
                ]
            )
        );
        assert_eq!(
            cut("--down"),
            ("", vec![(Direction::Down, "--down", "", "")])
        );
    }
}
