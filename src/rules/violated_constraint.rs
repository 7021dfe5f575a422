use serde::Deserialize;

use crate::probe::{Demand, Judged, Probing, RefusedKind, Unknown};

#[derive(Deserialize)]
struct Row {
    rows: f64,
}

#[derive(Deserialize)]
struct One {}

const SIZE: &str = "SELECT c.reltuples::float8 AS rows FROM json_to_record($1::json) AS t(schema text, name text) \
    JOIN pg_namespace n ON n.nspname = t.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.name \
    WHERE c.relkind IN ('r', 'p')";

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    #[expect(clippy::cast_precision_loss, reason = "a threshold")]
    let most = probing.options().int("rows") as f64;
    let (demands, not_understood) = probing.plan().demands();
    for unknown in not_understood {
        probing.unknown(unknown);
    }
    for demand in demands {
        let name = serde_json::json!({"schema": demand.table.schema, "name": demand.table.name});
        let sizes: Vec<Row> = probing.query(SIZE, Some(&name.to_string()))?;
        // A table that is not there yet has no rows.
        let Some(size) = sizes.first() else { continue };
        if size.rows > most {
            probing.unknown(Unknown::new(
                format!("whether rows of `{}` break {} is not known: the table is too large to read now", demand.table.short(), demand.what),
                format!("ask a replica or at a quiet time: {}", demand.query),
            ));
            continue;
        }
        judge(probing, &demand);
    }
    Ok(())
}

fn judge(probing: &mut Probing<'_>, demand: &Demand) {
    let table = demand.table.short();
    let what = &demand.what;
    match probing.try_query::<One>(Some(&demand.before()), &demand.query, None) {
        Ok(rows) if rows.is_empty() => {}
        Ok(_) => {
            let finding = probing
                .finding(format!("rows of `{table}` break {what}"))
                .help(format!("find and correct them: {}", demand.query))
                .label(demand.place, "meets them");
            probing.report(finding);
        }
        // A column that the same plan adds.
        Err(refused) if refused.kind == RefusedKind::Missing => {}
        Err(refused) => {
            let user = &probing.server().user;
            let (reason, help) = match refused.kind {
                RefusedKind::Privilege => (
                    format!("the role `{user}` may not read it"),
                    format!("GRANT SELECT ON {table} TO {user}"),
                ),
                RefusedKind::Locked => (
                    "somebody keeps the table locked".to_owned(),
                    "ask again when the lock is gone".to_owned(),
                ),
                RefusedKind::Slow => (
                    "reading it takes longer than a probe may".to_owned(),
                    format!("ask a replica or at a quiet time: {}", demand.query),
                ),
                _ => (
                    refused.message.clone(),
                    format!("ask by hand: {}", demand.query),
                ),
            };
            probing.unknown(Unknown::new(
                format!("whether rows of `{table}` break {what} is not known: {reason}"),
                help,
            ));
        }
    }
}
