//! See `rules/gin-jsonb-default-opclass.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateIndex(create) = &statement.kind else {
        return;
    };
    if &*create.method != "gin" {
        return;
    }
    let table = cx.before().table(&create.table);
    let column = create.elements.iter().find_map(|element| {
        let name = element
            .column
            .as_ref()
            .filter(|_| element.opclass.is_none())?;
        let ty = table?.column(&name.text)?.ty.as_ref()?;
        ty.is("jsonb").then_some(name)
    });
    let Some(name) = column else { return };
    let finding = Finding::new(
        statement.span,
        format!("a GIN index on the jsonb column `{name}` without an operator class enters every key and value by itself"),
    )
    .help(format!(
        "write ({name} jsonb_path_ops) if the queries use @>, ({name} jsonb_ops) if they ask for keys"
    ));
    cx.report(finding);
}
