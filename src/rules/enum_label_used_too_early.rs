//! See `rules/enum-label-used-too-early.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Some(failure) = &cx.effects().fails else {
        return;
    };
    if failure.sqlstate != "55P04" {
        return;
    }
    let added = cx.earlier_in_transaction().rfind(
        |step| matches!(&step.statement.kind, Kind::AlterEnum(alter) if alter.old_label.is_none()),
    );
    let mut finding = Finding::new(
        statement.span,
        format!("{} (SQLSTATE 55P04)", failure.reason),
    )
    .help("add the label in a migration of its own that is committed before this one");
    if let Some(step) = added {
        finding = finding.label(cx.location_of(step), "added here, in the same transaction");
    }
    cx.report(finding);
}
