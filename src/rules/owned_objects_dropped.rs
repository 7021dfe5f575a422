//! See `rules/owned-objects-dropped.md`.

use crate::rule::{Cx, Finding};
use crate::statement::Statement;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    if statement.tag != "DROP OWNED" {
        return;
    }
    // REASSIGN OWNED before it leaves only privileges to take back, as the manual advises.
    let handed_over = cx
        .earlier_in_migration()
        .iter()
        .any(|step| step.statement.tag == "REASSIGN OWNED");
    if handed_over {
        return;
    }
    let finding = Finding::new(
        statement.span,
        "every object that the role owns in this database is dropped, tables with their rows included",
    )
    .help("REASSIGN OWNED BY … TO … first, or drop what is meant by its name");
    cx.report(finding);
}
