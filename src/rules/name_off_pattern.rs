//! See `rules/name-off-pattern.md`.

use crate::policy::{Policy, new_names};
use crate::rule::{Cx, Finding};
use crate::statement::Statement;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let settings = cx.settings();
    if settings.policies.is_empty() {
        return;
    }
    let names = new_names(statement);
    for policy in &settings.policies {
        let Policy::Names {
            object,
            pattern,
            message,
        } = policy
        else {
            continue;
        };
        let off = names
            .iter()
            .filter(|(kind, name, _)| kind == object && !pattern.is_in(&name.text));
        for (_, name, _) in off {
            let said = format!(
                "the {} name `{name}` does not match `{}`",
                object.as_str(),
                pattern.as_str()
            );
            let help = message
                .clone()
                .unwrap_or_else(|| "choose a name that the team's policy allows".to_owned());
            cx.report(Finding::new(name.span, said).help(help));
        }
    }
}
