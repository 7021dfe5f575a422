//! `SELECT`, `INSERT`, `UPDATE`, `DELETE`, `MERGE` and their clauses.
//!
//! How to read these declarations: see `nodes!` in `tree/nodes.rs`.

nodes! {
    /// One statement and its place in the text.
    RawStmt = 136 {
        stmt: Any,
        stmt_location: Place,
        stmt_len: Place,
    }

    /// `SELECT`, `VALUES` and set operations; a plain `DISTINCT` is a `distinctClause` with one empty cell.
    SelectStmt = 141 {
        distinctClause: Items,
        intoClause: Of<IntoClause>,
        targetList: Items,
        fromClause: Items,
        whereClause: Any,
        groupClause: Items,
        groupDistinct: Flag,
        havingClause: Any,
        windowClause: Items,
        valuesLists: Items,
        sortClause: Items,
        limitOffset: Any,
        limitCount: Any,
        limitOption: Code<LimitOption>,
        lockingClause: Items,
        withClause: Of<WithClause>,
        op: Code<SetOperation>,
        all: Flag,
        larg: Of<SelectStmt>,
        rarg: Of<SelectStmt>,
    }

    /// `INSERT`.
    InsertStmt = 137 {
        relation: Of<RangeVar>,
        cols: Items,
        selectStmt: Any,
        onConflictClause: Of<OnConflictClause>,
        returningClause: Of<ReturningClause>,
        withClause: Of<WithClause>,
        r#override: Code<OverridingKind>,
    }

    /// `UPDATE`.
    UpdateStmt = 139 {
        relation: Of<RangeVar>,
        targetList: Items,
        whereClause: Any,
        fromClause: Items,
        returningClause: Of<ReturningClause>,
        withClause: Of<WithClause>,
    }

    /// `DELETE`.
    DeleteStmt = 138 {
        relation: Of<RangeVar>,
        usingClause: Items,
        whereClause: Any,
        returningClause: Of<ReturningClause>,
        withClause: Of<WithClause>,
    }

    /// `MERGE`.
    MergeStmt = 140 {
        relation: Of<RangeVar>,
        sourceRelation: Any,
        joinCondition: Any,
        mergeWhenClauses: Items,
        returningClause: Of<ReturningClause>,
        withClause: Of<WithClause>,
    }

    /// One `WHEN … THEN …` of `MERGE`.
    MergeWhenClause = 116 {
        matchKind: Code<MergeMatchKind>,
        commandType: Code<CmdType>,
        r#override: Code<OverridingKind>,
        condition: Any,
        targetList: Items,
        values: Items,
    }

    /// `RETURN x` as the body of a SQL function.
    ReturnStmt = 143 {
        returnval: Any,
    }

    /// `a.b[1] := x`, only from the PL/pgSQL assignment modes.
    PLAssignStmt = 144 {
        name: Text,
        indirection: Items,
        nnames: i32,
        val: Of<SelectStmt>,
        location: Place,
    }

    /// One column of a select list, an `INSERT` column, a `SET` target or a `RETURNING` item.
    ResTarget = 81 {
        name: Text,
        indirection: Items,
        val: Any,
        location: Place,
    }

    /// Where `SELECT INTO`, `CREATE TABLE AS` and `CREATE MATERIALIZED VIEW` put their rows; `skipData` is
    /// `WITH NO DATA`.
    IntoClause = 5 {
        rel: Of<RangeVar>,
        colNames: Items,
        accessMethod: Text,
        options: Items,
        onCommit: Code<OnCommitAction>,
        tableSpaceName: Text,
        viewQuery: Unset,
        skipData: Flag,
    }

    /// `WITH [RECURSIVE]`.
    WithClause = 110 {
        ctes: Items,
        recursive: Flag,
        location: Place,
    }

    /// One named query of a `WITH`.
    CommonTableExpr = 115 {
        ctename: Text,
        aliascolnames: Items,
        ctematerialized: Code<CTEMaterialize>,
        ctequery: Any,
        search_clause: Of<CTESearchClause>,
        cycle_clause: Of<CTECycleClause>,
        location: Place,
        cterecursive: Flag,
        cterefcount: i32,
        ctecolnames: Items,
        ctecoltypes: Items,
        ctecoltypmods: Items,
        ctecolcollations: Items,
    }

    /// `SEARCH DEPTH | BREADTH FIRST BY …`.
    CTESearchClause = 113 {
        search_col_list: Items,
        search_breadth_first: Flag,
        search_seq_column: Text,
        location: Place,
    }

    /// `CYCLE … SET …`.
    CTECycleClause = 114 {
        cycle_col_list: Items,
        cycle_mark_column: Text,
        cycle_mark_value: Any,
        cycle_mark_default: Any,
        cycle_path_column: Text,
        location: Place,
        cycle_mark_type: u32,
        cycle_mark_typmod: i32,
        cycle_mark_collation: u32,
        cycle_mark_neop: u32,
    }

    /// A join; `CROSS JOIN` is an inner join without condition.
    JoinExpr = 64 {
        jointype: Code<JoinType>,
        isNatural: Flag,
        larg: Any,
        rarg: Any,
        usingClause: Items,
        join_using_alias: Of<Alias>,
        quals: Any,
        alias: Of<Alias>,
        rtindex: i32,
    }

    /// A sub-select in `FROM`.
    RangeSubselect = 85 {
        lateral: Flag,
        subquery: Any,
        alias: Of<Alias>,
    }

    /// A function in `FROM`; each of `functions` is a list: the call, then its column definitions.
    RangeFunction = 86 {
        lateral: Flag,
        ordinality: Flag,
        is_rowsfrom: Flag,
        functions: Items,
        alias: Of<Alias>,
        coldeflist: Items,
    }

    /// `XMLTABLE(…)`.
    RangeTableFunc = 87 {
        lateral: Flag,
        docexpr: Any,
        rowexpr: Any,
        namespaces: Items,
        columns: Items,
        alias: Of<Alias>,
        location: Place,
    }

    /// One column of `XMLTABLE`.
    RangeTableFuncCol = 88 {
        colname: Text,
        typeName: Of<TypeName>,
        for_ordinality: Flag,
        is_not_null: Flag,
        colexpr: Any,
        coldefexpr: Any,
        location: Place,
    }

    /// `TABLESAMPLE …`.
    RangeTableSample = 89 {
        relation: Any,
        method: Items,
        args: Items,
        repeatable: Any,
        location: Place,
    }

    /// One item of `ORDER BY`.
    SortBy = 83 {
        node: Any,
        sortby_dir: Code<SortByDir>,
        sortby_nulls: Code<SortByNulls>,
        useOp: Items,
        location: Place,
    }

    /// A window, named or inline.
    WindowDef = 84 {
        name: Text,
        refname: Text,
        partitionClause: Items,
        orderClause: Items,
        frameOptions: i32,
        startOffset: Any,
        endOffset: Any,
        location: Place,
    }

    /// `ROLLUP`, `CUBE`, `GROUPING SETS` or the empty set.
    GroupingSet = 107 {
        kind: Code<GroupingSetKind>,
        content: Items,
        location: Place,
    }

    /// `FOR UPDATE | SHARE …`.
    LockingClause = 94 {
        lockedRels: Items,
        strength: Code<LockClauseStrength>,
        waitPolicy: Code<LockWaitPolicy>,
    }

    /// What `ON CONFLICT` names: columns or a constraint.
    InferClause = 111 {
        indexElems: Items,
        whereClause: Any,
        conname: Text,
        location: Place,
    }

    /// `ON CONFLICT … DO …`.
    OnConflictClause = 112 {
        action: Code<OnConflictAction>,
        infer: Of<InferClause>,
        targetList: Items,
        whereClause: Any,
        location: Place,
    }

    /// `RETURNING …`.
    ReturningClause = 118 {
        options: Items,
        exprs: Items,
    }

    /// `WITH (OLD AS …)` of `RETURNING`.
    ReturningOption = 117 {
        option: Code<ReturningOptionKind>,
        value: Text,
        location: Place,
    }
}
