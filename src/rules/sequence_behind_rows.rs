//! See `rules/sequence-behind-rows.md`.

use crate::diagnostic::Certainty;
use crate::replay::{Fact, Replay, Step};
use crate::rule::{Cx, Finding};
use crate::schema::{Column, Relation, Schema, Table};
use crate::statement::{Expr, ExprKind, Insert, InsertRows, Kind, Literal, Overriding, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Insert(insert) = &statement.kind else {
        return;
    };
    let table = cx.before().table(&insert.table).filter(|table| table.known);
    let Some(table) = table else { return };
    let Some((column, certainty)) = written_key(insert, table, cx.before()) else {
        return;
    };
    if table.is_temporary() || moved_on(cx) {
        return;
    }
    let name = &insert.table;
    let finding = Finding::new(
        statement.span,
        format!("the sequence of `{name}.{column}` does not know of the keys written here and hands them out again"),
    )
    .certainty(certainty)
    .on(name)
    .help(format!(
        "SELECT setval(pg_get_serial_sequence('{name}', '{column}'), (SELECT max({column}) FROM {name})) behind it"
    ));
    cx.report(finding);
}

/// The column with a sequence that the statement gives values of its own.
fn written_key<'t>(
    insert: &Insert,
    table: &'t Table,
    schema: &Schema,
) -> Option<(&'t str, Certainty)> {
    if insert.overriding == Some(Overriding::User) {
        return None;
    }
    let numbered = |name: &str| {
        table.column(name).filter(|column| {
            column.identity.is_some() || column.default.is_some() && column.sequence.is_some()
        })
    };
    let place = |at: usize| match insert.columns.get(at) {
        Some(column) => Some(&*column.text),
        None if insert.columns.is_empty() => table.columns.get(at).map(|column| &*column.name),
        None => None,
    };
    let owns = |column: &Column| {
        let sequence = column
            .sequence
            .as_ref()
            .and_then(|name| schema.relation_at(name));
        matches!(sequence, Some(Relation::Sequence(sequence))
            if sequence.owned_by.as_ref().is_some_and(|(owner, _)| *owner == table.name))
    };
    match insert.rows {
        InsertRows::Values(_) => insert
            .first_row
            .iter()
            .enumerate()
            .filter(|(_, value)| is_positive(value))
            .find_map(|(at, _)| numbered(place(at)?))
            .map(|column| (&*column.name, Certainty::Certain)),
        // A copy of rows with their keys: whether they are behind the sequence the files do not tell.
        InsertRows::Query => insert
            .columns
            .iter()
            .find_map(|column| numbered(&column.text))
            // A twin that shares the sequence of the table it is copied from.
            .filter(|column| column.identity.is_some() || owns(column))
            .map(|column| (&*column.name, Certainty::Possible)),
    }
}

fn is_positive(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Literal(Literal::Int(number)) => *number > 0,
        ExprKind::Cast(inner, _) => {
            matches!(inner.kind, ExprKind::Literal(Literal::Int(number)) if number > 0)
        }
        _ => false,
    }
}

/// A later statement of the history sets a sequence; which one it is may stand in an expression.
fn moved_on(cx: &Cx<'_>) -> bool {
    cx.fact::<LastMove>().0 > Some(cx.place())
}

/// The last step that sets a sequence.
struct LastMove(Option<usize>);

impl Fact for LastMove {
    fn gather(replay: &Replay<'_>) -> Self {
        let moves = |step: &Step<'_>| {
            let text = step.statement.source.sql.to_ascii_lowercase();
            text.contains("setval") || text.contains("restart")
        };
        let last = replay.forward().rev().find(|(_, step)| moves(step));
        Self(last.map(|(index, _)| index))
    }
}
