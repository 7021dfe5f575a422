use serde::Deserialize;

use crate::effect::LockMode;
use crate::probe::{Judged, Probing};
use crate::session::milliseconds;
use crate::statement::quoted;

#[derive(Deserialize)]
struct Row {
    settings: Vec<String>,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let open = probing.plan().steps().find_map(|(step, place)| {
        let limited = step
            .moment
            .lock_timeout
            .is_some_and(|limit| limit.milliseconds > 0);
        let strong = step.effects.list.iter().find(|effect| {
            effect.lock >= LockMode::Share && !step.before.is_fresh(&effect.relation)
        });
        strong.filter(|_| !limited).map(|effect| (effect, place))
    });
    let Some((effect, place)) = open else {
        return Ok(());
    };
    let role = probing.options().text("role");
    let rows: Vec<Row> = probing.rows_for(&role.clone().into())?;
    // Sorted so that the last one wins: the server's, the database's, the role's, the role's in the database.
    let value = rows.iter().rev().find_map(|row| {
        row.settings
            .iter()
            .find_map(|setting| setting.strip_prefix("lock_timeout="))
    });
    if value.is_some_and(|value| milliseconds(value).is_some_and(|limit| limit > 0)) {
        return Ok(());
    }
    let who = if role.is_empty() {
        "the database".to_owned()
    } else {
        format!("the role `{role}`")
    };
    let whom = if role.is_empty() {
        "the migrating role".to_owned()
    } else {
        quoted(&role)
    };
    let table = effect.relation.short();
    let finding = probing
        .finding(format!(
            "nothing limits how long a migration waits for {} lock on `{table}`: its file sets no `lock_timeout`, and {who} has none",
            effect.lock.with_article()
        ))
        .help(format!("ALTER ROLE {whom} SET lock_timeout = '2s'"))
        .label(place, "waits here");
    probing.report(finding);
    Ok(())
}
