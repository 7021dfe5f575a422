//! See `rules/constraint-builds-index.md`.

use crate::diagnostic::{Level, Place, Step};
use crate::effect::proof::{self, NotNull};
use crate::effect::{LockMode, column};
use crate::rule::{Cx, Finding};
use crate::schema::TableKind;
use crate::statement::{
    AlterAction, ConstraintDef, ConstraintKind, Ident, Kind, Name, Statement, table::Key,
};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::AlterTable(alter) = &statement.kind else {
        return;
    };
    let table = &alter.name;
    let partitioned = cx
        .before()
        .table(table)
        .is_some_and(|table| table.kind == TableKind::Partitioned);
    for (number, action) in alter.actions.iter().enumerate() {
        match action {
            // On ONLY a partitioned table nothing is built.
            AlterAction::AddConstraint(_) if partitioned && alter.only => {}
            AlterAction::AddConstraint(def) => {
                if cx.work_of(alter, action).1.index_build {
                    let help = if partitioned {
                        per_partition(table)
                    } else {
                        help(cx, statement, table, def, &columns_of(def))
                    };
                    let steps = if partitioned {
                        Vec::new()
                    } else {
                        taken_over(cx, statement, table, def, number)
                    };
                    let finding = built(cx, table, def).help(help).steps(steps);
                    cx.report(finding);
                } else {
                    nullable_key(cx, table, def);
                }
            }
            AlterAction::AddColumn(add) => {
                let exists = cx
                    .before()
                    .table(table)
                    .is_some_and(|table| table.column(&add.column.name.text).is_some());
                let cost = column::add(&add.column, cx.before(), cx.postgres());
                // A rewrite builds every index, and a column without values fails: both are reported as such.
                if (add.if_not_exists && exists) || cost.rewrite.is_some() || cost.fails_on_rows {
                    continue;
                }
                for def in &add.column.constraints {
                    if !column::constraint_work(def, &add.column).index_build {
                        continue;
                    }
                    let rest = if partitioned {
                        per_partition(table)
                    } else {
                        let columns = std::slice::from_ref(&add.column.name);
                        help(cx, statement, table, def, columns)
                    };
                    let steps = if partitioned {
                        Vec::new()
                    } else {
                        at_column(cx, statement, table, &add.column.name, def)
                    };
                    let finding = built(cx, table, def)
                        .steps(steps)
                        .help(format!("add `{}` without it; then {rest}", add.column.name));
                    cx.report(finding);
                }
            }
            _ => {}
        }
    }
}

fn built(cx: &Cx<'_>, table: &Name, def: &ConstraintDef) -> Finding {
    let kind = def.kind.words();
    let subject = match &def.name {
        Some(name) => format!("{kind} `{name}`"),
        None => kind.to_owned(),
    };
    Finding::new(
        def.span,
        format!(
            "adding {subject} builds its index under an ACCESS EXCLUSIVE lock on `{table}`: reads and writes wait until it is built"
        ),
    )
    .on(table)
    .effects(cx.effects().list.clone())
}

fn columns_of(def: &ConstraintDef) -> Vec<Ident> {
    match &def.kind {
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => key.columns.clone(),
        _ => Vec::new(),
    }
}

fn per_partition(table: &Name) -> String {
    format!(
        "USING INDEX is refused on a partitioned table: add the constraint to ONLY {table}, build a unique index CONCURRENTLY on each partition, add the constraint there USING INDEX, and attach each index with ALTER INDEX … ATTACH PARTITION"
    )
}

fn help(
    cx: &Cx<'_>,
    statement: &Statement,
    table: &Name,
    def: &ConstraintDef,
    columns: &[Ident],
) -> String {
    let (ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key)) = &def.kind else {
        return "there is no online way to add EXCLUDE to a table that is in use: make a new table with it and copy the rows, or plan for the time of the build".to_owned();
    };
    if let Some(index) = ready_index(cx, table, key, columns) {
        return format!(
            "`{index}` is unique over the same columns already: make the constraint of it"
        );
    }
    let way_out = cx
        .way_out_for(&concurrent_index(statement))
        .map_or_else(String::new, |way_out| format!(" ({way_out})"));
    format!("first build a unique index CONCURRENTLY{way_out}, then make the constraint of it")
}

/// The index that the constraint takes over, as it is built before.
fn unique_index(table: &Name, name: &Ident, key: &Key, columns: &[Ident]) -> String {
    let list = |columns: &[Ident]| {
        columns
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let include = if key.include.is_empty() {
        String::new()
    } else {
        format!(" INCLUDE ({})", list(&key.include))
    };
    let nulls = if key.nulls_not_distinct {
        " NULLS NOT DISTINCT"
    } else {
        ""
    };
    format!(
        "CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({}){include}{nulls};",
        list(columns)
    )
}

/// Steps for a constraint of the table: the index before, if there is none yet, then the constraint that takes it over.
fn taken_over(
    cx: &Cx<'_>,
    statement: &Statement,
    table: &Name,
    def: &ConstraintDef,
    number: usize,
) -> Vec<Step> {
    let (ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key)) = &def.kind else {
        return Vec::new();
    };
    let columns = columns_of(def);
    let (Some(name), false) = (cx.added_name(table, def), def.deferrable) else {
        return Vec::new();
    };
    // A primary key makes its columns NOT NULL, which has to be proven before.
    if matches!(def.kind, ConstraintKind::PrimaryKey(_)) && !all_proven(cx, table, &columns) {
        return Vec::new();
    }
    let kind = def.kind.words();
    let ready = ready_index(cx, table, key, &columns);
    let index = ready.clone().unwrap_or_else(|| name.to_string());
    let added = cx.other_constraint(
        statement,
        number,
        format!("CONSTRAINT {name} {kind} USING INDEX {index}"),
    );
    let Some(added) = added else {
        return Vec::new();
    };
    let build = match ready {
        Some(_) => None,
        None => Some((Place::Earlier, unique_index(table, &name, key, &columns))),
    };
    cx.remedy(build.into_iter().chain([(Place::Instead, added)]))
}

/// Steps for a constraint that stands at a new column.
fn at_column(
    cx: &Cx<'_>,
    statement: &Statement,
    table: &Name,
    column: &Ident,
    def: &ConstraintDef,
) -> Vec<Step> {
    let ConstraintKind::Unique(key) = &def.kind else {
        return Vec::new();
    };
    let is = |own: &ConstraintDef| matches!(own.kind, ConstraintKind::Unique(_));
    let (Some(name), Some((rest, _)), false) = (
        cx.added_name(table, def),
        cx.without_at_column(statement, column, is),
        def.deferrable,
    ) else {
        return Vec::new();
    };
    cx.remedy([
        (Place::Instead, rest),
        (
            Place::Later,
            unique_index(table, &name, key, std::slice::from_ref(column)),
        ),
        (
            Place::Later,
            format!("ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}"),
        ),
    ])
}

/// True if none of the columns can hold a NULL.
pub(super) fn all_proven(cx: &Cx<'_>, table: &Name, columns: &[Ident]) -> bool {
    cx.before().table(table).is_some_and(|known| {
        columns.iter().all(|column| {
            matches!(
                proof::not_null(known, &column.text, &[]),
                NotNull::Already | NotNull::ProvenBy(_)
            )
        })
    })
}

/// A unique index that the constraint could take over.
fn ready_index(cx: &Cx<'_>, table: &Name, key: &Key, columns: &[Ident]) -> Option<String> {
    let table = cx.resolve(table);
    cx.before()
        .indexes_of(&table)
        .find(|index| {
            index.unique
                && index.valid
                && index.constraint.is_none()
                && index.predicate.is_none()
                && &*index.method == "btree"
                && index.elements.len() == columns.len()
                && index
                    .columns()
                    .eq(columns.iter().map(|column| &*column.text))
                && index.include == key.include
                && index.nulls_not_distinct == key.nulls_not_distinct
        })
        .map(|index| {
            Ident::new(index.name.name.clone(), crate::source::Span::new(0, 0)).to_string()
        })
}

/// A statement that stands for the index build, for asking how the tool would run it.
fn concurrent_index(statement: &Statement) -> Statement {
    let mut wanted = statement.clone();
    wanted.kind = Kind::CreateIndex(Box::new(crate::statement::CreateIndex {
        name: None,
        table: Name::new(None, "", statement.span),
        only: false,
        unique: true,
        concurrently: true,
        if_not_exists: false,
        method: "btree".into(),
        elements: Vec::new(),
        include: Vec::new(),
        predicate: None,
        nulls_not_distinct: false,
    }));
    wanted
}

/// `PRIMARY KEY USING INDEX` makes its columns NOT NULL, and reads the table for those that nothing proves.
fn nullable_key(cx: &mut Cx<'_>, table: &Name, def: &ConstraintDef) {
    let ConstraintKind::PrimaryKey(Key {
        using_index: Some(index),
        ..
    }) = &def.kind
    else {
        return;
    };
    let key = cx.resolve(table);
    let Some(known) = cx.before().table_at(&key).filter(|table| table.known) else {
        return;
    };
    let Some(index) = cx
        .before()
        .indexes_of(&key)
        .find(|candidate| candidate.name.name == index.text)
    else {
        return;
    };
    let nullable = index.columns().find(|column| {
        !matches!(
            proof::not_null(known, column, &[]),
            NotNull::Already | NotNull::ProvenBy(_)
        )
    });
    let Some(column) = nullable else {
        return;
    };
    let proof = cx
        .not_null_steps(table, column, Place::Earlier)
        .into_iter()
        .map(|(_, sql)| (Place::Earlier, sql));
    let steps = cx.remedy(proof);
    let column = Ident::new(column, def.span);
    cx.report(
        Finding::new(
            def.span,
            format!(
                "`{column}` may be NULL: PRIMARY KEY makes it NOT NULL, which reads every row of `{table}` under an {} lock",
                LockMode::AccessExclusive.as_str()
            ),
        )
        .on(table)
        .level(Level::Warning)
        .help("prove it first, by a constraint that is added NOT VALID and validated in a transaction of its own")
        .steps(steps)
        .effects(cx.effects().list.clone()),
    );
}
