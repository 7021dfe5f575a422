//! See `rules/row-security-without-policy.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{AlterAction, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, action) in statement.alter_actions() {
        let enables = matches!(
            action,
            AlterAction::RowSecurity {
                force: false,
                on: true
            }
        );
        let name = cx.resolve(table);
        let Some(end) = cx.at_the_end().table_at(&name).filter(|table| table.known) else {
            continue;
        };
        if !enables || !end.row_security || !end.policies.is_empty() {
            continue;
        }
        let finding = Finding::new(
            statement.span,
            format!(
                "`{table}` has no policy: with row level security it is empty to every role but its owner"
            ),
        )
        .help(format!(
            "CREATE POLICY … ON {table} for the roles that use it, before this statement"
        ));
        cx.report(finding);
    }
}
