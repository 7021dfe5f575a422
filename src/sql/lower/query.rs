//! Queries and statements that change rows.

use super::Lower;
use super::name::persistence;
use crate::sql::tree::{self, Node, ObjectType, Walk, walk};
use crate::statement::{
    Change, ChangeVerb, CreateTableAs, CreateView, Expr, ExprKind, Ident, Insert, InsertRows, Kind,
    Literal, Mention, Name, Output, Persistence, Query, Relation, SetVariable,
};

/// How deep expressions are looked into. PostgreSQL's own limit on nesting is the stack; people stay below 30.
pub(super) const DEEPEST: usize = 100;

/// PostgreSQL's own limit on output columns (`MaxTupleAttributeNumber`).
const MOST_COLUMNS: usize = 1664;

/// How many rows of a `VALUES` list are looked at.
const FIRST_ROWS: usize = 100;

/// How many queries inside one another have their output expressions looked at; all of them have their relations listed.
const NESTED_QUERIES: u32 = 8;

impl Lower<'_> {
    pub(super) fn query_kind(&self, node: Node<'_>) -> Option<(Kind, &'static str)> {
        Some(match node {
            Node::SelectStmt(select) => match set_config(self, select) {
                Some(set) => (Kind::Set(set), "SELECT"),
                None => (Kind::Select(Box::new(self.query(node))), "SELECT"),
            },
            Node::InsertStmt(insert) => {
                let rows = match insert.selectStmt() {
                    Some(Node::SelectStmt(select)) if !select.valuesLists().is_empty() => {
                        InsertRows::Values(select.valuesLists().len())
                    }
                    Some(_) => InsertRows::Query,
                    None => InsertRows::Values(1),
                };
                let insert = Insert {
                    table: self.relation(insert.relation()),
                    columns: insert
                        .cols()
                        .of::<tree::ResTarget<'_>>()
                        .filter_map(|target| {
                            Some(Ident::new(target.name()?, self.at(target.location())))
                        })
                        .collect(),
                    rows,
                    values: self.first_rows(insert.selectStmt()),
                    query: self.query(node),
                };
                (Kind::Insert(Box::new(insert)), "INSERT")
            }
            Node::UpdateStmt(_) => (Kind::Change(Box::new(self.change(node)?)), "UPDATE"),
            Node::DeleteStmt(_) => (Kind::Change(Box::new(self.change(node)?)), "DELETE"),
            Node::MergeStmt(_) => (Kind::Merge(Box::new(self.change(node)?)), "MERGE"),
            Node::ViewStmt(view) => {
                let var = view.view()?;
                let query = view
                    .query()
                    .map(|query| self.query(query))
                    .unwrap_or_default();
                let create = CreateView {
                    name: self.range_var(var),
                    or_replace: view.replace(),
                    persistence: persistence(var.relpersistence()),
                    columns: self.output_columns(view.aliases(), view.query()),
                    names: self.idents(view.aliases(), self.whole()),
                    query,
                };
                (Kind::CreateView(Box::new(create)), "CREATE VIEW")
            }
            Node::CreateTableAsStmt(create) => {
                let into = create.into()?;
                let var = into.rel()?;
                let materialized = create.objtype() == ObjectType::OBJECT_MATVIEW;
                let lowered = CreateTableAs {
                    name: self.range_var(var),
                    materialized,
                    persistence: persistence(var.relpersistence()),
                    if_not_exists: create.if_not_exists(),
                    with_data: !into.skipData(),
                    columns: self.output_columns(into.colNames(), create.query()),
                    names: self.idents(into.colNames(), self.whole()),
                    query: create
                        .query()
                        .map(|query| self.query(query))
                        .unwrap_or_default(),
                };
                let tag = if materialized {
                    "CREATE MATERIALIZED VIEW"
                } else {
                    "CREATE TABLE AS"
                };
                (Kind::CreateTableAs(Box::new(lowered)), tag)
            }
            _ => return None,
        })
    }

    /// What the first rows of an `INSERT` are made of.
    fn first_rows(&self, query: Option<Node<'_>>) -> Vec<Vec<Expr>> {
        let Some(Node::SelectStmt(select)) = query else {
            return Vec::new();
        };
        if select.valuesLists().is_empty() {
            let row: Vec<Expr> = select
                .targetList()
                .of::<tree::ResTarget<'_>>()
                .filter_map(|target| target.val())
                .take(MOST_COLUMNS)
                .map(|value| self.expr_of_target(value))
                .collect();
            return if row.is_empty() {
                Vec::new()
            } else {
                vec![row]
            };
        }
        select
            .valuesLists()
            .iter()
            .take(FIRST_ROWS)
            .map(|row| match row {
                Node::List(row) => row.iter().map(|value| self.expr_of_target(value)).collect(),
                _ => Vec::new(),
            })
            .collect()
    }

    /// `UPDATE`, `DELETE`, `MERGE`.
    fn change(&self, node: Node<'_>) -> Option<Change> {
        let (verb, target, condition, assignments) = match node {
            Node::UpdateStmt(update) => (
                ChangeVerb::Update,
                update.relation()?,
                update.whereClause(),
                Some(update.targetList()),
            ),
            Node::DeleteStmt(delete) => (
                ChangeVerb::Delete,
                delete.relation()?,
                delete.whereClause(),
                None,
            ),
            Node::MergeStmt(merge) => (
                ChangeVerb::Merge,
                merge.relation()?,
                merge.joinCondition(),
                None,
            ),
            Node::InsertStmt(insert) => (ChangeVerb::Insert, insert.relation()?, None, None),
            _ => return None,
        };
        let assignments = assignments
            .into_iter()
            .flat_map(tree::List::of::<tree::ResTarget<'_>>)
            .filter_map(|target| {
                let value = target.val().map_or_else(
                    || Expr {
                        span: self.at(target.location()),
                        kind: ExprKind::Other(Vec::new()),
                    },
                    |value| self.expr(value),
                );
                Some((
                    Ident::new(target.name()?, self.at(target.location())),
                    value,
                ))
            })
            .collect();
        Some(Change {
            verb,
            table: Relation {
                name: self.range_var(target),
                only: !target.inh(),
            },
            assignments,
            condition: self.opt_expr(condition),
            query: self.query(node),
        })
    }

    /// What a query (or a changing statement around queries) reads and calls.
    pub(super) fn query(&self, root: Node<'_>) -> Query {
        let mut query = Query::default();
        let mut ctes: Vec<&str> = Vec::new();
        // Relations that are written and not read, by where they stand.
        let mut written: Vec<Option<usize>> = Vec::new();
        let mut locks_all = false;
        let mut locked: Vec<String> = Vec::new();
        let mut aliases: Vec<(String, Name)> = Vec::new();
        let mut first = true;
        walk(root, &mut |node| {
            let is_root = std::mem::replace(&mut first, false);
            match node {
                Node::SelectStmt(select) => {
                    if is_root {
                        query.into = select
                            .intoClause()
                            .and_then(|into| into.rel())
                            .map(|var| self.range_var(var));
                        query.into_persistence = select
                            .intoClause()
                            .and_then(|into| into.rel())
                            .map_or(Persistence::Permanent, |var| {
                                persistence(var.relpersistence())
                            });
                    }
                    if let Some(var) = select.intoClause().and_then(|into| into.rel()) {
                        written.push(var.location());
                    }
                }
                Node::InsertStmt(insert) => {
                    written.extend(insert.relation().map(|var| var.location()))
                }
                Node::UpdateStmt(update) => {
                    written.extend(update.relation().map(|var| var.location()))
                }
                Node::DeleteStmt(delete) => {
                    written.extend(delete.relation().map(|var| var.location()))
                }
                Node::MergeStmt(merge) => {
                    written.extend(merge.relation().map(|var| var.location()))
                }
                Node::CommonTableExpr(cte) => {
                    query.derived = true;
                    ctes.extend(cte.ctename());
                }
                Node::RangeSubselect(_) | Node::RangeFunction(_) => query.derived = true,
                Node::RangeVar(var) => {
                    if !written.contains(&var.location()) {
                        let name = self.range_var(var);
                        let alias = var
                            .alias()
                            .and_then(|alias| alias.aliasname())
                            .unwrap_or(&name.name);
                        aliases.push((alias.to_owned(), name.clone()));
                        query.reads.push(name);
                    }
                }
                Node::ColumnRef(column) => {
                    query.mentions.push(mention(column));
                    match column.fields().last() {
                        Some(Node::String(text)) => {
                            query.columns.push(Ident::new(
                                text.sval().unwrap_or(""),
                                self.at(column.location()),
                            ));
                        }
                        _ => query.star = true,
                    }
                }
                Node::FuncCall(call) => {
                    let parts: Vec<&str> = call.funcname().strings().collect();
                    query
                        .calls
                        .push(self.parts_name(&parts, self.at(call.location())));
                }
                Node::LockingClause(clause) => {
                    let names: Vec<String> = clause
                        .lockedRels()
                        .of::<tree::RangeVar<'_>>()
                        .filter_map(|var| var.relname().map(ToOwned::to_owned))
                        .collect();
                    locks_all |= names.is_empty();
                    locked.extend(names);
                    return Walk::Skip;
                }
                _ => {}
            }
            if !is_root
                && matches!(
                    node,
                    Node::InsertStmt(_)
                        | Node::UpdateStmt(_)
                        | Node::DeleteStmt(_)
                        | Node::MergeStmt(_)
                )
            {
                if let Some(change) = self.shallow_change(node) {
                    query.changes.push(change);
                }
            }
            Walk::Enter
        });
        query
            .reads
            .retain(|name| name.schema.is_some() || !ctes.contains(&&*name.name));
        query.aliases = aliases
            .iter()
            .filter(|(_, name)| name.schema.is_some() || !ctes.contains(&&*name.name))
            .map(|(alias, name)| (alias.as_str().into(), name.clone()))
            .collect();
        if locks_all {
            query.locked.clone_from(&query.reads);
        } else {
            query.locked = aliases
                .into_iter()
                .filter(|(alias, _)| locked.contains(alias))
                .map(|(_, name)| name)
                .collect();
        }
        let outermost = outermost_select(root);
        if let Some(select) = outermost {
            query.has_where = select.whereClause().is_some();
            query.has_limit = select.limitCount().is_some();
        }
        query.limited_source = has_limited_source(root)
            || outermost.is_some_and(|select| has_limited_source(Node::SelectStmt(select)));
        if let Some(select) = outermost
            && self.nesting.get() < NESTED_QUERIES
        {
            self.nesting.set(self.nesting.get() + 1);
            query.condition = self.opt_expr(select.whereClause());
            self.nesting.set(self.nesting.get() - 1);
        }
        if let Node::SelectStmt(select) = root
            && self.nesting.get() < NESTED_QUERIES
        {
            self.nesting.set(self.nesting.get() + 1);
            query.targets = select
                .targetList()
                .of::<tree::ResTarget<'_>>()
                .filter_map(|target| target.val())
                .take(MOST_COLUMNS)
                .map(|value| self.expr_of_target(value))
                .collect();
            query.outputs = outputs(select);
            query.from = self.from_items(select).filter(|items| {
                let own = |name: &Name| name.schema.is_some() || !ctes.contains(&&*name.name);
                items.iter().all(|(_, name)| own(name))
            });
            self.nesting.set(self.nesting.get() - 1);
        }
        query
    }

    /// An output expression; a sub-query in it is not looked into again.
    fn expr_of_target(&self, node: Node<'_>) -> Expr {
        match node {
            Node::SubLink(_) => Expr {
                span: self.at(node.location()),
                kind: ExprKind::Other(Vec::new()),
            },
            node => self.expr(node),
        }
    }

    /// A change inside `WITH`, without what it reads (the whole query has that).
    fn shallow_change(&self, node: Node<'_>) -> Option<Change> {
        let (verb, target, condition) = match node {
            Node::InsertStmt(insert) => (ChangeVerb::Insert, insert.relation()?, None),
            Node::UpdateStmt(update) => {
                (ChangeVerb::Update, update.relation()?, update.whereClause())
            }
            Node::DeleteStmt(delete) => {
                (ChangeVerb::Delete, delete.relation()?, delete.whereClause())
            }
            Node::MergeStmt(merge) => (ChangeVerb::Merge, merge.relation()?, merge.joinCondition()),
            _ => return None,
        };
        Some(Change {
            verb,
            table: Relation {
                name: self.range_var(target),
                only: !target.inh(),
            },
            assignments: Vec::new(),
            condition: self.opt_expr(condition),
            query: Query::default(),
        })
    }

    /// Names of a query's output columns; empty if they cannot be told without a schema.
    fn output_columns(&self, aliases: tree::List<'_>, query: Option<Node<'_>>) -> Vec<Ident> {
        let mut names = self.idents(aliases, self.whole());
        let Some(Node::SelectStmt(select)) = query else {
            return names;
        };
        for output in outputs(select).into_iter().skip(names.len()) {
            match output {
                Output::Column(name) => names.push(Ident::new(name, self.whole())),
                Output::Star(_) => return Vec::new(),
            }
        }
        names
    }

    /// Relations of the outermost `FROM`, if it holds nothing else.
    fn from_items(&self, select: tree::SelectStmt<'_>) -> Option<Vec<(Box<str>, Name)>> {
        if select.larg().is_some() {
            return None;
        }
        let mut items = Vec::new();
        let mut next: Vec<Node<'_>> = select.fromClause().iter().collect();
        next.reverse();
        while let Some(node) = next.pop() {
            match node {
                Node::RangeVar(var) => {
                    let name = self.range_var(var);
                    let alias = var.alias().and_then(|alias| alias.aliasname());
                    items.push((alias.unwrap_or(&name.name).into(), name.clone()));
                }
                Node::JoinExpr(join) if join.usingClause().is_empty() && !join.isNatural() => {
                    next.extend(join.rarg());
                    next.extend(join.larg());
                }
                _ => return None,
            }
        }
        Some(items)
    }
}

fn mention(column: tree::ColumnRef<'_>) -> Mention {
    let fields: Vec<Box<str>> = column
        .fields()
        .iter()
        .map(|field| match field {
            Node::String(text) => text.sval().unwrap_or("").into(),
            _ => "*".into(),
        })
        .collect();
    match fields.as_slice() {
        [.., relation, column] => Mention {
            relation: Some(relation.clone()),
            column: column.clone(),
        },
        [column] => Mention {
            relation: None,
            column: column.clone(),
        },
        [] => Mention {
            relation: None,
            column: "*".into(),
        },
    }
}

/// Output columns of a query as PostgreSQL names them (`FigureColname`).
fn outputs(mut select: tree::SelectStmt<'_>) -> Vec<Output> {
    // A set operation is named by its leftmost branch.
    while let Some(left) = select.larg() {
        select = left;
    }
    if let Some(Node::List(row)) = select.valuesLists().get(0) {
        return (1..=row.len())
            .map(|number| Output::Column(format!("column{number}").into()))
            .collect();
    }
    select
        .targetList()
        .of::<tree::ResTarget<'_>>()
        .take(MOST_COLUMNS)
        .map(|target| {
            if let Some(name) = target.name() {
                return Output::Column(name.into());
            }
            if let Some(Node::ColumnRef(column)) = target.val() {
                let mention = mention(column);
                if &*mention.column == "*" {
                    return Output::Star(mention.relation);
                }
            }
            let name = target.val().and_then(|value| figure_name(value, 0));
            Output::Column(name.map_or("?column?", |(name, _)| name).into())
        })
        .collect()
}

/// The name an expression gives its column, and whether it is one of its own rather than that of a type it is cast to.
pub(super) fn figure_name(node: Node<'_>, depth: usize) -> Option<(&str, bool)> {
    if depth >= DEEPEST {
        return None;
    }
    match node {
        Node::ColumnRef(column) => column.fields().strings().last().map(|name| (name, true)),
        Node::FuncCall(call) => call.funcname().strings().last().map(|name| (name, true)),
        Node::TypeCast(cast) => match cast.arg().and_then(|arg| figure_name(arg, depth + 1)) {
            Some((name, true)) => Some((name, true)),
            _ => cast
                .typeName()
                .and_then(|ty| ty.names().strings().last())
                .map(|name| (name, false)),
        },
        Node::CollateClause(collate) => figure_name(collate.arg()?, depth + 1),
        Node::A_Indirection(indirection) => indirection
            .indirection()
            .strings()
            .last()
            .map(|name| (name, true))
            .or_else(|| figure_name(indirection.arg()?, depth + 1)),
        Node::CaseExpr(case) => match case.defresult().and_then(|e| figure_name(e, depth + 1)) {
            Some((name, true)) => Some((name, true)),
            _ => Some(("case", false)),
        },
        Node::A_ArrayExpr(_) => Some(("array", true)),
        Node::RowExpr(_) => Some(("row", true)),
        Node::CoalesceExpr(_) => Some(("coalesce", true)),
        Node::MinMaxExpr(expr) => Some((
            if expr.op() == tree::MinMaxOp::IS_LEAST {
                "least"
            } else {
                "greatest"
            },
            true,
        )),
        Node::A_Expr(expr) if expr.kind() == tree::A_Expr_Kind::AEXPR_NULLIF => {
            Some(("nullif", true))
        }
        Node::SQLValueFunction(function) => {
            Some((super::expr::value_function(function.op()), true))
        }
        Node::SubLink(link) => match link.subLinkType() {
            tree::SubLinkType::EXISTS_SUBLINK => Some(("exists", true)),
            tree::SubLinkType::ARRAY_SUBLINK => Some(("array", true)),
            tree::SubLinkType::EXPR_SUBLINK => match link.subselect()? {
                Node::SelectStmt(mut select) => {
                    while let Some(left) = select.larg() {
                        select = left;
                    }
                    let target = select.targetList().of::<tree::ResTarget<'_>>().next()?;
                    match target.name() {
                        Some(name) => Some((name, true)),
                        None => figure_name(target.val()?, depth + 1),
                    }
                }
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// The `SELECT` that a query, or the query of an `INSERT`, is at its outermost level.
fn outermost_select(root: Node<'_>) -> Option<tree::SelectStmt<'_>> {
    match root {
        Node::SelectStmt(select) => Some(select),
        Node::InsertStmt(insert) => match insert.selectStmt() {
            Some(Node::SelectStmt(select)) => Some(select),
            _ => None,
        },
        _ => None,
    }
}

/// True if a `WITH` query or a sub-query that stands among the sources of a statement has a `LIMIT`.
fn has_limited_source(root: Node<'_>) -> bool {
    let (with, sources) = match root {
        Node::SelectStmt(select) => (select.withClause(), Some(select.fromClause())),
        Node::InsertStmt(insert) => (insert.withClause(), None),
        Node::UpdateStmt(update) => (update.withClause(), Some(update.fromClause())),
        Node::DeleteStmt(delete) => (delete.withClause(), Some(delete.usingClause())),
        Node::MergeStmt(merge) => (merge.withClause(), None),
        _ => return false,
    };
    let is_limited = |query: Option<Node<'_>>| matches!(query, Some(Node::SelectStmt(select)) if select.limitCount().is_some());
    let in_with = with
        .into_iter()
        .flat_map(|with| with.ctes().of::<tree::CommonTableExpr<'_>>())
        .any(|cte| is_limited(cte.ctequery()));
    let of_merge = match root {
        Node::MergeStmt(merge) => merge.sourceRelation(),
        _ => None,
    };
    in_with
        || sources
            .into_iter()
            .flat_map(|sources| sources.iter())
            .chain(of_merge)
            .any(|source| {
                matches!(source, Node::RangeSubselect(select) if is_limited(select.subquery()))
            })
}

/// `SELECT set_config('lock_timeout', '5s', false)` as the `SET` it is.
fn set_config(lower: &Lower<'_>, select: tree::SelectStmt<'_>) -> Option<SetVariable> {
    let mut targets = select.targetList().of::<tree::ResTarget<'_>>();
    let (target, None) = (targets.next()?, targets.next()) else {
        return None;
    };
    if !select.fromClause().is_empty() {
        return None;
    }
    let ExprKind::Call {
        schema: None,
        name,
        args,
        ..
    } = lower.expr(target.val()?).kind
    else {
        return None;
    };
    if &*name != "set_config" || args.len() != 3 {
        return None;
    }
    let local = matches!(args[2].kind, ExprKind::Literal(Literal::Bool(true)));
    // PostgreSQL turns an empty search_path (as pg_dump writes it) into "no schema".
    Some(SetVariable {
        name: args[0].as_string()?.to_ascii_lowercase().into(),
        value: args[1].as_string().map(Into::into),
        local,
    })
}
