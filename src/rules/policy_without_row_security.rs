//! See `rules/policy-without-row-security.md`.

use crate::diagnostic::Place;
use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Policy(policy, table) = &statement.kind else {
        return;
    };
    let name = cx.resolve(table);
    let Some(end) = cx.at_the_end().table_at(&name).filter(|table| table.known) else {
        return;
    };
    let stays = end
        .policies
        .iter()
        .any(|other| other.name == policy.name.text);
    if !policy.create || end.row_security || !stays {
        return;
    }
    // Where it is on already, something switches it off later.
    let is_off = cx
        .before()
        .table(table)
        .is_some_and(|known| !known.row_security);
    let steps = if is_off {
        let enable = format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY");
        cx.remedy([(Place::Behind, enable)])
    } else {
        Vec::new()
    };
    let finding = Finding::new(
        statement.span,
        format!(
            "row level security of `{table}` is off: this policy protects nothing until it is enabled"
        ),
    )
    .help("enable it")
    .steps(steps);
    cx.report(finding);
}
