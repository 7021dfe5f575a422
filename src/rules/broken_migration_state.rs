use crate::probe::{Judged, Probing, ToolState};
use crate::wording::names;

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    for planned in &probing.plan().projects {
        let applied = match &planned.state {
            ToolState::Fresh | ToolState::Given => continue,
            ToolState::Unknown(unknown) => {
                probing.unknown(unknown.clone());
                continue;
            }
            ToolState::Known(applied) => applied,
        };
        let table = &applied.table;
        for row in &applied.migrations {
            if let Some(trouble) = &row.trouble {
                let finding = probing
                    .finding(format!("`{table}` has version {}: {trouble}", row.version))
                    .help("see what it did, finish or undo it by hand, then tell the tool");
                probing.report(finding);
            }
        }
        if let Some(who) = &applied.locked {
            let finding = probing
                .finding(format!(
                    "the lock of the migration tool beside `{table}` is held by {who}"
                ))
                .help("wait for that run; if it is dead, release the lock with the tool's own command");
            probing.report(finding);
        }
        if !applied.missing.is_empty() {
            let finding = probing
                .finding(format!(
                    "`{table}` has versions that no file has: {}",
                    names(&applied.missing)
                ))
                .help("check out the version of the files that was deployed last, or restore the deleted files");
            probing.report(finding);
        }
        for (place, version) in &applied.changed {
            let finding = probing
                .finding(format!(
                    "the file of version {version} is not the one that ran: `{table}` has another checksum"
                ))
                .help("restore the file as it was, and put the change into a new migration")
                .label(*place, "changed since it ran");
            probing.report(finding);
        }
    }
    Ok(())
}
