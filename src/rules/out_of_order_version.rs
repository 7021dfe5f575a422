//! See `rules/out-of-order-version.md`.

use crate::diagnostic::Level;
use crate::layout::{History, ProblemKind};
use crate::rule::{Cx, Finding};

pub(super) fn check(cx: &mut Cx<'_>, _: &History) {
    for problem in cx.problems(ProblemKind::Late) {
        cx.report(Finding::of(problem));
    }
    for problem in cx.problems(ProblemKind::LateButRuns) {
        cx.report(Finding::of(problem).level(Level::Info));
    }
}
