//! See `rules/grant-too-wide.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Kind, ObjectKind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Grant {
        grant: true,
        object,
        all_in_schema,
        privileges,
        to_public: false,
        grant_option,
        ..
    } = &statement.kind
    else {
        return;
    };
    let of_tables = matches!(
        object,
        ObjectKind::Table | ObjectKind::ForeignTable | ObjectKind::View
    );
    let (what, help) = if *grant_option {
        (
            "who receives these privileges may grant them to others",
            "leave WITH GRANT OPTION out",
        )
    } else if of_tables && privileges.is_empty() {
        (
            "ALL includes TRUNCATE, REFERENCES and TRIGGER",
            "name the privileges that the role uses: SELECT, INSERT, UPDATE, DELETE",
        )
    } else if of_tables && *all_in_schema {
        (
            "this holds for every table that the schema has when it runs",
            "name the tables; for new ones there is ALTER DEFAULT PRIVILEGES",
        )
    } else {
        return;
    };
    cx.report(Finding::new(statement.span, what).help(help));
}
