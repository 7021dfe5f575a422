//! See `rules/table-without-row-security.md`.

use crate::diagnostic::Place;
use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Persistence, Statement, quoted};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateTable(create) = &statement.kind else {
        return;
    };
    if create.persistence == Persistence::Temporary || create.foreign {
        return;
    }
    let table = &create.name;
    let name = cx.after().resolve(table);
    let Some(end) = cx.at_the_end().table_at(&name) else {
        return;
    };
    let asked = cx.list_option("schemas").contains(&name.schema.to_string());
    let missing = if !end.row_security {
        "ENABLE"
    } else if cx.bool_option("force") && !end.force_row_security {
        "FORCE"
    } else {
        return;
    };
    if !asked {
        return;
    }
    let what = if missing == "FORCE" {
        "does not hold for its owner"
    } else {
        "is off"
    };
    let mut sql = format!("ALTER TABLE {table} {missing} ROW LEVEL SECURITY;");
    if missing == "ENABLE" && end.policies.is_empty() {
        // Without a policy nobody but the owner sees a row.
        let policy = quoted(&format!("{}_rows", table.name));
        sql.push_str(&format!("\nCREATE POLICY {policy} ON {table} USING (…);"));
    }
    let steps = cx.remedy([(Place::Behind, sql)]);
    let finding = Finding::new(
        table.span,
        format!("row level security of the new table `{table}` {what}"),
    )
    .help("switch it on in the same migration")
    .steps(steps);
    cx.report(finding);
}
