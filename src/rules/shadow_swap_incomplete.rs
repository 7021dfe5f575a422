//! See `rules/shadow-swap-incomplete.md`.

use crate::effect::LockMode;
use crate::replay::Step;
use crate::rule::{Cx, Finding};
use crate::schema::{Relation, Schema, Table};
use crate::statement::{ConstraintKind, Kind, Name, ObjectKind, QualifiedName, Statement};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Some(rename) = statement.renamed_relation() else {
        return;
    };
    let twin = cx.resolve(&rename.relation);
    let place = QualifiedName::new(&twin.schema, &rename.to.text);
    let Some(away) = cx
        .earlier_in_migration()
        .iter()
        .rev()
        .find(|step| frees(step, &place))
    else {
        return;
    };
    let (Some(old), Some(new)) = (
        away.before.table_at(&place),
        cx.after_migration().table_at(&place),
    ) else {
        return;
    };
    if away.before.is_fresh(&place) || !is_twin(old, new) {
        return;
    }
    let swap = Swap {
        cx,
        place: &place,
        twin: &twin,
        before: &away.before,
        end: cx.after_migration(),
        old,
        new,
    };
    let missing = swap.missing();
    if missing.is_empty() {
        return;
    }
    let finding = Finding::new(
        statement.span,
        format!(
            "`{}` takes the place of `{}` without {}",
            rename.relation,
            rename.to,
            wording::all(missing)
        ),
    )
    .on(&rename.relation)
    .label(cx.location_of(away), "the old table goes here")
    .help(format!(
        "give `{}` what is missing before the names change, in the same transaction; a trigger on `{}` carries writes over from before the copy on",
        rename.relation, rename.to
    ));
    cx.report(finding);
}

/// True for a statement that takes the table's name away from it.
fn frees(step: &Step<'_>, place: &QualifiedName) -> bool {
    match &step.statement.kind {
        Kind::Rename(rename) => {
            rename.part.is_none()
                && rename.object == ObjectKind::Table
                && step.before.resolve(&rename.relation) == *place
        }
        Kind::Drop(drop) => {
            drop.object == ObjectKind::Table
                && drop
                    .names
                    .iter()
                    .any(|name| step.before.resolve(name) == *place)
        }
        _ => false,
    }
}

/// True if the one table was made to stand in for the other.
fn is_twin(old: &Table, new: &Table) -> bool {
    let common = old
        .columns
        .iter()
        .filter(|column| new.column(&column.name).is_some())
        .count();
    old.known && new.known && common > 0 && common * 2 >= old.columns.len()
}

/// A swap that was found.
struct Swap<'c, 'a> {
    cx: &'c Cx<'a>,
    place: &'c QualifiedName,
    twin: &'c QualifiedName,
    /// The schema before the old table lost its name.
    before: &'c Schema,
    /// The schema behind the migration.
    end: &'c Schema,
    old: &'c Table,
    new: &'c Table,
}

impl Swap<'_, '_> {
    fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        let mut add = |names: Vec<String>, one: &str, many: &str| match names.as_slice() {
            [] => {}
            [_] => missing.push(format!("{one} {}", wording::names(names))),
            _ => missing.push(format!("{many} {}", wording::names(names))),
        };
        add(
            self.foreign_keys(),
            "the foreign key of",
            "the foreign keys of",
        );
        add(self.views(), "view", "views");
        add(self.triggers(), "trigger", "triggers");
        add(self.policies(), "policy", "policies");
        add(self.publications(), "publication", "publications");
        add(
            self.sequences(),
            "a sequence of its own for",
            "sequences of its own for",
        );
        if self.old.row_security && !self.new.row_security {
            missing.push("row level security".to_owned());
        }
        if self.lacks_grants() {
            missing.push("the old one's grants".to_owned());
        }
        if self.loses_writes() {
            missing.push("the rows written between the copy and the swap".to_owned());
        }
        missing
    }

    /// Tables whose foreign keys do not reference the new table.
    fn foreign_keys(&self) -> Vec<String> {
        let columns = |kind: &ConstraintKind| match kind {
            ConstraintKind::ForeignKey(key) => key.columns.clone(),
            _ => Vec::new(),
        };
        let mut names: Vec<String> = self
            .before
            .referencing(self.place)
            .filter(|(other, _)| other.name != *self.place && other.name != *self.twin)
            .filter(|(other, _)| self.end.table_at(&other.name).is_some())
            .filter(|(other, constraint)| {
                let wanted = columns(&constraint.def.kind);
                !self.end.referencing(self.place).any(|(now, constraint)| {
                    now.name == other.name && columns(&constraint.def.kind) == wanted
                })
            })
            .map(|(other, _)| other.name.short())
            .collect();
        names.dedup();
        names
    }

    fn views(&self) -> Vec<String> {
        self.before
            .views_of(self.place)
            .filter(|view| {
                !self
                    .end
                    .views_of(self.place)
                    .any(|now| now.name == view.name)
                    && matches!(self.end.relation_at(&view.name), Some(Relation::View(_)))
            })
            .map(|view| view.name.short())
            .collect()
    }

    fn triggers(&self) -> Vec<String> {
        self.old
            .triggers
            .iter()
            .filter(|trigger| {
                !self
                    .new
                    .triggers
                    .iter()
                    .any(|now| now.function == trigger.function)
                    && !function_mentions(self.cx, &trigger.function, &self.twin.name)
            })
            .map(|trigger| trigger.name.to_string())
            .collect()
    }

    fn policies(&self) -> Vec<String> {
        let kept = |name: &str| self.new.policies.iter().any(|policy| *policy.name == *name);
        let names = self.old.policies.iter().map(|policy| &policy.name);
        names
            .filter(|name| !kept(name))
            .map(ToString::to_string)
            .collect()
    }

    fn publications(&self) -> Vec<String> {
        let kept = |name: &str| self.new.publications.iter().any(|now| *now.name == *name);
        let names = self
            .old
            .publications
            .iter()
            .map(|publication| &publication.name);
        names
            .filter(|name| !kept(name))
            .map(ToString::to_string)
            .collect()
    }

    /// Columns that the old table's sequence numbers, or that nothing numbers any more.
    fn sequences(&self) -> Vec<String> {
        let numbered = self
            .old
            .columns
            .iter()
            .filter(|column| column.identity.is_some() || column.sequence.is_some());
        numbered
            .filter(|column| {
                let Some(now) = self.new.column(&column.name) else {
                    return false;
                };
                let own =
                    now.sequence
                        .as_ref()
                        .is_some_and(|name| match self.end.relation_at(name) {
                            Some(Relation::Sequence(sequence)) => sequence
                                .owned_by
                                .as_ref()
                                .is_none_or(|(table, _)| table == self.place),
                            Some(_) => false,
                            None => true,
                        });
                now.identity.is_none() && !own
            })
            .map(|column| column.name.to_string())
            .collect()
    }

    /// The old table was granted to somebody, and the new one is not.
    fn lacks_grants(&self) -> bool {
        let current = self.cx.step().migration;
        let grants = |wanted: &dyn Fn(&Step<'_>, &Name) -> bool| {
            steps_until(self.cx, current).any(|step| match &step.statement.kind {
                Kind::Grant {
                    grant: true,
                    object: ObjectKind::Table,
                    names,
                    all_in_schema: false,
                    ..
                } => names.iter().any(|name| wanted(step, name)),
                _ => false,
            })
        };
        let twin = self.twin;
        let to_old = grants(&|step, name| {
            step.before.resolve(name) == *self.place && !holds(&step.before, self.place, self.new)
        });
        let to_new = grants(&|step, name| {
            let key = step.before.resolve(name);
            key == *twin || (key == *self.place && holds(&step.before, self.place, self.new))
        });
        to_old && !to_new
    }

    /// Rows are copied while others write, and no trigger carries their writes over.
    fn loses_writes(&self) -> bool {
        let current = self.cx.step().migration;
        let mut copies = steps_until(self.cx, current)
            .filter(|step| match &step.statement.kind {
                Kind::Insert(insert) => {
                    step.before.resolve(&insert.table) == *self.twin
                        && insert
                            .query
                            .reads
                            .iter()
                            .any(|read| step.before.resolve(read) == *self.place)
                }
                _ => false,
            })
            .peekable();
        copies.peek().is_some() && !copies.any(|copy| self.is_synced(copy))
    }

    fn is_synced(&self, copy: &Step<'_>) -> bool {
        let carried = copy.before.table_at(self.place).is_some_and(|old| {
            old.triggers
                .iter()
                .any(|trigger| function_mentions(self.cx, &trigger.function, &self.twin.name))
        });
        // Nobody writes behind a lock that is kept until the names have changed.
        let here = self.cx.step();
        let locked = copy.migration == here.migration
            && copy.moment.transaction.number == here.moment.transaction.number
            && self.cx.earlier_in_transaction().any(|step| {
                step.statement.span.start < copy.statement.span.start
                    && step
                        .effects
                        .on(self.place)
                        .is_some_and(|effect| effect.lock >= LockMode::Share)
            });
        carried || locked
    }
}

/// True if the name already stands for the new table.
fn holds(schema: &Schema, place: &QualifiedName, new: &Table) -> bool {
    schema
        .table_at(place)
        .is_some_and(|table| table.created == new.created)
}

fn steps_until<'a>(cx: &Cx<'a>, last: usize) -> impl Iterator<Item = &'a Step<'a>> {
    (0..=last)
        .filter(|index| cx.history().migrations[*index].direction.is_forward())
        .flat_map(|index| cx.steps_of(index))
}

/// True if the body of a function, as the history makes it, mentions a word.
pub(super) fn function_mentions(cx: &Cx<'_>, function: &QualifiedName, word: &str) -> bool {
    let last = cx.step().migration;
    steps_until(cx, last).any(|step| match &step.statement.kind {
        Kind::CreateFunction(create) => {
            create.name.name == function.name && step.statement.source.sql.contains(word)
        }
        _ => false,
    })
}
