//! See `rules/replica-identity-full.md`.

use crate::diagnostic::{Level, Place};
use crate::rule::{Cx, Finding};
use crate::statement::{AlterAction, Name, ReplicaIdentity, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let full = statement
        .alter_actions()
        .find(|(_, action)| matches!(action, AlterAction::ReplicaIdentity(ReplicaIdentity::Full)));
    let Some((table, _)) = full else { return };
    let key = usable_key(cx, table);
    let mut finding = Finding::new(
        statement.span,
        format!(
            "each UPDATE and DELETE of `{table}` writes the whole old row to the WAL, and a subscriber may read its whole table to find it"
        ),
    )
    .on(table)
    .effects(cx.effects().list.clone());
    finding = match key {
        Some(Key::Primary) => finding
            .help(format!("`{table}` has a primary key, which is the default"))
            .steps(cx.remedy([(
                Place::Instead,
                format!("ALTER TABLE {table} REPLICA IDENTITY DEFAULT"),
            )])),
        Some(Key::Index(index)) => finding
            .help(format!("`{index}` tells its rows apart"))
            .steps(cx.remedy([(
                Place::Instead,
                format!("ALTER TABLE {table} REPLICA IDENTITY USING INDEX {index}"),
            )])),
        None => finding.level(Level::Info).help(format!(
            "give {table} a primary key, or a unique index over NOT NULL columns"
        )),
    };
    cx.report(finding);
}

enum Key {
    Primary,
    Index(String),
}

/// What else could be the identity.
fn usable_key(cx: &Cx<'_>, name: &Name) -> Option<Key> {
    let schema = cx.before();
    let table = schema.table(name)?;
    if table.primary_key().is_some() {
        return Some(Key::Primary);
    }
    let not_null = |column: &str| table.column(column).is_some_and(|column| column.not_null);
    schema
        .indexes_of(&table.name)
        .find(|index| {
            index.unique
                && index.predicate.is_none()
                && index.columns().count() == index.elements.len()
                && index.columns().all(not_null)
        })
        .map(|index| Key::Index(crate::statement::quoted(&index.name.name)))
}
