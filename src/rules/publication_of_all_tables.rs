//! See `rules/publication-of-all-tables.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Kind, PublicationChange, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Publication(publication) = &statement.kind else {
        return;
    };
    if publication.change == PublicationChange::Drop {
        return;
    }
    let name = &publication.name;
    if publication.all_tables {
        let finding = Finding::new(
            statement.span,
            format!("`{name}` publishes every table from its creation on: one without a key then refuses UPDATE and DELETE"),
        )
        .help("name the tables: FOR TABLE …");
        cx.report(finding);
    }
    for (table, columns) in publication
        .tables
        .iter()
        .filter(|(_, columns)| !columns.is_empty())
    {
        let finding = Finding::new(
            table.span,
            format!(
                "{} of `{table}` cannot be dropped any more while `{name}` names {}",
                crate::wording::names(columns),
                if columns.len() == 1 { "it" } else { "them" }
            ),
        )
        .on(table)
        .help("publish whole rows, and let the subscriber choose");
        cx.report(finding);
    }
}
