//! See `rules/column-dropped.md`.

use crate::diagnostic::{Certainty, Level};
use crate::effect::dependents::{self, Dependent, Dependents};
use crate::rule::{Cx, Finding};
use crate::statement::{AlterAction, Ident, Name, Statement};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let mut gone: Vec<&str> = Vec::new();
    for (table, action) in statement.alter_actions() {
        let AlterAction::DropColumn {
            column,
            if_exists,
            cascade,
        } = action
        else {
            continue;
        };
        let known = cx.before().table(table);
        let absent = known.is_some_and(|known| known.known && known.column(&column.text).is_none());
        if cx.is_made_here(table) || cx.is_new_column(table, &column.text) || (absent && *if_exists)
        {
            continue;
        }
        let found = known.map_or_else(Dependents::default, |known| {
            dependents::of_column(cx.before(), known, &column.text, &gone, cx.postgres())
        });
        gone.push(&column.text);
        let effects = cx.effects().list.clone();
        let finding = if let Some(reason) = refused(&found, *cascade) {
            Finding::new(
                column.span,
                format!("`{column}` of `{table}` cannot be dropped: {reason}"),
            )
            .level(Level::Error)
            .help(mend(&found))
        } else {
            Finding::new(column.span, message(table, column, &found, *cascade))
                .help(order(cx, table, column, &found, *cascade))
        };
        cx.report(finding.on(table).effects(effects));
    }
}

/// Why PostgreSQL refuses it, where that is certain.
fn refused(found: &Dependents, cascade: bool) -> Option<String> {
    if found.partition_key {
        return Some("it is part of the partition key (SQLSTATE 42P16)".to_owned());
    }
    let certain: Vec<String> = found
        .blocking
        .iter()
        .filter(|dependent| dependent.certain)
        .map(Dependent::to_string)
        .collect();
    if cascade || certain.is_empty() {
        return None;
    }
    let verb = if certain.len() == 1 {
        "depends"
    } else {
        "depend"
    };
    Some(format!(
        "{} {verb} on it (SQLSTATE 2BP01)",
        wording::all(certain)
    ))
}

fn mend(found: &Dependents) -> String {
    if found.partition_key {
        return "a partition key stays as it is: make a new table, and move the rows in batches"
            .to_owned();
    }
    let first = wording::all(found.blocking.iter().map(Dependent::to_string).collect());
    format!("drop {first} first, or make it anew without the column, in the same migration")
}

fn message(table: &Name, column: &Ident, found: &Dependents, cascade: bool) -> String {
    let mut message = format!(
        "dropping `{column}` of `{table}` loses its values, and deployed code that still names it fails"
    );
    let words = |list: &[Dependent]| wording::all(list.iter().map(Dependent::to_string).collect());
    if !found.along.is_empty() {
        let verb = if found.along.len() == 1 { "goes" } else { "go" };
        message.push_str(&format!("; {} {verb} with it", words(&found.along)));
    }
    if !found.blocking.is_empty() {
        let certain = found.blocking.iter().all(|dependent| dependent.certain);
        message.push_str(&match (cascade, certain) {
            (true, true) => format!("; CASCADE drops {} too", words(&found.blocking)),
            (true, false) => format!("; CASCADE may drop {} too", words(&found.blocking)),
            (false, _) => format!("; {} may depend on it", words(&found.blocking)),
        });
    }
    message
}

/// In which order column and code have to go.
fn order(cx: &Cx<'_>, table: &Name, column: &Ident, found: &Dependents, cascade: bool) -> String {
    let required = cx
        .before()
        .table(table)
        .and_then(|table| table.column(&column.text))
        .is_some_and(|known| {
            known.not_null
                && known.default.is_none()
                && known.identity.is_none()
                && known.generated.is_none()
        });
    let mut help = if required {
        format!(
            "first ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL, then release code that neither reads nor writes \
             {column}, and drop it in a later migration"
        )
    } else {
        format!(
            "release code that neither reads nor writes {column} first, and drop it in a later migration"
        )
    };
    if cascade && !found.blocking.is_empty() {
        help.push_str(&format!(
            "; drop {} by name instead of by CASCADE",
            wording::all(found.blocking.iter().map(Dependent::to_string).collect())
        ));
    }
    if cx.certainty_of(table) != Certainty::Certain {
        help.push_str("; the migrations do not tell what depends on it");
    }
    help
}
