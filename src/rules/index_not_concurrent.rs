//! See `rules/index-not-concurrent.md`.

use crate::rule::{Cx, Finding};
use crate::schema::TableKind;
use crate::statement::{Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateIndex(create) = &statement.kind else {
        return;
    };
    let builds = cx
        .effects()
        .list
        .iter()
        .any(|effect| effect.work.index_build);
    if create.concurrently || !builds {
        return;
    }
    let table = &create.table;
    let partitioned = cx
        .before()
        .table(table)
        .is_some_and(|table| table.kind == TableKind::Partitioned);
    let index = create
        .name
        .as_ref()
        .map_or_else(|| "the index".to_owned(), |name| format!("`{name}`"));
    let help = if partitioned {
        format!(
            "CONCURRENTLY is refused on a partitioned table: create the index ON ONLY {table}, build one CONCURRENTLY on each \
             partition, then ALTER INDEX … ATTACH PARTITION"
        )
    } else {
        format!(
            "build it CONCURRENTLY, alone in its migration; {}",
            cx.runner().way_out
        )
    };
    let effects = cx.effects().list.clone();
    cx.report(
        Finding::new(
            statement.span,
            format!(
                "building {index} holds a SHARE lock on `{table}`: writes wait until it is built"
            ),
        )
        .on(table)
        .help(help)
        .effects(effects),
    );
}
