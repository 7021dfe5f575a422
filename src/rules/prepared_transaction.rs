//! See `rules/prepared-transaction.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Statement, Transaction};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    if !matches!(statement.kind, Kind::Transaction(Transaction::Prepare)) {
        return;
    }
    let held: Vec<String> = cx
        .held_locks()
        .iter()
        .filter(|held| held.lock.blocks_writes())
        .map(|held| format!("`{}`", held.relation.short()))
        .collect();
    let kept = if held.is_empty() {
        "its locks".to_owned()
    } else {
        format!("its locks on {}", held.join(", "))
    };
    cx.report(
        Finding::new(
            statement.span,
            format!("the transaction leaves the session and keeps {kept} until somebody sends COMMIT PREPARED, also over a restart"),
        )
        .help("write `COMMIT;`"),
    );
}
