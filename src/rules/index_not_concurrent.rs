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
    let mut wanted = statement.clone();
    if let Kind::CreateIndex(create) = &mut wanted.kind {
        create.concurrently = true;
    }
    let (help, fix) = if partitioned {
        let help = format!(
            "CONCURRENTLY is refused on a partitioned table: create the index ON ONLY {table}, build one CONCURRENTLY on each \
             partition, then ALTER INDEX … ATTACH PARTITION"
        );
        (help, None)
    } else {
        let help = match cx.way_out_for(&wanted) {
            Some(way_out) => {
                format!("build it CONCURRENTLY, which no transaction may surround: {way_out}")
            }
            None => "build it CONCURRENTLY".to_owned(),
        };
        let words = ["CREATE", "UNIQUE?", "INDEX"];
        (help, cx.concurrently(statement, &wanted, &words))
    };
    let on = if partitioned {
        format!("`{table}` and its partitions")
    } else {
        format!("`{table}`")
    };
    let effects = cx.effects().list.clone();
    cx.report(
        Finding::new(
            statement.span,
            format!("building {index} holds a SHARE lock on {on}: writes wait until it is built"),
        )
        .on(table)
        .help(help)
        .fix_if(fix)
        .effects(effects),
    );
}
