//! See `rules/definer-without-search-path.md`.

use std::collections::BTreeMap;

use crate::replay::{Fact, Replay};
use crate::rule::{Cx, Finding};
use crate::statement::{CreateFunction, Kind, Name, Statement};

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
    let settled = cx.fact::<Settled>();
    settled.0.get(&create.name.name) > Some(&cx.place())
}

/// The last step that settles the matter, by the function's name.
struct Settled(BTreeMap<Box<str>, usize>);

impl Fact for Settled {
    fn gather(replay: &Replay<'_>) -> Self {
        let mut last = BTreeMap::new();
        for (index, step) in replay.forward() {
            let mut settle = |name: &Name| last.insert(name.name.clone(), index);
            match &step.statement.kind {
                Kind::CreateFunction(create) => {
                    settle(&create.name);
                }
                Kind::Drop(drop) => drop.names.iter().for_each(|name| {
                    settle(name);
                }),
                Kind::AlterFunction(alter) => {
                    let mut settings = alter.attributes.settings.iter();
                    if settings.any(|name| &**name == "search_path") {
                        settle(&alter.name);
                    }
                }
                _ => {}
            }
        }
        Self(last)
    }
}
