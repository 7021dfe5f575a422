//! See `rules/ddl-and-data-change.md`.

use super::missing_lock_timeout::blocking;
use crate::diagnostic::{Certainty, Place};
use crate::effect::reach::{DataChange, Reach, data_changes};
use crate::effect::{Effect, LockMode, RelationKind};
use crate::layout::Send;
use crate::replay::Step;
use crate::rule::{Cx, Finding};
use crate::session::TransactionKind;
use crate::statement::{ChangeVerb, Kind, Statement, Transaction};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let changes = data_changes(statement, cx.before());
    let Some(change) = changes.iter().find(|change| reports(cx, change)) else {
        return;
    };
    let Some((holder, effect)) = held(cx) else {
        return;
    };
    let (lock, locked) = (effect.lock.with_article(), effect.relation.short());
    let waiting = effect.blocks().join(" and ");
    let (what, table) = (change.what, change.table);
    let same = cx.resolve(table) == effect.relation;
    let target = if same {
        String::new()
    } else {
        format!(" of `{table}`")
    };
    let certainty = match cx.moment().transaction.kind {
        TransactionKind::None => Certainty::Possible,
        _ => Certainty::Certain,
    };
    let help = if certainty == Certainty::Certain {
        format!("put the {what} into a migration of its own, in batches that commit one by one")
    } else {
        format!(
            "put the {what} into a migration of its own, in batches that commit one by one; nothing locks if the \
             tool runs this file without a transaction"
        )
    };
    let changes = matches!(change.verb, Some(ChangeVerb::Update | ChangeVerb::Delete));
    let steps = cx
        .batched(statement, table)
        .filter(|_| changes && !change.inner)
        .map_or_else(Vec::new, |batches| cx.remedy([(Place::Own, batches)]));
    let finding = Finding::new(
        statement.span,
        format!(
            "{waiting} of `{locked}` wait until this {what}{target} is done: the transaction holds {lock} lock on it"
        ),
    )
    .certainty(certainty)
    .help(help)
    .steps(steps)
    .label(
        cx.location_of(holder),
        format!("the {} takes the lock here", holder.statement.tag),
    )
    .effects([effect.clone()]);
    cx.report(finding);
}

/// True if this rule speaks about a change of the current statement.
pub(super) fn reports(cx: &Cx<'_>, change: &DataChange<'_>) -> bool {
    lasts(cx.step(), change) && held(cx).is_some()
}

/// True for a change that takes time in proportion to a table: alone, or by the turns of its loop.
pub(super) fn lasts(step: &Step<'_>, change: &DataChange<'_>) -> bool {
    let is_change = matches!(change.verb, Some(ChangeVerb::Update | ChangeVerb::Delete));
    let fresh = step.before.is_fresh(&step.before.resolve(change.table));
    change.reach != Reach::Few || (step.looped && is_change && !fresh)
}

/// The first of the strongest locks that earlier statements left on tables in use, with the statement.
fn held<'a>(cx: &Cx<'a>) -> Option<(&'a Step<'a>, &'a Effect)> {
    let step = cx.step();
    // A block that commits runs outside of any transaction.
    if commits(step.outer) {
        return None;
    }
    let earlier: Vec<&Step<'_>> = match step.moment.transaction.kind {
        // Nobody knows how a plain file runs: it may be one transaction.
        TransactionKind::None if step.moment.message.send == Send::Unknown => cx
            .earlier_in_migration()
            .iter()
            .rev()
            .take_while(|earlier| is_open(earlier))
            .collect(),
        _ => cx.earlier_in_transaction().rev().collect(),
    };
    let mut strongest: Option<(&Step<'_>, &Effect)> = None;
    for earlier in earlier {
        let lock = blocking(earlier).filter(|effect| {
            effect.lock >= LockMode::Share
                && !matches!(effect.kind, RelationKind::Index | RelationKind::Sequence)
        });
        if let Some(effect) = lock
            && strongest.is_none_or(|(_, known)| known.lock <= effect.lock)
        {
            strongest = Some((earlier, effect));
        }
    }
    strongest
}

/// True for a statement behind which a transaction around the whole file would still be open.
fn is_open(step: &Step<'_>) -> bool {
    let control = step.statement.transaction_control();
    step.moment.transaction.kind == TransactionKind::None
        && !matches!(
            control,
            Some(Transaction::Commit { .. } | Transaction::Rollback { .. })
        )
        && !step.statement.is_concurrent()
        && !matches!(step.statement.kind, Kind::Vacuum { vacuum: true, .. })
}

/// True for a `DO` block that commits.
pub(super) fn commits(statement: &Statement) -> bool {
    statement.nested.iter().any(|nested| {
        nested.runs
            && matches!(
                nested.statement.kind,
                Kind::Transaction(Transaction::Commit { .. })
            )
    })
}
