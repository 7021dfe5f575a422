//! See `rules/unlogged-partitioned.md`.

use crate::diagnostic::Level;
use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Persistence, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateTable(create) = &statement.kind else {
        return;
    };
    if create.persistence != Persistence::Unlogged || create.partition_by.is_none() {
        return;
    }
    let name = &create.name;
    let refused = cx.postgres() >= 18;
    let message = if refused {
        format!("`{name}` is partitioned: PostgreSQL 18 refuses UNLOGGED for it")
    } else {
        format!(
            "`{name}` is partitioned: UNLOGGED changes nothing, its partitions are logged, and PostgreSQL 18 refuses it"
        )
    };
    let mut finding = Finding::new(statement.span, message)
        .help("leave it out here, and write CREATE UNLOGGED TABLE for each partition");
    if refused {
        finding = finding.level(Level::Error);
    }
    cx.report(finding);
}
