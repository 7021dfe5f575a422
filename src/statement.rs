//! A statement as the rules see it: our own model, independent of the parser.
//!
//! [`crate::sql`] makes these; [`crate::schema`] replays them; [`crate::effect`] says what PostgreSQL does for them.

pub mod alter;
pub mod code;
mod expr;
pub mod name;
pub mod normal;
mod questions;
pub mod table;
pub mod ty;

pub use alter::{AddColumn, AlterAction, AlterColumn, AlterTable, ColumnChange};
pub use code::{
    AlterFunction, CreateRule, CreateStatistics, PolicyDefinition, PublicationChange,
    PublicationDefinition,
};
pub use expr::{Element, Expr, ExprKind, Literal};
pub use name::{Ident, Name, QualifiedName, quoted};
pub use table::{
    Bound, ColumnDef, ConstraintDef, ConstraintKind, CreateTable, ForeignKey, Generated, Identity,
    PartitionBy, PartitionOf, Persistence,
};
pub use ty::TypeName;

use crate::source::{Fragment, Span};

/// One SQL statement of a migration.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Where it stands in its file, from its first to its last token.
    pub span: Span,
    /// Its text as PostgreSQL receives it, and the way back into the file.
    pub source: Fragment,
    /// What it is.
    pub kind: Kind,
    /// The command as PostgreSQL names it in its command tag, as far as one word or two tell: `ALTER TABLE`, `UPDATE`.
    pub tag: &'static str,
    /// Statements inside it that run when it runs (`DO`), or that it only defines (functions): see [`Nested::runs`].
    pub nested: Vec<Nested>,
    /// Text of the commands that it puts together when it runs and that could not be told in advance.
    pub dynamic: Vec<Box<str>>,
    /// True if it is not certain that it runs, or what its names are (a branch, a placeholder).
    pub conditional: bool,
    /// Text in it that is a template and not SQL; names that contain one are unknown.
    pub placeholders: Vec<Span>,
}

/// A statement inside a `DO` block or a function body.
#[derive(Debug, Clone)]
pub struct Nested {
    /// The statement; its spans point into the same file.
    pub statement: Statement,
    /// True if it runs with the outer statement: the body of a `DO` block.
    pub runs: bool,
    /// It stands in a branch (`IF`, `CASE`, an exception handler): it may not run.
    pub conditional: bool,
    /// It stands in a loop.
    pub looped: bool,
}

/// What a statement is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// `CREATE TABLE`, also `PARTITION OF`, `OF`, `INHERITS`, foreign tables.
    CreateTable(Box<CreateTable>),
    /// `CREATE TABLE AS`, `SELECT INTO`, `CREATE MATERIALIZED VIEW`.
    CreateTableAs(Box<CreateTableAs>),
    /// `ALTER TABLE` and its relatives for indexes, views, sequences and foreign tables.
    AlterTable(Box<AlterTable>),
    /// `ALTER … RENAME` of anything, of a column or a constraint too.
    Rename(Box<Rename>),
    /// `ALTER … SET SCHEMA`.
    SetSchema(SetSchema),
    /// `ALTER … OWNER TO` (of anything but a table).
    OwnerTo(ObjectKind, Name),
    /// `DROP …`.
    Drop(Drop),
    /// `CREATE INDEX`.
    CreateIndex(Box<CreateIndex>),
    /// `REINDEX`.
    Reindex(Reindex),
    /// `CREATE VIEW`.
    CreateView(Box<CreateView>),
    /// `REFRESH MATERIALIZED VIEW`.
    RefreshMaterializedView(RefreshMaterializedView),
    /// `CREATE SEQUENCE`.
    CreateSequence(CreateSequence),
    /// `ALTER SEQUENCE` with options.
    AlterSequence(CreateSequence),
    /// `CREATE TYPE` of any form.
    CreateType(CreateType),
    /// `ALTER TYPE … ADD VALUE` and `RENAME VALUE`.
    AlterEnum(AlterEnum),
    /// `CREATE DOMAIN`.
    CreateDomain(Box<CreateDomain>),
    /// `ALTER DOMAIN`.
    AlterDomain(Box<AlterDomain>),
    /// `CREATE FUNCTION`, `CREATE PROCEDURE`.
    CreateFunction(Box<CreateFunction>),
    /// `CREATE TRIGGER`.
    CreateTrigger(Box<CreateTrigger>),
    /// `CREATE POLICY`, `ALTER POLICY`: definition and table.
    Policy(Box<PolicyDefinition>, Name),
    /// `CREATE PUBLICATION`, `ALTER PUBLICATION … ADD`, `SET`, `DROP` of tables.
    Publication(Box<PublicationDefinition>),
    /// `CREATE RULE`.
    CreateRule(Box<CreateRule>),
    /// `CREATE STATISTICS`.
    CreateStatistics(Box<CreateStatistics>),
    /// `ALTER FUNCTION` with options.
    AlterFunction(Box<AlterFunction>),
    /// `CREATE SCHEMA`; the statements inside it are nested.
    CreateSchema {
        /// Name of the schema (of its owner, if none is written).
        name: Ident,
        /// `IF NOT EXISTS`.
        if_not_exists: bool,
    },
    /// `CREATE EXTENSION`.
    CreateExtension(Ident),
    /// `TRUNCATE`.
    Truncate {
        /// The tables.
        tables: Vec<Relation>,
        /// `CASCADE`.
        cascade: bool,
        /// `RESTART IDENTITY`.
        restart: bool,
    },
    /// `INSERT`.
    Insert(Box<Insert>),
    /// `UPDATE` or `DELETE`.
    Change(Box<Change>),
    /// `MERGE`.
    Merge(Box<Change>),
    /// `SELECT`, `VALUES`, `TABLE`.
    Select(Box<Query>),
    /// `COPY`.
    Copy {
        /// The table; none for `COPY (query)`.
        table: Option<Name>,
        /// `COPY … FROM`.
        from: bool,
    },
    /// `LOCK TABLE`, with the mode as PostgreSQL numbers it (1 = ACCESS SHARE … 8 = ACCESS EXCLUSIVE).
    Lock {
        /// The tables.
        tables: Vec<Relation>,
        /// Lock mode by its number.
        mode: u8,
        /// `NOWAIT`.
        nowait: bool,
    },
    /// `VACUUM` or `ANALYZE`.
    Vacuum {
        /// The tables; empty means the whole database.
        tables: Vec<Name>,
        /// `VACUUM` rather than `ANALYZE`.
        vacuum: bool,
        /// `FULL`.
        full: bool,
        /// Names of the options in parentheses, lower case.
        options: Vec<Box<str>>,
    },
    /// `CLUSTER`; without a name every clustered table.
    Cluster(Option<Name>),
    /// Transaction control.
    Transaction(Transaction),
    /// `SET`, `RESET`, `set_config()` as a whole statement.
    Set(SetVariable),
    /// `COMMENT ON`.
    Comment(Comment),
    /// `GRANT`, `REVOKE` on tables.
    Grant {
        /// `GRANT` rather than `REVOKE`.
        grant: bool,
        /// Kind of the objects.
        object: ObjectKind,
        /// The objects.
        names: Vec<Name>,
        /// `ON ALL … IN SCHEMA`: the names are those of schemas.
        all_in_schema: bool,
    },
    /// `DO`. Its statements are in [`Statement::nested`].
    Do,
    /// `CALL`.
    Call(Name),
    /// `CREATE`, `ALTER`, `DROP SUBSCRIPTION`.
    Subscription(Subscription),
    /// `ALTER DATABASE`.
    AlterDatabase {
        /// `SET TABLESPACE`: the database is moved.
        tablespace: bool,
    },
    /// A statement that PostgreSQL runs and that this model keeps only by its command tag and names.
    Other(Vec<Name>),
    /// Text that could not be parsed; it may do anything.
    Unparsed,
}

/// Kinds of database objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are PostgreSQL's own")]
pub enum ObjectKind {
    Table,
    ForeignTable,
    View,
    MaterializedView,
    Index,
    Sequence,
    Type,
    Domain,
    Column,
    Attribute,
    Constraint,
    DomainConstraint,
    Schema,
    Function,
    Procedure,
    Routine,
    Aggregate,
    Trigger,
    EventTrigger,
    Policy,
    Rule,
    Extension,
    Database,
    Tablespace,
    Role,
    Publication,
    Subscription,
    Statistics,
    Other,
}

impl ObjectKind {
    /// PostgreSQL's word for it, in lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::ForeignTable => "foreign table",
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::Index => "index",
            Self::Sequence => "sequence",
            Self::Type => "type",
            Self::Domain => "domain",
            Self::Column => "column",
            Self::Attribute => "attribute",
            Self::Constraint => "constraint",
            Self::DomainConstraint => "domain constraint",
            Self::Schema => "schema",
            Self::Function => "function",
            Self::Procedure => "procedure",
            Self::Routine => "routine",
            Self::Aggregate => "aggregate",
            Self::Trigger => "trigger",
            Self::EventTrigger => "event trigger",
            Self::Policy => "policy",
            Self::Rule => "rule",
            Self::Extension => "extension",
            Self::Database => "database",
            Self::Tablespace => "tablespace",
            Self::Role => "role",
            Self::Publication => "publication",
            Self::Subscription => "subscription",
            Self::Statistics => "statistics",
            Self::Other => "object",
        }
    }
}

/// A relation as a statement names it, with or without `ONLY`.
#[derive(Debug, Clone)]
pub struct Relation {
    /// Its name.
    pub name: Name,
    /// `ONLY` was written: children are not touched.
    pub only: bool,
}

/// `CREATE TABLE AS`, `SELECT INTO`, `CREATE MATERIALIZED VIEW`.
#[derive(Debug, Clone)]
pub struct CreateTableAs {
    /// The new relation.
    pub name: Name,
    /// Materialized view rather than table.
    pub materialized: bool,
    /// Temporary or unlogged.
    pub persistence: Persistence,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// Not `WITH NO DATA`.
    pub with_data: bool,
    /// Column names, as far as the query tells them.
    pub columns: Vec<Ident>,
    /// Column names that are written, for the first columns.
    pub names: Vec<Ident>,
    /// The query.
    pub query: Query,
}

/// `ALTER … RENAME`.
#[derive(Debug, Clone)]
pub struct Rename {
    /// What is renamed.
    pub object: ObjectKind,
    /// For a column, attribute, constraint, trigger, policy or rule: the kind of the relation it belongs to.
    pub relation_kind: ObjectKind,
    /// The relation (itself, or the owner of what is renamed); for types and functions their name.
    pub relation: Name,
    /// Old name of the part, for a column, constraint, trigger, ….
    pub part: Option<Ident>,
    /// For a function the types of its arguments, if they are written.
    pub signature: Option<Vec<TypeName>>,
    /// The new name.
    pub to: Ident,
    /// `IF EXISTS`.
    pub if_exists: bool,
}

/// `ALTER … SET SCHEMA`.
#[derive(Debug, Clone)]
pub struct SetSchema {
    /// What is moved.
    pub object: ObjectKind,
    /// Its name.
    pub name: Name,
    /// For a function the types of its arguments, if they are written.
    pub signature: Option<Vec<TypeName>>,
    /// The new schema.
    pub schema: Ident,
    /// `IF EXISTS`.
    pub if_exists: bool,
}

/// `DROP …`.
#[derive(Debug, Clone)]
pub struct Drop {
    /// Kind of the objects.
    pub object: ObjectKind,
    /// The objects. For a trigger, policy or rule the name of the part.
    pub names: Vec<Name>,
    /// For each function the types of its arguments, if they are written.
    pub signatures: Vec<Option<Vec<TypeName>>>,
    /// For a trigger, policy or rule: the table it is on.
    pub on: Option<Name>,
    /// `CONCURRENTLY`.
    pub concurrently: bool,
    /// `IF EXISTS`.
    pub if_exists: bool,
    /// `CASCADE`.
    pub cascade: bool,
}

/// `CREATE INDEX`.
#[derive(Debug, Clone)]
pub struct CreateIndex {
    /// Name; PostgreSQL chooses one if none is written.
    pub name: Option<Ident>,
    /// The table or materialized view.
    pub table: Name,
    /// `ONLY`: on a partitioned table, without its partitions.
    pub only: bool,
    /// `UNIQUE`.
    pub unique: bool,
    /// `CONCURRENTLY`.
    pub concurrently: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// Access method, `btree` if none is written.
    pub method: Box<str>,
    /// Key columns and expressions.
    pub elements: Vec<Element>,
    /// `INCLUDE` columns.
    pub include: Vec<Ident>,
    /// `WHERE`.
    pub predicate: Option<Expr>,
    /// `NULLS NOT DISTINCT`.
    pub nulls_not_distinct: bool,
}

/// `REINDEX`.
#[derive(Debug, Clone)]
pub struct Reindex {
    /// What is reindexed.
    pub target: ReindexTarget,
    /// Name of the index, table or schema; none for the current database.
    pub name: Option<Name>,
    /// `CONCURRENTLY`.
    pub concurrently: bool,
    /// Names of the options in parentheses, lower case.
    pub options: Vec<Box<str>>,
}

/// What a `REINDEX` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are PostgreSQL's own")]
pub enum ReindexTarget {
    Index,
    Table,
    Schema,
    Database,
    System,
}

/// `CREATE VIEW`.
#[derive(Debug, Clone)]
pub struct CreateView {
    /// Its name.
    pub name: Name,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// Temporary or not.
    pub persistence: Persistence,
    /// Column names, as far as the definition tells them.
    pub columns: Vec<Ident>,
    /// Column names that are written, for the first columns.
    pub names: Vec<Ident>,
    /// The query.
    pub query: Query,
}

/// `REFRESH MATERIALIZED VIEW`.
#[derive(Debug, Clone)]
pub struct RefreshMaterializedView {
    /// The materialized view.
    pub name: Name,
    /// `CONCURRENTLY`.
    pub concurrently: bool,
    /// Not `WITH NO DATA`.
    pub with_data: bool,
}

/// `CREATE SEQUENCE`, `ALTER SEQUENCE`.
#[derive(Debug, Clone)]
pub struct CreateSequence {
    /// Its name.
    pub name: Name,
    /// `IF NOT EXISTS`, `IF EXISTS`.
    pub guarded: bool,
    /// `OWNED BY table.column`.
    pub owned_by: Option<(Name, Ident)>,
    /// `OWNED BY NONE`.
    pub owned_by_none: bool,
    /// `AS type`.
    pub ty: Option<TypeName>,
    /// Temporary or not.
    pub persistence: Persistence,
}

/// `CREATE TYPE`.
#[derive(Debug, Clone)]
pub struct CreateType {
    /// Its name.
    pub name: Name,
    /// What it is.
    pub definition: TypeDefinition,
}

/// What a `CREATE TYPE` makes.
#[derive(Debug, Clone)]
pub enum TypeDefinition {
    /// An enum with its labels.
    Enum(Vec<Ident>),
    /// A composite type.
    Composite(Vec<ColumnDef>),
    /// A range type.
    Range,
    /// A base or shell type.
    Base,
}

/// `ALTER TYPE` of an enum.
#[derive(Debug, Clone)]
pub struct AlterEnum {
    /// The type.
    pub name: Name,
    /// The label that is renamed; none if one is added.
    pub old_label: Option<Ident>,
    /// The new label.
    pub new_label: Ident,
    /// The label next to which it is put, and whether behind it.
    pub neighbour: Option<(Ident, bool)>,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
}

/// `CREATE DOMAIN`.
#[derive(Debug, Clone)]
pub struct CreateDomain {
    /// Its name.
    pub name: Name,
    /// The type under it.
    pub base: TypeName,
    /// Its constraints.
    pub constraints: Vec<ConstraintDef>,
    /// Its default.
    pub default: Option<Expr>,
}

/// `ALTER DOMAIN`.
#[derive(Debug, Clone)]
pub struct AlterDomain {
    /// Its name.
    pub name: Name,
    /// What is done.
    pub action: AlterDomainAction,
}

/// What an `ALTER DOMAIN` does.
#[derive(Debug, Clone)]
pub enum AlterDomainAction {
    /// `ADD CONSTRAINT`.
    AddConstraint(ConstraintDef),
    /// `VALIDATE CONSTRAINT`.
    ValidateConstraint(Ident),
    /// `DROP CONSTRAINT`.
    DropConstraint(Ident),
    /// `SET NOT NULL`.
    SetNotNull,
    /// `DROP NOT NULL`.
    DropNotNull,
    /// `SET DEFAULT`, `DROP DEFAULT`.
    Default(Option<Expr>),
}

/// `CREATE FUNCTION`, `CREATE PROCEDURE`.
#[derive(Debug, Clone)]
pub struct CreateFunction {
    /// Its name.
    pub name: Name,
    /// Procedure rather than function.
    pub procedure: bool,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// Types of the input arguments.
    pub arguments: Vec<TypeName>,
    /// Names of the arguments, input and output, for telling them from columns.
    pub argument_names: Vec<Box<str>>,
    /// Result type.
    pub returns: Option<TypeName>,
    /// Language, lower case; `sql` for a body without `AS`.
    pub language: Box<str>,
    /// `IMMUTABLE`, `STABLE` or `VOLATILE`; volatile if nothing is written.
    pub volatility: Volatility,
    /// The single expression that a SQL-language body selects, where it is that simple.
    pub sql_expression: Option<Expr>,
    /// Body text, for languages with one.
    pub body: Option<Fragment>,
    /// The body is SQL itself (`BEGIN ATOMIC`, `RETURN`, 14): PostgreSQL always reads it when the function is made.
    pub atomic: bool,
}

/// PostgreSQL's three classes of functions. Ordered: what contains a more volatile part is as volatile as that part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are PostgreSQL's own")]
pub enum Volatility {
    Immutable,
    Stable,
    Volatile,
}

/// `CREATE TRIGGER`.
#[derive(Debug, Clone)]
pub struct CreateTrigger {
    /// Its name.
    pub name: Ident,
    /// The table.
    pub table: Name,
    /// The function it calls.
    pub function: Name,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// `FOR EACH ROW`.
    pub row: bool,
    /// Columns of `UPDATE OF`.
    pub columns: Vec<Ident>,
    /// `WHEN`.
    pub when: Option<Expr>,
    /// The other table of a constraint trigger (`FROM`).
    pub from: Option<Name>,
}

/// What a query reads and calls, in whatever place of it.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Relations read, each once per mention; names of its own `WITH` queries are left out.
    pub reads: Vec<Name>,
    /// Relations locked by `FOR UPDATE` and its weaker forms.
    pub locked: Vec<Name>,
    /// Changes inside `WITH`.
    pub changes: Vec<Change>,
    /// It makes relations of its own (`WITH`, sub-queries and functions in `FROM`): a bare column may be one of theirs.
    pub derived: bool,
    /// Names of columns mentioned (last part), without `*`.
    pub columns: Vec<Ident>,
    /// Functions called, as (schema, name).
    pub calls: Vec<Name>,
    /// `SELECT *` or `t.*` somewhere.
    pub star: bool,
    /// Its outermost level has a `WHERE`. For an `INSERT` the level is that of the query that makes its rows.
    pub has_where: bool,
    /// That `WHERE`, unless the query is nested deep in others.
    pub condition: Option<Expr>,
    /// Its outermost level has a `LIMIT` or `FETCH FIRST`.
    pub has_limit: bool,
    /// A `WITH` query or a sub-query among its sources has one: it works on a batch.
    pub limited_source: bool,
    /// The target of `SELECT INTO`.
    pub into: Option<Name>,
    /// Whether that is a temporary table.
    pub into_persistence: Persistence,
    /// Output expressions of its outermost level, where there is a plain list.
    pub targets: Vec<Expr>,
    /// Names of its output columns in order, `*` for a star; of the leftmost branch for a set operation.
    pub outputs: Vec<Output>,
    /// Relations of its outermost `FROM` by the names they are known under there; none if it holds anything else
    /// (a sub-query, a function, a join that merges columns).
    pub from: Option<Vec<(Box<str>, Name)>>,
    /// All relations it reads by the names they are known under, at whatever level.
    pub aliases: Vec<(Box<str>, Name)>,
    /// Columns mentioned with what stands before their names; `*` for a star.
    pub mentions: Vec<Mention>,
}

/// An output column of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A column with its name.
    Column(Box<str>),
    /// `*`, or `t.*` with the `t`.
    Star(Option<Box<str>>),
}

/// A column as a query mentions it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mention {
    /// The relation's name or alias before it, if written.
    pub relation: Option<Box<str>>,
    /// The column; `*` for all.
    pub column: Box<str>,
}

/// `INSERT`.
#[derive(Debug, Clone)]
pub struct Insert {
    /// The table.
    pub table: Name,
    /// Columns named; empty if none is.
    pub columns: Vec<Ident>,
    /// Where the rows come from.
    pub rows: InsertRows,
    /// The values of its first rows, as far as they are expressions: rows of `VALUES`, or the output of a query.
    pub values: Vec<Vec<Expr>>,
    /// Everything else it reads (`WITH`, sub-queries, `RETURNING`).
    pub query: Query,
}

/// Where the rows of an `INSERT` come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InsertRows {
    /// `VALUES` with so many rows; `DEFAULT VALUES` is one.
    Values(usize),
    /// A query.
    Query,
}

/// `UPDATE`, `DELETE` or `MERGE`.
#[derive(Debug, Clone)]
pub struct Change {
    /// Which.
    pub verb: ChangeVerb,
    /// The table.
    pub table: Relation,
    /// Columns set by an `UPDATE`, with their new values.
    pub assignments: Vec<(Ident, Expr)>,
    /// `WHERE` (for `MERGE` the join condition).
    pub condition: Option<Expr>,
    /// Everything else it reads.
    pub query: Query,
}

/// Statements that change rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's own")]
pub enum ChangeVerb {
    Insert,
    Update,
    Delete,
    Merge,
}

/// Transaction control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transaction {
    /// `BEGIN`, `START TRANSACTION`.
    Begin,
    /// `COMMIT`, `END`; `AND CHAIN` begins the next one.
    Commit {
        /// `AND CHAIN`.
        chain: bool,
    },
    /// `ROLLBACK`, `ABORT`.
    Rollback {
        /// `AND CHAIN`.
        chain: bool,
    },
    /// `SAVEPOINT`.
    Savepoint(Box<str>),
    /// `RELEASE SAVEPOINT`: the savepoint is gone, the locks taken since then are kept.
    Release(Box<str>),
    /// `ROLLBACK TO SAVEPOINT`: gives back the locks taken since then.
    RollbackTo(Box<str>),
    /// `PREPARE TRANSACTION`: it leaves the session and keeps its locks.
    Prepare,
    /// `COMMIT PREPARED`, `ROLLBACK PREPARED`.
    Other,
}

/// `SET`, `RESET`, `SELECT set_config(…)`.
#[derive(Debug, Clone)]
pub struct SetVariable {
    /// Name of the setting, lower case; `all` for `RESET ALL`.
    pub name: Box<str>,
    /// New value as text; none for `RESET` and `TO DEFAULT`.
    pub value: Option<Box<str>>,
    /// `SET LOCAL`.
    pub local: bool,
}

/// What is done to a subscription, as far as the publisher's side is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subscription {
    /// `CREATE SUBSCRIPTION`.
    Create {
        /// It makes its replication slot on the publisher: unless `create_slot` or `connect` is off.
        slot: bool,
    },
    /// `ALTER SUBSCRIPTION`.
    Alter {
        /// `REFRESH PUBLICATION`, or a change of publications without `refresh = false`.
        refresh: bool,
    },
    /// `DROP SUBSCRIPTION`.
    Drop,
}

/// `COMMENT ON`.
#[derive(Debug, Clone)]
pub struct Comment {
    /// Kind of the object.
    pub object: ObjectKind,
    /// The object; for a column, constraint, trigger, policy or rule the relation.
    pub name: Name,
    /// The part of the relation.
    pub part: Option<Ident>,
    /// The text; none removes the comment.
    pub text: Option<Box<str>>,
}
