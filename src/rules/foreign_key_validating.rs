//! See `rules/foreign-key-validating.md`.

use crate::diagnostic::{Place, Safety, Step};
use crate::effect::column;
use crate::rule::{Cx, Finding};
use crate::schema::TableKind;
use crate::statement::{
    AddColumn, AlterAction, AlterTable, ConstraintDef, ConstraintKind, Expr, ForeignKey, Kind,
    Name, Statement,
};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::AlterTable(alter) = &statement.kind else {
        return;
    };
    for (number, action) in alter.actions.iter().enumerate() {
        enforced(cx, alter, action);
        let AlterAction::AddConstraint(def) = action else {
            continue;
        };
        let ConstraintKind::ForeignKey(key) = &def.kind else {
            continue;
        };
        let table = &alter.name;
        if !cx.work_of(alter, action).1.scan {
            continue;
        }
        let added = column_added_with(statement, table, key);
        let help = match added {
            Some(add) => format!(
                "write {} at the column `{}`: all its values are NULL then, and PostgreSQL checks none",
                references(key),
                add.column.name
            ),
            None => help(cx, table, def),
        };
        let title = "add the foreign key as NOT VALID; a later migration has to validate it";
        let fix = match added {
            None if takes_not_valid(cx, table) => {
                cx.fix_at(def.span.end, " NOT VALID", title, Safety::Unsafe)
            }
            _ => None,
        };
        let steps = match added {
            None if takes_not_valid(cx, table) => {
                validated_later(cx, table, def, cx.not_valid(statement, number))
            }
            _ => Vec::new(),
        };
        let mut finding = finding(cx, table, def, key)
            .help(help)
            .steps(steps)
            .fix_if(fix);
        if let Some(add) = added {
            finding = finding.label(cx.location(add.column.span), "column added here");
        }
        cx.report(finding);
    }
    for (table, add) in statement.added_columns() {
        let exists = cx
            .before()
            .table(table)
            .is_some_and(|table| table.column(&add.column.name.text).is_some());
        if add.if_not_exists && exists {
            continue;
        }
        for def in &add.column.constraints {
            let ConstraintKind::ForeignKey(key) = &def.kind else {
                continue;
            };
            if !column::constraint_work(def, &add.column).scan {
                continue;
            }
            let name = &add.column.name;
            let needless = add.column.default.as_ref().is_some_and(Expr::is_null);
            let help = if needless {
                "leave out DEFAULT NULL: without a default PostgreSQL checks no row".to_owned()
            } else {
                format!(
                    "with a default every row is checked: add `{name}` without REFERENCES, then the foreign key NOT VALID, and VALIDATE it in a later migration"
                )
            };
            let steps = if needless || !takes_not_valid(cx, table) {
                Vec::new()
            } else {
                at_table(cx, statement, table, add, def)
            };
            let finding = finding(cx, table, def, key).help(help).steps(steps);
            cx.report(finding);
        }
    }
}

/// `ALTER CONSTRAINT … ENFORCED` (18) checks as a new foreign key does, under a stronger lock.
fn enforced(cx: &mut Cx<'_>, alter: &AlterTable, action: &AlterAction) {
    let AlterAction::AlterConstraint {
        name,
        enforced: true,
        ..
    } = action
    else {
        return;
    };
    let (table, (lock, work)) = (&alter.name, cx.work_of(alter, action));
    let key = cx
        .before()
        .table(table)
        .and_then(|table| table.constraint(&name.text));
    if !work.scan || cx.effects().fails.is_some() || key.is_some_and(|key| !key.def.not_enforced) {
        return;
    }
    let parent = key.and_then(|key| key.references.as_ref());
    let parent = parent.map_or_else(String::new, |parent| {
        format!(", and writes to `{}`", parent.short())
    });
    let finding = Finding::new(
        name.span,
        format!(
            "ENFORCED checks `{name}` on every row of `{table}` under {} lock: reads and writes wait{parent}",
            lock.with_article()
        ),
    )
    .on(table)
    .help(format!(
        "add a second foreign key NOT VALID, VALIDATE it in a later transaction, then drop {name}"
    ))
    .effects(cx.effects().list.clone());
    cx.report(finding);
}

fn finding(cx: &Cx<'_>, table: &Name, def: &ConstraintDef, key: &ForeignKey) -> Finding {
    let subject = match &def.name {
        Some(name) => format!("foreign key `{name}`"),
        None => "a foreign key".to_owned(),
    };
    let itself = cx.resolve(table) == cx.resolve(&key.table);
    let locks = if itself || cx.is_new(&key.table) {
        format!("a SHARE ROW EXCLUSIVE lock on `{table}`: writes wait")
    } else {
        format!(
            "SHARE ROW EXCLUSIVE locks on `{table}` and `{}`: writes to both wait",
            key.table
        )
    };
    Finding::new(
        def.span,
        format!("adding {subject} checks every row of `{table}` under {locks}"),
    )
    .on(table)
    .effects(cx.effects().list.clone())
}

/// `REFERENCES orders (id)`.
fn references(key: &ForeignKey) -> String {
    let columns: Vec<String> = key.referenced.iter().map(ToString::to_string).collect();
    if columns.is_empty() {
        format!("REFERENCES {}", key.table)
    } else {
        format!("REFERENCES {} ({})", key.table, columns.join(", "))
    }
}

/// NOT VALID is refused on a partitioned table before PostgreSQL 18.
fn takes_not_valid(cx: &Cx<'_>, table: &Name) -> bool {
    let partitioned = cx
        .before()
        .table(table)
        .is_some_and(|table| table.kind == TableKind::Partitioned);
    !partitioned || cx.postgres() >= 18
}

fn help(cx: &Cx<'_>, table: &Name, def: &ConstraintDef) -> String {
    if !takes_not_valid(cx, table) {
        return format!(
            "NOT VALID is refused on a partitioned table before PostgreSQL 18: add the foreign key NOT VALID to each partition and VALIDATE it there, then add it to `{table}`, which takes those over without checking rows"
        );
    }
    match cx.added_name(table, def) {
        Some(name) => format!("add it NOT VALID, and validate `{name}` in a later migration"),
        None => "add it NOT VALID, and VALIDATE it in a later migration".to_owned(),
    }
}

/// Steps for a constraint that is added as NOT VALID: by that text, and validated later.
pub(super) fn validated_later(
    cx: &Cx<'_>,
    table: &Name,
    def: &ConstraintDef,
    added: Option<String>,
) -> Vec<Step> {
    let (Some(sql), Some(name)) = (added, cx.added_name(table, def)) else {
        return Vec::new();
    };
    let validate = format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}");
    cx.remedy([(Place::Instead, sql), (Place::Later, validate)])
}

/// Steps for a constraint that stands at a new column: the column without it, then the same of the table as NOT VALID.
pub(super) fn at_table(
    cx: &Cx<'_>,
    statement: &Statement,
    table: &Name,
    add: &AddColumn,
    def: &ConstraintDef,
) -> Vec<Step> {
    let column = &add.column.name;
    let words = def.kind.words();
    let is = |own: &ConstraintDef| own.kind.words() == words;
    let (Some(name), Some((rest, text))) = (
        cx.added_name(table, def),
        cx.without_at_column(statement, column, is),
    ) else {
        return Vec::new();
    };
    let written = match &def.kind {
        ConstraintKind::ForeignKey(_) => text.to_ascii_uppercase().find("REFERENCES"),
        _ => text.to_ascii_uppercase().find("CHECK"),
    };
    let Some(text) = written.and_then(|at| text.get(at..)) else {
        return Vec::new();
    };
    let over = match &def.kind {
        ConstraintKind::ForeignKey(_) => format!("FOREIGN KEY ({column}) "),
        _ => String::new(),
    };
    let added =
        format!("{rest};\nALTER TABLE {table} ADD CONSTRAINT {name} {over}{text} NOT VALID");
    validated_later(cx, table, def, Some(added))
}

/// The column that the same command adds, if the foreign key is over that alone and the column has no value: a
/// constraint of the table is checked all the same.
fn column_added_with<'s>(
    statement: &'s Statement,
    table: &Name,
    key: &ForeignKey,
) -> Option<&'s AddColumn> {
    let [column] = key.columns.as_slice() else {
        return None;
    };
    statement
        .added_columns()
        .filter(|(of, _)| *of == table)
        .map(|(_, add)| add)
        .find(|add| {
            add.column.name == *column
                && add.column.default.is_none()
                && add.column.generated.is_none()
                && add.column.identity.is_none()
        })
}
