//! See `rules/not-rerunnable.md`.

use crate::effect::refuses_transaction;
use crate::layout::{Migration, Send, Wraps};
use crate::replay::Step;
use crate::rule::{Cx, Finding};
use crate::session::TransactionKind;
use crate::statement::{Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    // Where a part runs in the tool's transaction, the place that splits it is another rule's finding.
    let bare = migration
        .units
        .iter()
        .all(|unit| unit.wraps == Wraps::Nothing && unit.send != Send::Unknown);
    let Some(index) = cx
        .steps()
        .first()
        .map(|step| step.migration)
        .filter(|_| bare)
    else {
        return;
    };
    let Some(last) = last_committed_before(cx.steps()) else {
        return;
    };
    // It fails there, so that nothing comes behind it.
    if cx.steps().iter().any(|step| step.effects.fails.is_some()) {
        return;
    }
    // Once more from the start, on what the statements before the last one have left.
    let Some((again, failure)) = cx.first_refused(index, &last.before) else {
        return;
    };
    let Some(first) = cx
        .steps()
        .iter()
        .find(|step| std::ptr::eq(step.statement, again))
        .filter(|step| step.index < last.index)
    else {
        return;
    };
    let needed = cx
        .steps()
        .iter()
        .any(|step| refuses_transaction(step.statement, &step.before, cx.postgres()).is_some());
    let changes_rows = cx.steps().iter().any(|step| is_batch(step.outer));
    let help = if needed || changes_rows {
        "give each of them a migration of its own"
    } else if cx.runner().wraps == Wraps::Nothing {
        "put BEGIN and COMMIT around them"
    } else {
        "every statement here may run in a transaction: do not let the migration leave it"
    };
    let finding = Finding::new(
        first.statement.span,
        format!(
            "each statement here commits by itself: should a later one fail, this {} is done and refused the next time ({})",
            first.statement.tag, failure.reason,
        ),
    )
    .label(cx.location_of(last), "may fail when that is committed")
    .help(help);
    cx.report(finding);
}

/// The last statement that changes something, if it is not in the transaction of the first one that does.
fn last_committed_before<'a>(steps: &'a [Step<'a>]) -> Option<&'a Step<'a>> {
    let mut acting = steps
        .iter()
        .filter(|step| !step.is_nested() && !is_harmless(step.statement));
    let first = acting.next()?;
    let last = acting.next_back()?;
    // Whoever writes BEGIN has thought about it.
    let explicit = steps
        .iter()
        .any(|step| step.moment.transaction.kind == TransactionKind::Explicit);
    (!explicit && first.moment.transaction.number != last.moment.transaction.number).then_some(last)
}

/// True for what changes no schema, so that it hardly fails and may run twice.
fn is_harmless(statement: &Statement) -> bool {
    statement.changes_nothing() || matches!(statement.kind, Kind::Vacuum { .. } | Kind::Comment(_))
}

/// True for what people let run outside of a transaction for the sake of its length.
fn is_batch(statement: &Statement) -> bool {
    matches!(
        statement.tag,
        "UPDATE" | "DELETE" | "INSERT" | "DO" | "CALL" | "MERGE"
    )
}
