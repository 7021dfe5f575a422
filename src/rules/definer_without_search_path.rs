//! See `rules/definer-without-search-path.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{CreateFunction, Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateFunction(create) = &statement.kind else {
        return;
    };
    // The names of a body in SQL's own syntax are looked up when the function is made.
    let looks_up = !create.atomic && !matches!(&*create.language, "c" | "internal");
    if create.attributes.security_definer != Some(true)
        || create
            .attributes
            .settings
            .iter()
            .any(|name| &**name == "search_path")
        || !looks_up
        || settled_later(cx, create)
    {
        return;
    }
    let name = &create.name;
    let what = if create.procedure {
        "procedure"
    } else {
        "function"
    };
    let finding = Finding::new(
        name.span,
        format!(
            "the SECURITY DEFINER {what} `{name}` finds its tables by the search_path of its caller"
        ),
    )
    .help("add SET search_path = …, pg_temp with the schemas that it needs");
    cx.report(finding);
}

/// A later statement sets it, makes the function anew, or drops it.
fn settled_later(cx: &Cx<'_>, create: &CreateFunction) -> bool {
    cx.later_steps().any(|step| match &step.statement.kind {
        Kind::CreateFunction(later) => later.name.name == create.name.name,
        Kind::Drop(drop) => drop.names.iter().any(|name| name.name == create.name.name),
        Kind::AlterFunction(alter) => {
            let mut settings = alter.attributes.settings.iter();
            alter.name.name == create.name.name && settings.any(|name| &**name == "search_path")
        }
        _ => false,
    })
}
