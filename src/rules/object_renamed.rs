//! See `rules/object-renamed.md`.

use crate::diagnostic::Certainty;
use crate::rule::{Cx, Finding};
use crate::schema::Relation;
use crate::statement::{Kind, ObjectKind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Rename(rename) = &statement.kind else {
        return;
    };
    if rename.part.is_some() || cx.effects().fails.is_some() {
        return;
    }
    let name = &rename.relation;
    let (before, after) = (cx.before(), cx.after_migration());
    let schema = name.schema.as_deref();
    let batch = before.batch();
    let certainty = match rename.object {
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
            let named = before.functions_named(schema, &name.name);
            let meant = |function: &&crate::schema::Function| {
                rename
                    .signature
                    .as_ref()
                    .is_none_or(|types| function.arguments == *types)
            };
            let old = named.iter().find(meant);
            let stays = old.is_some_and(|old| {
                let there = after.functions_named(schema, &name.name);
                there.iter().any(|function| function.takes(&old.arguments))
            });
            match old {
                Some(old) if stays || old.is_for_triggers() || old.created.batch == batch => return,
                Some(_) => Certainty::Certain,
                None => Certainty::Possible,
            }
        }
        ObjectKind::Type | ObjectKind::Domain => match before.type_named(schema, &name.name) {
            Some(old)
                if old.created.batch == batch
                    || after
                        .type_named(Some(&old.name.schema), &old.name.name)
                        .is_some() =>
            {
                return;
            }
            Some(_) => Certainty::Certain,
            None => Certainty::Possible,
        },
        ObjectKind::Sequence => match before.relation(name) {
            Some(Relation::Sequence(sequence))
                if sequence.owned_by.is_none() && sequence.created.batch != batch =>
            {
                Certainty::Certain
            }
            _ => return,
        },
        _ => return,
    };
    let (kind, to) = (rename.object.as_str(), &rename.to);
    cx.report(
        Finding::new(
            name.span,
            format!("renaming {kind} `{name}` to `{to}` makes deployed code that still names `{name}` fail"),
        )
        .certainty(certainty)
        .help(format!("make {to} beside it, and drop {name} once no code names it"))
        .effects(cx.effects().list.clone()),
    );
}
