//! See `rules/session-level-timeout.md`.

use std::collections::BTreeMap;

use crate::layout::Migration;
use crate::rule::{Cx, Finding};
use crate::session::TransactionKind;
use crate::settings::milliseconds;
use crate::source::Span;
use crate::wording;

/// Settings that are limits.
const LIMITS: &[&str] = &[
    "idle_in_transaction_session_timeout",
    "lock_timeout",
    "statement_timeout",
    "transaction_timeout",
];

pub(super) fn check(cx: &mut Cx<'_>, _: &Migration) {
    let Some(certainty) = cx.session_goes_on() else {
        return;
    };
    let mut stays: BTreeMap<&str, Span> = BTreeMap::new();
    for step in cx.steps() {
        if step.statement.tag == "DISCARD ALL" {
            stays.clear();
        }
        let Some(set) = step.statement.sets().filter(|set| !set.local) else {
            continue;
        };
        // Outside of a transaction SET LOCAL would do nothing.
        let in_transaction = step.moment.transaction.kind != TransactionKind::None;
        match (&*set.name, set.value.as_deref()) {
            ("all", None) => stays.clear(),
            (name, Some(value)) if LIMITS.contains(&name) && milliseconds(value) != Some(0) => {
                if in_transaction {
                    stays.entry(name).or_insert(step.statement.span);
                } else {
                    stays.remove(name);
                }
            }
            (name, _) => {
                stays.remove(name);
            }
        }
    }
    let Some(span) = stays.values().min_by_key(|span| span.start) else {
        return;
    };
    let (verb, it) = if stays.len() == 1 {
        ("stays", "it")
    } else {
        ("stay", "them")
    };
    let finding = Finding::new(
        *span,
        format!(
            "{} {verb} set behind the transaction: a pooler hands {it} on with the connection",
            wording::names(stays.keys())
        ),
    )
    .certainty(certainty)
    .help(format!(
        "set {it} with SET LOCAL, which ends with the transaction"
    ));
    cx.report(finding);
}
