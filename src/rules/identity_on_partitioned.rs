//! See `rules/identity-on-partitioned.md`.

use crate::rule::{Cx, Finding};
use crate::statement::Statement;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, add) in cx.new_columns(statement) {
        let key = cx.resolve(table);
        if add.column.identity.is_none() || cx.before().children(&key).next().is_none() {
            continue;
        }
        let column = &add.column.name;
        let ty = add
            .column
            .ty
            .as_ref()
            .map_or_else(|| "bigint".to_owned(), ToString::to_string);
        let finding = Finding::new(
            add.column.span,
            format!(
                "`{table}` has partitions or children: the identity column `{column}` is refused before PostgreSQL 17"
            ),
        )
        .help(format!(
            "create a sequence, ALTER TABLE {table} ADD COLUMN {column} {ty}, then ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT nextval(…)"
        ));
        cx.report(finding);
    }
}
