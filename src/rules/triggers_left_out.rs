//! See `rules/triggers-left-out.md`.

use crate::diagnostic::Place;
use crate::rule::{Cx, Finding};
use crate::session::TransactionKind;
use crate::statement::Statement;

const SETTING: &str = "session_replication_role";

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Some(set) = statement.sets() else { return };
    let value = set.value.as_deref().unwrap_or_default();
    if &*set.name != SETTING || set.local || !value.eq_ignore_ascii_case("replica") {
        return;
    }
    let is_back = cx.later_in_migration().iter().any(|later| {
        later.statement.tag == "DISCARD ALL"
            || later.statement.sets().is_some_and(|set| {
                let value = set.value.as_deref().unwrap_or_default();
                matches!(&*set.name, SETTING | "all") && !value.eq_ignore_ascii_case("replica")
            })
    });
    if is_back {
        return;
    }
    let local = "SET LOCAL session_replication_role = replica".to_owned();
    let steps = if cx.moment().transaction.kind == TransactionKind::None {
        Vec::new()
    } else {
        cx.remedy([(Place::Instead, local)])
    };
    let finding = Finding::new(
        statement.span,
        "no trigger fires and no foreign key is checked for the rest of the session, also behind this migration",
    )
    .help("set it inside of the transaction that needs it, and for that alone")
    .steps(steps);
    cx.report(finding);
}
