use serde::Deserialize;

use crate::probe::{Judged, Probing, RefusedKind, Unknown, When, excerpt};
use crate::wording::duration;

#[derive(Deserialize)]
struct Row {
    id: i64,
    name: Option<String>,
    what: String,
    message: Option<String>,
    /// Seconds since it ended; since it began, if it has not.
    age: Option<f64>,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let sql = probing.own_sql()?;
    let rows: Vec<Row> = match probing.try_query(None, sql, None) {
        Ok(rows) => rows,
        Err(refused) => {
            return match refused.kind {
                // No schema, no table, or a version of before 1.4 that notes no runs.
                RefusedKind::Missing => probing.not_asked(),
                RefusedKind::Privilege => Err(Unknown::new(
                    format!(
                        "how the jobs of `pg_cron` stand is not known: the role `{}` does not see those of other roles",
                        probing.server().user
                    ),
                    "ask as a superuser or as a role with BYPASSRLS",
                )),
                _ => Err(probing.not_known(&refused)),
            };
        }
    };
    let within = probing.options().seconds("within");
    for row in rows {
        let age = row.age.unwrap_or_default();
        let name = excerpt(row.name.as_deref().unwrap_or_default());
        let name = if name.is_empty() {
            format!("{}", row.id)
        } else {
            name
        };
        let (message, help) = match row.what.as_str() {
            "failed" if age > within => continue,
            "failed" => {
                let told = row.message.unwrap_or_default();
                let told = told.split(['\n', '\r']).next().unwrap_or_default().trim();
                let told = told.trim_end_matches('.').replace('`', "'");
                (
                    format!("the job {name} failed {} ago: {told}", duration(age)),
                    "find out why, then let it run again",
                )
            }
            "twice" => (
                format!(
                    "the job {name} runs twice at the same time, the older run since {}",
                    duration(age)
                ),
                "let it run less often, or find out what it waits for",
            ),
            _ if probing.when() == When::Pre => (
                format!("the job {name} is at work since {}", duration(age)),
                "wait until it has ended, and let it pause while the migration runs",
            ),
            _ => continue,
        };
        let finding = probing.finding(message).help(help);
        probing.report(finding);
    }
    Ok(())
}
