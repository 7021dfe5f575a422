//! See `rules/explicit-table-lock.md`.

use crate::diagnostic::Level;
use crate::effect::LockMode;
use crate::layout::Send;
use crate::rule::{Cx, Finding};
use crate::session::TransactionKind;
use crate::statement::{Kind, Name, Relation, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Lock {
        tables,
        mode,
        nowait,
    } = &statement.kind
    else {
        return;
    };
    let Some(mode) = LockMode::from_number(*mode) else {
        return;
    };
    if is_refused(cx) {
        let finding = Finding::new(
            statement.span,
            "LOCK TABLE is refused outside of a transaction with SQLSTATE 25P01",
        )
        .level(Level::Error)
        .help("put BEGIN before it and COMMIT behind what it protects, or leave it out");
        cx.report(finding);
        return;
    }
    if *nowait || mode < LockMode::Share {
        return;
    }
    let Some(Relation { name, .. }) = tables
        .iter()
        .find(|table| !cx.is_new(&table.name) && !is_needed(cx, &table.name, mode))
    else {
        return;
    };
    let waits = if mode.blocks_reads() {
        "reads and writes"
    } else {
        "writes"
    };
    let finding = Finding::new(
        statement.span,
        format!(
            "`{name}` is locked in {} mode until the transaction ends: {waits} wait, and no later statement of it needs that",
            mode.as_str()
        ),
    )
    .on(name)
    .help("leave it out: each statement takes the lock it needs; SELECT … FOR UPDATE keeps single rows as they are")
    .effects(cx.effects().list.clone());
    cx.report(finding);
}

/// The tool sends it by itself, and nothing has opened a transaction.
fn is_refused(cx: &Cx<'_>) -> bool {
    let moment = cx.moment();
    moment.transaction.kind == TransactionKind::None
        && (moment.message.send == Send::PerStatement || moment.message.statements == 1)
        && moment.message.send != Send::Unknown
        && !cx.step().is_nested()
}

/// A later statement of the same transaction takes as strong a lock on the table by itself.
fn is_needed(cx: &Cx<'_>, table: &Name, mode: LockMode) -> bool {
    let key = cx.resolve(table);
    let number = cx.moment().transaction.number;
    let unknown = cx.moment().transaction.kind == TransactionKind::None;
    cx.later_in_migration()
        .iter()
        .take_while(|later| unknown || later.moment.transaction.number == number)
        .any(|later| {
            !matches!(later.statement.kind, Kind::Lock { .. })
                && later
                    .effects
                    .on(&key)
                    .is_some_and(|effect| effect.lock >= mode)
        })
}
