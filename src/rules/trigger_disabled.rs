//! See `rules/trigger-disabled.md`.

use crate::replay::Step;
use crate::rule::{Cx, Finding};
use crate::session::TransactionKind;
use crate::statement::{AlterAction, Ident, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, action) in statement.alter_actions() {
        let AlterAction::Trigger { name, on: false } = action else {
            continue;
        };
        let Some(effect) = cx.effect_on(table).cloned() else {
            continue;
        };
        let (what, stay, go) = match name {
            Some(name) => (format!("trigger `{name}`"), "stays", "goes"),
            None => ("all triggers".to_owned(), "stay", "go"),
        };
        let again = enabled_again(cx, name.as_ref());
        let lock = effect.lock.with_article();
        let message = if again.is_some() {
            format!(
                "{what} of `{table}` {stay} off until the transaction ends, under {lock} lock: writes wait all that time"
            )
        } else {
            format!(
                "{what} of `{table}` {go} off for everybody: writes wait for {lock} lock, and those behind it miss what the trigger does"
            )
        };
        let mut finding = Finding::new(statement.span, message)
            .on(table)
            .help("SET LOCAL session_replication_role = replica leaves triggers out for this transaction only, without a lock; or let the trigger's function ask for a setting")
            .effects([effect]);
        if let Some(again) = again {
            finding = finding.label(cx.location_of(again), "enabled again here");
        }
        cx.report(finding);
        return;
    }
}

/// The statement of the same transaction that enables the trigger again.
fn enabled_again<'a>(cx: &Cx<'a>, name: Option<&Ident>) -> Option<&'a Step<'a>> {
    let transaction = cx.moment().transaction;
    if transaction.kind == TransactionKind::None {
        return None;
    }
    cx.later_in_migration().iter().find(|later| {
        later.moment.transaction.number == transaction.number
            && later.statement.alter_actions().any(|(_, action)| {
                matches!(action, AlterAction::Trigger { name: other, on: true } if other.as_ref() == name)
            })
    })
}
