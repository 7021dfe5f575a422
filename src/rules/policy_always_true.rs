//! See `rules/policy-always-true.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Expr, ExprKind, Kind, Literal, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Policy(policy, table) = &statement.kind else {
        return;
    };
    let everybody = cx.list_option("roles");
    let to_everybody = policy.roles.is_empty()
        || policy
            .roles
            .iter()
            .any(|role| everybody.iter().any(|one| **one == **role));
    // What ALTER POLICY changes may be a policy of any kind.
    if !policy.create || !policy.permissive || !to_everybody {
        return;
    }
    let open = |expr: &Option<Expr>| expr.as_ref().is_some_and(is_true);
    // Without WITH CHECK the condition of USING holds for new rows too.
    let what = match &*policy.command {
        "insert" if open(&policy.with_check) => "insert any row",
        "delete" if open(&policy.using) => "delete every row",
        "update" if open(&policy.using) => "change every row",
        "all" if open(&policy.using) => "change and delete every row",
        _ => return,
    };
    let finding = Finding::new(
        statement.span,
        format!("this policy lets every role with the privilege {what} of `{table}`"),
    )
    .help("compare a column with who is logged in, or name the role behind TO");
    cx.report(finding);
}

fn is_true(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(Literal::Bool(value)) => *value,
        ExprKind::Operator { name, args } if &**name == "=" => match args.as_slice() {
            [left, right] => {
                matches!(left.kind, ExprKind::Literal(_)) && left.same(right) && !left.is_null()
            }
            _ => false,
        },
        _ => false,
    }
}
