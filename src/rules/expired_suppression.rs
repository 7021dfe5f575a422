//! See `rules/expired-suppression.md`.

use crate::layout::History;
use crate::rule::{Cx, Finding};
use crate::suppress::ProblemKind;

/// Reports what reading the comments found.
pub(super) fn check(cx: &mut Cx<'_>, _: &History) {
    for problem in cx.suppression_problems(ProblemKind::Expired) {
        cx.report(Finding::at(problem.location, problem.message).help(problem.help));
    }
}
