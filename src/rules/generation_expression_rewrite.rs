//! See `rules/generation-expression-rewrite.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{AlterAction, ColumnChange, Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::AlterTable(alter) = &statement.kind else {
        return;
    };
    let table = &alter.name;
    for action in &alter.actions {
        let AlterAction::AlterColumn(change) = action else {
            continue;
        };
        if !matches!(change.change, ColumnChange::SetExpression(_))
            || !cx.work_of(alter, action).1.rewrite
            || cx.effects().fails.is_some()
        {
            continue;
        }
        let column = &change.column;
        let finding = Finding::new(
            column.span,
            format!(
                "SET EXPRESSION computes `{column}` anew in every row: `{table}` is rewritten under an ACCESS EXCLUSIVE lock, and reads and writes wait"
            ),
        )
        .on(table)
        .help(format!(
            "add a plain column for the new values, let a trigger fill it in new rows, fill old rows in batches, and drop `{column}` later"
        ))
        .effects(cx.effects().list.clone());
        cx.report(finding);
    }
}
