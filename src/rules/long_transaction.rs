use serde::Deserialize;

use crate::diagnostic::Level;
use crate::probe::{Judged, Probing, Session};
use crate::wording::duration;

#[derive(Deserialize)]
struct Row {
    #[serde(flatten)]
    session: Session,
    prepared: Option<String>,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let options = probing.options();
    let (warning, error) = (options.seconds("warning"), options.seconds("error"));
    let rows: Vec<Row> = probing.rows()?;
    for Row { session, prepared } in rows {
        let age = session.age.unwrap_or_default();
        if age < warning {
            continue;
        }
        let open = duration(age);
        let finding = match prepared {
            Some(gid) => probing
                .finding(format!(
                    "the prepared transaction `{gid}` is open for {open} and keeps its locks without a session"
                ))
                .help(format!(
                    "COMMIT PREPARED or ROLLBACK PREPARED '{}', whichever its coordinator wants",
                    gid.replace('\'', "''")
                )),
            None => probing
                .finding(format!(
                    "{} has a transaction open for {open}; {}",
                    session.name(),
                    session.doing()
                ))
                .help(format!("wait for it, or end it: {}", session.ending())),
        };
        probing.report(if age >= error {
            finding.level(Level::Error)
        } else {
            finding
        });
    }
    // A role that may not see other sessions is not shown their times either.
    probing.sees_sessions()
}
