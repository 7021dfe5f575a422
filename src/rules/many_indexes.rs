//! See `rules/many-indexes.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateIndex(create) = &statement.kind else {
        return;
    };
    let most = usize::try_from(cx.int_option("max_indexes")).unwrap_or(usize::MAX);
    let table = cx.resolve(&create.table);
    let before = cx.before().indexes_of(&table).count();
    let after = cx.after().indexes_of(&table).count();
    if after <= most || after == before {
        return;
    }
    let finding = Finding::new(
        statement.span,
        format!(
            "this is index number {after} of `{}`: every INSERT writes all of them",
            create.table
        ),
    )
    .help(
        "look for unused ones in pg_stat_user_indexes, on the standbys too, and drop those first",
    );
    cx.report(finding);
}
