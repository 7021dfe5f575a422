//! See `rules/work-while-table-locked.md`.

use crate::effect::{Effect, RelationKind};
use crate::rule::{Cx, Finding};
use crate::session::TransactionKind;
use crate::statement::{Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let what = match &statement.kind {
        Kind::RefreshMaterializedView(refresh) if refresh.with_data => {
            format!("filling `{}`", refresh.name)
        }
        Kind::CreateTableAs(create) if create.materialized && create.with_data => {
            format!("filling `{}`", create.name)
        }
        Kind::Cluster(Some(table)) => format!("CLUSTER of `{table}`"),
        _ => return,
    };
    if cx.moment().transaction.kind == TransactionKind::None {
        return;
    }
    // What is filled from new tables alone takes no time.
    let works =
        |effect: &&Effect| !effect.work.is_none() && !cx.before().is_fresh(&effect.relation);
    let reads = |effect: &&Effect| !cx.before().is_fresh(&effect.relation);
    let lasts = match &statement.kind {
        Kind::CreateTableAs(_) => cx.effects().list.iter().any(|effect| reads(&effect)),
        _ => cx.effects().list.iter().any(|effect| works(&effect)),
    };
    // The strongest lock on a table in use that is kept from before and that the statement itself would not take.
    let own = cx.effects();
    let held = cx
        .held_locks()
        .into_iter()
        .filter(|held| {
            held.lock.blocks_writes()
                && matches!(
                    held.kind,
                    RelationKind::Table | RelationKind::PartitionedTable
                )
                && own
                    .on(held.relation)
                    .is_none_or(|effect| effect.lock < held.lock)
        })
        .max_by_key(|held| (held.lock, std::cmp::Reverse(held.relation)));
    let Some(held) = held.filter(|_| lasts) else {
        return;
    };
    let waiting = if held.lock.blocks_reads() {
        "reads and writes"
    } else {
        "writes"
    };
    let table = held.relation.short();
    let finding = Finding::new(
        statement.span,
        format!(
            "{waiting} of `{table}` wait until {what} is done: the transaction holds {} lock on it",
            held.lock.with_article()
        ),
    )
    .help("put it into a migration of its own, which runs when the lock is given back")
    .label(
        cx.location_of(held.since),
        format!("the {} takes the lock here", held.since.statement.tag),
    )
    .effects(cx.effects().list.clone());
    cx.report(finding);
}
