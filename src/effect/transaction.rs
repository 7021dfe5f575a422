//! Statements that refuse to run inside of a transaction block.

use crate::schema::{Relation, Schema, TableKind};
use crate::statement::{
    AlterAction, Kind, Name, ObjectKind, Reindex, ReindexTarget, Statement, Subscription,
};

/// The statement in the words of PostgreSQL's refusal (SQLSTATE 25001) if it cannot run inside of a transaction block,
/// a function or a `DO` block. Measured on 13 to 18.
///
/// A target that the schema does not know is taken for an ordinary table or index.
#[must_use]
pub fn refuses_transaction(
    statement: &Statement,
    schema: &Schema,
    postgres: u32,
) -> Option<&'static str> {
    match &statement.kind {
        Kind::CreateIndex(create) if create.concurrently => Some("CREATE INDEX CONCURRENTLY"),
        Kind::Drop(drop) if drop.concurrently && drop.object == ObjectKind::Index => {
            Some("DROP INDEX CONCURRENTLY")
        }
        Kind::Reindex(reindex) => refusing_reindex(reindex, schema, postgres),
        Kind::AlterTable(alter) => alter
            .actions
            .iter()
            .any(|action| {
                matches!(
                    action,
                    AlterAction::DetachPartition {
                        concurrently: true,
                        ..
                    }
                )
            })
            .then_some("ALTER TABLE … DETACH CONCURRENTLY"),
        Kind::Vacuum { vacuum: true, .. } => Some("VACUUM"),
        Kind::Cluster(None) => Some("CLUSTER"),
        Kind::Cluster(Some(table)) if postgres >= 15 && is_partitioned(schema, table) => {
            Some("CLUSTER of a partitioned table")
        }
        Kind::Subscription(Subscription::Create { slot: true }) => {
            Some("CREATE SUBSCRIPTION with its replication slot")
        }
        Kind::Subscription(Subscription::Alter { refresh: true }) if postgres >= 14 => {
            Some("ALTER SUBSCRIPTION with a refresh")
        }
        Kind::Subscription(Subscription::Drop) => {
            Some("DROP SUBSCRIPTION with its replication slot")
        }
        Kind::AlterDatabase { tablespace: true } => Some("ALTER DATABASE … SET TABLESPACE"),
        Kind::Other(_) | Kind::Transaction(_) => [
            "ALTER SYSTEM",
            "COMMIT PREPARED",
            "CREATE DATABASE",
            "CREATE TABLESPACE",
            "DISCARD ALL",
            "DROP DATABASE",
            "DROP TABLESPACE",
            "ROLLBACK PREPARED",
        ]
        .into_iter()
        .find(|tag| *tag == statement.tag),
        _ => None,
    }
}

fn refusing_reindex(reindex: &Reindex, schema: &Schema, postgres: u32) -> Option<&'static str> {
    let partitioned = || match (&reindex.name, reindex.target) {
        (Some(name), ReindexTarget::Table) => is_partitioned(schema, name),
        (Some(name), ReindexTarget::Index) => matches!(
            schema.relation(name),
            Some(Relation::Index(index))
                if schema.table_at(&index.table).is_some_and(|table| table.kind == TableKind::Partitioned)
        ),
        _ => false,
    };
    match reindex.target {
        ReindexTarget::Schema => Some("REINDEX SCHEMA"),
        ReindexTarget::Database => Some("REINDEX DATABASE"),
        ReindexTarget::System => Some("REINDEX SYSTEM"),
        _ if reindex.concurrently => Some("REINDEX CONCURRENTLY"),
        // Before 14 nothing is rebuilt, with a warning.
        ReindexTarget::Table if postgres >= 14 && partitioned() => {
            Some("REINDEX of a partitioned table")
        }
        ReindexTarget::Index if postgres >= 14 && partitioned() => {
            Some("REINDEX of a partitioned index")
        }
        ReindexTarget::Table | ReindexTarget::Index => None,
    }
}

fn is_partitioned(schema: &Schema, table: &Name) -> bool {
    schema
        .table(table)
        .is_some_and(|table| table.kind == TableKind::Partitioned)
}
