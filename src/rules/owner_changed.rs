//! See `rules/owner-changed.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{AlterAction, Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let object = match &statement.kind {
        Kind::OwnerTo(_, name) => Some(name),
        Kind::AlterTable(alter) => {
            let changes = alter
                .actions
                .iter()
                .any(|action| matches!(action, AlterAction::Owner));
            changes.then_some(&alter.name)
        }
        _ => None,
    };
    let what = match object {
        Some(name) => {
            format!("`{name}` gets an owner by name, who has to be there in every environment")
        }
        None if statement.tag == "REASSIGN OWNED" => {
            "everything that the role owns in this database gets another owner".to_owned()
        }
        None => return,
    };
    let finding = Finding::new(statement.span, what)
        .help("run the migrations as the role that is to own them");
    cx.report(finding);
}
