//! See `rules/unique-constraint-dropped.md`.

use crate::rule::{Cx, Finding};
use crate::schema::{Index, Relation, Schema};
use crate::statement::{ConstraintKind, QualifiedName, Statement};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    if cx.effects().fails.is_some() {
        return;
    }
    for (table, name) in statement.dropped_constraints() {
        let key = cx.resolve(table);
        let before = cx.before();
        let Some(old) = before
            .table_at(&key)
            .and_then(|known| known.constraint(&name.text))
        else {
            continue;
        };
        let (ConstraintKind::PrimaryKey(own) | ConstraintKind::Unique(own)) = &old.def.kind else {
            continue;
        };
        let mut columns: Vec<String> = own
            .columns
            .iter()
            .map(|column| column.text.to_string())
            .collect();
        if columns.is_empty() {
            let index = before
                .indexes_of(&key)
                .find(|index| index.constraint.as_deref() == Some(&*name.text));
            columns = index
                .into_iter()
                .flat_map(|index| index.columns())
                .map(ToOwned::to_owned)
                .collect();
        }
        let after = cx.after_migration();
        let made_here = cx.is_made_here(table) || old.created.batch == before.batch();
        if made_here || columns.is_empty() || is_settled(before, after, &key, &columns) {
            continue;
        }
        let names = wording::names(&columns);
        cx.report(
            Finding::new(
                name.span,
                format!("without `{name}` nothing stops rows of `{table}` that are equal in {names}, and ON CONFLICT ({}) of deployed code fails", columns.join(", ")),
            )
            .on(table)
            .help(format!("first CREATE UNIQUE INDEX CONCURRENTLY ON {table} ({}), or what takes its place", columns.join(", ")))
            .effects(cx.effects().list.clone()),
        );
    }
}

/// Rows are kept apart behind the migration as well, or it shows that they need not be.
fn is_settled(before: &Schema, after: &Schema, table: &QualifiedName, columns: &[String]) -> bool {
    let Some(known) = after.table_at(table) else {
        return true;
    };
    let gone = columns.iter().any(|column| known.column(column).is_none());
    let has = |index: &Index, column: &str| index.columns().any(|own| own == column);
    let settled = after.indexes_of(table).any(|index| {
        let apart = index.unique
            && index.predicate.is_none()
            && index.elements.iter().all(|element| {
                element
                    .column
                    .as_ref()
                    .is_some_and(|own| columns.iter().any(|column| **column == *own.text))
            });
        let new = match before.relation_at(&index.name) {
            Some(Relation::Index(old)) => old.created != index.created,
            _ => true,
        };
        apart || (new && columns.iter().all(|column| has(index, column)))
    });
    gone || settled
}
