//! `ALTER TABLE` and its relatives.

use super::Lower;
use super::name::{names, object_kind};
use super::table::{identity, missing};
use crate::source::Span;
use crate::sql::tree::{self, AlterTableType as At, DropBehavior, Node};
use crate::statement::{
    AddColumn, AlterAction, AlterColumn, AlterTable, ColumnChange, Ident, ObjectKind,
};

impl Lower<'_> {
    pub(super) fn alter_table(
        &self,
        alter: tree::AlterTableStmt<'_>,
    ) -> (AlterTable, &'static str) {
        let object = object_kind(alter.objtype());
        let relation = alter.relation();
        let start = relation
            .and_then(|var| var.location())
            .unwrap_or(self.range.start as usize);
        let spans = self.action_spans(start);
        let actions = alter
            .cmds()
            .of::<tree::AlterTableCmd<'_>>()
            .enumerate()
            .map(|(index, cmd)| {
                self.action(cmd, spans.get(index).copied().unwrap_or(self.range), alter)
            })
            .collect();
        let tag = match object {
            ObjectKind::Index => "ALTER INDEX",
            ObjectKind::View => "ALTER VIEW",
            ObjectKind::MaterializedView => "ALTER MATERIALIZED VIEW",
            ObjectKind::Sequence => "ALTER SEQUENCE",
            ObjectKind::ForeignTable => "ALTER FOREIGN TABLE",
            ObjectKind::Type => "ALTER TYPE",
            _ => "ALTER TABLE",
        };
        let lowered = AlterTable {
            object,
            name: self.relation(relation),
            only: relation.is_some_and(|var| !var.inh()),
            if_exists: alter.missing_ok(),
            actions,
        };
        (lowered, tag)
    }

    /// Sub-commands stand behind the relation's name, separated by commas outside parentheses. The parser keeps their
    /// order but not their places. Spans are in the parsed text.
    fn action_spans(&self, relation: usize) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut depth = 0_usize;
        let mut current: Option<Span> = None;
        let mut in_name = true;
        let mut after_dot = true;
        for token in self.tokens(relation) {
            let text = token.text(self.text);
            if in_name {
                // `schema . table *`, then the first sub-command.
                if text == "." {
                    after_dot = true;
                    continue;
                }
                if after_dot || text == "*" {
                    after_dot = false;
                    continue;
                }
                in_name = false;
            }
            match text {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.saturating_sub(1),
                "," if depth == 0 => {
                    spans.extend(current.take());
                    continue;
                }
                _ => {}
            }
            current = Some(current.map_or(token.span, |span| span.cover(token.span)));
        }
        spans.extend(current);
        spans
    }

    fn action(
        &self,
        cmd: tree::AlterTableCmd<'_>,
        range: Span,
        alter: tree::AlterTableStmt<'_>,
    ) -> AlterAction {
        let span = self.map.to_file(range);
        let name = || self.name_in(cmd.name().unwrap_or(""), range);
        let column = |change: ColumnChange| {
            AlterAction::AlterColumn(AlterColumn {
                column: name(),
                change,
            })
        };
        let def = cmd.def();
        match cmd.subtype() {
            At::AT_AddColumn => match def {
                Some(Node::ColumnDef(def)) => AlterAction::AddColumn(Box::new(AddColumn {
                    column: self.column(def),
                    if_not_exists: cmd.missing_ok(),
                })),
                _ => AlterAction::Other("AddColumn"),
            },
            At::AT_DropColumn => AlterAction::DropColumn {
                column: name(),
                if_exists: cmd.missing_ok(),
                cascade: cmd.behavior() == DropBehavior::DROP_CASCADE,
            },
            At::AT_ColumnDefault => column(match def {
                Some(expr) => ColumnChange::SetDefault(Box::new(self.expr(expr))),
                None => ColumnChange::DropDefault,
            }),
            At::AT_SetNotNull => column(ColumnChange::SetNotNull),
            At::AT_DropNotNull => column(ColumnChange::DropNotNull),
            At::AT_SetExpression => column(ColumnChange::SetExpression(Box::new(
                def.map_or_else(|| missing(span), |expr| self.expr(expr)),
            ))),
            At::AT_DropExpression => column(ColumnChange::DropExpression),
            At::AT_SetStatistics => column(ColumnChange::Statistics),
            At::AT_SetOptions | At::AT_ResetOptions => column(ColumnChange::Options),
            At::AT_SetStorage => column(ColumnChange::Storage),
            At::AT_SetCompression => column(ColumnChange::Compression),
            At::AT_AlterColumnType => match def {
                Some(Node::ColumnDef(def)) => match def.typeName() {
                    Some(ty) => column(ColumnChange::Type {
                        ty: self.type_name(ty),
                        collation: def
                            .collClause()
                            .and_then(|c| c.collname().strings().last().map(Into::into)),
                        using: self.opt_expr(def.raw_default()).map(Box::new),
                        span,
                    }),
                    None => AlterAction::Other("AlterColumnType"),
                },
                _ => AlterAction::Other("AlterColumnType"),
            },
            At::AT_AddIdentity => match def {
                Some(Node::Constraint(def)) => {
                    column(ColumnChange::AddIdentity(identity(def.generated_when())))
                }
                _ => AlterAction::Other("AddIdentity"),
            },
            At::AT_SetIdentity => {
                let generated = match def {
                    Some(Node::List(options)) => super::name::option(options, "generated"),
                    _ => None,
                };
                let letter = generated.and_then(|option| match option.arg() {
                    Some(Node::Integer(value)) => u8::try_from(value.ival()).ok(),
                    _ => None,
                });
                column(ColumnChange::SetIdentity(
                    letter.map(|letter| identity(char::from(letter))),
                ))
            }
            At::AT_DropIdentity => column(ColumnChange::DropIdentity),
            At::AT_AddConstraint => match def {
                Some(Node::Constraint(def)) => self
                    .constraint(def, None)
                    .map_or(AlterAction::Other("AddConstraint"), |def| {
                        AlterAction::AddConstraint(Box::new(def))
                    }),
                _ => AlterAction::Other("AddConstraint"),
            },
            At::AT_DropConstraint => AlterAction::DropConstraint {
                name: name(),
                if_exists: cmd.missing_ok(),
                cascade: cmd.behavior() == DropBehavior::DROP_CASCADE,
            },
            At::AT_ValidateConstraint => AlterAction::ValidateConstraint(name()),
            At::AT_AlterConstraint => match def {
                Some(Node::ATAlterConstraint(def)) => AlterAction::AlterConstraint {
                    name: self.name_in(def.conname().unwrap_or(""), range),
                    enforced: def.alterEnforceability() && def.is_enforced(),
                    not_enforced: def.alterEnforceability() && !def.is_enforced(),
                    inheritability: def.alterInheritability(),
                    deferrable: def.alterDeferrability().then(|| def.deferrable()),
                },
                _ => AlterAction::Other("AlterConstraint"),
            },
            At::AT_AttachPartition => match def {
                Some(Node::PartitionCmd(def)) => AlterAction::AttachPartition {
                    partition: self.relation(def.name()),
                    bound: def
                        .bound()
                        .map(|bound| self.partition_of(self.relation(alter.relation()), bound)),
                },
                _ => AlterAction::Other("AttachPartition"),
            },
            At::AT_DetachPartition | At::AT_DetachPartitionFinalize => match def {
                Some(Node::PartitionCmd(def)) => AlterAction::DetachPartition {
                    partition: self.relation(def.name()),
                    concurrently: def.concurrent(),
                    finalize: cmd.subtype() == At::AT_DetachPartitionFinalize,
                },
                _ => AlterAction::Other("DetachPartition"),
            },
            At::AT_AddInherit | At::AT_DropInherit => match def {
                Some(Node::RangeVar(parent)) => AlterAction::Inherit {
                    parent: self.range_var(parent),
                    remove: cmd.subtype() == At::AT_DropInherit,
                },
                _ => AlterAction::Other("Inherit"),
            },
            At::AT_ChangeOwner => AlterAction::Owner,
            At::AT_SetRelOptions | At::AT_ResetRelOptions | At::AT_ReplaceRelOptions => {
                AlterAction::Options(match def {
                    Some(Node::List(options)) => options
                        .of::<tree::DefElem<'_>>()
                        .filter_map(|option| {
                            let name = option.defname()?;
                            Some(match option.defnamespace() {
                                Some(namespace) => format!("{namespace}.{name}").into(),
                                None => name.into(),
                            })
                        })
                        .collect(),
                    _ => Vec::new(),
                })
            }
            At::AT_SetLogged => AlterAction::SetLogged(true),
            At::AT_SetUnLogged => AlterAction::SetLogged(false),
            At::AT_SetTableSpace => AlterAction::SetTablespace(name()),
            At::AT_SetAccessMethod => AlterAction::SetAccessMethod(cmd.name().map(|_| name())),
            At::AT_EnableRowSecurity => AlterAction::RowSecurity {
                force: false,
                on: true,
            },
            At::AT_DisableRowSecurity => AlterAction::RowSecurity {
                force: false,
                on: false,
            },
            At::AT_ForceRowSecurity => AlterAction::RowSecurity {
                force: true,
                on: true,
            },
            At::AT_NoForceRowSecurity => AlterAction::RowSecurity {
                force: true,
                on: false,
            },
            At::AT_EnableTrig | At::AT_EnableAlwaysTrig | At::AT_EnableReplicaTrig => {
                AlterAction::Trigger {
                    name: Some(name()),
                    on: true,
                }
            }
            At::AT_DisableTrig => AlterAction::Trigger {
                name: Some(name()),
                on: false,
            },
            At::AT_EnableTrigAll | At::AT_EnableTrigUser => AlterAction::Trigger {
                name: None,
                on: true,
            },
            At::AT_DisableTrigAll | At::AT_DisableTrigUser => AlterAction::Trigger {
                name: None,
                on: false,
            },
            At::AT_EnableRule
            | At::AT_EnableAlwaysRule
            | At::AT_EnableReplicaRule
            | At::AT_DisableRule => AlterAction::Rule,
            At::AT_ClusterOn | At::AT_DropCluster => AlterAction::ClusterOn,
            At::AT_ReplicaIdentity => AlterAction::ReplicaIdentity,
            At::AT_AddOf | At::AT_DropOf => AlterAction::OfType,
            At::AT_GenericOptions | At::AT_AlterColumnGenericOptions => {
                AlterAction::Other("GenericOptions")
            }
            _ => AlterAction::Other("other"),
        }
    }

    /// An identifier that the parser gives without its place, looked up in its sub-command.
    fn name_in(&self, name: &str, range: Span) -> Ident {
        let found = self
            .tokens(range.start as usize)
            .take_while(|token| token.span.start < range.end)
            .find(|token| names(token.text(self.text), name));
        Ident::new(
            name,
            self.map.to_file(found.map_or(range, |token| token.span)),
        )
    }
}
