//! Expressions as the grammar leaves them, before names are resolved.
//!
//! How to read these declarations: see `nodes!` in `tree/nodes.rs`.

nodes! {
    /// An operator, `IN`, `LIKE`, `BETWEEN`, `IS DISTINCT FROM` or `NULLIF`; for the list forms `rexpr` is a
    /// list.
    A_Expr = 71 {
        kind: Code<A_Expr_Kind>,
        name: Items,
        lexpr: Any,
        rexpr: Any,
        rexpr_list_start: Place,
        rexpr_list_end: Place,
        location: Place,
    }

    /// A literal; without a value (`val` is `None`) when `isnull`.
    A_Const = 72 {
        val: Literal,
        isnull: Flag,
        location: Place,
    }

    /// `ARRAY[…]`.
    A_ArrayExpr = 80 {
        elements: Items,
        list_start: Place,
        list_end: Place,
        location: Place,
    }

    /// One subscript or slice.
    A_Indices = 78 {
        is_slice: Flag,
        lidx: Any,
        uidx: Any,
    }

    /// Subscripts and fields behind an expression.
    A_Indirection = 79 {
        arg: Any,
        indirection: Items,
    }

    /// A column by name, each part a `String` or `A_Star`.
    ColumnRef = 69 {
        fields: Items,
        location: Place,
    }

    /// `$1`.
    ParamRef = 70 {
        number: i32,
        location: Place,
    }

    /// A function call; also stands for several special syntaxes (`EXTRACT`, `AT TIME ZONE`, …).
    FuncCall = 76 {
        funcname: Items,
        args: Items,
        agg_order: Items,
        agg_filter: Any,
        over: Of<WindowDef>,
        agg_within_group: Flag,
        agg_star: Flag,
        agg_distinct: Flag,
        func_variadic: Flag,
        funcformat: Code<CoercionForm>,
        location: Place,
    }

    /// `name => value`.
    NamedArgExpr = 16 {
        arg: Any,
        name: Text,
        argnumber: i32,
        location: Place,
    }

    /// `CAST(x AS t)`, `x::t` and typed literals.
    TypeCast = 73 {
        arg: Any,
        typeName: Of<TypeName>,
        location: Place,
    }

    /// `x COLLATE c`.
    CollateClause = 74 {
        arg: Any,
        collname: Items,
        location: Place,
    }

    /// `AND`, `OR` (flat lists of operands) and `NOT`.
    BoolExpr = 21 {
        boolop: Code<BoolExprType>,
        args: Items,
        location: Place,
    }

    /// A sub-select inside an expression.
    SubLink = 22 {
        subLinkType: Code<SubLinkType>,
        subLinkId: i32,
        testexpr: Any,
        operName: Items,
        subselect: Any,
        location: Place,
    }

    /// `CASE … END`.
    CaseExpr = 32 {
        casetype: u32,
        casecollid: u32,
        arg: Any,
        args: Items,
        defresult: Any,
        location: Place,
    }

    /// `WHEN … THEN …`.
    CaseWhen = 33 {
        expr: Any,
        result: Any,
        location: Place,
    }

    /// `COALESCE(…)`.
    CoalesceExpr = 38 {
        coalescetype: u32,
        coalescecollid: u32,
        args: Items,
        location: Place,
    }

    /// `GREATEST(…)` and `LEAST(…)`.
    MinMaxExpr = 39 {
        minmaxtype: u32,
        minmaxcollid: u32,
        inputcollid: u32,
        op: Code<MinMaxOp>,
        args: Items,
        location: Place,
    }

    /// `IS [NOT] NULL`.
    NullTest = 52 {
        arg: Any,
        nulltesttype: Code<NullTestType>,
        argisrow: Flag,
        location: Place,
    }

    /// `IS [NOT] TRUE`, `FALSE` or `UNKNOWN`.
    BooleanTest = 53 {
        arg: Any,
        booltesttype: Code<BoolTestType>,
        location: Place,
    }

    /// `ROW(…)` and `(a, b)`.
    RowExpr = 36 {
        args: Items,
        row_typeid: u32,
        row_format: Code<CoercionForm>,
        colnames: Items,
        location: Place,
    }

    /// `GROUPING(…)`.
    GroupingFunc = 10 {
        args: Items,
        refs: Items,
        cols: Items,
        agglevelsup: u32,
        location: Place,
    }

    /// `CURRENT_DATE`, `CURRENT_USER` and their like.
    SQLValueFunction = 40 {
        op: Code<SQLValueFunctionOp>,
        r#type: u32,
        typmod: i32,
        location: Place,
    }

    /// `MERGE_ACTION()`.
    MergeSupportFunc = 13 {
        msftype: u32,
        msfcollid: u32,
        location: Place,
    }

    /// `DEFAULT` as a value.
    SetToDefault = 57 {
        typeId: u32,
        typeMod: i32,
        collation: u32,
        location: Place,
    }

    /// `WHERE CURRENT OF cursor`.
    CurrentOfExpr = 58 {
        cvarno: u32,
        cursor_name: Text,
        cursor_param: i32,
    }

    /// One target of `SET (a, b) = (…)`: which column of the common `source` it takes.
    MultiAssignRef = 82 {
        source: Any,
        colno: i32,
        ncolumns: i32,
    }

    /// `XMLELEMENT(…)` and its like.
    XmlExpr = 41 {
        op: Code<XmlExprOp>,
        name: Text,
        named_args: Items,
        arg_names: Items,
        args: Items,
        xmloption: Code<XmlOptionType>,
        indent: Flag,
        r#type: u32,
        typmod: i32,
        location: Place,
    }

    /// `XMLSERIALIZE(…)`.
    XmlSerialize = 95 {
        xmloption: Code<XmlOptionType>,
        expr: Any,
        typeName: Of<TypeName>,
        indent: Flag,
        location: Place,
    }
}
