//! See `rules/row-security-weakened.md`.

use crate::diagnostic::Level;
use crate::rule::{Cx, Finding};
use crate::statement::{AlterAction, Kind, Name, ObjectKind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, action) in statement.alter_actions() {
        let AlterAction::RowSecurity { force, on: false } = action else {
            continue;
        };
        let after = cx.after_migration().table_at(&cx.resolve(table));
        let on_again = after.is_none_or(|table| {
            if *force {
                table.force_row_security
            } else {
                table.row_security
            }
        });
        if on_again || was_off(cx, table, *force) {
            continue;
        }
        let (what, word) = if *force {
            (
                "the owner of the table sees and changes all its rows again",
                "FORCE",
            )
        } else {
            (
                "every role with privileges on the table sees all its rows",
                "ENABLE",
            )
        };
        let finding = Finding::new(
            statement.span,
            format!("row level security of `{table}` is weakened: {what}"),
        )
        .on(table)
        .help(format!(
            "leave it on ({word}), and do what needs all rows as a role with BYPASSRLS"
        ));
        cx.report(finding);
    }
    if let Kind::Drop(drop) = &statement.kind
        && drop.object == ObjectKind::Policy
        && let Some(table) = &drop.on
    {
        policy_dropped(cx, statement, table, drop.names.first());
    }
}

/// The history shows that there is nothing to switch off.
fn was_off(cx: &Cx<'_>, table: &Name, force: bool) -> bool {
    cx.before().table(table).is_some_and(|table| {
        table.known && !(table.row_security && (!force || table.force_row_security))
    })
}

fn policy_dropped(cx: &mut Cx<'_>, statement: &Statement, table: &Name, policy: Option<&Name>) {
    let name = cx.resolve(table);
    let batch = cx.before().batch();
    let Some(after) = cx.after_migration().table_at(&name) else {
        return;
    };
    let replaced = after
        .policies
        .iter()
        .any(|policy| policy.created.batch == batch);
    let missing = cx.before().table_at(&name).is_some_and(|table| {
        table.known
            && !table
                .policies
                .iter()
                .any(|one| policy.is_some_and(|policy| one.name == policy.name))
    });
    // Without row level security the policies say nothing, and where it goes off that is reported.
    if replaced || missing || (after.known && !after.row_security) {
        return;
    }
    let shown = policy.map_or_else(String::new, |policy| format!(" `{policy}`"));
    let finding = Finding::new(
        statement.span,
        format!(
            "the policy{shown} of `{table}` goes and none takes its place: other rows of the table become visible, or hidden"
        ),
    )
    .on(table)
    .level(Level::Warning)
    .help("CREATE POLICY for what shall hold instead, in the same transaction");
    cx.report(finding);
}
