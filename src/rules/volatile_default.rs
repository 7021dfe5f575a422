//! See `rules/volatile-default.md`.

use crate::diagnostic::{Certainty, Place, Step};
use crate::effect::column::{self, Rewrite};
use crate::rule::{Cx, Finding};
use crate::statement::{ColumnDef, Name, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, add) in cx.new_columns(statement) {
        let cost = column::add(&add.column, cx.before(), cx.postgres());
        let Some(Rewrite::VolatileDefault(function)) = cost.rewrite else {
            continue;
        };
        let name = &add.column.name;
        let certain = cost.certainty == Certainty::Certain;
        let function = function.map_or_else(
            || "a volatile function".to_owned(),
            |function| {
                if certain {
                    format!("the volatile `{function}`")
                } else {
                    format!("`{function}`")
                }
            },
        );
        let unless = if certain { "" } else { " if that is volatile" };
        let message = format!(
            "the default of `{name}` calls {function}, which rewrites `{table}` under an ACCESS EXCLUSIVE lock{unless}: reads and \
             writes wait until every row is written"
        );
        let mut help = remedy(&add.column);
        let steps = steps(cx, statement, table, &add.column);
        if !certain {
            help = format!(
                "provolatile in pg_proc tells: `v` rewrites, `s` and `i` do not; or {help}"
            );
        }
        let effects = cx.effects().list.clone();
        cx.report(
            Finding::new(add.column.span, message)
                .on(table)
                .certainty(cost.certainty)
                .help(help)
                .steps(steps)
                .effects(effects),
        );
    }
}

/// The same column without a rewrite.
fn remedy(column: &ColumnDef) -> String {
    let not_null = if column.not_null {
        "; make it NOT NULL at the end, through a validated constraint"
    } else {
        ""
    };
    match column.default {
        Some(_) => format!(
            "add it without the default, set the default behind that, which new rows get, and fill old rows in batches{not_null}"
        ),
        // The default is the domain's.
        None => format!(
            "the default comes from the column's type: write DEFAULT NULL here, then fill old rows in batches{not_null}"
        ),
    }
}

/// The same as SQL.
fn steps(cx: &Cx<'_>, statement: &Statement, table: &Name, column: &ColumnDef) -> Vec<Step> {
    let name = &column.name;
    let Some((bare, default)) = cx
        .bare_column(statement, name)
        .filter(|(_, d)| !d.is_empty())
    else {
        return Vec::new();
    };
    let mut steps = vec![(
        Place::Instead,
        format!("{bare};\nALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {default};"),
    )];
    let missing = format!("{name} IS NULL");
    let fill = cx.in_batches(table, &format!("{name} = {default}"), &missing);
    let Some(fill) = fill else {
        return if column.not_null {
            Vec::new()
        } else {
            cx.remedy(steps)
        };
    };
    steps.push((Place::Later, fill));
    if column.not_null {
        steps.extend(cx.not_null_steps(table, &name.text, Place::Later));
    }
    cx.remedy(steps)
}
