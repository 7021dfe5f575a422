//! See `rules/name-still-in-code.md`.

use crate::diagnostic::Certainty;
use crate::rule::{Cx, Finding};
use crate::schema::Relation;
use crate::source::{Location, Span};
use crate::statement::{Kind, Name, ObjectKind, Statement};
use crate::usage::{Wanted, Way, places};

/// Places that a finding shows.
const SHOWN: usize = 5;
/// Letters that a name of one word needs to mean one thing.
const TELLING: usize = 6;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    if cx.code().next().is_none() {
        return;
    }
    for (table, column) in statement.dropped_columns() {
        look(cx, table, Some(&column.text), column.span, "dropped");
    }
    match &statement.kind {
        Kind::Drop(drop) if drop.object == ObjectKind::Table => {
            for name in &drop.names {
                look(cx, name, None, name.span, "dropped");
            }
        }
        Kind::Rename(rename) if rename.object == ObjectKind::Column => {
            if let Some(part) = &rename.part {
                look(cx, &rename.relation, Some(&part.text), part.span, "renamed");
            }
        }
        Kind::Rename(rename) if rename.object == ObjectKind::Table => {
            let name = &rename.relation;
            look(cx, name, None, name.span, "renamed");
        }
        _ => {}
    }
}

fn look(cx: &mut Cx<'_>, table: &Name, column: Option<&str>, span: Span, what: &str) {
    if cx.is_made_here(table) || column.is_some_and(|column| cx.is_new_column(table, column)) {
        return;
    }
    let key = cx.resolve(table);
    let last = cx.at_the_end();
    // It is there again, or what has its name now is meant.
    let back = match (last.table_at(&key), column) {
        (Some(table), Some(column)) => table.column(column).is_some(),
        (Some(_), None) => true,
        (None, None) => matches!(last.relation_at(&key), Some(Relation::View(_))),
        (None, Some(_)) => false,
    };
    if back {
        return;
    }
    let name = column.unwrap_or(&key.name);
    let wanted = Wanted {
        table: &key.name,
        column,
        distinct: is_telling(name) && !is_elsewhere(cx, name),
    };
    let mut found: Vec<(Location, Way, String)> = Vec::new();
    for source in cx.code() {
        for (span, way) in places(&source.path, &source.text, wanted) {
            let line = source.position(span.start).line;
            let location = Location {
                source: source.id,
                span,
            };
            found.push((location, way, format!("{}:{line}", source.path)));
        }
    }
    let Some((_, _, first)) = found.first() else {
        return;
    };
    let more = match found.len() - 1 {
        0 => String::new(),
        1 => " and one more place".to_owned(),
        more => format!(" and {more} more places"),
    };
    let thing = match column {
        Some(column) => format!("`{column}` of `{}`", key.short()),
        None => format!("`{}`", key.short()),
    };
    let verb = if found.len() == 1 { "names" } else { "name" };
    let certain = found.iter().any(|(_, way, _)| *way == Way::Sql);
    let mut finding = Finding::new(
        span,
        format!("{thing} is {what}, and `{first}`{more} still {verb} it"),
    )
    .on(table)
    .certainty(if certain {
        Certainty::Certain
    } else {
        Certainty::Possible
    })
    .help("release code that does not name it first, and run this migration after that");
    for (location, way, _) in found.into_iter().take(SHOWN) {
        let text = match way {
            Way::Sql => "SQL that names it",
            Way::Unlisted => "an INSERT that relies on the order of the columns",
            Way::Identifier => "the same name",
        };
        finding = finding.label(location, text);
    }
    cx.report(finding);
}

/// True for a name that means nothing else in most programs.
fn is_telling(name: &str) -> bool {
    name.contains('_') || name.chars().count() > TELLING
}

/// True if something else in the database has the name at the end of the history.
fn is_elsewhere(cx: &Cx<'_>, name: &str) -> bool {
    cx.at_the_end()
        .tables()
        .any(|table| *table.name.name == *name || table.column(name).is_some())
}
