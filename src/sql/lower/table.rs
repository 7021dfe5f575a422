//! Tables, columns, constraints, indexes, sequences, triggers.

use super::Lower;
use super::name::{option, persistence};
use crate::sql::tree::{self, ConstrType, List, Node, PartitionStrategy};
use crate::statement::table::{Key, Like, ReferentialAction, Strategy};
use crate::statement::{
    Bound, ColumnDef, ConstraintDef, ConstraintKind, CreateIndex, CreateRule, CreateSequence,
    CreateTable, CreateTrigger, Element, Expr, ExprKind, ForeignKey, Generated, Ident, Identity,
    Kind, Name, PartitionBy, PartitionOf, PolicyDefinition, RefreshMaterializedView,
};

/// Bits of a `LIKE` clause's options (`CREATE_TABLE_LIKE_…` in PostgreSQL's `parsenodes.h`).
mod like {
    pub(super) const COMMENTS: u32 = 1 << 0;
    pub(super) const CONSTRAINTS: u32 = 1 << 2;
    pub(super) const DEFAULTS: u32 = 1 << 3;
    pub(super) const GENERATED: u32 = 1 << 4;
    pub(super) const IDENTITY: u32 = 1 << 5;
    pub(super) const INDEXES: u32 = 1 << 6;
}

impl Lower<'_> {
    pub(super) fn table_kind(&self, node: Node<'_>) -> Option<(Kind, &'static str)> {
        Some(match node {
            Node::CreateStmt(create) => (
                Kind::CreateTable(Box::new(self.create_table(create, false))),
                "CREATE TABLE",
            ),
            Node::CreateForeignTableStmt(create) => (
                Kind::CreateTable(Box::new(self.create_table(create.base(), true))),
                "CREATE FOREIGN TABLE",
            ),
            Node::AlterTableStmt(alter) => {
                let (alter, tag) = self.alter_table(alter);
                (Kind::AlterTable(Box::new(alter)), tag)
            }
            Node::IndexStmt(index) => {
                let create = CreateIndex {
                    name: index.idxname().map(|name| {
                        let from = self.range.start as usize;
                        Ident::new(
                            name,
                            self.find_ident(from, name).unwrap_or_else(|| self.whole()),
                        )
                    }),
                    table: self.relation(index.relation()),
                    only: index.relation().is_some_and(|relation| !relation.inh()),
                    unique: index.unique(),
                    concurrently: index.concurrent(),
                    if_not_exists: index.if_not_exists(),
                    method: index.accessMethod().unwrap_or("btree").into(),
                    elements: index
                        .indexParams()
                        .of::<tree::IndexElem<'_>>()
                        .map(|e| self.index_element(e))
                        .collect(),
                    include: index
                        .indexIncludingParams()
                        .of::<tree::IndexElem<'_>>()
                        .filter_map(|elem| Some(Ident::new(elem.name()?, self.whole())))
                        .collect(),
                    predicate: self.opt_expr(index.whereClause()),
                    nulls_not_distinct: index.nulls_not_distinct(),
                };
                (Kind::CreateIndex(Box::new(create)), "CREATE INDEX")
            }
            Node::CreateSeqStmt(create) => {
                let sequence =
                    self.sequence(create.sequence()?, create.options(), create.if_not_exists());
                (Kind::CreateSequence(sequence), "CREATE SEQUENCE")
            }
            Node::AlterSeqStmt(alter) => {
                let sequence =
                    self.sequence(alter.sequence()?, alter.options(), alter.missing_ok());
                (Kind::AlterSequence(sequence), "ALTER SEQUENCE")
            }
            Node::RefreshMatViewStmt(refresh) => {
                let refresh = RefreshMaterializedView {
                    name: self.relation(refresh.relation()),
                    concurrently: refresh.concurrent(),
                    with_data: !refresh.skipData(),
                };
                (
                    Kind::RefreshMaterializedView(refresh),
                    "REFRESH MATERIALIZED VIEW",
                )
            }
            Node::CreateTrigStmt(create) => {
                let trigger = CreateTrigger {
                    name: Ident::new(create.trigname().unwrap_or(""), self.whole()),
                    table: self.relation(create.relation()),
                    function: self.list_name(create.funcname()),
                    or_replace: create.replace(),
                    row: create.row(),
                    columns: self.idents(create.columns(), self.whole()),
                    when: self.opt_expr(create.whenClause()),
                    from: create.constrrel().map(|var| self.range_var(var)),
                };
                (Kind::CreateTrigger(Box::new(trigger)), "CREATE TRIGGER")
            }
            Node::CreatePolicyStmt(policy) => {
                let definition = PolicyDefinition {
                    name: Ident::new(policy.policy_name().unwrap_or(""), self.whole()),
                    expressions: [policy.qual(), policy.with_check()]
                        .into_iter()
                        .filter_map(|expr| self.opt_expr(expr))
                        .collect(),
                };
                (
                    Kind::Policy(Box::new(definition), self.relation(policy.table())),
                    "CREATE POLICY",
                )
            }
            Node::AlterPolicyStmt(policy) => {
                let definition = PolicyDefinition {
                    name: Ident::new(policy.policy_name().unwrap_or(""), self.whole()),
                    expressions: [policy.qual(), policy.with_check()]
                        .into_iter()
                        .filter_map(|expr| self.opt_expr(expr))
                        .collect(),
                };
                (
                    Kind::Policy(Box::new(definition), self.relation(policy.table())),
                    "ALTER POLICY",
                )
            }
            Node::RuleStmt(rule) => {
                let actions = rule.actions().iter();
                let create = CreateRule {
                    name: Ident::new(rule.rulename().unwrap_or(""), self.whole()),
                    table: self.relation(rule.relation()),
                    or_replace: rule.replace(),
                    condition: self.opt_expr(rule.whereClause()),
                    actions: actions
                        .filter_map(|action| Some(self.query_kind(action)?.0))
                        .collect(),
                };
                (Kind::CreateRule(Box::new(create)), "CREATE RULE")
            }
            _ => return None,
        })
    }

    fn create_table(&self, create: tree::CreateStmt<'_>, foreign: bool) -> CreateTable {
        let var = create.relation();
        let mut columns = Vec::new();
        let mut constraints = Vec::new();
        let mut likes = Vec::new();
        for element in create.tableElts().iter() {
            match element {
                Node::ColumnDef(column) => columns.push(self.column(column)),
                Node::Constraint(constraint) => {
                    constraints.extend(self.constraint(constraint, None))
                }
                Node::TableLikeClause(clause) => {
                    let options = clause.options();
                    likes.push(Like {
                        table: self.relation(clause.relation()),
                        at: columns.len(),
                        comments: options & like::COMMENTS != 0,
                        constraints: options & like::CONSTRAINTS != 0,
                        defaults: options & like::DEFAULTS != 0,
                        generated: options & like::GENERATED != 0,
                        identity: options & like::IDENTITY != 0,
                        indexes: options & like::INDEXES != 0,
                    });
                }
                _ => {}
            }
        }
        for constraint in create.constraints().of::<tree::Constraint<'_>>() {
            constraints.extend(self.constraint(constraint, None));
        }
        for constraint in &constraints {
            let key = match &constraint.kind {
                ConstraintKind::PrimaryKey(key) => key.columns.as_slice(),
                ConstraintKind::NotNull(column) => std::slice::from_ref(column),
                _ => &[],
            };
            for column in columns
                .iter_mut()
                .filter(|column: &&mut ColumnDef| key.contains(&column.name))
            {
                column.not_null = true;
            }
        }
        let parents = create
            .inhRelations()
            .of::<tree::RangeVar<'_>>()
            .map(|var| self.range_var(var));
        let bound = create.partbound();
        let (inherits, parent): (Vec<Name>, Option<Name>) = if bound.is_some() {
            (Vec::new(), parents.last())
        } else {
            (parents.collect(), None)
        };
        CreateTable {
            name: self.relation(var),
            if_not_exists: create.if_not_exists(),
            persistence: persistence(var.map_or('p', tree::RangeVar::relpersistence)),
            foreign,
            columns,
            constraints,
            inherits,
            like: likes,
            of_type: create
                .ofTypename()
                .map(|ty| self.object_name(Some(ty.into()))),
            partition_by: create.partspec().map(|spec| PartitionBy {
                strategy: match spec.strategy() {
                    PartitionStrategy::PARTITION_STRATEGY_LIST => Strategy::List,
                    PartitionStrategy::PARTITION_STRATEGY_HASH => Strategy::Hash,
                    PartitionStrategy::PARTITION_STRATEGY_RANGE | PartitionStrategy::Unknown => {
                        Strategy::Range
                    }
                },
                key: spec
                    .partParams()
                    .of::<tree::PartitionElem<'_>>()
                    .map(|elem| self.partition_element(elem))
                    .collect(),
            }),
            partition_of: parent
                .zip(bound)
                .map(|(parent, bound)| self.partition_of(parent, bound)),
        }
    }

    fn partition_element(&self, elem: tree::PartitionElem<'_>) -> Element {
        Element {
            column: elem
                .name()
                .map(|name| Ident::new(name, self.at(elem.location()))),
            expr: self.opt_expr(elem.expr()),
            label: None,
            opclass: elem.opclass().strings().last().map(Into::into),
            collation: elem.collation().strings().last().map(Into::into),
            default_order: true,
            operator: None,
        }
    }

    pub(super) fn partition_of(
        &self,
        parent: Name,
        bound: tree::PartitionBoundSpec<'_>,
    ) -> PartitionOf {
        let text = bound
            .location()
            .map_or("", |start| &self.text[start..self.range.end as usize]);
        PartitionOf {
            parent,
            is_default: bound.is_default(),
            bound: text.trim().into(),
            values: match bound.strategy() {
                _ if bound.is_default() => Bound::Default,
                'l' => Bound::List(
                    bound
                        .listdatums()
                        .iter()
                        .map(|node| self.expr(node))
                        .collect(),
                ),
                'r' => Bound::Range(
                    bound
                        .lowerdatums()
                        .iter()
                        .map(|node| self.expr(node))
                        .collect(),
                    bound
                        .upperdatums()
                        .iter()
                        .map(|node| self.expr(node))
                        .collect(),
                ),
                _ => Bound::Hash,
            },
        }
    }

    /// A column definition, with what its constraints say.
    pub(super) fn column(&self, column: tree::ColumnDef<'_>) -> ColumnDef {
        let name = Ident::new(column.colname().unwrap_or(""), self.at(column.location()));
        let mut def = ColumnDef {
            ty: column.typeName().map(|ty| self.type_name(ty)),
            not_null: column.is_not_null(),
            not_null_written: false,
            default: None,
            identity: None,
            generated: None,
            collation: column
                .collClause()
                .and_then(|c| c.collname().strings().last().map(Into::into)),
            constraints: Vec::new(),
            compression: column.compression().is_some(),
            storage: column.storage_name().is_some(),
            span: self.element_span(column.location(), None),
            name,
        };
        let mut last: Option<usize> = None;
        // Where the next one begins, other than an attribute of this one.
        let next = |from: usize| {
            column
                .constraints()
                .of::<tree::Constraint<'_>>()
                .filter(|other| !is_attribute(other.contype()))
                .filter_map(tree::Constraint::location)
                .filter(|location| *location > from)
                .min()
        };
        for constraint in column.constraints().of::<tree::Constraint<'_>>() {
            match constraint.contype() {
                ConstrType::CONSTR_NOTNULL => {
                    def.not_null = true;
                    def.not_null_written = true;
                }
                ConstrType::CONSTR_DEFAULT => def.default = self.opt_expr(constraint.raw_expr()),
                ConstrType::CONSTR_IDENTITY => {
                    def.identity = Some(identity(constraint.generated_when()));
                    def.not_null = true;
                }
                ConstrType::CONSTR_GENERATED => {
                    def.generated = constraint.raw_expr().map(|expr| Generated {
                        expr: self.expr(expr),
                        stored: constraint.generated_kind() == 's',
                    });
                }
                // Attributes come as nodes of their own behind the constraint they belong to.
                ConstrType::CONSTR_ATTR_DEFERRABLE => {
                    if let Some(at) = last {
                        def.constraints[at].deferrable = true;
                    }
                }
                ConstrType::CONSTR_ATTR_NOT_ENFORCED => {
                    if let Some(at) = last {
                        def.constraints[at].not_enforced = true;
                    }
                }
                _ => {
                    if let Some(mut lowered) = self.constraint(constraint, Some(&def.name)) {
                        let start = constraint.location();
                        lowered.span = self.element_span(start, start.and_then(next));
                        def.not_null |= matches!(lowered.kind, ConstraintKind::PrimaryKey(_));
                        last = Some(def.constraints.len());
                        def.constraints.push(lowered);
                    }
                }
            }
        }
        def
    }

    /// From the first word of a column or constraint to the comma, parenthesis or end behind it, or to the offset where
    /// another one begins.
    fn element_span(&self, location: Option<usize>, until: Option<usize>) -> crate::source::Span {
        let Some(start) = location else {
            return self.whole();
        };
        let mut depth = 0_usize;
        let mut end = start;
        for token in self.tokens(start) {
            if until.is_some_and(|until| token.span.start as usize >= until) {
                break;
            }
            match token.text(self.text) {
                "(" | "[" => depth += 1,
                ")" | "]" if depth > 0 => depth -= 1,
                ")" | "," | ";" if depth == 0 => break,
                _ => {}
            }
            end = token.span.end as usize;
        }
        self.between(start, end)
    }

    /// A constraint; `column` is the one it is written at.
    pub(super) fn constraint(
        &self,
        constraint: tree::Constraint<'_>,
        column: Option<&Ident>,
    ) -> Option<ConstraintDef> {
        let span = self.at(constraint.location());
        let own = |list: List<'_>| -> Vec<Ident> {
            match column {
                Some(column) if list.is_empty() => vec![column.clone()],
                _ => self.idents(list, span),
            }
        };
        let key = || Key {
            columns: if constraint.indexname().is_some() {
                Vec::new()
            } else {
                own(constraint.keys())
            },
            include: self.idents(constraint.including(), span),
            using_index: constraint.indexname().map(|name| Ident::new(name, span)),
            nulls_not_distinct: constraint.nulls_not_distinct(),
        };
        let kind = match constraint.contype() {
            ConstrType::CONSTR_NOTNULL => {
                ConstraintKind::NotNull(own(constraint.keys()).into_iter().next()?)
            }
            ConstrType::CONSTR_CHECK => {
                ConstraintKind::Check(self.opt_expr(constraint.raw_expr())?)
            }
            ConstrType::CONSTR_PRIMARY => ConstraintKind::PrimaryKey(key()),
            ConstrType::CONSTR_UNIQUE => ConstraintKind::Unique(key()),
            ConstrType::CONSTR_EXCLUSION => ConstraintKind::Exclude {
                method: constraint.access_method().unwrap_or("btree").into(),
                elements: constraint
                    .exclusions()
                    .iter()
                    .filter_map(|pair| self.exclusion(pair))
                    .collect(),
                predicate: self.opt_expr(constraint.where_clause()),
            },
            ConstrType::CONSTR_FOREIGN => ConstraintKind::ForeignKey(Box::new(ForeignKey {
                columns: own(constraint.fk_attrs()),
                table: self.relation(constraint.pktable()),
                referenced: self.idents(constraint.pk_attrs(), span),
                on_delete: action(constraint.fk_del_action()),
                on_update: action(constraint.fk_upd_action()),
            })),
            _ => return None,
        };
        Some(ConstraintDef {
            name: constraint
                .conname()
                .map(|name| Ident::new(name, self.constraint_name_span(constraint, name))),
            kind,
            not_valid: constraint.skip_validation(),
            not_enforced: !constraint.is_enforced() && enforceable(constraint.contype()),
            no_inherit: constraint.is_no_inherit(),
            deferrable: constraint.deferrable(),
            span: self.element_span(constraint.location(), None),
        })
    }

    /// A named constraint begins with the word CONSTRAINT and its name.
    fn constraint_name_span(
        &self,
        constraint: tree::Constraint<'_>,
        name: &str,
    ) -> crate::source::Span {
        constraint
            .location()
            .and_then(|from| self.find_ident(from, name))
            .unwrap_or_else(|| self.at(constraint.location()))
    }

    /// `element WITH operator`, which the grammar gives as a list of the two.
    fn exclusion(&self, pair: Node<'_>) -> Option<Element> {
        let Node::List(pair) = pair else { return None };
        let (Some(Node::IndexElem(elem)), Some(Node::List(operator))) = (pair.get(0), pair.get(1))
        else {
            return None;
        };
        Some(Element {
            operator: operator.strings().last().map(Into::into),
            ..self.index_element(elem)
        })
    }

    fn sequence(
        &self,
        var: tree::RangeVar<'_>,
        options: List<'_>,
        guarded: bool,
    ) -> CreateSequence {
        let owned_by = option(options, "owned_by").and_then(|option| match option.arg() {
            Some(Node::List(list)) => {
                let parts: Vec<&str> = list.strings().collect();
                let (column, table) = parts.split_last()?;
                if table.is_empty() {
                    return None; // OWNED BY NONE
                }
                Some((
                    self.parts_name(table, self.whole()),
                    Ident::new(*column, self.whole()),
                ))
            }
            _ => None,
        });
        let ty = option(options, "as").and_then(|option| match option.arg() {
            Some(Node::TypeName(ty)) => Some(self.type_name(ty)),
            _ => None,
        });
        CreateSequence {
            name: self.range_var(var),
            guarded,
            owned_by_none: owned_by.is_none() && option(options, "owned_by").is_some(),
            owned_by,
            ty,
            persistence: persistence(var.relpersistence()),
        }
    }
}

/// `NOT ENFORCED` exists for these two only; for the others the parser leaves the flag unset.
fn enforceable(kind: ConstrType) -> bool {
    matches!(kind, ConstrType::CONSTR_CHECK | ConstrType::CONSTR_FOREIGN)
}

pub(super) fn identity(letter: char) -> Identity {
    if letter == 'a' {
        Identity::Always
    } else {
        Identity::ByDefault
    }
}

fn action(letter: char) -> ReferentialAction {
    match letter {
        'r' => ReferentialAction::Restrict,
        'c' => ReferentialAction::Cascade,
        'n' => ReferentialAction::SetNull,
        'd' => ReferentialAction::SetDefault,
        _ => ReferentialAction::NoAction,
    }
}

/// What PostgreSQL's grammar gives as a constraint of its own and is a property of the one before it.
fn is_attribute(kind: ConstrType) -> bool {
    matches!(
        kind,
        ConstrType::CONSTR_ATTR_DEFERRABLE
            | ConstrType::CONSTR_ATTR_NOT_DEFERRABLE
            | ConstrType::CONSTR_ATTR_DEFERRED
            | ConstrType::CONSTR_ATTR_IMMEDIATE
            | ConstrType::CONSTR_ATTR_ENFORCED
            | ConstrType::CONSTR_ATTR_NOT_ENFORCED
    )
}

/// An expression that stands for one that is missing.
pub(super) fn missing(span: crate::source::Span) -> Expr {
    Expr {
        span,
        kind: ExprKind::Other(Vec::new()),
    }
}
