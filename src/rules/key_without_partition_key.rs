//! See `rules/key-without-partition-key.md`.

use crate::rule::{Cx, Finding};
use crate::source::Span;
use crate::statement::{
    ConstraintDef, ConstraintKind, Element, Ident, Kind, Name, PartitionBy, Statement,
};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    match &statement.kind {
        Kind::CreateTable(create) => {
            let Some(by) = &create.partition_by else {
                return;
            };
            for column in &create.columns {
                for def in &column.constraints {
                    of_constraint(
                        cx,
                        &create.name,
                        by,
                        def,
                        std::slice::from_ref(&column.name),
                    );
                }
            }
            for def in &create.constraints {
                of_constraint(cx, &create.name, by, def, &[]);
            }
        }
        Kind::AlterTable(alter) if !alter.only => {
            let Some(by) = partition_key(cx, &alter.name) else {
                return;
            };
            for (table, def) in statement.added_constraints() {
                of_constraint(cx, table, by, def, &[]);
            }
            for (table, add) in statement.added_columns() {
                for def in &add.column.constraints {
                    of_constraint(cx, table, by, def, std::slice::from_ref(&add.column.name));
                }
            }
        }
        Kind::CreateIndex(create) if create.unique => {
            let Some(by) = partition_key(cx, &create.table) else {
                return;
            };
            let columns: Vec<Ident> = create
                .elements
                .iter()
                .filter_map(|element| element.column.clone())
                .collect();
            report(
                cx,
                &create.table,
                by,
                statement.span,
                "a unique index",
                &columns,
            );
        }
        _ => {}
    }
}

fn partition_key<'a>(cx: &Cx<'a>, table: &Name) -> Option<&'a PartitionBy> {
    cx.before().table(table)?.partition_by.as_ref()
}

fn of_constraint(
    cx: &mut Cx<'_>,
    table: &Name,
    by: &PartitionBy,
    def: &ConstraintDef,
    at_column: &[Ident],
) {
    match &def.kind {
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => {
            if key.using_index.is_some() {
                return;
            }
            let columns = if key.columns.is_empty() {
                at_column.to_vec()
            } else {
                key.columns.clone()
            };
            let what = format!("a {} constraint", def.kind.words());
            report(cx, table, by, def.span, &what, &columns);
        }
        ConstraintKind::Exclude { .. } if cx.postgres() < 17 => {
            let finding = Finding::new(
                def.span,
                format!(
                    "`{table}` is partitioned: before PostgreSQL 17 it cannot have an EXCLUDE constraint (SQLSTATE 0A000)"
                ),
            )
            .help("put the constraint on each partition, where it holds for the rows of that one");
            cx.report(finding);
        }
        ConstraintKind::Exclude { elements, .. } => {
            let columns: Vec<Ident> = elements
                .iter()
                .filter(|element| element.operator.as_deref() == Some("="))
                .filter_map(|element| element.column.clone())
                .collect();
            report(cx, table, by, def.span, "an EXCLUDE constraint", &columns);
        }
        _ => {}
    }
}

fn report(
    cx: &mut Cx<'_>,
    table: &Name,
    by: &PartitionBy,
    span: Span,
    what: &str,
    columns: &[Ident],
) {
    let expression = by.key.iter().any(|part| part.column.is_none());
    let missing: Vec<&Ident> = by
        .key
        .iter()
        .filter_map(|part: &Element| part.column.as_ref())
        .filter(|column| !columns.contains(column))
        .collect();
    let (message, help) = if expression {
        (
            format!(
                "`{table}` is partitioned by an expression: {what} on it is refused with SQLSTATE 0A000"
            ),
            "partition by a plain column, or put the key on each partition".to_owned(),
        )
    } else if missing.is_empty() {
        return;
    } else {
        let names = wording::names(&missing);
        (
            format!(
                "`{table}` is partitioned by {names}, which {what} leaves out: it is refused with SQLSTATE 0A000"
            ),
            format!("put {names} into the key, or the key on each partition"),
        )
    };
    cx.report(Finding::new(span, message).help(help));
}
