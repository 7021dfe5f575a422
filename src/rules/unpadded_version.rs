//! See `rules/unpadded-version.md`.

use crate::layout::{self, History, Send};
use crate::rule::{Cx, Finding};

/// Larger numbers are times, which sort as text as long as they are cut at the end.
const LARGEST: u64 = 999_999;

pub(super) fn check(cx: &mut Cx<'_>, history: &History) {
    // Without a tool the order is a person's, directory by directory.
    if cx.runner().send == Send::Unknown {
        return;
    }
    let tool = cx.layout().applied.tool;
    for pair in layout::numbers(history).windows(2) {
        let &[(before, larger), (at, smaller)] = pair else {
            continue;
        };
        let (before, migration) = (&history.migrations[before], &history.migrations[at]);
        if larger <= smaller || smaller > LARGEST || !(before.pending || migration.pending) {
            continue;
        }
        let place = if migration.pending { migration } else { before };
        cx.report(
            Finding::at(
                place.location(),
                format!(
                    "{} runs before {}: {tool} orders names as text",
                    before.version, migration.version
                ),
            )
            .help("write all numbers with the same count of digits"),
        );
    }
}
