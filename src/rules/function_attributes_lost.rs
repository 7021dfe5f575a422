//! See `rules/function-attributes-lost.md`.

use crate::diagnostic::Level;
use crate::rule::{Cx, Finding};
use crate::statement::{FunctionAttributes, Kind, Statement, Volatility};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateFunction(create) = &statement.kind else {
        return;
    };
    if !create.or_replace {
        return;
    }
    let key = cx.before().creation_name(&create.name, false);
    let same = |function: &&crate::schema::Function| function.arguments == create.arguments;
    let named = cx.before().functions_named(Some(&key.schema), &key.name);
    let Some(old) = named.iter().find(same) else {
        return;
    };
    let named = cx
        .after_migration()
        .functions_named(Some(&key.schema), &key.name);
    let Some(new) = named.iter().find(same) else {
        return;
    };
    if old.created.batch == cx.before().batch() {
        return;
    }
    let lost = lost(&old.attributes, &create.attributes, &new.attributes);
    if lost.is_empty() {
        return;
    }
    let definer = old.attributes.security_definer == Some(true);
    let grave = definer
        && (lost.iter().any(|word| word == "SECURITY DEFINER")
            || (new.attributes.security_definer == Some(true)
                && lost.iter().any(|word| word == "SET search_path")));
    let name = &create.name;
    let mut finding = Finding::new(
        name.span,
        format!("`{name}` loses {}: OR REPLACE keeps no attribute that is not written again", wording::names(&lost)),
    )
    .label(old.created.location, "it had them here")
    .help("write them again, or their opposite if they are to go: SECURITY INVOKER, CALLED ON NULL INPUT, VOLATILE");
    if grave {
        finding = finding.level(Level::Error);
    }
    cx.report(finding);
}

/// Attributes that the old function has, the statement does not speak about, and the function lacks in the end.
fn lost(
    old: &FunctionAttributes,
    said: &FunctionAttributes,
    new: &FunctionAttributes,
) -> Vec<String> {
    let mut lost = Vec::new();
    if old.security_definer == Some(true)
        && said.security_definer.is_none()
        && new.security_definer.is_none()
    {
        lost.push("SECURITY DEFINER".to_owned());
    }
    if old.strict == Some(true) && said.strict.is_none() && new.strict.is_none() {
        lost.push("STRICT".to_owned());
    }
    if said.volatility.is_none() && new.volatility.is_none() {
        match old.volatility {
            Some(Volatility::Immutable) => lost.push("IMMUTABLE".to_owned()),
            Some(Volatility::Stable) => lost.push("STABLE".to_owned()),
            _ => {}
        }
    }
    // A function that runs as its caller needs no settings of its own any more.
    let settings = old
        .settings
        .iter()
        .filter(|name| !new.settings.contains(name) && said.security_definer != Some(false));
    lost.extend(settings.map(|name| format!("SET {name}")));
    lost
}
