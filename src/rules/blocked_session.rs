use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::diagnostic::Level;
use crate::probe::{Judged, Probing, Session};
use crate::wording::duration;

#[derive(Deserialize)]
struct Row {
    #[serde(flatten)]
    session: Session,
    /// Seconds; none for a session that waits for nobody.
    waits: Option<f64>,
    blockers: Option<Vec<i32>>,
}

/// Victims that are named one by one.
const NAMED: usize = 5;

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let options = probing.options();
    let (warning, error) = (options.seconds("warning"), options.seconds("error"));
    let rows: Vec<Row> = probing.rows()?;
    let sessions: BTreeMap<i32, &Row> = rows
        .iter()
        .filter_map(|row| Some((row.session.pid?, row)))
        .collect();
    let mut victims: BTreeMap<i32, Vec<&Row>> = BTreeMap::new();
    for row in rows
        .iter()
        .filter(|row| row.waits.is_some_and(|waits| waits >= warning))
    {
        for root in roots(row, &sessions) {
            victims.entry(root).or_default().push(row);
        }
    }
    for (root, mut waiting) in victims {
        waiting.sort_by(|a, b| {
            b.waits
                .unwrap_or_default()
                .total_cmp(&a.waits.unwrap_or_default())
        });
        let longest = waiting
            .first()
            .and_then(|row| row.waits)
            .unwrap_or_default();
        let who = match (root, sessions.get(&root)) {
            // The number that PostgreSQL gives for a prepared transaction.
            (0, _) => "a prepared transaction".to_owned(),
            (_, Some(row)) => format!("{} ({})", row.session.name(), row.session.doing()),
            (pid, None) => format!("session {pid}"),
        };
        let count = match waiting.len() {
            1 => "1 session waits".to_owned(),
            number => format!("{number} sessions wait"),
        };
        let mut help = match root {
            0 => "find it in pg_prepared_xacts, and COMMIT PREPARED or ROLLBACK PREPARED it"
                .to_owned(),
            pid => format!("let it finish, or end it: SELECT pg_terminate_backend({pid})"),
        };
        for row in waiting.iter().take(NAMED) {
            help.push_str(&format!(
                "\n{} waits for {}; {}",
                row.session.name(),
                duration(row.waits.unwrap_or_default()),
                row.session.doing()
            ));
        }
        if waiting.len() > NAMED {
            help.push_str(&format!("\nand {} more", waiting.len() - NAMED));
        }
        let finding = probing
            .finding(format!(
                "{count} for {who}, the longest for {}",
                duration(longest)
            ))
            .help(help);
        probing.report(if longest >= error {
            finding.level(Level::Error)
        } else {
            finding
        });
    }
    probing.sees_sessions()
}

/// The sessions at the end of all chains from one that waits; in a deadlock there is none but itself.
fn roots(row: &Row, sessions: &BTreeMap<i32, &Row>) -> BTreeSet<i32> {
    let mut roots = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut open: Vec<i32> = row.blockers.clone().unwrap_or_default();
    while let Some(pid) = open.pop() {
        if !seen.insert(pid) {
            continue;
        }
        match sessions.get(&pid).and_then(|row| row.blockers.as_ref()) {
            Some(further) => open.extend(further),
            None => {
                roots.insert(pid);
            }
        }
    }
    roots
}
