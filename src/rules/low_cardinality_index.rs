//! See `rules/low-cardinality-index.md`.

use crate::rule::{Cx, Finding};
use crate::schema::TypeKind;
use crate::statement::{Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateIndex(create) = &statement.kind else {
        return;
    };
    let [element] = create.elements.as_slice() else {
        return;
    };
    if create.unique || create.predicate.is_some() || &*create.method != "btree" {
        return;
    }
    let Some(name) = &element.column else { return };
    let Some(ty) = cx
        .before()
        .table(&create.table)
        .and_then(|table| table.column(&name.text))
        .and_then(|column| column.ty.as_ref())
        .filter(|ty| ty.dimensions == 0)
    else {
        return;
    };
    let labels = match cx
        .before()
        .type_named(ty.schema.as_deref(), &ty.name)
        .map(|ty| &ty.kind)
    {
        Some(TypeKind::Enum(labels)) => labels.len(),
        _ if ty.is("bool") => 2,
        _ => return,
    };
    // With many labels each may be rare.
    if labels > 8 {
        return;
    }
    let finding = Finding::new(
        statement.span,
        format!(
            "`{name}` of `{}` has {labels} values: an index on it alone serves only the rare ones of them",
            create.table
        ),
    )
    .help(format!(
        "index the rare rows: … ON {} (…) WHERE {name} = …",
        create.table
    ));
    cx.report(finding);
}
