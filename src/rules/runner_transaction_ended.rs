//! See `rules/runner-transaction-ended.md`.

use super::ddl_and_data_change::commits;
use crate::diagnostic::{Certainty, Level};
use crate::effect::refuses_transaction;
use crate::layout::{Migration, Send};
use crate::replay::Step;
use crate::rule::{Cx, Finding};
use crate::session::TransactionKind;
use crate::statement::{Kind, Transaction};

pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    for step in cx.steps().iter().filter(|step| !step.is_nested()) {
        if matches!(step.statement.kind, Kind::Do) && commits(step.statement) {
            block(cx, step);
        }
    }
    let ends = |step: &&Step<'_>| {
        step.moment.transaction.kind == TransactionKind::Runner
            && !step.is_nested()
            && matches!(
                step.statement.kind,
                // AND CHAIN, and the commit of a library, go on in another one.
                Kind::Transaction(
                    Transaction::Commit { chain: false } | Transaction::Rollback { chain: false }
                )
            )
    };
    let Some(end) = cx.steps().iter().find(ends) else {
        return;
    };
    // A library's commit ends one transaction and begins the next, both at one place of the file.
    let goes_on = migration
        .statements
        .get(end.index + 1)
        .is_some_and(|next| next.span == end.statement.span);
    if goes_on {
        return;
    }
    let tool = cx.layout().name;
    let tag = end.statement.tag;
    let after = migration
        .statements
        .iter()
        .skip(end.index + 1)
        .find(|statement| !statement.changes_nothing());
    let begin = cx.steps().iter().find(|step| {
        step.index < end.index && step.statement.transaction_control() == Some(Transaction::Begin)
    });
    let what = match after {
        Some(_) => "what follows runs without it, and a failure there undoes nothing before this",
        None => "the version is written outside of it",
    };
    let help = match (begin, after) {
        (Some(_), None) => {
            "remove BEGIN and COMMIT: the tool's transaction holds all of it".to_owned()
        }
        _ => format!(
            "remove it; for a part that has to be outside of the transaction, {}",
            cx.runner().way_out
        ),
    };
    let mut finding = Finding::new(
        end.statement.span,
        format!("this {tag} ends the transaction that {tool} opened: {what}"),
    )
    .certainty(end.certainty())
    .help(help);
    if let Some(begin) = begin {
        finding = finding.label(
            cx.location_of(begin),
            "opens nothing: a transaction is open",
        );
    }
    if let Some(after) = after {
        finding = finding.label(cx.location(after.span), "runs without the transaction");
        // Who ends it for the sake of CREATE INDEX CONCURRENTLY knows what he does.
        if refuses_transaction(after, &end.before, cx.postgres()).is_none() {
            finding = finding.level(Level::Error);
        }
    }
    cx.report(finding);
}

/// A `DO` block that commits where a transaction is open fails.
fn block(cx: &mut Cx<'_>, step: &Step<'_>) {
    let moment = &step.moment;
    let why = match moment.transaction.kind {
        TransactionKind::None => return,
        TransactionKind::Explicit => "the transaction block is still open here".to_owned(),
        TransactionKind::Runner => format!("{} runs it inside of a transaction", cx.layout().name),
        // The first one of a pipeline may commit.
        TransactionKind::Implicit if moment.message.send == Send::Pipeline => return,
        TransactionKind::Implicit => {
            "several statements in one message are a transaction".to_owned()
        }
    };
    let Some(commit) = step.statement.nested.iter().find(|nested| {
        nested.runs
            && matches!(
                nested.statement.kind,
                Kind::Transaction(Transaction::Commit { .. })
            )
    }) else {
        return;
    };
    let certainty = if commit.conditional {
        Certainty::Possible
    } else {
        step.certainty()
    };
    let help = match moment.transaction.kind {
        TransactionKind::Explicit => "run the block behind COMMIT".to_owned(),
        _ => cx.runner().way_out.to_owned(),
    };
    cx.report(
        Finding::new(
            commit.statement.span,
            format!("COMMIT in a DO block fails with SQLSTATE 2D000: {why}"),
        )
        .certainty(certainty)
        .level(Level::Error)
        .help(help),
    );
}
