//! The database schema as the migrations so far have made it.
//!
//! A [`Schema`] is persistent: cloning it costs a few pointers, so that every statement can be judged against the
//! schema before it and after it. What the history does not show (a table that some other tool created) is there as
//! a partial [`Table`] as soon as a statement names it, and never taken for more than is known of it.

mod alter;
mod apply;
mod code;
pub mod compare;
mod constraint;
mod depend;
mod doubt;
mod drop;
mod extension;
mod links;
mod naming;
mod object;
mod rename;
mod table;
mod tracked;
mod transaction;
mod trigger;
mod view;

use std::sync::Arc;

use links::Link;
use rpds::RedBlackTreeMapSync as Map;
use tracked::Tracked;

pub use depend::{Dependent, DependentKind, Uses};
pub use extension::{ExtensionPart, ExtensionUse};
pub use object::{
    Column, Constraint, Domain, EnumLabel, Function, Index, Origin, Partition, Policy, Publication,
    Rule, Sequence, Statistics, Table, TableKind, Trigger, Type, TypeKind, View,
};
pub use transaction::{Uncommitted, Within};

use crate::statement::{ForeignKey, Ident, Name, QualifiedName};

/// A relation by its kind.
#[derive(Debug, Clone)]
pub enum Relation {
    /// Table, partitioned table or foreign table.
    Table(Arc<Table>),
    /// Index.
    Index(Arc<Index>),
    /// View or materialized view.
    View(Arc<View>),
    /// Sequence.
    Sequence(Arc<Sequence>),
    /// There was one; the history dropped it.
    Dropped(Origin),
}

/// What is known about a table at some point of the history.
#[derive(Debug, Clone, Copy)]
pub enum Presence<'a> {
    /// The history does not create it; it exists if the statement is to work, and may hold rows.
    Unknown,
    /// The history has dropped it.
    Absent,
    /// Created in the same change, and not filled since: nobody uses it, it holds no rows worth counting.
    Fresh(&'a Table),
    /// Created by an earlier change: it may hold rows and be in use.
    Existing(&'a Table),
}

/// The objects that exist at one point of a history.
#[derive(Debug, Clone)]
pub struct Schema {
    relations: Tracked<Relation>,
    /// Who refers to a relation.
    links: Map<QualifiedName, links::Links>,
    /// Views that use a column of a relation, and tables whose policies and rules do.
    column_users: Map<(QualifiedName, Box<str>), Map<QualifiedName, ()>>,
    /// Functions whose body names a column of a relation, or (without a column) the relation; never shrinks.
    column_readers: Map<(QualifiedName, Box<str>), Map<QualifiedName, ()>>,
    /// How many constraints of tables have a name, by schema and name.
    constraint_names: Map<QualifiedName, u32>,
    types: Tracked<Arc<Type>>,
    functions: Tracked<Arc<Vec<Function>>>,
    /// What statements may have changed in ways that are not followed, with the last of them.
    doubts: Map<QualifiedName, Origin>,
    /// Schemas that unqualified names are looked up in; the first one is where objects are created.
    search_path: Arc<[Box<str>]>,
    /// Names of types that columns have, other than the usual built-in ones; never shrinks.
    used_types: Map<Box<str>, ()>,
    /// Names of functions that defaults, generation expressions and triggers call; never shrinks.
    used_functions: Map<Box<str>, ()>,
    /// A `CREATE CAST` was seen: there may be conversions that a bare server does not have.
    own_casts: bool,
    /// Major version of the server that runs the history.
    postgres: u32,
    /// The change being replayed: objects created under the same number are new together.
    batch: u32,
    /// The transaction that is open.
    open: transaction::Open,
}

impl Default for Schema {
    fn default() -> Self {
        Self {
            relations: Tracked::default(),
            links: Map::new_sync(),
            column_users: Map::new_sync(),
            column_readers: Map::new_sync(),
            constraint_names: Map::new_sync(),
            types: Tracked::default(),
            functions: Tracked::default(),
            used_types: Map::new_sync(),
            used_functions: Map::new_sync(),
            doubts: Map::new_sync(),
            search_path: Arc::from(["public".into()]),
            own_casts: false,
            postgres: NEWEST,
            batch: 0,
            open: transaction::Open::default(),
        }
    }
}

/// The newest major version that is known.
const NEWEST: u32 = 18;

/// Where temporary objects are kept; looked up before the search path, as PostgreSQL does.
const TEMPORARY: &str = "pg_temp";

impl Schema {
    /// An empty database on a server of that major version.
    #[must_use]
    pub fn on(postgres: u32) -> Self {
        Self {
            postgres,
            ..Self::default()
        }
    }

    /// The number of the change being replayed.
    #[must_use]
    pub fn batch(&self) -> u32 {
        self.batch
    }

    /// Begins a change: what is created from now on is [`Presence::Fresh`] until the next one begins.
    pub fn begin_batch(&mut self, batch: u32) {
        self.batch = batch;
    }

    /// Schemas that unqualified names are looked up in.
    #[must_use]
    pub fn search_path(&self) -> &[Box<str>] {
        &self.search_path
    }

    /// The full name of a relation as a statement names it: the existing one that the search path finds, else the
    /// name it would be created under.
    #[must_use]
    pub fn resolve(&self, name: &Name) -> QualifiedName {
        if let Some(schema) = &name.schema {
            return QualifiedName::new(schema, &name.name);
        }
        self.search(&name.name, |key| {
            self.relations
                .get(key)
                .is_some_and(|relation| !matches!(relation, Relation::Dropped(_)))
        })
    }

    /// The full name under which a relation is created.
    #[must_use]
    pub fn creation_name(&self, name: &Name, temporary: bool) -> QualifiedName {
        let schema = match &name.schema {
            Some(schema) => schema,
            None if temporary => TEMPORARY,
            None => self
                .search_path
                .first()
                .map_or("public", |schema| &**schema),
        };
        QualifiedName::new(schema, &name.name)
    }

    fn search(&self, name: &str, exists: impl Fn(&QualifiedName) -> bool) -> QualifiedName {
        std::iter::once(TEMPORARY)
            .chain(self.search_path.iter().map(|schema| &**schema))
            .map(|schema| QualifiedName::new(schema, name))
            .find(|key| exists(key))
            .unwrap_or_else(|| {
                QualifiedName::new(
                    self.search_path
                        .first()
                        .map_or("public", |schema| &**schema),
                    name,
                )
            })
    }

    /// The relation of that name.
    #[must_use]
    pub fn relation(&self, name: &Name) -> Option<&Relation> {
        self.relations.get(&self.resolve(name))
    }

    /// The relation of that full name.
    #[must_use]
    pub fn relation_at(&self, name: &QualifiedName) -> Option<&Relation> {
        self.relations.get(name)
    }

    /// All relations that exist, sorted by name.
    pub fn relations(&self) -> impl Iterator<Item = (&QualifiedName, &Relation)> {
        self.relations
            .iter()
            .filter(|(_, relation)| !matches!(relation, Relation::Dropped(_)))
    }

    /// All tables, sorted by name.
    pub fn tables(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.relations
            .values()
            .filter_map(|relation| match relation {
                Relation::Table(table) => Some(table),
                _ => None,
            })
    }

    /// All indexes of a table, sorted by name.
    pub fn indexes_of<'a>(&'a self, table: &QualifiedName) -> impl Iterator<Item = &'a Arc<Index>> {
        self.linked(table, Link::Index)
            .filter_map(|name| match self.relations.get(name) {
                Some(Relation::Index(index)) => Some(index),
                _ => None,
            })
    }

    /// All indexes of a table in the order in which they were made.
    pub(crate) fn indexes_by_age(&self, table: &QualifiedName) -> Vec<Arc<Index>> {
        let mut indexes: Vec<Arc<Index>> = self.indexes_of(table).cloned().collect();
        indexes.sort_by_key(|index| index.created.statement);
        indexes
    }

    /// All sequences that columns of a table own, sorted by name.
    pub fn sequences_of<'a>(
        &'a self,
        table: &QualifiedName,
    ) -> impl Iterator<Item = &'a Arc<Sequence>> {
        self.linked(table, Link::Sequence)
            .filter_map(|name| match self.relations.get(name) {
                Some(Relation::Sequence(sequence)) => Some(sequence),
                _ => None,
            })
    }

    /// All views that read a relation, sorted by name.
    pub fn views_of<'a>(&'a self, relation: &QualifiedName) -> impl Iterator<Item = &'a Arc<View>> {
        self.linked(relation, Link::View)
            .filter_map(|name| match self.relations.get(name) {
                Some(Relation::View(view)) => Some(view),
                _ => None,
            })
    }

    /// All tables with a policy or rule that uses a relation, sorted by name.
    pub fn tables_with_code<'a>(
        &'a self,
        relation: &QualifiedName,
    ) -> impl Iterator<Item = &'a Arc<Table>> {
        self.linked(relation, Link::Code)
            .filter_map(|name| self.table_at(name))
    }

    /// All tables with a column of a user-defined type (or of arrays of it), or made of it, sorted by name.
    pub fn tables_of_type<'a>(
        &'a self,
        ty: &QualifiedName,
    ) -> impl Iterator<Item = &'a Arc<Table>> {
        self.linked(ty, Link::Type)
            .filter_map(|name| self.table_at(name))
    }

    /// All tables with a trigger that calls a function, sorted by name.
    pub fn tables_with_trigger<'a>(
        &'a self,
        function: &QualifiedName,
    ) -> impl Iterator<Item = &'a Arc<Table>> {
        self.linked(function, Link::Trigger)
            .filter_map(|name| self.table_at(name))
    }

    /// False if no foreign key can reference the column, because no key of the table has it. Asking this first keeps a
    /// change of a table that thousands of others reference from looking at all of them.
    #[must_use]
    pub fn may_be_referenced(&self, table: &QualifiedName, column: &str) -> bool {
        self.table_at(table).is_none_or(|table| !table.known)
            || self
                .indexes_of(table)
                .any(|index| index.unique && index.mentions(column))
    }

    /// All indexes, sorted by name.
    pub fn indexes(&self) -> impl Iterator<Item = &Arc<Index>> {
        self.relations
            .values()
            .filter_map(|relation| match relation {
                Relation::Index(index) => Some(index),
                _ => None,
            })
    }

    /// All views and materialized views, sorted by name.
    pub fn views(&self) -> impl Iterator<Item = &Arc<View>> {
        self.relations
            .values()
            .filter_map(|relation| match relation {
                Relation::View(view) => Some(view),
                _ => None,
            })
    }

    /// All sequences, sorted by name.
    pub fn sequences(&self) -> impl Iterator<Item = &Arc<Sequence>> {
        self.relations
            .values()
            .filter_map(|relation| match relation {
                Relation::Sequence(sequence) => Some(sequence),
                _ => None,
            })
    }

    /// All types, sorted by name.
    pub fn types(&self) -> impl Iterator<Item = &Arc<Type>> {
        self.types.values()
    }

    /// All functions, sorted by name.
    pub fn all_functions(&self) -> impl Iterator<Item = (&QualifiedName, &Function)> {
        self.functions
            .iter()
            .flat_map(|(name, list)| list.iter().map(move |function| (name, function)))
    }

    /// The table of that name.
    #[must_use]
    pub fn table(&self, name: &Name) -> Option<&Arc<Table>> {
        self.table_at(&self.resolve(name))
    }

    /// The table of that full name.
    #[must_use]
    pub fn table_at(&self, name: &QualifiedName) -> Option<&Arc<Table>> {
        match self.relations.get(name) {
            Some(Relation::Table(table)) => Some(table),
            _ => None,
        }
    }

    /// The index of that name.
    #[must_use]
    pub fn index(&self, name: &Name) -> Option<&Arc<Index>> {
        match self.relation(name) {
            Some(Relation::Index(index)) => Some(index),
            _ => None,
        }
    }

    /// The user-defined type of that name.
    #[must_use]
    pub fn type_named(&self, schema: Option<&str>, name: &str) -> Option<&Arc<Type>> {
        let key = match schema {
            Some(schema) => QualifiedName::new(schema, name),
            None => self.search(name, |key| self.types.contains_key(key)),
        };
        self.types.get(&key)
    }

    /// The user-defined functions of that name, in whatever number of arguments.
    #[must_use]
    pub fn functions_named(&self, schema: Option<&str>, name: &str) -> &[Function] {
        let key = match schema {
            Some(schema) => QualifiedName::new(schema, name),
            None => self.search(name, |key| self.functions.contains_key(key)),
        };
        self.functions.get(&key).map_or(&[], |list| list.as_slice())
    }

    /// Major version of the server that runs the history.
    #[must_use]
    pub fn postgres(&self) -> u32 {
        self.postgres
    }

    /// True if the history makes casts of its own.
    #[must_use]
    pub fn has_own_casts(&self) -> bool {
        self.own_casts
    }

    /// What is known about the table of that name.
    #[must_use]
    pub fn presence(&self, name: &Name) -> Presence<'_> {
        self.presence_at(&self.resolve(name))
    }

    /// What is known about the table of that full name.
    #[must_use]
    pub fn presence_at(&self, name: &QualifiedName) -> Presence<'_> {
        match self.relations.get(name) {
            Some(Relation::Table(table)) if !table.known => Presence::Unknown,
            Some(Relation::Table(table)) => {
                let new = table.created.batch == self.batch && table.filled.is_none();
                if new || table.is_temporary() {
                    Presence::Fresh(table)
                } else {
                    Presence::Existing(table)
                }
            }
            Some(Relation::Dropped(_)) => Presence::Absent,
            _ => Presence::Unknown,
        }
    }

    /// True if the relation is new in the change being replayed (see [`Presence::Fresh`]). For an index or sequence
    /// its table counts; for a materialized view itself.
    #[must_use]
    pub fn is_fresh(&self, name: &QualifiedName) -> bool {
        match self.relations.get(name) {
            Some(Relation::Table(_)) => matches!(self.presence_at(name), Presence::Fresh(_)),
            Some(Relation::Index(index)) => {
                matches!(self.presence_at(&index.table), Presence::Fresh(_))
            }
            Some(Relation::View(view)) => view.created.batch == self.batch,
            Some(Relation::Sequence(sequence)) => sequence.created.batch == self.batch,
            Some(Relation::Dropped(_)) | None => false,
        }
    }

    /// Direct partitions and inheritance children of a table, sorted by name.
    pub fn children<'a>(&'a self, parent: &QualifiedName) -> impl Iterator<Item = &'a Arc<Table>> {
        self.linked(parent, Link::Child)
            .filter_map(|name| self.table_at(name))
    }

    /// Partitions and inheritance children of a table at all levels.
    #[must_use]
    pub fn descendants(&self, parent: &QualifiedName) -> Vec<&Arc<Table>> {
        let mut found: Vec<&Arc<Table>> = Vec::new();
        let mut next = vec![parent];
        while let Some(parent) = next.pop() {
            for child in self.children(parent) {
                if !found.iter().any(|seen| seen.name == child.name) {
                    found.push(child);
                    next.push(&child.name);
                }
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    /// Foreign keys of tables that reference a table, as (referencing table, constraint).
    pub fn referencing<'a>(
        &'a self,
        table: &QualifiedName,
    ) -> impl Iterator<Item = (&'a Arc<Table>, &'a Constraint)> {
        let referenced = table.clone();
        self.linked(table, Link::Referencing)
            .filter_map(|name| self.table_at(name))
            .flat_map(move |other| {
                let referenced = referenced.clone();
                let foreign_keys = other.constraints.iter();
                foreign_keys
                    .filter(move |constraint| constraint.references.as_ref() == Some(&referenced))
                    .map(move |constraint| (other, constraint))
            })
    }

    /// False if no column ever had a type of that name: nothing holds rows of that table's row type.
    #[must_use]
    pub fn is_used_as_type(&self, relation: &QualifiedName) -> bool {
        self.used_types.contains_key(&relation.name)
    }

    /// False if no default, generation expression or trigger of a table ever called a function of that name.
    #[must_use]
    pub fn is_function_used(&self, name: &str) -> bool {
        self.used_functions.contains_key(name)
    }

    /// The columns that a foreign key references: those that it names, else the primary key. In the schema they are
    /// always named.
    #[must_use]
    pub fn referenced_columns(&self, key: &ForeignKey) -> Vec<Ident> {
        if key.referenced.is_empty() {
            self.primary_key_columns(&self.resolve(&key.table))
        } else {
            key.referenced.clone()
        }
    }

    /// The default partition of a partitioned table.
    #[must_use]
    pub fn default_partition(&self, parent: &QualifiedName) -> Option<&Arc<Table>> {
        self.linked(parent, Link::DefaultPartition)
            .find_map(|name| self.table_at(name))
    }

    pub(crate) fn set_search_path(&mut self, schemas: Vec<Box<str>>) {
        self.search_path = schemas.into();
    }
}
