//! See `rules/table-repacked.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Name, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let (command, tables): (&str, Vec<&Name>) = match &statement.kind {
        Kind::Vacuum {
            tables,
            vacuum: true,
            full: true,
            ..
        } => ("VACUUM FULL", tables.iter().collect()),
        Kind::Cluster(table) => ("CLUSTER", table.iter().collect()),
        _ => return,
    };
    let help = if command == "CLUSTER" {
        "pg_repack and pg_squeeze order a table while it is used"
    } else {
        "VACUUM without FULL makes the space usable again and stops nobody; pg_repack and pg_squeeze give it back while the table is used"
    };
    let finding = |message: String| {
        Finding::new(statement.span, message)
            .help(help)
            .effects(cx.effects().list.clone())
    };
    if tables.is_empty() {
        let which = if command == "CLUSTER" {
            "every table that was clustered before"
        } else {
            "every table of the database"
        };
        let finding = finding(format!(
            "{command} writes {which} anew under an ACCESS EXCLUSIVE lock: reads and writes wait"
        ));
        cx.report(finding);
        return;
    }
    for table in tables {
        if cx.is_new(table) {
            continue;
        }
        let finding = finding(format!(
            "{command} writes `{table}` and its indexes anew under an ACCESS EXCLUSIVE lock: reads and writes wait"
        ))
        .on(table);
        cx.report(finding);
        return;
    }
}
