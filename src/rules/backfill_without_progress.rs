//! See `rules/backfill-without-progress.md`.

use std::collections::BTreeSet;

use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Name, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    if !matches!(statement.kind, Kind::Do) {
        return;
    }
    let changed: Vec<&Name> = statement
        .nested
        .iter()
        .filter(|nested| nested.runs && nested.looped)
        .filter_map(|nested| match &nested.statement.kind {
            Kind::Change(change) => Some(&change.table.name),
            Kind::Insert(insert) => Some(&insert.table),
            _ => None,
        })
        .collect();
    let Some(table) = changed.first() else {
        return;
    };
    let tables: BTreeSet<&str> = changed.iter().map(|name| &*name.name).collect();
    let text = statement.source.sql.to_ascii_lowercase();
    let tells = ["raise ", "pg_notify", "set_config"]
        .iter()
        .any(|word| text.contains(word));
    if tells || tables.len() > 1 {
        return;
    }
    let finding = Finding::new(
        statement.span,
        format!("this loop changes rows of `{table}` and does not say how far it has come"),
    )
    .on(table)
    .help("RAISE NOTICE in each turn, with the last key or the number of rows");
    cx.report(finding);
}
