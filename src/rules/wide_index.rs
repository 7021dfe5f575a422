//! See `rules/wide-index.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateIndex(create) = &statement.kind else {
        return;
    };
    let columns = create.elements.len();
    let most = usize::try_from(cx.int_option("max_columns")).unwrap_or(usize::MAX);
    if create.unique || columns <= most || &*create.method != "btree" {
        return;
    }
    let index = create
        .name
        .as_ref()
        .map_or_else(|| "the index".to_owned(), |name| format!("`{name}`"));
    let finding = Finding::new(
        statement.span,
        format!("{index} has {columns} key columns: those behind the first ones seldom narrow a query down"),
    )
    .help("keep the columns that queries compare with constants, and put those that they only read into INCLUDE");
    cx.report(finding);
}
