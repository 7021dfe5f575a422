//! See `rules/duplicate-version.md`.

use crate::layout::{History, ProblemKind};
use crate::rule::{Cx, Finding};

pub(super) fn check(cx: &mut Cx<'_>, _: &History) {
    for problem in cx.problems(ProblemKind::DuplicateVersion) {
        cx.report(Finding::of(problem));
    }
}
