//! Expressions: as much of them as effects and rules have to understand.

use super::name::Ident;
use super::ty::TypeName;
use crate::source::Span;

/// An expression with its place.
#[derive(Debug, Clone)]
pub struct Expr {
    /// Where it stands; exact for its first token only where PostgreSQL's parser tells no more.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

/// Constants.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `NULL`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// An integer that fits 32 bits.
    Int(i32),
    /// Any other number, as written.
    Number(Box<str>),
    /// A string, decoded.
    String(Box<str>),
    /// A bit string.
    Bits(Box<str>),
}

/// Kinds of expressions.
#[derive(Debug, Clone)]
pub enum ExprKind {
    /// A column reference; the last part is the column (`*` for all of them).
    Column(Vec<Box<str>>),
    /// A constant.
    Literal(Literal),
    /// `$1`.
    Param(i32),
    /// `x::t`, `CAST(x AS t)`.
    Cast(Box<Expr>, TypeName),
    /// A function call. `name` is lower case without `pg_catalog`; the schema is kept for others.
    Call {
        /// Schema, if written and not `pg_catalog`.
        schema: Option<Box<str>>,
        /// Name of the function.
        name: Box<str>,
        /// Arguments.
        args: Vec<Expr>,
        /// `f(*)`.
        star: bool,
    },
    /// A SQL value function: `current_timestamp`, `current_user`, …, by its lower-case keyword.
    ValueFunction(&'static str),
    /// An operator with one or two operands.
    Operator {
        /// The operator's characters (`=`, `<>`, `||`), or `like`, `ilike`, `similar to`, `between`, `in`, `any`
        /// (which is `= ANY`), `exists`.
        name: Box<str>,
        /// Operands; two for most, more for `in` and `between`; a sub-query is the last one.
        args: Vec<Expr>,
    },
    /// `a AND b …`.
    And(Vec<Expr>),
    /// `a OR b …`.
    Or(Vec<Expr>),
    /// `NOT a`.
    Not(Box<Expr>),
    /// `a IS NULL`.
    IsNull(Box<Expr>),
    /// `a IS NOT NULL`.
    IsNotNull(Box<Expr>),
    /// `a IS DISTINCT FROM b`.
    IsDistinct(Box<Expr>, Box<Expr>),
    /// `COALESCE(…)`.
    Coalesce(Vec<Expr>),
    /// `CASE`: all sub-expressions in order.
    Case(Vec<Expr>),
    /// `ARRAY[…]`.
    Array(Vec<Expr>),
    /// `a COLLATE "x"`.
    Collate(Box<Expr>, Box<str>),
    /// A sub-query: alone it stands for one value; `IN`, `EXISTS` and `ARRAY` stand around it.
    Subquery(Box<super::Query>),
    /// Anything else, or something nested deeper than is looked into: its parts that are expressions.
    Other(Vec<Expr>),
}

impl Expr {
    /// The expressions directly inside this one.
    #[must_use]
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Column(_)
            | ExprKind::Literal(_)
            | ExprKind::Param(_)
            | ExprKind::ValueFunction(_)
            | ExprKind::Subquery(_) => Vec::new(),
            ExprKind::Cast(inner, _)
            | ExprKind::Not(inner)
            | ExprKind::IsNull(inner)
            | ExprKind::IsNotNull(inner)
            | ExprKind::Collate(inner, _) => vec![inner],
            ExprKind::IsDistinct(left, right) => vec![left, right],
            ExprKind::Call { args, .. }
            | ExprKind::Operator { args, .. }
            | ExprKind::And(args)
            | ExprKind::Or(args)
            | ExprKind::Coalesce(args)
            | ExprKind::Case(args)
            | ExprKind::Array(args)
            | ExprKind::Other(args) => args.iter().collect(),
        }
    }

    /// The same, to be changed.
    pub(crate) fn children_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.kind {
            ExprKind::Column(_)
            | ExprKind::Literal(_)
            | ExprKind::Param(_)
            | ExprKind::ValueFunction(_)
            | ExprKind::Subquery(_) => Vec::new(),
            ExprKind::Cast(inner, _)
            | ExprKind::Not(inner)
            | ExprKind::IsNull(inner)
            | ExprKind::IsNotNull(inner)
            | ExprKind::Collate(inner, _) => vec![inner],
            ExprKind::IsDistinct(left, right) => vec![left, right],
            ExprKind::Call { args, .. }
            | ExprKind::Operator { args, .. }
            | ExprKind::And(args)
            | ExprKind::Or(args)
            | ExprKind::Coalesce(args)
            | ExprKind::Case(args)
            | ExprKind::Array(args)
            | ExprKind::Other(args) => args.iter_mut().collect(),
        }
    }

    /// This expression and all inside it, outermost first.
    pub fn walk(&self) -> impl Iterator<Item = &Expr> {
        let mut stack = vec![self];
        std::iter::from_fn(move || {
            let next = stack.pop()?;
            stack.extend(next.children().into_iter().rev());
            Some(next)
        })
    }

    /// True if a function of that name is called somewhere in it.
    #[must_use]
    pub fn calls(&self, function: &str) -> bool {
        self.walk()
            .any(|part| matches!(&part.kind, ExprKind::Call { name, .. } if **name == *function))
    }

    /// The column's name if this is a plain column reference (qualified or not).
    #[must_use]
    pub fn as_column(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Column(parts) => parts.last().map(|part| &**part),
            _ => None,
        }
    }

    /// Names of all columns mentioned, in order, without those of sub-queries.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.walk().filter_map(Expr::as_column)
    }

    /// True if the expression is the constant NULL (also cast to a type).
    #[must_use]
    pub fn is_null(&self) -> bool {
        match &self.kind {
            ExprKind::Literal(Literal::Null) => true,
            ExprKind::Cast(inner, _) => inner.is_null(),
            _ => false,
        }
    }

    /// The string if the expression is a string constant (also cast to a type).
    #[must_use]
    pub fn as_string(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Literal(Literal::String(text)) => Some(text),
            ExprKind::Cast(inner, _) => inner.as_string(),
            _ => None,
        }
    }

    /// Same expression, places aside.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        let shallow = match (&self.kind, &other.kind) {
            (ExprKind::Column(a), ExprKind::Column(b)) => a == b,
            (ExprKind::Literal(a), ExprKind::Literal(b)) => a == b,
            (ExprKind::Param(a), ExprKind::Param(b)) => a == b,
            (ExprKind::Cast(_, a), ExprKind::Cast(_, b)) => a == b,
            (
                ExprKind::Call {
                    schema: s1,
                    name: n1,
                    star: x1,
                    ..
                },
                ExprKind::Call {
                    schema: s2,
                    name: n2,
                    star: x2,
                    ..
                },
            ) => s1 == s2 && n1 == n2 && x1 == x2,
            (ExprKind::ValueFunction(a), ExprKind::ValueFunction(b)) => a == b,
            (ExprKind::Operator { name: a, .. }, ExprKind::Operator { name: b, .. }) => a == b,
            (ExprKind::Collate(_, a), ExprKind::Collate(_, b)) => a == b,
            // Two sub-queries or unknown expressions are never taken for the same.
            (ExprKind::Subquery(_) | ExprKind::Other(_), _) => false,
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        };
        let (mine, theirs) = (self.children(), other.children());
        shallow && mine.len() == theirs.len() && mine.iter().zip(&theirs).all(|(a, b)| a.same(b))
    }
}

/// An index column, a partition key column or an exclusion element: a column or an expression.
#[derive(Debug, Clone)]
pub struct Element {
    /// The column, if it is a plain one.
    pub column: Option<Ident>,
    /// The expression otherwise.
    pub expr: Option<Expr>,
    /// What PostgreSQL calls the expression in names that it makes from it, if it finds a word for it.
    pub label: Option<Box<str>>,
    /// Operator class, if written.
    pub opclass: Option<Box<str>>,
    /// Collation, if written.
    pub collation: Option<Box<str>>,
    /// True unless `DESC` or a non-default `NULLS` order is written.
    pub default_order: bool,
    /// The operator of an exclusion element.
    pub operator: Option<Box<str>>,
}

impl Element {
    /// True if it is that column or an expression over it.
    #[must_use]
    pub fn mentions(&self, column: &str) -> bool {
        self.column
            .as_ref()
            .is_some_and(|name| &*name.text == column)
            || self
                .expr
                .as_ref()
                .is_some_and(|expr| expr.columns().any(|name| name == column))
    }
}
