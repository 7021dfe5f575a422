//! See `rules/column-type-visible.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{ColumnChange, Statement, TypeName};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, alter) in statement.altered_columns() {
        let ColumnChange::Type { ty, .. } = &alter.change else {
            continue;
        };
        let column = &alter.column;
        let old = cx
            .before()
            .table(table)
            .and_then(|known| known.column(&column.text))
            .and_then(|known| known.ty.as_ref());
        let Some(old) = old else { continue };
        if alike(old, ty) || cx.is_new_column(table, &column.text) || cx.effects().fails.is_some() {
            continue;
        }
        cx.report(
            Finding::new(
                column.span,
                format!("deployed code gets `{column}` of `{table}` as {ty} instead of {old} from the COMMIT on"),
            )
            .on(table)
            .help(format!(
                "add a column of the new type, let a trigger keep the two in step, and move the code over before {column} goes"
            ))
            .effects(cx.effects().list.clone()),
        );
    }
}

/// Clients get both as the same type. A type that an enum is swapped with has its name.
fn alike(old: &TypeName, new: &TypeName) -> bool {
    let family = |ty: &TypeName| -> Box<str> {
        let base = ty.serial_base();
        match base.unwrap_or(&ty.name) {
            "text" | "varchar" | "bpchar" | "citext" => "text".into(),
            name => name.trim_end_matches("_old").into(),
        }
    };
    family(old) == family(new) && (old.dimensions > 0) == (new.dimensions > 0)
}
