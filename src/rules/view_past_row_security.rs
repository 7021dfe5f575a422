//! See `rules/view-past-row-security.md`.

use std::collections::BTreeSet;

use crate::replay::{Fact, Replay};
use crate::rule::{Cx, Finding, bare_words};
use crate::statement::{AlterAction, Kind, QualifiedName, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateView(create) = &statement.kind else {
        return;
    };
    let protected = create.query.reads.iter().find(|read| {
        let table = cx.before().resolve(read);
        cx.at_the_end()
            .table_at(&table)
            .is_some_and(|table| table.row_security)
    });
    let Some(table) = protected else { return };
    let invoker = bare_words(statement)
        .iter()
        .any(|(_, word)| word.eq_ignore_ascii_case("security_invoker"));
    let name = cx.after().resolve(&create.name);
    if invoker || cx.fact::<Altered>().0.contains(&name) {
        return;
    }
    let finding = Finding::new(
        create.name.span,
        format!(
            "the view `{}` reads `{table}` with the rights of its owner, past the row level security of the table",
            create.name
        ),
    )
    .help("CREATE VIEW … WITH (security_invoker = true) AS …");
    cx.report(finding);
}

/// The views whose `security_invoker` some statement sets.
struct Altered(BTreeSet<QualifiedName>);

impl Fact for Altered {
    fn gather(replay: &Replay<'_>) -> Self {
        let altered = replay.steps.iter().flat_map(|step| {
            let actions = step.statement.alter_actions();
            actions.filter_map(|(view, action)| match action {
                AlterAction::Options(options)
                    if options.iter().any(|option| &**option == "security_invoker") =>
                {
                    Some(step.before.resolve(view))
                }
                _ => None,
            })
        });
        Self(altered.collect())
    }
}
