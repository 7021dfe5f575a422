use serde::Deserialize;
use serde_json::Value;

use crate::probe::{Judged, Probing, RefusedKind, Unknown};
use crate::statement::{QualifiedName, quoted};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    schema: String,
    name: String,
    parent_schema: String,
    parent: String,
    key: String,
    /// MATCH FULL: a row in which only some columns are NULL breaks it.
    full: bool,
    /// It compares ranges.
    period: bool,
    not_valid: bool,
    columns: Vec<String>,
    referenced: Vec<String>,
    operators: Vec<String>,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let rows: Vec<Row> = probing.rows()?;
    for row in rows {
        let table = QualifiedName::new(&row.schema, &row.name).short();
        let head = format!(
            "whether `{table}` has rows without a parent by `{}` is not known",
            row.key
        );
        if row.period {
            probing.unknown(Unknown::new(
                format!("{head}: the key compares ranges of time"),
                "ask by hand",
            ));
            continue;
        }
        match probing.try_query::<Value>(Some(&row.before()), &row.query(), None) {
            Ok(found) if found.is_empty() => {}
            Ok(_) => {
                let parent = QualifiedName::new(&row.parent_schema, &row.parent).short();
                let why = if row.not_valid {
                    "is not validated"
                } else {
                    "has a trigger that is switched off"
                };
                let finding = probing
                    .finding(format!(
                        "rows of `{table}` have no parent in `{parent}`: `{}` {why}",
                        row.key
                    ))
                    .help("give them a parent or delete them");
                probing.report(finding);
            }
            Err(refused) => probing.unknown(match refused.kind {
                RefusedKind::Privilege => Unknown::new(
                    format!(
                        "{head}: the role `{}` may not read it",
                        probing.server().user
                    ),
                    format!(
                        "GRANT SELECT ON {}, {} TO {}",
                        row.child(),
                        row.parent(),
                        quoted(&probing.server().user)
                    ),
                ),
                RefusedKind::Slow => Unknown::new(
                    format!("{head}: none was found within the time a probe may take"),
                    "ask by hand; an index on the columns of the key helps",
                ),
                RefusedKind::Locked => Unknown::new(
                    format!("{head}: somebody keeps the table locked"),
                    "ask again when the lock is gone",
                ),
                RefusedKind::Lost => return Ok(()),
                RefusedKind::Missing | RefusedKind::Other => Unknown {
                    reason: format!("{head}: {}", refused.message),
                    help: None,
                },
            }),
        }
    }
    Ok(())
}

impl Row {
    fn child(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.name))
    }

    fn parent(&self) -> String {
        format!("{}.{}", quoted(&self.parent_schema), quoted(&self.parent))
    }

    /// Takes the locks without waiting for them.
    fn before(&self) -> String {
        format!(
            "LOCK TABLE {}, {} IN ACCESS SHARE MODE NOWAIT",
            self.child(),
            self.parent()
        )
    }

    fn query(&self) -> String {
        let present: Vec<String> = self
            .columns
            .iter()
            .map(|own| format!("x.{} IS NOT NULL", quoted(own)))
            .collect();
        let pairs = self.referenced.iter().zip(&self.operators);
        let same: Vec<String> = pairs
            .zip(&self.columns)
            .map(|((other, operator), own)| {
                format!("y.{} {operator} x.{}", quoted(other), quoted(own))
            })
            .collect();
        format!(
            "SELECT 1 AS one FROM {} x WHERE ({}) AND NOT EXISTS (SELECT FROM {} y WHERE {}) LIMIT 1",
            self.child(),
            present.join(if self.full { " OR " } else { " AND " }),
            self.parent(),
            same.join(" AND ")
        )
    }
}
