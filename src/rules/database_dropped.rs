//! See `rules/database-dropped.md`.

use crate::rule::{Cx, Finding};
use crate::statement::Statement;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let (message, help) = match statement.tag {
        "DROP DATABASE" => (
            "DROP DATABASE loses every table of a database",
            "drop it by hand, outside of the migrations, with a backup at hand",
        ),
        "DROP OWNED" => (
            "DROP OWNED drops every object of a role in this database, tables with all rows among them",
            "name what is to go, each in a statement of its own, and REASSIGN OWNED the rest to another role",
        ),
        _ => return,
    };
    cx.report(Finding::new(statement.span, message).help(help));
}
