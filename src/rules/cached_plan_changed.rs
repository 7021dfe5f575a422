//! See `rules/cached-plan-changed.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{AlterAction, ColumnChange, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let first = statement.alter_actions().find(|(_, action)| match action {
        AlterAction::AddColumn(_) | AlterAction::DropColumn { .. } => true,
        AlterAction::AlterColumn(alter) => matches!(alter.change, ColumnChange::Type { .. }),
        _ => false,
    });
    let Some((table, _)) = first else { return };
    cx.report(
        Finding::new(
            table.span,
            format!("a prepared SELECT * of `{table}` fails behind this: cached plan must not change result type"),
        )
        .on(table)
        .help("name the columns in queries, or let the pool replace its connections")
        .effects(cx.effects().list.clone()),
    );
}
