//! See `rules/constraint-not-enforced.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{AlterAction, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let written = statement.written_constraints();
    for (_, def) in written.filter(|(_, def)| def.not_enforced) {
        let kind = def.kind.words();
        let finding = Finding::new(
            def.span,
            format!("this {kind} constraint is written down and never checked, for new rows either"),
        )
        .help("NOT VALID in place of NOT ENFORCED holds for new rows; a comment says the rest as well");
        cx.report(finding);
    }
    for (table, action) in statement.alter_actions() {
        if let AlterAction::AlterConstraint {
            name,
            not_enforced: true,
            ..
        } = action
        {
            let finding = Finding::new(
                name.span,
                format!("`{name}` of `{table}` is no longer checked: rows that break it come in unseen"),
            )
            .help("leave it enforced; a load that must not be slowed down can drop it and add it NOT VALID");
            cx.report(finding);
        }
    }
}
