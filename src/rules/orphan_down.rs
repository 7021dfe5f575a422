//! See `rules/orphan-down.md`.

use crate::layout::{Direction, Migration};
use crate::rule::{Cx, Finding};

pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    if migration.direction != Direction::Down || migration.pair.is_some() {
        return;
    }
    let version = &migration.version;
    cx.report(
        Finding::new(
            migration.span,
            format!("this goes back from {version}, and no migration goes forward to it"),
        )
        .help("give it the version of the migration that it belongs to, or remove it"),
    );
}
