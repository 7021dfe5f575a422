//! See `rules/column-dropped.md`.

use crate::diagnostic::{Certainty, Level};
use crate::effect::dependents::{self, Dependents};
use crate::rule::{Cx, Finding};
use crate::statement::{AlterAction, Ident, Name, Statement};

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
    let certain = found.certain();
    (!cascade && !certain.is_empty())
        .then(|| format!("{} (SQLSTATE 2BP01)", dependents::depend_on_it(&certain)))
}

fn mend(found: &Dependents) -> String {
    if found.partition_key {
        return "a partition key stays as it is: make a new table, and move the rows in batches"
            .to_owned();
    }
    format!(
        "drop {} first, or make it anew without the column, in the same migration",
        dependents::list(&found.blocking)
    )
}

fn message(table: &Name, column: &Ident, found: &Dependents, cascade: bool) -> String {
    let along = if found.along.is_empty() {
        String::new()
    } else {
        format!("; {}", dependents::go_with_it(&found.along))
    };
    let others = dependents::list(&found.blocking);
    let certain = found.blocking.iter().all(|dependent| dependent.certain);
    let others = match (found.blocking.is_empty(), cascade, certain) {
        (true, _, _) => String::new(),
        (_, true, true) => format!("; CASCADE drops {others} too"),
        (_, true, false) => format!("; CASCADE may drop {others} too"),
        (_, false, _) => format!("; {others} may depend on it"),
    };
    format!(
        "dropping `{column}` of `{table}` loses its values, and deployed code that still names it fails{along}{others}"
    )
}

/// In which order column and code have to go.
fn order(cx: &Cx<'_>, table: &Name, column: &Ident, found: &Dependents, cascade: bool) -> String {
    let mut help = if must_be_filled(cx, table, column) {
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
        help = format!(
            "{help}; drop {} by name instead of by CASCADE",
            dependents::list(&found.blocking)
        );
    }
    if cx.certainty_of(table) != Certainty::Certain {
        help.push_str("; the migrations do not tell what depends on it");
    }
    help
}

/// True if an INSERT that does not name the column fails, and DROP NOT NULL would change that.
fn must_be_filled(cx: &Cx<'_>, table: &Name, column: &Ident) -> bool {
    let schema = cx.before();
    let Some(known) = schema.table(table) else {
        return false;
    };
    let numbered = schema.sequences_of(&known.name).any(|sequence| {
        sequence
            .owned_by
            .as_ref()
            .is_some_and(|(owner, owned)| *owner == known.name && *owned == column.text)
    });
    let key = known
        .primary_key()
        .is_some_and(|key| key.def.kind.mentions(&column.text));
    known.column(&column.text).is_some_and(|known| {
        known.not_null
            && known.default.is_none()
            && known.identity.is_none()
            && known.generated.is_none()
    }) && !numbered
        && !key
}
