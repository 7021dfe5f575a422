//! See `rules/not-null-without-default.md`.

use crate::diagnostic::Place;
use crate::effect::column;
use crate::rule::{Cx, Finding};
use crate::statement::Statement;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, add) in statement.added_columns() {
        let exists = cx
            .before()
            .table(table)
            .is_some_and(|table| table.column(&add.column.name.text).is_some());
        let cost = column::add(&add.column, cx.before(), cx.postgres());
        if !cost.fails_on_rows || (add.if_not_exists && exists) {
            continue;
        }
        let name = &add.column.name;
        let steps = cx
            .bare_column(statement, name)
            .map_or_else(Vec::new, |(bare, _)| {
                let mut steps = vec![(Place::Instead, bare)];
                let missing = format!("{name} IS NULL");
                let fill = cx.in_batches(table, &format!("{name} = …"), &missing);
                steps.extend(fill.map(|fill| (Place::Later, fill)));
                steps.extend(cx.not_null_steps(table, &name.text, Place::Later));
                cx.remedy(steps)
            });
        cx.report(
            Finding::new(
                add.column.span,
                format!("`{name}` is NOT NULL without a default: this fails as soon as `{table}` holds a row"),
            )
            .on(table)
            .steps(steps)
            .help(format!(
                "give `{name}` a constant default, or add it as nullable, fill it in batches and prove it with a validated CHECK"
            )),
        );
    }
}
