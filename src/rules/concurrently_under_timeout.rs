//! See `rules/concurrently-under-timeout.md`.

use crate::diagnostic::{Place, Step};
use crate::effect::Leftover;
use crate::rule::{Cx, Finding};
use crate::session::Timeout;
use crate::statement::Statement;
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    // Where it fails at once, nothing is broken off.
    if !statement.is_concurrent() || cx.refusal().is_some() || cx.effects().fails.is_some() {
        return;
    }
    let Some(left) = cx.effects().leaves_behind.first().copied() else {
        return;
    };
    let moment = cx.moment();
    let runner = cx.bool_option("runner");
    let short = |name: &'static str, timeout: Option<Timeout>| {
        timeout
            .filter(|timeout| timeout.milliseconds > 0)
            .filter(|timeout| timeout.milliseconds < cx.duration_option(name))
            .filter(|timeout| runner || timeout.set_by.is_some())
            .map(|timeout| (name, timeout))
    };
    let found: Vec<(&str, Timeout)> = [
        short("lock_timeout", moment.lock_timeout),
        short("statement_timeout", moment.statement_timeout),
    ]
    .into_iter()
    .flatten()
    .collect();
    if found.is_empty() {
        return;
    }
    let names = wording::all(
        found
            .iter()
            .map(|(name, timeout)| format!("{name} of {}", wording::timeout(timeout.milliseconds)))
            .collect(),
    );
    let (verb, leftover) = (
        if found.len() == 1 { "breaks" } else { "break" },
        match left {
            Leftover::InvalidIndex => "an invalid index stays behind",
            Leftover::PendingDetach => "a pending detach stays behind",
        },
    );
    let which = wording::all(found.iter().map(|(name, _)| (*name).to_owned()).collect());
    let them = if found.len() == 1 { "it" } else { "them" };
    let mut finding = Finding::new(
        statement.span,
        format!(
            "{names} {verb} this off while it waits for older transactions or works: {leftover}"
        ),
    )
    .help(format!(
        "switch {which} off before it, and set {them} again behind it: it stops neither reads nor writes"
    ))
    .steps(around(cx, &found));
    for (_, timeout) in &found {
        if let Some(span) = timeout.set_by {
            finding = finding.label(cx.location(span), "set here");
        }
    }
    cx.report(finding);
}

/// Limits that the script itself sets, switched off before the statement and set again behind it. Where the runner sets
/// them, its settings are the place: a second statement may open a transaction.
fn around(cx: &Cx<'_>, found: &[(&str, Timeout)]) -> Vec<Step> {
    if found.iter().any(|(_, timeout)| timeout.set_by.is_none()) {
        return Vec::new();
    }
    let set = |value: fn(&Timeout) -> String| {
        let lines = found
            .iter()
            .map(|(name, timeout)| format!("SET {name} = {};", value(timeout)));
        lines.collect::<Vec<_>>().join("\n")
    };
    cx.remedy([
        (Place::Before, set(|_| "0".to_owned())),
        (
            Place::Behind,
            set(|timeout| format!("'{}'", wording::timeout(timeout.milliseconds))),
        ),
    ])
}
