//! Statements about any kind of object: drop, rename, move, own, comment, and the smaller kinds.
//!
//! How to read these declarations: see `nodes!` in `tree/nodes.rs`.

nodes! {
    /// `DROP` of most kinds of object; each of `objects` is a list of names, a `TypeName` or an
    /// `ObjectWithArgs`, depending on `removeType`.
    DropStmt = 197 {
        objects: Items,
        removeType: Code<ObjectType>,
        behavior: Code<DropBehavior>,
        missing_ok: Flag,
        concurrent: Flag,
    }

    /// `ALTER … RENAME`.
    RenameStmt = 215 {
        renameType: Code<ObjectType>,
        relationType: Code<ObjectType>,
        relation: Of<RangeVar>,
        object: Any,
        subname: Text,
        newname: Text,
        behavior: Code<DropBehavior>,
        missing_ok: Flag,
    }

    /// `ALTER … SET SCHEMA`.
    AlterObjectSchemaStmt = 217 {
        objectType: Code<ObjectType>,
        relation: Of<RangeVar>,
        object: Any,
        newschema: Text,
        missing_ok: Flag,
    }

    /// `ALTER … OWNER TO` of everything but tables and their like.
    AlterOwnerStmt = 218 {
        objectType: Code<ObjectType>,
        relation: Of<RangeVar>,
        object: Any,
        newowner: Of<RoleSpec>,
    }

    /// `ALTER … DEPENDS ON EXTENSION`.
    AlterObjectDependsStmt = 216 {
        objectType: Code<ObjectType>,
        relation: Of<RangeVar>,
        object: Any,
        extname: Of<Str>,
        remove: Flag,
    }

    /// `COMMENT ON`.
    CommentStmt = 199 {
        objtype: Code<ObjectType>,
        object: Any,
        comment: Text,
    }

    /// `SECURITY LABEL`.
    SecLabelStmt = 200 {
        objtype: Code<ObjectType>,
        object: Any,
        provider: Text,
        label: Text,
    }

    /// `CREATE SCHEMA`.
    CreateSchemaStmt = 145 {
        schemaname: Text,
        authrole: Of<RoleSpec>,
        schemaElts: Items,
        if_not_exists: Flag,
    }

    /// `CREATE FUNCTION` and `CREATE PROCEDURE`; the body is the `as` option or `sql_body`.
    CreateFunctionStmt = 208 {
        is_procedure: Flag,
        replace: Flag,
        funcname: Items,
        parameters: Items,
        returnType: Of<TypeName>,
        options: Items,
        sql_body: Any,
    }

    /// One parameter of a function.
    FunctionParameter = 209 {
        name: Text,
        argType: Of<TypeName>,
        mode: Code<FunctionParameterMode>,
        defexpr: Any,
        location: Place,
    }

    /// `ALTER FUNCTION`, `PROCEDURE`, `ROUTINE`.
    AlterFunctionStmt = 210 {
        objtype: Code<ObjectType>,
        func: Of<ObjectWithArgs>,
        actions: Items,
    }

    /// `CREATE CAST`.
    CreateCastStmt = 250 {
        sourcetype: Of<TypeName>,
        targettype: Of<TypeName>,
        func: Of<ObjectWithArgs>,
        context: Code<CoercionContext>,
        inout: Flag,
    }

    /// `CREATE TRANSFORM`.
    CreateTransformStmt = 251 {
        replace: Flag,
        type_name: Of<TypeName>,
        lang: Text,
        fromsql: Of<ObjectWithArgs>,
        tosql: Of<ObjectWithArgs>,
    }

    /// `CREATE LANGUAGE`.
    CreatePLangStmt = 184 {
        replace: Flag,
        plname: Text,
        plhandler: Items,
        plinline: Items,
        plvalidator: Items,
        pltrusted: Flag,
    }

    /// `CREATE CONVERSION`.
    CreateConversionStmt = 249 {
        conversion_name: Items,
        for_encoding_name: Text,
        to_encoding_name: Text,
        func_name: Items,
        def: Flag,
    }

    /// `CREATE AGGREGATE`, `OPERATOR`, base `TYPE`, `COLLATION` and text search objects.
    DefineStmt = 191 {
        kind: Code<ObjectType>,
        oldstyle: Flag,
        defnames: Items,
        args: Items,
        definition: Items,
        if_not_exists: Flag,
        replace: Flag,
    }

    /// `CREATE TYPE … AS (…)`.
    CompositeTypeStmt = 226 {
        typevar: Of<RangeVar>,
        coldeflist: Items,
    }

    /// `CREATE TYPE … AS ENUM`.
    CreateEnumStmt = 227 {
        typeName: Items,
        vals: Items,
    }

    /// `CREATE TYPE … AS RANGE`.
    CreateRangeStmt = 228 {
        typeName: Items,
        params: Items,
    }

    /// `ALTER TYPE … ADD VALUE` and `RENAME VALUE`.
    AlterEnumStmt = 229 {
        typeName: Items,
        oldVal: Text,
        newVal: Text,
        newValNeighbor: Text,
        newValIsAfter: Flag,
        skipIfNewValExists: Flag,
    }

    /// `ALTER TYPE … SET (…)`.
    AlterTypeStmt = 220 {
        typeName: Items,
        options: Items,
    }

    /// `CREATE DOMAIN`.
    CreateDomainStmt = 192 {
        domainname: Items,
        typeName: Of<TypeName>,
        collClause: Of<CollateClause>,
        constraints: Items,
    }

    /// `ALTER DOMAIN`; `subtype` is `T` (default), `N` (drop not null), `O` (set not null), `C` (add
    /// constraint), `X` (drop constraint) or `V` (validate).
    AlterDomainStmt = 151 {
        subtype: Letter,
        typeName: Items,
        name: Text,
        def: Any,
        behavior: Code<DropBehavior>,
        missing_ok: Flag,
    }

    /// `CREATE OPERATOR CLASS`.
    CreateOpClassStmt = 193 {
        opclassname: Items,
        opfamilyname: Items,
        amname: Text,
        datatype: Of<TypeName>,
        items: Items,
        isDefault: Flag,
    }

    /// One member of an operator class or family.
    CreateOpClassItem = 194 {
        itemtype: i32,
        name: Of<ObjectWithArgs>,
        number: i32,
        order_family: Items,
        class_args: Items,
        storedtype: Of<TypeName>,
    }

    /// `CREATE OPERATOR FAMILY`.
    CreateOpFamilyStmt = 195 {
        opfamilyname: Items,
        amname: Text,
    }

    /// `ALTER OPERATOR FAMILY`.
    AlterOpFamilyStmt = 196 {
        opfamilyname: Items,
        amname: Text,
        isDrop: Flag,
        items: Items,
    }

    /// `ALTER OPERATOR … SET`.
    AlterOperatorStmt = 219 {
        opername: Of<ObjectWithArgs>,
        options: Items,
    }

    /// `ALTER COLLATION … REFRESH VERSION`.
    AlterCollationStmt = 150 {
        collname: Items,
    }

    /// `ALTER TEXT SEARCH CONFIGURATION`.
    AlterTSConfigurationStmt = 258 {
        kind: Code<AlterTSConfigType>,
        cfgname: Items,
        tokentype: Items,
        dicts: Items,
        r#override: Flag,
        replace: Flag,
        missing_ok: Flag,
    }

    /// `ALTER TEXT SEARCH DICTIONARY`.
    AlterTSDictionaryStmt = 257 {
        dictname: Items,
        options: Items,
    }

    /// `CREATE ACCESS METHOD`.
    CreateAmStmt = 180 {
        amname: Text,
        handler_name: Items,
        amtype: Letter,
    }

    /// `CREATE EXTENSION`.
    CreateExtensionStmt = 166 {
        extname: Text,
        if_not_exists: Flag,
        options: Items,
    }

    /// `ALTER EXTENSION … UPDATE`.
    AlterExtensionStmt = 167 {
        extname: Text,
        options: Items,
    }

    /// `ALTER EXTENSION … ADD | DROP` (`action` 1 or -1).
    AlterExtensionContentsStmt = 168 {
        extname: Text,
        action: i32,
        objtype: Code<ObjectType>,
        object: Any,
    }

    /// `CREATE EVENT TRIGGER`.
    CreateEventTrigStmt = 182 {
        trigname: Text,
        eventname: Text,
        whenclause: Items,
        funcname: Items,
    }

    /// `ALTER EVENT TRIGGER … ENABLE | DISABLE`.
    AlterEventTrigStmt = 183 {
        trigname: Text,
        tgenabled: Letter,
    }

    /// `CREATE FOREIGN DATA WRAPPER`.
    CreateFdwStmt = 169 {
        fdwname: Text,
        func_options: Items,
        options: Items,
    }

    /// `ALTER FOREIGN DATA WRAPPER`.
    AlterFdwStmt = 170 {
        fdwname: Text,
        func_options: Items,
        options: Items,
    }

    /// `CREATE SERVER`.
    CreateForeignServerStmt = 171 {
        servername: Text,
        servertype: Text,
        version: Text,
        fdwname: Text,
        if_not_exists: Flag,
        options: Items,
    }

    /// `ALTER SERVER`.
    AlterForeignServerStmt = 172 {
        servername: Text,
        version: Text,
        options: Items,
        has_version: Flag,
    }

    /// `CREATE USER MAPPING`.
    CreateUserMappingStmt = 174 {
        user: Of<RoleSpec>,
        servername: Text,
        if_not_exists: Flag,
        options: Items,
    }

    /// `ALTER USER MAPPING`.
    AlterUserMappingStmt = 175 {
        user: Of<RoleSpec>,
        servername: Text,
        options: Items,
    }

    /// `DROP USER MAPPING`.
    DropUserMappingStmt = 176 {
        user: Of<RoleSpec>,
        servername: Text,
        missing_ok: Flag,
    }

    /// `IMPORT FOREIGN SCHEMA`.
    ImportForeignSchemaStmt = 177 {
        server_name: Text,
        remote_schema: Text,
        local_schema: Text,
        list_type: Code<ImportForeignSchemaType>,
        table_list: Items,
        options: Items,
    }

    /// `CREATE PUBLICATION`.
    CreatePublicationStmt = 261 {
        pubname: Text,
        options: Items,
        pubobjects: Items,
        for_all_tables: Flag,
    }

    /// `ALTER PUBLICATION`.
    AlterPublicationStmt = 262 {
        pubname: Text,
        options: Items,
        pubobjects: Items,
        for_all_tables: Flag,
        action: Code<AlterPublicationAction>,
    }

    /// One object of a publication.
    PublicationObjSpec = 260 {
        pubobjtype: Code<PublicationObjSpecType>,
        name: Text,
        pubtable: Of<PublicationTable>,
        location: Place,
    }

    /// One table of a publication.
    PublicationTable = 259 {
        relation: Of<RangeVar>,
        whereClause: Any,
        columns: Items,
    }

    /// `CREATE SUBSCRIPTION`.
    CreateSubscriptionStmt = 263 {
        subname: Text,
        conninfo: Text,
        publication: Items,
        options: Items,
        conninfo_location: Place,
    }

    /// `ALTER SUBSCRIPTION`.
    AlterSubscriptionStmt = 264 {
        kind: Code<AlterSubscriptionType>,
        subname: Text,
        conninfo: Text,
        publication: Items,
        options: Items,
        conninfo_location: Place,
    }

    /// `DROP SUBSCRIPTION`.
    DropSubscriptionStmt = 265 {
        subname: Text,
        missing_ok: Flag,
        behavior: Code<DropBehavior>,
    }
}
