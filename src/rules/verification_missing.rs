//! See `rules/verification-missing.md`.

use crate::layout::Migration;
use crate::risk::{self, Class};
use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    if !cx.markers().verify.is_empty() || migration.statements.iter().any(asserts) {
        return;
    }
    let step = cx
        .steps()
        .iter()
        .find(|step| risk::class(step) == Class::Data || !risk::losses(step).is_empty());
    let Some(step) = step else { return };
    let text = cx.short_text(step.statement);
    cx.report(
        Finding::new(
            step.statement.span,
            format!("nothing checks that the data is right after `{text}`"),
        )
        .help(
            "name a query that must return no row, or where it stands: `-- lockgate: verify: <query>`; or let a DO block \
             raise an error where the data is wrong",
        ),
    );
}

/// A block that raises an error if something is wrong.
fn asserts(statement: &Statement) -> bool {
    let raises = || {
        let text = statement.source.sql.to_ascii_lowercase();
        text.contains("raise exception") || text.contains("assert ")
    };
    matches!(statement.kind, Kind::Do) && raises()
}
