//! See `rules/published-without-identity.md`.

use crate::rule::{Cx, Finding};
use crate::schema::{Schema, Table, TableKind};
use crate::statement::{Kind, Name, PublicationChange, ReplicaIdentity, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let then = cx.after_transaction();
    let help = "add a PRIMARY KEY, or REPLICA IDENTITY USING INDEX with a unique index over NOT NULL columns";
    match &statement.kind {
        Kind::Publication(publication) if publication.change != PublicationChange::Drop => {
            if publishes_inserts_only(statement) {
                return;
            }
            let named: Vec<Name> = if publication.all_tables {
                cx.before()
                    .tables()
                    .filter(|table| table.kind == TableKind::Ordinary && !table.is_temporary())
                    .filter(|table| table.persistence == crate::statement::Persistence::Permanent)
                    .map(|table| {
                        Name::new(Some(&table.name.schema), &table.name.name, statement.span)
                    })
                    .collect()
            } else {
                publication
                    .tables
                    .iter()
                    .map(|(name, _)| name.clone())
                    .collect()
            };
            for name in named {
                let Some(table) = then.table(&name) else {
                    continue;
                };
                if table.known && !has_identity(then, table) {
                    let finding = Finding::new(
                        statement.span,
                        format!(
                            "UPDATE and DELETE of `{}` fail from the commit on: it is published and has no replica identity",
                            table.name.short()
                        ),
                    )
                    .on(&name)
                    .help(help);
                    cx.report(finding);
                }
            }
        }
        Kind::AlterTable(alter) => {
            let (Some(before), Some(table)) =
                (cx.before().table(&alter.name), then.table(&alter.name))
            else {
                return;
            };
            let lost = has_identity(cx.before(), before) && !has_identity(then, table);
            let now = cx.after();
            let by_this = now
                .table(&alter.name)
                .is_some_and(|table| !has_identity(now, table));
            if let Some(publication) = table.publications.first()
                && before.known
                && lost
                && by_this
            {
                let finding = Finding::new(
                    statement.span,
                    format!(
                        "UPDATE and DELETE of `{}` fail from the commit on: it loses its replica identity and is in publication `{}`",
                        alter.name, publication.name
                    ),
                )
                .on(&alter.name)
                .help(help);
                cx.report(finding);
            }
        }
        _ => {}
    }
}

/// True if a replica can find a row of the table.
fn has_identity(schema: &Schema, table: &Table) -> bool {
    match &table.replica_identity {
        ReplicaIdentity::Default => table.primary_key().is_some(),
        ReplicaIdentity::Full => true,
        ReplicaIdentity::Nothing => false,
        ReplicaIdentity::Index(name) => schema
            .indexes_of(&table.name)
            .any(|index| index.name.name == *name),
    }
}

/// `publish = 'insert'`: what it publishes needs no identity.
fn publishes_inserts_only(statement: &Statement) -> bool {
    let text = statement.source.sql.to_ascii_lowercase();
    let Some((_, options)) = text.rsplit_once("publish") else {
        return false;
    };
    let Some((before, value)) = options.split_once('=') else {
        return false;
    };
    before.trim().is_empty() && !value.contains("update") && !value.contains("delete")
}
