//! See `rules/version-gap.md`.

use crate::layout::{self, History, ProblemKind};
use crate::rule::{Cx, Finding};

/// Larger numbers are timestamps.
const LARGEST: u64 = 999_999;

pub(super) fn check(cx: &mut Cx<'_>, history: &History) {
    let numbers = layout::numbers(history);
    let steps = || {
        numbers.windows(2).filter_map(|pair| match pair {
            &[(_, before), (at, after)] if after <= LARGEST && after > before => {
                Some((before, at, after))
            }
            _ => None,
        })
    };
    let dense = steps()
        .filter(|(before, _, after)| after - before == 1)
        .count();
    if dense * 2 < steps().count() || dense == 0 {
        return;
    }
    for (before, at, after) in steps().filter(|(before, _, after)| after - before > 1) {
        let migration = &history.migrations[at];
        // A tool that refuses gaps has said it.
        let is_said = cx
            .problems(ProblemKind::Graph)
            .any(|problem| problem.location.source == migration.source);
        if !migration.pending || is_said {
            continue;
        }
        let missing = match after - before - 1 {
            1 => format!("number {} is", before + 1),
            _ => format!("the numbers {} to {} are", before + 1, after - 1),
        };
        cx.report(
            Finding::at(
                migration.location(),
                format!("{missing} missing before {}", migration.version),
            )
            .help(
                "bring the missing migration, or number this one anew while nobody has applied it",
            ),
        );
    }
}
