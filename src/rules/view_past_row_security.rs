//! See `rules/view-past-row-security.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{AlterAction, Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateView(create) = &statement.kind else {
        return;
    };
    // Asked first: hardly any table has policies, and the rest looks through the whole history.
    let protected = create.query.reads.iter().find(|read| {
        let table = cx.before().resolve(read);
        cx.at_the_end()
            .table_at(&table)
            .is_some_and(|table| table.row_security)
    });
    let Some(table) = protected else { return };
    let invoker = cx
        .bare_words(statement)
        .iter()
        .any(|(_, word)| word.eq_ignore_ascii_case("security_invoker"));
    let name = cx.after().resolve(&create.name);
    let set_later = cx.all_steps().iter().any(|step| {
        let sets = step.statement.alter_actions().any(|(_, action)| {
            matches!(action, AlterAction::Options(options)
                if options.iter().any(|option| &**option == "security_invoker"))
        });
        let of_view = matches!(&step.statement.kind, Kind::AlterTable(alter)
            if step.before.resolve(&alter.name) == name);
        sets && of_view
    });
    if invoker || set_later {
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
