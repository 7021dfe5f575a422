//! See `rules/domain-constraint-scan.md`.

use crate::diagnostic::{Place, Step};
use crate::effect::Effect;
use crate::rule::{Cx, Finding};
use crate::statement::{AlterDomain, AlterDomainAction, ConstraintKind, Kind, Statement};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::AlterDomain(alter) = &statement.kind else {
        return;
    };
    let read: Vec<Effect> = cx
        .effects()
        .list
        .iter()
        .filter(|effect| {
            effect.work.scan
                && effect.lock.blocks_writes()
                && !cx.before().is_fresh(&effect.relation)
        })
        .cloned()
        .collect();
    let Some(first) = read.first() else { return };
    let domain = &alter.name;
    let what = match &alter.action {
        AlterDomainAction::AddConstraint(def) => match &def.name {
            Some(name) => format!("adding `{name}` to domain `{domain}`"),
            None => format!("adding a constraint to domain `{domain}`"),
        },
        AlterDomainAction::ValidateConstraint(name) => {
            format!("validating `{name}` of domain `{domain}`")
        }
        _ => format!("SET NOT NULL on domain `{domain}`"),
    };
    let help = match &alter.action {
        AlterDomainAction::AddConstraint(_) if cx.postgres() >= 18 => {
            "add it NOT VALID, and validate it in a later transaction".to_owned()
        }
        _ => "put the condition on the tables: ADD CONSTRAINT … CHECK … NOT VALID, and VALIDATE it in a later transaction".to_owned(),
    };
    let finding = Finding::new(
        statement.span,
        format!(
            "{what} reads every row of {} under {} lock: writes wait",
            wording::names(read.iter().map(|effect| effect.relation.short())),
            first.lock.with_article()
        ),
    )
    .help(help)
    .steps(validated_later(cx, statement, alter))
    .effects(read.clone());
    cx.report(finding);
}

/// A CHECK that is added NOT VALID, and validated behind that: before 18 the validation stops writes as well.
fn validated_later(cx: &Cx<'_>, statement: &Statement, alter: &AlterDomain) -> Vec<Step> {
    let AlterDomainAction::AddConstraint(def) = &alter.action else {
        return Vec::new();
    };
    let (Some(name), ConstraintKind::Check(_), true) = (&def.name, &def.kind, cx.postgres() >= 18)
    else {
        return Vec::new();
    };
    let text = statement.source.sql.trim_end_matches(';').trim_end();
    cx.remedy([
        (Place::Instead, format!("{text} NOT VALID;")),
        (
            Place::Later,
            format!("ALTER DOMAIN {} VALIDATE CONSTRAINT {name};", alter.name),
        ),
    ])
}
