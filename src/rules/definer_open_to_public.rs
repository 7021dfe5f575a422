//! See `rules/definer-open-to-public.md`.

use std::collections::BTreeSet;

use crate::replay::{Fact, Replay};
use crate::rule::{Cx, Finding, bare_words};
use crate::statement::{Kind, ObjectKind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateFunction(create) = &statement.kind else {
        return;
    };
    let for_trigger = create
        .returns
        .as_ref()
        .is_some_and(|ty| matches!(&*ty.name, "trigger" | "event_trigger"));
    let name = &create.name;
    // OR REPLACE keeps the privileges of a function that is there.
    let kept = create.or_replace
        && !cx
            .before()
            .functions_named(name.schema.as_deref(), &name.name)
            .is_empty();
    if create.attributes.security_definer != Some(true) || for_trigger || kept {
        return;
    }
    let revoked = cx.fact::<Revoked>();
    if revoked.all || revoked.functions.contains(&name.name) {
        return;
    }
    let finding = Finding::new(
        name.span,
        format!("every role may call `{name}`, which runs with the rights of its owner"),
    )
    .help(format!("REVOKE EXECUTE ON FUNCTION {name} FROM PUBLIC"));
    cx.report(finding);
}

/// Functions that not everybody may call: some statement takes EXECUTE from PUBLIC, or drops them.
#[derive(Default)]
struct Revoked {
    /// Of all functions of a schema, or of those that are to come.
    all: bool,
    functions: BTreeSet<Box<str>>,
}

impl Fact for Revoked {
    fn gather(replay: &Replay<'_>) -> Self {
        let mut found = Self::default();
        for step in &replay.steps {
            let names = match &step.statement.kind {
                Kind::Grant {
                    grant: false,
                    to_public: true,
                    object: ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine,
                    names,
                    all_in_schema,
                    ..
                } => {
                    found.all |= *all_in_schema;
                    names
                }
                Kind::Drop(drop)
                    if matches!(drop.object, ObjectKind::Function | ObjectKind::Procedure) =>
                {
                    &drop.names
                }
                _ => {
                    found.all |= revokes_by_default(step.statement);
                    continue;
                }
            };
            let names = names.iter().map(|name| name.name.clone());
            found.functions.extend(names);
        }
        found
    }
}

/// `ALTER DEFAULT PRIVILEGES … REVOKE … ON FUNCTIONS FROM PUBLIC`
fn revokes_by_default(statement: &Statement) -> bool {
    if statement.tag != "ALTER DEFAULT PRIVILEGES" {
        return false;
    }
    let words = bare_words(statement);
    let holds = |wanted: &str| {
        let mut words = words.iter();
        words.any(|(_, word)| word.eq_ignore_ascii_case(wanted))
    };
    holds("revoke") && holds("public") && (holds("functions") || holds("routines"))
}
