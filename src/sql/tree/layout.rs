//! Sizes and field offsets of the C structs on 64-bit systems, checked when this is compiled.
//!
//! The numbers are what a C compiler answers for `sizeof` and `offsetof` over the headers of `pg_query` 18.1.0
//! (`nodes/parsenodes.h`), the leading tag left out. They catch a wrong field type, a missing field and a wrong order
//! between fields of different size; the rest is found by the comparison with the C library's own output in the tests.

#![cfg(target_pointer_width = "64")]

use super::list::RawList;
use super::nodes::raw;

const fn same(left: &[usize], right: &[usize]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let mut index = 0;
    while index < left.len() {
        if left[index] != right[index] {
            return false;
        }
        index += 1;
    }
    true
}

macro_rules! layout {
    ($( $(#[$meta:meta])* $name:ident: $size:literal = [$($offset:literal),* $(,)?]; )*) => {$(
        $(#[$meta])*
        const _: () = assert!(
            size_of::<raw::$name>() == $size && same(raw::$name::OFFSETS, &[$($offset),*]),
            concat!("layout of ", stringify!($name)),
        );
    )*};
}

const _: () = assert!(
    size_of::<RawList>() == 24 && same(&RawList::OFFSETS, &[4, 8, 16]),
    "layout of List"
);

layout! {
    // value
    Integer: 8 = [4];
    Float: 16 = [8];
    Bool: 8 = [4];
    Str: 16 = [8];
    BitString: 16 = [8];
    A_Star: 4 = [];
    Alias: 24 = [8, 16];
    RangeVar: 56 = [8, 16, 24, 32, 33, 40, 48];
    TypeName: 56 = [8, 16, 20, 21, 24, 32, 40, 48];
    RoleSpec: 24 = [4, 8, 16];
    ObjectWithArgs: 40 = [8, 16, 24, 32];
    DefElem: 48 = [8, 16, 24, 32, 36, 40];
    AccessPriv: 24 = [8, 16];
    // expr
    A_Expr: 48 = [4, 8, 16, 24, 32, 36, 40];
    A_Const: 32 = [8, 24, 28];
    A_ArrayExpr: 32 = [8, 16, 20, 24];
    A_Indices: 24 = [4, 8, 16];
    A_Indirection: 24 = [8, 16];
    ColumnRef: 24 = [8, 16];
    ParamRef: 12 = [4, 8];
    FuncCall: 64 = [8, 16, 24, 32, 40, 48, 49, 50, 51, 52, 56];
    NamedArgExpr: 32 = [8, 16, 24, 28];
    TypeCast: 32 = [8, 16, 24];
    CollateClause: 32 = [8, 16, 24];
    BoolExpr: 24 = [4, 8, 16];
    SubLink: 48 = [4, 8, 16, 24, 32, 40];
    CaseExpr: 48 = [4, 8, 16, 24, 32, 40];
    CaseWhen: 32 = [8, 16, 24];
    CoalesceExpr: 32 = [4, 8, 16, 24];
    MinMaxExpr: 40 = [4, 8, 12, 16, 24, 32];
    NullTest: 32 = [8, 16, 20, 24];
    BooleanTest: 24 = [8, 16, 20];
    RowExpr: 40 = [8, 16, 20, 24, 32];
    GroupingFunc: 40 = [8, 16, 24, 32, 36];
    SQLValueFunction: 20 = [4, 8, 12, 16];
    MergeSupportFunc: 16 = [4, 8, 12];
    SetToDefault: 20 = [4, 8, 12, 16];
    CurrentOfExpr: 24 = [4, 8, 16];
    MultiAssignRef: 24 = [8, 16, 20];
    XmlExpr: 64 = [4, 8, 16, 24, 32, 40, 44, 48, 52, 56];
    XmlSerialize: 32 = [4, 8, 16, 24, 28];
    // query
    RawStmt: 24 = [8, 16, 20];
    SelectStmt: 160 = [8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120, 128, 136, 140, 144, 152];
    InsertStmt: 64 = [8, 16, 24, 32, 40, 48, 56];
    UpdateStmt: 56 = [8, 16, 24, 32, 40, 48];
    DeleteStmt: 48 = [8, 16, 24, 32, 40];
    MergeStmt: 56 = [8, 16, 24, 32, 40, 48];
    MergeWhenClause: 40 = [4, 8, 12, 16, 24, 32];
    ReturnStmt: 16 = [8];
    PLAssignStmt: 48 = [8, 16, 24, 32, 40];
    ResTarget: 40 = [8, 16, 24, 32];
    IntoClause: 72 = [8, 16, 24, 32, 40, 48, 56, 64];
    WithClause: 24 = [8, 16, 20];
    CommonTableExpr: 104 = [8, 16, 24, 32, 40, 48, 56, 60, 64, 72, 80, 88, 96];
    CTESearchClause: 40 = [8, 16, 24, 32];
    CTECycleClause: 72 = [8, 16, 24, 32, 40, 48, 52, 56, 60, 64];
    JoinExpr: 72 = [4, 8, 16, 24, 32, 40, 48, 56, 64];
    RangeSubselect: 24 = [4, 8, 16];
    RangeFunction: 32 = [4, 5, 6, 8, 16, 24];
    RangeTableFunc: 56 = [4, 8, 16, 24, 32, 40, 48];
    RangeTableFuncCol: 56 = [8, 16, 24, 25, 32, 40, 48];
    RangeTableSample: 48 = [8, 16, 24, 32, 40];
    SortBy: 40 = [8, 16, 20, 24, 32];
    WindowDef: 72 = [8, 16, 24, 32, 40, 48, 56, 64];
    GroupingSet: 24 = [4, 8, 16];
    LockingClause: 24 = [8, 16, 20];
    InferClause: 40 = [8, 16, 24, 32];
    OnConflictClause: 40 = [4, 8, 16, 24, 32];
    ReturningClause: 24 = [8, 16];
    ReturningOption: 24 = [4, 8, 16];
    // json
    JsonFormat: 16 = [4, 8, 12];
    JsonReturning: 24 = [8, 16, 20];
    JsonOutput: 24 = [8, 16];
    JsonValueExpr: 32 = [8, 16, 24];
    JsonArgument: 24 = [8, 16];
    JsonBehavior: 24 = [4, 8, 16, 20];
    JsonFuncExpr: 80 = [4, 8, 16, 24, 32, 40, 48, 56, 64, 68, 72];
    JsonTablePathSpec: 32 = [8, 16, 24, 28];
    JsonTable: 64 = [8, 16, 24, 32, 40, 48, 56, 60];
    JsonTableColumn: 80 = [4, 8, 16, 24, 32, 40, 44, 48, 56, 64, 72];
    JsonKeyValue: 24 = [8, 16];
    JsonParseExpr: 32 = [8, 16, 24, 28];
    JsonScalarExpr: 32 = [8, 16, 24];
    JsonSerializeExpr: 32 = [8, 16, 24];
    JsonObjectConstructor: 32 = [8, 16, 24, 25, 28];
    JsonArrayConstructor: 32 = [8, 16, 24, 28];
    JsonArrayQueryConstructor: 40 = [8, 16, 24, 32, 36];
    JsonAggConstructor: 48 = [8, 16, 24, 32, 40];
    JsonObjectAgg: 32 = [8, 16, 24, 25];
    JsonArrayAgg: 32 = [8, 16, 24];
    JsonIsPredicate: 40 = [8, 16, 24, 28, 32];
    // table
    CreateStmt: 112 = [8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104];
    CreateForeignTableStmt: 128 = [112, 120];
    CreateTableAsStmt: 32 = [8, 16, 24, 28, 29];
    AlterTableStmt: 32 = [8, 16, 24, 28];
    AlterTableCmd: 48 = [4, 8, 16, 24, 32, 40, 44, 45];
    ATAlterConstraint: 24 = [8, 16, 17, 18, 19, 20, 21, 22];
    ReplicaIdentityStmt: 16 = [4, 8];
    AlterTableMoveAllStmt: 48 = [8, 16, 24, 32, 40];
    ColumnDef: 128 = [8, 16, 24, 32, 34, 35, 36, 37, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120];
    Constraint: 184 = [
        4, 8, 16, 17, 18, 19, 20, 21, 24, 32, 40, 41, 42, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120, 128, 136,
        144, 152, 153, 154, 155, 156, 160, 168, 176, 180,
    ];
    TableLikeClause: 24 = [8, 16, 20];
    IndexStmt: 120 = [
        8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 92, 96, 100, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113,
        114,
    ];
    IndexElem: 64 = [8, 16, 24, 32, 40, 48, 56, 60];
    StatsElem: 24 = [8, 16];
    CreateStatsStmt: 56 = [8, 16, 24, 32, 40, 48, 49, 52];
    AlterStatsStmt: 32 = [8, 16, 24];
    PartitionSpec: 24 = [4, 8, 16];
    PartitionElem: 48 = [8, 16, 24, 32, 40];
    PartitionBoundSpec: 48 = [4, 5, 8, 12, 16, 24, 32, 40];
    PartitionCmd: 32 = [8, 16, 24];
    CreateSeqStmt: 32 = [8, 16, 24, 28, 29];
    AlterSeqStmt: 32 = [8, 16, 24, 25];
    ViewStmt: 56 = [8, 16, 24, 32, 40, 48];
    RefreshMatViewStmt: 16 = [4, 5, 8];
    CreateTrigStmt: 88 = [4, 5, 8, 16, 24, 32, 40, 42, 44, 48, 56, 64, 72, 73, 80];
    TriggerTransition: 24 = [8, 16, 17];
    RuleStmt: 56 = [8, 16, 24, 32, 36, 40, 48];
    CreatePolicyStmt: 64 = [8, 16, 24, 32, 40, 48, 56];
    AlterPolicyStmt: 48 = [8, 16, 24, 32, 40];
    // object
    DropStmt: 32 = [8, 16, 20, 24, 25];
    RenameStmt: 56 = [4, 8, 16, 24, 32, 40, 48, 52];
    AlterObjectSchemaStmt: 40 = [4, 8, 16, 24, 32];
    AlterOwnerStmt: 32 = [4, 8, 16, 24];
    AlterObjectDependsStmt: 40 = [4, 8, 16, 24, 32];
    CommentStmt: 24 = [4, 8, 16];
    SecLabelStmt: 32 = [4, 8, 16, 24];
    CreateSchemaStmt: 40 = [8, 16, 24, 32];
    CreateFunctionStmt: 48 = [4, 5, 8, 16, 24, 32, 40];
    FunctionParameter: 48 = [8, 16, 24, 32, 40];
    AlterFunctionStmt: 24 = [4, 8, 16];
    CreateCastStmt: 40 = [8, 16, 24, 32, 36];
    CreateTransformStmt: 40 = [4, 8, 16, 24, 32];
    CreatePLangStmt: 48 = [4, 8, 16, 24, 32, 40];
    CreateConversionStmt: 48 = [8, 16, 24, 32, 40];
    DefineStmt: 48 = [4, 8, 16, 24, 32, 40, 41];
    CompositeTypeStmt: 24 = [8, 16];
    CreateEnumStmt: 24 = [8, 16];
    CreateRangeStmt: 24 = [8, 16];
    AlterEnumStmt: 48 = [8, 16, 24, 32, 40, 41];
    AlterTypeStmt: 24 = [8, 16];
    CreateDomainStmt: 40 = [8, 16, 24, 32];
    AlterDomainStmt: 40 = [4, 8, 16, 24, 32, 36];
    CreateOpClassStmt: 56 = [8, 16, 24, 32, 40, 48];
    CreateOpClassItem: 48 = [4, 8, 16, 24, 32, 40];
    CreateOpFamilyStmt: 24 = [8, 16];
    AlterOpFamilyStmt: 40 = [8, 16, 24, 32];
    AlterOperatorStmt: 24 = [8, 16];
    AlterCollationStmt: 16 = [8];
    AlterTSConfigurationStmt: 40 = [4, 8, 16, 24, 32, 33, 34];
    AlterTSDictionaryStmt: 24 = [8, 16];
    CreateAmStmt: 32 = [8, 16, 24];
    CreateExtensionStmt: 32 = [8, 16, 24];
    AlterExtensionStmt: 24 = [8, 16];
    AlterExtensionContentsStmt: 32 = [8, 16, 20, 24];
    CreateEventTrigStmt: 40 = [8, 16, 24, 32];
    AlterEventTrigStmt: 24 = [8, 16];
    CreateFdwStmt: 32 = [8, 16, 24];
    AlterFdwStmt: 32 = [8, 16, 24];
    CreateForeignServerStmt: 56 = [8, 16, 24, 32, 40, 48];
    AlterForeignServerStmt: 40 = [8, 16, 24, 32];
    CreateUserMappingStmt: 40 = [8, 16, 24, 32];
    AlterUserMappingStmt: 32 = [8, 16, 24];
    DropUserMappingStmt: 32 = [8, 16, 24];
    ImportForeignSchemaStmt: 56 = [8, 16, 24, 32, 40, 48];
    CreatePublicationStmt: 40 = [8, 16, 24, 32];
    AlterPublicationStmt: 40 = [8, 16, 24, 32, 36];
    PublicationObjSpec: 32 = [4, 8, 16, 24];
    PublicationTable: 32 = [8, 16, 24];
    CreateSubscriptionStmt: 48 = [8, 16, 24, 32, 40];
    AlterSubscriptionStmt: 48 = [4, 8, 16, 24, 32, 40];
    DropSubscriptionStmt: 24 = [8, 16, 20];
    // utility
    TransactionStmt: 40 = [4, 8, 16, 24, 32, 36];
    VariableSetStmt: 32 = [4, 8, 16, 24, 25, 28];
    VariableShowStmt: 16 = [8];
    ConstraintsSetStmt: 24 = [8, 16];
    DoStmt: 16 = [8];
    CallStmt: 32 = [8, 16, 24];
    CopyStmt: 64 = [8, 16, 24, 32, 33, 40, 48, 56];
    LockStmt: 24 = [8, 16, 20];
    TruncateStmt: 24 = [8, 16, 20];
    VacuumStmt: 32 = [8, 16, 24];
    VacuumRelation: 32 = [8, 16, 24];
    ClusterStmt: 32 = [8, 16, 24];
    ReindexStmt: 32 = [4, 8, 16, 24];
    CheckPointStmt: 4 = [];
    DiscardStmt: 8 = [4];
    LoadStmt: 16 = [8];
    ExplainStmt: 24 = [8, 16];
    PrepareStmt: 32 = [8, 16, 24];
    ExecuteStmt: 24 = [8, 16];
    DeallocateStmt: 24 = [8, 16, 20];
    DeclareCursorStmt: 32 = [8, 16, 24];
    #[cfg(not(windows))]
    FetchStmt: 32 = [4, 8, 16, 24];
    ClosePortalStmt: 16 = [8];
    ListenStmt: 16 = [8];
    UnlistenStmt: 16 = [8];
    NotifyStmt: 32 = [8, 16, 24];
    GrantStmt: 64 = [4, 8, 12, 16, 24, 32, 40, 48, 56];
    GrantRoleStmt: 56 = [8, 16, 24, 32, 40, 48];
    AlterDefaultPrivilegesStmt: 24 = [8, 16];
    CreateRoleStmt: 24 = [4, 8, 16];
    AlterRoleStmt: 32 = [8, 16, 24];
    AlterRoleSetStmt: 32 = [8, 16, 24];
    DropRoleStmt: 24 = [8, 16];
    DropOwnedStmt: 24 = [8, 16];
    ReassignOwnedStmt: 24 = [8, 16];
    CreatedbStmt: 24 = [8, 16];
    AlterDatabaseStmt: 24 = [8, 16];
    AlterDatabaseRefreshCollStmt: 16 = [8];
    AlterDatabaseSetStmt: 24 = [8, 16];
    DropdbStmt: 32 = [8, 16, 24];
    CreateTableSpaceStmt: 40 = [8, 16, 24, 32];
    DropTableSpaceStmt: 24 = [8, 16];
    AlterTableSpaceOptionsStmt: 32 = [8, 16, 24];
    AlterSystemStmt: 16 = [8];
}
