//! Whether two parts of a schema are the same, as far as can be told.

use super::super::object::{Constraint, Function, Index, Partition, Table};
use crate::statement::normal::{expression, is_vague};
use crate::statement::{
    ConstraintDef, ConstraintKind, Element, Expr, ExprKind, Ident, QualifiedName, TypeName,
};

pub(super) fn sorted(names: &[Box<str>]) -> Vec<&str> {
    let mut names: Vec<&str> = names.iter().map(|name| &**name).collect();
    names.sort_unstable();
    names
}

pub(super) fn names(columns: &[Ident]) -> Vec<&str> {
    columns.iter().map(|column| &*column.text).collect()
}

/// The types of a function's arguments.
pub(super) fn signature(function: &Function) -> String {
    let types: Vec<String> = function
        .arguments
        .iter()
        .zip(&function.argument_types)
        .map(|(ty, user)| {
            let array = if ty.dimensions > 0 { "[]" } else { "" };
            match user {
                Some(user) => format!("{}{array}", user.short()),
                None => {
                    // Modifiers are no part of a signature.
                    let bare = TypeName {
                        modifiers: Vec::new(),
                        ..ty.clone()
                    };
                    bare.to_string()
                }
            }
        })
        .collect();
    types.join(", ")
}

pub(super) fn same_table(left: &Table, right: &Table) -> bool {
    let bound = |partition: &Partition| -> String {
        partition
            .bound
            .to_ascii_lowercase()
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '\'')
            .collect()
    };
    let partition = match (&left.partition, &right.partition) {
        (None, None) => true,
        (Some(a), Some(b)) => {
            a.parent == b.parent && a.is_default == b.is_default && bound(a) == bound(b)
        }
        _ => false,
    };
    let parents = |table: &Table| {
        let mut parents = table.inherits.clone();
        parents.sort_unstable();
        parents
    };
    left.kind == right.kind
        && left.persistence == right.persistence
        && partition
        && parents(left) == parents(right)
}

/// Same type, as far as its name and modifiers tell.
pub(super) fn same_type(
    left: (&TypeName, Option<&QualifiedName>),
    right: (&TypeName, Option<&QualifiedName>),
) -> bool {
    let (a, b) = (left.0, right.0);
    if a.is_unknown() || b.is_unknown() {
        return true;
    }
    let names = match (left.1, right.1) {
        (Some(a), Some(b)) => a == b,
        (None, None) => {
            // The search path may lead to the schema that is written on one side only.
            a.name == b.name && (a.schema == b.schema || a.schema.is_none() || b.schema.is_none())
        }
        // The history makes the type on one side.
        (Some(user), None) => user.name == b.name,
        (None, Some(user)) => user.name == a.name,
    };
    names
        && (a.dimensions > 0) == (b.dimensions > 0)
        && (modifiers(a) == modifiers(b) || a.odd_modifier || b.odd_modifier)
}

/// Modifiers with those that PostgreSQL adds.
pub(super) fn modifiers(ty: &TypeName) -> Vec<i32> {
    let mut modifiers = ty.modifiers.clone();
    match (&*ty.name, modifiers.len()) {
        ("numeric", 1) => modifiers.push(0),
        // The most digits there are.
        ("timestamp" | "timestamptz" | "time" | "timetz", 1) if modifiers == [6] => {
            modifiers.clear();
        }
        _ => {}
    }
    modifiers
}

/// None if two expressions are the same as far as can be told, else whether it is certain that they are not.
pub(super) fn other_expression(left: &Expr, right: &Expr) -> Option<bool> {
    if is_vague(left) || is_vague(right) || folded(left) == folded(right) {
        return None;
    }
    // What both sides compute can be written in many ways; two different constants are different.
    let constant = |expr: &Expr| {
        expr.walk()
            .all(|part| matches!(part.kind, ExprKind::Literal(_) | ExprKind::Cast(..)))
    };
    Some(constant(left) && constant(right))
}

pub(super) fn folded(expr: &Expr) -> String {
    expression(expr)
        .replace("current_timestamp", "now()")
        .replace("transaction_timestamp()", "now()")
}

/// As for expressions.
pub(super) fn other_index(left: &Index, right: &Index) -> Option<bool> {
    let plain = left.table == right.table
        && left.unique == right.unique
        && left.method == right.method
        && left.nulls_not_distinct == right.nulls_not_distinct
        && left.elements.len() == right.elements.len()
        && names(&left.include) == names(&right.include);
    if !plain {
        return Some(true);
    }
    let predicate = match (&left.predicate, &right.predicate) {
        (None, None) => None,
        (Some(a), Some(b)) => other_expression(a, b),
        _ => Some(true),
    };
    left.elements
        .iter()
        .zip(&right.elements)
        .map(|(a, b)| other_element(a, b))
        .fold(predicate, Option::max)
}

pub(super) fn other_element(left: &Element, right: &Element) -> Option<bool> {
    let plain = left.column == right.column
        && left.opclass == right.opclass
        && left.collation == right.collation
        && left.default_order == right.default_order
        && left.operator == right.operator;
    if !plain {
        return Some(true);
    }
    match (&left.expr, &right.expr) {
        (None, None) => None,
        (Some(a), Some(b)) => other_expression(a, b),
        _ => Some(true),
    }
}

/// As for expressions. Whether it is valid does not count.
pub(super) fn other_constraint(left: &Constraint, right: &Constraint) -> Option<bool> {
    let (a, b): (&ConstraintDef, &ConstraintDef) = (&left.def, &right.def);
    let plain = a.deferrable == b.deferrable
        && a.not_enforced == b.not_enforced
        && a.no_inherit == b.no_inherit
        && left.references == right.references;
    if !plain {
        return Some(true);
    }
    let same = match (&a.kind, &b.kind) {
        (ConstraintKind::Check(a), ConstraintKind::Check(b)) => return other_expression(a, b),
        (ConstraintKind::PrimaryKey(a), ConstraintKind::PrimaryKey(b))
        | (ConstraintKind::Unique(a), ConstraintKind::Unique(b)) => {
            a.columns.is_empty()
                || b.columns.is_empty()
                || (names(&a.columns) == names(&b.columns)
                    && names(&a.include) == names(&b.include)
                    && a.nulls_not_distinct == b.nulls_not_distinct)
        }
        (ConstraintKind::ForeignKey(a), ConstraintKind::ForeignKey(b)) => {
            names(&a.columns) == names(&b.columns)
                && (a.referenced.is_empty()
                    || b.referenced.is_empty()
                    || names(&a.referenced) == names(&b.referenced))
                && a.on_delete == b.on_delete
                && a.on_update == b.on_update
        }
        (
            ConstraintKind::Exclude { elements: a, .. },
            ConstraintKind::Exclude { elements: b, .. },
        ) => {
            return if a.len() == b.len() {
                a.iter()
                    .zip(b)
                    .map(|(a, b)| other_element(a, b))
                    .max()
                    .flatten()
            } else {
                Some(true)
            };
        }
        (ConstraintKind::NotNull(a), ConstraintKind::NotNull(b)) => a == b,
        _ => false,
    };
    (!same).then_some(true)
}

/// Whether two of them are the same cannot be told.
pub(super) fn is_vague_constraint(constraint: &Constraint) -> bool {
    match &constraint.def.kind {
        ConstraintKind::Check(expr) => is_vague(expr),
        ConstraintKind::Exclude { .. } => true,
        _ => false,
    }
}

pub(super) fn constraint_columns(kind: &ConstraintKind) -> Vec<Box<str>> {
    match kind {
        ConstraintKind::NotNull(column) => vec![column.text.clone()],
        ConstraintKind::Check(expr) => expr.columns().map(Box::from).collect(),
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => key
            .columns
            .iter()
            .chain(&key.include)
            .map(|column| column.text.clone())
            .collect(),
        ConstraintKind::Exclude { elements, .. } => elements
            .iter()
            .filter_map(|element| element.column.as_ref())
            .map(|column| column.text.clone())
            .collect(),
        ConstraintKind::ForeignKey(key) => key
            .columns
            .iter()
            .map(|column| column.text.clone())
            .collect(),
    }
}

pub(super) fn columns_of(index: &Index) -> Vec<Box<str>> {
    let inside = index
        .elements
        .iter()
        .filter_map(|element| element.expr.as_ref())
        .chain(&index.predicate)
        .flat_map(|expr| expr.columns().map(Box::from));
    index
        .columns()
        .map(Box::from)
        .chain(index.include.iter().map(|column| column.text.clone()))
        .chain(inside)
        .collect()
}
