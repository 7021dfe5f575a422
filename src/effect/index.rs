//! Indexes: creating, dropping, rebuilding.

use std::sync::Arc;

use super::compute::Collector;
use super::table::is_there;
use super::{Leftover, LockMode, WaitsFor, Work, types, volatility};
use crate::schema::{Function, Index, Relation, Schema, Table, TableKind};
use crate::statement::{
    CreateIndex, Drop, Element, Expr, ExprKind, Name, QualifiedName, Reindex, ReindexTarget,
    TypeName, Volatility,
};

impl Collector<'_> {
    pub(super) fn create_index(&mut self, create: &CreateIndex) {
        let schema = self.situation.schema;
        let table = schema.resolve(&create.table);
        let lock = if create.concurrently {
            LockMode::ShareUpdateExclusive
        } else {
            LockMode::Share
        };
        self.named(&create.table, lock, Work::NONE);
        if self.refused() {
            return;
        }
        if let Some(name) = &create.name {
            let name = QualifiedName::new(&table.schema, &name.text);
            if is_there(schema.relation_at(&name)) {
                if !create.if_not_exists {
                    self.refuse("42P07", format!("{name} exists already"));
                }
                return;
            }
        }
        let known = schema.table_at(&table);
        let partitioned = known.is_some_and(|table| table.kind == TableKind::Partitioned);
        if let Some(known) = known {
            self.refuse_index(create, known);
        }
        if create.concurrently {
            if partitioned {
                // Partitions are locked before it is noticed.
                self.tree(&table, lock, Work::NONE);
                self.refuse(
                    "0A000",
                    format!("{table} is partitioned: CONCURRENTLY is not supported"),
                );
                return;
            }
            self.certain(&table, lock, Work::INDEX_BUILD);
            self.waits_for
                .extend([WaitsFor::Writers, WaitsFor::OldSnapshots]);
            self.leaves_behind.push(Leftover::InvalidIndex);
            return;
        }
        self.certain(&table, lock, Work::INDEX_BUILD);
        if !partitioned || create.only {
            return;
        }
        for child in schema.descendants(&table) {
            // A partition's index that matches is attached, not built.
            let attached = schema.indexes_of(&child.name).any(|index| {
                index.valid
                    && index.unique == create.unique
                    && index.method == create.method
                    && same_elements(&index.elements, &create.elements)
                    && same_predicate(index, create)
            });
            let work = if attached {
                Work::NONE
            } else {
                Work::INDEX_BUILD
            };
            self.certain(&child.name, lock, work);
        }
    }

    fn refuse_index(&mut self, create: &CreateIndex, table: &Table) {
        let missing = create
            .elements
            .iter()
            .filter_map(|element| element.column.as_ref())
            .chain(&create.include)
            .find(|column| table.known && table.column(&column.text).is_none());
        if let Some(column) = missing
            && table.inherits.is_empty()
        {
            self.refuse("42703", format!("{} has no column {column}", table.name));
        }
        let mutable = create
            .elements
            .iter()
            .filter_map(|element| element.expr.as_ref())
            .chain(&create.predicate)
            .find_map(|expr| mutable_part(expr, Some(table), self.situation.schema));
        if let Some(what) = mutable {
            self.refuse("42P17", format!("{what} is not IMMUTABLE"));
        }
        self.refuse_unordered(table, &create.method, &create.elements);
        if create.unique && !create.only {
            self.refuse_unpartitioned_key(table, &create.elements);
        }
    }

    /// A type without operator class for the access method: `json` has none at all.
    fn refuse_unordered(&mut self, table: &Table, method: &str, elements: &[Element]) {
        let schema = self.situation.schema;
        let columns = elements
            .iter()
            .filter(|element| element.opclass.is_none())
            .filter_map(|element| table.column(&element.column.as_ref()?.text));
        let types = columns.filter_map(|column| column.ty.as_ref());
        if table.known
            && let Some(reason) = types::without_order(schema, types, method)
        {
            self.refuse("42704", reason);
        }
    }

    /// A unique index of a partitioned table holds all columns of the partition key.
    pub(super) fn refuse_unpartitioned_key(&mut self, table: &Table, elements: &[Element]) {
        let Some(by) = &table.partition_by else {
            return;
        };
        let missing = by.key.iter().find(|part| match &part.column {
            Some(column) => !elements
                .iter()
                .any(|element| element.column.as_ref() == Some(column)),
            None => true,
        });
        if missing.is_some() {
            self.refuse(
                "0A000",
                format!(
                    "a unique constraint on {} must hold its partition key",
                    table.name
                ),
            );
        }
    }

    pub(super) fn reindex(&mut self, reindex: &Reindex) {
        let schema = self.situation.schema;
        if reindex.concurrently {
            self.waits_for
                .extend([WaitsFor::Writers, WaitsFor::Readers, WaitsFor::OldSnapshots]);
            self.leaves_behind.push(Leftover::InvalidIndex);
        }
        match (reindex.target, &reindex.name) {
            (ReindexTarget::Index, Some(name)) => {
                let Some(index) = schema.index(name) else {
                    self.open_ended = true;
                    return;
                };
                let (table, key) = (index.table.clone(), index.name.clone());
                let partitioned = schema
                    .table_at(&table)
                    .is_some_and(|table| table.kind == TableKind::Partitioned);
                if partitioned && self.situation.postgres < 14 {
                    self.refuse("0A000", format!("{key} is a partitioned index"));
                }
                self.rebuild(&table, vec![key], reindex.concurrently);
                self.rebuild_partitions(&table, |_| Vec::new(), reindex.concurrently);
            }
            (ReindexTarget::Table, Some(name)) => {
                let key = schema.resolve(name);
                if let Some(Relation::Dropped(_)) = schema.relation_at(&key) {
                    self.named(name, LockMode::Share, Work::NONE);
                    return;
                }
                self.reindex_table(&key, reindex.concurrently);
            }
            (ReindexTarget::Schema, Some(name)) => {
                let inside: Vec<QualifiedName> = schema
                    .tables()
                    .filter(|table| table.name.schema == name.name)
                    .map(|table| table.name.clone())
                    .collect();
                for table in inside {
                    self.reindex_table(&table, reindex.concurrently);
                }
            }
            (ReindexTarget::Database, _) => {
                self.open_ended = true;
                let all: Vec<QualifiedName> =
                    schema.tables().map(|table| table.name.clone()).collect();
                for table in all {
                    self.reindex_table(&table, reindex.concurrently);
                }
            }
            _ => {}
        }
    }

    fn reindex_table(&mut self, table: &QualifiedName, concurrently: bool) {
        let schema = self.situation.schema;
        let indexes = |table: &QualifiedName| -> Vec<QualifiedName> {
            schema
                .indexes_of(table)
                .map(|index| index.name.clone())
                .collect()
        };
        self.rebuild(table, indexes(table), concurrently);
        self.rebuild_partitions(table, indexes, concurrently);
    }

    fn rebuild_partitions(
        &mut self,
        table: &QualifiedName,
        indexes: impl Fn(&QualifiedName) -> Vec<QualifiedName>,
        concurrently: bool,
    ) {
        let schema = self.situation.schema;
        let partitioned = schema
            .table_at(table)
            .is_some_and(|table| table.kind == TableKind::Partitioned);
        if !partitioned || self.situation.postgres < 14 {
            return;
        }
        // Partitions are listed under SHARE before they are rebuilt one by one, also by CONCURRENTLY.
        let children: Vec<QualifiedName> = schema
            .descendants(table)
            .iter()
            .map(|child| child.name.clone())
            .collect();
        for child in children {
            self.certain(&child, LockMode::Share, Work::INDEX_BUILD);
            self.all(
                indexes(&child),
                if concurrently {
                    LockMode::ShareUpdateExclusive
                } else {
                    LockMode::AccessExclusive
                },
                Work::NONE,
            );
        }
    }

    fn rebuild(&mut self, table: &QualifiedName, indexes: Vec<QualifiedName>, concurrently: bool) {
        let (lock, on_index) = if concurrently {
            (
                LockMode::ShareUpdateExclusive,
                LockMode::ShareUpdateExclusive,
            )
        } else {
            (LockMode::Share, LockMode::AccessExclusive)
        };
        let table_at = self.situation.schema.table_at(table);
        if table_at.is_some_and(|table| table.kind == TableKind::Partitioned) {
            // It has nothing to rebuild itself.
            self.certain(table, lock, Work::NONE);
            return;
        }
        let known = table_at.is_some_and(|table| table.known);
        let work = if indexes.is_empty() && known {
            Work::NONE
        } else {
            Work::INDEX_BUILD
        };
        self.certain(table, lock, work);
        self.all(indexes, on_index, Work::NONE);
    }

    pub(super) fn drop_indexes(&mut self, drop: &Drop) {
        if drop.concurrently && drop.names.len() > 1 {
            self.refuse("0A000", "DROP INDEX CONCURRENTLY takes one index at a time");
            return;
        }
        if drop.concurrently && drop.cascade {
            self.refuse("0A000", "DROP INDEX CONCURRENTLY does not support CASCADE");
            return;
        }
        for name in &drop.names {
            self.drop_index(name, drop);
        }
    }

    fn drop_index(&mut self, name: &Name, drop: &Drop) {
        let schema = self.situation.schema;
        let Some(index) = schema.index(name) else {
            // Its table is unknown, and locked with it.
            let gone = matches!(schema.relation(name), Some(Relation::Dropped(_)));
            self.open_ended = !gone;
            if gone && !drop.if_exists {
                let key = schema.resolve(name);
                self.refuse("42704", format!("index {key} does not exist any more"));
            } else if drop.if_exists {
                self.named_if_exists(name, LockMode::AccessExclusive, Work::NONE);
            } else {
                self.named(name, LockMode::AccessExclusive, Work::NONE);
            }
            return;
        };
        let (table, key) = (index.table.clone(), index.name.clone());
        let constraint = index.constraint.clone();
        let lock = if drop.concurrently {
            LockMode::ShareUpdateExclusive
        } else {
            LockMode::AccessExclusive
        };
        self.certain(&table, lock, Work::NONE);
        self.certain(&key, lock, Work::NONE);
        let partitioned = schema
            .table_at(&table)
            .is_some_and(|table| table.kind == TableKind::Partitioned);
        if drop.concurrently && partitioned {
            self.refuse("0A000", format!("{key} is a partitioned index"));
            return;
        }
        if let (Some(constraint), false) = (constraint, drop.cascade) {
            self.refuse("2BP01", format!("constraint {constraint} needs {key}"));
            return;
        }
        if drop.concurrently {
            self.waits_for
                .extend([WaitsFor::Writers, WaitsFor::Readers]);
            self.leaves_behind.push(Leftover::InvalidIndex);
            return;
        }
        if partitioned {
            self.tree(&table, lock, Work::NONE);
        }
    }
}

/// Same keys, places aside.
pub(super) fn same_elements(left: &[Element], right: &[Element]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).all(|(a, b)| {
            let expr = match (&a.expr, &b.expr) {
                (None, None) => true,
                (Some(a), Some(b)) => a.same(b),
                _ => false,
            };
            a.column == b.column && expr && a.opclass == b.opclass && a.collation == b.collation
        })
}

fn same_predicate(index: &Index, create: &CreateIndex) -> bool {
    match (&index.predicate, &create.predicate) {
        (None, None) => true,
        (Some(a), Some(b)) => a.same(b),
        _ => false,
    }
}

/// Functions with forms of different volatility: which one is meant only the types tell (`pg_proc` of 18).
const MIXED: &[&str] = &[
    "age",
    "date",
    "date_add",
    "date_part",
    "date_subtract",
    "date_trunc",
    "extract",
    "generate_series",
    "json_to_tsvector",
    "jsonb_to_tsvector",
    "length",
    "numeric",
    "overlaps",
    "phraseto_tsquery",
    "plainto_tsquery",
    "quote_literal",
    "quote_nullable",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "timezone",
    "to_timestamp",
    "to_tsquery",
    "to_tsvector",
    "ts_headline",
    "ts_parse",
    "ts_token_type",
    "websearch_to_tsquery",
];

/// The part of an expression that is certain not to be immutable, in words: PostgreSQL refuses it in an index (42P17,
/// measured on 13 to 18).
#[must_use]
pub fn mutable_part(expr: &Expr, table: Option<&Table>, schema: &Schema) -> Option<String> {
    expr.walk().find_map(|part| match &part.kind {
        ExprKind::ValueFunction(name) => Some((*name).to_owned()),
        ExprKind::Call {
            schema: written,
            name,
            ..
        } => {
            let built_in = written.is_none() && volatility::builtin(name).is_some();
            if built_in {
                return (volatility::builtin(name) != Some(Volatility::Immutable)
                    && !MIXED.contains(&&**name))
                .then(|| format!("{name}()"));
            }
            let own = schema.functions_named(written.as_deref(), name);
            // A function in SQL may be inlined, and what is left of it be immutable.
            let mutable = |function: &Function| {
                function.volatility != Volatility::Immutable && &*function.language != "sql"
            };
            (!own.is_empty() && own.iter().all(mutable)).then(|| format!("{name}()"))
        }
        ExprKind::Cast(inner, to) if to.dimensions == 0 => {
            let column = inner.as_column()?;
            let from = table?.column(column)?.ty.as_ref()?;
            (from.dimensions == 0 && is_mutable_cast(from, to))
                .then(|| format!("the cast of `{column}` from {} to {}", from.name, to.name))
        }
        _ => None,
    })
}

/// Casts that depend on the session's time zone or date style.
fn is_mutable_cast(from: &TypeName, to: &TypeName) -> bool {
    const TEXT: &[&str] = &["text", "varchar"];
    let among = |ty: &TypeName, names: &[&str]| names.iter().any(|name| ty.is(name));
    match () {
        () if from.is("timestamptz") => {
            among(to, &["date", "time", "timestamp"]) || among(to, TEXT)
        }
        () if among(from, &["date", "timestamp"]) => to.is("timestamptz") || among(to, TEXT),
        () if among(from, TEXT) => among(
            to,
            &["date", "time", "timestamp", "timestamptz", "interval"],
        ),
        () => false,
    }
}

/// Indexes of a partitioned table whose part attaching a table has to build, because no index of the table matches.
#[must_use]
pub fn missing_on_attach(
    schema: &Schema,
    parent: &QualifiedName,
    child: &Table,
) -> Vec<Arc<Index>> {
    let matches = |wanted: &Index, index: &Index| {
        let predicate = match (&wanted.predicate, &index.predicate) {
            (None, None) => true,
            (Some(a), Some(b)) => a.same(b),
            _ => false,
        };
        index.valid
            && index.unique == wanted.unique
            && index.method == wanted.method
            && (wanted.constraint.is_none() || index.constraint.is_some())
            && same_elements(&index.elements, &wanted.elements)
            && predicate
    };
    schema
        .indexes_of(parent)
        .filter(|wanted| {
            !schema
                .indexes_of(&child.name)
                .any(|index| matches(wanted, index))
        })
        .cloned()
        .collect()
}
