//! Transactions, settings, maintenance, rights, and everything that is kept by name only.

use super::Lower;
use super::name::{object_kind, option};
use crate::sql::tree::{
    self, AlterSubscriptionType, DropBehavior, Node, ReindexObjectType, TransactionStmtKind,
    VariableSetKind,
};
use crate::statement::{
    CreateStatistics, Ident, Kind, Name, PublicationChange, PublicationDefinition, Reindex,
    ReindexTarget, SetVariable, Subscription, Transaction,
};

impl Lower<'_> {
    pub(super) fn utility_kind(&self, node: Node<'_>) -> Option<(Kind, &'static str)> {
        let other = |tag: &'static str| (Kind::Other(Vec::new()), tag);
        Some(match node {
            Node::TransactionStmt(statement) => transaction(statement),
            Node::VariableSetStmt(set) => (
                Kind::Set(self.set(set)),
                if is_reset(set) { "RESET" } else { "SET" },
            ),
            Node::TruncateStmt(truncate) => (
                Kind::Truncate {
                    tables: self.relations(truncate.relations()),
                    cascade: truncate.behavior() == DropBehavior::DROP_CASCADE,
                    restart: truncate.restart_seqs(),
                },
                "TRUNCATE TABLE",
            ),
            Node::LockStmt(lock) => (
                Kind::Lock {
                    tables: self.relations(lock.relations()),
                    mode: u8::try_from(lock.mode()).unwrap_or(0),
                    nowait: lock.nowait(),
                },
                "LOCK TABLE",
            ),
            Node::VacuumStmt(vacuum) => (
                Kind::Vacuum {
                    tables: vacuum
                        .rels()
                        .of::<tree::VacuumRelation<'_>>()
                        .filter_map(|rel| rel.relation().map(|var| self.range_var(var)))
                        .collect(),
                    vacuum: vacuum.is_vacuumcmd(),
                    full: self.flag(vacuum.options(), "full"),
                    options: self.parenthesized(vacuum.options()),
                },
                if vacuum.is_vacuumcmd() {
                    "VACUUM"
                } else {
                    "ANALYZE"
                },
            ),
            Node::ClusterStmt(cluster) => (
                Kind::Cluster(cluster.relation().map(|var| self.range_var(var))),
                "CLUSTER",
            ),
            Node::ReindexStmt(reindex) => {
                let target = match reindex.kind() {
                    ReindexObjectType::REINDEX_OBJECT_INDEX => ReindexTarget::Index,
                    ReindexObjectType::REINDEX_OBJECT_TABLE => ReindexTarget::Table,
                    ReindexObjectType::REINDEX_OBJECT_SCHEMA => ReindexTarget::Schema,
                    ReindexObjectType::REINDEX_OBJECT_SYSTEM => ReindexTarget::System,
                    _ => ReindexTarget::Database,
                };
                let name = reindex
                    .relation()
                    .map(|var| self.range_var(var))
                    .or_else(|| {
                        reindex
                            .name()
                            .map(|name| Name::new(None, name, self.whole()))
                    });
                let reindex = Reindex {
                    target,
                    name,
                    concurrently: self.flag(reindex.params(), "concurrently"),
                    options: self.parenthesized(reindex.params()),
                };
                (Kind::Reindex(reindex), "REINDEX")
            }
            Node::CopyStmt(copy) => (
                Kind::Copy {
                    table: copy.relation().map(|var| self.range_var(var)),
                    from: copy.is_from(),
                },
                "COPY",
            ),
            Node::DoStmt(_) => (Kind::Do, "DO"),
            Node::CallStmt(call) => {
                let parts: Vec<&str> = call.funccall()?.funcname().strings().collect();
                (Kind::Call(self.parts_name(&parts, self.whole())), "CALL")
            }
            Node::GrantStmt(grant) => (
                Kind::Grant {
                    grant: grant.is_grant(),
                    object: object_kind(grant.objtype()),
                    names: grant
                        .objects()
                        .iter()
                        .map(|node| self.object_name(Some(node)))
                        .collect(),
                    all_in_schema: grant.targtype()
                        == tree::GrantTargetType::ACL_TARGET_ALL_IN_SCHEMA,
                },
                if grant.is_grant() { "GRANT" } else { "REVOKE" },
            ),
            Node::CreateStatsStmt(create) => {
                let table = create.relations().of::<tree::RangeVar<'_>>().next()?;
                let names: Vec<&str> = create.defnames().strings().collect();
                let mut columns: Vec<Box<str>> = Vec::new();
                let mut label: Vec<&str> = Vec::new();
                for elem in create.exprs().of::<tree::StatsElem<'_>>() {
                    label.push(elem.name().unwrap_or("expr"));
                    columns.extend(elem.name().map(Into::into));
                    if let Some(expr) = self.opt_expr(elem.expr()) {
                        columns.extend(expr.columns().map(Into::into));
                    }
                }
                let create = CreateStatistics {
                    name: (!names.is_empty()).then(|| self.parts_name(&names, self.whole())),
                    table: self.range_var(table),
                    label: label.join("_").into(),
                    columns,
                    if_not_exists: create.if_not_exists(),
                };
                (
                    Kind::CreateStatistics(Box::new(create)),
                    "CREATE STATISTICS",
                )
            }
            Node::CreatePublicationStmt(create) => (
                self.publication(
                    create.pubname(),
                    PublicationChange::Add,
                    create.pubobjects(),
                ),
                "CREATE PUBLICATION",
            ),
            Node::AlterPublicationStmt(alter) => (
                self.publication(
                    alter.pubname(),
                    match alter.action() {
                        tree::AlterPublicationAction::AP_DropObjects => PublicationChange::Drop,
                        tree::AlterPublicationAction::AP_SetObjects => PublicationChange::Set,
                        _ => PublicationChange::Add,
                    },
                    alter.pubobjects(),
                ),
                "ALTER PUBLICATION",
            ),
            Node::AlterTableMoveAllStmt(_) => other("ALTER TABLE ALL IN TABLESPACE"),
            Node::AlterSystemStmt(_) => other("ALTER SYSTEM"),
            Node::CreatedbStmt(_) => other("CREATE DATABASE"),
            Node::DropdbStmt(_) => other("DROP DATABASE"),
            Node::CreateTableSpaceStmt(_) => other("CREATE TABLESPACE"),
            Node::DropTableSpaceStmt(_) => other("DROP TABLESPACE"),
            Node::CreateSubscriptionStmt(create) => {
                let slot = !self.is_off(create.options(), "create_slot")
                    && !self.is_off(create.options(), "connect");
                (
                    Kind::Subscription(Subscription::Create { slot }),
                    "CREATE SUBSCRIPTION",
                )
            }
            Node::AlterSubscriptionStmt(alter) => {
                use AlterSubscriptionType as A;
                let refresh = match alter.kind() {
                    A::ALTER_SUBSCRIPTION_REFRESH => true,
                    A::ALTER_SUBSCRIPTION_SET_PUBLICATION
                    | A::ALTER_SUBSCRIPTION_ADD_PUBLICATION
                    | A::ALTER_SUBSCRIPTION_DROP_PUBLICATION => {
                        !self.is_off(alter.options(), "refresh")
                    }
                    _ => false,
                };
                (
                    Kind::Subscription(Subscription::Alter { refresh }),
                    "ALTER SUBSCRIPTION",
                )
            }
            Node::DropSubscriptionStmt(_) => {
                (Kind::Subscription(Subscription::Drop), "DROP SUBSCRIPTION")
            }
            Node::DiscardStmt(statement) => {
                other(if statement.target() == tree::DiscardMode::DISCARD_ALL {
                    "DISCARD ALL"
                } else {
                    "DISCARD"
                })
            }
            Node::AlterDatabaseStmt(alter) => (
                Kind::AlterDatabase {
                    tablespace: option(alter.options(), "tablespace").is_some(),
                },
                "ALTER DATABASE",
            ),
            Node::AlterDatabaseSetStmt(_) | Node::AlterDatabaseRefreshCollStmt(_) => {
                (Kind::AlterDatabase { tablespace: false }, "ALTER DATABASE")
            }
            Node::CreateRoleStmt(_) => other("CREATE ROLE"),
            Node::AlterRoleStmt(_) | Node::AlterRoleSetStmt(_) => other("ALTER ROLE"),
            Node::DropRoleStmt(_) => other("DROP ROLE"),
            Node::GrantRoleStmt(grant) => other(if grant.is_grant() {
                "GRANT ROLE"
            } else {
                "REVOKE ROLE"
            }),
            Node::AlterDefaultPrivilegesStmt(_) => other("ALTER DEFAULT PRIVILEGES"),
            Node::CreateFdwStmt(_) => other("CREATE FOREIGN DATA WRAPPER"),
            Node::CreateForeignServerStmt(_) => other("CREATE SERVER"),
            Node::CreateUserMappingStmt(_) => other("CREATE USER MAPPING"),
            Node::ImportForeignSchemaStmt(_) => other("IMPORT FOREIGN SCHEMA"),
            Node::CreateCastStmt(_) => other("CREATE CAST"),
            Node::CreateEventTrigStmt(_) => other("CREATE EVENT TRIGGER"),
            Node::AlterExtensionStmt(_) | Node::AlterExtensionContentsStmt(_) => {
                other("ALTER EXTENSION")
            }
            Node::DropOwnedStmt(_) => other("DROP OWNED"),
            Node::ReassignOwnedStmt(_) => other("REASSIGN OWNED"),
            Node::SecLabelStmt(_) => other("SECURITY LABEL"),
            Node::ExplainStmt(_) => other("EXPLAIN"),
            Node::VariableShowStmt(_) => other("SHOW"),
            Node::NotifyStmt(_) => other("NOTIFY"),
            Node::ConstraintsSetStmt(_) => other("SET CONSTRAINTS"),
            Node::CheckPointStmt(_) => other("CHECKPOINT"),
            Node::PrepareStmt(_) => other("PREPARE"),
            Node::ExecuteStmt(_) => other("EXECUTE"),
            Node::DefineStmt(define) => other(match object_kind(define.kind()) {
                crate::statement::ObjectKind::Aggregate => "CREATE AGGREGATE",
                _ => "CREATE",
            }),
            Node::AlterStatsStmt(_) => other("ALTER STATISTICS"),
            Node::AlterTypeStmt(_) => other("ALTER TYPE"),
            _ => return None,
        })
    }

    /// Names of the options that stand in parentheses right behind the command's name.
    fn parenthesized(&self, options: tree::List<'_>) -> Vec<Box<str>> {
        let mut tokens = self.tokens(self.range.start as usize).skip(1);
        if tokens
            .next()
            .is_none_or(|token| token.text(self.text) != "(")
        {
            return Vec::new();
        }
        options
            .of::<tree::DefElem<'_>>()
            .filter_map(|option| Some(option.defname()?.to_ascii_lowercase().into()))
            .collect()
    }

    /// The body of a `DO` block with its language.
    pub(in crate::sql) fn do_body(
        &self,
        statement: tree::DoStmt<'_>,
    ) -> Option<(String, crate::source::Fragment)> {
        let language = option(statement.args(), "language")
            .and_then(|option| self.option_text(option.arg()))
            .unwrap_or_else(|| "plpgsql".to_owned());
        Some((language.to_ascii_lowercase(), self.body(statement.args())?))
    }

    fn publication(
        &self,
        name: Option<&str>,
        change: PublicationChange,
        objects: tree::List<'_>,
    ) -> Kind {
        let tables = objects
            .of::<tree::PublicationObjSpec<'_>>()
            .filter_map(|object| {
                let table = object.pubtable()?;
                let mut columns: Vec<Box<str>> =
                    table.columns().strings().map(Into::into).collect();
                if let Some(filter) = table.whereClause() {
                    let filter = self.expr(filter);
                    columns.extend(filter.columns().map(Into::<Box<str>>::into));
                }
                Some((self.range_var(table.relation()?), columns))
            })
            .collect();
        Kind::Publication(Box::new(PublicationDefinition {
            name: Ident::new(name.unwrap_or(""), self.whole()),
            change,
            tables,
        }))
    }

    fn set(&self, set: tree::VariableSetStmt<'_>) -> SetVariable {
        let name = match set.kind() {
            VariableSetKind::VAR_RESET_ALL => "all".to_owned(),
            _ => set.name().unwrap_or("").to_ascii_lowercase(),
        };
        let values: Vec<String> = match set.kind() {
            VariableSetKind::VAR_SET_VALUE | VariableSetKind::VAR_SET_MULTI => set
                .args()
                .iter()
                .filter_map(|arg| self.option_text(Some(arg)))
                .collect(),
            _ => Vec::new(),
        };
        let value =
            (set.kind() == VariableSetKind::VAR_SET_VALUE).then(|| values.join(", ").into());
        SetVariable {
            name: name.into(),
            value,
            local: set.is_local(),
        }
    }
}

fn is_reset(set: tree::VariableSetStmt<'_>) -> bool {
    matches!(
        set.kind(),
        VariableSetKind::VAR_RESET | VariableSetKind::VAR_RESET_ALL
    )
}

fn transaction(statement: tree::TransactionStmt<'_>) -> (Kind, &'static str) {
    use TransactionStmtKind as T;
    let savepoint = || statement.savepoint_name().unwrap_or_default().into();
    let (control, tag) = match statement.kind() {
        T::TRANS_STMT_BEGIN => (Transaction::Begin, "BEGIN"),
        T::TRANS_STMT_START => (Transaction::Begin, "START TRANSACTION"),
        T::TRANS_STMT_COMMIT => (
            Transaction::Commit {
                chain: statement.chain(),
            },
            "COMMIT",
        ),
        T::TRANS_STMT_ROLLBACK => (
            Transaction::Rollback {
                chain: statement.chain(),
            },
            "ROLLBACK",
        ),
        T::TRANS_STMT_SAVEPOINT => (Transaction::Savepoint(savepoint()), "SAVEPOINT"),
        T::TRANS_STMT_RELEASE => (Transaction::Release(savepoint()), "RELEASE"),
        T::TRANS_STMT_ROLLBACK_TO => (Transaction::RollbackTo(savepoint()), "ROLLBACK"),
        T::TRANS_STMT_PREPARE => (Transaction::Prepare, "PREPARE TRANSACTION"),
        T::TRANS_STMT_COMMIT_PREPARED => (Transaction::Other, "COMMIT PREPARED"),
        T::TRANS_STMT_ROLLBACK_PREPARED => (Transaction::Other, "ROLLBACK PREPARED"),
        T::Unknown => (Transaction::Other, "TRANSACTION"),
    };
    (Kind::Transaction(control), tag)
}
