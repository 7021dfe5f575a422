//! Replay of views, and of tables made from a query.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::object::{Column, Origin, View};
use super::table::{bare_column, new_table};
use super::{Relation, Schema, Uses};
use crate::statement::{
    CreateTableAs, Expr, ExprKind, Ident, Literal, Mention, Name, Output, Persistence,
    QualifiedName, Query, TypeName,
};

/// The column that stands for all columns of a relation that is not known in full.
pub(super) const ALL: &str = "*";

/// True if a name is that of an output column which is something else than the column of that name, and nothing but
/// `ORDER BY` may mention it: that means the output column.
fn is_output_name(query: &Query, column: &str) -> bool {
    let named = query
        .outputs
        .iter()
        .any(|output| matches!(output, Output::Column(name) if **name == *column));
    let mut expressions = query.targets.iter().chain(&query.condition);
    named && !expressions.any(|expr| expr.columns().any(|name| name == column))
}

impl Schema {
    pub(super) fn create_table_as(&mut self, create: &CreateTableAs, origin: Origin) {
        let name = self.creation_name(&create.name, create.persistence == Persistence::Temporary);
        if !self.is_free(&name) {
            return;
        }
        let written = create.names.as_slice();
        if create.materialized {
            self.put_view(name, true, create.with_data, written, &create.query, origin);
            return;
        }
        let mut table = new_table(name.clone(), origin);
        table.persistence = create.persistence;
        table.filled = create.with_data.then_some(origin);
        match self.output_columns(written, &create.query, origin) {
            Some(columns) => table.columns = columns,
            None => {
                table.known = false;
                let columns = create.columns.iter();
                table.columns = columns
                    .map(|column| bare_column(&column.text, origin))
                    .collect();
            }
        }
        self.put(name, Relation::Table(Arc::new(table)));
    }

    pub(super) fn put_view(
        &mut self,
        name: QualifiedName,
        materialized: bool,
        populated: bool,
        written: &[Ident],
        query: &Query,
        origin: Origin,
    ) {
        let columns = self
            .output_columns(written, query, origin)
            .unwrap_or_default();
        let view = View {
            name: name.clone(),
            materialized,
            populated,
            columns: columns.into_iter().map(|column| column.name).collect(),
            reads: self.relations_read(query),
            uses: self.columns_used(query),
            query: query.clone(),
            created: origin,
        };
        self.put(name, Relation::View(Arc::new(view)));
    }

    /// The relations a query reads, each once.
    pub(super) fn relations_read(&self, query: &Query) -> Vec<QualifiedName> {
        let reads: BTreeSet<QualifiedName> =
            query.reads.iter().map(|name| self.resolve(name)).collect();
        reads.into_iter().collect()
    }

    /// The columns a query uses: for each one mentioned, those of the relations it may be of.
    pub(super) fn columns_used(&self, query: &Query) -> Uses {
        let mut used = Uses::new();
        let relations: Vec<(&str, QualifiedName)> = query
            .aliases
            .iter()
            .map(|(alias, name)| (&**alias, self.resolve(name)))
            .collect();
        let mentions: BTreeSet<&Mention> = query.mentions.iter().collect();
        for mention in mentions {
            let bare = mention.relation.is_none();
            let mut meant: Vec<(QualifiedName, Box<str>)> = Vec::new();
            let mut candidates = 0;
            for (alias, relation) in &relations {
                if mention
                    .relation
                    .as_deref()
                    .is_some_and(|name| name != *alias)
                {
                    continue;
                }
                let columns = self.column_names(relation);
                if &*mention.column == ALL {
                    let all = columns.unwrap_or_else(|| vec![ALL]).into_iter();
                    meant.extend(all.map(|column| (relation.clone(), column.into())));
                    // A star that stands alone is for all of them.
                    candidates += usize::from(!bare || candidates == 0);
                } else if columns.is_none_or(|columns| columns.contains(&&*mention.column)) {
                    meant.push((relation.clone(), mention.column.clone()));
                    candidates += 1;
                }
            }
            let sure = candidates == 1
                && !(bare && (query.derived || is_output_name(query, &mention.column)));
            for column in meant {
                *used.entry(column).or_default() |= sure;
            }
        }
        used
    }

    /// Names of a relation's columns; none if they are not known.
    fn column_names(&self, relation: &QualifiedName) -> Option<Vec<&str>> {
        match self.relations.get(relation)? {
            Relation::Table(table) if table.known => {
                Some(table.columns.iter().map(|column| &*column.name).collect())
            }
            Relation::View(view) if !view.columns.is_empty() => {
                Some(view.columns.iter().map(|column| &**column).collect())
            }
            _ => None,
        }
    }

    /// The columns that a query puts out, as columns of a new table; none if that cannot be told.
    fn output_columns(
        &self,
        written: &[Ident],
        query: &Query,
        origin: Origin,
    ) -> Option<Vec<Column>> {
        let mut columns: Vec<Column> = Vec::new();
        for (position, output) in query.outputs.iter().enumerate() {
            match output {
                Output::Column(name) => {
                    let source = query
                        .targets
                        .get(position)
                        .and_then(|target| self.type_of(target, query));
                    columns.push(match source {
                        Some(source) => Column {
                            name: name.clone(),
                            ty: source.ty,
                            user_type: source.user_type,
                            collation: source.collation,
                            ..bare_column(name, origin)
                        },
                        None => bare_column(name, origin),
                    });
                }
                Output::Star(relation) => {
                    for (alias, name) in query.from.as_ref()? {
                        if relation.as_ref().is_none_or(|relation| relation == alias) {
                            columns.extend(self.columns_of(name, origin)?);
                        }
                    }
                }
            }
        }
        for (column, name) in columns.iter_mut().zip(written) {
            column.name.clone_from(&name.text);
        }
        (!query.outputs.is_empty()).then_some(columns)
    }

    /// The columns of a relation with nothing but their names and types; none if they are not known.
    fn columns_of(&self, name: &Name, origin: Origin) -> Option<Vec<Column>> {
        match self.relation(name)? {
            Relation::Table(table) if table.known => {
                let columns = table.columns.iter();
                Some(
                    columns
                        .map(|column| Column {
                            ty: column.ty.clone(),
                            user_type: column.user_type.clone(),
                            collation: column.collation.clone(),
                            ..bare_column(&column.name, origin)
                        })
                        .collect(),
                )
            }
            Relation::View(view) if !view.columns.is_empty() => {
                let columns = view.columns.iter();
                Some(columns.map(|name| bare_column(name, origin)).collect())
            }
            _ => None,
        }
    }

    /// The type of an output expression, in a column that has it; none if it is not told.
    fn type_of(&self, expr: &Expr, query: &Query) -> Option<Column> {
        let origin = |ty: TypeName| Column {
            user_type: self.user_type(Some(&ty)),
            ty: Some(ty),
            ..bare_column("", super::object::NOWHERE)
        };
        match &expr.kind {
            ExprKind::Cast(_, ty) => Some(origin(ty.clone())),
            ExprKind::Literal(Literal::Int(_)) => Some(origin(TypeName::builtin("int4"))),
            ExprKind::Literal(Literal::Bool(_)) => Some(origin(TypeName::builtin("bool"))),
            ExprKind::Literal(Literal::String(_)) => Some(origin(TypeName::builtin("text"))),
            ExprKind::Call { name, .. } if &**name == "count" => {
                Some(origin(TypeName::builtin("int8")))
            }
            ExprKind::Column(parts) => {
                let (column, relation) = match parts.as_slice() {
                    [.., relation, column] => (column, Some(relation)),
                    [column] => (column, None),
                    [] => return None,
                };
                let mut found = query
                    .from
                    .as_ref()?
                    .iter()
                    .filter(|(alias, _)| relation.is_none_or(|relation| relation == alias))
                    .filter_map(|(_, name)| self.table(name)?.column(column));
                let first = found.next()?;
                found.next().is_none().then(|| first.clone())
            }
            _ => None,
        }
    }
}
