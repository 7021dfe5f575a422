use serde::Deserialize;

use crate::diagnostic::Level;
use crate::probe::{Judged, Probing, Session};
use crate::sql;
use crate::statement::Kind;

#[derive(Deserialize)]
struct Row {
    #[serde(flatten)]
    session: Session,
    /// It holds an advisory lock.
    advisory: bool,
    /// It keeps a table locked as a schema change does.
    strong: bool,
    building: bool,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let rows: Vec<Row> = probing.rows()?;
    for row in rows {
        let session = &row.session;
        let open = session
            .state
            .as_deref()
            .is_some_and(|state| state != "idle");
        let changes = row.strong
            || row.building
            || open && changes_schema(session.query.as_deref().unwrap_or(""));
        let message = if changes && open {
            format!("{} changes the schema; {}", session.name(), session.doing())
        } else if row.advisory {
            format!(
                "{} holds an advisory lock, as migration tools do; {}",
                session.name(),
                session.doing()
            )
        } else {
            continue;
        };
        let finding = probing
            .finding(message)
            .help("wait until it is done, or make sure that it is no migration");
        probing.report(if changes && open {
            finding.level(Level::Error)
        } else {
            finding
        });
    }
    probing.sees_sessions()
}

/// True if a statement of the text changes the schema of something that is not temporary.
fn changes_schema(query: &str) -> bool {
    let likely = [
        "CREATE", "ALTER", "DROP", "REINDEX", "CLUSTER", "VACUUM", "TRUNCATE", "REFRESH",
    ];
    let first = query
        .split_whitespace()
        .next()
        .unwrap_or("")
        .to_ascii_uppercase();
    if !likely.contains(&first.as_str()) {
        return false;
    }
    sql::parse_text(query).statements.iter().any(|statement| {
        !matches!(
            &statement.kind,
            Kind::Vacuum { full: false, .. } | Kind::Select(_) | Kind::Unparsed
        ) && !matches!(&statement.kind, Kind::CreateTable(create)
            if create.persistence == crate::statement::Persistence::Temporary)
    })
}
