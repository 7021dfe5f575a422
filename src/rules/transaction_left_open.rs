//! See `rules/transaction-left-open.md`.

use crate::diagnostic::Certainty;
use crate::layout::Migration;
use crate::replay::Step;
use crate::rule::{Cx, Finding};
use crate::session::TransactionKind;
use crate::statement::{Kind, Transaction};

pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    let mut open: Option<&Step<'_>> = None;
    let mut foreign = false;
    for step in cx.steps().iter().filter(|step| !step.is_nested()) {
        match &step.statement.kind {
            Kind::Transaction(Transaction::Begin)
                if step.moment.transaction.kind != TransactionKind::Runner =>
            {
                open = open.or(Some(step));
            }
            Kind::Transaction(Transaction::Commit { chain } | Transaction::Rollback { chain }) => {
                // What it ends was opened by whoever runs the file, who ends the next one too.
                foreign |= open.is_none();
                open = open.and(chain.then_some(step));
            }
            Kind::Transaction(Transaction::Prepare) => open = None,
            _ => {}
        }
    }
    let Some(open) = open.filter(|_| !foreign) else {
        return;
    };
    let unread = migration.incomplete
        || migration
            .statements
            .iter()
            .any(|statement| matches!(statement.kind, Kind::Unparsed));
    let certainty = if unread {
        Certainty::Possible
    } else {
        open.certainty()
    };
    cx.report(
        Finding::new(
            open.statement.span,
            "this transaction is never committed: all of it is undone when the connection closes",
        )
        .certainty(certainty)
        .help("put `COMMIT;` at the end of the file"),
    );
}
