//! See `rules/default-dropped.md`.

use crate::diagnostic::Certainty;
use crate::rule::{Cx, Finding};
use crate::statement::{ColumnChange, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, alter) in statement.altered_columns() {
        if !matches!(alter.change, ColumnChange::DropDefault) || cx.is_made_here(table) {
            continue;
        }
        let column = &alter.column;
        let Some(known) = cx.before().table(table) else {
            continue;
        };
        // The same command may have added it.
        let added = statement
            .added_columns()
            .any(|(_, add)| add.column.name == *column);
        let had = known
            .column(&column.text)
            .is_some_and(|old| old.default.is_some());
        let key = cx.resolve(table);
        let behind = cx
            .after_migration()
            .table_at(&key)
            .and_then(|table| table.column(&column.text));
        let must_be_named = behind.is_some_and(|new| {
            new.not_null
                && new.default.is_none()
                && new.identity.is_none()
                && new.generated.is_none()
                && new.sequence.is_none()
        });
        if !(had || added) || !must_be_named {
            continue;
        }
        let new = added || cx.is_new_column(table, &column.text);
        let message = if new {
            format!(
                "`{column}` is NOT NULL and without a default: each INSERT of deployed code into `{table}` fails, because none names it"
            )
        } else {
            format!(
                "`{column}` is NOT NULL and without a default from here on: an INSERT into `{table}` that leaves it out fails"
            )
        };
        let after = cx.after_migration().table_at(&key);
        let triggers = known
            .triggers
            .iter()
            .chain(after.iter().flat_map(|table| &table.triggers));
        let filled = triggers.into_iter().any(|trigger| trigger.row);
        let certainty = if filled {
            Certainty::Possible
        } else {
            Certainty::Certain
        };
        cx.report(
            Finding::new(column.span, message)
                .on(table)
                .certainty(certainty)
                .help(format!(
                    "keep the default of {column} until no code runs that leaves the column out"
                ))
                .effects(cx.effects().list.clone()),
        );
    }
}
