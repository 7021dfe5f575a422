//! See `rules/update-without-join-condition.md`.

use crate::rule::{Cx, Finding};
use crate::schema::Relation;
use crate::statement::{Change, ChangeVerb, ExprKind, Kind, Name, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Change(change) = &statement.kind else {
        return;
    };
    let Some((alias, source)) = unjoined(cx, change) else {
        return;
    };
    let table = &change.table.name;
    let (verb, word) = match change.verb {
        ChangeVerb::Delete => ("deletes", "USING"),
        _ => ("changes", "FROM"),
    };
    let finding = Finding::new(
        statement.span,
        format!("no condition says which rows of `{source}` belong to a row of `{table}` that this {verb}"),
    )
    .on(table)
    .help(format!(
        "join `{alias}` with `{table}` in the WHERE, or leave it out of the {word}"
    ));
    cx.report(finding);
}

/// The only source of a change, if its condition asks for nothing of it.
fn unjoined<'s>(cx: &Cx<'_>, change: &'s Change) -> Option<(&'s str, &'s Name)> {
    let [(alias, source)] = change.sources.as_deref()? else {
        return None;
    };
    let schema = cx.before();
    let own = schema
        .table(&change.table.name)
        .filter(|table| table.known)?;
    // A view may hold a single row.
    let Some(Relation::Table(_)) = schema.relation(source) else {
        return None;
    };
    for part in change
        .condition
        .iter()
        .flat_map(|condition| condition.walk())
    {
        let is_own = match &part.kind {
            ExprKind::Column(parts) => match parts.as_slice() {
                [column] => own.column(column).is_some(),
                [.., relation, _] => relation != alias,
                [] => false,
            },
            // What it asks for is not looked into.
            ExprKind::Subquery(_) => false,
            _ => true,
        };
        if !is_own {
            return None;
        }
    }
    Some((alias, source))
}
