//! See `rules/enum-label-used-too-early.md`.

use crate::diagnostic::{Place, Step};
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
    let steps = behind(cx, statement);
    let help = if steps.is_empty() {
        "add the label in a migration of its own that is committed before this one"
    } else {
        "use the label in a migration behind the one that adds it, which is committed before"
    };
    let mut finding = Finding::new(
        statement.span,
        format!("{} (SQLSTATE 55P04)", failure.reason),
    )
    .help(help)
    .steps(steps);
    if let Some(step) = added {
        finding = finding.label(cx.location_of(step), "added here, in the same transaction");
    }
    cx.report(finding);
}

/// The statement in a migration of its own, if nothing behind it could build on it.
fn behind(cx: &Cx<'_>, statement: &Statement) -> Vec<Step> {
    let last = cx
        .later_in_migration()
        .iter()
        .all(|step| matches!(step.statement.kind, Kind::Transaction(_)));
    if !last {
        return Vec::new();
    }
    cx.remedy([(Place::Own, statement.source.sql.to_string())])
}
