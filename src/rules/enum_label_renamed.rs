//! See `rules/enum-label-renamed.md`.

use crate::rule::{Cx, Finding};
use crate::schema::TypeKind;
use crate::statement::{Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::AlterEnum(alter) = &statement.kind else {
        return;
    };
    let Some(old) = &alter.old_label else {
        return;
    };
    let schema = cx.before();
    let known = schema.type_named(alter.name.schema.as_deref(), &alter.name.name);
    let new = known.is_some_and(|ty| match &ty.kind {
        TypeKind::Enum(labels) => labels
            .iter()
            .any(|label| *label.label == *old.text && label.created.batch == schema.batch()),
        _ => false,
    });
    if new {
        return;
    }
    let users: Vec<String> = schema
        .tables()
        .filter(|table| {
            table.columns.iter().any(|column| {
                column.user_type.as_ref() == known.map(|ty| &ty.name) && column.user_type.is_some()
            })
        })
        .map(|table| format!("`{}`", table.name.short()))
        .collect();
    let whose = if users.is_empty() {
        String::new()
    } else {
        format!(" ({})", users.join(", "))
    };
    cx.report(
        Finding::new(
            statement.span,
            format!(
                "renaming '{}' of `{}` breaks deployed code that writes or compares the old label{whose}",
                old.text, alter.name
            ),
        )
        .help(format!(
            "ALTER TYPE {} ADD VALUE '{}', let the application write that and read both, change the rows in batches, and leave '{}' unused",
            alter.name,
            alter.new_label.text.replace('\'', "''"),
            old.text
        )),
    );
}
