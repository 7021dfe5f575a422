//! See `rules/unused-suppression.md`.

use crate::diagnostic::{Edit, Fix, Safety};
use crate::layout::History;
use crate::rule::{Cx, Finding};
use crate::source::Location;
use crate::suppress::ProblemKind;

/// Reports what reading the comments found.
pub(super) fn check(cx: &mut Cx<'_>, _: &History) {
    for problem in cx.suppression_problems(ProblemKind::Unused) {
        let fix = problem.comment.map(|span| Fix {
            title: "remove the comment".to_owned(),
            safety: Safety::Safe,
            edits: vec![Edit {
                location: Location {
                    source: problem.location.source,
                    span,
                },
                text: String::new(),
            }],
            new_files: Vec::new(),
        });
        cx.report(
            Finding::at(problem.location, problem.message)
                .help(problem.help)
                .fix_if(fix),
        );
    }
}
