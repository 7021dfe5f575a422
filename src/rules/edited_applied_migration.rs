//! See `rules/edited-applied-migration.md`.

use crate::diagnostic::Level;
use crate::layout::{History, ProblemKind};
use crate::rule::{Cx, Finding};

pub(super) fn check(cx: &mut Cx<'_>, _: &History) {
    for problem in cx.problems(ProblemKind::Edited) {
        cx.report(Finding::of(problem));
    }
    let minds = cx.layout().applied.gone.is_some();
    for problem in cx.problems(ProblemKind::Gone) {
        let level = if minds { Level::Error } else { Level::Warning };
        cx.report(Finding::of(problem).level(level));
    }
}
