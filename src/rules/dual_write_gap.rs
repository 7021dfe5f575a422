//! See `rules/dual-write-gap.md`.

use super::shadow_swap_incomplete::function_mentions;
use crate::rule::{Cx, Finding};
use crate::statement::{ChangeVerb, Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Change(change) = &statement.kind else {
        return;
    };
    let name = &change.table.name;
    let schema = cx.before();
    let (ChangeVerb::Update, Some(table)) = (change.verb, schema.table(name)) else {
        return;
    };
    let found = change.assignments.iter().find_map(|(column, value)| {
        let new = table.column(&column.text)?;
        let from = value
            .columns()
            .find(|from| **from != *column.text && table.column(from).is_some())?;
        let filled = new.default.is_some() || new.generated.is_some() || new.identity.is_some();
        (cx.is_new_column(name, &column.text)
            && !cx.is_new_column(name, from)
            && change.query.reads.is_empty()
            && !filled)
            .then_some((column, from))
    });
    let Some((column, from)) = found else { return };
    let synced = cx.after_migration().table(name).is_some_and(|table| {
        table
            .triggers
            .iter()
            .any(|trigger| trigger.row && function_mentions(cx, &trigger.function, &column.text))
    });
    let gone = cx
        .after_migration()
        .table(name)
        .is_none_or(|table| table.column(&column.text).is_none() || table.column(from).is_none());
    if synced || gone {
        return;
    }
    let added = cx.earlier_in_migration().iter().rev().find(|step| {
        step.statement
            .added_columns()
            .any(|(_, add)| add.column.name.text == column.text)
    });
    let mut finding = Finding::new(
        statement.span,
        format!(
            "rows of `{name}` that deployed code writes from now on have no `{column}`: it is filled from `{from}` once"
        ),
    )
    .on(name)
    .help(format!(
        "before it, a trigger on {name} that sets NEW.{column} for each row, until all code writes both columns"
    ));
    if let Some(added) = added {
        finding = finding.label(cx.location_of(added), format!("`{column}` is added here"));
    }
    cx.report(finding);
}
