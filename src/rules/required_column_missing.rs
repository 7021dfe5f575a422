//! See `rules/required-column-missing.md`.

use crate::policy::Policy;
use crate::rule::{Cx, Finding};
use crate::schema::Column;
use crate::statement::{Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateTable(create) = &statement.kind else {
        return;
    };
    let settings = cx.settings();
    // A partition has the columns of its table, and those of a typed one are the type's.
    let is_bound = create.partition_of.is_some() || create.of_type.is_some();
    if settings.policies.is_empty() || is_bound {
        return;
    }
    // A later statement of the migration may add the column.
    let made = cx.before().creation_name(&create.name, false);
    let Some(table) = cx.after_migration().table_at(&made).cloned() else {
        return;
    };
    if table.is_temporary() || !table.known {
        return;
    }
    for policy in &settings.policies {
        let Policy::RequiredColumn {
            name,
            ty,
            not_null,
            tables,
            message,
        } = policy
        else {
            continue;
        };
        let concerned = tables
            .as_ref()
            .is_none_or(|pattern| pattern.is_in(&create.name.name));
        if !concerned {
            continue;
        }
        let wanted = format!(
            "{name}{}{}",
            ty.as_ref().map_or(String::new(), |ty| format!(" {ty}")),
            if *not_null { " NOT NULL" } else { "" }
        );
        let said = match table.column(name) {
            None => format!("`{}` has no column `{name}`", create.name),
            Some(column) if !has_type(column, ty.as_deref()) => format!(
                "`{name}` of `{}` is not of the type {}",
                create.name,
                ty.as_deref().unwrap_or_default()
            ),
            Some(column) if *not_null && !column.not_null => {
                format!("`{name}` of `{}` may be NULL", create.name)
            }
            Some(_) => continue,
        };
        let help = message
            .clone()
            .unwrap_or_else(|| format!("the team's policy asks for `{wanted}`"));
        cx.report(Finding::new(create.name.span, said).help(help));
    }
}

/// True for the type as PostgreSQL or SQL spells it; an unknown type may be it.
fn has_type(column: &Column, wanted: Option<&str>) -> bool {
    let (Some(wanted), Some(ty)) = (wanted, &column.ty) else {
        return true;
    };
    let wanted = match wanted.to_ascii_lowercase().as_str() {
        "timestamp with time zone" => "timestamptz".to_owned(),
        "timestamp without time zone" => "timestamp".to_owned(),
        "character varying" => "varchar".to_owned(),
        wanted => wanted.to_owned(),
    };
    ty.is_unknown() || wanted == *ty.name || wanted == ty.to_string()
}
