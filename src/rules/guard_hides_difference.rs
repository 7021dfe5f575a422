//! See `rules/guard-hides-difference.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateTable(create) = &statement.kind else {
        return;
    };
    let Some(table) = cx
        .before()
        .table(&create.name)
        .filter(|table| table.known && create.if_not_exists)
    else {
        return;
    };
    let missing: Vec<String> = create
        .columns
        .iter()
        .filter(|column| table.column(&column.name.text).is_none())
        .map(|column| format!("`{}`", column.name.text))
        .collect();
    if missing.is_empty() {
        return;
    }
    let (name, verb) = (&create.name, if missing.len() == 1 { "is" } else { "are" });
    cx.report(
        Finding::new(
            create.name.span,
            format!(
                "`{name}` exists already, so {} {verb} not added and nobody is told",
                missing.join(", ")
            ),
        )
        .label(table.created.location, "the table that exists is made here")
        .help(format!(
            "write `ALTER TABLE {name} ADD COLUMN …` for what is missing"
        )),
    );
}
