//! See `rules/primary-key-dropped.md`.

use crate::diagnostic::Level;
use crate::rule::{Cx, Finding};
use crate::statement::Statement;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    if cx.effects().fails.is_some() {
        return;
    }
    for (table, name) in statement.dropped_constraints() {
        let is_key = cx
            .before()
            .table(table)
            .and_then(|table| table.primary_key())
            .is_some_and(|key| key.name == name.text);
        let resolved = cx.resolve(table);
        let replaced = cx
            .after_migration()
            .table_at(&resolved)
            .is_none_or(|table| table.primary_key().is_some());
        if !is_key || replaced {
            continue;
        }
        // Another unique index still tells rows apart.
        let unique = cx
            .after_migration()
            .table_at(&resolved)
            .is_some_and(|table| {
                cx.after_migration()
                    .indexes_of(&table.name)
                    .any(|index| index.unique && index.predicate.is_none())
            });
        let (what, level) = if unique {
            (
                "a unique index is all that tells its rows apart",
                Level::Warning,
            )
        } else {
            ("nothing keeps two rows with the same key out", Level::Error)
        };
        let finding = Finding::new(
            name.span,
            format!("`{table}` has no primary key from here on: {what}"),
        )
        .level(level)
        .on(table)
        .help("add the new one in the same statement, from a unique index that is built before: ADD PRIMARY KEY USING INDEX …")
        .effects(cx.effects().list.clone());
        cx.report(finding);
    }
}
