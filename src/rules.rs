//! The rules: one module each, and the table that the build script makes of `rules/*.md`.

mod added_column_rewrites_table;
mod broken_revision_graph;
mod change_without_where;
mod check_validating;
mod column_dropped;
mod column_not_deprecated;
mod column_renamed;
mod column_type_narrowed;
mod column_type_rewrite;
mod concurrently_in_transaction;
mod constraint_builds_index;
mod contract_order;
mod ddl_and_data_change;
mod default_evaluated_once;
mod destructive_undocumented;
mod down_fails;
mod down_loses_data;
mod down_not_inverse;
mod duplicate_version;
mod edited_applied_migration;
mod empty_down;
mod empty_migration;
mod enum_label_missing;
mod enum_label_renamed;
mod enum_label_unordered;
mod expired_suppression;
mod foreign_key_type_mismatch;
mod foreign_key_validating;
mod future_version;
mod guard_hides_difference;
mod hardcoded_environment_value;
mod ignored_by_tool;
mod index_drop_not_concurrent;
mod index_not_concurrent;
mod invalid_suppression;
mod irreversible_undocumented;
mod lookalike_character;
mod maintenance_window_required;
mod misnamed_migration;
mod missing_description;
mod missing_down;
mod missing_lock_timeout;
mod missing_statement_timeout;
mod mixed_phases;
mod narrow_key;
mod not_null_without_default;
mod orphan_down;
mod out_of_order_version;
mod psql_command;
mod refresh_not_concurrent;
mod reindex_not_concurrent;
mod risk_undeclared;
mod search_path_leaked;
mod sequence_stays_integer;
mod set_not_null_unproven;
mod statement_fails;
mod syntax_error;
mod table_dropped;
mod table_renamed;
mod table_truncated;
mod timestamp_without_time_zone;
mod unbatched_change;
mod unexplained_suppression;
mod unfilled_placeholder;
mod unnamed_constraint;
mod unpadded_version;
mod unsuitable_type;
mod unsupported_dialect;
mod unused_suppression;
mod validate_in_same_transaction;
mod verification_missing;
mod version_gap;
mod version_taken_on_base;
mod volatile_default;
mod wide_table;

use crate::diagnostic::Level;
use crate::rule::{Category, Check, FixKind, For, On, Rule, RuleOption, Scale};
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
