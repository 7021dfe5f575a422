//! The rules: one module each, and the table that the build script makes of `rules/*.md`.

mod added_column_rewrites_table;
mod blocked_session;
mod broken_migration_state;
mod broken_revision_graph;
mod change_without_where;
mod check_validating;
mod column_dropped;
mod column_renamed;
mod column_still_queried;
mod column_type_narrowed;
mod column_type_rewrite;
mod concurrent_migration;
mod concurrently_in_transaction;
mod constraint_builds_index;
mod ddl_and_data_change;
mod dependent_object;
mod disabled_trigger;
mod duplicate_version;
mod empty_down;
mod expired_suppression;
mod few_connections_left;
mod foreign_key_validating;
mod ignored_by_tool;
mod index_drop_not_concurrent;
mod index_in_use;
mod index_not_concurrent;
mod invalid_index;
mod invalid_suppression;
mod large_target;
mod long_transaction;
mod misnamed_migration;
mod missing_down;
mod missing_lock_timeout;
mod missing_privilege;
mod missing_statement_timeout;
mod not_null_without_default;
mod old_snapshot;
mod refresh_not_concurrent;
mod reindex_not_concurrent;
mod replica_lagging;
mod role_without_timeout;
mod schema_drift;
mod set_not_null_unproven;
mod slot_behind;
mod stalled_archiving;
mod syntax_error;
mod table_dropped;
mod table_renamed;
mod table_truncated;
mod target_locked;
mod transaction_pooler;
mod unbatched_change;
mod unexplained_suppression;
mod unfit_session;
mod unnamed_constraint;
mod unsupported_dialect;
mod unused_suppression;
mod unvalidated_constraint;
mod validate_in_same_transaction;
mod violated_constraint;
mod volatile_default;
mod wraparound_vacuum;

use crate::diagnostic::Level;
use crate::probe::{Probe, When};
use crate::rule::{Category, Check, FixKind, For, On, Rule, RuleOption};
use crate::settings::Strictness;

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// The rule of that id.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static Rule> {
    RULES
        .binary_search_by(|rule| rule.id.cmp(id))
        .ok()
        .map(|index| &RULES[index])
}
