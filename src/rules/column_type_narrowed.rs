//! See `rules/column-type-narrowed.md`.

use crate::effect::loss::{self, Loss};
use crate::effect::retype::Retype;
use crate::rule::{Cx, Finding};
use crate::statement::{Statement, TypeName, quoted};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, alter) in statement.altered_columns() {
        let Some(retype) = Retype::new(table, &alter.column.text, &alter.change) else {
            continue;
        };
        let Some(from) = retype.from(cx.before()) else {
            continue;
        };
        let losses = loss::of(retype.column, from, retype.to, retype.using);
        if losses.is_empty() || cx.is_new_column(table, retype.column) {
            continue;
        }
        let column = quoted(retype.column);
        let does: Vec<String> = losses
            .iter()
            .map(|loss| describe(*loss, retype.to))
            .collect();
        let tests: Vec<String> = losses
            .iter()
            .filter_map(|loss| test(*loss, from, retype.to, &column))
            .collect();
        let help = if tests.is_empty() {
            format!("keep {column}, and put the new values into a new column")
        } else {
            format!(
                "SELECT count(*) FROM {table} WHERE {} tells how many; mend those first, or put the new values into a new column",
                tests.join(" OR ")
            )
        };
        cx.report(
            Finding::new(
                alter.column.span,
                format!(
                    "changing `{column}` from {from} to {} {}",
                    retype.to,
                    wording::all(does)
                ),
            )
            .on(table)
            .help(help),
        );
    }
}

fn describe(loss: Loss, to: &TypeName) -> String {
    let unit = match &*to.name {
        "bit" | "varbit" => "bits",
        _ => "characters",
    };
    match loss {
        Loss::TooLong(limit) => format!("fails on values of more than {limit} {unit}"),
        Loss::Cut(limit) => format!("cuts values to {limit} {unit} without an error"),
        Loss::OutOfRange => "fails on values out of range".to_owned(),
        Loss::Rounded => "rounds values".to_owned(),
        Loss::Dropped(part) => format!("drops {part}"),
    }
}

/// A condition that finds the values concerned.
fn test(loss: Loss, from: &TypeName, to: &TypeName, column: &str) -> Option<String> {
    let integer = |name: &str| match name {
        "int2" => Some("-32768 AND 32767"),
        "int4" => Some("-2147483648 AND 2147483647"),
        "int8" => Some("-9223372036854775808 AND 9223372036854775807"),
        _ => None,
    };
    Some(match loss {
        Loss::TooLong(limit) | Loss::Cut(limit) => {
            let length = match &*from.name {
                "bit" | "varbit" => "length",
                _ => "char_length",
            };
            format!("{length}({column}) > {limit}")
        }
        Loss::OutOfRange => match (integer(&to.name), to.modifiers.as_slice()) {
            (Some(range), _) => format!("{column} NOT BETWEEN {range}"),
            (None, [precision, rest @ ..]) => {
                let digits = precision - rest.first().copied().unwrap_or(0);
                format!("abs({column}) >= 1e{digits}")
            }
            (None, []) => return None,
        },
        // No cast there and back: it fails on the very values that are looked for.
        Loss::Rounded => match (&*from.name, &*to.name) {
            (_, "int2" | "int4" | "int8") => format!("{column} <> round({column})"),
            ("numeric", "numeric") => {
                let scale = to.modifiers.get(1).copied().unwrap_or(0);
                format!("{column} <> round({column}, {scale})")
            }
            (old, new) if old == new => format!("{column} <> {column}::{to}"),
            _ => return None,
        },
        Loss::Dropped(_) if to.is("date") => format!("{column} <> {column}::date"),
        Loss::Dropped(_) => return None,
    })
}
