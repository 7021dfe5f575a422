//! See `rules/writes-rejected.md`.

use crate::effect::proof::{self, NotNull};
use crate::rule::{Cx, Finding};
use crate::statement::{ColumnChange, ConstraintKind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, def) in statement.added_constraints() {
        let ConstraintKind::Check(expr) = &def.kind else {
            continue;
        };
        let known = cx.before().table(table);
        let again = known.is_some_and(|known| {
            known
                .constraints
                .iter()
                .any(|old| matches!(&old.def.kind, ConstraintKind::Check(old) if old.same(expr)))
        });
        let new = expr.columns().all(|column| cx.is_new_column(table, column));
        if again || new || def.not_enforced {
            continue;
        }
        let effects = cx.effects().list.clone();
        cx.report(
            Finding::new(
                def.span,
                format!("writes of deployed code to `{table}` that break the CHECK fail from the COMMIT on, NOT VALID or not"),
            )
            .on(table)
            .help("release code that obeys it first")
            .effects(effects),
        );
    }
    for (table, alter) in statement.altered_columns() {
        let column = &alter.column;
        let held = cx
            .before()
            .table(table)
            .is_some_and(|known| proof::not_null(known, &column.text, &[]) != NotNull::Unproven);
        if !matches!(alter.change, ColumnChange::SetNotNull)
            || held
            || cx.is_new_column(table, &column.text)
        {
            continue;
        }
        let effects = cx.effects().list.clone();
        cx.report(
            Finding::new(
                column.span,
                format!("writes of deployed code that leave `{column}` of `{table}` NULL fail from the COMMIT on"),
            )
            .on(table)
            .help(format!("release code that always fills {column} first"))
            .effects(effects),
        );
    }
}
