//! Sessions, roles, databases and upkeep.
//!
//! How to read these declarations: see `nodes!` in `tree/nodes.rs`.

nodes! {
    /// `BEGIN`, `COMMIT`, `SAVEPOINT` and their like.
    TransactionStmt = 225 {
        kind: Code<TransactionStmtKind>,
        options: Items,
        savepoint_name: Text,
        gid: Text,
        chain: Flag,
        location: Place,
    }

    /// `SET`, `RESET` and, inside other statements, their setting.
    VariableSetStmt = 158 {
        kind: Code<VariableSetKind>,
        name: Text,
        args: Items,
        jumble_args: Flag,
        is_local: Flag,
        location: Place,
    }

    /// `SHOW`.
    VariableShowStmt = 159 {
        name: Text,
    }

    /// `SET CONSTRAINTS`.
    ConstraintsSetStmt = 247 {
        constraints: Items,
        deferred: Flag,
    }

    /// `DO`; the body is the `as` option.
    DoStmt = 211 {
        args: Items,
    }

    /// `CALL`.
    CallStmt = 213 {
        funccall: Of<FuncCall>,
        funcexpr: Unset,
        outargs: Items,
    }

    /// `COPY`.
    CopyStmt = 157 {
        relation: Of<RangeVar>,
        query: Any,
        attlist: Items,
        is_from: Flag,
        is_program: Flag,
        filename: Text,
        options: Items,
        whereClause: Any,
    }

    /// `LOCK TABLE`; `mode` is a `LOCKMODE` number, 1 (access share) to 8 (access exclusive).
    LockStmt = 246 {
        relations: Items,
        mode: i32,
        nowait: Flag,
    }

    /// `TRUNCATE`.
    TruncateStmt = 198 {
        relations: Items,
        restart_seqs: Flag,
        behavior: Code<DropBehavior>,
    }

    /// `VACUUM` and `ANALYZE`.
    VacuumStmt = 239 {
        options: Items,
        rels: Items,
        is_vacuumcmd: Flag,
    }

    /// One table of `VACUUM` or `ANALYZE`.
    VacuumRelation = 240 {
        relation: Of<RangeVar>,
        oid: u32,
        va_cols: Items,
    }

    /// `CLUSTER`.
    ClusterStmt = 238 {
        relation: Of<RangeVar>,
        indexname: Text,
        params: Items,
    }

    /// `REINDEX`.
    ReindexStmt = 248 {
        kind: Code<ReindexObjectType>,
        relation: Of<RangeVar>,
        name: Text,
        params: Items,
    }

    /// `CHECKPOINT`.
    CheckPointStmt = 244 {}

    /// `DISCARD`.
    DiscardStmt = 245 {
        target: Code<DiscardMode>,
    }

    /// `LOAD`.
    LoadStmt = 231 {
        filename: Text,
    }

    /// `EXPLAIN`.
    ExplainStmt = 241 {
        query: Any,
        options: Items,
    }

    /// `PREPARE`.
    PrepareStmt = 252 {
        name: Text,
        argtypes: Items,
        query: Any,
    }

    /// `EXECUTE`.
    ExecuteStmt = 253 {
        name: Text,
        params: Items,
    }

    /// `DEALLOCATE`; without a name it is `ALL`.
    DeallocateStmt = 254 {
        name: Text,
        isall: Flag,
        location: Place,
    }

    /// `DECLARE … CURSOR`.
    DeclareCursorStmt = 201 {
        portalname: Text,
        options: i32,
        query: Any,
    }

    /// `FETCH` and `MOVE`.
    FetchStmt = 203 {
        direction: Code<FetchDirection>,
        howMany: Long,
        portalname: Text,
        ismove: Flag,
    }

    /// `CLOSE`.
    ClosePortalStmt = 202 {
        portalname: Text,
    }

    /// `LISTEN`.
    ListenStmt = 223 {
        conditionname: Text,
    }

    /// `UNLISTEN`.
    UnlistenStmt = 224 {
        conditionname: Text,
    }

    /// `NOTIFY`.
    NotifyStmt = 222 {
        conditionname: Text,
        payload: Text,
        payload_location: Place,
    }

    /// `GRANT` and `REVOKE` of privileges.
    GrantStmt = 152 {
        is_grant: Flag,
        targtype: Code<GrantTargetType>,
        objtype: Code<ObjectType>,
        objects: Items,
        privileges: Items,
        grantees: Items,
        grant_option: Flag,
        grantor: Of<RoleSpec>,
        behavior: Code<DropBehavior>,
    }

    /// `GRANT` and `REVOKE` of roles.
    GrantRoleStmt = 155 {
        granted_roles: Items,
        grantee_roles: Items,
        is_grant: Flag,
        opt: Items,
        grantor: Of<RoleSpec>,
        behavior: Code<DropBehavior>,
    }

    /// `ALTER DEFAULT PRIVILEGES`.
    AlterDefaultPrivilegesStmt = 156 {
        options: Items,
        action: Of<GrantStmt>,
    }

    /// `CREATE ROLE | USER | GROUP`.
    CreateRoleStmt = 185 {
        stmt_type: Code<RoleStmtType>,
        role: Text,
        options: Items,
    }

    /// `ALTER ROLE`; `action` is 1 for adding members, -1 for dropping them.
    AlterRoleStmt = 186 {
        role: Of<RoleSpec>,
        options: Items,
        action: i32,
    }

    /// `ALTER ROLE … SET`.
    AlterRoleSetStmt = 187 {
        role: Of<RoleSpec>,
        database: Text,
        setstmt: Of<VariableSetStmt>,
    }

    /// `DROP ROLE`.
    DropRoleStmt = 188 {
        roles: Items,
        missing_ok: Flag,
    }

    /// `DROP OWNED`.
    DropOwnedStmt = 255 {
        roles: Items,
        behavior: Code<DropBehavior>,
    }

    /// `REASSIGN OWNED`.
    ReassignOwnedStmt = 256 {
        roles: Items,
        newrole: Of<RoleSpec>,
    }

    /// `CREATE DATABASE`.
    CreatedbStmt = 232 {
        dbname: Text,
        options: Items,
    }

    /// `ALTER DATABASE … WITH`.
    AlterDatabaseStmt = 233 {
        dbname: Text,
        options: Items,
    }

    /// `ALTER DATABASE … REFRESH COLLATION VERSION`.
    AlterDatabaseRefreshCollStmt = 234 {
        dbname: Text,
    }

    /// `ALTER DATABASE … SET`.
    AlterDatabaseSetStmt = 235 {
        dbname: Text,
        setstmt: Of<VariableSetStmt>,
    }

    /// `DROP DATABASE`.
    DropdbStmt = 236 {
        dbname: Text,
        missing_ok: Flag,
        options: Items,
    }

    /// `CREATE TABLESPACE`.
    CreateTableSpaceStmt = 162 {
        tablespacename: Text,
        owner: Of<RoleSpec>,
        location: Text,
        options: Items,
    }

    /// `DROP TABLESPACE`.
    DropTableSpaceStmt = 163 {
        tablespacename: Text,
        missing_ok: Flag,
    }

    /// `ALTER TABLESPACE … SET | RESET`.
    AlterTableSpaceOptionsStmt = 164 {
        tablespacename: Text,
        options: Items,
        isReset: Flag,
    }

    /// `ALTER SYSTEM`.
    AlterSystemStmt = 237 {
        setstmt: Of<VariableSetStmt>,
    }
}
