//! See `rules/empty-migration.md`.

use crate::layout::{Direction, Emptiness, Migration};
use crate::rule::{Cx, Finding};

/// Characters of a reason that somebody can judge.
const REASON: usize = 20;

pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    if migration.direction != Direction::Up
        || migration.merges
        || migration.incomplete
        || !migration.statements.is_empty()
    {
        return;
    }
    match &migration.emptiness {
        Some(Emptiness::Blank(Some(comment))) if comment.chars().count() >= REASON => return,
        Some(Emptiness::Raises(_)) | None => return,
        Some(Emptiness::Blank(_) | Emptiness::Pass) => {}
    }
    let version = &migration.version;
    cx.report(
        Finding::new(
            migration.span,
            format!("migration {version} holds no statement: it is recorded and does nothing"),
        )
        .help(
            "write it, remove it while nobody has applied it, or say in a comment why it is empty",
        ),
    );
}
