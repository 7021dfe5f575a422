//! See `rules/detach-not-concurrent.md`.

use crate::diagnostic::Place;
use crate::rule::{Cx, Finding};
use crate::statement::{AlterAction, Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::AlterTable(alter) = &statement.kind else {
        return;
    };
    let parent = &alter.name;
    for action in &alter.actions {
        let AlterAction::DetachPartition {
            partition,
            concurrently: false,
            finalize: false,
        } = action
        else {
            continue;
        };
        let key = cx.resolve(parent);
        if cx.before().default_partition(&key).is_some() {
            continue;
        }
        let wanted = concurrent(statement);
        let mut help = "detach it CONCURRENTLY".to_owned();
        let sql = format!("ALTER TABLE {parent} DETACH PARTITION {partition} CONCURRENTLY");
        let steps = cx.remedy([(Place::Instead, sql)]);
        if let Some(way_out) = cx.way_out_for(&wanted) {
            help = format!("{help}; {way_out}");
        }
        let finding = Finding::new(
            statement.span,
            format!(
                "detaching `{partition}` takes an ACCESS EXCLUSIVE lock on all of `{parent}`: reads and writes queue behind it until it has the lock and commits"
            ),
        )
        .on(parent)
        .help(help)
        .steps(steps)
        .effects(cx.effects().list.clone());
        cx.report(finding);
    }
}

fn concurrent(statement: &Statement) -> Statement {
    let mut wanted = statement.clone();
    if let Kind::AlterTable(alter) = &mut wanted.kind {
        for action in &mut alter.actions {
            if let AlterAction::DetachPartition { concurrently, .. } = action {
                *concurrently = true;
            }
        }
    }
    wanted
}
