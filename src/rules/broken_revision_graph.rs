//! See `rules/broken-revision-graph.md`.

use crate::layout::{History, ProblemKind};
use crate::rule::{Cx, Finding};

pub(super) fn check(cx: &mut Cx<'_>, _: &History) {
    for problem in cx.problems(ProblemKind::Graph) {
        cx.report(Finding::of(problem));
    }
}
