//! Replay: what a statement makes of the schema.
//!
//! Replay follows PostgreSQL where it succeeds: a statement that would fail (a table that exists already) leaves the
//! schema as it is. `IF [NOT] EXISTS` is honoured. A statement that may not run (a branch of a `DO` block) is applied
//! where it adds something and only loosens what is known where it takes something away.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::naming::unique_name;
use super::object::{
    Domain, EnumLabel, Function, Origin, Publication, Sequence, Table, Type, TypeKind,
};
use super::table::new_table;
use super::{Relation, Schema, Uses};
use crate::statement::{
    AlterDomainAction, ConstraintDef, ConstraintKind, CreateDomain, CreateFunction, CreateTableAs,
    Expr, ExprKind, Ident, InsertRows, Kind, Literal, Name, Nested, ObjectKind, Persistence,
    PublicationChange, PublicationDefinition, QualifiedName, Statement, TypeDefinition,
};

impl Schema {
    /// Applies a statement, without those inside it. `origin` says which one it is.
    pub fn apply(&mut self, statement: &Statement, origin: Origin) {
        let certain = !statement.conditional;
        for text in &statement.dynamic {
            self.doubt_named(text, origin);
        }
        match &statement.kind {
            Kind::CreateTable(create) => self.create_table(create, origin),
            Kind::CreateTableAs(create) => self.create_table_as(create, origin),
            Kind::AlterTable(alter) => self.alter_table(alter, origin, certain),
            Kind::Rename(rename) if certain => self.rename(rename, origin),
            Kind::SetSchema(set) if certain => self.set_schema(set, origin),
            Kind::Rename(rename) => self.doubt_relation(&rename.relation, origin),
            Kind::SetSchema(set) => self.doubt_relation(&set.name, origin),
            Kind::Drop(drop) => self.drop_objects(drop, origin, certain),
            Kind::CreateIndex(create) => self.create_index(create, origin),
            Kind::CreateView(create) => {
                let name =
                    self.creation_name(&create.name, create.persistence == Persistence::Temporary);
                let replaces = create.or_replace
                    && matches!(self.relations.get(&name), Some(Relation::View(_)));
                if replaces || self.is_free(&name) {
                    self.put_view(name, false, true, &create.names, &create.query, origin);
                }
            }
            Kind::RefreshMaterializedView(refresh) => {
                let key = self.resolve(&refresh.name);
                self.edit_view(&key, |view| view.populated = refresh.with_data);
            }
            Kind::CreateSequence(create) => {
                let name =
                    self.creation_name(&create.name, create.persistence == Persistence::Temporary);
                if self.is_free(&name) {
                    let owned_by = create
                        .owned_by
                        .as_ref()
                        .map(|(table, column)| (self.resolve(table), column.text.clone()));
                    let sequence = Sequence {
                        name: name.clone(),
                        owned_by,
                        ty: create.ty.clone(),
                        created: origin,
                    };
                    self.put(name, Relation::Sequence(Arc::new(sequence)));
                }
            }
            Kind::AlterSequence(alter) => {
                let owner = alter
                    .owned_by
                    .as_ref()
                    .map(|(table, column)| (self.resolve(table), column.text.clone()));
                let key = self.resolve(&alter.name);
                self.edit_sequence(&key, |sequence| {
                    if owner.is_some() || alter.owned_by_none {
                        sequence.owned_by = owner;
                    }
                    if alter.ty.is_some() {
                        sequence.ty.clone_from(&alter.ty);
                    }
                });
            }
            Kind::CreateType(create) => {
                let kind = match &create.definition {
                    TypeDefinition::Enum(labels) => TypeKind::Enum(
                        labels
                            .iter()
                            .map(|label| EnumLabel {
                                label: label.text.clone(),
                                created: origin,
                                uncommitted: None,
                            })
                            .collect(),
                    ),
                    TypeDefinition::Composite(columns) => TypeKind::Composite(
                        columns
                            .iter()
                            .map(|column| self.new_column(column, origin))
                            .collect(),
                    ),
                    TypeDefinition::Range | TypeDefinition::Base => TypeKind::Other,
                };
                self.put_type(&create.name, kind, origin);
            }
            Kind::CreateDomain(create) => self.create_domain(create, origin),
            Kind::AlterDomain(alter) => {
                if certain {
                    self.alter_domain(&alter.name, &alter.action);
                }
            }
            Kind::AlterEnum(alter) => {
                let within = self
                    .type_named(alter.name.schema.as_deref(), &alter.name.name)
                    .and_then(|ty| ty.within);
                let uncommitted = if alter.old_label.is_none() && certain {
                    self.uncommitted(within)
                } else {
                    None
                };
                let label = EnumLabel {
                    label: alter.new_label.text.clone(),
                    created: origin,
                    uncommitted,
                };
                self.change_type(&alter.name, |ty| {
                    let TypeKind::Enum(labels) = &mut ty.kind else {
                        return;
                    };
                    let position =
                        |wanted: &Ident| labels.iter().position(|label| label.label == wanted.text);
                    match (&alter.old_label, &alter.neighbour) {
                        (Some(old), _) => {
                            if let Some(at) = position(old) {
                                labels[at].label = label.label;
                            }
                        }
                        (None, _) if position(&alter.new_label).is_some() => {}
                        (None, Some((neighbour, behind))) => {
                            let at = position(neighbour)
                                .map_or(labels.len(), |at| at + usize::from(*behind));
                            labels.insert(at, label);
                        }
                        (None, None) => labels.push(label),
                    }
                });
                if let Some(old) = &alter.old_label {
                    self.rename_label_in_defaults(&alter.name, &old.text, &alter.new_label.text);
                }
            }
            Kind::CreateFunction(create) => {
                self.create_function(create, &statement.nested, origin);
            }
            Kind::AlterFunction(alter) => {
                let key = self.function_key(&alter.name);
                let (Some(list), Some(volatility)) = (self.functions.get(&key), alter.volatility)
                else {
                    return;
                };
                let mut list = (**list).clone();
                for function in &mut list {
                    let meant = alter.signature.as_ref();
                    if meant.is_none_or(|signature| self.same_arguments(function, signature)) {
                        function.volatility = volatility;
                    }
                }
                self.functions.insert_mut(key, Arc::new(list));
            }
            Kind::CreateTrigger(create) => self.create_trigger(create, origin),
            Kind::Policy(policy, table) => self.put_policy(policy, table, origin),
            Kind::CreateRule(create) => self.create_rule(create, origin),
            Kind::CreateStatistics(create) => self.create_statistics(create, origin),
            Kind::Publication(publication) => self.publish(publication),
            Kind::Unparsed => self.doubt_named(&statement.source.sql, origin),
            Kind::Insert(insert) => {
                if insert.rows == InsertRows::Query {
                    self.fill(&insert.table, origin);
                }
            }
            Kind::Copy {
                table: Some(table),
                from: true,
            } => self.fill(table, origin),
            Kind::Comment(comment) => match (&comment.object, &comment.part) {
                (ObjectKind::Table, None) => {
                    self.change_table(&comment.name, origin, |table| {
                        table.comment.clone_from(&comment.text)
                    });
                }
                (ObjectKind::Column, Some(part)) => {
                    self.change_table(&comment.name, origin, |table| {
                        if let Some(column) = table.column_mut(&part.text) {
                            column.comment.clone_from(&comment.text);
                        }
                    })
                }
                _ => {}
            },
            Kind::Select(query) => {
                if let Some(into) = &query.into {
                    let create = CreateTableAs {
                        name: into.clone(),
                        materialized: false,
                        persistence: query.into_persistence,
                        if_not_exists: false,
                        with_data: true,
                        columns: Vec::new(),
                        names: Vec::new(),
                        query: (**query).clone(),
                    };
                    self.create_table_as(&create, origin);
                }
            }
            Kind::Set(set) if &*set.name == "search_path" => {
                let schemas = set
                    .value
                    .as_deref()
                    .map_or_else(|| vec!["public".into()], search_path);
                self.set_path(schemas, set.local);
            }
            Kind::Other(_) if statement.tag == "CREATE CAST" => self.own_casts = true,
            _ => {}
        }
    }

    /// True if nothing of that name exists.
    pub(super) fn is_free(&self, name: &QualifiedName) -> bool {
        matches!(self.relations.get(name), None | Some(Relation::Dropped(_)))
    }

    /// Changes a table; one that the history does not know becomes known as far as statements tell.
    pub(super) fn change_table(
        &mut self,
        name: &Name,
        origin: Origin,
        change: impl FnOnce(&mut Table),
    ) {
        let key = self.resolve(name);
        self.change_table_at(&key, origin, change);
    }

    pub(super) fn change_table_at(
        &mut self,
        key: &QualifiedName,
        origin: Origin,
        change: impl FnOnce(&mut Table),
    ) {
        if !self.relations.contains_key(key) {
            let mut table = new_table(key.clone(), origin);
            table.known = false;
            self.put(key.clone(), Relation::Table(Arc::new(table)));
        }
        self.edit_table(key, change);
    }

    fn fill(&mut self, table: &Name, origin: Origin) {
        let key = self.resolve(table);
        self.edit_table(&key, |table| table.filled = Some(origin));
    }

    fn put_type(&mut self, name: &Name, kind: TypeKind, origin: Origin) {
        let name = self.creation_name(name, false);
        if !self.types.contains_key(&name) {
            self.types.insert_mut(
                name.clone(),
                Arc::new(Type {
                    name,
                    kind,
                    created: origin,
                    within: self.within(),
                }),
            );
        }
    }

    pub(super) fn change_type(&mut self, name: &Name, change: impl FnOnce(&mut Type)) {
        let Some(key) = self
            .type_named(name.schema.as_deref(), &name.name)
            .map(|ty| ty.name.clone())
        else {
            return;
        };
        if let Some(ty) = self.types.get_mut(&key) {
            change(Arc::make_mut(ty));
        }
    }

    /// A default that is a value of an enum follows the value.
    fn rename_label_in_defaults(&mut self, ty: &Name, old: &str, new: &str) {
        let Some(key) = self
            .type_named(ty.schema.as_deref(), &ty.name)
            .map(|ty| ty.name.clone())
        else {
            return;
        };
        for table in self.linked_names(&key, super::links::Link::Type) {
            self.edit_table(&table, |table| {
                for column in &mut table.columns {
                    let is_old = column.user_type.as_ref() == Some(&key)
                        && column.default.as_ref().and_then(Expr::as_string) == Some(old);
                    if let (true, Some(default)) = (is_old, &mut column.default) {
                        default.kind = ExprKind::Literal(Literal::String(new.into()));
                    }
                }
            });
        }
    }

    fn create_domain(&mut self, create: &CreateDomain, origin: Origin) {
        let mut domain = Domain {
            base: create.base.clone(),
            base_type: self.user_type(Some(&create.base)),
            not_null: false,
            checks: Vec::new(),
            default: create.default.clone(),
        };
        for constraint in &create.constraints {
            self.add_domain_constraint(&mut domain, &create.name, constraint);
        }
        self.put_type(&create.name, TypeKind::Domain(Box::new(domain)), origin);
    }

    /// Adds a constraint to a domain. Without a name it gets one that no constraint of the schema has.
    fn add_domain_constraint(&self, domain: &mut Domain, name: &Name, constraint: &ConstraintDef) {
        let key = self.creation_name(name, false);
        match &constraint.kind {
            ConstraintKind::Check(expr) => {
                let name = constraint.name.as_ref().map_or_else(
                    || {
                        let taken = |candidate: &str| {
                            domain.checks.iter().any(|check| &*check.0 == candidate)
                                || self.is_constraint_name(&key.schema, candidate)
                                || self.is_domain_constraint(&key.schema, candidate)
                        };
                        unique_name(&key.name, None, "check", taken).into()
                    },
                    |name| name.text.clone(),
                );
                domain
                    .checks
                    .push((name, expr.clone(), !constraint.not_valid));
            }
            ConstraintKind::NotNull(_) => domain.not_null = true,
            _ => {}
        }
    }

    fn is_domain_constraint(&self, schema: &str, name: &str) -> bool {
        self.types.values().any(|ty| {
            *ty.name.schema == *schema
                && match &ty.kind {
                    TypeKind::Domain(domain) => domain.checks.iter().any(|c| &*c.0 == name),
                    _ => false,
                }
        })
    }

    fn alter_domain(&mut self, name: &Name, action: &AlterDomainAction) {
        // Names are chosen with the whole schema in view, before the domain is changed.
        let added = match (action, self.type_named(name.schema.as_deref(), &name.name)) {
            (AlterDomainAction::AddConstraint(constraint), Some(ty)) => match &ty.kind {
                TypeKind::Domain(domain) => {
                    let full = Name::new(Some(&ty.name.schema), &ty.name.name, name.span);
                    let mut domain = domain.clone();
                    self.add_domain_constraint(&mut domain, &full, constraint);
                    Some(domain)
                }
                _ => None,
            },
            _ => None,
        };
        self.change_type(name, |ty| {
            let TypeKind::Domain(domain) = &mut ty.kind else {
                return;
            };
            match action {
                AlterDomainAction::AddConstraint(_) => {
                    if let Some(added) = added {
                        *domain = added;
                    }
                }
                AlterDomainAction::ValidateConstraint(name) => {
                    for check in domain
                        .checks
                        .iter_mut()
                        .filter(|check| check.0 == name.text)
                    {
                        check.2 = true;
                    }
                }
                AlterDomainAction::DropConstraint(name) => {
                    domain.checks.retain(|check| check.0 != name.text)
                }
                AlterDomainAction::SetNotNull => domain.not_null = true,
                AlterDomainAction::DropNotNull => domain.not_null = false,
                AlterDomainAction::Default(default) => domain.default.clone_from(default),
            }
        });
    }

    fn create_function(&mut self, create: &CreateFunction, body: &[Nested], origin: Origin) {
        let name = self.creation_name(&create.name, false);
        let mut function = Function {
            arguments: create.arguments.clone(),
            argument_types: create
                .arguments
                .iter()
                .map(|ty| self.user_type(Some(ty)))
                .collect(),
            language: create.language.clone(),
            volatility: create.volatility,
            sql_expression: create.sql_expression.clone(),
            procedure: create.procedure,
            returns: create.returns.clone(),
            statements: body.into(),
            return_type: self.user_type(create.returns.as_ref()),
            reads: BTreeSet::new(),
            uses: Uses::new(),
            atomic: create.atomic,
            created: origin,
        };
        for nested in body {
            self.note_use(&nested.statement, &mut function);
        }
        let mut list = self
            .functions
            .get(&name)
            .map(|list| (**list).clone())
            .unwrap_or_default();
        match list
            .iter_mut()
            .find(|existing| self.same_arguments(existing, &function.arguments))
        {
            Some(existing) if create.or_replace => *existing = function,
            Some(_) => {}
            None => list.push(function),
        }
        self.functions.insert_mut(name.clone(), Arc::new(list));
        self.note_readers(&name);
    }

    fn publish(&mut self, def: &PublicationDefinition) {
        let name = &def.name.text;
        if def.change == PublicationChange::Set {
            let members: Vec<QualifiedName> = self
                .tables()
                .filter(|table| table.publications.iter().any(|p| p.name == *name))
                .map(|table| table.name.clone())
                .collect();
            for member in members {
                self.edit_table(&member, |t| t.publications.retain(|p| p.name != *name));
            }
        }
        for (table, columns) in &def.tables {
            let key = self.resolve(table);
            self.edit_table(&key, |table| {
                table.publications.retain(|p| p.name != *name);
                if def.change != PublicationChange::Drop {
                    table.publications.push(Publication {
                        name: name.clone(),
                        columns: columns.clone(),
                    });
                }
            });
        }
    }
}

/// Schemas of a `search_path` value.
fn search_path(value: &str) -> Vec<Box<str>> {
    value
        .split(',')
        .map(|schema| schema.trim().trim_matches(|c| c == '"' || c == '\''))
        .filter(|schema| !schema.is_empty() && *schema != "$user" && *schema != "pg_catalog")
        .map(Into::into)
        .collect()
}
