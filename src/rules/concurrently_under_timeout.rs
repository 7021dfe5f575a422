//! See `rules/concurrently-under-timeout.md`.

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
            .map(|(name, timeout)| format!("{name} of {}", duration(timeout.milliseconds)))
            .collect(),
    );
    let (verb, leftover) = (
        if found.len() == 1 { "breaks" } else { "break" },
        match left {
            Leftover::InvalidIndex => "an invalid index stays behind",
            Leftover::PendingDetach => "a pending detach stays behind",
        },
    );
    let off: Vec<String> = found
        .iter()
        .map(|(name, _)| format!("SET {name} = 0;"))
        .collect();
    let mut finding = Finding::new(
        statement.span,
        format!(
            "{names} {verb} this off while it waits for older transactions or works: {leftover}"
        ),
    )
    .help(format!(
        "put `{}` before it, and set it again behind it: it stops neither reads nor writes",
        off.join(" ")
    ));
    for (_, timeout) in &found {
        if let Some(span) = timeout.set_by {
            finding = finding.label(cx.location(span), "set here");
        }
    }
    cx.report(finding);
}

/// Milliseconds as people write them: `2s`, `500ms`, `5min`.
fn duration(milliseconds: u64) -> String {
    match milliseconds {
        ms if ms % 60_000 == 0 => format!("{}min", ms / 60_000),
        ms if ms % 1_000 == 0 => format!("{}s", ms / 1_000),
        ms => format!("{ms}ms"),
    }
}
