//! The questions rules ask a statement. Grow this vocabulary, not the rules.

use super::{
    AddColumn, AlterAction, AlterColumn, Change, ChangeVerb, ColumnDef, ConstraintDef, CreateTable,
    ExprKind, Ident, Insert, Kind, Name, ObjectKind, PartitionOf, Query, Rename, SetVariable,
    Statement, Transaction,
};

impl Statement {
    /// Sub-commands of an `ALTER TABLE` with the table.
    pub fn alter_actions(&self) -> impl Iterator<Item = (&Name, &AlterAction)> {
        let alter = match &self.kind {
            Kind::AlterTable(alter) => Some(alter),
            _ => None,
        };
        alter.into_iter().flat_map(|alter| {
            alter
                .actions
                .iter()
                .map(move |action| (&alter.name, action))
        })
    }

    /// `ADD COLUMN`, with the table.
    pub fn added_columns(&self) -> impl Iterator<Item = (&Name, &AddColumn)> {
        self.alter_actions()
            .filter_map(|(table, action)| match action {
                AlterAction::AddColumn(add) => Some((table, &**add)),
                _ => None,
            })
    }

    /// `DROP COLUMN`, with the table.
    pub fn dropped_columns(&self) -> impl Iterator<Item = (&Name, &Ident)> {
        self.alter_actions()
            .filter_map(|(table, action)| match action {
                AlterAction::DropColumn { column, .. } => Some((table, column)),
                _ => None,
            })
    }

    /// `ALTER COLUMN`, with the table.
    pub fn altered_columns(&self) -> impl Iterator<Item = (&Name, &AlterColumn)> {
        self.alter_actions()
            .filter_map(|(table, action)| match action {
                AlterAction::AlterColumn(alter) => Some((table, alter)),
                _ => None,
            })
    }

    /// `ADD CONSTRAINT`, with the table. Constraints written at an added column are not among them.
    pub fn added_constraints(&self) -> impl Iterator<Item = (&Name, &ConstraintDef)> {
        self.alter_actions()
            .filter_map(|(table, action)| match action {
                AlterAction::AddConstraint(def) => Some((table, &**def)),
                _ => None,
            })
    }

    /// Columns that the statement writes down, in `CREATE TABLE` or `ADD COLUMN`, with the table.
    pub fn written_columns(&self) -> impl Iterator<Item = (&Name, &ColumnDef)> {
        let create = self.created_table().into_iter();
        let created = create.flat_map(|create| {
            let columns = create.columns.iter();
            columns.map(move |column| (&create.name, column))
        });
        let added = self.added_columns();
        created.chain(added.map(|(table, add)| (table, &add.column)))
    }

    /// Constraints that the statement writes down, wherever it does: at a column, in `CREATE TABLE`, in
    /// `ADD CONSTRAINT`; with the table.
    pub fn written_constraints(&self) -> impl Iterator<Item = (&Name, &ConstraintDef)> {
        let at_columns = self.written_columns().flat_map(|(table, column)| {
            let constraints = column.constraints.iter();
            constraints.map(move |def| (table, def))
        });
        let create = self.created_table().into_iter();
        let of_table = create.flat_map(|create| {
            let constraints = create.constraints.iter();
            constraints.map(move |def| (&create.name, def))
        });
        at_columns.chain(of_table).chain(self.added_constraints())
    }

    /// `CREATE TABLE`, if the statement is one.
    #[must_use]
    pub fn created_table(&self) -> Option<&CreateTable> {
        match &self.kind {
            Kind::CreateTable(create) => Some(create),
            _ => None,
        }
    }

    /// `ATTACH PARTITION` to a table: the table, the partition, and where it belongs.
    pub fn attached_partitions(&self) -> impl Iterator<Item = (&Name, &Name, &PartitionOf)> {
        self.alter_actions()
            .filter_map(|(table, action)| match action {
                AlterAction::AttachPartition {
                    partition,
                    bound: Some(of),
                } => Some((table, partition, of)),
                _ => None,
            })
    }

    /// Partitions that the table gets, made as such or attached: the table, the partition, and where it belongs.
    pub fn new_partitions(&self) -> impl Iterator<Item = (&Name, &Name, &PartitionOf)> {
        let create = self.created_table().into_iter();
        let created = create.filter_map(|create| {
            let of = create.partition_of.as_ref()?;
            Some((&of.parent, &create.name, of))
        });
        created.chain(self.attached_partitions())
    }

    /// The constraints that an `ALTER TABLE` drops, with the table. PostgreSQL drops them before it does anything else
    /// that the command says.
    pub fn dropped_constraints(&self) -> impl Iterator<Item = (&Name, &Ident)> {
        self.alter_actions()
            .filter_map(|(table, action)| match action {
                AlterAction::DropConstraint { name, .. } => Some((table, name)),
                _ => None,
            })
    }

    /// `VALIDATE CONSTRAINT`, with the table.
    pub fn validated_constraints(&self) -> impl Iterator<Item = (&Name, &Ident)> {
        self.alter_actions()
            .filter_map(|(table, action)| match action {
                AlterAction::ValidateConstraint(name) => Some((table, name)),
                _ => None,
            })
    }

    /// `RENAME TO` of a table or of what can stand in its place in a query.
    #[must_use]
    pub fn renamed_relation(&self) -> Option<&Rename> {
        match &self.kind {
            Kind::Rename(rename)
                if rename.part.is_none()
                    && matches!(
                        rename.object,
                        ObjectKind::Table
                            | ObjectKind::ForeignTable
                            | ObjectKind::View
                            | ObjectKind::MaterializedView
                    ) =>
            {
                Some(rename)
            }
            _ => None,
        }
    }

    /// `SET`, if the statement is one.
    #[must_use]
    pub fn sets(&self) -> Option<&SetVariable> {
        match &self.kind {
            Kind::Set(set) => Some(set),
            _ => None,
        }
    }

    /// Routines that the statement is there to call: `CALL f()`, `SELECT f()`.
    pub fn called_routines(&self) -> impl Iterator<Item = &Name> {
        let (call, query) = match &self.kind {
            Kind::Call(name) => (Some(name), None),
            Kind::Select(query) if query.reads.is_empty() => (None, Some(query)),
            _ => (None, None),
        };
        let outermost = query.into_iter().flat_map(|query| {
            query.calls.iter().filter(|call| {
                query.targets.iter().any(
                    |target| matches!(&target.kind, ExprKind::Call { name, .. } if **name == *call.name),
                )
            })
        });
        call.into_iter().chain(outermost)
    }

    /// Transaction control, if the statement is that.
    #[must_use]
    pub fn transaction_control(&self) -> Option<Transaction> {
        match &self.kind {
            Kind::Transaction(control) => Some(control.clone()),
            _ => None,
        }
    }

    /// `CONCURRENTLY` in any of its forms.
    #[must_use]
    pub fn is_concurrent(&self) -> bool {
        match &self.kind {
            Kind::CreateIndex(create) => create.concurrently,
            Kind::Drop(drop) => drop.concurrently,
            Kind::Reindex(reindex) => reindex.concurrently,
            Kind::RefreshMaterializedView(refresh) => refresh.concurrently,
            Kind::AlterTable(_) => self.alter_actions().any(|(_, action)| {
                matches!(
                    action,
                    AlterAction::DetachPartition {
                        concurrently: true,
                        ..
                    }
                )
            }),
            _ => false,
        }
    }

    /// True for a statement that leaves schema and data as they are: settings, transaction control, a query that
    /// reads no relation and calls nothing.
    #[must_use]
    pub fn changes_nothing(&self) -> bool {
        match &self.kind {
            Kind::Set(_) | Kind::Transaction(_) => true,
            Kind::Select(query) => {
                query.reads.is_empty() && query.calls.is_empty() && query.changes.is_empty()
            }
            _ => false,
        }
    }
}

impl Statement {
    /// What a query or a data change reads and calls.
    #[must_use]
    pub fn query(&self) -> Option<&Query> {
        match &self.kind {
            Kind::Select(query) => Some(query),
            Kind::Insert(insert) => Some(&insert.query),
            Kind::Change(change) | Kind::Merge(change) => Some(&change.query),
            Kind::CreateTableAs(create) => Some(&create.query),
            _ => None,
        }
    }
}

impl Change {
    /// True if a second run leaves out what the first one has done, as far as the text tells: rows are deleted, or a
    /// column that is set is also asked for when the rows are picked.
    #[must_use]
    pub fn leaves_out_done_rows(&self) -> bool {
        let set_by = |column: &str| {
            let values = self
                .assignments
                .iter()
                .flat_map(|(_, value)| value.columns());
            values.filter(|name| *name == column).count()
        };
        let mentioned = |column: &str| {
            self.query
                .columns
                .iter()
                .filter(|name| &*name.text == column)
                .count()
        };
        self.verb == ChangeVerb::Delete
            || self
                .assignments
                .iter()
                .any(|(column, _)| mentioned(&column.text) > set_by(&column.text))
    }
}

impl Insert {
    /// True if a second run leaves out the rows that are there already: it says what to do on a conflict, or looks into
    /// the table itself.
    #[must_use]
    pub fn leaves_out_done_rows(&self) -> bool {
        self.on_conflict
            || self
                .query
                .reads
                .iter()
                .any(|read| read.name == self.table.name)
    }
}
