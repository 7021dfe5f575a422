//! Replay of `CREATE TABLE` and of what comes with it.

use std::sync::Arc;

use super::constraint::attribute_names;
use super::naming::{joined, unique_name};
use super::object::{
    Column, Constraint, Index, Origin, Partition, Sequence, Table, TableKind, TypeKind,
};
use super::{Relation, Schema};
use crate::statement::table::Like;
use crate::statement::{
    ColumnDef, ConstraintDef, ConstraintKind, CreateTable, Expr, ExprKind, Ident, Literal,
    Persistence, QualifiedName, TypeName,
};

/// From this version on partitions have the identity columns of their parents.
pub(super) const PARTITIONS_SHARE_IDENTITY: u32 = 17;

/// What a `LIKE` clause copies besides columns.
#[derive(Default)]
struct Copied {
    constraints: Vec<ConstraintDef>,
    keys: Vec<(Arc<Index>, ConstraintDef)>,
    indexes: Vec<Arc<Index>>,
    identities: Vec<(Box<str>, TypeName)>,
}

impl Schema {
    pub(super) fn create_table(&mut self, create: &CreateTable, origin: Origin) {
        let name = self.creation_name(&create.name, create.persistence == Persistence::Temporary);
        if !self.is_free(&name) {
            return;
        }
        let mut table = new_table(name.clone(), origin);
        // What is created without a schema behind a temporary one in the path is temporary, and so is a child of one.
        table.persistence = if &*name.schema == super::TEMPORARY {
            Persistence::Temporary
        } else {
            create.persistence
        };
        if create.foreign {
            table.kind = TableKind::Foreign;
        }
        if create.partition_by.is_some() {
            table.kind = TableKind::Partitioned;
            table.partition_by.clone_from(&create.partition_by);
        }
        for parent in &create.inherits {
            let parent = self.resolve(parent);
            self.inherit_columns(&mut table, &parent, origin);
            table.inherits.push(parent);
        }
        if let Some(of) = &create.of_type
            && let Some(ty) = self.type_named(of.schema.as_deref(), &of.name)
            && let TypeKind::Composite(columns) = &ty.kind
        {
            table.of_type = Some(ty.name.clone());
            table
                .columns
                .extend(columns.iter().cloned().map(|column| Column {
                    created: origin,
                    ..column
                }));
        }
        if let Some(of) = &create.partition_of {
            let parent = self.resolve(&of.parent);
            self.inherit_columns(&mut table, &parent, origin);
            table.partition = Some(Partition {
                parent,
                is_default: of.is_default,
                bound: of.bound.clone(),
                values: of.values.clone(),
            });
        }
        let mut copied = Copied::default();
        for (position, column) in create.columns.iter().enumerate() {
            for like in create.like.iter().filter(|like| like.at == position) {
                self.copy_like(&mut table, like, &mut copied, origin);
            }
            merge_column(&mut table, self.new_column(column, origin));
        }
        for like in &create.like {
            if like.at >= create.columns.len() {
                self.copy_like(&mut table, like, &mut copied, origin);
            }
        }
        let at_columns = create.columns.iter().flat_map(|column| &column.constraints);
        let mut constraints: Vec<ConstraintDef> = copied
            .constraints
            .into_iter()
            .chain(at_columns.cloned())
            .chain(create.constraints.iter().cloned())
            .collect();
        // The order in which PostgreSQL makes them, which decides who gets a name.
        constraints.sort_by_key(|constraint| creation_order(&constraint.kind));
        leave_out_redundant(&mut constraints);
        let serial: Vec<(&ColumnDef, TypeName)> = create
            .columns
            .iter()
            .filter_map(|column| owned_sequence(column).map(|ty| (column, ty)))
            .collect();
        let parent = table
            .partition
            .as_ref()
            .map(|partition| partition.parent.clone());
        self.put(name.clone(), Relation::Table(Arc::new(table)));
        if let Some(parent) = &parent {
            self.inherit_triggers(parent, &name);
        }
        for (column, ty) in serial {
            self.put_column_sequence(&name, column, ty, origin);
        }
        for (column, ty) in copied.identities {
            self.put_owned_sequence(&name, &column, ty, origin);
        }
        let (checks, others): (Vec<_>, Vec<_>) = constraints
            .iter()
            .partition(|constraint| matches!(constraint.kind, ConstraintKind::Check(_)));
        for constraint in checks.into_iter().chain(others) {
            self.add_constraint(&name, constraint, origin);
        }
        // What LIKE copies comes last, and is made whether or not there is an index like it.
        for (index, def) in &copied.keys {
            // Its name is made from the names that the columns had when the index was made.
            let fresh = self.cloned_constraint_name(&name, index, &def.kind);
            let copy = ConstraintDef {
                name: Some(Ident::new(fresh, def.span)),
                ..def.clone()
            };
            self.add_constraint(&name, &copy, origin);
        }
        for index in copied.indexes {
            self.copy_index(&index, &name, None, origin);
        }
        if let Some(parent) = parent {
            self.inherit_indexes(&parent, &name, origin);
            self.inherit_foreign_keys(&parent, &name, origin);
        }
    }

    /// `LIKE source INCLUDING …`.
    fn copy_like(&self, table: &mut Table, like: &Like, copied: &mut Copied, origin: Origin) {
        let Some(source) = self.table(&like.table).cloned() else {
            match self.relation(&like.table) {
                Some(Relation::View(view)) => {
                    let columns = view.columns.iter();
                    table
                        .columns
                        .extend(columns.map(|name| bare_column(name, origin)));
                }
                _ => table.known = false,
            }
            return;
        };
        table.known &= source.known;
        for column in &source.columns {
            if like.identity && column.identity.is_some() {
                // The options of the old sequence are copied, and its type is not among them.
                let ty = TypeName::builtin("int8");
                copied.identities.push((column.name.clone(), ty));
            }
            table.columns.push(Column {
                default: column.default.clone().filter(|_| like.defaults),
                sequence: column.sequence.clone().filter(|_| like.defaults),
                identity: column.identity.filter(|_| like.identity),
                generated: column.generated.clone().filter(|_| like.generated),
                comment: column.comment.clone().filter(|_| like.comments),
                created: origin,
                own: true,
                not_null_own: column.not_null,
                ..column.clone()
            });
        }
        if like.constraints {
            let checks = source
                .constraints
                .iter()
                .filter(|c| matches!(c.def.kind, ConstraintKind::Check(_)));
            // The copy is written anew: it is valid, whatever the original is.
            copied.constraints.extend(checks.map(|check| ConstraintDef {
                name: Some(Ident::new(check.name.clone(), check.def.span)),
                not_valid: false,
                ..check.def.clone()
            }));
        }
        if like.indexes {
            for index in self.indexes_by_age(&source.name) {
                let constraint = index
                    .constraint
                    .as_deref()
                    .and_then(|name| source.constraint(name));
                match constraint {
                    Some(constraint) => copied.keys.push((index, constraint.def.clone())),
                    None => copied.indexes.push(index),
                }
            }
        }
    }

    /// Columns (and CHECK constraints) that a child takes from its parent.
    fn inherit_columns(&self, table: &mut Table, parent: &QualifiedName, origin: Origin) {
        let Some(parent) = self.table_at(parent) else {
            table.known &= false;
            return;
        };
        table.known &= parent.known;
        let partition =
            parent.kind == TableKind::Partitioned && self.postgres >= PARTITIONS_SHARE_IDENTITY;
        for column in &parent.columns {
            merge_column(
                table,
                Column {
                    created: origin,
                    identity: column.identity.filter(|_| partition),
                    comment: None,
                    own: false,
                    not_null_own: false,
                    ..column.clone()
                },
            );
        }
        for constraint in &parent.constraints {
            let inherited = matches!(constraint.def.kind, ConstraintKind::Check(_))
                && !constraint.def.no_inherit;
            if inherited && table.constraint(&constraint.name).is_none() {
                table.constraints.push(Constraint {
                    created: origin,
                    own: false,
                    parent: None,
                    // A new table has no rows that could break it.
                    valid: !constraint.def.not_enforced,
                    ..constraint.clone()
                });
            }
        }
    }

    /// The sequence of a serial or identity column; a serial column takes its default from it.
    pub(super) fn put_column_sequence(
        &mut self,
        table: &QualifiedName,
        def: &ColumnDef,
        ty: TypeName,
        origin: Origin,
    ) {
        let column = &def.name.text;
        let sequence = self.put_owned_sequence(table, column, ty, origin);
        if def.identity.is_some() {
            return;
        }
        self.change_table_at(table, origin, |table| {
            if let Some(column) = table.column_mut(column) {
                column.default = Some(next_value(&sequence, def));
                column.sequence = Some(sequence);
            }
        });
    }

    pub(super) fn put_owned_sequence(
        &mut self,
        table: &QualifiedName,
        column: &str,
        ty: TypeName,
        origin: Origin,
    ) -> QualifiedName {
        let name = unique_name(&table.name, Some(column), "seq", |candidate| {
            !self.is_free(&QualifiedName::new(&table.schema, candidate))
        });
        let name = QualifiedName::new(&table.schema, &name);
        let sequence = Sequence {
            name: name.clone(),
            owned_by: Some((table.clone(), column.into())),
            ty: Some(ty),
            created: origin,
        };
        self.put(name.clone(), Relation::Sequence(Arc::new(sequence)));
        name
    }

    /// A copy of an index on another table of the same columns, under a name of its own.
    pub(super) fn copy_index(
        &mut self,
        index: &Index,
        table: &QualifiedName,
        parent: Option<QualifiedName>,
        origin: Origin,
    ) -> QualifiedName {
        let columns = attribute_names(index);
        let columns = joined(columns.iter().map(String::as_str));
        let fresh = unique_name(&table.name, Some(&columns), "idx", |candidate| {
            !self.is_free(&QualifiedName::new(&table.schema, candidate))
        });
        let name = QualifiedName::new(&table.schema, &fresh);
        let copy = Index {
            name: name.clone(),
            table: table.clone(),
            created: origin,
            valid: true,
            constraint: None,
            parent,
            ..index.clone()
        };
        self.put(name.clone(), Relation::Index(Arc::new(copy)));
        name
    }

    /// The user-defined type that a type name means, if it is one that the history makes.
    pub(super) fn user_type(&self, ty: Option<&TypeName>) -> Option<QualifiedName> {
        let ty = ty?;
        self.type_named(ty.schema.as_deref(), &ty.name)
            .map(|found| found.name.clone())
    }

    /// A column as its definition makes it. `serial` becomes its integer type.
    pub(super) fn new_column(&self, def: &ColumnDef, origin: Origin) -> Column {
        let ty = def.ty.as_ref().map(|ty| match ty.serial_base() {
            Some(base) => TypeName {
                span: ty.span,
                ..TypeName::builtin(base)
            },
            None => ty.clone(),
        });
        let serial = def.ty.as_ref().is_some_and(|ty| ty.serial_base().is_some());
        Column {
            user_type: self.user_type(ty.as_ref()),
            ty,
            not_null: def.not_null || serial,
            not_null_own: def.not_null || serial,
            sequence: def
                .default
                .as_ref()
                .and_then(|default| self.sequence_of_default(default)),
            default: def
                .default
                .clone()
                .filter(|expr| self.is_default(expr, def.ty.as_ref())),
            identity: def.identity,
            generated: def.generated.clone(),
            collation: def.collation.clone(),
            ..bare_column(&def.name.text, origin)
        }
    }

    /// `DEFAULT NULL` is no default, but for a domain, which may have one of its own, and for a type with a length, to
    /// which PostgreSQL has to coerce the constant.
    pub(super) fn is_default(&self, expr: &Expr, ty: Option<&TypeName>) -> bool {
        !expr.is_null()
            || ty.is_some_and(|ty| !ty.modifiers.is_empty())
            || ty
                .and_then(|ty| self.type_named(ty.schema.as_deref(), &ty.name))
                .is_some_and(|ty| matches!(ty.kind, TypeKind::Domain(_)))
    }

    /// The sequence of a default `nextval('name')`.
    pub(super) fn sequence_of_default(&self, default: &Expr) -> Option<QualifiedName> {
        let ExprKind::Call {
            schema: None,
            name,
            args,
            ..
        } = &default.kind
        else {
            return None;
        };
        let [argument] = args.as_slice() else {
            return None;
        };
        if &**name != "nextval" {
            return None;
        }
        let written = split_name(argument.as_string()?)?;
        let key = self.resolve(&written);
        matches!(self.relations.get(&key), Some(Relation::Sequence(_))).then_some(key)
    }
}

/// A possibly qualified and quoted name in a string, as `regclass` reads it.
fn split_name(text: &str) -> Option<crate::statement::Name> {
    let mut parts: Vec<String> = Vec::new();
    let mut rest = text.trim();
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"')?;
            parts.push(quoted[..end].to_owned());
            rest = quoted[end + 1..].trim_start();
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            parts.push(rest[..end].trim().to_ascii_lowercase());
            rest = &rest[end..];
        }
        match rest.strip_prefix('.') {
            Some(more) => rest = more.trim_start(),
            None => break,
        }
    }
    let span = crate::source::Span::default();
    match parts.as_slice() {
        [name] => Some(crate::statement::Name::new(None, name, span)),
        [schema, name] => Some(crate::statement::Name::new(Some(schema), name, span)),
        _ => None,
    }
}

/// The default that a serial column gets.
fn next_value(sequence: &QualifiedName, def: &ColumnDef) -> Expr {
    let name = Expr {
        span: def.span,
        kind: ExprKind::Literal(Literal::String(sequence.to_string().into())),
    };
    let argument = Expr {
        span: def.span,
        kind: ExprKind::Cast(Box::new(name), TypeName::builtin("regclass")),
    };
    Expr {
        span: def.span,
        kind: ExprKind::Call {
            schema: None,
            name: "nextval".into(),
            args: vec![argument],
            star: false,
        },
    }
}

pub(super) fn new_table(name: QualifiedName, origin: Origin) -> Table {
    Table {
        name,
        kind: TableKind::Ordinary,
        known: true,
        persistence: Persistence::Permanent,
        columns: Vec::new(),
        constraints: Vec::new(),
        partition_by: None,
        partition: None,
        inherits: Vec::new(),
        triggers: Vec::new(),
        policies: Vec::new(),
        rules: Vec::new(),
        statistics: Vec::new(),
        publications: Vec::new(),
        of_type: None,
        row_security: false,
        force_row_security: false,
        created: origin,
        filled: None,
        comment: None,
    }
}

pub(super) fn bare_column(name: &str, origin: Origin) -> Column {
    Column {
        name: name.into(),
        ty: None,
        user_type: None,
        sequence: None,
        own: true,
        not_null: false,
        not_null_own: false,
        not_null_not_valid: None,
        default: None,
        identity: None,
        generated: None,
        collation: None,
        added: true,
        created: origin,
        comment: None,
    }
}

/// The type of the sequence that a serial or identity column brings with it.
pub(super) fn owned_sequence(def: &ColumnDef) -> Option<TypeName> {
    let ty = def.ty.as_ref()?;
    match ty.serial_base() {
        Some(base) => Some(TypeName::builtin(base)),
        None => def.identity.map(|_| ty.clone()),
    }
}

/// Adds a column, or merges it with the one of that name that came from a parent or a type.
fn merge_column(table: &mut Table, column: Column) {
    match table.column_mut(&column.name) {
        Some(existing) => {
            existing.own |= column.own;
            existing.not_null |= column.not_null;
            existing.not_null_own |= column.not_null_own;
            if column.default.is_some() {
                existing.default = column.default;
                existing.sequence = column.sequence;
            }
            if column.generated.is_some() {
                existing.generated = column.generated;
            }
            if column.identity.is_some() {
                existing.identity = column.identity;
            }
            if existing.ty.is_none() {
                existing.ty = column.ty;
                existing.user_type = column.user_type;
            }
        }
        None => table.columns.push(column),
    }
}

/// CHECK constraints come with the table, then the keys (the primary key first), then the foreign keys.
pub(super) fn creation_order(kind: &ConstraintKind) -> u8 {
    match kind {
        ConstraintKind::NotNull(_) | ConstraintKind::Check(_) => 0,
        ConstraintKind::PrimaryKey(_) => 1,
        ConstraintKind::Unique(_) | ConstraintKind::Exclude { .. } => 2,
        ConstraintKind::ForeignKey(_) => 3,
    }
}

/// `a int PRIMARY KEY, UNIQUE (a)` makes one index: a key over the columns of an earlier one is left out, and gives it
/// its name if it has none.
fn leave_out_redundant(constraints: &mut Vec<ConstraintDef>) {
    let mut kept: Vec<ConstraintDef> = Vec::with_capacity(constraints.len());
    for constraint in constraints.drain(..) {
        let ConstraintKind::Unique(key) = &constraint.kind else {
            kept.push(constraint);
            continue;
        };
        let twin = kept.iter_mut().find(|earlier| match &earlier.kind {
            ConstraintKind::PrimaryKey(other) | ConstraintKind::Unique(other) => {
                other.columns == key.columns
                    && other.include == key.include
                    && other.nulls_not_distinct == key.nulls_not_distinct
                    && earlier.deferrable == constraint.deferrable
            }
            _ => false,
        });
        match twin {
            Some(twin) => {
                if twin.name.is_none() {
                    twin.name.clone_from(&constraint.name);
                }
            }
            None => kept.push(constraint),
        }
    }
    *constraints = kept;
}
