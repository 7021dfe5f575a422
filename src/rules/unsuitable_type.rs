//! See `rules/unsuitable-type.md`.

use crate::diagnostic::Level;
use crate::rule::{Cx, Finding};
use crate::statement::{ColumnChange, Ident, Name, Statement, TypeName, quoted};

/// What is wrong with a type, and what is better.
struct Flaw {
    what: String,
    instead: &'static str,
    level: Option<Level>,
}

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, column) in statement.written_columns() {
        if let Some(ty) = &column.ty {
            report(cx, table, &column.name, ty);
        }
    }
    for (table, alter) in statement.altered_columns() {
        if let ColumnChange::Type { ty, .. } = &alter.change {
            let known = cx.before().table(table);
            let from = known.and_then(|table| table.column(&alter.column.text)?.ty.as_ref());
            // A longer char(n) is no choice of char.
            if from.is_none_or(|from| from.name != ty.name) {
                report(cx, table, &alter.column, ty);
            }
        }
    }
}

fn report(cx: &mut Cx<'_>, table: &Name, column: &Ident, ty: &TypeName) {
    let named = |option: &str| {
        let list = cx.list_option(option);
        list.iter().any(|name| *name == *ty.name)
    };
    // A type of the project's own may have the name of another one.
    let own = cx
        .before()
        .type_named(ty.schema.as_deref(), &ty.name)
        .is_some();
    if ty.schema.is_some() || own || named("allow") {
        return;
    }
    let also = named("also");
    let Some(flaw) = flaw(ty).or_else(|| {
        also.then(|| Flaw {
            what: "is one that the configuration does without".to_owned(),
            instead: "take another type, or leave it out of the option `also`",
            level: None,
        })
    }) else {
        return;
    };
    let span = if ty.span.is_empty() {
        column.span
    } else {
        ty.span
    };
    let finding = Finding::new(
        span,
        format!(
            "`{}` of `{table}` is of type {ty}, which {}",
            quoted(&column.text),
            flaw.what
        ),
    )
    .on(table)
    .help(flaw.instead);
    cx.report(match flaw.level {
        Some(level) => finding.level(level),
        None => finding,
    });
}

fn flaw(ty: &TypeName) -> Option<Flaw> {
    let flaw = |what: &str, instead| {
        Some(Flaw {
            what: what.to_owned(),
            instead,
            level: None,
        })
    };
    match &*ty.name {
        "json" => flaw(
            "has no equality: DISTINCT, GROUP BY and UNION over it fail",
            "jsonb compares and can be indexed; json keeps the text as it was, blanks and duplicate keys included",
        ),
        // One letter is the classic flag, and padding cannot hurt it.
        "bpchar" if ty.modifiers.first().is_some_and(|length| *length > 1) => flaw(
            "pads every value with blanks up to its length",
            "text, with a CHECK on its length if there is a limit",
        ),
        "money" => flaw(
            "reads and prints by the session's lc_monetary and knows no currency",
            "numeric, with a column for the currency",
        ),
        "timetz" => flaw(
            "has a time zone without the date that tells its offset",
            "timestamptz, or time for a time of day",
        ),
        "timestamp" | "timestamptz" | "time" if ty.modifiers.first() == Some(&0) => flaw(
            "rounds to whole seconds: half a second before midnight becomes the next day",
            "leave the precision out, and format on output, or store date_trunc('second', …)",
        ),
        "regcollation" | "regconfig" | "regdictionary" | "regnamespace" | "regoper"
        | "regoperator" | "regproc" | "regprocedure" => flaw(
            "stores the number of a catalog row: pg_upgrade refuses a database with such a column",
            "store the name as text, and cast it where it is used",
        ),
        "abstime" | "reltime" | "tinterval" => Some(Flaw {
            what: "PostgreSQL has not had since version 12: the statement fails".to_owned(),
            instead: "timestamptz, interval or tstzrange",
            level: Some(Level::Error),
        }),
        _ => None,
    }
}
