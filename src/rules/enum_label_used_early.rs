//! See `rules/enum-label-used-early.md`.

use crate::diagnostic::Certainty;
use crate::rule::{Cx, Finding};
use crate::statement::{Kind, QualifiedName, Statement};

/// The first major version that takes a new label of a type made in the same transaction; measured.
const NEW_TYPES_ARE_FREE: u32 = 17;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let defines_only = match &statement.kind {
        Kind::AlterEnum(_) | Kind::Comment(_) | Kind::Set(_) | Kind::Do => true,
        Kind::CreateFunction(create) => &*create.language != "sql",
        _ => false,
    };
    let transaction = cx.moment().transaction.number;
    if defines_only {
        return;
    }
    let mut found = None;
    for step in cx.earlier_in_transaction() {
        let Kind::AlterEnum(alter) = &step.statement.kind else {
            continue;
        };
        let Some(ty) = step
            .before
            .type_named(alter.name.schema.as_deref(), &alter.name.name)
        else {
            continue;
        };
        let made_here = cx.earlier_in_transaction().any(|earlier| {
            matches!(&earlier.statement.kind, Kind::CreateType(create) if create.name.name == ty.name.name)
        });
        if alter.old_label.is_some() || (made_here && cx.postgres() >= NEW_TYPES_ARE_FREE) {
            continue;
        }
        if let Some(certainty) = uses(cx, statement, &alter.new_label.text, &ty.name) {
            found = Some((step, alter, certainty));
        }
    }
    let Some((step, alter, certainty)) = found else {
        return;
    };
    debug_assert_eq!(step.moment.transaction.number, transaction);
    let finding = Finding::new(
        statement.span,
        format!(
            "label `{}` of `{}` cannot be used before its transaction is committed: this fails with SQLSTATE 55P04",
            alter.new_label, alter.name
        ),
    )
    .certainty(certainty)
    .label(cx.location_of(step), "added here")
    .help("add the label in a migration of its own before this one");
    cx.report(finding);
}

/// Whether a statement makes PostgreSQL read the label as one of that type.
fn uses(cx: &Cx<'_>, statement: &Statement, label: &str, ty: &QualifiedName) -> Option<Certainty> {
    let quoted = format!("'{}'", label.replace('\'', "''"));
    let text = &*statement.source.sql;
    let mut places = text.match_indices(&quoted).peekable();
    places.peek()?;
    let is_cast = |(at, found): (usize, &str)| {
        let rest = text[at + found.len()..].trim_start();
        rest.strip_prefix("::").is_some_and(|rest| {
            let rest = rest.trim_start().trim_start_matches('"');
            rest.starts_with(&*ty.name) || rest.contains(&format!(".{}", ty.name))
        })
    };
    if places.any(is_cast) {
        return Some(Certainty::Certain);
    }
    let schema = cx.before();
    let tables: Vec<_> = cx
        .effects()
        .list
        .iter()
        .filter_map(|effect| schema.table_at(&effect.relation))
        .collect();
    let has_type = tables.iter().any(|table| {
        table
            .columns
            .iter()
            .any(|column| column.user_type.as_ref() == Some(ty))
    });
    let has_text = tables.iter().any(|table| {
        table.columns.iter().any(|column| {
            column.user_type.as_ref() != Some(ty)
                && column
                    .ty
                    .as_ref()
                    .is_some_and(|ty| matches!(&*ty.name, "text" | "varchar" | "bpchar"))
        })
    });
    let new_column = statement.added_columns().any(|(_, add)| {
        add.column
            .ty
            .as_ref()
            .is_some_and(|written| *written.name == *ty.name)
    });
    match (has_type || new_column, has_text) {
        (true, false) => Some(Certainty::Certain),
        (true, true) => Some(Certainty::Possible),
        _ => None,
    }
}
