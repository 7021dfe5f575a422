//! See `rules/foreign-key-action-added.md`.

use crate::rule::{Cx, Finding};
use crate::statement::table::ReferentialAction;
use crate::statement::{ConstraintKind, ForeignKey, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, def) in statement.added_constraints() {
        let ConstraintKind::ForeignKey(key) = &def.kind else {
            continue;
        };
        let Some(does) = does(key.on_delete) else {
            continue;
        };
        let new = key
            .columns
            .iter()
            .any(|column| cx.is_new_column(table, &column.text));
        let name = cx.resolve(table);
        let first = cx.schema_before(cx.step().migration).table_at(&name);
        let did = first.is_some_and(|table| {
            table.constraints.iter().any(|old| match &old.def.kind {
                ConstraintKind::ForeignKey(old) => same(old, key),
                _ => false,
            })
        });
        if new || did {
            continue;
        }
        let parent = &key.table;
        cx.report(
            Finding::new(
                def.span,
                format!("a DELETE from `{parent}` {does} of `{table}` from here on"),
            )
            .on(table)
            .help("leave ON DELETE out, and let the code say what it deletes")
            .effects(cx.effects().list.clone()),
        );
    }
}

fn does(action: ReferentialAction) -> Option<&'static str> {
    match action {
        ReferentialAction::Cascade => Some("removes rows"),
        ReferentialAction::SetNull | ReferentialAction::SetDefault => Some("clears columns"),
        ReferentialAction::NoAction | ReferentialAction::Restrict => None,
    }
}

fn same(old: &ForeignKey, new: &ForeignKey) -> bool {
    old.on_delete == new.on_delete
        && old.table.name == new.table.name
        && old
            .columns
            .iter()
            .map(|column| &column.text)
            .eq(new.columns.iter().map(|column| &column.text))
}
