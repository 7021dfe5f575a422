//! See `rules/star-view-frozen.md`.

use crate::rule::{Cx, Finding};
use crate::schema::Relation;
use crate::statement::{Name, Output, Statement};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let added: Vec<(Name, crate::statement::Ident)> = cx
        .new_columns(statement)
        .map(|(table, add)| (table.clone(), add.column.name.clone()))
        .collect();
    for (table, column) in added {
        let key = cx.resolve(&table);
        let after = cx.after_migration();
        let frozen: Vec<String> = cx
            .before()
            .views_of(&key)
            .filter(|view| {
                let mut outputs = view.query.outputs.iter();
                outputs.any(|output| matches!(output, Output::Star(_)))
            })
            .filter(|view| {
                matches!(after.relation_at(&view.name), Some(Relation::View(last)) if last.created == view.created)
            })
            .map(|view| view.name.short())
            .collect();
        if frozen.is_empty() {
            continue;
        }
        let names = wording::names(frozen);
        cx.report(
            Finding::new(
                column.span,
                format!("`{column}` does not show in {names}, whose * stands for the columns of its time"),
            )
            .on(&table)
            .help("CREATE OR REPLACE VIEW behind it, in the same migration")
            .effects(cx.effects().list.clone()),
        );
    }
}
