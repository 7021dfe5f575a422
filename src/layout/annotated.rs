//! Files with comments such as `-- +goose Up` and `-- +goose StatementBegin`: what goose and sql-migrate share.
//!
//! Both cut a section where a line ends with `;`, know no quotes, and keep together what stands between
//! `StatementBegin` and `StatementEnd`. Each piece is sent as one message.

use super::cut::{self, Keep, Trouble};
use super::section::Section;
use super::{File, Piece, Problem, ProblemKind, Script, section};
use crate::source::Span;

/// A tool and how it reads its annotations.
pub(super) struct Tool {
    /// Its name, as a sentence has it.
    pub(super) name: &'static str,
    /// What its annotations begin with: `+goose`.
    pub(super) prefix: &'static str,
    /// The annotation on a line, if it is one.
    pub(super) annotation: fn(&str) -> Option<&str>,
}

impl Tool {
    /// The script of a section, cut as the tool cuts it, and what goes wrong there.
    pub(super) fn script(&self, file: &File<'_>, section: &Section<'_>) -> (Script, Vec<Problem>) {
        let mut script = section::script(file, section);
        let cut = cut::at_line_ends(&file.source.text, section.body, |line| self.keep(line));
        script.pieces = cut
            .pieces
            .iter()
            .map(|piece| Piece::of(file, *piece))
            .collect();
        let problems = cut
            .troubles
            .iter()
            .map(|trouble| self.problem(file, trouble))
            .collect();
        (script, problems)
    }

    fn keep(&self, line: &str) -> Option<Keep> {
        let annotation = (self.annotation)(line)?;
        if annotation.eq_ignore_ascii_case("StatementBegin") {
            Some(Keep::Begin)
        } else if annotation.eq_ignore_ascii_case("StatementEnd") {
            Some(Keep::End)
        } else {
            None
        }
    }

    fn problem(&self, file: &File<'_>, trouble: &Trouble) -> Problem {
        let Self { name, prefix, .. } = self;
        let text = &file.source.text;
        match trouble {
            Trouble::Inside { statement, line } => {
                let number =
                    |offset: usize| file.source.position(Span::new(offset, offset).start).line;
                file.problem_at(
                    super::text::first_line_of(text, *statement),
                    ProblemKind::Ignored,
                    format!(
                        "{name} cuts this statement in two behind line {}, where a line ends with `;`",
                        number(*line)
                    ),
                    Some(format!(
                        "put `-- {prefix} StatementBegin` on a line before line {} and `-- {prefix} StatementEnd` on a line behind line {}",
                        number(statement.start as usize),
                        number(statement.end as usize)
                    )),
                )
            }
            Trouble::NoEnd(statement) => file.problem_at(
                *statement,
                ProblemKind::Syntax,
                format!("{name} refuses this file: no line of its last statement ends with `;`"),
                Some("write a `;` behind it".to_owned()),
            ),
            Trouble::NeverEnds(mark) => file.problem_at(
                *mark,
                ProblemKind::Syntax,
                format!("{name} refuses this file: nothing ends this `StatementBegin`"),
                Some(format!(
                    "write `-- {prefix} StatementEnd` behind the statement"
                )),
            ),
        }
    }
}
