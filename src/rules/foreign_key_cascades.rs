//! See `rules/foreign-key-cascades.md`.

use crate::rule::{Cx, Finding};
use crate::statement::table::ReferentialAction;
use crate::statement::{ConstraintDef, ConstraintKind, Name, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, def) in statement.written_constraints() {
        report(cx, table, def);
    }
}

fn report(cx: &mut Cx<'_>, table: &Name, def: &ConstraintDef) {
    let ConstraintKind::ForeignKey(key) = &def.kind else {
        return;
    };
    let parent = &key.table;
    let what = if key.on_delete == ReferentialAction::Cascade {
        format!("a DELETE on `{parent}` deletes rows of `{table}` as well")
    } else if key.on_update == ReferentialAction::Cascade {
        format!("an UPDATE of a key of `{parent}` changes rows of `{table}` as well")
    } else {
        return;
    };
    cx.report(
        Finding::new(def.span, what)
            .help("RESTRICT stops it, so that the application says what goes"),
    );
}
