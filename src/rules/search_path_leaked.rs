//! See `rules/search-path-leaked.md`.

use crate::diagnostic::Certainty;
use crate::layout::{Migration, Session};
use crate::rule::{Cx, Finding};

pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    let certainty = match cx.runner().session {
        Session::One => Certainty::Certain,
        // One connection of a pool is the usual case.
        Session::Unknown if !cx.layout().client.psql => Certainty::Possible,
        Session::Unknown | Session::Each => return,
    };
    let mut leak = None;
    for step in cx.steps() {
        let Some(set) = step.statement.sets().filter(|set| !set.local) else {
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
