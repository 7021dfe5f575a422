//! See `rules/unlogged-table.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{AlterAction, Kind, Name, Persistence, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    match &statement.kind {
        Kind::CreateTable(create)
            if create.persistence == Persistence::Unlogged && create.partition_by.is_none() =>
        {
            report(cx, &create.name);
        }
        Kind::CreateTableAs(create) if create.persistence == Persistence::Unlogged => {
            report(cx, &create.name);
        }
        Kind::AlterTable(alter)
            if alter
                .actions
                .iter()
                .any(|action| matches!(action, AlterAction::SetLogged(false))) =>
        {
            report(cx, &alter.name);
        }
        _ => {}
    }
}

fn report(cx: &mut Cx<'_>, name: &Name) {
    let key = cx.resolve(name);
    let stays = cx
        .after_migration()
        .table_at(&key)
        .is_some_and(|table| !table.known || table.persistence == Persistence::Unlogged);
    if stays {
        cx.report(
            Finding::new(
                name.span,
                format!("`{name}` is unlogged: it is empty after a crash, and on every standby"),
            )
            .help("leave UNLOGGED out, unless the rows can be made again at any time"),
        );
    }
}
