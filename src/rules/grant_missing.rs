//! See `rules/grant-missing.md`.

use std::collections::BTreeSet;

use crate::replay::{Fact, Replay};
use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Persistence, QualifiedName, Statement};

/// With fewer siblings there is no habit to speak of.
const FEWEST: usize = 3;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateTable(create) = &statement.kind else {
        return;
    };
    let name = cx.after().resolve(&create.name);
    let end = cx.at_the_end();
    let stays = end.table_at(&name).is_some_and(|table| {
        table.persistence == Persistence::Permanent && table.partition.is_none()
    });
    if !stays {
        return;
    }
    let grants = cx.fact::<Grants>();
    let silent = grants.unreadable || grants.schemas.contains(&name.schema);
    if silent || grants.tables.len() < FEWEST || grants.tables.contains(&name) {
        return;
    }
    let mut siblings = 0;
    for table in cx.before().tables() {
        let counts = table.name.schema == name.schema
            && table.known
            && table.partition.is_none()
            && end.table_at(&table.name).is_some();
        if counts && !grants.tables.contains(&table.name) {
            return;
        }
        siblings += usize::from(counts);
    }
    if siblings < FEWEST {
        return;
    }
    let table = &create.name;
    let finding = Finding::new(
        table.span,
        format!(
            "`{table}` gets no grant, as all {} tables made before it in `{}` did",
            siblings, name.schema
        ),
    )
    .help(format!(
        "GRANT … ON {table} TO the roles that use its siblings"
    ));
    cx.report(finding);
}

/// What the history grants.
#[derive(Default)]
struct Grants {
    /// The tables that its grants name.
    tables: BTreeSet<QualifiedName>,
    /// Schemas with a grant on all their tables.
    schemas: BTreeSet<Box<str>>,
    /// It sets default privileges, or grants in a way that cannot be read: it does not show what a table has.
    unreadable: bool,
}

impl Fact for Grants {
    fn gather(replay: &Replay<'_>) -> Self {
        let mut found = Self::default();
        for step in &replay.steps {
            match &step.statement.kind {
                Kind::Grant {
                    grant: true,
                    names,
                    all_in_schema,
                    ..
                } => {
                    if *all_in_schema {
                        found
                            .schemas
                            .extend(names.iter().map(|name| name.name.clone()));
                    }
                    let tables = names.iter().map(|name| step.before.resolve(name));
                    found.tables.extend(tables);
                }
                Kind::Do if !step.statement.dynamic.is_empty() => found.unreadable = true,
                _ if step.statement.tag == "ALTER DEFAULT PRIVILEGES" => found.unreadable = true,
                _ => {}
            }
        }
        found
    }
}
