//! See `rules/sequence-stays-integer.md`.

use crate::diagnostic::Place;
use crate::rule::{Cx, Finding};
use crate::schema::{Relation, Schema, Sequence};
use crate::statement::{ColumnChange, QualifiedName, Statement, TypeName, quoted};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, alter) in statement.altered_columns() {
        let ColumnChange::Type { ty, .. } = &alter.change else {
            continue;
        };
        if !ty.is("int8") && !ty.is("numeric") {
            continue;
        }
        let column = &alter.column.text;
        let Some(sequence) = narrow_sequence(cx.before(), &cx.resolve(table), column) else {
            continue;
        };
        // Somebody thought of it, here or in a later migration.
        let mended = narrow_at(cx.at_the_end(), &sequence.name).is_none();
        if mended || cx.effects().fails.is_some() {
            continue;
        }
        let limit = sequence
            .ty
            .as_ref()
            .map_or("", |ty| if ty.is("int2") { "32767" } else { "2147483647" });
        let name = sequence.name.short();
        cx.report(
            Finding::new(
                alter.column.span,
                format!(
                    "`{}` of `{table}` becomes {ty}, but its sequence `{name}` still ends at {limit}: the next key after that fails",
                    quoted(column)
                ),
            )
            .on(table)
            .help("change the sequence too")
            .steps(cx.remedy([(Place::Behind, format!("ALTER SEQUENCE {name} AS bigint"))])),
        );
    }
}

/// The sequence that a column takes its values from, if it ends before bigint does.
fn narrow_sequence<'s>(
    schema: &'s Schema,
    table: &QualifiedName,
    column: &str,
) -> Option<&'s Sequence> {
    let column = schema.table_at(table)?.column(column)?;
    // The sequence of an identity column follows its column (measured).
    if column.identity.is_some() {
        return None;
    }
    narrow_at(schema, column.sequence.as_ref()?)
}

fn narrow_at<'s>(schema: &'s Schema, name: &QualifiedName) -> Option<&'s Sequence> {
    let Some(Relation::Sequence(sequence)) = schema.relation_at(name) else {
        return None;
    };
    let narrow = |ty: &TypeName| ty.is("int4") || ty.is("int2");
    sequence.ty.as_ref().is_some_and(narrow).then_some(sequence)
}
