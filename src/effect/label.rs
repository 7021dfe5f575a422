//! Labels of enums that a statement uses although the transaction that added them has not committed (55P04), or
//! although the type does not have them (22P02).
//!
//! PostgreSQL refuses such a label when it turns the text into a value: while it reads the statement, for a constant
//! that is compared with, assigned to or cast to the type; also for no row, for `NOT VALID` and inside of a view or an
//! SQL function. A `text` that is cast is turned into a value only when a row is there, which nobody knows.

use super::compute::{Collector, Situation};
use crate::schema::{Column, Schema, Table, TypeKind};
use crate::statement::{
    AlterAction, Bound, Change, ColumnChange, ColumnDef, ConstraintDef, ConstraintKind, Expr,
    ExprKind, Insert, Kind, Literal, Name, PartitionOf, QualifiedName, Query, Statement, TypeName,
};

/// How many domains over one another are followed to the enum under them.
const DEEPEST_DOMAIN: usize = 8;

/// A label that a statement uses and cannot.
struct Unusable {
    label: Box<str>,
    ty: QualifiedName,
    /// The type does not have it.
    missing: bool,
}

impl Collector<'_> {
    /// Refuses a statement that uses a label that its type does not have, or not yet.
    pub(super) fn labels(&mut self, statement: &Statement) {
        let finder = Finder {
            situation: self.situation,
        };
        let Some(Unusable { label, ty, missing }) = finder.statement(statement) else {
            return;
        };
        if missing {
            self.refuse("22P02", format!("{ty} has no label '{label}'"));
        } else {
            self.refuse(
                "55P04",
                format!(
                    "the value '{label}' of {ty} is new and cannot be used before its transaction commits"
                ),
            );
        }
    }
}

/// An enum that a value is of, or an array of it.
#[derive(Clone)]
struct OfEnum {
    name: QualifiedName,
    array: bool,
}

/// Relations whose columns an expression may name.
#[derive(Default)]
struct Scope {
    /// By the names they are known under, their columns with their enums. None for one that is not known.
    relations: Vec<(Box<str>, Option<Columns>)>,
}

type Columns = Vec<(Box<str>, Option<OfEnum>)>;

impl Scope {
    /// The enum of a column, if it is certain which column is meant.
    fn column(&self, parts: &[Box<str>]) -> Option<&OfEnum> {
        let (column, relation) = match parts {
            [column] => (column, None),
            [.., relation, column] => (column, Some(relation)),
            [] => return None,
        };
        let mut found = None;
        for (name, columns) in &self.relations {
            if relation.is_some_and(|relation| relation != name) {
                continue;
            }
            let columns = columns.as_ref()?;
            let Some((_, of)) = columns.iter().find(|(name, _)| name == column) else {
                continue;
            };
            if found.is_some() {
                return None;
            }
            found = Some(of.as_ref());
        }
        found.flatten()
    }
}

struct Finder<'a> {
    situation: Situation<'a>,
}

impl Finder<'_> {
    fn schema(&self) -> &Schema {
        self.situation.schema
    }

    fn statement(&self, statement: &Statement) -> Option<Unusable> {
        match &statement.kind {
            Kind::Insert(insert) => self.insert(insert),
            Kind::Change(change) => self.change(change),
            Kind::Select(query) => self.query(query),
            Kind::CreateView(create) => self.query(&create.query),
            Kind::CreateTableAs(create) => self.query(&create.query),
            Kind::CreateTable(create) => {
                let scope = Scope {
                    relations: vec![(
                        create.name.name.clone(),
                        Some(self.defined(&create.columns)),
                    )],
                };
                let mut columns = create.columns.iter();
                columns
                    .find_map(|column| self.definition(column, &scope))
                    .or_else(|| self.constraints(&create.constraints, &scope))
                    .or_else(|| self.bound(create.partition_of.as_ref()?, None))
            }
            Kind::AlterTable(alter) => {
                let scope = self.on(&alter.name);
                let mut actions = alter.actions.iter();
                actions.find_map(|action| match action {
                    AlterAction::AddColumn(add) => self.definition(&add.column, &scope),
                    AlterAction::AddConstraint(def) => self.constraint(def, &scope),
                    AlterAction::AttachPartition {
                        bound: Some(bound), ..
                    } => self.bound(bound, Some(&alter.name)),
                    AlterAction::AlterColumn(change) => match &change.change {
                        // Defaults are set behind changes of types.
                        ColumnChange::SetDefault(default) => {
                            let retyped = alter.actions.iter().find_map(|other| match other {
                                AlterAction::AlterColumn(other)
                                    if other.column == change.column =>
                                {
                                    match &other.change {
                                        ColumnChange::Type { ty, .. } => Some(self.enum_of(ty)),
                                        _ => None,
                                    }
                                }
                                _ => None,
                            });
                            let of = retyped.unwrap_or_else(|| {
                                scope
                                    .column(std::slice::from_ref(&change.column.text))
                                    .cloned()
                            });
                            self.value(default, of.as_ref(), &Scope::default())
                        }
                        ColumnChange::Type {
                            ty,
                            using: Some(using),
                            ..
                        } => self.value(using, self.enum_of(ty).as_ref(), &scope),
                        ColumnChange::SetExpression(expr) => self.inside(expr, &scope),
                        _ => None,
                    },
                    _ => None,
                })
            }
            Kind::CreateIndex(create) => {
                let scope = self.on(&create.table);
                let mut expressions = create
                    .elements
                    .iter()
                    .filter_map(|element| element.expr.as_ref())
                    .chain(&create.predicate);
                expressions.find_map(|expr| self.inside(expr, &scope))
            }
            Kind::Policy(policy, table) => {
                let scope = self.on(table);
                let mut expressions = policy.expressions();
                expressions.find_map(|expr| self.inside(expr, &scope))
            }
            Kind::CreateTrigger(create) => {
                let table = self.on(&create.table);
                let columns = table.relations.into_iter().next()?.1;
                let rows = ["new", "old"].map(|name| (name.into(), columns.clone()));
                let scope = Scope {
                    relations: rows.into(),
                };
                self.inside(create.when.as_ref()?, &scope)
            }
            Kind::CreateDomain(create) => {
                let of = self.enum_of(&create.base);
                self.value(create.default.as_ref()?, of.as_ref(), &Scope::default())
            }
            // Its body is read when it is made.
            Kind::CreateFunction(create)
                if create.atomic
                    || (&*create.language == "sql" && self.situation.check_function_bodies) =>
            {
                let mut body = statement.nested.iter().map(|nested| &nested.statement);
                body.find_map(|inner| match &inner.kind {
                    Kind::Insert(_) | Kind::Change(_) | Kind::Select(_) => self.statement(inner),
                    _ => None,
                })
            }
            _ => None,
        }
    }

    /// Values of a partition's bound are of the type of the key.
    fn bound(&self, of: &PartitionOf, parent: Option<&Name>) -> Option<Unusable> {
        let parent = self.schema().table(parent.unwrap_or(&of.parent))?;
        let key = parent.partition_by.as_ref()?.key.first()?.column.as_ref()?;
        let of_enum = self.enum_of(parent.column(&key.text)?.ty.as_ref()?)?;
        match &of.values {
            Bound::List(values) => self.together(values, &of_enum),
            _ => None,
        }
    }

    fn insert(&self, insert: &Insert) -> Option<Unusable> {
        let scope = self.on(&insert.table);
        let columns = match scope.relations.first() {
            Some((_, Some(columns))) if insert.columns.is_empty() => {
                columns.iter().map(|(_, of)| of.clone()).collect()
            }
            _ => {
                let named = insert.columns.iter();
                named
                    .map(|name| scope.column(std::slice::from_ref(&name.text)).cloned())
                    .collect::<Vec<_>>()
            }
        };
        let source = match &insert.query.from {
            Some(from) => self.from(from),
            None => Scope::default(),
        };
        for row in &insert.values {
            for (position, value) in row.iter().enumerate() {
                if matches!(&value.kind, ExprKind::Column(parts) if parts.last().is_some_and(|part| &**part == "*"))
                {
                    // From here on it is not known which column a value is for.
                    break;
                }
                let of = columns.get(position).and_then(Option::as_ref);
                if let Some(found) = self.value(value, of, &source) {
                    return Some(found);
                }
            }
        }
        None
    }

    fn change(&self, change: &Change) -> Option<Unusable> {
        let target = self.on(&change.table.name);
        let mut scope = self.on(&change.table.name);
        let others = change.query.aliases.iter();
        scope
            .relations
            .extend(others.map(|(alias, name)| (alias.clone(), self.columns(name))));
        let mut assignments = change.assignments.iter();
        assignments
            .find_map(|(column, value)| {
                let of = target.column(std::slice::from_ref(&column.text));
                self.value(value, of, &scope)
            })
            .or_else(|| self.inside(change.condition.as_ref()?, &scope))
    }

    fn query(&self, query: &Query) -> Option<Unusable> {
        let scope = match &query.from {
            Some(from) => self.from(from),
            None => Scope::default(),
        };
        let mut expressions = query.targets.iter().chain(&query.condition);
        expressions.find_map(|expr| self.inside(expr, &scope))
    }

    fn definition(&self, column: &ColumnDef, scope: &Scope) -> Option<Unusable> {
        let of = column.ty.as_ref().and_then(|ty| self.enum_of(ty));
        let default = column.default.as_ref();
        default
            .and_then(|default| self.value(default, of.as_ref(), &Scope::default()))
            .or_else(|| self.inside(&column.generated.as_ref()?.expr, scope))
            .or_else(|| {
                // A CHECK of a new column names that column.
                let mut own = Scope {
                    relations: scope.relations.clone(),
                };
                if let Some((_, Some(columns))) = own.relations.first_mut()
                    && !columns.iter().any(|(name, _)| *name == column.name.text)
                {
                    columns.push((column.name.text.clone(), of.clone()));
                }
                self.constraints(&column.constraints, &own)
            })
    }

    fn constraints(&self, constraints: &[ConstraintDef], scope: &Scope) -> Option<Unusable> {
        let mut constraints = constraints.iter();
        constraints.find_map(|def| self.constraint(def, scope))
    }

    fn constraint(&self, def: &ConstraintDef, scope: &Scope) -> Option<Unusable> {
        match &def.kind {
            ConstraintKind::Check(expr) => self.inside(expr, scope),
            _ => None,
        }
    }

    /// A relation as the only one whose columns can be named.
    fn on(&self, name: &Name) -> Scope {
        Scope {
            relations: vec![(name.name.clone(), self.columns(name))],
        }
    }

    fn from(&self, items: &[(Box<str>, Name)]) -> Scope {
        let items = items.iter();
        Scope {
            relations: items
                .map(|(alias, name)| (alias.clone(), self.columns(name)))
                .collect(),
        }
    }

    fn columns(&self, name: &Name) -> Option<Columns> {
        let table: &Table = self.schema().table(name).filter(|table| table.known)?;
        let of = |column: &Column| column.ty.as_ref().and_then(|ty| self.enum_of(ty));
        let columns = table.columns.iter();
        Some(
            columns
                .map(|column| (column.name.clone(), of(column)))
                .collect(),
        )
    }

    fn defined(&self, columns: &[ColumnDef]) -> Columns {
        let of = |column: &ColumnDef| column.ty.as_ref().and_then(|ty| self.enum_of(ty));
        let columns = columns.iter();
        columns
            .map(|column| (column.name.text.clone(), of(column)))
            .collect()
    }

    /// The enum that a type is, or is a domain over.
    fn enum_of(&self, ty: &TypeName) -> Option<OfEnum> {
        let mut found = self.schema().type_named(ty.schema.as_deref(), &ty.name)?;
        let mut array = ty.dimensions > 0;
        for _ in 0..DEEPEST_DOMAIN {
            match &found.kind {
                TypeKind::Enum(_) => {
                    return Some(OfEnum {
                        name: found.name.clone(),
                        array,
                    });
                }
                TypeKind::Domain(domain) if !array => {
                    let base = &domain.base;
                    array = base.dimensions > 0;
                    found = self
                        .schema()
                        .type_named(base.schema.as_deref(), &base.name)?;
                }
                _ => return None,
            }
        }
        None
    }

    /// The type of an expression, if it is an enum.
    fn type_of(&self, expr: &Expr, scope: &Scope) -> Option<OfEnum> {
        match &expr.kind {
            ExprKind::Column(parts) => scope.column(parts).cloned(),
            ExprKind::Cast(_, ty) => self.enum_of(ty),
            ExprKind::Coalesce(parts) => {
                let mut parts = parts.iter();
                parts.find_map(|part| match &part.kind {
                    ExprKind::Column(parts) => scope.column(parts).cloned(),
                    ExprKind::Cast(_, ty) => self.enum_of(ty),
                    _ => None,
                })
            }
            _ => None,
        }
    }

    /// An expression whose value becomes one of that type.
    fn value(&self, expr: &Expr, of: Option<&OfEnum>, scope: &Scope) -> Option<Unusable> {
        match (&expr.kind, of) {
            (ExprKind::Literal(Literal::String(text)), Some(of)) => self.text(text, of),
            (ExprKind::Literal(_), _) => None,
            _ => self.inside(expr, scope),
        }
    }

    /// Constants inside of an expression that become values of an enum.
    fn inside(&self, expr: &Expr, scope: &Scope) -> Option<Unusable> {
        expr.walk().find_map(|expr| match &expr.kind {
            ExprKind::Cast(inner, ty) => {
                let of = self.enum_of(ty)?;
                match &inner.kind {
                    ExprKind::Literal(Literal::String(text)) => self.text(text, &of),
                    ExprKind::Array(elements) if of.array => {
                        self.together(elements, &OfEnum { array: false, ..of })
                    }
                    _ => None,
                }
            }
            ExprKind::Operator { name, args } => self.compared(name, args, scope),
            ExprKind::IsDistinct(left, right) => {
                let of = self
                    .type_of(left, scope)
                    .or_else(|| self.type_of(right, scope))?;
                self.constant(left, &of)
                    .or_else(|| self.constant(right, &of))
            }
            ExprKind::Call {
                schema: None,
                name,
                args,
                ..
            } if &**name == "nullif" => self.compared("=", args, scope),
            ExprKind::Coalesce(parts) => {
                let of = parts.iter().find_map(|part| self.type_of(part, scope))?;
                self.together(parts, &of)
            }
            ExprKind::Case(parts) => self.case(parts, scope),
            ExprKind::Subquery(query) => self.query(query),
            _ => None,
        })
    }

    fn compared(&self, operator: &str, args: &[Expr], scope: &Scope) -> Option<Unusable> {
        match operator {
            "=" | "<>" | "!=" | "<" | ">" | "<=" | ">=" | "in" | "not in" | "between"
            | "not between" => {
                let of = args.iter().find_map(|arg| self.type_of(arg, scope))?;
                self.together(args, &of)
            }
            "any" | "all" => {
                let [left, right] = args else { return None };
                let of = self.type_of(left, scope).filter(|of| !of.array)?;
                match &right.kind {
                    ExprKind::Literal(Literal::String(text)) => {
                        self.text(text, &OfEnum { array: true, ..of })
                    }
                    ExprKind::Array(elements) => self.together(elements, &of),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Results of a `CASE` with conditions: the constants among them are of the type of the others.
    fn case(&self, parts: &[Expr], scope: &Scope) -> Option<Unusable> {
        let is_condition = |expr: &Expr| {
            matches!(
                expr.kind,
                ExprKind::Operator { .. }
                    | ExprKind::And(_)
                    | ExprKind::Or(_)
                    | ExprKind::Not(_)
                    | ExprKind::IsNull(_)
                    | ExprKind::IsNotNull(_)
                    | ExprKind::IsDistinct(..)
            )
        };
        // With a value to compare (`CASE a WHEN …`) the parts are counted otherwise.
        let whens = parts.iter().step_by(2).take(parts.len() / 2);
        if !whens.into_iter().all(is_condition) {
            return None;
        }
        let last = if parts.len() % 2 == 1 {
            parts.last()
        } else {
            None
        };
        let results = || parts.iter().skip(1).step_by(2).chain(last);
        let of = results().find_map(|part| self.type_of(part, scope))?;
        results().find_map(|part| self.constant(part, &of))
    }

    fn together(&self, parts: &[Expr], of: &OfEnum) -> Option<Unusable> {
        parts.iter().find_map(|part| self.constant(part, of))
    }

    fn constant(&self, expr: &Expr, of: &OfEnum) -> Option<Unusable> {
        match &expr.kind {
            ExprKind::Literal(Literal::String(text)) => self.text(text, of),
            _ => None,
        }
    }

    /// A constant that becomes a value of the enum, or an array of it.
    fn text(&self, text: &str, of: &OfEnum) -> Option<Unusable> {
        let ty = self
            .schema()
            .type_named(Some(&of.name.schema), &of.name.name)?;
        let TypeKind::Enum(labels) = &ty.kind else {
            return None;
        };
        let unusable = |wanted: &str| {
            labels.iter().any(|label| {
                *label.label == *wanted
                    && self
                        .schema()
                        .is_unusable(label.uncommitted, self.situation.postgres)
            })
        };
        let (found, missing) = if of.array {
            let elements = text.split(['{', '}', ',']);
            let mut elements = elements.map(|element| element.trim().trim_matches('"'));
            (elements.find(|element| unusable(element))?, false)
        } else if unusable(text) {
            (text, false)
        } else {
            let has = labels.iter().any(|label| *label.label == *text);
            // What is not followed may have added it.
            if has || self.schema().doubt(&of.name).is_some() {
                return None;
            }
            (text, true)
        };
        Some(Unusable {
            label: found.into(),
            ty: of.name.clone(),
            missing,
        })
    }
}
