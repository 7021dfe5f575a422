//! See `rules/refresh-not-concurrent.md`.

use crate::rule::{Cx, Finding};
use crate::schema::Relation;
use crate::statement::{Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::RefreshMaterializedView(refresh) = &statement.kind else {
        return;
    };
    let view = match cx.before().relation(&refresh.name) {
        Some(Relation::View(view)) => Some(view),
        _ => None,
    };
    let is_empty = view.is_some_and(|view| !view.populated);
    if refresh.concurrently || !refresh.with_data || is_empty {
        return;
    }
    let name = &refresh.name;
    let has_key = view.is_none_or(|view| {
        cx.before().indexes_of(&view.name).any(|index| {
            index.unique
                && index.predicate.is_none()
                && index.columns().count() == index.elements.len()
        })
    });
    let help = if has_key {
        format!("REFRESH MATERIALIZED VIEW CONCURRENTLY {name}")
    } else {
        format!(
            "REFRESH MATERIALIZED VIEW CONCURRENTLY {name}, which needs a unique index on columns of {name} first"
        )
    };
    let effects = cx.effects().list.clone();
    let words = ["REFRESH", "MATERIALIZED", "VIEW"];
    let mut wanted = statement.clone();
    if let Kind::RefreshMaterializedView(refresh) = &mut wanted.kind {
        refresh.concurrently = true;
    }
    let fix = match view {
        Some(_) if has_key => cx.concurrently(statement, &wanted, &words),
        _ => None,
    };
    cx.report(
        Finding::new(
            statement.span,
            format!("refreshing `{name}` holds an ACCESS EXCLUSIVE lock on it: reads wait until it is filled"),
        )
        .on(name)
        .help(help)
        .fix_if(fix)
        .effects(effects),
    );
}
