//! See `rules/rule-or-inheritance.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let finding = match &statement.kind {
        Kind::CreateRule(rule) => Finding::new(
            statement.span,
            format!(
                "rule `{}` rewrites statements on `{}` before they run, and COPY goes past it",
                rule.name, rule.table
            ),
        )
        .on(&rule.table)
        .help("a trigger sees each row as it is written"),
        Kind::CreateTable(create) if !create.inherits.is_empty() => Finding::new(
            create.name.span,
            format!(
                "`{}` inherits the columns of {} but none of the keys, indexes and foreign keys",
                create.name,
                crate::wording::names(&create.inherits)
            ),
        )
        .on(&create.name)
        .help("PARTITION BY gives all of them to its parts"),
        _ => return,
    };
    cx.report(finding);
}
