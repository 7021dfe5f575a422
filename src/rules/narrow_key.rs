//! See `rules/narrow-key.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{ColumnDef, ConstraintKind, Kind, Name, Statement, quoted};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    if let Kind::CreateTable(create) = &statement.kind {
        let of_table = create.constraints.iter().filter_map(|def| match &def.kind {
            ConstraintKind::PrimaryKey(key) => Some(&key.columns),
            _ => None,
        });
        let keys: Vec<_> = of_table.collect();
        for column in &create.columns {
            let at_column = column
                .constraints
                .iter()
                .any(|def| matches!(def.kind, ConstraintKind::PrimaryKey(_)));
            let alone = keys
                .iter()
                .any(|columns| matches!(columns.as_slice(), [key] if *key == column.name));
            if at_column || alone {
                report(cx, &create.name, column);
            }
        }
    }
    for (table, add) in statement.added_columns() {
        let column = &add.column;
        let is_key = column
            .constraints
            .iter()
            .any(|def| matches!(def.kind, ConstraintKind::PrimaryKey(_)));
        if is_key {
            report(cx, table, column);
        }
    }
}

fn report(cx: &mut Cx<'_>, table: &Name, column: &ColumnDef) {
    let Some(ty) = &column.ty else {
        return;
    };
    let serial = ty.serial_base();
    let calls_sequence = column
        .default
        .as_ref()
        .is_some_and(|default| default.calls("nextval"));
    if serial.is_none() && column.identity.is_none() && !calls_sequence {
        return;
    }
    let (end, wide) = match (serial, &*ty.name) {
        (Some("int4"), _) => ("2147483647", "bigserial, or bigint with an identity"),
        (Some("int2"), _) => ("32767", "bigserial, or bigint with an identity"),
        (None, "int4") => ("2147483647", "bigint"),
        (None, "int2") => ("32767", "bigint"),
        _ => return,
    };
    cx.report(
        Finding::new(
            column.span,
            format!(
                "the key `{}` of `{table}` ends at {end}: every INSERT fails after that",
                quoted(&column.name.text)
            ),
        )
        .on(table)
        .help(format!(
            "{wide}: a change later rewrites this table and those that reference it"
        )),
    );
}
