use crate::diagnostic::Level;
use crate::probe::{Judged, Probing};

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let server = probing.server();
    let (major, checked) = (server.major(), probing.settings().postgres);
    if server.standby {
        let finding = probing
            .finding("the server is a standby, and migrations run on its primary")
            .help(
                "connect to the primary: several hosts with `target_session_attrs=primary` find it",
            );
        probing.report(finding);
    }
    if major != checked {
        let finding = probing
            .finding(format!(
                "the files are checked for PostgreSQL {checked}, and the server is {major}"
            ))
            .help(format!("write `postgres: {major}` into lockgate.yaml"));
        // What newer versions do without a lock or a scan, an older one may not.
        probing.report(finding.level(if checked > major {
            Level::Warning
        } else {
            Level::Info
        }));
    }
    if server.superuser {
        let finding = probing
            .finding(format!("the role `{}` is a superuser", server.user))
            .help("ask as a role that is a member of pg_monitor: CREATE ROLE lockgate LOGIN; GRANT pg_monitor TO lockgate")
            .level(Level::Info);
        probing.report(finding);
    }
    Ok(())
}
