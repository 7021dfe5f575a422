//! The enumerations of the parse nodes, with the names of `PostgreSQL`'s headers.

use super::field::CEnum;

/// Declares C enumerations in their C order. Numbers that C does not name become `Unknown`.
macro_rules! codes {
    ($( $(#[$doc:meta])* $name:ident { $($value:ident $(= $code:literal)?),* $(,)? } )*) => {$(
        #[doc = concat!("`enum ", stringify!($name), "`")]
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub(crate) enum $name {
            $(
                #[doc = concat!("`", stringify!($value), "`")]
                $value $(= $code as u32)?,
            )*
            /// A number that the C headers do not name.
            Unknown,
        }

        impl CEnum for $name {
            #[inline]
            fn of(code: u32) -> Self {
                match code {
                    $( code if code == Self::$value as u32 => Self::$value, )*
                    _ => Self::Unknown,
                }
            }

            fn name(self) -> &'static str {
                match self {
                    $( Self::$value => stringify!($value), )*
                    Self::Unknown => "Unknown",
                }
            }

            fn rank(self) -> usize {
                [$( Self::$value ),*].iter().position(|value| *value == self).unwrap_or(usize::MAX)
            }
        }
    )*};
}

codes! {
    CmdType {
        CMD_UNKNOWN,
        CMD_SELECT,
        CMD_UPDATE,
        CMD_INSERT,
        CMD_DELETE,
        CMD_MERGE,
        CMD_UTILITY,
        CMD_NOTHING,
    }

    JoinType {
        JOIN_INNER,
        JOIN_LEFT,
        JOIN_FULL,
        JOIN_RIGHT,
        JOIN_SEMI,
        JOIN_ANTI,
        JOIN_RIGHT_SEMI,
        JOIN_RIGHT_ANTI,
        JOIN_UNIQUE_OUTER,
        JOIN_UNIQUE_INNER,
    }

    OnConflictAction {
        ONCONFLICT_NONE,
        ONCONFLICT_NOTHING,
        ONCONFLICT_UPDATE,
    }

    LimitOption {
        LIMIT_OPTION_DEFAULT,
        LIMIT_OPTION_COUNT,
        LIMIT_OPTION_WITH_TIES,
    }

    LockClauseStrength {
        LCS_NONE,
        LCS_FORKEYSHARE,
        LCS_FORSHARE,
        LCS_FORNOKEYUPDATE,
        LCS_FORUPDATE,
    }

    LockWaitPolicy {
        LockWaitBlock,
        LockWaitSkip,
        LockWaitError,
    }

    OverridingKind {
        OVERRIDING_NOT_SET,
        OVERRIDING_USER_VALUE,
        OVERRIDING_SYSTEM_VALUE,
    }

    OnCommitAction {
        ONCOMMIT_NOOP,
        ONCOMMIT_PRESERVE_ROWS,
        ONCOMMIT_DELETE_ROWS,
        ONCOMMIT_DROP,
    }

    CoercionContext {
        COERCION_IMPLICIT,
        COERCION_ASSIGNMENT,
        COERCION_PLPGSQL,
        COERCION_EXPLICIT,
    }

    CoercionForm {
        COERCE_EXPLICIT_CALL,
        COERCE_EXPLICIT_CAST,
        COERCE_IMPLICIT_CAST,
        COERCE_SQL_SYNTAX,
    }

    BoolExprType {
        AND_EXPR,
        OR_EXPR,
        NOT_EXPR,
    }

    SubLinkType {
        EXISTS_SUBLINK,
        ALL_SUBLINK,
        ANY_SUBLINK,
        ROWCOMPARE_SUBLINK,
        EXPR_SUBLINK,
        MULTIEXPR_SUBLINK,
        ARRAY_SUBLINK,
        CTE_SUBLINK,
    }

    MinMaxOp {
        IS_GREATEST,
        IS_LEAST,
    }

    SQLValueFunctionOp {
        SVFOP_CURRENT_DATE,
        SVFOP_CURRENT_TIME,
        SVFOP_CURRENT_TIME_N,
        SVFOP_CURRENT_TIMESTAMP,
        SVFOP_CURRENT_TIMESTAMP_N,
        SVFOP_LOCALTIME,
        SVFOP_LOCALTIME_N,
        SVFOP_LOCALTIMESTAMP,
        SVFOP_LOCALTIMESTAMP_N,
        SVFOP_CURRENT_ROLE,
        SVFOP_CURRENT_USER,
        SVFOP_USER,
        SVFOP_SESSION_USER,
        SVFOP_CURRENT_CATALOG,
        SVFOP_CURRENT_SCHEMA,
    }

    XmlExprOp {
        IS_XMLCONCAT,
        IS_XMLELEMENT,
        IS_XMLFOREST,
        IS_XMLPARSE,
        IS_XMLPI,
        IS_XMLROOT,
        IS_XMLSERIALIZE,
        IS_DOCUMENT,
    }

    XmlOptionType {
        XMLOPTION_DOCUMENT,
        XMLOPTION_CONTENT,
    }

    JsonEncoding {
        JS_ENC_DEFAULT,
        JS_ENC_UTF8,
        JS_ENC_UTF16,
        JS_ENC_UTF32,
    }

    JsonFormatType {
        JS_FORMAT_DEFAULT,
        JS_FORMAT_JSON,
        JS_FORMAT_JSONB,
    }

    JsonValueType {
        JS_TYPE_ANY,
        JS_TYPE_OBJECT,
        JS_TYPE_ARRAY,
        JS_TYPE_SCALAR,
    }

    JsonWrapper {
        JSW_UNSPEC,
        JSW_NONE,
        JSW_CONDITIONAL,
        JSW_UNCONDITIONAL,
    }

    JsonBehaviorType {
        JSON_BEHAVIOR_NULL,
        JSON_BEHAVIOR_ERROR,
        JSON_BEHAVIOR_EMPTY,
        JSON_BEHAVIOR_TRUE,
        JSON_BEHAVIOR_FALSE,
        JSON_BEHAVIOR_UNKNOWN,
        JSON_BEHAVIOR_EMPTY_ARRAY,
        JSON_BEHAVIOR_EMPTY_OBJECT,
        JSON_BEHAVIOR_DEFAULT,
    }

    JsonExprOp {
        JSON_EXISTS_OP,
        JSON_QUERY_OP,
        JSON_VALUE_OP,
        JSON_TABLE_OP,
    }

    NullTestType {
        IS_NULL,
        IS_NOT_NULL,
    }

    BoolTestType {
        IS_TRUE,
        IS_NOT_TRUE,
        IS_FALSE,
        IS_NOT_FALSE,
        IS_UNKNOWN,
        IS_NOT_UNKNOWN,
    }

    MergeMatchKind {
        MERGE_WHEN_MATCHED,
        MERGE_WHEN_NOT_MATCHED_BY_SOURCE,
        MERGE_WHEN_NOT_MATCHED_BY_TARGET,
    }

    SortByDir {
        SORTBY_DEFAULT,
        SORTBY_ASC,
        SORTBY_DESC,
        SORTBY_USING,
    }

    SortByNulls {
        SORTBY_NULLS_DEFAULT,
        SORTBY_NULLS_FIRST,
        SORTBY_NULLS_LAST,
    }

    A_Expr_Kind {
        AEXPR_OP,
        AEXPR_OP_ANY,
        AEXPR_OP_ALL,
        AEXPR_DISTINCT,
        AEXPR_NOT_DISTINCT,
        AEXPR_NULLIF,
        AEXPR_IN,
        AEXPR_LIKE,
        AEXPR_ILIKE,
        AEXPR_SIMILAR,
        AEXPR_BETWEEN,
        AEXPR_NOT_BETWEEN,
        AEXPR_BETWEEN_SYM,
        AEXPR_NOT_BETWEEN_SYM,
    }

    RoleSpecType {
        ROLESPEC_CSTRING,
        ROLESPEC_CURRENT_ROLE,
        ROLESPEC_CURRENT_USER,
        ROLESPEC_SESSION_USER,
        ROLESPEC_PUBLIC,
    }

    DefElemAction {
        DEFELEM_UNSPEC,
        DEFELEM_SET,
        DEFELEM_ADD,
        DEFELEM_DROP,
    }

    PartitionStrategy {
        PARTITION_STRATEGY_LIST = b'l',
        PARTITION_STRATEGY_RANGE = b'r',
        PARTITION_STRATEGY_HASH = b'h',
    }

    GroupingSetKind {
        GROUPING_SET_EMPTY,
        GROUPING_SET_SIMPLE,
        GROUPING_SET_ROLLUP,
        GROUPING_SET_CUBE,
        GROUPING_SET_SETS,
    }

    CTEMaterialize {
        CTEMaterializeDefault,
        CTEMaterializeAlways,
        CTEMaterializeNever,
    }

    ReturningOptionKind {
        RETURNING_OPTION_OLD,
        RETURNING_OPTION_NEW,
    }

    JsonQuotes {
        JS_QUOTES_UNSPEC,
        JS_QUOTES_KEEP,
        JS_QUOTES_OMIT,
    }

    JsonTableColumnType {
        JTC_FOR_ORDINALITY,
        JTC_REGULAR,
        JTC_EXISTS,
        JTC_FORMATTED,
        JTC_NESTED,
    }

    SetOperation {
        SETOP_NONE,
        SETOP_UNION,
        SETOP_INTERSECT,
        SETOP_EXCEPT,
    }

    ObjectType {
        OBJECT_ACCESS_METHOD,
        OBJECT_AGGREGATE,
        OBJECT_AMOP,
        OBJECT_AMPROC,
        OBJECT_ATTRIBUTE,
        OBJECT_CAST,
        OBJECT_COLUMN,
        OBJECT_COLLATION,
        OBJECT_CONVERSION,
        OBJECT_DATABASE,
        OBJECT_DEFAULT,
        OBJECT_DEFACL,
        OBJECT_DOMAIN,
        OBJECT_DOMCONSTRAINT,
        OBJECT_EVENT_TRIGGER,
        OBJECT_EXTENSION,
        OBJECT_FDW,
        OBJECT_FOREIGN_SERVER,
        OBJECT_FOREIGN_TABLE,
        OBJECT_FUNCTION,
        OBJECT_INDEX,
        OBJECT_LANGUAGE,
        OBJECT_LARGEOBJECT,
        OBJECT_MATVIEW,
        OBJECT_OPCLASS,
        OBJECT_OPERATOR,
        OBJECT_OPFAMILY,
        OBJECT_PARAMETER_ACL,
        OBJECT_POLICY,
        OBJECT_PROCEDURE,
        OBJECT_PUBLICATION,
        OBJECT_PUBLICATION_NAMESPACE,
        OBJECT_PUBLICATION_REL,
        OBJECT_ROLE,
        OBJECT_ROUTINE,
        OBJECT_RULE,
        OBJECT_SCHEMA,
        OBJECT_SEQUENCE,
        OBJECT_SUBSCRIPTION,
        OBJECT_STATISTIC_EXT,
        OBJECT_TABCONSTRAINT,
        OBJECT_TABLE,
        OBJECT_TABLESPACE,
        OBJECT_TRANSFORM,
        OBJECT_TRIGGER,
        OBJECT_TSCONFIGURATION,
        OBJECT_TSDICTIONARY,
        OBJECT_TSPARSER,
        OBJECT_TSTEMPLATE,
        OBJECT_TYPE,
        OBJECT_USER_MAPPING,
        OBJECT_VIEW,
    }

    DropBehavior {
        DROP_RESTRICT,
        DROP_CASCADE,
    }

    AlterTableType {
        AT_AddColumn,
        AT_AddColumnToView,
        AT_ColumnDefault,
        AT_CookedColumnDefault,
        AT_DropNotNull,
        AT_SetNotNull,
        AT_SetExpression,
        AT_DropExpression,
        AT_SetStatistics,
        AT_SetOptions,
        AT_ResetOptions,
        AT_SetStorage,
        AT_SetCompression,
        AT_DropColumn,
        AT_AddIndex,
        AT_ReAddIndex,
        AT_AddConstraint,
        AT_ReAddConstraint,
        AT_ReAddDomainConstraint,
        AT_AlterConstraint,
        AT_ValidateConstraint,
        AT_AddIndexConstraint,
        AT_DropConstraint,
        AT_ReAddComment,
        AT_AlterColumnType,
        AT_AlterColumnGenericOptions,
        AT_ChangeOwner,
        AT_ClusterOn,
        AT_DropCluster,
        AT_SetLogged,
        AT_SetUnLogged,
        AT_DropOids,
        AT_SetAccessMethod,
        AT_SetTableSpace,
        AT_SetRelOptions,
        AT_ResetRelOptions,
        AT_ReplaceRelOptions,
        AT_EnableTrig,
        AT_EnableAlwaysTrig,
        AT_EnableReplicaTrig,
        AT_DisableTrig,
        AT_EnableTrigAll,
        AT_DisableTrigAll,
        AT_EnableTrigUser,
        AT_DisableTrigUser,
        AT_EnableRule,
        AT_EnableAlwaysRule,
        AT_EnableReplicaRule,
        AT_DisableRule,
        AT_AddInherit,
        AT_DropInherit,
        AT_AddOf,
        AT_DropOf,
        AT_ReplicaIdentity,
        AT_EnableRowSecurity,
        AT_DisableRowSecurity,
        AT_ForceRowSecurity,
        AT_NoForceRowSecurity,
        AT_GenericOptions,
        AT_AttachPartition,
        AT_DetachPartition,
        AT_DetachPartitionFinalize,
        AT_AddIdentity,
        AT_SetIdentity,
        AT_DropIdentity,
        AT_ReAddStatistics,
    }

    GrantTargetType {
        ACL_TARGET_OBJECT,
        ACL_TARGET_ALL_IN_SCHEMA,
        ACL_TARGET_DEFAULTS,
    }

    VariableSetKind {
        VAR_SET_VALUE,
        VAR_SET_DEFAULT,
        VAR_SET_CURRENT,
        VAR_SET_MULTI,
        VAR_RESET,
        VAR_RESET_ALL,
    }

    ConstrType {
        CONSTR_NULL,
        CONSTR_NOTNULL,
        CONSTR_DEFAULT,
        CONSTR_IDENTITY,
        CONSTR_GENERATED,
        CONSTR_CHECK,
        CONSTR_PRIMARY,
        CONSTR_UNIQUE,
        CONSTR_EXCLUSION,
        CONSTR_FOREIGN,
        CONSTR_ATTR_DEFERRABLE,
        CONSTR_ATTR_NOT_DEFERRABLE,
        CONSTR_ATTR_DEFERRED,
        CONSTR_ATTR_IMMEDIATE,
        CONSTR_ATTR_ENFORCED,
        CONSTR_ATTR_NOT_ENFORCED,
    }

    ImportForeignSchemaType {
        FDW_IMPORT_SCHEMA_ALL,
        FDW_IMPORT_SCHEMA_LIMIT_TO,
        FDW_IMPORT_SCHEMA_EXCEPT,
    }

    RoleStmtType {
        ROLESTMT_ROLE,
        ROLESTMT_USER,
        ROLESTMT_GROUP,
    }

    FetchDirection {
        FETCH_FORWARD,
        FETCH_BACKWARD,
        FETCH_ABSOLUTE,
        FETCH_RELATIVE,
    }

    FunctionParameterMode {
        FUNC_PARAM_IN = b'i',
        FUNC_PARAM_OUT = b'o',
        FUNC_PARAM_INOUT = b'b',
        FUNC_PARAM_VARIADIC = b'v',
        FUNC_PARAM_TABLE = b't',
        FUNC_PARAM_DEFAULT = b'd',
    }

    TransactionStmtKind {
        TRANS_STMT_BEGIN,
        TRANS_STMT_START,
        TRANS_STMT_COMMIT,
        TRANS_STMT_ROLLBACK,
        TRANS_STMT_SAVEPOINT,
        TRANS_STMT_RELEASE,
        TRANS_STMT_ROLLBACK_TO,
        TRANS_STMT_PREPARE,
        TRANS_STMT_COMMIT_PREPARED,
        TRANS_STMT_ROLLBACK_PREPARED,
    }

    ViewCheckOption {
        NO_CHECK_OPTION,
        LOCAL_CHECK_OPTION,
        CASCADED_CHECK_OPTION,
    }

    DiscardMode {
        DISCARD_ALL,
        DISCARD_PLANS,
        DISCARD_SEQUENCES,
        DISCARD_TEMP,
    }

    ReindexObjectType {
        REINDEX_OBJECT_INDEX,
        REINDEX_OBJECT_TABLE,
        REINDEX_OBJECT_SCHEMA,
        REINDEX_OBJECT_SYSTEM,
        REINDEX_OBJECT_DATABASE,
    }

    AlterTSConfigType {
        ALTER_TSCONFIG_ADD_MAPPING,
        ALTER_TSCONFIG_ALTER_MAPPING_FOR_TOKEN,
        ALTER_TSCONFIG_REPLACE_DICT,
        ALTER_TSCONFIG_REPLACE_DICT_FOR_TOKEN,
        ALTER_TSCONFIG_DROP_MAPPING,
    }

    PublicationObjSpecType {
        PUBLICATIONOBJ_TABLE,
        PUBLICATIONOBJ_TABLES_IN_SCHEMA,
        PUBLICATIONOBJ_TABLES_IN_CUR_SCHEMA,
        PUBLICATIONOBJ_CONTINUATION,
    }

    AlterPublicationAction {
        AP_AddObjects,
        AP_DropObjects,
        AP_SetObjects,
    }

    AlterSubscriptionType {
        ALTER_SUBSCRIPTION_OPTIONS,
        ALTER_SUBSCRIPTION_CONNECTION,
        ALTER_SUBSCRIPTION_SET_PUBLICATION,
        ALTER_SUBSCRIPTION_ADD_PUBLICATION,
        ALTER_SUBSCRIPTION_DROP_PUBLICATION,
        ALTER_SUBSCRIPTION_REFRESH,
        ALTER_SUBSCRIPTION_ENABLED,
        ALTER_SUBSCRIPTION_SKIP,
    }
}
