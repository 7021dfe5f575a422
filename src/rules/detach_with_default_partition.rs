//! See `rules/detach-with-default-partition.md`.

use crate::diagnostic::Place;
use crate::rule::{Cx, Finding};
use crate::statement::{AlterAction, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (parent, action) in statement.alter_actions() {
        let AlterAction::DetachPartition {
            partition,
            concurrently: true,
            ..
        } = action
        else {
            continue;
        };
        // In a transaction it is refused before that is looked at.
        if cx.refusal().is_some() || cx.step().is_nested() {
            continue;
        }
        let Some(default) = cx.before().default_partition(&cx.resolve(parent)) else {
            continue;
        };
        let name = default.name.short();
        let finding = Finding::new(
            statement.span,
            format!(
                "`{parent}` has the default partition `{name}`: detaching `{partition}` CONCURRENTLY is refused with SQLSTATE 55000"
            ),
        )
        .help("detach it without CONCURRENTLY, with a short lock_timeout")
        .steps(cx.remedy([(
            Place::Instead,
            format!("ALTER TABLE {parent} DETACH PARTITION {partition}"),
        )]))
        .label(default.created.location, "the default partition is made here");
        cx.report(finding);
    }
}
