//! The questions rules ask a statement. Grow this vocabulary, not the rules.

use super::{
    AddColumn, AlterAction, AlterColumn, ConstraintDef, Ident, Kind, Name, SetVariable, Statement,
    Transaction,
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

    /// `VALIDATE CONSTRAINT`, with the table.
    pub fn validated_constraints(&self) -> impl Iterator<Item = (&Name, &Ident)> {
        self.alter_actions()
            .filter_map(|(table, action)| match action {
                AlterAction::ValidateConstraint(name) => Some((table, name)),
                _ => None,
            })
    }

    /// `SET`, if the statement is one.
    #[must_use]
    pub fn sets(&self) -> Option<&SetVariable> {
        match &self.kind {
            Kind::Set(set) => Some(set),
            _ => None,
        }
    }

    /// Transaction control, if the statement is that.
    #[must_use]
    pub fn transaction_control(&self) -> Option<Transaction> {
        match &self.kind {
            Kind::Transaction(control) => Some(control.clone()),
            _ => None,
        }
    }
}
