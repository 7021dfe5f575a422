//! See `rules/logged-change-rewrite.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{AlterAction, Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::AlterTable(alter) = &statement.kind else {
        return;
    };
    let table = &alter.name;
    for action in &alter.actions {
        let AlterAction::SetLogged(logged) = action else {
            continue;
        };
        // What is refused, and what is no table (a sequence), is not rewritten.
        if !cx.work_of(alter, action).1.rewrite
            || cx.effects().fails.is_some()
            || cx
                .effect_on(table)
                .is_none_or(|effect| !effect.work.rewrite)
        {
            continue;
        }
        let what = if *logged {
            "SET LOGGED"
        } else {
            "SET UNLOGGED"
        };
        let finding = Finding::new(
            statement.span,
            format!(
                "{what} rewrites `{table}` and its indexes under an ACCESS EXCLUSIVE lock: reads and writes wait"
            ),
        )
        .on(table)
        .help("make a new table of that kind, copy the rows in batches, and swap the two by renaming")
        .effects(cx.effects().list.clone());
        cx.report(finding);
    }
}
