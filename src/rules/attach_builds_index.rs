//! See `rules/attach-builds-index.md`.

use crate::effect;
use crate::rule::{Cx, Finding};
use crate::statement::Statement;
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (to, partition, _) in statement.attached_partitions() {
        let (parent, child) = (cx.resolve(to), cx.resolve(partition));
        let Some(table) = cx.before().table_at(&child).filter(|table| table.known) else {
            continue;
        };
        if cx.is_foreign(partition) || cx.effects().fails.is_some() {
            continue;
        }
        let missing = effect::index::missing_on_attach(cx.before(), &parent, table);
        let Some(first) = missing.first() else {
            continue;
        };
        let names = wording::names(missing.iter().map(|index| index.name.short()));
        let help = match (&first.constraint, missing.len()) {
            (Some(_), _) => format!(
                "give `{partition}` the constraint before, from an index that is built CONCURRENTLY"
            ),
            (None, 1) => {
                format!("CREATE INDEX CONCURRENTLY one like it on {partition} before the attach")
            }
            _ => format!("CREATE INDEX CONCURRENTLY those on {partition} before the attach"),
        };
        let effects = cx.effects().list.clone();
        cx.report(
            Finding::new(
                statement.span,
                format!(
                    "attaching `{partition}` builds its part of {names} under an ACCESS EXCLUSIVE lock on it: its reads and writes wait"
                ),
            )
            .on(partition)
            .help(help)
            .effects(effects),
        );
    }
}
