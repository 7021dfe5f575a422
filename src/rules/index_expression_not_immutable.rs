//! See `rules/index-expression-not-immutable.md`.

use crate::effect::index::mutable_part;
use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateIndex(create) = &statement.kind else {
        return;
    };
    let table = cx.before().table(&create.table).map(|table| &**table);
    let keys = create
        .elements
        .iter()
        .filter_map(|element| element.expr.as_ref())
        .map(|expr| (expr, "key"));
    let parts = keys.chain(create.predicate.as_ref().map(|expr| (expr, "WHERE")));
    let Some((what, place)) = parts
        .into_iter()
        .find_map(|(expr, place)| Some((mutable_part(expr, table, cx.before())?, place)))
    else {
        return;
    };
    let help = if place == "WHERE" {
        "compare with a constant, and leave the moving bound to the query"
    } else {
        "name what the result depends on (AT TIME ZONE 'UTC'), or call a function that is IMMUTABLE in truth"
    };
    let finding = Finding::new(
        statement.span,
        format!(
            "{what} in the {place} of the index is not IMMUTABLE: it is refused with SQLSTATE 42P17"
        ),
    )
    .help(help);
    cx.report(finding);
}
