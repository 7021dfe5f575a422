use serde::Deserialize;
use serde_json::json;

use crate::probe::{Judged, Probing};
use crate::wording::duration;

#[derive(Deserialize)]
struct Row {
    application: Option<String>,
    user: Option<String>,
    sessions: u64,
    age: Option<f64>,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let options = probing.options();
    let given = |name: &str| Some(options.text(name)).filter(|text| !text.is_empty());
    let (application, current) = (given("application"), given("current"));
    let deployed = probing.outside().deployed;
    if application.is_none() && current.is_none() && deployed.is_none() {
        return probing.not_asked();
    }
    probing.sees_sessions()?;
    let asked = json!({"application": application, "current": current, "deployed": deployed});
    let rows: Vec<Row> = probing.rows_for(&asked)?;
    for row in rows {
        let plain = |text: Option<String>| text.unwrap_or_default().replace('`', "'");
        let (name, user) = (plain(row.application), plain(row.user));
        let who = if name.is_empty() {
            "without an application_name".to_owned()
        } else {
            format!("of `{name}`")
        };
        let sessions = match row.sessions {
            1 => "1 session".to_owned(),
            number => format!("{number} sessions"),
        };
        let verb = if row.sessions == 1 { "runs" } else { "run" };
        let finding = probing
            .finding(format!(
                "{sessions} {who} (role `{user}`) still {verb}, the oldest since {}",
                duration(row.age.unwrap_or_default())
            ))
            .help("restart or end the old instances of the application, then ask again");
        probing.report(finding);
    }
    Ok(())
}
