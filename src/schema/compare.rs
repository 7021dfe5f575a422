//! How two schemas differ, object by object.
//!
//! Names count as they are, those that PostgreSQL chooses too. The order of columns, comments, owners, privileges and
//! the bodies of functions and views do not. Where the history does not tell what was there, nothing is said.

mod same;

use std::sync::Arc;

use super::object::{Column, Constraint, Function, Index, Origin, Table, Type, TypeKind, View};
use super::{Relation, Schema};
use crate::statement::normal::is_vague;
use crate::statement::{ObjectKind, QualifiedName, TypeName};
use same::{
    columns_of, constraint_columns, is_vague_constraint, other_constraint, other_expression,
    other_index, same_table, same_type, signature, sorted,
};

/// One object that is not the same in two schemas.
#[derive(Debug, Clone)]
pub struct Difference {
    /// Kind of the object.
    pub kind: ObjectKind,
    /// The object; for a part of a table (a column, constraint, trigger, policy) or type the table or type.
    pub name: QualifiedName,
    /// Name of the part; for a function its arguments.
    pub part: Option<Box<str>>,
    /// How it differs.
    pub how: How,
    /// Who made the one that is there on one side only.
    pub made: Option<Origin>,
    /// Columns of the table that it is about, if it is an index or constraint.
    pub columns: Vec<Box<str>>,
    /// Another table that it is about: that of an index, that which a foreign key references.
    pub table: Option<QualifiedName>,
    /// False if it may be no difference.
    pub certain: bool,
}

/// How an object differs.
#[derive(Debug, Clone)]
pub enum How {
    /// Only the first schema has it.
    Missing,
    /// Only the second one has it.
    Leftover,
    /// A column has another type in the second one.
    Type(Box<TypeName>, Box<TypeName>),
    /// A column is NOT NULL in the second one, or it is not.
    NotNull(bool),
    /// A column has a default in the second one, or it has none; both may have one.
    Default {
        /// In the first.
        before: bool,
        /// In the second.
        after: bool,
    },
    /// Row level security (or its being forced) is on in the second one, or it is off.
    RowSecurity {
        /// `FORCE`.
        force: bool,
        /// In the second.
        on: bool,
    },
    /// An index or constraint is called that in the second one.
    Name(Box<str>),
    /// It is defined in another way.
    Definition,
}

/// What makes two schemas differ, sorted by name within each kind of object.
#[must_use]
pub fn differences(before: &Schema, after: &Schema) -> Vec<Difference> {
    let mut found = Found {
        before,
        after,
        list: Vec::new(),
    };
    for name in after.relations.changed_since(&before.relations) {
        if !found.is_doubtful(name) {
            let (left, right) = (before.relations.get(name), after.relations.get(name));
            found.relation(name, left, right);
        }
    }
    found.renamed_indexes();
    for name in after.types.changed_since(&before.types) {
        if !found.is_doubtful(name) {
            let (left, right) = (before.types.get(name), after.types.get(name));
            found.ty(name, left.map(|ty| &**ty), right.map(|ty| &**ty));
        }
    }
    for name in after.functions.changed_since(&before.functions) {
        let (left, right) = (before.functions.get(name), after.functions.get(name));
        let list = |side: Option<&'_ Arc<Vec<Function>>>| -> Vec<Function> {
            side.map_or_else(Vec::new, |list| list.to_vec())
        };
        found.functions(name, &list(left), &list(right));
    }
    found.list
}

struct Found<'a> {
    before: &'a Schema,
    after: &'a Schema,
    list: Vec<Difference>,
}

impl Found<'_> {
    /// Something happened to it that is not followed.
    fn is_doubtful(&self, name: &QualifiedName) -> bool {
        self.after.doubt(name).is_some() || self.before.doubt(name).is_some()
    }

    fn push(
        &mut self,
        kind: ObjectKind,
        name: &QualifiedName,
        part: Option<&str>,
        how: How,
        made: Option<Origin>,
    ) -> &mut Difference {
        self.list.push(Difference {
            kind,
            name: name.clone(),
            part: part.map(Box::from),
            how,
            made,
            columns: Vec::new(),
            table: None,
            certain: true,
        });
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    fn relation(
        &mut self,
        name: &QualifiedName,
        left: Option<&Relation>,
        right: Option<&Relation>,
    ) {
        if &*name.schema == super::TEMPORARY {
            return;
        }
        let there = |side: Option<&Relation>| match side {
            None | Some(Relation::Dropped(_)) => None,
            Some(relation) => Some(relation.clone()),
        };
        let same = match (left, right) {
            (Some(Relation::Table(a)), Some(Relation::Table(b))) => Arc::ptr_eq(a, b),
            (Some(Relation::Index(a)), Some(Relation::Index(b))) => Arc::ptr_eq(a, b),
            (Some(Relation::View(a)), Some(Relation::View(b))) => Arc::ptr_eq(a, b),
            (Some(Relation::Sequence(a)), Some(Relation::Sequence(b))) => Arc::ptr_eq(a, b),
            _ => false,
        };
        if same {
            return;
        }
        match (there(left), there(right)) {
            (None, None) => {}
            (Some(Relation::Table(a)), Some(Relation::Table(b))) => self.tables(&a, &b),
            (Some(Relation::Index(a)), Some(Relation::Index(b))) => self.indexes(&a, &b),
            (Some(Relation::View(a)), Some(Relation::View(b))) => self.views(&a, &b),
            (Some(Relation::Sequence(_)), Some(Relation::Sequence(_))) => {}
            // A table that a statement only mentions was there all the time.
            (None, Some(Relation::Table(table))) if !table.known && left.is_none() => {
                let mut empty = (*table).clone();
                empty.columns.clear();
                empty.constraints.clear();
                empty.triggers.clear();
                empty.policies.clear();
                self.tables(&empty, &table);
            }
            (left, right) => {
                if let Some(left) = left {
                    self.one_sided(name, &left, How::Missing);
                }
                if let Some(right) = right {
                    self.one_sided(name, &right, How::Leftover);
                }
            }
        }
    }

    fn one_sided(&mut self, name: &QualifiedName, relation: &Relation, how: How) {
        match relation {
            Relation::Table(table) => {
                let kind = match table.kind {
                    super::TableKind::Foreign => ObjectKind::ForeignTable,
                    _ => ObjectKind::Table,
                };
                let parent = table.partition.as_ref().map(|part| part.parent.clone());
                self.push(kind, name, None, how, Some(table.created)).table = parent;
            }
            // The constraint is what differs, or the index of the partitioned table.
            Relation::Index(index) => {
                if index.constraint.is_none() && index.parent.is_none() {
                    let columns = columns_of(index);
                    let difference =
                        self.push(ObjectKind::Index, name, None, how, Some(index.created));
                    difference.columns = columns;
                    difference.table = Some(index.table.clone());
                }
            }
            Relation::View(view) => {
                let kind = if view.materialized {
                    ObjectKind::MaterializedView
                } else {
                    ObjectKind::View
                };
                self.push(kind, name, None, how, Some(view.created));
            }
            // That of a serial or identity column comes and goes with it.
            Relation::Sequence(sequence) => {
                if sequence.owned_by.is_none() {
                    self.push(
                        ObjectKind::Sequence,
                        name,
                        None,
                        how,
                        Some(sequence.created),
                    );
                }
            }
            Relation::Dropped(_) => {}
        }
    }

    fn tables(&mut self, left: &Table, right: &Table) {
        let name = &left.name;
        let known = left.known && right.known;
        if known && !same_table(left, right) {
            self.push(ObjectKind::Table, name, None, How::Definition, None);
        }
        for (force, was, is) in [
            (false, left.row_security, right.row_security),
            (true, left.force_row_security, right.force_row_security),
        ] {
            if known && was != is {
                let how = How::RowSecurity { force, on: is };
                self.push(ObjectKind::Table, name, None, how, None);
            }
        }
        for column in &left.columns {
            match right.column(&column.name) {
                Some(other) if known || (column.added && other.added) => {
                    self.columns(name, column, other);
                }
                None if column.added && column.own => {
                    let part = Some(&*column.name);
                    let made = Some(column.created);
                    self.push(ObjectKind::Column, name, part, How::Missing, made);
                }
                _ => {}
            }
        }
        for column in &right.columns {
            if left.column(&column.name).is_none() && column.added && column.own {
                let part = Some(&*column.name);
                let made = Some(column.created);
                self.push(ObjectKind::Column, name, part, How::Leftover, made);
            }
        }
        let mut renamed: Vec<&str> = Vec::new();
        for constraint in &left.constraints {
            match right.constraint(&constraint.name) {
                Some(other) => {
                    if let Some(certain) = other_constraint(constraint, other) {
                        let part = Some(&*constraint.name);
                        let how = How::Definition;
                        let difference = self.push(ObjectKind::Constraint, name, part, how, None);
                        difference.certain = certain;
                        difference.table.clone_from(&constraint.references);
                        difference.columns = constraint_columns(&constraint.def.kind);
                        difference
                            .columns
                            .extend(constraint_columns(&other.def.kind));
                    }
                }
                None => {
                    // The same one under another name.
                    let twin = right.constraints.iter().find(|other| {
                        left.constraint(&other.name).is_none()
                            && !renamed.contains(&&*other.name)
                            && std::mem::discriminant(&other.def.kind)
                                == std::mem::discriminant(&constraint.def.kind)
                            && other_constraint(constraint, other).is_none()
                            && !is_vague_constraint(constraint)
                    });
                    let how = match twin {
                        Some(twin) => {
                            renamed.push(&twin.name);
                            How::Name(twin.name.clone())
                        }
                        None => How::Missing,
                    };
                    self.constraint(name, constraint, how);
                }
            }
        }
        for constraint in &right.constraints {
            if left.constraint(&constraint.name).is_none() && !renamed.contains(&&*constraint.name)
            {
                self.constraint(name, constraint, How::Leftover);
            }
        }
        let mut parts = |kind, left: Vec<(&str, Origin)>, right: Vec<(&str, Origin)>| {
            for (part, made) in &left {
                if !right.iter().any(|(other, _)| other == part) {
                    self.push(kind, name, Some(part), How::Missing, Some(*made));
                }
            }
            for (part, made) in &right {
                if !left.iter().any(|(other, _)| other == part) {
                    self.push(kind, name, Some(part), How::Leftover, Some(*made));
                }
            }
        };
        // A copy comes and goes with the trigger of the partitioned table.
        let triggers = |table: &'_ Table| -> Vec<(Box<str>, Origin)> {
            let triggers = table.triggers.iter().filter(|trigger| !trigger.cloned);
            triggers.map(|t| (t.name.clone(), t.created)).collect()
        };
        let policies = |table: &'_ Table| -> Vec<(Box<str>, Origin)> {
            let policies = table.policies.iter();
            policies.map(|p| (p.name.clone(), p.created)).collect()
        };
        parts(
            ObjectKind::Trigger,
            borrowed(&triggers(left)),
            borrowed(&triggers(right)),
        );
        parts(
            ObjectKind::Policy,
            borrowed(&policies(left)),
            borrowed(&policies(right)),
        );
    }

    fn constraint(&mut self, table: &QualifiedName, constraint: &Constraint, how: How) {
        // That of the parent is what differs.
        if constraint.parent.is_some() || !constraint.own {
            return;
        }
        let columns = constraint_columns(&constraint.def.kind);
        let part = Some(&*constraint.name);
        let made = Some(constraint.created);
        let difference = self.push(ObjectKind::Constraint, table, part, how, made);
        difference.columns = columns;
        difference.table.clone_from(&constraint.references);
    }

    fn columns(&mut self, table: &QualifiedName, left: &Column, right: &Column) {
        let part = Some(&*left.name);
        let mut how = Vec::new();
        if let (Some(a), Some(b)) = (&left.ty, &right.ty)
            && !same_type((a, left.user_type.as_ref()), (b, right.user_type.as_ref()))
        {
            how.push((How::Type(Box::new(a.clone()), Box::new(b.clone())), true));
        }
        if left.not_null != right.not_null {
            how.push((How::NotNull(right.not_null), true));
        }
        let default = if left.sequence == right.sequence {
            match (&left.default, &right.default) {
                (None, None) => None,
                (Some(_), Some(_)) if left.sequence.is_some() => None,
                (Some(a), Some(b)) => other_expression(a, b),
                _ => Some(true),
            }
        } else {
            Some(true)
        };
        if let Some(certain) = default {
            let default = How::Default {
                before: left.default.is_some(),
                after: right.default.is_some(),
            };
            how.push((default, certain));
        }
        let generated = match (&left.generated, &right.generated) {
            (None, None) => None,
            (Some(a), Some(b)) if a.stored == b.stored => other_expression(&a.expr, &b.expr),
            _ => Some(true),
        };
        let definition = match (left.identity != right.identity, generated) {
            (true, _) => Some(true),
            (false, generated) => generated,
        };
        let definition = definition.or((left.collation != right.collation).then_some(true));
        if let Some(certain) = definition {
            how.push((How::Definition, certain));
        }
        for (how, certain) in how {
            self.push(ObjectKind::Column, table, part, how, None)
                .certain = certain;
        }
    }

    fn indexes(&mut self, left: &Index, right: &Index) {
        if left.constraint.is_some() || right.constraint.is_some() || left.parent.is_some() {
            return;
        }
        let different = other_index(left, right);
        if let Some(certain) = different {
            let how = How::Definition;
            let difference = self.push(ObjectKind::Index, &left.name, None, how, None);
            difference.certain = certain;
            difference.table = Some(left.table.clone());
            difference.columns = columns_of(left);
            difference.columns.extend(columns_of(right));
        }
    }

    /// An index that is missing and one that is left over may be one under two names.
    fn renamed_indexes(&mut self) {
        let (before, after) = (self.before, self.after);
        let index = |schema: &'_ Schema, name: &QualifiedName| match schema.relation_at(name) {
            Some(Relation::Index(index)) => Some(Arc::clone(index)),
            _ => None,
        };
        let mut twins: Vec<QualifiedName> = Vec::new();
        let leftovers: Vec<QualifiedName> = self
            .list
            .iter()
            .filter(|one| one.kind == ObjectKind::Index && matches!(one.how, How::Leftover))
            .map(|one| one.name.clone())
            .collect();
        for one in &mut self.list {
            if one.kind != ObjectKind::Index || !matches!(one.how, How::Missing) {
                continue;
            }
            let Some(left) = index(before, &one.name) else {
                continue;
            };
            let vague = left
                .elements
                .iter()
                .filter_map(|element| element.expr.as_ref())
                .chain(&left.predicate)
                .any(is_vague);
            let twin = leftovers.iter().find(|name| {
                !vague
                    && !twins.contains(name)
                    && name.schema == one.name.schema
                    && index(after, name).is_some_and(|right| other_index(&left, &right).is_none())
            });
            if let Some(twin) = twin {
                one.how = How::Name(twin.name.clone());
                twins.push(twin.clone());
            }
        }
        self.list.retain(|one| {
            !(one.kind == ObjectKind::Index
                && matches!(one.how, How::Leftover)
                && twins.contains(&one.name))
        });
    }

    fn views(&mut self, left: &View, right: &View) {
        let columns = !left.columns.is_empty()
            && !right.columns.is_empty()
            && sorted(&left.columns) != sorted(&right.columns);
        let kind = if left.materialized {
            ObjectKind::MaterializedView
        } else {
            ObjectKind::View
        };
        if left.materialized != right.materialized || columns {
            self.push(kind, &left.name, None, How::Definition, None);
        }
    }

    fn ty(&mut self, name: &QualifiedName, left: Option<&Type>, right: Option<&Type>) {
        let kind = |ty: &Type| match ty.kind {
            TypeKind::Domain(_) => ObjectKind::Domain,
            _ => ObjectKind::Type,
        };
        let (left, right) = match (left, right) {
            (Some(left), Some(right)) => (left, right),
            (Some(left), None) => {
                self.push(kind(left), name, None, How::Missing, Some(left.created));
                return;
            }
            (None, Some(right)) => {
                self.push(kind(right), name, None, How::Leftover, Some(right.created));
                return;
            }
            (None, None) => return,
        };
        let different = match (&left.kind, &right.kind) {
            (TypeKind::Enum(a), TypeKind::Enum(b)) => {
                for label in a {
                    if !b.iter().any(|other| other.label == label.label) {
                        let part = Some(&*label.label);
                        self.push(
                            ObjectKind::Type,
                            name,
                            part,
                            How::Missing,
                            Some(label.created),
                        );
                    }
                }
                for label in b {
                    if !a.iter().any(|other| other.label == label.label) {
                        let part = Some(&*label.label);
                        let made = Some(label.created);
                        self.push(ObjectKind::Type, name, part, How::Leftover, made);
                    }
                }
                let labels = |list: &[super::EnumLabel]| -> Vec<Box<str>> {
                    list.iter().map(|label| label.label.clone()).collect()
                };
                let (mut sorted_a, mut sorted_b) = (labels(a), labels(b));
                let in_order = sorted_a == sorted_b;
                sorted_a.sort_unstable();
                sorted_b.sort_unstable();
                (!in_order && sorted_a == sorted_b).then_some(true)
            }
            (TypeKind::Domain(a), TypeKind::Domain(b)) => {
                let plain = a.not_null == b.not_null
                    && same_type(
                        (&a.base, a.base_type.as_ref()),
                        (&b.base, b.base_type.as_ref()),
                    )
                    && a.checks.len() == b.checks.len()
                    && a.checks
                        .iter()
                        .all(|(name, ..)| b.checks.iter().any(|(other, ..)| other == name));
                let default = match (&a.default, &b.default) {
                    (None, None) => None,
                    (Some(a), Some(b)) => other_expression(a, b),
                    _ => Some(true),
                };
                if plain { default } else { Some(true) }
            }
            (TypeKind::Composite(a), TypeKind::Composite(b)) => {
                let same = a.len() == b.len()
                    && a.iter().zip(b).all(|(a, b)| {
                        a.name == b.name
                            && match (&a.ty, &b.ty) {
                                (Some(x), Some(y)) => {
                                    same_type((x, a.user_type.as_ref()), (y, b.user_type.as_ref()))
                                }
                                _ => true,
                            }
                    });
                (!same).then_some(true)
            }
            (TypeKind::Other, TypeKind::Other) => None,
            _ => Some(true),
        };
        if let Some(certain) = different {
            self.push(kind(left), name, None, How::Definition, None)
                .certain = certain;
        }
    }

    fn functions(&mut self, name: &QualifiedName, left: &[Function], right: &[Function]) {
        let kind = |function: &Function| {
            if function.procedure {
                ObjectKind::Procedure
            } else {
                ObjectKind::Function
            }
        };
        let mut one_sided = |mine: &[Function], others: &[Function], how: &How| {
            for function in mine {
                let arguments = signature(function);
                if !others.iter().any(|other| signature(other) == arguments) {
                    let made = Some(function.created);
                    self.push(kind(function), name, Some(&arguments), how.clone(), made);
                }
            }
        };
        one_sided(left, right, &How::Missing);
        one_sided(right, left, &How::Leftover);
    }
}

fn borrowed(list: &[(Box<str>, Origin)]) -> Vec<(&str, Origin)> {
    list.iter()
        .map(|(name, origin)| (&**name, *origin))
        .collect()
}
