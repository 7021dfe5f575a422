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
    let finding = Finding::new(
        statement.span,
        format!(
            "row level security of `{table}` is off: this policy protects nothing until it is enabled"
        ),
    )
    .help("enable it")
    .steps(cx.remedy([(Place::Behind, format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"))]));
    cx.report(finding);
}
