//! See `rules/function-overloaded.md`.

use crate::diagnostic::Level;
use crate::rule::{Cx, Finding};
use crate::schema::Function;
use crate::statement::{CreateFunction, Kind, Statement, TypeName};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateFunction(create) = &statement.kind else {
        return;
    };
    if !create.or_replace {
        return;
    }
    let before = cx.before();
    let key = before.creation_name(&create.name, false);
    // Who has several on purpose knows what they are doing.
    let [old] = before.functions_named(Some(&key.schema), &key.name) else {
        return;
    };
    let stays = cx
        .after_migration()
        .functions_named(Some(&key.schema), &key.name)
        .iter()
        .any(|function| function.arguments == old.arguments);
    if old.arguments == create.arguments || old.created.batch == before.batch() || !stays {
        return;
    }
    let name = &create.name;
    let had = list(&old.arguments);
    let ambiguous = is_ambiguous(old, create);
    let mut finding = Finding::new(
        name.span,
        if ambiguous {
            format!("this does not replace `{name}({had})` but makes a second function, and a call fits both: it is refused (SQLSTATE 42725)")
        } else {
            format!("this does not replace `{name}({had})` but makes a second function beside it")
        },
    )
    .label(old.created.location, "the one that stays")
    .help(format!(
        "if it is to be replaced, drop `{name}({had})` before, in the same transaction; if not, leave out OR REPLACE"
    ));
    if ambiguous {
        finding = finding.level(Level::Error);
    }
    cx.report(finding);
}

/// A call with the arguments of the one fits the other by its defaults.
fn is_ambiguous(old: &Function, new: &CreateFunction) -> bool {
    let shorter = old.arguments.len();
    let needed = new.arguments.len() - new.defaults.min(new.arguments.len());
    let begins = new.arguments.len() > shorter && new.arguments[..shorter] == *old.arguments;
    (begins && needed <= shorter)
        || (old.arguments.len() > new.arguments.len() && old.takes(&new.arguments))
}

fn list(types: &[TypeName]) -> String {
    let names: Vec<String> = types.iter().map(ToString::to_string).collect();
    names.join(", ")
}
