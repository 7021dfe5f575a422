//! See `rules/reindex-not-concurrent.md`.

use crate::diagnostic::Place;
use crate::rule::{Cx, Finding};
use crate::schema::{Presence, TableKind};
use crate::statement::{Kind, Name, Reindex, ReindexTarget, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Reindex(reindex) = &statement.kind else {
        return;
    };
    if reindex.concurrently {
        return;
    }
    let named = reindex.name.as_ref();
    let table = match (reindex.target, named) {
        (ReindexTarget::Table, Some(name)) => Some(name.clone()),
        (ReindexTarget::Index, Some(name)) => cx.table_of_index(name),
        _ => None,
    };
    if rebuilds_nothing(cx, reindex, table.as_ref()) {
        return;
    }
    let written = written(reindex);
    let (message, help) = match (reindex.target, named, &table) {
        (ReindexTarget::Index, Some(index), Some(table)) => (
            format!(
                "rebuilding `{index}` holds a SHARE lock on `{}` and an ACCESS EXCLUSIVE lock on the index: writes wait, and so does every query that is planned",
                cx.resolve(table).short()
            ),
            "rebuild it CONCURRENTLY".to_owned(),
        ),
        (ReindexTarget::Index, Some(index), None) => (
            format!(
                "rebuilding `{index}` holds a SHARE lock on its table and an ACCESS EXCLUSIVE lock on the index: writes wait, and so does every query that is planned"
            ),
            "rebuild it CONCURRENTLY".to_owned(),
        ),
        (ReindexTarget::Table, Some(table), _) => (
            format!(
                "rebuilding the indexes of `{table}` holds a SHARE lock on it and ACCESS EXCLUSIVE locks on them: writes wait, and so does every query that is planned"
            ),
            "rebuild them CONCURRENTLY".to_owned(),
        ),
        (ReindexTarget::System, ..) => (
            format!(
                "`{written}` rebuilds the indexes of the system catalogs under ACCESS EXCLUSIVE locks: every session waits"
            ),
            "CONCURRENTLY is refused for system catalogs: do this by hand in a maintenance window"
                .to_owned(),
        ),
        _ => (
            format!(
                "`{written}` rebuilds table after table under a SHARE lock, and each index under an ACCESS EXCLUSIVE lock: writes wait, and so does every query that is planned"
            ),
            "name the indexes that need it, and rebuild each CONCURRENTLY".to_owned(),
        ),
    };
    let mut wanted = statement.clone();
    if let Kind::Reindex(reindex) = &mut wanted.kind {
        reindex.concurrently = true;
    }
    let way_out = if reindex.target == ReindexTarget::System {
        None
    } else {
        cx.way_out_for(&wanted)
    };
    let help = match way_out {
        Some(way_out) => format!("{help}; {way_out}"),
        None => help,
    };
    let word = match reindex.target {
        ReindexTarget::Index => Some("INDEX"),
        ReindexTarget::Table => Some("TABLE"),
        _ => None,
    };
    let fix = word.and_then(|word| cx.concurrently(statement, &wanted, &["REINDEX", word]));
    let steps = word
        .and_then(|word| cx.with_behind(statement, &["REINDEX", word], " CONCURRENTLY"))
        .map_or_else(Vec::new, |text| cx.remedy([(Place::Instead, text)]));
    let mut finding = Finding::new(statement.span, message)
        .help(help)
        .steps(steps)
        .fix_if(fix)
        .effects(cx.effects().list.clone());
    if let Some(table) = &table {
        finding = finding.on(table);
    }
    cx.report(finding);
}

/// True for a partitioned table before 14, where PostgreSQL only warns, and for an object that is gone.
fn rebuilds_nothing(cx: &Cx<'_>, reindex: &Reindex, table: Option<&Name>) -> bool {
    let gone = reindex.target == ReindexTarget::Table
        && table.is_some_and(|table| matches!(cx.presence(table), Presence::Absent));
    let partitioned = table
        .and_then(|table| cx.before().table(table))
        .is_some_and(|table| table.kind == TableKind::Partitioned);
    gone || (partitioned && cx.postgres() < 14)
}

/// The statement in few words.
fn written(reindex: &Reindex) -> String {
    let what = match reindex.target {
        ReindexTarget::Index => "INDEX",
        ReindexTarget::Table => "TABLE",
        ReindexTarget::Schema => "SCHEMA",
        ReindexTarget::Database => "DATABASE",
        ReindexTarget::System => "SYSTEM",
    };
    match &reindex.name {
        Some(name) => format!("REINDEX {what} {name}"),
        None => format!("REINDEX {what}"),
    }
}
