//! Queries and changes of rows, and the code that contains them.

use super::compute::Collector;
use std::collections::BTreeSet;

use super::bound::prune::Pruning;
use super::{LockMode, Work};
use crate::diagnostic::Certainty;
use crate::schema::Relation;
use crate::statement::table::ReferentialAction;
use crate::statement::{
    Change, ChangeVerb, ConstraintKind, CreateFunction, CreateTableAs, CreateView, Expr, Insert,
    InsertRows, Kind, Name, Nested, QualifiedName, Query, Relation as Named, Statement,
};

/// How deep functions that call one another are followed.
const DEEPEST_CALL: usize = 4;

impl Collector<'_> {
    /// What a query reads. `runs`: it is planned, which locks what stands behind views and under parents as well.
    pub(super) fn query(&mut self, query: &Query, runs: bool) {
        self.query_with(query, runs, Work::NONE);
    }

    fn query_with(&mut self, query: &Query, runs: bool, work: Work) {
        match (query.reads.as_slice(), &query.from) {
            // A condition of a query over one table is about its rows.
            ([name], Some(from))
                if runs
                    && from.len() == 1
                    && self.is_partitioned(name)
                    && query.changes.is_empty() =>
            {
                let key = self.situation.schema.resolve(name);
                self.pruned(&key, query.condition.as_ref(), LockMode::AccessShare, work);
            }
            _ => {
                for name in &query.reads {
                    self.read(name, LockMode::AccessShare, runs, work);
                }
            }
        }
        for name in &query.locked {
            self.read(name, LockMode::RowShare, runs, Work::NONE);
        }
        for change in &query.changes {
            self.change(change, runs);
        }
    }

    /// Locks a table and those of its partitions and children that a condition on its rows does not leave out.
    fn pruned(
        &mut self,
        table: &QualifiedName,
        condition: Option<&Expr>,
        lock: LockMode,
        work: Work,
    ) {
        let schema = self.situation.schema;
        self.certain(table, lock, work);
        let mut seen = BTreeSet::from([table.clone()]);
        let mut next = vec![(table.clone(), Certainty::Certain)];
        while let Some((parent, sure)) = next.pop() {
            let Some(table) = schema.table_at(&parent) else {
                continue;
            };
            let pruning = Pruning::new(schema, table, condition);
            for child in schema.children(&parent) {
                let Some(certainty) = pruning.certainty(table, child) else {
                    continue;
                };
                if !seen.insert(child.name.clone()) {
                    continue;
                }
                let certainty = certainty.min(sure);
                self.lock(&child.name, lock, work, certainty);
                next.push((child.name.clone(), certainty));
            }
        }
    }

    fn is_partitioned(&self, name: &Name) -> bool {
        let table = self.situation.schema.table(name);
        table.is_some_and(|table| table.partition_by.is_some())
    }

    fn read(&mut self, name: &Name, lock: LockMode, runs: bool, work: Work) {
        // Names of catalogs and of what a query defines itself are nobody's tables.
        if matches!(
            name.schema.as_deref(),
            Some("pg_catalog" | "information_schema")
        ) || (name.schema.is_none() && name.name.starts_with("pg_"))
        {
            return;
        }
        let key = self.situation.schema.resolve(name);
        if runs {
            self.planned(&key, lock, work);
        } else {
            self.named(name, lock, work);
        }
    }

    /// Locks what planning a use of a relation locks: itself, children, and what a view reads. Every index of a table is
    /// opened too, in ACCESS SHARE; an ACCESS EXCLUSIVE lock on an index stops reads for that reason.
    pub(super) fn planned(&mut self, relation: &QualifiedName, lock: LockMode, work: Work) {
        let schema = self.situation.schema;
        let mut seen: Vec<QualifiedName> = Vec::new();
        let mut next = vec![relation.clone()];
        while let Some(relation) = next.pop() {
            if seen.contains(&relation) {
                continue;
            }
            match schema.relation_at(&relation) {
                Some(Relation::View(view)) => {
                    self.certain(&relation, lock, work);
                    if !view.materialized {
                        next.extend(view.reads.iter().cloned());
                    }
                }
                Some(Relation::Dropped(_)) => {
                    self.refuse(
                        "42P01",
                        format!("relation {relation} does not exist any more"),
                    );
                }
                _ => self.tree(&relation, lock, work),
            }
            seen.push(relation);
        }
    }

    pub(super) fn insert(&mut self, insert: &Insert) {
        self.write(&insert.table, false, true);
        let schema = self.situation.schema;
        let key = schema.resolve(&insert.table);
        // Which partition a row goes to depends on its values.
        for child in schema.descendants(&key) {
            if child.partition.is_some() {
                self.lock(
                    &child.name,
                    LockMode::RowExclusive,
                    Work::NONE,
                    Certainty::Possible,
                );
            }
        }
        let target = match schema.relation_at(&key) {
            Some(Relation::View(view)) => {
                view.reads.first().and_then(|table| schema.table_at(table))
            }
            _ => schema.table_at(&key),
        };
        if let Some(table) = target {
            // The referenced table is opened before anything is looked at, also for a NULL. No row, no lock.
            let certainty = match insert.rows {
                InsertRows::Values(_) => Certainty::Certain,
                InsertRows::Query => Certainty::Possible,
            };
            let referenced: Vec<QualifiedName> = table
                .constraints
                .iter()
                .filter_map(|constraint| constraint.references.clone())
                .collect();
            for other in referenced {
                self.lock(&other, LockMode::RowShare, Work::NONE, certainty);
            }
        }
        self.query(&insert.query, true);
    }

    /// ROW EXCLUSIVE on a table and, if the change is planned, on the children it may reach.
    fn write(&mut self, name: &Name, with_children: bool, runs: bool) {
        self.write_where(name, with_children, runs, None);
    }

    /// The same with a condition. One on the partition key may leave partitions out when it is planned.
    fn write_where(
        &mut self,
        name: &Name,
        with_children: bool,
        runs: bool,
        condition: Option<&Expr>,
    ) {
        let schema = self.situation.schema;
        let key = schema.resolve(name);
        match schema.relation_at(&key) {
            Some(Relation::View(_)) if runs => {
                // An automatically updatable view hands the change on to its table.
                self.planned(&key, LockMode::RowExclusive, Work::NONE);
            }
            Some(_) if with_children && runs => {
                self.pruned(&key, condition, LockMode::RowExclusive, Work::NONE);
            }
            _ => self.named(name, LockMode::RowExclusive, Work::NONE),
        }
    }

    pub(super) fn change(&mut self, change: &Change, runs: bool) {
        let with_children = change.verb != ChangeVerb::Insert && !change.table.only;
        if runs && with_children {
            self.moved_rows(change);
        }
        self.write_where(
            &change.table.name,
            with_children,
            runs,
            // The condition of a MERGE only says which rows match.
            change
                .condition
                .as_ref()
                .filter(|_| change.verb != ChangeVerb::Merge),
        );
        if runs {
            self.referencing_rows(change);
        }
        self.query(&change.query, runs);
    }

    /// A row whose partition key changes goes to another partition, which is found when it runs.
    fn moved_rows(&mut self, change: &Change) {
        let schema = self.situation.schema;
        let key = schema.resolve(&change.table.name);
        let by = schema
            .table_at(&key)
            .and_then(|table| table.partition_by.as_ref());
        let moves = by.is_some_and(|by| {
            change.verb == ChangeVerb::Merge
                || by.key.iter().any(|part| {
                    let mut assigned = change.assignments.iter();
                    assigned.any(|(column, _)| part.mentions(&column.text))
                })
        });
        if moves {
            for child in schema.descendants(&key) {
                let lock = LockMode::RowExclusive;
                self.lock(&child.name, lock, Work::NONE, Certainty::Possible);
            }
        }
    }

    /// Deleting a row, or changing its key, looks for rows that reference it, and changes them if the key says so.
    fn referencing_rows(&mut self, change: &Change) {
        let schema = self.situation.schema;
        let key = schema.resolve(&change.table.name);
        // MERGE may do anything that its branches say.
        let deletes = matches!(change.verb, ChangeVerb::Delete | ChangeVerb::Merge);
        let primary: Vec<Box<str>> = schema
            .table_at(&key)
            .and_then(|table| table.primary_key())
            .map(|constraint| match &constraint.def.kind {
                ConstraintKind::PrimaryKey(key) => {
                    key.columns.iter().map(|name| name.text.clone()).collect()
                }
                _ => Vec::new(),
            })
            .unwrap_or_default();
        let mut touched: Vec<(QualifiedName, LockMode)> = Vec::new();
        // A new value of a foreign key is looked up in the table it references.
        for constraint in schema
            .table_at(&key)
            .into_iter()
            .flat_map(|t| &t.constraints)
        {
            if let ConstraintKind::ForeignKey(foreign) = &constraint.def.kind
                && let Some(referenced) = &constraint.references
                && (change.verb == ChangeVerb::Merge
                    || change
                        .assignments
                        .iter()
                        .any(|(column, _)| foreign.columns.contains(column)))
            {
                touched.push((referenced.clone(), LockMode::RowShare));
            }
        }
        for (other, constraint) in schema.referencing(&key) {
            let ConstraintKind::ForeignKey(foreign) = &constraint.def.kind else {
                continue;
            };
            let sets_key = change.assignments.iter().any(|(column, _)| {
                foreign.referenced.contains(column)
                    || (foreign.referenced.is_empty() && primary.contains(&column.text))
            });
            if !deletes && !sets_key {
                continue;
            }
            let action = if deletes {
                foreign.on_delete
            } else {
                foreign.on_update
            };
            let lock = match action {
                ReferentialAction::NoAction | ReferentialAction::Restrict => LockMode::RowShare,
                _ => LockMode::RowExclusive,
            };
            touched.push((other.name.clone(), lock));
        }
        for (other, lock) in touched {
            self.lock(&other, lock, Work::NONE, Certainty::Possible);
        }
    }

    pub(super) fn create_table_as(&mut self, create: &CreateTableAs) {
        let existing = self.situation.schema.relation(&create.name);
        if existing.is_some_and(|relation| !matches!(relation, Relation::Dropped(_))) {
            if !create.if_not_exists {
                self.refuse("42P07", format!("{} exists already", create.name));
            }
            return;
        }
        let work = if create.with_data && !create.query.has_limit {
            Work::SCAN
        } else {
            Work::NONE
        };
        self.query_with(&create.query, create.with_data, work);
    }

    pub(super) fn create_view(&mut self, create: &CreateView) {
        let schema = self.situation.schema;
        if let Some(Relation::View(old)) = schema.relation(&create.name) {
            if create.or_replace {
                self.named(&create.name, LockMode::AccessExclusive, Work::NONE);
                let fewer = create.columns.len() < old.columns.len()
                    && !create.query.star
                    && !old.columns.is_empty()
                    && !create.columns.is_empty();
                if fewer {
                    self.refuse("42P16", "columns cannot be dropped from a view");
                }
            } else {
                self.refuse("42P07", format!("{} exists already", create.name));
            }
        } else if matches!(
            schema.relation(&create.name),
            Some(Relation::Table(_) | Relation::Sequence(_) | Relation::Index(_))
        ) {
            self.refuse("42P07", format!("{} exists already", create.name));
        }
        self.query(&create.query, false);
    }

    /// The body of a SQL function is read when it is made: its tables are locked as for planning a query that does not run.
    pub(super) fn create_function(&mut self, create: &CreateFunction, body: &[Nested]) {
        let reads_body =
            create.atomic || (&*create.language == "sql" && self.situation.check_function_bodies);
        if !reads_body {
            return;
        }
        for nested in body {
            self.analysed(&nested.statement);
        }
    }

    /// Locks that reading a statement takes, without planning or running it.
    fn analysed(&mut self, statement: &Statement) {
        match &statement.kind {
            Kind::Select(query) => self.query(query, false),
            Kind::Insert(insert) => {
                self.write(&insert.table, false, false);
                self.query(&insert.query, false);
            }
            Kind::Change(change) | Kind::Merge(change) => self.change(change, false),
            // Utility statements are not looked into before they run.
            _ => {}
        }
    }

    /// `EXPLAIN` plans the statement: its locks without its work. With `ANALYZE` it runs; replay has a step for that.
    pub(super) fn explain(&mut self, nested: &[Nested]) {
        for nested in nested.iter().filter(|nested| !nested.runs) {
            match &nested.statement.kind {
                Kind::CreateTableAs(create) => self.query(&create.query, true),
                Kind::Insert(insert) => {
                    self.write(&insert.table, false, true);
                    self.query(&insert.query, true);
                }
                Kind::Change(change) | Kind::Merge(change) => {
                    let with_children = !change.table.only;
                    self.write(&change.table.name, with_children, true);
                    self.query(&change.query, true);
                }
                Kind::Select(query) => self.query(query, true),
                _ => {}
            }
        }
    }

    /// `CALL`: the statements of the procedure, as far as the history defines it.
    pub(super) fn call(&mut self, name: &Name) {
        self.open_ended = true;
        let mut next = vec![(name.clone(), DEEPEST_CALL)];
        while let Some((name, depth)) = next.pop() {
            let schema = self.situation.schema;
            let bodies: Vec<_> = schema
                .functions_named(name.schema.as_deref(), &name.name)
                .iter()
                .map(|function| function.statements.clone())
                .collect();
            for nested in bodies.iter().flat_map(|body| body.iter()) {
                if let (Kind::Call(inner), true) = (&nested.statement.kind, depth > 0) {
                    next.push((inner.clone(), depth - 1));
                    continue;
                }
                let inner = super::effects(&nested.statement, self.situation);
                self.take(inner, nested.conditional);
            }
        }
    }

    pub(super) fn lock_tables(&mut self, tables: &[Named], mode: LockMode) {
        for table in tables {
            let key = self.situation.schema.resolve(&table.name);
            match self.situation.schema.relation_at(&key) {
                // LOCK on a view locks what it reads as well.
                Some(Relation::View(_)) => self.planned(&key, mode, Work::NONE),
                Some(_) if !table.only => self.tree(&key, mode, Work::NONE),
                _ => self.named(&table.name, mode, Work::NONE),
            }
        }
    }
}
