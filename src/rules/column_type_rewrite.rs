//! See `rules/column-type-rewrite.md`.

use crate::diagnostic::{Level, Place, Step};
use crate::effect::coercion::{self, Context, Path};
use crate::effect::dependents;
use crate::effect::retype::{Retype, RetypeCost};
use crate::effect::types::{self, TypeChange};
use crate::effect::{LockMode, RelationKind};
use crate::rule::{Cx, Finding};
use crate::session::TransactionKind;
use crate::source::Span;
use crate::statement::{Kind, QualifiedName, Statement, TypeName, quoted};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, alter) in statement.altered_columns() {
        let Some(retype) = Retype::new(table, &alter.column.text, &alter.change) else {
            continue;
        };
        if let Some(finding) = refused(cx, &retype, alter.column.span) {
            let effects = cx.effects().list.clone();
            cx.report(finding.effects(effects));
            continue;
        }
        let cost = retype.cost(cx.before(), cx.moment().time_zone.as_deref());
        if cost.work.is_none() || cx.is_foreign(table) {
            continue;
        }
        let from = retype.from(cx.before());
        let verdict = judge(cx, &retype, from, &cost);
        let steps = match cost.change {
            TypeChange::Rewrite if !needless_using(cx, &retype, from) => {
                beside(cx, statement, &retype)
            }
            _ => Vec::new(),
        };
        let effects = cx.effects().list.clone();
        let mut finding = Finding::new(
            alter.column.span,
            verdict.message + &also_locked(cx, &retype),
        )
        .on(table)
        .certainty(cost.certainty)
        .help(verdict.help)
        .steps(steps)
        .effects(effects);
        if let Some(level) = verdict.level {
            finding = finding.level(level);
        }
        cx.report(finding);
    }
}

/// What else is made of the column stops any change of its type, also one that would be free.
fn refused(cx: &Cx<'_>, retype: &Retype<'_>, span: Span) -> Option<Finding> {
    let table = cx.before().table(retype.table)?;
    let found = dependents::of_type(cx.before(), table, retype.column);
    let column = quoted(retype.column);
    let (reason, help) = if found.partition_key {
        (
            "it is part of the partition key (SQLSTATE 42P16)".to_owned(),
            "a partition key stays as it is: make a new table, and move the rows in batches"
                .to_owned(),
        )
    } else if found.blocking.is_empty() {
        no_cast(cx, retype)?
    } else {
        let others = dependents::list(&found.blocking);
        let generated = found
            .blocking
            .iter()
            .any(|dependent| dependent.kind == "generated column");
        let state = if generated { "" } else { " (SQLSTATE 0A000)" };
        (
            format!("{}{state}", dependents::depend_on_it(&found.certain())),
            format!("drop {others} before, and make it again behind, in the same transaction"),
        )
    };
    Some(
        Finding::new(
            span,
            format!(
                "the type of `{column}` of `{}` cannot be changed: {reason}",
                retype.table
            ),
        )
        .on(retype.table)
        .help(help),
    )
}

/// There is no conversion from the type it has, or from that of its default.
fn no_cast(cx: &Cx<'_>, retype: &Retype<'_>) -> Option<(String, String)> {
    let schema = cx.before();
    let table = schema.table(retype.table).filter(|table| table.known)?;
    let known = table.column(retype.column)?;
    let from = known.ty.as_ref()?;
    let (to, column) = (retype.to, quoted(retype.column));
    if let Some((sqlstate, reason)) =
        types::missing_cast(schema, retype.column, from, to, retype.using)
    {
        let help = if retype.using.is_none()
            && coercion::path(schema, from, to, Context::Explicit) != Path::Missing
        {
            format!(
                "USING {column}::{to} converts each row, and fails on values that are not one; that rewrites the table"
            )
        } else {
            format!(
                "add a column of type {to}, and fill it with an expression that makes one of each value"
            )
        };
        return Some((format!("{reason} (SQLSTATE {sqlstate})"), help));
    }
    if let Some((sqlstate, reason)) = types::unindexable(schema, table, retype.column, to) {
        return Some((
            format!("{reason} (SQLSTATE {sqlstate})"),
            "drop the index before, or take a type that has an order, such as jsonb".to_owned(),
        ));
    }
    // The default may go in the same command.
    cx.effects()
        .fails
        .as_ref()
        .filter(|failure| failure.sqlstate == "42804")?;
    let (sqlstate, reason) =
        types::missing_default_cast(schema, from, to, known.default.as_ref()?)?;
    Some((
        format!("{reason} (SQLSTATE {sqlstate})"),
        format!(
            "ALTER COLUMN {column} DROP DEFAULT in the same ALTER TABLE, and SET DEFAULT with a value of type {to} behind"
        ),
    ))
}

struct Verdict {
    message: String,
    help: String,
    /// Another level than the rule's.
    level: Option<Level>,
}

const WAITS: &str = "under an ACCESS EXCLUSIVE lock: reads and writes wait";

fn judge(cx: &Cx<'_>, retype: &Retype<'_>, from: Option<&TypeName>, cost: &RetypeCost) -> Verdict {
    let Retype { table, to, .. } = *retype;
    let column = quoted(retype.column);
    let change = match from {
        Some(from) if from != to => format!("changing `{column}` from {from} to {to}"),
        _ => format!("changing `{column}` to {to}"),
    };
    match cost.change {
        TypeChange::Rewrite if needless_using(cx, retype, from) => Verdict {
            message: format!(
                "the USING of `{column}` computes every row anew: `{table}` is rewritten {WAITS}"
            ),
            help: format!(
                "leave USING out if it changes nothing: the change to {to} alone rewrites no row"
            ),
            level: None,
        },
        TypeChange::Rewrite => Verdict {
            message: format!("{change} rewrites `{table}` and its indexes {WAITS}"),
            help: if is_timestamp(from, to) && is_free_in_utc(cx, retype, from) {
                utc(cx)
            } else {
                let new = quoted(&format!("{}_new", retype.column));
                format!(
                    "add {new} as {to}, let a trigger keep it in step with {column}, fill old rows in batches, let the application \
                     use it, and drop {column} in a later release"
                )
            },
            level: None,
        },
        // Said by `refused` where the history makes the table.
        TypeChange::Refused => Verdict {
            message: format!("{change} fails or rewrites `{table}` {WAITS}"),
            help: format!("`\\d {table}` tells the type that it has now"),
            level: Some(Level::Warning),
        },
        TypeChange::Unknown if is_timestamp(from, to) && is_free_in_utc(cx, retype, from) => {
            Verdict {
                message: format!(
                    "{change} rewrites `{table}` {WAITS}, unless the session's TimeZone is UTC"
                ),
                help: utc(cx),
                level: Some(Level::Warning),
            }
        }
        TypeChange::Unknown => Verdict {
            message: if from.is_some() {
                format!(
                    "{change} rewrites `{table}` {WAITS}, unless the types are binary coercible"
                )
            } else {
                format!(
                    "{change} rewrites `{table}` {WAITS}, unless the type it has now, which the migrations do not tell, allows otherwise"
                )
            },
            help: if from.is_some() {
                "pg_cast tells: a cast with castmethod `b` keeps the rows".to_owned()
            } else {
                format!(
                    "`\\d {table}` tells the type: varchar to text or to a longer varchar rewrites nothing, integer to bigint does"
                )
            },
            level: Some(Level::Warning),
        },
        TypeChange::Free | TypeChange::Indexes => kept(retype, &change, cost),
    }
}

/// A column of the new type beside the old one.
fn beside(cx: &Cx<'_>, statement: &Statement, retype: &Retype<'_>) -> Vec<Step> {
    let alone = matches!(&statement.kind, Kind::AlterTable(alter) if alter.actions.len() == 1 && !alter.if_exists);
    // A type that nobody should take is no better beside the old one.
    if !alone || retype.using.is_some() || retype.to.is("bpchar") {
        return Vec::new();
    }
    let (table, to, old) = (retype.table, retype.to, quoted(retype.column));
    let plain = format!("{}_new", retype.column);
    let new = quoted(&plain);
    let trigger = cx.trigger_on(
        table,
        &format!("{}_{plain}", table.name),
        &format!("NEW.{new} := NEW.{old};"),
    );
    let mut steps = vec![(
        Place::Instead,
        format!("ALTER TABLE {table} ADD COLUMN {new} {to};\n{trigger}"),
    )];
    let missing = format!("{new} IS NULL AND {old} IS NOT NULL");
    let fill = cx.in_batches(table, &format!("{new} = {old}"), &missing);
    steps.extend(fill.map(|fill| (Place::Later, fill)));
    cx.remedy(steps)
}

/// The rows stay, but something else is worked through.
fn kept(retype: &Retype<'_>, change: &str, cost: &RetypeCost) -> Verdict {
    let table = retype.table;
    let checks = wording::names(&cost.checks);
    let mut work = Vec::new();
    let mut help = Vec::new();
    if !cost.indexes.is_empty() {
        let indexes = wording::names(cost.indexes.iter().map(QualifiedName::short));
        work.push(format!("rebuilds {indexes}"));
        help.push(format!(
            "drop {indexes} CONCURRENTLY before, and build it again CONCURRENTLY behind, if queries can do without for that long"
        ));
    } else if cost.work.index_build {
        work.push(format!("rebuilds the indexes on `{}`", retype.column));
        help.push(format!(
            "`\\d {table}` tells whether there is an index on it"
        ));
    }
    if !cost.checks.is_empty() {
        work.push(format!("verifies {checks} on every row"));
        help.push(format!(
            "drop {checks} before, add it again as NOT VALID behind, and validate it in a later migration"
        ));
    }
    Verdict {
        message: format!("{change} {} of `{table}` {WAITS}", wording::all(work)),
        help: help.join("; "),
        level: Some(Level::Warning),
    }
}

/// `USING` is all that costs something.
fn needless_using(cx: &Cx<'_>, retype: &Retype<'_>, from: Option<&TypeName>) -> bool {
    let zone = cx.moment().time_zone.as_deref();
    retype.using.is_some()
        && !is_timestamp(from, retype.to)
        && matches!(
            types::change(cx.before(), retype.column, from, retype.to, None, zone),
            TypeChange::Free | TypeChange::Indexes
        )
}

fn is_timestamp(from: Option<&TypeName>, to: &TypeName) -> bool {
    let zoned = |ty: &TypeName| ty.is("timestamptz");
    let plain = |ty: &TypeName| ty.is("timestamp");
    from.is_some_and(|from| (zoned(from) && plain(to)) || (plain(from) && zoned(to)))
}

/// A precision rounds every value anew, in whatever time zone.
fn is_free_in_utc(cx: &Cx<'_>, retype: &Retype<'_>, from: Option<&TypeName>) -> bool {
    matches!(
        types::change(
            cx.before(),
            retype.column,
            from,
            retype.to,
            None,
            Some("UTC")
        ),
        TypeChange::Free | TypeChange::Indexes
    )
}

fn utc(cx: &Cx<'_>) -> String {
    let local = if cx.moment().transaction.kind == TransactionKind::None {
        ""
    } else {
        "LOCAL "
    };
    format!(
        "SET {local}timezone = 'UTC' before it, and no USING, keeps the rows as they are, if the times without zone are meant \
         as UTC; otherwise add a new column and fill it in batches"
    )
}

/// Foreign keys on the column are made again, and lock the table at their other end.
fn also_locked(cx: &Cx<'_>, retype: &Retype<'_>) -> String {
    let schema = cx.before();
    let this = schema.resolve(retype.table);
    let children = schema.descendants(&this);
    let others = cx
        .locks_at_least(LockMode::AccessExclusive)
        .filter(|effect| {
            matches!(
                effect.kind,
                RelationKind::Table | RelationKind::PartitionedTable
            ) && effect.relation != this
                && !children.iter().any(|child| child.name == effect.relation)
        })
        .map(|effect| effect.relation.short());
    let others: Vec<String> = others.collect();
    match others.len() {
        0 => String::new(),
        1 => format!("; `{}` is locked as well", others[0]),
        _ => format!("; {} are locked as well", wording::names(others)),
    }
}
