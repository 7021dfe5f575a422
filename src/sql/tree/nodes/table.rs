//! Tables, columns, constraints, indexes, sequences, partitions, views.
//!
//! How to read these declarations: see `nodes!` in `tree/nodes.rs`.

nodes! {
    /// `CREATE TABLE`; `tableElts` mixes `ColumnDef`, `Constraint` and `TableLikeClause`.
    CreateStmt = 160 {
        relation: Of<RangeVar>,
        tableElts: Items,
        inhRelations: Items,
        partbound: Of<PartitionBoundSpec>,
        partspec: Of<PartitionSpec>,
        ofTypename: Of<TypeName>,
        constraints: Items,
        nnconstraints: Items,
        options: Items,
        oncommit: Code<OnCommitAction>,
        tablespacename: Text,
        accessMethod: Text,
        if_not_exists: Flag,
    }

    /// `CREATE FOREIGN TABLE`; the table itself is in `base`.
    CreateForeignTableStmt = 173 extends CreateStmt {
        servername: Text,
        options: Items,
    }

    /// `CREATE TABLE AS` and `CREATE MATERIALIZED VIEW`, told apart by `objtype`.
    CreateTableAsStmt = 242 {
        query: Any,
        into: Of<IntoClause>,
        objtype: Code<ObjectType>,
        is_select_into: Flag,
        if_not_exists: Flag,
    }

    /// `ALTER TABLE`, also for indexes, sequences, views, foreign tables and composite types (`objtype`).
    AlterTableStmt = 146 {
        relation: Of<RangeVar>,
        cmds: Items,
        objtype: Code<ObjectType>,
        missing_ok: Flag,
    }

    /// One subcommand of `ALTER TABLE`; it carries no location of its own.
    AlterTableCmd = 147 {
        subtype: Code<AlterTableType>,
        name: Text,
        num: i16,
        newowner: Of<RoleSpec>,
        def: Any,
        behavior: Code<DropBehavior>,
        missing_ok: Flag,
        recurse: Flag,
    }

    /// `ALTER CONSTRAINT …`.
    ATAlterConstraint = 148 {
        conname: Text,
        alterEnforceability: Flag,
        is_enforced: Flag,
        alterDeferrability: Flag,
        deferrable: Flag,
        initdeferred: Flag,
        alterInheritability: Flag,
        noinherit: Flag,
    }

    /// `REPLICA IDENTITY …`; `identity_type` is `d`, `f`, `i` or `n`.
    ReplicaIdentityStmt = 149 {
        identity_type: Letter,
        name: Text,
    }

    /// `ALTER TABLE ALL IN TABLESPACE …`.
    AlterTableMoveAllStmt = 165 {
        orig_tablespacename: Text,
        objtype: Code<ObjectType>,
        roles: Items,
        new_tablespacename: Text,
        nowait: Flag,
    }

    /// A column; its constraints, also `NOT NULL`, are in `constraints`.
    ColumnDef = 90 {
        colname: Text,
        typeName: Of<TypeName>,
        compression: Text,
        inhcount: i16,
        is_local: Flag,
        is_not_null: Flag,
        is_from_type: Flag,
        storage: Letter,
        storage_name: Text,
        raw_default: Any,
        cooked_default: Any,
        identity: Letter,
        identitySequence: Of<RangeVar>,
        generated: Letter,
        collClause: Of<CollateClause>,
        collOid: u32,
        constraints: Items,
        fdwoptions: Items,
        location: Place,
    }

    /// A constraint of a column, table or domain; foreign key actions are `a`, `r`, `c`, `n` or `d`.
    Constraint = 161 {
        contype: Code<ConstrType>,
        conname: Text,
        deferrable: Flag,
        initdeferred: Flag,
        is_enforced: Flag,
        skip_validation: Flag,
        initially_valid: Flag,
        is_no_inherit: Flag,
        raw_expr: Any,
        cooked_expr: Text,
        generated_when: Letter,
        generated_kind: Letter,
        nulls_not_distinct: Flag,
        keys: Items,
        without_overlaps: Flag,
        including: Items,
        exclusions: Items,
        options: Items,
        indexname: Text,
        indexspace: Text,
        reset_default_tblspc: Flag,
        access_method: Text,
        where_clause: Any,
        pktable: Of<RangeVar>,
        fk_attrs: Items,
        pk_attrs: Items,
        fk_with_period: Flag,
        pk_with_period: Flag,
        fk_matchtype: Letter,
        fk_upd_action: Letter,
        fk_del_action: Letter,
        fk_del_set_cols: Items,
        old_conpfeqop: Items,
        old_pktable_oid: u32,
        location: Place,
    }

    /// `LIKE table …`; `options` are the `CREATE_TABLE_LIKE_*` bits.
    TableLikeClause = 91 {
        relation: Of<RangeVar>,
        options: u32,
        relationOid: u32,
    }

    /// `CREATE INDEX`.
    IndexStmt = 204 {
        idxname: Text,
        relation: Of<RangeVar>,
        accessMethod: Text,
        tableSpace: Text,
        indexParams: Items,
        indexIncludingParams: Items,
        options: Items,
        whereClause: Any,
        excludeOpNames: Items,
        idxcomment: Text,
        indexOid: u32,
        oldNumber: u32,
        oldCreateSubid: u32,
        oldFirstRelfilelocatorSubid: u32,
        unique: Flag,
        nulls_not_distinct: Flag,
        primary: Flag,
        isconstraint: Flag,
        iswithoutoverlaps: Flag,
        deferrable: Flag,
        initdeferred: Flag,
        transformed: Flag,
        concurrent: Flag,
        if_not_exists: Flag,
        reset_default_tblspc: Flag,
    }

    /// One column of an index.
    IndexElem = 92 {
        name: Text,
        expr: Any,
        indexcolname: Text,
        collation: Items,
        opclass: Items,
        opclassopts: Items,
        ordering: Code<SortByDir>,
        nulls_ordering: Code<SortByNulls>,
    }

    /// One column or expression of extended statistics.
    StatsElem = 206 {
        name: Text,
        expr: Any,
    }

    /// `CREATE STATISTICS`.
    CreateStatsStmt = 205 {
        defnames: Items,
        stat_types: Items,
        exprs: Items,
        relations: Items,
        stxcomment: Text,
        transformed: Flag,
        if_not_exists: Flag,
        owner: u32,
    }

    /// `ALTER STATISTICS … SET STATISTICS`.
    AlterStatsStmt = 207 {
        defnames: Items,
        stxstattarget: Any,
        missing_ok: Flag,
    }

    /// `PARTITION BY …`.
    PartitionSpec = 97 {
        strategy: Code<PartitionStrategy>,
        partParams: Items,
        location: Place,
    }

    /// One key of `PARTITION BY`.
    PartitionElem = 96 {
        name: Text,
        expr: Any,
        collation: Items,
        opclass: Items,
        location: Place,
    }

    /// `FOR VALUES …` or `DEFAULT`.
    PartitionBoundSpec = 98 {
        strategy: Letter,
        is_default: Flag,
        modulus: i32,
        remainder: i32,
        listdatums: Items,
        lowerdatums: Items,
        upperdatums: Items,
        location: Place,
    }

    /// The partition of `ATTACH` and `DETACH`.
    PartitionCmd = 100 {
        name: Of<RangeVar>,
        bound: Of<PartitionBoundSpec>,
        concurrent: Flag,
    }

    /// `CREATE SEQUENCE`.
    CreateSeqStmt = 189 {
        sequence: Of<RangeVar>,
        options: Items,
        ownerId: u32,
        for_identity: Flag,
        if_not_exists: Flag,
    }

    /// `ALTER SEQUENCE`.
    AlterSeqStmt = 190 {
        sequence: Of<RangeVar>,
        options: Items,
        for_identity: Flag,
        missing_ok: Flag,
    }

    /// `CREATE VIEW`.
    ViewStmt = 230 {
        view: Of<RangeVar>,
        aliases: Items,
        query: Any,
        replace: Flag,
        options: Items,
        withCheckOption: Code<ViewCheckOption>,
    }

    /// `REFRESH MATERIALIZED VIEW`.
    RefreshMatViewStmt = 243 {
        concurrent: Flag,
        skipData: Flag,
        relation: Of<RangeVar>,
    }

    /// `CREATE TRIGGER`; `timing` and `events` are `TRIGGER_TYPE_*` bits.
    CreateTrigStmt = 181 {
        replace: Flag,
        isconstraint: Flag,
        trigname: Text,
        relation: Of<RangeVar>,
        funcname: Items,
        args: Items,
        row: Flag,
        timing: i16,
        events: i16,
        columns: Items,
        whenClause: Any,
        transitionRels: Items,
        deferrable: Flag,
        initdeferred: Flag,
        constrrel: Of<RangeVar>,
    }

    /// `REFERENCING OLD | NEW TABLE AS …`.
    TriggerTransition = 119 {
        name: Text,
        isNew: Flag,
        isTable: Flag,
    }

    /// `CREATE RULE`.
    RuleStmt = 221 {
        relation: Of<RangeVar>,
        rulename: Text,
        whereClause: Any,
        event: Code<CmdType>,
        instead: Flag,
        actions: Items,
        replace: Flag,
    }

    /// `CREATE POLICY`.
    CreatePolicyStmt = 178 {
        policy_name: Text,
        table: Of<RangeVar>,
        cmd_name: Text,
        permissive: Flag,
        roles: Items,
        qual: Any,
        with_check: Any,
    }

    /// `ALTER POLICY`.
    AlterPolicyStmt = 179 {
        policy_name: Text,
        table: Of<RangeVar>,
        roles: Items,
        qual: Any,
        with_check: Any,
    }
}
