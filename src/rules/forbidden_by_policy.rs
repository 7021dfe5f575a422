//! See `rules/forbidden-by-policy.md`.

use crate::policy::{Forbidden, Pattern, Policy, new_names};
use crate::rule::{Cx, Finding};
use crate::source::Span;
use crate::statement::{ColumnChange, Expr, ExprKind, Kind, Statement, TypeName};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let settings = cx.settings();
    for policy in &settings.policies {
        match policy {
            Policy::Forbid {
                what,
                pattern,
                message,
            } => {
                for (span, said) in uses(cx, statement, *what, pattern) {
                    let help = message.clone().unwrap_or_else(|| {
                        format!(
                            "the team's policy forbids what matches `{}`",
                            pattern.as_str()
                        )
                    });
                    cx.report(Finding::new(span, said).help(help));
                }
            }
            Policy::Schemas(allowed) => outside(cx, statement, allowed),
            Policy::Names { .. } | Policy::RequiredColumn { .. } => {}
        }
    }
}

/// New objects in other schemas than those allowed.
fn outside(cx: &mut Cx<'_>, statement: &Statement, allowed: &[String]) {
    for (kind, name, whole) in new_names(statement) {
        let Some(whole) = whole else { continue };
        let schema = cx.before().creation_name(&whole, false).schema;
        let is_temporary = matches!(&statement.kind, Kind::CreateTable(create)
            if create.persistence == crate::statement::Persistence::Temporary);
        if is_temporary || &*schema == "pg_temp" || allowed.iter().any(|one| **one == *schema) {
            continue;
        }
        let said = format!(
            "the {} `{name}` goes into the schema `{schema}`",
            kind.as_str()
        );
        let names: Vec<String> = allowed.iter().map(|one| format!("`{one}`")).collect();
        let help = format!("the team's policy allows {}", names.join(", "));
        cx.report(Finding::new(whole.span, said).help(help));
    }
}

/// Places where something forbidden is used, with what to say.
fn uses(
    cx: &Cx<'_>,
    statement: &Statement,
    what: Forbidden,
    pattern: &Pattern,
) -> Vec<(Span, String)> {
    match what {
        Forbidden::Statement => {
            let found = pattern.is_in(statement.tag);
            let said = format!("{} is forbidden here", statement.tag);
            found
                .then_some((statement.span, said))
                .into_iter()
                .collect()
        }
        Forbidden::Object => {
            let list = &cx.effects().list;
            let found = list.iter().find(|effect| {
                let relation = &effect.relation;
                pattern.is_in(&format!("{}.{}", relation.schema, relation.name))
            });
            let said = found.map(|effect| {
                let relation = effect.relation.short();
                format!("this {} touches `{relation}`", statement.tag)
            });
            said.map(|said| (statement.span, said))
                .into_iter()
                .collect()
        }
        Forbidden::Type => types(statement)
            .into_iter()
            .filter(|ty| pattern.is_in(&ty.name) || pattern.is_in(&ty.to_string()))
            .map(|ty| (ty.span, format!("the type {ty} is forbidden here")))
            .collect(),
        Forbidden::Function => statement
            .written_columns()
            .flat_map(|(_, column)| {
                let default = column.default.iter();
                default.chain(column.generated.iter().map(|generated| &generated.expr))
            })
            .flat_map(Expr::walk)
            .filter_map(|expr| match &expr.kind {
                ExprKind::Call { name, .. } if pattern.is_in(name) => Some((
                    expr.span,
                    format!("the function `{name}` is forbidden here"),
                )),
                _ => None,
            })
            .collect(),
    }
}

/// Types that a statement gives to columns.
fn types(statement: &Statement) -> Vec<&TypeName> {
    let of_columns = statement
        .written_columns()
        .filter_map(|(_, column)| column.ty.as_ref());
    let changed = statement
        .altered_columns()
        .filter_map(|(_, alter)| match &alter.change {
            ColumnChange::Type { ty, .. } => Some(ty),
            _ => None,
        });
    of_columns.chain(changed).collect()
}
