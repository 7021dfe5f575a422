//! See `rules/empty-migration.md`.

use crate::layout::{Direction, Emptiness, Migration, Send};
use crate::rule::{Cx, Finding};

/// Characters of a reason that somebody can judge.
const REASON: usize = 20;

pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    if migration.direction != Direction::Up
        || migration.merges
        || migration.incomplete
        || !migration.statements.is_empty()
        // Without a tool nobody records it.
        || cx.runner().send == Send::Unknown
    {
        return;
    }
    match &migration.emptiness {
        Some(Emptiness::Blank(Some(comment))) if is_meant(comment) => return,
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

/// True for a comment that says why, or at least that it is on purpose.
fn is_meant(comment: &str) -> bool {
    let comment = comment.to_lowercase();
    comment.chars().count() >= REASON
        || ["noop", "no-op", "no op", "nothing"]
            .iter()
            .any(|word| comment.contains(word))
}
