//! See `rules/access-method-rewrite.md`.

use crate::diagnostic::Certainty;
use crate::rule::{Cx, Finding};
use crate::schema::TableKind;
use crate::statement::{AlterAction, Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::AlterTable(alter) = &statement.kind else {
        return;
    };
    let table = &alter.name;
    for action in &alter.actions {
        let AlterAction::SetAccessMethod(method) = action else {
            continue;
        };
        let partitioned = cx
            .before()
            .table(table)
            .is_some_and(|table| table.kind == TableKind::Partitioned);
        if partitioned || !cx.work_of(alter, action).1.rewrite {
            continue;
        }
        let method = method.as_ref().map_or_else(
            || "the default method".to_owned(),
            |name| format!("`{name}`"),
        );
        let finding = Finding::new(
            statement.span,
            format!(
                "unless {method} is what `{table}` has already, SET ACCESS METHOD rewrites it and its indexes under an ACCESS EXCLUSIVE lock: reads and writes wait"
            ),
        )
        .on(table)
        .certainty(Certainty::Possible)
        .help(format!(
            "`\\d+ {table}` tells the access method; to change it make a new table, and copy the rows in batches"
        ))
        .effects(cx.effects().list.clone());
        cx.report(finding);
    }
}
