//! See `rules/sti-column.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Ident, Name, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let names = cx.list_option("names");
    let added: Vec<(Name, Ident)> = cx
        .new_columns(statement)
        .map(|(table, add)| (table.clone(), add.column.name.clone()))
        .filter(|(_, column)| names.iter().any(|name| **name == *column.text))
        .collect();
    for (table, column) in added {
        cx.report(
            Finding::new(
                column.span,
                format!("the framework gives a column of the name `{column}` a meaning of its own"),
            )
            .on(&table)
            .help("give it another name"),
        );
    }
}
