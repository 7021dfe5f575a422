use crate::layout::Direction;
use crate::probe::{Judged, Probing, ToolState};

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    for planned in &probing.plan().projects {
        let table = match &planned.state {
            ToolState::Known(applied) => format!("`{}`", applied.table),
            ToolState::Fresh => "the tool's own table, which is not there".to_owned(),
            ToolState::Unknown(_) | ToolState::Given => continue,
        };
        let migrations = &planned.replay.history.migrations;
        let open = migrations
            .iter()
            .zip(&planned.pending)
            .filter(|(migration, open)| **open && migration.direction == Direction::Up);
        for (migration, _) in open {
            let finding = probing
                .finding(format!(
                    "the migration `{}` is not in {table}",
                    migration.version
                ))
                .help("read the tool's output, and run it again")
                .label(migration.location(), "this one");
            probing.report(finding);
        }
    }
    Ok(())
}
