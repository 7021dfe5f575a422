//! A parse node of any kind.

use super::field::RawNode;
use super::field::Value;
use super::list::{List, RawList};
#[allow(clippy::wildcard_imports, reason = "all of them are listed below")]
use super::nodes::{expr::*, json::*, object::*, query::*, table::*, utility::*, value::*};
// The two whose C name is a name of Rust's prelude or too close to one.
use super::nodes::value::{Bool as Boolean, Str as String};

/// A view of one kind of node.
pub(crate) trait Kind<'t>: Copy + Into<Node<'t>> + 't {
    /// The C name.
    const NAME: &'static str;

    /// The node, if it is of this kind.
    fn cast(node: Node<'t>) -> Option<Self>;
}

/// The default for nodes without a `location` field; an inherent method of the same name goes before it.
trait Unlocated: Sized {
    fn location(self) -> Option<usize> {
        None
    }
}

/// What a method `location` answers: a place, except for `CREATE TABLESPACE`, where it is a directory.
trait Located {
    fn place(self) -> Option<usize>;
}

impl Located for Option<usize> {
    fn place(self) -> Option<usize> {
        self
    }
}

impl Located for Option<&str> {
    fn place(self) -> Option<usize> {
        None
    }
}

/// Declares [`Node`] over the listed kinds.
macro_rules! kinds {
    ($($name:ident),* $(,)?) => {
        /// A node of a parse tree. The variants have the names of `PostgreSQL`'s structs.
        #[derive(Clone, Copy)]
        pub(crate) enum Node<'t> {
            $(
                #[doc = concat!("`", stringify!($name), "`")]
                $name($name<'t>),
            )*
            /// A list inside a list, or in place of a node.
            List(List<'t>),
            /// A node that the grammar is not known to produce, by its tag.
            Other(u32),
        }

        /// The C names of all known kinds.
        pub(crate) const KINDS: &[&str] = &[$(stringify!($name)),*];

        impl<'t> Node<'t> {
            /// The view of a C node; `None` for a null pointer.
            ///
            /// # Safety
            /// `node` must be null or point to a live node, laid out as its tag says.
            #[allow(clippy::cast_ptr_alignment, reason = "the C library aligns each node for its own type")]
            pub(super) unsafe fn at(node: *const u32) -> Option<Self> {
                if node.is_null() {
                    return None;
                }
                // SAFETY: every node begins with its tag, and the tag says the layout.
                Some(unsafe {
                    match *node {
                        $( $name::TAG => Self::$name($name(&*node.cast())), )*
                        List::TAG => Self::List(List::at(node.cast::<RawList>())),
                        other => Self::Other(other),
                    }
                })
            }

            /// The C name of the kind.
            pub(crate) fn kind(self) -> &'static str {
                match self {
                    $( Self::$name(_) => stringify!($name), )*
                    Self::List(_) => "List",
                    Self::Other(_) => "Other",
                }
            }

            /// Where the node begins, as far as the parser says: a byte offset. For an operator this is the operator.
            pub(crate) fn location(self) -> Option<usize> {
                match self {
                    $( Self::$name(node) => node.location().place(), )*
                    Self::List(_) | Self::Other(_) => None,
                }
            }

            /// Appends the child nodes in the order of the fields.
            pub(crate) fn children(self, out: &mut Vec<Self>) {
                match self {
                    $( Self::$name(node) => node.0.children(out), )*
                    Self::List(list) => out.extend(list.iter()),
                    Self::Other(_) => {}
                }
            }

            /// Shows every field by its C name, in the order of declaration.
            pub(crate) fn fields(self, show: &mut dyn FnMut(&'static str, Value<'t>)) {
                match self {
                    $( Self::$name(node) => node.0.fields(show), )*
                    Self::List(list) => show("items", Value::Items(list)),
                    Self::Other(_) => {}
                }
            }
        }

        $(
            impl Unlocated for $name<'_> {}

            impl<'t> From<$name<'t>> for Node<'t> {
                fn from(node: $name<'t>) -> Self {
                    Self::$name(node)
                }
            }

            impl<'t> Kind<'t> for $name<'t> {
                const NAME: &'static str = stringify!($name);

                fn cast(node: Node<'t>) -> Option<Self> {
                    match node {
                        Node::$name(node) => Some(node),
                        _ => None,
                    }
                }
            }

            impl std::fmt::Debug for $name<'_> {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    Node::from(*self).fmt(f)
                }
            }
        )*
    };
}

kinds! {
    // Names, literals, types
    Integer, Float, Boolean, String, BitString, A_Star, Alias, RangeVar, TypeName, RoleSpec, ObjectWithArgs,
    DefElem, AccessPriv,
    // Expressions
    A_Expr, A_Const, A_ArrayExpr, A_Indices, A_Indirection, ColumnRef, ParamRef, FuncCall, NamedArgExpr, TypeCast,
    CollateClause, BoolExpr, SubLink, CaseExpr, CaseWhen, CoalesceExpr, MinMaxExpr, NullTest, BooleanTest,
    RowExpr, GroupingFunc, SQLValueFunction, MergeSupportFunc, SetToDefault, CurrentOfExpr, MultiAssignRef,
    XmlExpr, XmlSerialize,
    // Queries
    RawStmt, SelectStmt, InsertStmt, UpdateStmt, DeleteStmt, MergeStmt, MergeWhenClause, ReturnStmt, PLAssignStmt,
    ResTarget, IntoClause, WithClause, CommonTableExpr, CTESearchClause, CTECycleClause, JoinExpr, RangeSubselect,
    RangeFunction, RangeTableFunc, RangeTableFuncCol, RangeTableSample, SortBy, WindowDef, GroupingSet,
    LockingClause, InferClause, OnConflictClause, ReturningClause, ReturningOption,
    // SQL/JSON
    JsonFormat, JsonReturning, JsonOutput, JsonValueExpr, JsonArgument, JsonBehavior, JsonFuncExpr,
    JsonTablePathSpec, JsonTable, JsonTableColumn, JsonKeyValue, JsonParseExpr, JsonScalarExpr, JsonSerializeExpr,
    JsonObjectConstructor, JsonArrayConstructor, JsonArrayQueryConstructor, JsonAggConstructor, JsonObjectAgg,
    JsonArrayAgg, JsonIsPredicate,
    // Tables and what belongs to them
    CreateStmt, CreateForeignTableStmt, CreateTableAsStmt, AlterTableStmt, AlterTableCmd, ATAlterConstraint,
    ReplicaIdentityStmt, AlterTableMoveAllStmt, ColumnDef, Constraint, TableLikeClause, IndexStmt, IndexElem,
    StatsElem, CreateStatsStmt, AlterStatsStmt, PartitionSpec, PartitionElem, PartitionBoundSpec, PartitionCmd,
    CreateSeqStmt, AlterSeqStmt, ViewStmt, RefreshMatViewStmt, CreateTrigStmt, TriggerTransition, RuleStmt,
    CreatePolicyStmt, AlterPolicyStmt,
    // Other objects
    DropStmt, RenameStmt, AlterObjectSchemaStmt, AlterOwnerStmt, AlterObjectDependsStmt, CommentStmt,
    SecLabelStmt, CreateSchemaStmt, CreateFunctionStmt, FunctionParameter, AlterFunctionStmt, CreateCastStmt,
    CreateTransformStmt, CreatePLangStmt, CreateConversionStmt, DefineStmt, CompositeTypeStmt, CreateEnumStmt,
    CreateRangeStmt, AlterEnumStmt, AlterTypeStmt, CreateDomainStmt, AlterDomainStmt, CreateOpClassStmt,
    CreateOpClassItem, CreateOpFamilyStmt, AlterOpFamilyStmt, AlterOperatorStmt, AlterCollationStmt,
    AlterTSConfigurationStmt, AlterTSDictionaryStmt, CreateAmStmt, CreateExtensionStmt, AlterExtensionStmt,
    AlterExtensionContentsStmt, CreateEventTrigStmt, AlterEventTrigStmt, CreateFdwStmt, AlterFdwStmt,
    CreateForeignServerStmt, AlterForeignServerStmt, CreateUserMappingStmt, AlterUserMappingStmt,
    DropUserMappingStmt, ImportForeignSchemaStmt, CreatePublicationStmt, AlterPublicationStmt, PublicationObjSpec,
    PublicationTable, CreateSubscriptionStmt, AlterSubscriptionStmt, DropSubscriptionStmt,
    // Sessions, roles, databases, upkeep
    TransactionStmt, VariableSetStmt, VariableShowStmt, ConstraintsSetStmt, DoStmt, CallStmt, CopyStmt, LockStmt,
    TruncateStmt, VacuumStmt, VacuumRelation, ClusterStmt, ReindexStmt, CheckPointStmt, DiscardStmt, LoadStmt,
    ExplainStmt, PrepareStmt, ExecuteStmt, DeallocateStmt, DeclareCursorStmt, FetchStmt, ClosePortalStmt,
    ListenStmt, UnlistenStmt, NotifyStmt, GrantStmt, GrantRoleStmt, AlterDefaultPrivilegesStmt, CreateRoleStmt,
    AlterRoleStmt, AlterRoleSetStmt, DropRoleStmt, DropOwnedStmt, ReassignOwnedStmt, CreatedbStmt,
    AlterDatabaseStmt, AlterDatabaseRefreshCollStmt, AlterDatabaseSetStmt, DropdbStmt, CreateTableSpaceStmt,
    DropTableSpaceStmt, AlterTableSpaceOptionsStmt, AlterSystemStmt,
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Self::List(list) = self {
            return list.fmt(f);
        }
        f.write_str(self.kind())?;
        match self.location() {
            Some(offset) => write!(f, "@{offset}"),
            None => Ok(()),
        }
    }
}
