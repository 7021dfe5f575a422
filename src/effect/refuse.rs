//! `ALTER TABLE` that is certain to be refused, from the schema before it and the major.
//!
//! What is said here holds only for tables that the history creates: of others it is not known what they lack.

use super::compute::Collector;
use super::dependents::{self, Dependent};
use super::others::{key_columns, referencing_columns};
use super::table::is_there;
use super::{LockMode, types, volatility};
use crate::schema::{Column, Constraint, Schema, Table, TableKind};
use crate::statement::{
    AddColumn, AlterAction, AlterTable, ColumnChange, ConstraintDef, ConstraintKind, Element, Expr,
    Ident, Persistence, QualifiedName, TypeName,
};

/// A refusal, with the locks taken before it other than the one on the table itself.
pub(super) struct Refusal {
    pub(super) sqlstate: &'static str,
    pub(super) reason: String,
    pub(super) locks: Vec<(QualifiedName, LockMode)>,
}

impl Refusal {
    fn new(sqlstate: &'static str, reason: impl Into<String>) -> Self {
        Self {
            sqlstate,
            reason: reason.into(),
            locks: Vec::new(),
        }
    }

    /// It comes after partitions and children were locked.
    fn after_children(mut self, schema: &Schema, table: &Table, lock: LockMode) -> Self {
        let children = schema.children(&table.name);
        self.locks
            .extend(children.map(|child| (child.name.clone(), lock)));
        self
    }
}

/// Why an `ALTER TABLE` is refused, if that is certain.
pub(super) fn alter_table(
    collector: &Collector<'_>,
    alter: &AlterTable,
    key: &QualifiedName,
) -> Option<Refusal> {
    let schema = collector.situation.schema;
    let table = schema.table_at(key).filter(|table| table.known)?;
    // What may or may not have happened to it decides.
    if schema.doubt(key).is_some() {
        return None;
    }
    let cx = Cx {
        schema,
        table,
        alter,
        postgres: collector.situation.postgres,
    };
    alter.actions.iter().find_map(|action| cx.action(action))
}

struct Cx<'a> {
    schema: &'a Schema,
    table: &'a Table,
    alter: &'a AlterTable,
    postgres: u32,
}

impl Cx<'_> {
    fn action(&self, action: &AlterAction) -> Option<Refusal> {
        let table = self.table;
        match action {
            AlterAction::AddColumn(add) => self.add_column(add),
            AlterAction::DropColumn {
                column,
                if_exists,
                cascade,
            } => self.drop_column(column, *if_exists, *cascade),
            AlterAction::AlterColumn(change) => self.alter_column(&change.column, &change.change),
            AlterAction::AddConstraint(def) => self.add_constraint(def),
            AlterAction::DropConstraint {
                name,
                if_exists,
                cascade,
            } => {
                let Some(constraint) = table.constraint(&name.text) else {
                    // NOT NULL constraints have names from 18 on, which are not kept.
                    return (!if_exists && self.postgres < 18).then(|| {
                        Refusal::new("42704", format!("{} has no constraint {name}", table.name))
                    });
                };
                let columns = key_columns(&constraint.def.kind);
                let dependent = referencing_columns(self.schema, table, &columns);
                match dependent.first() {
                    Some(other) if !cascade => Some(Refusal::new(
                        "2BP01",
                        format!("a foreign key of {other} needs {name}"),
                    )),
                    _ => None,
                }
            }
            AlterAction::ValidateConstraint(name) => {
                let added = self.alter.actions.iter().any(|other| {
                    matches!(other, AlterAction::AddConstraint(def) if def.name.as_ref() == Some(name))
                });
                let missing = table.constraint(&name.text).is_none() && self.postgres < 18;
                (missing && !added).then(|| {
                    Refusal::new("42704", format!("{} has no constraint {name}", table.name))
                })
            }
            AlterAction::AlterConstraint {
                name, not_enforced, ..
            } => {
                let constraint = table.constraint(&name.text)?;
                let foreign = matches!(constraint.def.kind, ConstraintKind::ForeignKey(_));
                (*not_enforced && !foreign)
                    .then(|| Refusal::new("42809", format!("{name} is not a foreign key")))
            }
            AlterAction::SetLogged(logged) => self.set_logged(*logged),
            AlterAction::Options(_) | AlterAction::ResetOptions(_)
                if table.kind == TableKind::Partitioned =>
            {
                Some(Refusal::new(
                    if self.postgres >= 16 {
                        "42809"
                    } else {
                        "22023"
                    },
                    format!("{} is partitioned and stores nothing", table.name),
                ))
            }
            AlterAction::DetachPartition {
                concurrently: true, ..
            } => {
                let default = self.schema.default_partition(&table.name)?;
                Some(Refusal::new(
                    "55000",
                    format!("{} is a default partition", default.name),
                ))
            }
            AlterAction::AttachPartition {
                partition,
                bound: Some(_),
            } => {
                let child = self.schema.table(partition).filter(|child| child.known)?;
                let loose = table.columns.iter().find(|column| {
                    column.not_null && child.column(&column.name).is_some_and(|own| !own.not_null)
                })?;
                let mut refusal = Refusal::new(
                    "42804",
                    format!("{}.{} is not marked NOT NULL", child.name, loose.name),
                );
                refusal
                    .locks
                    .push((child.name.clone(), LockMode::AccessExclusive));
                Some(refusal)
            }
            _ => None,
        }
    }

    /// A permanent table must not reference one that a crash empties.
    fn set_logged(&self, logged: bool) -> Option<Refusal> {
        let own = &self.table.name;
        let permanent = |name: &QualifiedName| {
            self.schema
                .table_at(name)
                .is_some_and(|other| other.known && other.persistence == Persistence::Permanent)
        };
        let unlogged = |name: &QualifiedName| {
            self.schema
                .table_at(name)
                .is_some_and(|other| other.known && other.persistence == Persistence::Unlogged)
        };
        let obstacle = if logged {
            let mut referenced = self
                .table
                .constraints
                .iter()
                .filter_map(|constraint| constraint.references.as_ref());
            referenced
                .find(|other| *other != own && unlogged(other))?
                .clone()
        } else {
            let mut referencing = self.schema.referencing(own).map(|(other, _)| &other.name);
            referencing
                .find(|other| *other != own && permanent(other))?
                .clone()
        };
        let mut refusal = Refusal::new(
            "42P16",
            format!("the foreign key between {own} and {obstacle} forbids it"),
        );
        refusal.locks.push((obstacle, LockMode::AccessShare));
        Some(refusal)
    }

    /// The column is dropped by the same command, which runs before everything else.
    fn dropped_here(&self, column: &str) -> bool {
        self.alter.actions.iter().any(
            |action| matches!(action, AlterAction::DropColumn { column: dropped, .. } if &*dropped.text == column),
        )
    }

    /// The constraint is dropped by the same command, or goes with a column that is.
    fn goes_here(&self, constraint: &Constraint) -> bool {
        self.alter.actions.iter().any(|action| match action {
            AlterAction::DropConstraint { name, .. } => name.text == constraint.name,
            AlterAction::DropColumn { column, .. } => constraint.def.kind.mentions(&column.text),
            _ => false,
        })
    }

    fn keeps_primary_key(&self) -> bool {
        self.table
            .primary_key()
            .is_some_and(|key| !self.goes_here(key))
    }

    fn added_here(&self, column: &str) -> bool {
        self.alter.actions.iter().any(
            |action| matches!(action, AlterAction::AddColumn(add) if &*add.column.name.text == column),
        )
    }

    fn has_children(&self) -> bool {
        self.schema.children(&self.table.name).next().is_some()
    }

    fn add_column(&self, add: &AddColumn) -> Option<Refusal> {
        let table = self.table;
        let column = &add.column;
        if table.column(&column.name.text).is_some() {
            if add.if_not_exists || self.dropped_here(&column.name.text) {
                return None;
            }
            return Some(Refusal::new(
                "42701",
                format!("{} has a column {} already", table.name, column.name),
            ));
        }
        if table.partition.is_some() {
            return Some(Refusal::new(
                "42809",
                format!("{} is a partition", table.name),
            ));
        }
        let default = column.default.as_ref();
        if let Some(default) = default {
            if default.columns().next().is_some() {
                return Some(Refusal::new("0A000", "a default cannot use another column"));
            }
            if let Some(function) = volatility::missing(default, self.schema, self.postgres) {
                return Some(Refusal::new(
                    "42883",
                    format!("{function} does not exist in PostgreSQL {}", self.postgres),
                ));
            }
        }
        let is_virtual = column
            .generated
            .as_ref()
            .is_some_and(|generated| !generated.stored);
        for def in &column.constraints {
            match def.kind {
                ConstraintKind::PrimaryKey(_) | ConstraintKind::Unique(_) if is_virtual => {
                    return Some(Refusal::new(
                        "0A000",
                        "a virtual generated column cannot have a unique constraint",
                    ));
                }
                ConstraintKind::PrimaryKey(_) if self.keeps_primary_key() => {
                    return Some(self.second_primary_key());
                }
                ConstraintKind::PrimaryKey(_) | ConstraintKind::Unique(_) => {
                    let types = column.ty.as_ref();
                    if let Some(reason) = types::without_order(self.schema, types, "btree") {
                        return Some(Refusal::new("42704", reason));
                    }
                }
                ConstraintKind::ForeignKey(ref key) => {
                    let target = self.schema.table(&key.table).filter(|target| target.known);
                    let reason = target.and_then(|target| {
                        types::incomparable_key(self.schema, [column.ty.as_ref()], target, key)
                    });
                    if let Some(reason) = reason {
                        let mut refusal = Refusal::new("42804", reason);
                        refusal
                            .locks
                            .push((self.schema.resolve(&key.table), LockMode::ShareRowExclusive));
                        return Some(refusal);
                    }
                }
                _ => {}
            }
        }
        if self.alter.only && self.has_children() {
            return Some(
                Refusal::new("42P16", "the column must be added to children too").after_children(
                    self.schema,
                    table,
                    LockMode::AccessExclusive,
                ),
            );
        }
        if self.postgres < 17 && column.identity.is_some() && self.has_children() {
            return Some(Refusal::new(
                "42P16",
                "an identity column cannot be added to a table with children",
            ));
        }
        let value = default.is_some_and(|default| !default.is_null());
        if value && let Some(user) = self.row_type_user() {
            return Some(user);
        }
        None
    }

    fn second_primary_key(&self) -> Refusal {
        Refusal::new(
            "42P16",
            format!("{} has a primary key already", self.table.name),
        )
    }

    /// A table with a column whose type is the row type of this table: rows in it would have to change as well.
    fn row_type_user(&self) -> Option<Refusal> {
        let name = &self.table.name;
        if !self.schema.is_used_as_type(name) {
            return None;
        }
        let user = self.schema.tables().find(|other| {
            other
                .columns
                .iter()
                .filter_map(|column| column.ty.as_ref())
                .any(|ty| {
                    ty.name == name.name
                        && ty
                            .schema
                            .as_ref()
                            .is_none_or(|schema| *schema == name.schema)
                })
        })?;
        let mut refusal = Refusal::new(
            "0A000",
            format!("{} has a column of the row type of {name}", user.name),
        );
        refusal
            .locks
            .push((user.name.clone(), LockMode::AccessShare));
        Some(refusal)
    }

    fn missing_column(&self, column: &Ident) -> Option<Refusal> {
        const SYSTEM: &[&str] = &["ctid", "cmax", "cmin", "tableoid", "xmax", "xmin"];
        // An inherited column may come from a parent that the history knows only in part.
        let missing = self.table.column(&column.text).is_none()
            && self.table.inherits.is_empty()
            && !SYSTEM.contains(&&*column.text)
            && !self.added_here(&column.text);
        missing.then(|| {
            Refusal::new(
                "42703",
                format!("{} has no column {column}", self.table.name),
            )
        })
    }

    /// The column belongs to the partition key.
    fn in_partition_key(&self, column: &str) -> bool {
        self.table.partition_by.as_ref().is_some_and(|by| {
            by.key.iter().any(|part| {
                part.column
                    .as_ref()
                    .is_some_and(|name| &*name.text == column)
                    || part
                        .expr
                        .as_ref()
                        .is_some_and(|expr| expr.columns().any(|name| name == column))
            })
        })
    }

    /// The column comes from the parent of a partition, which alone may change it.
    fn inherited(&self, column: &str) -> bool {
        let parents = self
            .table
            .partition
            .iter()
            .map(|partition| &partition.parent)
            .chain(&self.table.inherits);
        parents
            .filter_map(|parent| self.schema.table_at(parent))
            .any(|parent| parent.column(column).is_some())
    }

    /// What is certain to stop a change of a column, also of the same column of children that change with it. `gone` are
    /// columns that are dropped before.
    fn blocking(
        &self,
        column: &str,
        gone: &[&str],
        postgres: u32,
        reaches: impl Fn(&Column) -> bool,
    ) -> Vec<Dependent> {
        let children = if self.alter.only {
            Vec::new()
        } else {
            self.schema.descendants(&self.table.name)
        };
        let children = children
            .into_iter()
            .map(|child| &**child)
            .filter(|child| child.known && child.column(column).is_some_and(&reaches));
        std::iter::once(self.table)
            .chain(children)
            .flat_map(|table| {
                dependents::of_column(self.schema, table, column, gone, postgres).blocking
            })
            .filter(|dependent| dependent.certain)
            .collect()
    }

    /// Columns that the command drops before the sub-command that drops `column`, or all of them.
    fn dropped_before(&self, column: Option<&Ident>) -> Vec<&str> {
        let drops = self.alter.actions.iter().filter_map(|action| match action {
            AlterAction::DropColumn { column, .. } => Some(column),
            _ => None,
        });
        drops
            .take_while(|dropped| column.is_none_or(|column| *dropped != column))
            .map(|column| &*column.text)
            .collect()
    }

    /// A column that cannot be dropped or retyped on its own: its parent has it, or the partition key.
    fn bound_column(&self, column: &Ident) -> Option<Refusal> {
        let reason = if self.inherited(&column.text) {
            "is inherited from a parent"
        } else if self.in_partition_key(&column.text) {
            "belongs to the partition key"
        } else {
            return None;
        };
        Some(Refusal::new("42P16", format!("{column} {reason}")))
    }

    fn drop_column(&self, column: &Ident, if_exists: bool, cascade: bool) -> Option<Refusal> {
        let table = self.table;
        if table.column(&column.text).is_none() {
            return if if_exists {
                None
            } else {
                self.missing_column(column)
            };
        }
        // Before 15 a generated column goes with a column that it is made of.
        let generated = table.column(&column.text)?.generated.as_ref();
        let gone = self.dropped_before(Some(column));
        if self.postgres < 15
            && generated.is_some_and(|made| made.expr.columns().any(|name| gone.contains(&name)))
        {
            return (!if_exists)
                .then(|| Refusal::new("42703", format!("{column} went with what it is made of")));
        }
        if let Some(refusal) = self.bound_column(column) {
            return Some(refusal);
        }
        if cascade {
            return None;
        }
        let blocking = self.blocking(&column.text, &gone, self.postgres, |column| !column.own);
        let first = blocking.first()?;
        let mut refusal = Refusal::new("2BP01", format!("{first} depends on {column}"));
        let lock = LockMode::AccessExclusive;
        let relations = blocking.iter().filter_map(|known| known.relation.clone());
        refusal.locks = relations.map(|relation| (relation, lock)).collect();
        if refusal.locks.is_empty() {
            return Some(refusal);
        }
        Some(refusal.after_children(self.schema, table, lock))
    }

    fn alter_column(&self, column: &Ident, change: &ColumnChange) -> Option<Refusal> {
        let table = self.table;
        if let Some(refusal) = self.missing_column(column) {
            return Some(refusal);
        }
        let known = table.column(&column.text)?;
        let lock = LockMode::AccessExclusive;
        match change {
            ColumnChange::Type { ty, using, .. } => {
                // Columns are dropped before types change, and added behind.
                if self.dropped_here(&column.text) {
                    return Some(Refusal::new(
                        "42703",
                        format!("{} has no column {column} any more", table.name),
                    ));
                }
                if let Some(refusal) = self.bound_column(column) {
                    return Some(refusal);
                }
                let gone = self.dropped_before(None);
                let blocking = self.blocking(&column.text, &gone, 15, |_| true);
                let stops = |dependent: &&Dependent| dependent.kind != dependents::FOREIGN_KEY;
                if let Some(first) = blocking.iter().find(stops) {
                    let generated = first.kind == dependents::GENERATED_COLUMN;
                    let sqlstate = if generated && self.postgres < 15 {
                        "42601"
                    } else {
                        "0A000"
                    };
                    let reason = format!("{first} depends on {column}");
                    let refusal = Refusal::new(sqlstate, reason);
                    return Some(if first.relation.is_some() {
                        refusal.after_children(self.schema, table, lock)
                    } else {
                        refusal
                    });
                }
                self.row_type_user()
                    .or_else(|| self.no_cast(known, ty, using.as_deref()))
            }
            ColumnChange::DropNotNull => {
                let in_key = table.primary_key().is_some_and(|constraint| {
                    key_columns(&constraint.def.kind).contains(&&*column.text)
                });
                // Identity is looked at first.
                if known.identity.is_some() {
                    return Some(Refusal::new(
                        "42601",
                        format!("{column} is an identity column"),
                    ));
                }
                in_key.then(|| {
                    Refusal::new("42P16", format!("{column} belongs to the primary key"))
                })
            }
            ColumnChange::AddIdentity(_) => (!known.not_null
                && !self.alter.actions.iter().any(|action| {
                    matches!(action, AlterAction::AlterColumn(other)
                        if other.column == *column && matches!(other.change, ColumnChange::SetNotNull))
                }))
            .then(|| Refusal::new("55000", format!("{column} is not NOT NULL"))),
            _ => None,
        }
    }

    /// The new type cannot be had from the old one, or the default not from its own.
    fn no_cast(&self, column: &Column, to: &TypeName, using: Option<&Expr>) -> Option<Refusal> {
        let from = column.ty.as_ref()?;
        let default = column
            .default
            .as_ref()
            .filter(|_| !self.loses_default(&column.name));
        let (sqlstate, reason) = types::missing_cast(self.schema, &column.name, from, to, using)
            .or_else(|| types::missing_default_cast(self.schema, from, to, default?))
            .or_else(|| types::unindexable(self.schema, self.table, &column.name, to))?;
        Some(Refusal::new(
            sqlstate,
            format!("{}.{}: {reason}", self.table.name, column.name),
        ))
    }

    /// `DROP DEFAULT` of the same command, which runs before types change.
    fn loses_default(&self, column: &str) -> bool {
        self.alter.actions.iter().any(|action| {
            matches!(action, AlterAction::AlterColumn(other)
                if &*other.column.text == column && matches!(other.change, ColumnChange::DropDefault))
        })
    }

    fn add_constraint(&self, def: &ConstraintDef) -> Option<Refusal> {
        let table = self.table;
        if let Some(name) = &def.name
            && let Some(constraint) = table.constraint(&name.text)
        {
            if !self.goes_here(constraint) {
                // The name of an index is looked for first.
                let index = |kind: &ConstraintKind| {
                    matches!(
                        kind,
                        ConstraintKind::PrimaryKey(_)
                            | ConstraintKind::Unique(_)
                            | ConstraintKind::Exclude { .. }
                    )
                };
                let taken = index(&def.kind) && index(&constraint.def.kind);
                return Some(Refusal::new(
                    if taken { "42P07" } else { "42710" },
                    format!("{} has a constraint {name} already", table.name),
                ));
            }
        }
        match &def.kind {
            ConstraintKind::ForeignKey(foreign) => {
                if let Some(refusal) = foreign.columns.iter().find_map(|c| self.missing_column(c)) {
                    return Some(refusal);
                }
                let referenced = self.schema.resolve(&foreign.table);
                if def.not_valid && table.kind == TableKind::Partitioned && self.postgres < 18 {
                    let mut refusal = Refusal::new(
                        "42809",
                        format!(
                            "{} is partitioned: NOT VALID needs PostgreSQL 18",
                            table.name
                        ),
                    );
                    refusal
                        .locks
                        .push((referenced, LockMode::ShareRowExclusive));
                    return Some(refusal);
                }
                let target = self
                    .schema
                    .table_at(&referenced)
                    .filter(|target| target.known)?;
                let mismatch = || {
                    let types = foreign
                        .columns
                        .iter()
                        .map(|column| self.type_of(&column.text));
                    types::incomparable_key(self.schema, types, target, foreign)
                        .map(|reason| Refusal::new("42804", reason))
                };
                let mut refusal = if foreign.referenced.is_empty() {
                    if target.primary_key().is_some() {
                        mismatch()?
                    } else {
                        Refusal::new("42704", format!("{referenced} has no primary key"))
                    }
                } else if self.is_unique(target, &foreign.referenced) {
                    mismatch()?
                } else {
                    Refusal::new(
                        "42830",
                        format!("no unique constraint of {referenced} matches"),
                    )
                };
                refusal
                    .locks
                    .push((referenced, LockMode::ShareRowExclusive));
                Some(refusal)
            }
            ConstraintKind::Check(_) => {
                if self.alter.only && !def.no_inherit && self.has_children() {
                    return Some(
                        Refusal::new("42P16", "the constraint must be added to children too")
                            .after_children(self.schema, table, LockMode::AccessExclusive),
                    );
                }
                None
            }
            ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => {
                let primary = matches!(def.kind, ConstraintKind::PrimaryKey(_));
                if primary && self.keeps_primary_key() {
                    return Some(self.second_primary_key());
                }
                if let Some(index) = &key.using_index {
                    return self.using_index(index);
                }
                if let Some(refusal) = key.columns.iter().find_map(|c| self.missing_column(c)) {
                    return Some(refusal);
                }
                let types = key
                    .columns
                    .iter()
                    .filter_map(|column| self.type_of(&column.text));
                if let Some(reason) = types::without_order(self.schema, types, "btree") {
                    return Some(Refusal::new("42704", reason));
                }
                self.unpartitioned_key(&key.columns)
            }
            _ => None,
        }
    }

    /// The type that a column has once the columns of the command are added.
    fn type_of(&self, column: &str) -> Option<&TypeName> {
        let added = self.alter.actions.iter().find_map(|action| match action {
            AlterAction::AddColumn(add) if &*add.column.name.text == column => {
                Some(add.column.ty.as_ref())
            }
            // It may become another one before the key is made.
            AlterAction::AlterColumn(change)
                if &*change.column.text == column
                    && matches!(change.change, ColumnChange::Type { .. }) =>
            {
                Some(None)
            }
            _ => None,
        });
        added.unwrap_or_else(|| self.table.column(column)?.ty.as_ref())
    }

    /// True if a unique index or constraint is on exactly these columns, in whatever order.
    fn is_unique(&self, target: &Table, columns: &[Ident]) -> bool {
        let mut wanted: Vec<&str> = columns.iter().map(|column| &*column.text).collect();
        wanted.sort_unstable();
        let same = |mut found: Vec<&str>| {
            found.sort_unstable();
            found == wanted
        };
        let added: Vec<&str> = self
            .alter
            .actions
            .iter()
            .filter_map(|action| match action {
                AlterAction::AddConstraint(def) if target.name == self.table.name => {
                    Some(key_columns(&def.kind))
                }
                _ => None,
            })
            .find(|columns| !columns.is_empty())
            .unwrap_or_default();
        (!added.is_empty() && same(added))
            || target
                .constraints
                .iter()
                .any(|constraint| same(key_columns(&constraint.def.kind)))
            || self.schema.indexes_of(&target.name).any(|index| {
                index.unique && index.predicate.is_none() && same(index.columns().collect())
            })
    }

    fn using_index(&self, name: &Ident) -> Option<Refusal> {
        let key = QualifiedName::new(&self.table.name.schema, &name.text);
        if !is_there(self.schema.relation_at(&key)) {
            return None;
        }
        let index = self
            .schema
            .indexes_of(&self.table.name)
            .find(|index| index.name == key)?;
        let plain = |element: &Element| element.column.is_some() && element.default_order;
        let fits = index.unique && index.predicate.is_none() && index.elements.iter().all(plain);
        (!fits).then(|| Refusal::new("42809", format!("{key} cannot stand for a constraint")))
    }

    fn unpartitioned_key(&self, columns: &[Ident]) -> Option<Refusal> {
        let by = self.table.partition_by.as_ref()?;
        let covered = by.key.iter().all(|part| {
            part.column
                .as_ref()
                .is_some_and(|column| columns.contains(column))
        });
        (!covered).then(|| {
            Refusal::new(
                "0A000",
                format!(
                    "a unique constraint on {} must hold its partition key",
                    self.table.name
                ),
            )
        })
    }
}
