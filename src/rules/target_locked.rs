use serde::Deserialize;

use crate::diagnostic::Level;
use crate::effect::LockMode;
use crate::probe::{Judged, Probing, Session, Target};
use crate::wording::duration;

#[derive(Deserialize)]
struct Row {
    schema: String,
    name: String,
    mode: String,
    granted: bool,
    prepared: Option<String>,
    #[serde(flatten)]
    session: Session,
}

/// Holders that are named one by one.
const NAMED: usize = 5;

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let targets = probing.plan().targets();
    if targets.is_empty() {
        return Ok(());
    }
    let rows: Vec<Row> = probing.rows_on(&targets)?;
    for target in &targets {
        let holders: Vec<(&Row, LockMode)> = rows
            .iter()
            .filter(|row| row.granted && target.is(&row.schema, &row.name))
            .filter_map(|row| Some((row, mode(row)?)))
            .filter(|(_, held)| held.conflicts_with(target.lock))
            .collect();
        report(probing, target, &holders);
    }
    Ok(())
}

fn mode(row: &Row) -> Option<LockMode> {
    LockMode::ALL
        .into_iter()
        .find(|mode| mode.pg_locks_name() == row.mode)
}

/// One finding for a table: its oldest holder in the message, the others in the help.
fn report(probing: &mut Probing<'_>, target: &Target, holders: &[(&Row, LockMode)]) {
    let Some((oldest, held)) = holders.first() else {
        return;
    };
    let table = target.relation.short();
    let wanted = target.lock.with_article();
    let patience = target
        .lock_timeout
        .filter(|limit| *limit > 0)
        .unwrap_or_else(|| probing.options().duration("patience"));
    #[expect(clippy::cast_precision_loss, reason = "no length of time is that long")]
    let patience = patience as f64 / 1_000.0;
    let stays = holders.iter().any(|(row, _)| {
        let idle = row
            .session
            .state
            .as_deref()
            .is_some_and(|state| state.starts_with("idle in transaction"));
        idle || row.prepared.is_some() || row.session.age.is_some_and(|age| age > patience)
    });
    let mut message = format!(
        "the migration needs {wanted} lock on `{table}`, and {} holds {}",
        who(oldest),
        held.as_str()
    );
    if let Some(age) = oldest.session.age {
        message.push_str(&format!(", in a transaction of {}", duration(age)));
    }
    if oldest.prepared.is_none() {
        message.push_str(&format!("; {}", oldest.session.doing()));
    }
    let mut help = match &oldest.prepared {
        Some(gid) => format!(
            "COMMIT PREPARED or ROLLBACK PREPARED '{}' first",
            gid.replace('\'', "''")
        ),
        None => format!("wait for it, or end it: {}", oldest.session.ending()),
    };
    for (row, held) in holders.iter().skip(1).take(NAMED - 1) {
        let age = row.session.age.map_or_else(String::new, |age| {
            format!(", in a transaction of {}", duration(age))
        });
        help.push_str(&format!("\nalso {}: {}{age}", who(row), held.as_str()));
    }
    if holders.len() > NAMED {
        help.push_str(&format!("\nand {} more", holders.len() - NAMED));
    }
    let finding = probing.finding(message).help(help).label(
        target.place,
        format!("takes {wanted} lock on `{table}` here"),
    );
    probing.report(if stays {
        finding.level(Level::Error)
    } else {
        finding
    });
}

fn who(row: &Row) -> String {
    match &row.prepared {
        Some(gid) => format!("the prepared transaction `{gid}`"),
        None => row.session.name(),
    }
}
