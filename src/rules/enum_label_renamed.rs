//! See `rules/enum-label-renamed.md`.

use crate::diagnostic::Place;
use crate::rule::{Cx, Finding};
use crate::schema::TypeKind;
use crate::statement::{Kind, Name, Statement};

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
    let quoted = |text: &str| text.replace('\'', "''");
    let (from, to) = (quoted(&old.text), quoted(&alter.new_label.text));
    let mut steps = vec![(
        Place::Instead,
        format!("ALTER TYPE {} ADD VALUE '{to}' BEFORE '{from}'", alter.name),
    )];
    for table in schema.tables() {
        let name = Name::new(Some(&table.name.schema), &table.name.name, statement.span);
        let columns = table.columns.iter().filter(|column| {
            column.user_type.is_some() && column.user_type.as_ref() == known.map(|ty| &ty.name)
        });
        for column in columns {
            let column = crate::statement::quoted(&column.name);
            let change = (format!("{column} = '{to}'"), format!("{column} = '{from}'"));
            let fill = cx.in_batches(&name, &change.0, &change.1);
            steps.extend(fill.map(|fill| (Place::Later, fill)));
        }
    }
    let steps = cx.remedy(steps);
    cx.report(
        Finding::new(
            statement.span,
            format!(
                "renaming '{}' of `{}` breaks deployed code that writes or compares the old label{whose}",
                old.text, alter.name
            ),
        )
        .help(format!(
            "add the new label, let the application write that and read both, change the rows in batches, and leave '{}' unused",
            old.text
        ))
        .steps(steps),
    );
}
