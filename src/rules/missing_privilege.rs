use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;

use crate::probe::{Judged, Probing, Unknown};
use crate::statement::{Kind, QualifiedName, quoted};

#[derive(Deserialize)]
struct Row {
    problem: String,
    schema: String,
    name: Option<String>,
    owner: Option<String>,
}

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let configured = probing.options().text("role");
    let role = probing.outside().role.clone().unwrap_or(configured);
    let (mut changed, mut schemas) = (BTreeSet::new(), BTreeSet::new());
    for (step, _) in probing.plan().steps() {
        match &step.statement.kind {
            Kind::AlterTable(alter) => {
                changed.insert(step.before.resolve(&alter.name));
            }
            Kind::CreateIndex(create) => {
                changed.insert(step.before.resolve(&create.table));
            }
            Kind::Drop(drop) => {
                changed.extend(drop.names.iter().map(|name| step.before.resolve(name)));
            }
            Kind::Rename(rename) => {
                changed.insert(step.before.resolve(&rename.relation));
            }
            Kind::CreateTable(create) => {
                schemas.insert(step.before.creation_name(&create.name, false).schema);
            }
            Kind::CreateView(create) => {
                schemas.insert(step.before.creation_name(&create.name, false).schema);
            }
            _ => {}
        }
    }
    let mut asked: Vec<_> = changed
        .iter()
        .map(|name| json!({"role": role, "schema": name.schema, "name": name.name}))
        .collect();
    asked.extend(
        schemas
            .iter()
            .map(|schema| json!({"role": role, "schema": schema, "name": null})),
    );
    if asked.is_empty() {
        return Ok(());
    }
    if role.is_empty() {
        return Err(Unknown::new(
            "whether the migrations may do what they do is not known: nothing says which role runs them",
            "name it: `--migration-role ROLE`, or `missing-privilege: { role: … }` in lockgate.yaml",
        ));
    }
    let rows: Vec<Row> = probing.rows_for(&asked.into())?;
    for row in rows {
        let to = quoted(&role);
        let (message, help) = match (row.problem.as_str(), &row.name) {
            ("role", _) => (
                format!("there is no role `{role}` on this server"),
                "correct --migration-role, or `missing-privilege: { role: … }` in lockgate.yaml"
                    .to_owned(),
            ),
            ("owner", Some(name)) => {
                let owner = row.owner.unwrap_or_default();
                let name = QualifiedName::new(&row.schema, name).short();
                (
                    format!("the role `{role}` does not own `{name}`, `{owner}` does"),
                    format!(
                        "GRANT {} TO {to}, or let `{owner}` run the migration",
                        quoted(&owner)
                    ),
                )
            }
            _ => (
                format!(
                    "the role `{role}` may not create anything in the schema `{}`",
                    row.schema
                ),
                format!("GRANT CREATE ON SCHEMA {} TO {to}", quoted(&row.schema)),
            ),
        };
        let is_role = row.problem == "role";
        let finding = probing.finding(message).help(help);
        probing.report(finding);
        if is_role {
            break;
        }
    }
    Ok(())
}
