//! See `rules/definer-open-to-public.md`.

use crate::diagnostic::Place;
use crate::rule::{Cx, Finding};
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
    if create.attributes.security_definer != Some(true)
        || for_trigger
        || kept
        || is_revoked(cx, &name.name)
    {
        return;
    }
    let revoke = format!("REVOKE EXECUTE ON FUNCTION {name} FROM PUBLIC");
    let steps = cx.remedy([(Place::Behind, revoke)]);
    let finding = Finding::new(
        name.span,
        format!("every role may call `{name}`, which runs with the rights of its owner"),
    )
    .help("take EXECUTE from PUBLIC in the same transaction")
    .steps(steps);
    cx.report(finding);
}

/// Some statement takes EXECUTE from PUBLIC, of this function, of all of a schema, or of new ones.
fn is_revoked(cx: &Cx<'_>, function: &str) -> bool {
    cx.all_steps()
        .iter()
        .any(|step| match &step.statement.kind {
            Kind::Grant {
                grant: false,
                to_public: true,
                object: ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine,
                names,
                all_in_schema,
                ..
            } => *all_in_schema || names.iter().any(|name| &*name.name == function),
            Kind::Drop(drop) => {
                matches!(drop.object, ObjectKind::Function | ObjectKind::Procedure)
                    && drop.names.iter().any(|name| &*name.name == function)
            }
            _ if step.statement.tag == "ALTER DEFAULT PRIVILEGES" => {
                let words = cx.bare_words(step.statement);
                let holds = |wanted: &str| {
                    words
                        .iter()
                        .any(|(_, word)| word.eq_ignore_ascii_case(wanted))
                };
                holds("revoke") && holds("public") && (holds("functions") || holds("routines"))
            }
            _ => false,
        })
}
