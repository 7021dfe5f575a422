//! See `rules/missing-down.md`.

use crate::layout::{Direction, DownScripts, Migration};
use crate::rule::{Cx, Finding};

pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    let expected = cx.runner().down == DownScripts::Expected;
    if !expected
        || migration.direction != Direction::Up
        || migration.pair.is_some()
        || migration.statements.is_empty()
        || cx.markers().is_irreversible()
    {
        return;
    }
    let version = &migration.version;
    cx.report(
        Finding::new(
            migration.span,
            format!("migration {version} has no down script: going back changes the version and leaves the schema"),
        )
        .help("write the down script beside it, or say why there is no way back: `-- lockgate: irreversible: <reason>`"),
    );
}
