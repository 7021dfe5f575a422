//! See `rules/enum-label-missing.md`.

use crate::effect::types;
use crate::rule::{Cx, Finding};
use crate::schema::{Schema, TypeKind};
use crate::statement::{ColumnChange, Statement, TypeName, quoted};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, alter) in statement.altered_columns() {
        let ColumnChange::Type { ty, using, .. } = &alter.change else {
            continue;
        };
        let column = &*alter.column.text;
        // What a CASE makes of the rows is not looked into.
        if using
            .as_deref()
            .is_some_and(|using| types::casts_of(using, column).is_none())
        {
            continue;
        }
        let schema = cx.before();
        let known = schema.table(table).and_then(|table| table.column(column));
        let Some(from) = known.and_then(|column| column.ty.as_ref()) else {
            continue;
        };
        let (Some(old), Some(new)) = (labels(schema, from), labels(schema, ty)) else {
            continue;
        };
        let missing: Vec<String> = old
            .iter()
            .filter(|label| !new.contains(label))
            .map(|label| format!("'{label}'"))
            .collect();
        if missing.is_empty() || from == ty || cx.effects().fails.is_some() {
            continue;
        }
        let list = wording::all(missing.clone());
        cx.report(
            Finding::new(
                alter.column.span,
                format!(
                    "`{ty}` lacks {list} of `{from}`: this fails if a row of `{table}` holds {}",
                    if missing.len() == 1 { "it" } else { "one of them" }
                ),
            )
            .on(table)
            .help(format!(
                "SELECT count(*) FROM {table} WHERE {} IN ({}) tells; change those rows before, or say in USING what becomes of them",
                quoted(column),
                missing.join(", ")
            )),
        );
    }
}

fn labels(schema: &Schema, ty: &TypeName) -> Option<Vec<Box<str>>> {
    match &schema.type_named(ty.schema.as_deref(), &ty.name)?.kind {
        TypeKind::Enum(labels) => Some(labels.iter().map(|label| label.label.clone()).collect()),
        _ => None,
    }
}
