//! See `rules/empty-down.md`.

use crate::layout::{Emptiness, Migration};
use crate::markers::REASON;
use crate::rule::{Cx, Finding};

pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    let Some(up) = migration.pair.map(|up| &cx.history().migrations[up]) else {
        return;
    };
    let up_does_something = up.incomplete
        || up
            .statements
            .iter()
            .any(|statement| !statement.changes_nothing());
    let does_nothing = migration
        .statements
        .iter()
        .all(|statement| statement.changes_nothing());
    if !up_does_something
        || !does_nothing
        || migration.incomplete
        || cx.markers().is_irreversible()
        || cx.leads_back_with_others()
    {
        return;
    }
    let version = &migration.version;
    let goes_back = "going back changes the version and leaves the schema";
    let message = match &migration.emptiness {
        Some(Emptiness::Raises(raise)) if reason(raise).trim().chars().count() >= REASON => return,
        Some(Emptiness::Raises(_)) => {
            format!(
                "the way back from {version} raises an error that does not say why there is none"
            )
        }
        Some(Emptiness::Blank(Some(_))) => {
            format!("the down script of {version} holds only a comment: {goes_back}")
        }
        Some(Emptiness::Blank(None) | Emptiness::Pass) => {
            format!("the down script of {version} is empty: {goes_back}")
        }
        None if migration.statements.is_empty() => return,
        None => format!("the down script of {version} changes nothing: {goes_back}"),
    };
    cx.report(Finding::new(migration.span, message).help(
        "undo what the up script does; if there is no way back, make the down script fail with the reason, or give \
         it here: `-- lockgate: irreversible: <reason>`",
    ));
}

/// What a `raise` statement says: the text between its first quote and the last one of that kind.
fn reason(raise: &str) -> &str {
    let Some(start) = raise.find(['"', '\'']) else {
        return "";
    };
    let (quote, rest) = raise[start..].split_at(1);
    rest.rfind(quote)
        .map_or("", |end| rest[..end].trim_matches(['"', '\'']))
}
