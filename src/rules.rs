//! The rules: one module each, and the table that the build script makes of `rules/*.md`.

mod access_method_rewrite;
mod added_column_rewrites_table;
mod attach_builds_index;
mod attach_checks_foreign_key;
mod attach_scans_partition;
mod broken_revision_graph;
mod change_without_where;
mod check_validating;
mod column_dropped;
mod column_renamed;
mod column_type_narrowed;
mod column_type_rewrite;
mod concurrently_in_transaction;
mod concurrently_on_partitioned;
mod concurrently_under_timeout;
mod constraint_builds_index;
mod ddl_and_data_change;
mod default_partition_created;
mod default_partition_scanned;
mod detach_not_concurrent;
mod detach_with_default_partition;
mod domain_constraint_scan;
mod duplicate_index;
mod duplicate_version;
mod empty_down;
mod expired_suppression;
mod explicit_table_lock;
mod expression_index_without_analyze;
mod foreign_key_drop_locks_parent;
mod foreign_key_locks_parent;
mod foreign_key_validating;
mod foreign_key_without_index;
mod generation_expression_rewrite;
mod gin_jsonb_default_opclass;
mod identity_on_partitioned;
mod ignored_by_tool;
mod index_drop_not_concurrent;
mod index_dropped_before_replacement;
mod index_expression_not_immutable;
mod index_hidden_by_guard;
mod index_never_attached;
mod index_not_concurrent;
mod invalid_suppression;
mod key_without_partition_key;
mod logged_change_rewrite;
mod low_cardinality_index;
mod many_indexes;
mod many_tables_locked;
mod misnamed_migration;
mod missing_down;
mod missing_lock_timeout;
mod missing_statement_timeout;
mod name_cut_off;
mod needed_index_dropped;
mod not_null_without_default;
mod partition_drop_locks_parent;
mod partition_of_locks_parent;
mod redundant_index;
mod refresh_concurrently_refused;
mod refresh_not_concurrent;
mod reindex_not_concurrent;
mod repeated_index_column;
mod repeated_table_pass;
mod set_not_null_unproven;
mod syntax_error;
mod table_dropped;
mod table_renamed;
mod table_repacked;
mod table_truncated;
mod tablespace_move;
mod trigger_disabled;
mod unbatched_change;
mod unexplained_suppression;
mod unique_index_may_fail;
mod unique_over_nullable;
mod unlogged_partitioned;
mod unnamed_constraint;
mod unsupported_dialect;
mod unused_suppression;
mod validate_in_same_transaction;
mod volatile_default;
mod wide_index;
mod work_while_table_locked;

use crate::diagnostic::Level;
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
