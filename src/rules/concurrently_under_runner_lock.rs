//! See `rules/concurrently-under-runner-lock.md`.

use crate::diagnostic::Certainty;
use crate::layout::RunnerLock;
use crate::replay::{Fact, Replay};
use crate::rule::{Cx, Finding};
use crate::statement::{AlterAction, Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    if !waits_for_snapshots(statement)
        || cx.refusal().is_some()
        || cx.step().is_nested()
        || cx.effects().fails.is_some()
    {
        return;
    }
    // Where one has run, the tool is set up for it.
    let first = cx.fact::<FirstWait>().0;
    if first.is_some_and(|first| first < cx.step().migration) {
        return;
    }
    let tool = cx.layout().applied.tool;
    let finding = match cx.runner().lock {
        RunnerLock::Harmless => return,
        RunnerLock::Waiting if !cx.bool_option("replicas") => return,
        RunnerLock::Waiting => Finding::new(
            statement.span,
            format!(
                "a second {tool} that starts meanwhile waits for the lock of this one, and this waits for its snapshot: PostgreSQL ends one of them as a deadlock"
            ),
        )
        .help("let one process run the migrations, not each replica at its start"),
        RunnerLock::Transaction(setting) => {
            let settings = &cx.history().found.settings;
            let off = settings
                .get(setting)
                .is_some_and(|value| value.eq_ignore_ascii_case("false"));
            if off {
                return;
            }
            let said = settings.contains_key(setting);
            Finding::new(
                statement.span,
                format!(
                    "{tool} holds its lock in a transaction that is open all the time, and this waits for older transactions: it never ends"
                ),
            )
            .certainty(if said { Certainty::Certain } else { Certainty::Possible })
            .help(format!("set `{setting}=false`, in the tool's configuration where Lockgate sees it"))
        }
    };
    cx.report(finding);
}

/// The first migration with such a statement.
struct FirstWait(Option<usize>);

impl Fact for FirstWait {
    fn gather(replay: &Replay<'_>) -> Self {
        let mut migrations = replay.history.migrations.iter();
        Self(migrations.position(|migration| migration.statements.iter().any(waits_for_snapshots)))
    }
}

/// True for the statements that wait until every older snapshot is gone, whatever it has looked at.
fn waits_for_snapshots(statement: &Statement) -> bool {
    match &statement.kind {
        Kind::CreateIndex(create) => create.concurrently,
        Kind::Reindex(reindex) => reindex.concurrently,
        Kind::Drop(drop) => drop.concurrently,
        Kind::AlterTable(_) => statement.alter_actions().any(|(_, action)| {
            matches!(
                action,
                AlterAction::DetachPartition {
                    concurrently: true,
                    ..
                }
            )
        }),
        _ => false,
    }
}
