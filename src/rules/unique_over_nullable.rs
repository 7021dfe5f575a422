//! See `rules/unique-over-nullable.md`.

use super::duplicate_index::made_by;
use crate::effect::proof::{self, NotNull};
use crate::rule::{Cx, Finding};
use crate::statement::Statement;
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for index in made_by(cx, statement) {
        if !index.unique || index.nulls_not_distinct || index.predicate.is_some() {
            continue;
        }
        let Some(table) = cx
            .at_the_end()
            .table_at(&index.table)
            .filter(|table| table.known)
        else {
            continue;
        };
        let nullable: Vec<&str> = index
            .columns()
            .filter(|column| {
                table.column(column).is_some()
                    && !matches!(
                        proof::not_null(table, column, &[]),
                        NotNull::Already | NotNull::ProvenBy(_)
                    )
            })
            .collect();
        if nullable.is_empty() {
            continue;
        }
        let option = if cx.postgres() >= 15 {
            "NULLS NOT DISTINCT, "
        } else {
            ""
        };
        let finding = Finding::new(
            statement.span,
            format!(
                "{} of `{}` may be NULL: `{}` lets in any number of such rows",
                wording::names(&nullable),
                index.table.short(),
                index.name.short()
            ),
        )
        .help(format!(
            "say what is meant: {option}NOT NULL on the column, or WHERE … IS NOT NULL"
        ));
        cx.report(finding);
    }
}
