//! See `rules/identity-on-partitioned.md`.

use crate::diagnostic::{Place, Step};
use crate::rule::{Cx, Finding};
use crate::statement::{AddColumn, Kind, Name, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, add) in cx.new_columns(statement) {
        let key = cx.resolve(table);
        if add.column.identity.is_none() || cx.before().children(&key).next().is_none() {
            continue;
        }
        let column = &add.column.name;
        let steps = by_sequence(cx, statement, table, add);
        let finding = Finding::new(
            add.column.span,
            format!(
                "`{table}` has partitions or children: the identity column `{column}` is refused before PostgreSQL 17"
            ),
        )
        .help(format!(
            "create a sequence, add `{column}` without a default, and then let new rows take theirs from the sequence"
        ))
        .steps(steps);
        cx.report(finding);
    }
}

/// A column whose new rows take their values from a sequence, where the statement does nothing else.
fn by_sequence(cx: &Cx<'_>, statement: &Statement, table: &Name, add: &AddColumn) -> Vec<Step> {
    let alone = matches!(&statement.kind, Kind::AlterTable(alter) if alter.actions.len() == 1);
    let (Some(ty), true) = (&add.column.ty, alone) else {
        return Vec::new();
    };
    let column = &add.column.name;
    let sequence = Name::new(
        table.schema.as_deref(),
        &format!("{}_{}_seq", table.name, column.text),
        table.span,
    );
    let literal = sequence.to_string().replace('\'', "''");
    cx.remedy([(
        Place::Instead,
        format!(
            "CREATE SEQUENCE {sequence} AS {ty};\n\
             ALTER TABLE {table} ADD COLUMN {column} {ty};\n\
             ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT nextval('{literal}');\n\
             ALTER SEQUENCE {sequence} OWNED BY {table}.{column};"
        ),
    )])
}
