//! Bits of the number fields that are sets, from `catalog/pg_trigger.h` and `nodes/parsenodes.h`.

/// `CreateTrigStmt.timing`: before the event; neither this nor `INSTEAD` is after it.
pub(crate) const TRIGGER_TYPE_BEFORE: i16 = 1 << 1;
/// `CreateTrigStmt.events`: `INSERT`.
pub(crate) const TRIGGER_TYPE_INSERT: i16 = 1 << 2;
/// `CreateTrigStmt.events`: `DELETE`.
pub(crate) const TRIGGER_TYPE_DELETE: i16 = 1 << 3;
/// `CreateTrigStmt.events`: `UPDATE`.
pub(crate) const TRIGGER_TYPE_UPDATE: i16 = 1 << 4;
/// `CreateTrigStmt.events`: `TRUNCATE`.
pub(crate) const TRIGGER_TYPE_TRUNCATE: i16 = 1 << 5;
/// `CreateTrigStmt.timing`: instead of the event.
pub(crate) const TRIGGER_TYPE_INSTEAD: i16 = 1 << 6;

/// `TableLikeClause.options`: check constraints; not-null constraints are copied in any case.
pub(crate) const CREATE_TABLE_LIKE_CONSTRAINTS: u32 = 1 << 2;
/// `TableLikeClause.options`: defaults.
pub(crate) const CREATE_TABLE_LIKE_DEFAULTS: u32 = 1 << 3;
/// `TableLikeClause.options`: generation expressions.
pub(crate) const CREATE_TABLE_LIKE_GENERATED: u32 = 1 << 4;
/// `TableLikeClause.options`: identity.
pub(crate) const CREATE_TABLE_LIKE_IDENTITY: u32 = 1 << 5;
/// `TableLikeClause.options`: indexes with their constraints.
pub(crate) const CREATE_TABLE_LIKE_INDEXES: u32 = 1 << 6;
