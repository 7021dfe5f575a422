//! See `rules/maintenance-window-required.md`.

use crate::diagnostic::Level;
use crate::effect::Effect;
use crate::estimate::{self, Class};
use crate::rule::{Cx, Finding};
use crate::statement::Statement;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let settings = cx.settings();
    let Some(snapshot) = settings.stats.as_deref() else {
        return;
    };
    let effects = &cx.effects().list;
    let Some(found) = estimate::longest(effects, snapshot, cx.before(), &settings.sizing) else {
        return;
    };
    // A partitioned table is locked with its partitions; an effect on one of them does where it is not.
    let works = |effect: &&Effect| !effect.blocks().is_empty() && !effect.work.is_none();
    let working = effects.iter().find(works);
    let effect = cx.effects().on(&found.relation).or(working);
    let (Some(effect), Some(working)) = (effect, working) else {
        return;
    };
    let (level, when) = match found.class {
        Class::Tiny | Class::Small => return,
        Class::Medium => (Level::Warning, "hours of low traffic"),
        Class::Large => (Level::Error, "a maintenance window"),
        Class::Huge => (Level::Error, "a maintenance window of its own"),
    };
    let (relation, blocks) = (found.relation.short(), effect.blocks().join(" and "));
    let work = working.work.word().unwrap_or("work");
    let message = format!(
        "the {work} stops {blocks} of `{relation}` and needs {when}: {}",
        estimate::in_words(&found)
    );
    let help = format!(
        "plan it, and say so above the statement: `-- lockgate: allow maintenance-window-required -- when, and who agreed`; \
         the estimate assumes {}",
        found.assumes
    );
    let effect = working.clone();
    cx.report(
        Finding::new(statement.span, message)
            .level(level)
            .help(help)
            .effects([effect]),
    );
}
