//! See `rules/autovacuum-disabled.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Name, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Some((table, Some(false))) = switched(statement) else {
        return;
    };
    let key = cx.resolve(table);
    let is_back = cx.later_steps().any(|step| {
        matches!(switched(step.statement), Some((other, on)) if on != Some(false) && step.before.resolve(other) == key)
    });
    if is_back {
        return;
    }
    let finding = Finding::new(
        statement.span,
        format!(
            "autovacuum leaves `{table}` alone from here on, until its transaction ids run out"
        ),
    )
    .on(table)
    .help(format!(
        "ALTER TABLE {table} RESET (autovacuum_enabled) once what needs it is done"
    ));
    cx.report(finding);
}

/// The table whose `autovacuum_enabled` is set, and to what; none for RESET.
fn switched(statement: &Statement) -> Option<(&Name, Option<bool>)> {
    let table = match &statement.kind {
        Kind::AlterTable(alter) => &alter.name,
        Kind::CreateTable(create) => &create.name,
        _ => return None,
    };
    let text = statement.source.sql.to_ascii_lowercase();
    let (before, rest) = text.split_once("autovacuum_enabled")?;
    // Also of the TOAST table, and in quotes.
    if !before
        .trim_end_matches("toast.")
        .ends_with([' ', '(', ',', '"', '\n', '\t'])
    {
        return None;
    }
    let rest = rest.trim_start_matches('"').trim_start();
    let value = rest.strip_prefix('=').map(|value| {
        let word: String = value
            .trim_start()
            .trim_start_matches('\'')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        !matches!(&*word, "false" | "off" | "no" | "0" | "f" | "n")
    });
    // A bare name in SET means true; RESET takes the default, which is true as well.
    Some((table, value))
}
