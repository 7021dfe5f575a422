//! `ALTER TABLE` and its sub-commands.

use super::ObjectKind;
use super::expr::Expr;
use super::name::{Ident, Name};
use super::table::{ColumnDef, ConstraintDef, Identity, PartitionOf};
use super::ty::TypeName;
use crate::source::Span;

/// `ALTER TABLE` and the same form for indexes, views, sequences, materialized views and foreign tables.
#[derive(Debug, Clone)]
pub struct AlterTable {
    /// Kind of relation that was named in the command.
    pub object: ObjectKind,
    /// The relation.
    pub name: Name,
    /// `ONLY`.
    pub only: bool,
    /// `IF EXISTS`.
    pub if_exists: bool,
    /// Sub-commands in the order written.
    pub actions: Vec<AlterAction>,
}

/// One sub-command.
#[derive(Debug, Clone)]
pub enum AlterAction {
    /// `ADD COLUMN`.
    AddColumn(Box<AddColumn>),
    /// `DROP COLUMN`.
    DropColumn {
        /// The column.
        column: Ident,
        /// `IF EXISTS`.
        if_exists: bool,
        /// `CASCADE`.
        cascade: bool,
    },
    /// `ALTER COLUMN …`.
    AlterColumn(AlterColumn),
    /// `ADD CONSTRAINT`.
    AddConstraint(Box<ConstraintDef>),
    /// `DROP CONSTRAINT`.
    DropConstraint {
        /// Its name.
        name: Ident,
        /// `IF EXISTS`.
        if_exists: bool,
        /// `CASCADE`.
        cascade: bool,
    },
    /// `VALIDATE CONSTRAINT`.
    ValidateConstraint(Ident),
    /// `ALTER CONSTRAINT`.
    AlterConstraint {
        /// Its name.
        name: Ident,
        /// `ENFORCED` is written (18).
        enforced: bool,
        /// `NOT ENFORCED` is written (18).
        not_enforced: bool,
        /// `INHERIT` or `NO INHERIT` is written (18).
        inheritability: bool,
        /// `DEFERRABLE` or `NOT DEFERRABLE`, if one is written.
        deferrable: Option<bool>,
    },
    /// `ATTACH PARTITION`.
    AttachPartition {
        /// The new partition.
        partition: Name,
        /// Parent (this table) and bound; none for an index.
        bound: Option<PartitionOf>,
    },
    /// `DETACH PARTITION`.
    DetachPartition {
        /// The partition.
        partition: Name,
        /// `CONCURRENTLY`.
        concurrently: bool,
        /// `FINALIZE`.
        finalize: bool,
    },
    /// `INHERIT`, `NO INHERIT`.
    Inherit {
        /// The parent.
        parent: Name,
        /// `NO INHERIT`.
        remove: bool,
    },
    /// `OWNER TO`.
    Owner,
    /// `SET (…)`, `RESET (…)`: names of the storage parameters.
    Options(Vec<Box<str>>),
    /// `SET LOGGED`, `SET UNLOGGED`.
    SetLogged(bool),
    /// `SET TABLESPACE`.
    SetTablespace(Ident),
    /// `SET ACCESS METHOD`; none for the default one.
    SetAccessMethod(Option<Ident>),
    /// `ENABLE`, `DISABLE ROW LEVEL SECURITY`, `FORCE`, `NO FORCE`.
    RowSecurity {
        /// About `FORCE`.
        force: bool,
        /// Switched on.
        on: bool,
    },
    /// `ENABLE`, `DISABLE TRIGGER` in any form; the name if it is not ALL or USER.
    Trigger {
        /// The trigger.
        name: Option<Ident>,
        /// Switched on.
        on: bool,
    },
    /// `ENABLE`, `DISABLE RULE`.
    Rule,
    /// `CLUSTER ON`, `SET WITHOUT CLUSTER`.
    ClusterOn,
    /// `REPLICA IDENTITY`.
    ReplicaIdentity,
    /// `OF type`, `NOT OF`.
    OfType,
    /// Any other, by PostgreSQL's internal name of the sub-command.
    Other(&'static str),
}

/// `ADD COLUMN`.
#[derive(Debug, Clone)]
pub struct AddColumn {
    /// The column.
    pub column: ColumnDef,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
}

/// `ALTER COLUMN`.
#[derive(Debug, Clone)]
pub struct AlterColumn {
    /// The column.
    pub column: Ident,
    /// What is changed.
    pub change: ColumnChange,
}

/// What an `ALTER COLUMN` changes.
#[derive(Debug, Clone)]
pub enum ColumnChange {
    /// `TYPE`.
    Type {
        /// The new type.
        ty: TypeName,
        /// `COLLATE`.
        collation: Option<Box<str>>,
        /// `USING`.
        using: Option<Box<Expr>>,
        /// The sub-command.
        span: Span,
    },
    /// `SET NOT NULL`.
    SetNotNull,
    /// `DROP NOT NULL`.
    DropNotNull,
    /// `SET DEFAULT`.
    SetDefault(Box<Expr>),
    /// `DROP DEFAULT`.
    DropDefault,
    /// `ADD GENERATED … AS IDENTITY`.
    AddIdentity(Identity),
    /// `SET GENERATED` (with what it becomes) and sequence options.
    SetIdentity(Option<Identity>),
    /// `DROP IDENTITY`.
    DropIdentity,
    /// `SET EXPRESSION`.
    SetExpression(Box<Expr>),
    /// `DROP EXPRESSION`.
    DropExpression,
    /// `SET STATISTICS`.
    Statistics,
    /// `SET (…)`, `RESET (…)`.
    Options,
    /// `SET STORAGE`.
    Storage,
    /// `SET COMPRESSION`.
    Compression,
}
