//! Expressions.

use super::Lower;
use super::query::{DEEPEST, figure_name};
use crate::sql::tree::{
    self, A_Expr_Kind, BoolExprType, List, Node, NullTestType, SQLValueFunctionOp, SortByDir,
    SortByNulls, SubLinkType,
};
use crate::statement::{Element, Expr, ExprKind, Ident, Literal};

impl Lower<'_> {
    /// An expression. Parts nested deeper than [`DEEPEST`] are left out.
    pub(super) fn expr(&self, node: Node<'_>) -> Expr {
        self.expr_at(node, 0)
    }

    pub(super) fn opt_expr(&self, node: Option<Node<'_>>) -> Option<Expr> {
        node.map(|node| self.expr(node))
    }

    fn expr_at(&self, node: Node<'_>, depth: usize) -> Expr {
        let kind = if depth >= DEEPEST {
            ExprKind::Other(Vec::new())
        } else {
            self.expr_kind(node, depth + 1)
        };
        Expr {
            span: self.at(node.location()),
            kind,
        }
    }

    fn boxed(&self, node: Option<Node<'_>>, depth: usize) -> Box<Expr> {
        Box::new(match node {
            Some(node) => self.expr_at(node, depth),
            None => Expr {
                span: self.whole(),
                kind: ExprKind::Other(Vec::new()),
            },
        })
    }

    fn list(&self, list: List<'_>, depth: usize) -> Vec<Expr> {
        list.iter().map(|node| self.expr_at(node, depth)).collect()
    }

    fn expr_kind(&self, node: Node<'_>, depth: usize) -> ExprKind {
        match node {
            Node::ColumnRef(column) => {
                let part = |node: Node<'_>| match node {
                    Node::String(text) => text.sval().unwrap_or("").into(),
                    _ => "*".into(),
                };
                ExprKind::Column(column.fields().iter().map(part).collect())
            }
            Node::A_Const(constant) => ExprKind::Literal(literal(constant)),
            Node::ParamRef(param) => ExprKind::Param(param.number()),
            Node::TypeCast(cast) => match cast.typeName() {
                Some(ty) => {
                    let ty = self.type_name(ty);
                    let inner = self.boxed(cast.arg(), depth);
                    // The grammar writes `true` as `'t'::bool`.
                    match inner.as_string() {
                        Some("t") if ty.is("bool") => ExprKind::Literal(Literal::Bool(true)),
                        Some("f") if ty.is("bool") => ExprKind::Literal(Literal::Bool(false)),
                        _ => ExprKind::Cast(inner, ty),
                    }
                }
                None => ExprKind::Other(Vec::new()),
            },
            Node::FuncCall(call) => {
                let parts: Vec<&str> = call.funcname().strings().collect();
                let name = self.parts_name(&parts, self.whole());
                ExprKind::Call {
                    schema: name.schema,
                    name: name.name,
                    args: self.list(call.args(), depth),
                    star: call.agg_star(),
                }
            }
            Node::SQLValueFunction(function) => {
                ExprKind::ValueFunction(value_function(function.op()))
            }
            Node::A_Expr(expr) => self.operator(expr, depth),
            Node::BoolExpr(expr) => {
                let mut args = self.list(expr.args(), depth);
                match (expr.boolop(), args.len()) {
                    (BoolExprType::AND_EXPR, _) => ExprKind::And(args),
                    (BoolExprType::OR_EXPR, _) => ExprKind::Or(args),
                    (BoolExprType::NOT_EXPR, 1) => ExprKind::Not(Box::new(args.remove(0))),
                    _ => ExprKind::Other(args),
                }
            }
            Node::NullTest(test) => {
                let inner = self.boxed(test.arg(), depth);
                match test.nulltesttype() {
                    NullTestType::IS_NULL => ExprKind::IsNull(inner),
                    NullTestType::IS_NOT_NULL => ExprKind::IsNotNull(inner),
                    NullTestType::Unknown => ExprKind::Other(vec![*inner]),
                }
            }
            Node::CoalesceExpr(expr) => ExprKind::Coalesce(self.list(expr.args(), depth)),
            Node::A_ArrayExpr(expr) => ExprKind::Array(self.list(expr.elements(), depth)),
            Node::CollateClause(collate) => {
                let collation = collate.collname().strings().last().unwrap_or("");
                ExprKind::Collate(self.boxed(collate.arg(), depth), collation.into())
            }
            Node::CaseExpr(case) => {
                let mut parts: Vec<Expr> = case
                    .arg()
                    .into_iter()
                    .map(|arg| self.expr_at(arg, depth))
                    .collect();
                for when in case.args().of::<tree::CaseWhen<'_>>() {
                    parts.extend(when.expr().map(|expr| self.expr_at(expr, depth)));
                    parts.extend(when.result().map(|expr| self.expr_at(expr, depth)));
                }
                parts.extend(case.defresult().map(|expr| self.expr_at(expr, depth)));
                ExprKind::Case(parts)
            }
            Node::SubLink(link) => self.sublink(link, depth),
            other => {
                let mut children = Vec::new();
                other.children(&mut children);
                ExprKind::Other(
                    children
                        .into_iter()
                        .map(|child| self.expr_at(child, depth))
                        .collect(),
                )
            }
        }
    }

    /// A sub-query with the way its rows are used.
    fn sublink(&self, link: tree::SubLink<'_>, depth: usize) -> ExprKind {
        let Some(select) = link.subselect() else {
            return ExprKind::Other(Vec::new());
        };
        let query = Expr {
            span: self.at(link.location()),
            kind: ExprKind::Subquery(Box::new(self.query(select))),
        };
        let tested = link.testexpr().map(|test| self.expr_at(test, depth));
        let operator = link.operName().strings().last().unwrap_or("=");
        match link.subLinkType() {
            // `IN` has no operator in the tree, `= ANY` has.
            SubLinkType::ANY_SUBLINK if operator == "=" => ExprKind::Operator {
                name: "in".into(),
                args: tested.into_iter().chain([query]).collect(),
            },
            SubLinkType::EXISTS_SUBLINK => ExprKind::Operator {
                name: "exists".into(),
                args: vec![query],
            },
            SubLinkType::ARRAY_SUBLINK => ExprKind::Array(vec![query]),
            SubLinkType::EXPR_SUBLINK | SubLinkType::MULTIEXPR_SUBLINK => query.kind,
            _ => ExprKind::Other(tested.into_iter().chain([query]).collect()),
        }
    }

    fn operator(&self, expr: tree::A_Expr<'_>, depth: usize) -> ExprKind {
        let mut args: Vec<Expr> = expr
            .lexpr()
            .into_iter()
            .map(|node| self.expr_at(node, depth))
            .collect();
        match expr.rexpr() {
            Some(Node::List(list)) => args.extend(self.list(list, depth)),
            Some(node) => args.push(self.expr_at(node, depth)),
            None => {}
        }
        let written = expr.name().strings().last().unwrap_or("");
        let negated = written == "<>" || written.starts_with('!');
        let name = match expr.kind() {
            A_Expr_Kind::AEXPR_OP => written,
            A_Expr_Kind::AEXPR_DISTINCT | A_Expr_Kind::AEXPR_NOT_DISTINCT if args.len() == 2 => {
                let (right, left) = (args.pop(), args.pop());
                let (Some(left), Some(right)) = (left, right) else {
                    return ExprKind::Other(Vec::new());
                };
                let distinct = ExprKind::IsDistinct(Box::new(left), Box::new(right));
                return if expr.kind() == A_Expr_Kind::AEXPR_DISTINCT {
                    distinct
                } else {
                    ExprKind::Not(Box::new(Expr {
                        span: self.at(expr.location()),
                        kind: distinct,
                    }))
                };
            }
            A_Expr_Kind::AEXPR_NULLIF => {
                return ExprKind::Call {
                    schema: None,
                    name: "nullif".into(),
                    args,
                    star: false,
                };
            }
            A_Expr_Kind::AEXPR_OP_ANY if written == "=" => "any",
            A_Expr_Kind::AEXPR_OP_ANY => return ExprKind::Other(args),
            A_Expr_Kind::AEXPR_OP_ALL => "all",
            A_Expr_Kind::AEXPR_IN if negated => "not in",
            A_Expr_Kind::AEXPR_IN => "in",
            A_Expr_Kind::AEXPR_LIKE if negated => "not like",
            A_Expr_Kind::AEXPR_LIKE => "like",
            A_Expr_Kind::AEXPR_ILIKE if negated => "not ilike",
            A_Expr_Kind::AEXPR_ILIKE => "ilike",
            A_Expr_Kind::AEXPR_SIMILAR => "similar to",
            A_Expr_Kind::AEXPR_BETWEEN | A_Expr_Kind::AEXPR_BETWEEN_SYM => "between",
            A_Expr_Kind::AEXPR_NOT_BETWEEN | A_Expr_Kind::AEXPR_NOT_BETWEEN_SYM => "not between",
            _ => return ExprKind::Other(args),
        };
        // A negative number is an operator and a number.
        if name == "-"
            && let [
                Expr {
                    kind: ExprKind::Literal(Literal::Int(value)),
                    ..
                },
            ] = args.as_slice()
        {
            return ExprKind::Literal(Literal::Int(-value));
        }
        ExprKind::Operator {
            name: name.into(),
            args,
        }
    }

    /// Columns and expressions of an index, a partition key or an exclusion constraint.
    pub(super) fn index_element(&self, elem: tree::IndexElem<'_>) -> Element {
        Element {
            column: elem.name().map(|name| {
                let from = self.range.start as usize;
                Ident::new(
                    name,
                    self.find_ident(from, name).unwrap_or_else(|| self.whole()),
                )
            }),
            expr: self.opt_expr(elem.expr()),
            label: elem
                .expr()
                .and_then(|expr| figure_name(expr, 0))
                .map(|(name, _)| name.into()),
            opclass: elem.opclass().strings().last().map(Into::into),
            collation: elem.collation().strings().last().map(Into::into),
            default_order: matches!(
                elem.ordering(),
                SortByDir::SORTBY_DEFAULT | SortByDir::SORTBY_ASC
            ) && matches!(
                elem.nulls_ordering(),
                SortByNulls::SORTBY_NULLS_DEFAULT | SortByNulls::SORTBY_NULLS_LAST
            ),
            operator: None,
        }
    }
}

/// A constant.
pub(super) fn literal(constant: tree::A_Const<'_>) -> Literal {
    if constant.isnull() {
        return Literal::Null;
    }
    match constant.val() {
        Some(Node::Integer(value)) => Literal::Int(value.ival()),
        Some(Node::Float(value)) => Literal::Number(value.fval().unwrap_or("").into()),
        Some(Node::Boolean(value)) => Literal::Bool(value.boolval()),
        Some(Node::String(value)) => Literal::String(value.sval().unwrap_or("").into()),
        Some(Node::BitString(value)) => Literal::Bits(value.bsval().unwrap_or("").into()),
        _ => Literal::Null,
    }
}

pub(super) fn value_function(op: SQLValueFunctionOp) -> &'static str {
    use SQLValueFunctionOp as Op;
    match op {
        Op::SVFOP_CURRENT_DATE => "current_date",
        Op::SVFOP_CURRENT_TIME | Op::SVFOP_CURRENT_TIME_N => "current_time",
        Op::SVFOP_CURRENT_TIMESTAMP | Op::SVFOP_CURRENT_TIMESTAMP_N => "current_timestamp",
        Op::SVFOP_LOCALTIME | Op::SVFOP_LOCALTIME_N => "localtime",
        Op::SVFOP_LOCALTIMESTAMP | Op::SVFOP_LOCALTIMESTAMP_N => "localtimestamp",
        Op::SVFOP_CURRENT_ROLE => "current_role",
        Op::SVFOP_CURRENT_USER => "current_user",
        Op::SVFOP_USER => "user",
        Op::SVFOP_SESSION_USER => "session_user",
        Op::SVFOP_CURRENT_CATALOG => "current_catalog",
        Op::SVFOP_CURRENT_SCHEMA => "current_schema",
        Op::Unknown => "unknown",
    }
}
