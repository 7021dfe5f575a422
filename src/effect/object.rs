//! Types, domains, functions, triggers, sequences, comments, extensions, and what is kept by name only.

use super::compute::Collector;
use super::{LockMode, Work};
use crate::schema::{Relation, Schema, TypeKind};
use crate::statement::{
    AlterDomain, AlterDomainAction, AlterEnum, Comment, ConstraintKind, CreateFunction,
    CreateStatistics, CreateTrigger, Drop, Expr, ExprKind, Ident, Name, ObjectKind, QualifiedName,
    Statement,
};

/// Tables with a column of a user-defined type, or of a domain over it.
pub(super) fn tables_of_type(schema: &Schema, name: &Name) -> Vec<QualifiedName> {
    let Some(ty) = schema.type_named(name.schema.as_deref(), &name.name) else {
        return Vec::new();
    };
    let mut types = vec![ty.name.clone()];
    let mut at = 0;
    while at < types.len() {
        for other in schema.types() {
            if let TypeKind::Domain(domain) = &other.kind
                && domain.base.name == types[at].name
                && !types.contains(&other.name)
            {
                types.push(other.name.clone());
            }
        }
        at += 1;
    }
    let mut tables: Vec<QualifiedName> = types
        .iter()
        .flat_map(|ty| schema.tables_of_type(ty))
        .map(|table| table.name.clone())
        .collect();
    tables.sort();
    tables.dedup();
    tables
}

impl Collector<'_> {
    pub(super) fn alter_domain(&mut self, alter: &AlterDomain) {
        let scans = match &alter.action {
            AlterDomainAction::AddConstraint(def) => !def.not_valid,
            AlterDomainAction::ValidateConstraint(_) | AlterDomainAction::SetNotNull => true,
            _ => false,
        };
        if scans {
            let lock = match &alter.action {
                // 18 validates under a lock that lets writes through.
                AlterDomainAction::ValidateConstraint(_) if self.situation.postgres >= 18 => {
                    LockMode::ShareUpdateExclusive
                }
                _ => LockMode::Share,
            };
            let tables = tables_of_type(self.situation.schema, &alter.name);
            self.all(tables, lock, Work::SCAN);
        }
    }

    pub(super) fn create_trigger(&mut self, create: &CreateTrigger) {
        self.named(&create.table, LockMode::ShareRowExclusive, Work::NONE);
        let schema = self.situation.schema;
        let key = schema.resolve(&create.table);
        if create.row {
            let partitions: Vec<QualifiedName> = match schema.table_at(&key) {
                // Row triggers are copied to partitions, not to inheritance children.
                Some(table) if table.partition_by.is_some() => schema
                    .descendants(&key)
                    .iter()
                    .map(|child| child.name.clone())
                    .collect(),
                _ => Vec::new(),
            };
            self.all(partitions, LockMode::ShareRowExclusive, Work::NONE);
        }
        if let Some(from) = &create.from {
            self.named(from, LockMode::AccessShare, Work::NONE);
        }
        let taken = schema.table_at(&key).is_some_and(|table| {
            table
                .triggers
                .iter()
                .any(|trigger| trigger.name == create.name.text)
        });
        if taken && !create.or_replace {
            self.refuse(
                "42710",
                format!("{key} has a trigger {} already", create.name),
            );
        }
    }

    pub(super) fn comment(&mut self, comment: &Comment) {
        let lock = match comment.object {
            ObjectKind::Table
            | ObjectKind::Column
            | ObjectKind::View
            | ObjectKind::MaterializedView
            | ObjectKind::ForeignTable
            | ObjectKind::Index
            | ObjectKind::Sequence => LockMode::ShareUpdateExclusive,
            ObjectKind::Constraint
            | ObjectKind::Trigger
            | ObjectKind::Policy
            | ObjectKind::Rule => LockMode::AccessShare,
            _ => return,
        };
        self.named(&comment.name, lock, Work::NONE);
    }

    /// Statements kept by their tag and names.
    pub(super) fn other(&mut self, statement: &Statement, names: &[Name]) {
        match statement.tag {
            "SQL" => {}
            "EXPLAIN" => self.explain(&statement.nested),
            "ALTER TABLE ALL IN TABLESPACE" => {
                // Which tables are in the tablespace is not kept.
                let all: Vec<QualifiedName> = self
                    .situation
                    .schema
                    .tables()
                    .map(|table| table.name.clone())
                    .collect();
                for table in all {
                    self.lock(
                        &table,
                        LockMode::AccessExclusive,
                        Work::FILE_COPY,
                        crate::diagnostic::Certainty::Possible,
                    );
                }
                self.open_ended = true;
            }
            "ALTER EXTENSION" | "DROP OWNED" | "REASSIGN OWNED" | "EXECUTE" => {
                self.open_ended = true;
            }
            _ => {
                for name in names {
                    self.named(name, LockMode::ShareUpdateExclusive, Work::NONE);
                }
            }
        }
    }

    /// Tables of a publication, which lets go of them.
    pub(super) fn publication_members(&mut self, name: &str) {
        let members: Vec<QualifiedName> = self
            .situation
            .schema
            .tables()
            .filter(|table| table.publications.iter().any(|p| &*p.name == name))
            .map(|table| table.name.clone())
            .collect();
        self.all(members, LockMode::ShareUpdateExclusive, Work::NONE);
    }

    pub(super) fn drop_sequences(&mut self, drop: &Drop) {
        let schema = self.situation.schema;
        for name in &drop.names {
            if drop.if_exists {
                self.named_if_exists(name, LockMode::AccessExclusive, Work::NONE);
            } else {
                self.named(name, LockMode::AccessExclusive, Work::NONE);
            }
            let key = schema.resolve(name);
            let Some(crate::schema::Relation::Sequence(sequence)) = schema.relation_at(&key) else {
                continue;
            };
            let Some((table, column)) = sequence.owned_by.clone() else {
                continue;
            };
            let identity = schema
                .table_at(&table)
                .and_then(|table| table.column(&column))
                .is_some_and(|column| column.identity.is_some());
            let used = schema
                .table_at(&table)
                .and_then(|table| table.column(&column))
                .is_some_and(|column| {
                    column.default.is_some()
                        || column
                            .ty
                            .as_ref()
                            .is_some_and(|ty| ty.serial_base().is_some())
                });
            if identity || used {
                if drop.cascade && !identity {
                    // The default that uses it hangs on the column.
                    self.certain(&table, LockMode::AccessExclusive, Work::NONE);
                }
                if identity || !drop.cascade {
                    self.refuse("2BP01", format!("{table}.{column} uses {key}"));
                }
            }
        }
    }

    pub(super) fn drop_part(&mut self, drop: &Drop) {
        let Some(table) = &drop.on else { return };
        let known = self
            .situation
            .schema
            .table(table)
            .filter(|table| table.known);
        let missing_trigger = drop.object == ObjectKind::Trigger
            && drop.names.first().is_some_and(|name| {
                known.is_some_and(|table| {
                    !table
                        .triggers
                        .iter()
                        .any(|trigger| trigger.name == name.name)
                })
            });
        // The trigger is looked up under ACCESS SHARE; only one that is there is dropped.
        let lock = if missing_trigger {
            LockMode::AccessShare
        } else {
            LockMode::AccessExclusive
        };
        if drop.if_exists {
            self.named_if_exists(table, lock, Work::NONE);
        } else {
            self.named(table, lock, Work::NONE);
            if missing_trigger {
                self.refuse("42704", format!("{table} has no such trigger"));
            }
        }
        let cloned = known.is_some_and(|table| {
            let mut triggers = table.triggers.iter();
            triggers.any(|trigger| {
                trigger.cloned && drop.names.iter().any(|name| name.name == trigger.name)
            })
        });
        if cloned && drop.object == ObjectKind::Trigger {
            self.refuse(
                "2BP01",
                format!("the trigger of {table} belongs to that of the partitioned table"),
            );
            return;
        }
        if drop.object == ObjectKind::Trigger && !missing_trigger {
            let schema = self.situation.schema;
            let key = schema.resolve(table);
            if let Some(parent) = schema.table_at(&key)
                && parent.partition_by.is_some()
            {
                let row = parent.triggers.iter().any(|trigger| {
                    drop.names.iter().any(|n| n.name == trigger.name) && trigger.row
                });
                if row {
                    self.tree(&key, LockMode::AccessExclusive, Work::NONE);
                }
            }
        }
    }

    /// The name of a new type must be free (42710, measured on 13 and 18).
    pub(super) fn new_type(&mut self, name: &Name) {
        let schema = self.situation.schema;
        let key = schema.creation_name(name, false);
        let taken = schema.type_named(Some(&key.schema), &key.name).is_some();
        if taken && schema.doubt(&key).is_none() {
            self.refuse("42710", format!("type {name} exists already"));
        }
    }

    /// A value is added once, and only one that is there can be renamed (42710, 22023).
    pub(super) fn alter_enum(&mut self, alter: &AlterEnum) {
        let schema = self.situation.schema;
        let name = &alter.name;
        let Some(ty) = schema.type_named(name.schema.as_deref(), &name.name) else {
            return;
        };
        let TypeKind::Enum(labels) = &ty.kind else {
            return;
        };
        let has = |label: &Ident| labels.iter().any(|known| known.label == label.text);
        if schema.doubt(&ty.name).is_some() {
            return;
        }
        match &alter.old_label {
            Some(old) if !has(old) => {
                self.refuse("22023", format!("type {name} has no value '{}'", old.text));
            }
            _ if has(&alter.new_label) && !alter.if_not_exists => {
                let label = &alter.new_label.text;
                self.refuse(
                    "42710",
                    format!("type {name} has a value '{label}' already"),
                );
            }
            _ => {}
        }
    }

    /// A function with the same arguments must not be there, unless it is replaced (42723).
    pub(super) fn new_function(&mut self, create: &CreateFunction) {
        let schema = self.situation.schema;
        let key = schema.creation_name(&create.name, false);
        let taken = schema
            .functions_named(Some(&key.schema), &key.name)
            .iter()
            .any(|function| function.arguments == create.arguments);
        if taken && !create.or_replace {
            self.refuse("42723", format!("function {} exists already", create.name));
        }
    }

    pub(super) fn create_statistics(&mut self, create: &CreateStatistics) {
        self.named(&create.table, LockMode::ShareUpdateExclusive, Work::NONE);
        if let Some(name) = &create.name
            && !create.if_not_exists
        {
            let key = self.situation.schema.creation_name(name, false);
            if self.situation.schema.statistics_at(&key).is_some() {
                self.refuse("42710", format!("statistics {key} exist already"));
            }
        }
    }

    pub(super) fn drop_statistics(&mut self, drop: &Drop) {
        let schema = self.situation.schema;
        for name in &drop.names {
            match schema.statistics_at(&schema.statistics_key(name)).cloned() {
                Some(table) => self.certain(&table, LockMode::ShareUpdateExclusive, Work::NONE),
                // What they hang on is not known.
                None => self.open_ended = true,
            }
        }
    }

    pub(super) fn drop_types(&mut self, drop: &Drop) {
        for name in &drop.names {
            let tables = tables_of_type(self.situation.schema, name);
            if let (Some(table), false) = (tables.first(), drop.cascade) {
                self.refuse("2BP01", format!("{table} has a column of type {name}"));
            }
            let mut columns: Vec<(QualifiedName, Box<str>)> = Vec::new();
            let schema = self.situation.schema;
            if let (Some(ty), false) = (
                schema.type_named(name.schema.as_deref(), &name.name),
                drop.cascade,
            ) {
                let user = schema.all_functions().find(|(_, function)| {
                    let arguments = function.argument_types.iter();
                    let mut types = arguments.chain([&function.return_type]).flatten();
                    types.any(|used| *used == ty.name)
                });
                if let Some((function, _)) = user {
                    self.refuse("2BP01", format!("function {function} has the type {name}"));
                }
            }
            if let Some(ty) = schema.type_named(name.schema.as_deref(), &name.name) {
                for table in tables.iter().filter_map(|table| schema.table_at(table)) {
                    let used = table
                        .columns
                        .iter()
                        .filter(|c| schema.is_of_type(c, &ty.name));
                    columns.extend(used.map(|c| (table.name.clone(), c.name.clone())));
                }
            }
            self.all(tables, LockMode::AccessExclusive, Work::NONE);
            for (table, column) in columns {
                let views = self.dependent_views(&table, Some(&column));
                self.all(views, LockMode::AccessExclusive, Work::NONE);
            }
        }
    }

    pub(super) fn drop_functions(&mut self, drop: &Drop) {
        let schema = self.situation.schema;
        for name in &drop.names {
            if !schema.is_function_used(&name.name) {
                continue;
            }
            // Which of several functions of one name is called cannot be told here.
            if schema
                .functions_named(name.schema.as_deref(), &name.name)
                .len()
                > 1
            {
                self.open_ended = true;
                continue;
            }
            let key = schema.creation_name(name, false);
            let calls = |expr: &Expr| calls(expr, &name.name);
            // What uses it, and the relations that it is on or is: looking for dependents locks those whose objects are
            // relations or defaults, not those of triggers and policies.
            let mut users: Vec<(String, QualifiedName, bool)> = Vec::new();
            for table in schema.tables() {
                let on = &table.name;
                for trigger in table.triggers.iter().filter(|t| t.function == key) {
                    users.push((
                        format!("trigger {} on {on}", trigger.name),
                        on.clone(),
                        false,
                    ));
                }
                for column in &table.columns {
                    let generated = column.generated.as_ref().map(|generated| &generated.expr);
                    if column.default.iter().chain(generated).any(calls) {
                        users.push((format!("{on}.{}", column.name), on.clone(), true));
                    }
                }
                for constraint in &table.constraints {
                    if matches!(&constraint.def.kind, ConstraintKind::Check(expr) if calls(expr)) {
                        let what = format!("constraint {} on {on}", constraint.name);
                        users.push((what, on.clone(), false));
                    }
                }
                for policy in table.policies.iter().filter(|p| p.calls.contains(&key)) {
                    users.push((format!("policy {} on {on}", policy.name), on.clone(), false));
                }
                for index in schema.indexes_of(on) {
                    let elements = index.elements.iter().filter_map(|e| e.expr.as_ref());
                    if elements.chain(&index.predicate).any(calls) {
                        let what = format!("index {}", index.name);
                        users.push((what, index.name.clone(), true));
                    }
                }
            }
            for view in schema.views() {
                let mut called = view.query.calls.iter();
                if called.any(|call| call.name == name.name) {
                    users.push((format!("view {}", view.name), view.name.clone(), true));
                }
            }
            let refuses = !drop.cascade;
            if let (Some((user, ..)), true) = (users.first(), refuses) {
                self.refuse("2BP01", format!("{user} uses function {name}"));
            }
            let locked = users.into_iter();
            let locked = locked.filter(|(_, _, looked_at)| *looked_at || !refuses);
            let locked = locked.map(|(_, relation, _)| relation).collect();
            self.all(locked, LockMode::AccessExclusive, Work::NONE);
        }
    }

    pub(super) fn drop_extensions(&mut self, drop: &Drop) {
        let schema = self.situation.schema;
        for name in &drop.names {
            let Some(uses) = schema.extension_uses(&name.name) else {
                self.open_ended = true;
                continue;
            };
            if let (Some(first), false) = (uses.first(), drop.cascade) {
                self.refuse("2BP01", format!("{} needs extension {name}", first.words()));
            }
            for used in uses {
                if let Some(Relation::Index(index)) = schema.relation_at(&used.relation) {
                    let table = index.table.clone();
                    self.certain(&table, LockMode::AccessExclusive, Work::NONE);
                }
                self.certain(&used.relation, LockMode::AccessExclusive, Work::NONE);
            }
        }
    }
}

/// True if an expression calls a function of that name.
fn calls(expr: &Expr, function: &str) -> bool {
    expr.walk()
        .any(|part| matches!(&part.kind, ExprKind::Call { name, .. } if **name == *function))
}
