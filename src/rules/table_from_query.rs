//! See `rules/table-from-query.md`.

use crate::rule::{Cx, Finding};
use crate::schema::Relation;
use crate::statement::{Kind, Persistence, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let name = match &statement.kind {
        Kind::CreateTableAs(create)
            if !create.materialized && create.persistence != Persistence::Temporary =>
        {
            &create.name
        }
        Kind::Select(query) if query.into_persistence != Persistence::Temporary => {
            let Some(name) = &query.into else { return };
            name
        }
        _ => return,
    };
    let key = cx.before().creation_name(name, false);
    let bare = match cx.after_migration().relation_at(&key) {
        Some(Relation::Table(table)) => table.primary_key().is_none(),
        // Dropped, or renamed to what it stands in for.
        _ => false,
    };
    if bare && cx.effects().fails.is_none() {
        cx.report(
            Finding::new(
                name.span,
                format!("`{name}` gets no key, default, constraint or index of the tables that it is made from"),
            )
            .help("CREATE TABLE (LIKE … INCLUDING ALL), and copy the rows in batches"),
        );
    }
}
