//! Names, literals and types: the leaves of every tree.
//!
//! How to read these declarations: see `nodes!` in `tree/nodes.rs`.

nodes! {
    /// A whole number that fits 32 bits.
    Integer = 465 {
        ival: i32,
    }

    /// A number too large or not whole, kept as the digits of the text.
    Float = 466 {
        fval: Text,
    }

    /// `true` or `false` as an option's value or inside an `A_Const`.
    Bool = 467 {
        boolval: Flag,
    }

    /// A name or a string: the element of every qualified name.
    Str = 468 {
        sval: Text,
    }

    /// `B'01'` or `X'1F'`; the first letter of the text is `b` or `x`.
    BitString = 469 {
        bsval: Text,
    }

    /// `*` as the last part of a column reference.
    A_Star = 77 {}

    /// `AS t (a, b)`.
    Alias = 2 {
        aliasname: Text,
        colnames: Items,
    }

    /// A table, view, index or sequence by name. `relpersistence` is `p` (permanent), `t` (temporary) or `u`
    /// (unlogged); `inh` is false after `ONLY`.
    RangeVar = 3 {
        catalogname: Text,
        schemaname: Text,
        relname: Text,
        inh: Flag,
        relpersistence: Letter,
        alias: Of<Alias>,
        location: Place,
    }

    /// A type by name; `pct_type` for `%TYPE`; `arrayBounds` holds one `Integer` for each pair of brackets, -1
    /// for `[]`.
    TypeName = 68 {
        names: Items,
        typeOid: u32,
        setof: Flag,
        pct_type: Flag,
        typmods: Items,
        typemod: i32,
        arrayBounds: Items,
        location: Place,
    }

    /// A role by name or `CURRENT_USER` and its like.
    RoleSpec = 75 {
        roletype: Code<RoleSpecType>,
        rolename: Text,
        location: Place,
    }

    /// A function or operator by name and argument types; a `NONE` operand is an empty cell of `objargs`.
    ObjectWithArgs = 153 {
        objname: Items,
        objargs: Items,
        objfuncargs: Items,
        args_unspecified: Flag,
    }

    /// One `name = value` of any option list; `arg` may be a value node, a `TypeName` or a list.
    DefElem = 93 {
        defnamespace: Text,
        defname: Text,
        arg: Any,
        defaction: Code<DefElemAction>,
        location: Place,
        arg_location: Place,
    }

    /// One privilege in `GRANT` or `REVOKE`; without a name it is `ALL`.
    AccessPriv = 154 {
        priv_name: Text,
        cols: Items,
    }
}
