//! See `rules/foreign-key-type-mismatch.md`.

use crate::effect::coercion;
use crate::effect::types;
use crate::rule::{Cx, Finding};
use crate::source::Span;
use crate::statement::{
    ColumnDef, ConstraintDef, ConstraintKind, ForeignKey, Ident, Kind, Name, Statement, TypeName,
    quoted,
};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    if cx.effects().fails.is_some() {
        return;
    }
    if let Kind::CreateTable(create) = &statement.kind {
        for column in &create.columns {
            at_column(cx, &create.name, column);
        }
        for def in &create.constraints {
            let type_of = |name: &Ident| {
                let column = create.columns.iter().find(|column| column.name == *name)?;
                column.ty.clone()
            };
            at_table(cx, &create.name, def, type_of);
        }
    }
    for (table, add) in statement.added_columns() {
        at_column(cx, table, &add.column);
    }
    for (table, def) in statement.added_constraints() {
        // As the columns are behind the whole statement.
        let after = cx.after();
        let type_of = |name: &Ident| after.table(table)?.column(&name.text)?.ty.clone();
        at_table(cx, table, def, type_of);
    }
}

fn at_column(cx: &mut Cx<'_>, table: &Name, column: &ColumnDef) {
    for def in &column.constraints {
        if let (ConstraintKind::ForeignKey(key), Some(ty)) = (&def.kind, &column.ty) {
            compare(cx, table, key, &column.name, 0, ty, def.span);
        }
    }
}

fn at_table(
    cx: &mut Cx<'_>,
    table: &Name,
    def: &ConstraintDef,
    type_of: impl Fn(&Ident) -> Option<TypeName>,
) {
    if let ConstraintKind::ForeignKey(key) = &def.kind {
        for (index, column) in key.columns.iter().enumerate() {
            if let Some(ty) = type_of(column) {
                compare(cx, table, key, column, index, &ty, def.span);
            }
        }
    }
}

fn compare(
    cx: &mut Cx<'_>,
    table: &Name,
    key: &ForeignKey,
    column: &Ident,
    index: usize,
    own: &TypeName,
    span: Span,
) {
    let schema = cx.before();
    let Some(target) = schema.table(&key.table) else {
        return;
    };
    let referenced = key
        .referenced
        .get(index)
        .map(|column| column.text.clone())
        .or_else(|| {
            let primary = target.primary_key()?;
            let ConstraintKind::PrimaryKey(primary) = &primary.def.kind else {
                return None;
            };
            Some(primary.columns.get(index)?.text.clone())
        });
    let Some(theirs) =
        referenced.and_then(|name| Some((name.clone(), target.column(&name)?.ty.clone()?)))
    else {
        return;
    };
    let (name, theirs) = theirs;
    let (own, _) = coercion::under_domains(schema, own);
    let own = own.serial_base().map_or(own.clone(), TypeName::builtin);
    let (theirs, _) = coercion::under_domains(schema, &theirs);
    let text = |ty: &TypeName| ty.is("text") || ty.is("varchar");
    let same = own.name == theirs.name && own.schema == theirs.schema;
    if same || (text(&own) && text(&theirs)) || own.is_unknown() || theirs.is_unknown() {
        return;
    }
    let shown = quoted(&column.text);
    let what = if types::narrows(&theirs, &own) == Some(true) {
        format!(
            "which takes in more: rows of `{}` with larger values cannot be referenced",
            key.table
        )
    } else {
        "another type: every check and every join converts one of them".to_owned()
    };
    cx.report(
        Finding::new(
            span,
            format!(
                "`{shown}` of `{table}` is {own} and references `{name}` of `{}`, {theirs}, {what}",
                key.table
            ),
        )
        .on(table)
        .help(format!("make {shown} {theirs}")),
    );
}
