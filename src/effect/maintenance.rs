//! `VACUUM`, `ANALYZE`, `CLUSTER`, `REFRESH MATERIALIZED VIEW`.

use super::compute::Collector;
use super::{LockMode, Work};
use crate::schema::{Relation, TableKind};
use crate::statement::{Name, QualifiedName, RefreshMaterializedView};

impl Collector<'_> {
    pub(super) fn vacuum(&mut self, tables: &[Name], vacuum: bool, full: bool) {
        let (lock, work) = if full && vacuum {
            (LockMode::AccessExclusive, Work::REWRITE)
        } else {
            (LockMode::ShareUpdateExclusive, Work::SCAN)
        };
        if tables.is_empty() {
            // The whole database: every table there is, also those the history does not know.
            self.open_ended = true;
            let all: Vec<QualifiedName> = self
                .situation
                .schema
                .tables()
                .filter(|table| table.kind == TableKind::Ordinary || !vacuum)
                .map(|table| table.name.clone())
                .collect();
            self.all(all, lock, work);
            return;
        }
        for table in tables {
            let key = self.situation.schema.resolve(table);
            let partitioned = self
                .situation
                .schema
                .table_at(&key)
                .is_some_and(|table| table.kind == TableKind::Partitioned);
            self.named(table, lock, work);
            if partitioned {
                self.tree(&key, lock, work);
            }
        }
    }

    pub(super) fn cluster(&mut self, table: Option<&Name>) {
        let Some(table) = table else {
            // Every table that was clustered before; which ones is not kept.
            self.open_ended = true;
            return;
        };
        let key = self.situation.schema.resolve(table);
        let partitioned = self
            .situation
            .schema
            .table_at(&key)
            .is_some_and(|table| table.kind == TableKind::Partitioned);
        self.named(table, LockMode::AccessExclusive, Work::REWRITE);
        if partitioned {
            if self.situation.postgres < 15 {
                self.refuse("0A000", format!("{key} is partitioned"));
            } else {
                self.tree(&key, LockMode::AccessExclusive, Work::REWRITE);
            }
        }
    }

    pub(super) fn refresh(&mut self, refresh: &RefreshMaterializedView) {
        let schema = self.situation.schema;
        let key = schema.resolve(&refresh.name);
        let (lock, work) = if refresh.concurrently {
            // Compared with the new contents row by row, then changed in place.
            (LockMode::Exclusive, Work::SCAN)
        } else if refresh.with_data {
            (LockMode::AccessExclusive, Work::REWRITE)
        } else {
            // A new empty file.
            let emptied = Work {
                rewrite: true,
                ..Work::NONE
            };
            (LockMode::AccessExclusive, emptied)
        };
        self.named(&refresh.name, lock, work);
        let Some(Relation::View(view)) = schema.relation_at(&key) else {
            self.open_ended = true;
            return;
        };
        if refresh.concurrently {
            if !view.populated {
                self.refuse("0A000", format!("{key} holds no rows yet"));
                return;
            }
            let usable = schema.indexes_of(&key).any(|index| {
                index.unique
                    && index.predicate.is_none()
                    && index
                        .elements
                        .iter()
                        .all(|element| element.column.is_some())
            });
            if !usable {
                self.refuse("55000", format!("{key} has no unique index on its columns"));
                return;
            }
        }
        if refresh.with_data {
            for read in view.reads.clone() {
                self.planned(&read, LockMode::AccessShare, Work::SCAN);
            }
        }
    }
}
