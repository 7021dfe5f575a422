//! See `rules/view-options-lost.md`.

use crate::rule::{Cx, Finding};
use crate::schema::Relation;
use crate::statement::{Kind, Statement};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateView(create) = &statement.kind else {
        return;
    };
    let name = &create.name;
    let key = cx.resolve(name);
    let Some(Relation::View(old)) = cx.before().relation_at(&key) else {
        return;
    };
    let Some(Relation::View(new)) = cx.after_migration().relation_at(&key) else {
        return;
    };
    if !create.or_replace || old.created.batch == cx.before().batch() {
        return;
    }
    let lost: Vec<&str> = old
        .options
        .iter()
        .map(|option| &**option)
        .filter(|option| matches!(*option, "security_invoker" | "security_barrier"))
        .filter(|option| !new.options.iter().any(|kept| &**kept == *option))
        .collect();
    if lost.is_empty() {
        return;
    }
    let list = lost.join(", ");
    cx.report(
        Finding::new(
            name.span,
            format!(
                "`{name}` loses {}: OR REPLACE keeps no option that is not written again",
                wording::names(&lost)
            ),
        )
        .label(old.created.location, "the view was made here")
        .help(format!(
            "write WITH ({list}) behind the name, or {list} = false if that is meant"
        ))
        .effects(cx.effects().list.clone()),
    );
}
