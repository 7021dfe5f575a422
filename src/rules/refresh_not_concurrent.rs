//! See `rules/refresh-not-concurrent.md`.

use crate::diagnostic::Place;
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
        "refresh it CONCURRENTLY".to_owned()
    } else {
        format!("refresh it CONCURRENTLY, which needs a unique index on columns of {name} first")
    };
    let effects = cx.effects().list.clone();
    let words = ["REFRESH", "MATERIALIZED", "VIEW"];
    let steps = if view.is_some() && has_key {
        let text = cx.with_behind(statement, &words, " CONCURRENTLY");
        text.map_or_else(Vec::new, |text| cx.remedy([(Place::Instead, text)]))
    } else {
        Vec::new()
    };
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
        .steps(steps)
        .fix_if(fix)
        .effects(effects),
    );
}
