//! See `rules/concurrently-in-transaction.md`.

use crate::diagnostic::Certainty;
use crate::effect::refuses_transaction;
use crate::rule::{Cx, Finding};
use crate::session::Refusal;
use crate::statement::{Kind, Statement, Subscription, Transaction};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    in_bodies(cx, statement);
    let Some(what) = refuses_transaction(statement, cx.before(), cx.postgres()) else {
        return;
    };
    let in_do = cx.step().is_nested() && matches!(cx.step().outer.kind, Kind::Do);
    let refusal = cx.refusal();
    let why = if in_do {
        "a DO block always runs inside of a transaction".to_owned()
    } else {
        match refusal {
            None => return,
            Some(Refusal::Explicit) => "the transaction block is still open here".to_owned(),
            Some(Refusal::Runner) => {
                format!(
                    "{} runs this migration inside of a transaction",
                    cx.layout().name
                )
            }
            Some(Refusal::Batch) => format!(
                "{} statements share one message, which PostgreSQL runs as one transaction",
                cx.moment().message.statements
            ),
            Some(Refusal::Pipeline) => {
                "it is not the first statement of its pipeline, which is one transaction".to_owned()
            }
        }
    };
    let mut finding = Finding::new(
        statement.span,
        format!("`{what}` fails with SQLSTATE 25001: {why}"),
    )
    .certainty(certainty(statement));
    if let Some(help) = help(cx, statement, refusal) {
        finding = finding.help(help);
    }
    let begin = cx
        .earlier_in_transaction()
        .find(|step| step.statement.transaction_control() == Some(Transaction::Begin));
    if let Some(begin) = begin
        && refusal == Some(Refusal::Explicit)
        && !in_do
    {
        finding = finding.label(cx.location_of(begin), "transaction block opened here");
    }
    cx.report(finding);
}

/// What a function or procedure would run when it is called.
fn in_bodies(cx: &mut Cx<'_>, statement: &Statement) {
    for nested in statement.nested.iter().filter(|nested| !nested.runs) {
        let inner = &nested.statement;
        let Some(what) = refuses_transaction(inner, cx.before(), cx.postgres()) else {
            continue;
        };
        let sure = if nested.conditional {
            Certainty::Possible
        } else {
            certainty(inner)
        };
        cx.report(
            Finding::new(
                inner.span,
                format!("`{what}` fails with SQLSTATE 25001 inside of a function or procedure"),
            )
            .certainty(sure)
            .help("send it as a statement of its own, from the client or from a scheduler"),
        );
    }
}

/// A subscription that is altered or dropped refuses only while it is connected to its publisher.
fn certainty(statement: &Statement) -> Certainty {
    match &statement.kind {
        Kind::Subscription(Subscription::Alter { .. } | Subscription::Drop) => Certainty::Possible,
        _ => Certainty::Certain,
    }
}

fn help(cx: &Cx<'_>, statement: &Statement, refusal: Option<Refusal>) -> Option<String> {
    let way_out = cx.way_out_for(statement)?;
    // The statements that share the message are often nothing but its timeouts.
    let index = cx.step().index;
    let only_settings = refusal == Some(Refusal::Batch)
        && cx
            .migration()
            .statements
            .iter()
            .enumerate()
            .all(|(at, other)| at == index || other.sets().is_some());
    Some(if only_settings {
        format!("{way_out}; give its timeouts to the connection or the role instead of using SET")
    } else {
        way_out
    })
}
