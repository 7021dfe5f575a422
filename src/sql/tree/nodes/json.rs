//! The SQL/JSON constructors, functions and `JSON_TABLE`.
//!
//! How to read these declarations: see `nodes!` in `tree/nodes.rs`.

nodes! {
    /// `FORMAT JSON [ENCODING …]`.
    JsonFormat = 42 {
        format_type: Code<JsonFormatType>,
        encoding: Code<JsonEncoding>,
        location: Place,
    }

    /// What a `RETURNING` says about the JSON format.
    JsonReturning = 43 {
        format: Of<JsonFormat>,
        typid: u32,
        typmod: i32,
    }

    /// `RETURNING type`.
    JsonOutput = 120 {
        typeName: Of<TypeName>,
        returning: Of<JsonReturning>,
    }

    /// An expression with its JSON format.
    JsonValueExpr = 44 {
        raw_expr: Any,
        formatted_expr: Any,
        format: Of<JsonFormat>,
    }

    /// One argument of `PASSING`.
    JsonArgument = 121 {
        val: Of<JsonValueExpr>,
        name: Text,
    }

    /// `… ON ERROR` and `… ON EMPTY`.
    JsonBehavior = 47 {
        btype: Code<JsonBehaviorType>,
        expr: Any,
        coerce: Flag,
        location: Place,
    }

    /// `JSON_VALUE`, `JSON_QUERY` and `JSON_EXISTS`.
    JsonFuncExpr = 122 {
        op: Code<JsonExprOp>,
        column_name: Text,
        context_item: Of<JsonValueExpr>,
        pathspec: Any,
        passing: Items,
        output: Of<JsonOutput>,
        on_empty: Of<JsonBehavior>,
        on_error: Of<JsonBehavior>,
        wrapper: Code<JsonWrapper>,
        quotes: Code<JsonQuotes>,
        location: Place,
    }

    /// The path of a `JSON_TABLE` or of one of its columns.
    JsonTablePathSpec = 123 {
        string: Any,
        name: Text,
        name_location: Place,
        location: Place,
    }

    /// `JSON_TABLE(…)`.
    JsonTable = 124 {
        context_item: Of<JsonValueExpr>,
        pathspec: Of<JsonTablePathSpec>,
        passing: Items,
        columns: Items,
        on_error: Of<JsonBehavior>,
        alias: Of<Alias>,
        lateral: Flag,
        location: Place,
    }

    /// One column of `JSON_TABLE`.
    JsonTableColumn = 125 {
        coltype: Code<JsonTableColumnType>,
        name: Text,
        typeName: Of<TypeName>,
        pathspec: Of<JsonTablePathSpec>,
        format: Of<JsonFormat>,
        wrapper: Code<JsonWrapper>,
        quotes: Code<JsonQuotes>,
        columns: Items,
        on_empty: Of<JsonBehavior>,
        on_error: Of<JsonBehavior>,
        location: Place,
    }

    /// `key : value`.
    JsonKeyValue = 126 {
        key: Any,
        value: Of<JsonValueExpr>,
    }

    /// `JSON(…)`.
    JsonParseExpr = 127 {
        expr: Of<JsonValueExpr>,
        output: Of<JsonOutput>,
        unique_keys: Flag,
        location: Place,
    }

    /// `JSON_SCALAR(…)`.
    JsonScalarExpr = 128 {
        expr: Any,
        output: Of<JsonOutput>,
        location: Place,
    }

    /// `JSON_SERIALIZE(…)`.
    JsonSerializeExpr = 129 {
        expr: Of<JsonValueExpr>,
        output: Of<JsonOutput>,
        location: Place,
    }

    /// `JSON_OBJECT(…)`.
    JsonObjectConstructor = 130 {
        exprs: Items,
        output: Of<JsonOutput>,
        absent_on_null: Flag,
        unique: Flag,
        location: Place,
    }

    /// `JSON_ARRAY(…)` of values.
    JsonArrayConstructor = 131 {
        exprs: Items,
        output: Of<JsonOutput>,
        absent_on_null: Flag,
        location: Place,
    }

    /// `JSON_ARRAY(…)` of a query.
    JsonArrayQueryConstructor = 132 {
        query: Any,
        output: Of<JsonOutput>,
        format: Of<JsonFormat>,
        absent_on_null: Flag,
        location: Place,
    }

    /// What the two JSON aggregates have in common.
    JsonAggConstructor = 133 {
        output: Of<JsonOutput>,
        agg_filter: Any,
        agg_order: Items,
        over: Of<WindowDef>,
        location: Place,
    }

    /// `JSON_OBJECTAGG(…)`.
    JsonObjectAgg = 134 {
        constructor: Of<JsonAggConstructor>,
        arg: Of<JsonKeyValue>,
        absent_on_null: Flag,
        unique: Flag,
    }

    /// `JSON_ARRAYAGG(…)`.
    JsonArrayAgg = 135 {
        constructor: Of<JsonAggConstructor>,
        arg: Of<JsonValueExpr>,
        absent_on_null: Flag,
    }

    /// `IS JSON`.
    JsonIsPredicate = 46 {
        expr: Any,
        format: Of<JsonFormat>,
        item_type: Code<JsonValueType>,
        unique_keys: Flag,
        location: Place,
    }
}
