//! See `rules/set-not-null-unproven.md`.

use crate::diagnostic::{Certainty, Place, Step};
use crate::effect::column;
use crate::effect::proof::{self, NotNull};
use crate::rule::{Cx, Finding};
use crate::schema::Table;
use crate::source::{Location, Span};
use crate::statement::{ColumnChange, ConstraintKind, Ident, Kind, Name, Statement, quoted};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    virtual_columns(cx, statement);
    let set = statement
        .altered_columns()
        .filter(|(_, alter)| matches!(alter.change, ColumnChange::SetNotNull))
        .map(|(table, alter)| (table, &alter.column, alter.column.span, false));
    let added = statement
        .added_constraints()
        .filter_map(|(table, def)| match &def.kind {
            ConstraintKind::NotNull(column) if !def.not_valid => {
                Some((table, column, statement.span, true))
            }
            _ => None,
        });
    let dropped: Vec<&str> = statement
        .dropped_constraints()
        .map(|(_, name)| &*name.text)
        .collect();
    for (table, column, span, is_constraint) in set.chain(added) {
        if cx.is_foreign(table) {
            continue;
        }
        let known = cx.before().table(table);
        let proof = known.map_or(NotNull::Unproven, |known| {
            proof::not_null(known, &column.text, &dropped)
        });
        if matches!(proof, NotNull::Already | NotNull::ProvenBy(_)) {
            continue;
        }
        let command = Command {
            table,
            column,
            span,
            is_constraint,
        };
        let finding = command.finding(cx, known.map(|known| &**known), &proof, &dropped);
        let effects = cx.effects().list.clone();
        cx.report(
            finding
                .on(table)
                .certainty(cx.certainty_of(table))
                .effects(effects),
        );
    }
}

/// The values of a virtual column are computed to see that none is NULL (18).
fn virtual_columns(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, add) in cx.new_columns(statement) {
        let column = &add.column;
        let is_virtual = column
            .generated
            .as_ref()
            .is_some_and(|generated| !generated.stored);
        let cost = column::add(column, cx.before(), cx.postgres());
        if !is_virtual || !column.not_null_written || !cost.work.scan || cost.rewrite.is_some() {
            continue;
        }
        let (name, short) = (&column.name, &table.name);
        let constraint = quoted(&format!("{short}_{}_not_null", name.text));
        let effects = cx.effects().list.clone();
        let bare = cx.bare_column(statement, name);
        let steps = bare.map_or_else(Vec::new, |(text, _)| {
            let text = text.trim_end_matches(';');
            cx.remedy([
                (
                    Place::Instead,
                    format!(
                        "{text};\nALTER TABLE {table} ADD CONSTRAINT {constraint} NOT NULL {name} NOT VALID;"
                    ),
                ),
                (
                    Place::Later,
                    format!("ALTER TABLE {table} VALIDATE CONSTRAINT {constraint};"),
                ),
            ])
        });
        cx.report(
            Finding::new(
                column.span,
                format!(
                    "NOT NULL on the virtual column `{name}` computes it for every row of `{table}` under an ACCESS EXCLUSIVE lock: reads and writes wait"
                ),
            )
            .on(table)
            .help(format!(
                "add `{name}` without it, then the constraint NOT VALID, and validate that in a later transaction"
            ))
            .steps(steps)
            .effects(effects),
        );
    }
}

/// A command that makes a column NOT NULL.
struct Command<'a> {
    table: &'a Name,
    column: &'a Ident,
    span: Span,
    /// `ADD CONSTRAINT … NOT NULL` rather than `SET NOT NULL`.
    is_constraint: bool,
}

impl Command<'_> {
    fn finding(
        &self,
        cx: &Cx<'_>,
        known: Option<&Table>,
        proof: &NotNull,
        dropped: &[&str],
    ) -> Finding {
        let Self { table, column, .. } = self;
        let what = if self.is_constraint {
            format!("the NOT NULL constraint on `{column}`")
        } else {
            format!("SET NOT NULL on `{column}`")
        };
        let scan = format!(
            "{what} reads all of `{table}` under an ACCESS EXCLUSIVE lock: reads and writes wait"
        );
        let lost = known.and_then(|known| match proof::not_null(known, &column.text, &[]) {
            NotNull::ProvenBy(name) if dropped.contains(&&*name) => Some(name),
            _ => None,
        });
        if let Some(name) = lost {
            return Finding::new(
                self.span,
                format!("{scan}; its proof `{name}` is dropped first by the same ALTER TABLE"),
            )
            .help("make two statements of it: SET NOT NULL first, then drop the proof")
            .steps(cx.remedy([(
                Place::Instead,
                format!(
                    "ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;\nALTER TABLE {table} DROP CONSTRAINT {};",
                    quoted(&name)
                ),
            )]));
        }
        match proof {
            NotNull::NotValidated(name) => labelled(
                Finding::new(
                    self.span,
                    format!("{scan}; the CHECK `{name}` would prove it, but is NOT VALID"),
                )
                .help("validate it in an earlier migration: that stops neither reads nor writes")
                .steps(cx.remedy([(Place::Earlier, validate(table, name))])),
                known.and_then(|known| added_at(known, name)),
            ),
            NotNull::NotNullNotValid(name) => {
                let message = if self.is_constraint {
                    format!(
                        "this fails: `{column}` has the NOT NULL constraint `{name}` already, which is NOT VALID"
                    )
                } else {
                    format!("{scan}; the NOT NULL constraint `{name}` only has to be validated")
                };
                Finding::new(self.span, message)
                    .help("validate that instead, which stops neither reads nor writes")
                    .steps(cx.remedy([(Place::Instead, validate(table, name))]))
            }
            _ => Finding::new(self.span, scan)
                .help(self.sequence(cx, known))
                .steps(self.steps(cx, known)),
        }
    }

    /// The same as SQL, where the command does nothing else.
    fn steps(&self, cx: &Cx<'_>, known: Option<&Table>) -> Vec<Step> {
        let Self { table, column, .. } = self;
        let alone = matches!(&cx.step().statement.kind, Kind::AlterTable(alter) if alter.actions.len() == 1 && !alter.only);
        let has_default = known
            .and_then(|known| known.column(&column.text)?.default.as_ref())
            .is_some_and(|value| !value.is_null());
        if !alone || (has_default && cx.is_new_column(table, &column.text)) {
            return Vec::new();
        }
        let mut steps = cx.not_null_steps(table, &column.text, Place::Instead);
        if let Some(fill) = cx.in_batches(
            table,
            &format!("{column} = …"),
            &format!("{column} IS NULL"),
        ) {
            steps.insert(1, (Place::Later, fill));
        }
        cx.remedy(steps)
    }

    /// The whole way to NOT NULL without a long lock.
    fn sequence(&self, cx: &Cx<'_>, known: Option<&Table>) -> String {
        let Self { table, column, .. } = self;
        let has_default = known
            .and_then(|known| known.column(&column.text)?.default.as_ref())
            .is_some_and(|value| !value.is_null());
        if has_default && cx.is_new_column(table, &column.text) {
            return format!(
                "write NOT NULL where this migration adds `{column}`: with a default that needs no scan"
            );
        }
        let mut help = if cx.postgres() >= 18 {
            "add it NOT VALID, fill the nulls in batches, and validate it in a later migration"
                .to_owned()
        } else {
            "prove it by a CHECK that is NOT VALID, fill the nulls in batches, validate it in a later migration, and set NOT NULL behind that".to_owned()
        };
        if cx.certainty_of(self.table) != Certainty::Certain {
            help.push_str(
                "; a CHECK that is validated outside of these migrations spares the scan too",
            );
        }
        help
    }
}

/// Reads all rows without stopping anybody.
fn validate(table: &Name, name: &str) -> String {
    format!("ALTER TABLE {table} VALIDATE CONSTRAINT {};", quoted(name))
}

/// Where a constraint was added.
fn added_at(table: &Table, name: &str) -> Option<(Location, String)> {
    let constraint = table.constraint(name)?;
    Some((
        constraint.created.location,
        format!("`{name}` added as NOT VALID here"),
    ))
}

fn labelled(finding: Finding, label: Option<(Location, String)>) -> Finding {
    match label {
        Some((location, text)) => finding.label(location, text),
        None => finding,
    }
}
