//! See `rules/unique-index-may-fail.md`.

use crate::diagnostic::Place;
use crate::rule::{Cx, Finding};
use crate::source::Span;
use crate::statement::{ConstraintDef, ConstraintKind, Ident, Kind, Name, Statement};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    match &statement.kind {
        Kind::CreateIndex(create) if create.unique => {
            let columns: Vec<&Ident> = create
                .elements
                .iter()
                .filter_map(|element| element.column.as_ref())
                .collect();
            if columns.len() == create.elements.len() {
                report(
                    cx,
                    &create.table,
                    statement.span,
                    &columns,
                    create.concurrently,
                );
            }
        }
        Kind::AlterTable(_) => {
            let added: Vec<(&Name, &ConstraintDef)> = statement.added_constraints().collect();
            for (table, def) in added {
                if let ConstraintKind::Unique(key) = &def.kind
                    && key.using_index.is_none()
                {
                    let columns: Vec<&Ident> = key.columns.iter().collect();
                    report(cx, table, def.span, &columns, false);
                }
            }
        }
        _ => {}
    }
}

fn report(cx: &mut Cx<'_>, table: &Name, span: Span, columns: &[&Ident], concurrently: bool) {
    let key = cx.resolve(table);
    let apart = cx.before().indexes_of(&key).any(|index| {
        index.unique
            && index.predicate.is_none()
            && index.columns().count() == index.elements.len()
            && index
                .columns()
                .all(|known| columns.iter().any(|column| &*column.text == known))
    });
    // A column of the same change holds one value in all rows, or none.
    let new = columns
        .iter()
        .any(|column| cx.is_new_column(table, &column.text));
    if apart || new || cx.effects().fails.is_some() {
        return;
    }
    let names = wording::names(columns);
    let rest = if concurrently {
        ", and an invalid index stays behind"
    } else {
        ""
    };
    let list: Vec<String> = columns.iter().map(ToString::to_string).collect();
    let list = list.join(", ");
    let finding = Finding::new(
        span,
        format!("this fails if two rows of `{table}` are equal in {names}{rest}"),
    )
    .on(table)
    .help("look for such rows before")
    .steps(cx.remedy([(
        Place::Look,
        format!("SELECT {list}, count(*) FROM {table} GROUP BY {list} HAVING count(*) > 1"),
    )]));
    cx.report(finding);
}
