//! See `rules/grant-to-public.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Kind, ObjectKind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Grant {
        grant: true,
        object,
        names,
        all_in_schema,
        privileges,
        to_public: true,
        ..
    } = &statement.kind
    else {
        return;
    };
    let creates = privileges.is_empty() || privileges.iter().any(|one| &**one == "create");
    let what = match object {
        ObjectKind::Table | ObjectKind::ForeignTable | ObjectKind::View | ObjectKind::Sequence => {
            let words: Vec<String> = privileges.iter().map(|one| one.to_uppercase()).collect();
            if words.is_empty() {
                "ALL".to_owned()
            } else {
                words.join(", ")
            }
        }
        ObjectKind::Schema | ObjectKind::Database if creates => "CREATE".to_owned(),
        // USAGE opens nothing by itself, and EXECUTE is what PUBLIC has of a new function.
        _ => return,
    };
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let names = names.join(", ");
    let on = if *all_in_schema {
        format!("all that is in {names}")
    } else if matches!(object, ObjectKind::Schema | ObjectKind::Database) {
        format!("the {} {names}", object.as_str())
    } else {
        names
    };
    let finding = Finding::new(
        statement.span,
        format!("every role, later ones included, gets {what} on {on}"),
    )
    .help("grant it to the role that needs it, in place of PUBLIC");
    cx.report(finding);
}
