//! See `rules/index-drop-not-concurrent.md`.

use crate::diagnostic::{Level, Place};
use crate::rule::{Cx, Finding};
use crate::schema::{Relation, TableKind};
use crate::statement::{Drop, Kind, Name, ObjectKind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Drop(drop) = &statement.kind else {
        return;
    };
    if drop.object != ObjectKind::Index {
        return;
    }
    let mut blocking = Vec::new();
    for name in &drop.names {
        if owned_by_constraint(cx, statement, name) {
            return;
        }
        blocking.extend(dropped(cx, drop, name));
    }
    let Some((index, table)) = blocking.first() else {
        return;
    };
    let message = match table {
        Some(table) => format!(
            "dropping `{index}` takes an ACCESS EXCLUSIVE lock on `{table}`: reads and writes queue behind it until it has the lock and commits"
        ),
        None => format!(
            "dropping `{index}` takes an ACCESS EXCLUSIVE lock on its table: reads and writes queue behind it until it has the lock and commits"
        ),
    };
    let wanted = concurrent(statement);
    let mut help = if drop.names.len() > 1 {
        "drop them one by one, each with CONCURRENTLY".to_owned()
    } else {
        "drop it CONCURRENTLY".to_owned()
    };
    let guard = if drop.if_exists { "IF EXISTS " } else { "" };
    let each = drop.names.iter().map(|name| {
        (
            Place::Instead,
            format!("DROP INDEX CONCURRENTLY {guard}{name}"),
        )
    });
    // Where some are not in use, or part of a partitioned index, they are another matter.
    let steps = if blocking.len() == drop.names.len() {
        cx.remedy(each)
    } else {
        Vec::new()
    };
    if drop.cascade {
        help.push_str(" without CASCADE, which CONCURRENTLY refuses");
    }
    let alone = drop.names.len() == 1 && !drop.cascade;
    let fix = wanted
        .as_ref()
        .filter(|_| alone)
        .and_then(|wanted| cx.concurrently(statement, wanted, &["DROP", "INDEX"]));
    if let Some(way_out) = wanted.and_then(|wanted| cx.way_out_for(&wanted)) {
        help = format!("{help}; {way_out}");
    }
    let finding = Finding::new(statement.span, message)
        .help(help)
        .steps(steps)
        .fix_if(fix)
        .effects(cx.effects().list.clone());
    cx.report(finding);
}

/// An index that goes under the strong lock, with its table as far as it is known; none if there is nothing to report.
fn dropped(cx: &Cx<'_>, drop: &Drop, name: &Name) -> Option<(Name, Option<String>)> {
    if drop.concurrently || cx.is_new(name) {
        return None;
    }
    match cx.before().relation(name) {
        Some(Relation::Index(index)) => {
            let partitioned = cx
                .before()
                .table_at(&index.table)
                .is_some_and(|table| table.kind == TableKind::Partitioned);
            // CONCURRENTLY is refused there.
            (!partitioned).then(|| (name.clone(), Some(index.table.short())))
        }
        // Gone already, or something else: nothing happens with IF EXISTS, and without it the statement fails.
        Some(_) => None,
        None => Some((name.clone(), None)),
    }
}

/// Reports an index that only goes with its constraint, whatever way it is dropped.
fn owned_by_constraint(cx: &mut Cx<'_>, statement: &Statement, name: &Name) -> bool {
    let Some(index) = cx.before().index(name) else {
        return false;
    };
    let Some(constraint) = index.constraint.clone() else {
        return false;
    };
    let table = index.table.short();
    let constraint = crate::statement::Ident::new(constraint, name.span);
    let steps = cx.remedy([(
        Place::Instead,
        format!("ALTER TABLE {table} DROP CONSTRAINT {constraint}"),
    )]);
    cx.report(
        Finding::new(
            statement.span,
            format!("`{name}` is the index of a constraint of `{table}`: DROP INDEX is refused with SQLSTATE 2BP01, also with CASCADE"),
        )
        .level(Level::Error)
        .help(format!(
            "drop the constraint `{constraint}`, which takes its index with it"
        ))
        .steps(steps),
    );
    true
}

/// The statement with CONCURRENTLY.
fn concurrent(statement: &Statement) -> Option<Statement> {
    let mut wanted = statement.clone();
    match &mut wanted.kind {
        Kind::Drop(drop) => drop.concurrently = true,
        _ => return None,
    }
    Some(wanted)
}
