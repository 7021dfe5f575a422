//! See `rules/search-path-leaked.md`.

use crate::layout::Migration;
use crate::rule::{Cx, Finding};

pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    let Some(certainty) = cx.session_goes_on() else {
        return;
    };
    let mut leak = None;
    for step in cx.steps() {
        let Some(set) = step.statement.sets().filter(|set| !set.local) else {
            if step.statement.tag == "DISCARD ALL" {
                leak = None;
            }
            continue;
        };
        match (&*set.name, &set.value) {
            ("all", _) | ("search_path", None) => leak = None,
            ("search_path", Some(_)) => leak = Some(step.statement.span),
            _ => {}
        }
    }
    let Some(span) = leak else { return };
    let version = &migration.version;
    cx.report(
        Finding::new(
            span,
            format!("`search_path` stays changed behind {version}: migrations of the same run find tables elsewhere"),
        )
        .certainty(certainty)
        .help("write `SET LOCAL search_path`, or `RESET search_path;` at the end"),
    );
}
