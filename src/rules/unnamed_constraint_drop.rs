//! See `rules/unnamed-constraint-drop.md`.

use crate::layout::{History, ProblemKind};
use crate::rule::{Cx, Finding};

pub(super) fn check(cx: &mut Cx<'_>, _: &History) {
    for problem in cx.problems(ProblemKind::UnnamedDrop) {
        cx.report(Finding::of(problem));
    }
}
