//! See `rules/partition-of-locks-parent.md`.

use crate::diagnostic::Place;
use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateTable(create) = &statement.kind else {
        return;
    };
    let Some(of) = &create.partition_of else {
        return;
    };
    let (parent, name) = (&of.parent, &create.name);
    let Some(effect) = cx.effect_on(parent).cloned() else {
        return;
    };
    if cx.is_new(parent) || !effect.lock.blocks_reads() || cx.effects().fails.is_some() {
        return;
    }
    let plain = create.columns.is_empty() && create.partition_by.is_none() && !create.if_not_exists;
    let steps = if plain {
        cx.remedy([(
            Place::Instead,
            format!(
                "CREATE TABLE {name} (LIKE {parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES);\n\
                 ALTER TABLE {parent} ATTACH PARTITION {name} {};",
                bound(&of.bound)
            ),
        )])
    } else {
        Vec::new()
    };
    let finding = Finding::new(
        statement.span,
        format!(
            "creating `{name}` as a partition takes {} lock on all of `{parent}`: reads and writes queue behind it until the transaction ends",
            effect.lock.with_article()
        ),
    )
    .help("make a plain table like it and attach that, which stops neither reads nor writes")
    .steps(steps)
    .effects(cx.effects().list.clone());
    cx.report(finding);
}

/// The bound on one line, as it is written behind the partition.
fn bound(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.eq_ignore_ascii_case("default") {
        text
    } else {
        format!("FOR VALUES {text}")
    }
}
