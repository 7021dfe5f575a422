//! See `rules/nested-transaction.md`.

use crate::layout::Migration;
use crate::replay::Step;
use crate::rule::{Cx, Finding};
use crate::session::TransactionKind;
use crate::statement::{Kind, Transaction};

pub(super) fn check(cx: &mut Cx<'_>, _: &Migration) {
    let outer = |step: &&Step<'_>| !step.is_nested();
    let ended = cx.steps().iter().filter(outer).any(|step| {
        step.moment.transaction.kind == TransactionKind::Runner
            && matches!(
                step.statement.kind,
                Kind::Transaction(Transaction::Commit { .. } | Transaction::Rollback { .. })
            )
    });
    let mut open: Option<&Step<'_>> = None;
    for step in cx.steps().iter().filter(outer) {
        if step.statement.transaction_control() != Some(Transaction::Begin) {
            continue;
        }
        match step.moment.transaction.kind {
            TransactionKind::Explicit => {
                let mut finding = Finding::new(
                    step.statement.span,
                    "BEGIN opens no second transaction: PostgreSQL warns, and the first COMMIT ends the one that is open",
                )
                .certainty(step.certainty())
                .help("commit the open transaction before it, or use SAVEPOINT");
                if let Some(open) = open {
                    finding = finding.label(cx.location_of(open), "opened here");
                }
                cx.report(finding);
            }
            // Where COMMIT follows, that is what matters, and another rule says so.
            TransactionKind::Runner if !ended => {
                let finding = Finding::new(
                    step.statement.span,
                    format!(
                        "BEGIN has no effect but a warning: {} has opened a transaction already",
                        cx.layout().name
                    ),
                )
                .certainty(step.certainty())
                .help("remove it");
                cx.report(finding);
            }
            _ => open = Some(step),
        }
    }
}
