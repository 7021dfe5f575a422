//! See `rules/table-recreated.md`.

use crate::diagnostic::{Certainty, Level};
use crate::rule::{Cx, Finding};
use crate::schema::Presence;
use crate::statement::{InsertRows, Kind, Name, ObjectKind, Persistence, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Drop(drop) = &statement.kind else {
        return;
    };
    if drop.object != ObjectKind::Table {
        return;
    }
    for name in &drop.names {
        let presence = cx.presence(name);
        if cx.is_made_here(name) || matches!(presence, Presence::Absent) || !is_made_again(cx, name)
        {
            continue;
        }
        let unknown = matches!(presence, Presence::Unknown);
        let mut finding = Finding::new(
            name.span,
            format!("`{name}` is dropped and made again: its rows are gone, and nothing fails"),
        )
        .on(name)
        .help(format!(
            "change `{name}` by ALTER TABLE, or make the new table beside it, copy the rows and swap the names"
        ))
        .effects(cx.effects().list.clone());
        if unknown && drop.if_exists {
            finding = finding.level(Level::Info).certainty(Certainty::Possible);
        }
        cx.report(finding);
    }
}

/// True if the migration makes a table of that name behind the statement, and does not fill it from others.
fn is_made_again(cx: &Cx<'_>, name: &Name) -> bool {
    let key = cx.resolve(name);
    let later = cx.later_in_migration();
    let made = later.iter().any(|step| match &step.statement.kind {
        Kind::CreateTable(create) => {
            create.persistence != Persistence::Temporary
                && step.before.creation_name(&create.name, false) == key
        }
        _ => false,
    });
    let filled = later.iter().any(|step| {
        matches!(&step.statement.kind, Kind::Insert(insert)
            if insert.rows == InsertRows::Query && step.before.resolve(&insert.table) == key)
    });
    made && !filled
}
