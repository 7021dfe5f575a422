//! See `rules/session-setting-leaked.md`.

use std::collections::BTreeMap;

use crate::layout::Migration;
use crate::rule::{Cx, Finding};
use crate::source::Span;
use crate::wording;

/// Settings that change what later migrations do; the others, and timeouts that are limits, do no harm there.
const HARMFUL: &[&str] = &[
    "default_table_access_method",
    "default_tablespace",
    "default_transaction_isolation",
    "default_transaction_read_only",
    "role",
    "row_security",
    "session_authorization",
    "standard_conforming_strings",
];
/// Limits that harm where they are switched off.
const LIMITS: &[&str] = &["lock_timeout", "statement_timeout"];

pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    let Some(certainty) = cx.session_goes_on() else {
        return;
    };
    let mut leaks: BTreeMap<Box<str>, Span> = BTreeMap::new();
    let mut path = false;
    for step in cx.steps() {
        let Some(set) = step.statement.sets().filter(|set| !set.local) else {
            if step.statement.tag == "DISCARD ALL" {
                leaks.clear();
                path = false;
            }
            continue;
        };
        let off = |value: &str| crate::settings::milliseconds(value) == Some(0);
        match (&*set.name, set.value.as_deref()) {
            ("all", None) => {
                leaks.clear();
                path = false;
            }
            ("search_path", value) => path = value.is_some(),
            (name, Some(value))
                if (HARMFUL.contains(&name) && !is_usual(name, value))
                    || (LIMITS.contains(&name) && off(value)) =>
            {
                leaks.insert(set.name.clone(), step.statement.span);
            }
            (name, _) => {
                leaks.remove(name);
            }
        }
    }
    // A dump's preamble, which another rule names.
    let Some(span) = leaks
        .values()
        .min_by_key(|span| span.start)
        .filter(|_| !path)
    else {
        return;
    };
    let version = &migration.version;
    let (verb, reset) = (
        if leaks.len() == 1 { "stays" } else { "stay" },
        leaks
            .keys()
            .map(|name| format!("RESET {name};"))
            .collect::<Vec<_>>()
            .join(" "),
    );
    let finding = Finding::new(
        *span,
        format!(
            "{} {verb} changed behind {version}: migrations of the same run have it too",
            wording::names(leaks.keys())
        ),
    )
    .certainty(certainty)
    .help(format!(
        "write SET LOCAL where there is a transaction, or `{reset}` at the end"
    ));
    cx.report(finding);
}

/// True for a value that is the default of every server.
fn is_usual(name: &str, value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    match name {
        "standard_conforming_strings" | "row_security" => matches!(&*value, "on" | "true" | "1"),
        "default_transaction_read_only" => matches!(&*value, "off" | "false" | "0"),
        "default_table_access_method" => value == "heap",
        "role" => value == "none",
        "default_tablespace" => value.is_empty(),
        _ => false,
    }
}
