//! See `rules/set-local-outside-transaction.md`.

use crate::diagnostic::Certainty;
use crate::layout::Send;
use crate::rule::{Cx, Finding};
use crate::session::TransactionKind;
use crate::statement::Statement;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let step = cx.step();
    let Some(set) = statement.sets().filter(|set| set.local) else {
        return;
    };
    // A block is a transaction of its own.
    if step.is_nested() || step.moment.transaction.kind != TransactionKind::None {
        return;
    }
    let (certainty, who) = match step.moment.message.send {
        Send::Unknown => (
            Certainty::Possible,
            "nothing in this file opens one".to_owned(),
        ),
        _ => (
            Certainty::Certain,
            format!("{} runs this without one", cx.layout().name),
        ),
    };
    let name = &set.name;
    let value = set.value.as_deref().unwrap_or("DEFAULT");
    cx.report(
        Finding::new(
            statement.span,
            format!("SET LOCAL has no effect outside of a transaction, and {who}: `{name}` stays as it was"),
        )
        .certainty(certainty)
        .help(format!(
            "write `SET {name} = '{value}';` and `RESET {name};` at the end, or put BEGIN and COMMIT around what it is for"
        )),
    );
}
