//! See `rules/unfilled-placeholder.md`.

use crate::rule::{Cx, Finding};
use crate::statement::Statement;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    if cx.layout().client.fills || cx.step().is_nested() {
        return;
    }
    let Some(first) = statement.placeholders.first() else {
        return;
    };
    let tool = cx.layout().applied.tool;
    cx.report(
        Finding::new(
            *first,
            format!("{tool} fills in no placeholders: PostgreSQL gets this one as it stands"),
        )
        .help(
            "write the value; if something else fills the file in before, allow this with its name",
        ),
    );
}
