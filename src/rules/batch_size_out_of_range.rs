//! See `rules/batch-size-out-of-range.md`.

use crate::effect::reach::data_changes;
use crate::rule::{Cx, Finding};
use crate::statement::{Change, Expr, ExprKind, Kind, Literal, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Some(query) = statement.query() else {
        return;
    };
    let changes = data_changes(statement, cx.before());
    let Some(change) = changes.iter().find(|change| change.verb.is_some()) else {
        return;
    };
    let mut sizes: Vec<i64> = query
        .batches
        .iter()
        .filter_map(|batch| batch.size)
        .map(i64::from)
        .collect();
    if let Kind::Change(change) = &statement.kind {
        sizes.extend(ranges(change, cx.step().looped));
    }
    let (least, most) = (cx.int_option("least"), cx.int_option("most"));
    let looped = cx.step().looped;
    let Some(size) = sizes
        .into_iter()
        .find(|size| *size > most || (looped && *size > 1 && *size < least))
    else {
        return;
    };
    let what = if size > most {
        "the rows of one stay locked until it commits, and its WAL reaches the replicas in one piece"
    } else {
        "each costs as much for its start and end as for its rows"
    };
    let finding = Finding::new(
        statement.span,
        format!("batches of {size} rows of `{}`: {what}", change.table),
    )
    .on(change.table)
    .help(format!("take {least} to {most} rows for each batch"));
    cx.report(finding);
}

/// Widths of the ranges of a condition: `BETWEEN 1 AND 5000`, and `x + 5000` of a loop.
fn ranges(change: &Change, looped: bool) -> Vec<i64> {
    let number = |expr: &Expr| match &expr.kind {
        ExprKind::Literal(Literal::Int(number)) => Some(i64::from(*number)),
        _ => None,
    };
    let mut widths = Vec::new();
    for part in change.condition.iter().flat_map(Expr::walk) {
        let ExprKind::Operator { name, args } = &part.kind else {
            continue;
        };
        match (&**name, args.as_slice()) {
            ("between", [_, low, high]) => {
                if let (Some(low), Some(high)) = (number(low), number(high)) {
                    widths.push(high - low + 1);
                }
            }
            ("+", [_, step]) if looped => widths.extend(number(step)),
            _ => {}
        }
    }
    widths
}
