use serde::Deserialize;

use crate::diagnostic::Level;
use crate::probe::{Judged, Probing};
use crate::statement::{Kind, QualifiedName};

#[derive(Deserialize)]
struct Row {
    schema: String,
    name: String,
    table_schema: String,
    table: String,
    partitioned: bool,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let rows: Vec<Row> = probing.rows()?;
    for row in rows {
        let index = QualifiedName::new(&row.schema, &row.name).short();
        let table = QualifiedName::new(&row.table_schema, &row.table).short();
        if row.partitioned {
            let finding = probing
                .finding(format!(
                    "the index `{index}` of the partitioned table `{table}` is not valid: a partition lacks its part"
                ))
                .help("build the missing parts and ALTER INDEX … ATTACH PARTITION them")
                .level(Level::Warning);
            probing.report(finding);
            continue;
        }
        let mut finding = probing
            .finding(format!("the index `{index}` on `{table}` is not valid"))
            .help(format!(
                "DROP INDEX CONCURRENTLY {index}, then build it again"
            ));
        let again = probing.plan().steps().find(|(step, _)| {
            matches!(&step.statement.kind, Kind::CreateIndex(create)
                if create.name.as_ref().is_some_and(|name| *name.text == *row.name))
        });
        if let Some((step, place)) = again {
            let guarded =
                matches!(&step.statement.kind, Kind::CreateIndex(create) if create.if_not_exists);
            finding = finding.label(
                place,
                if guarded {
                    "does nothing as long as the invalid one is there"
                } else {
                    "fails as long as the invalid one is there"
                },
            );
        }
        probing.report(finding);
    }
    Ok(())
}
