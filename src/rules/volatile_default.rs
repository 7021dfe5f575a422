//! See `rules/volatile-default.md`.

use crate::diagnostic::Certainty;
use crate::effect::column::{self, Rewrite};
use crate::rule::{Cx, Finding};
use crate::statement::{ColumnDef, ExprKind, Statement};

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
        let mut help = remedy(&table.to_string(), &add.column);
        if !certain {
            help = format!(
                "SELECT provolatile FROM pg_proc tells: `v` rewrites, `s` and `i` do not; or {help}"
            );
        }
        let effects = cx.effects().list.clone();
        cx.report(
            Finding::new(add.column.span, message)
                .on(table)
                .certainty(cost.certainty)
                .help(help)
                .effects(effects),
        );
    }
}

/// The same column without a rewrite.
fn remedy(table: &str, column: &ColumnDef) -> String {
    let name = &column.name;
    let ty = column
        .ty
        .as_ref()
        .map_or_else(String::new, |ty| format!(" {ty}"));
    let not_null = if column.not_null {
        "; make it NOT NULL at the end, through a validated constraint"
    } else {
        ""
    };
    match &column.default {
        Some(default) => {
            let value = match &default.kind {
                ExprKind::Call {
                    schema: None,
                    name,
                    args,
                    ..
                } if args.is_empty() => format!("{name}()"),
                _ => "…".to_owned(),
            };
            format!(
                "add it without the default (ALTER TABLE {table} ADD COLUMN {name}{ty}), then ALTER TABLE {table} ALTER COLUMN \
                 {name} SET DEFAULT {value}, which new rows get, and fill old rows in batches{not_null}"
            )
        }
        // The default is the domain's.
        None => format!(
            "the default comes from the column's type: write DEFAULT NULL here, then fill old rows in batches{not_null}"
        ),
    }
}
