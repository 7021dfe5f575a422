//! The part of Python's syntax that migrations are written in: about 25 kinds of nodes, each with its place.
//!
//! Whatever has no node here is kept as [`ExprKind::Other`] or [`StmtKind::Other`] with its place, so that the
//! evaluator can list it as not analysed.

use crate::source::Span;

use super::text::Text;

/// A parsed file.
#[derive(Debug, Default)]
pub struct Module {
    /// Statements at the top level, as far as they could be parsed.
    pub body: Vec<Stmt>,
    /// Syntax errors: place and message.
    pub errors: Vec<(Span, String)>,
    /// Places of `#` comments, in order.
    pub comments: Vec<Span>,
}

/// A statement.
#[derive(Debug)]
pub struct Stmt {
    /// Its place.
    pub span: Span,
    /// What it is.
    pub kind: StmtKind,
}

/// What a statement is.
#[derive(Debug)]
pub enum StmtKind {
    /// An expression whose value is dropped.
    Expr(Expr),
    /// `a = b = value`; also an annotated assignment.
    Assign {
        /// The targets, left to right.
        targets: Vec<Expr>,
        /// The value.
        value: Expr,
        /// Of an annotated assignment.
        annotation: Option<Expr>,
    },
    /// `a: annotation`, without a value.
    Declare {
        /// What is declared.
        target: Expr,
        /// The annotation.
        annotation: Expr,
    },
    /// `a += value`.
    AugAssign {
        /// The target.
        target: Expr,
        /// The operator.
        op: BinOp,
        /// The value.
        value: Expr,
    },
    /// `if` with its `elif` and `else` branches; the test of an `else` is absent.
    If(Vec<(Option<Expr>, Vec<Stmt>)>),
    /// `for target in iter`.
    For {
        /// The loop variable.
        target: Expr,
        /// What is looped over.
        iter: Expr,
        /// The body.
        body: Vec<Stmt>,
        /// The `else` block.
        orelse: Vec<Stmt>,
    },
    /// `while test`.
    While {
        /// The condition.
        test: Expr,
        /// The body.
        body: Vec<Stmt>,
        /// The `else` block.
        orelse: Vec<Stmt>,
    },
    /// `with item as name, ...`.
    With {
        /// The context expressions and the names they are bound to.
        items: Vec<(Expr, Option<Expr>)>,
        /// The body.
        body: Vec<Stmt>,
    },
    /// `try` with its blocks.
    Try {
        /// The guarded block.
        body: Vec<Stmt>,
        /// The blocks of the `except` clauses.
        handlers: Vec<Vec<Stmt>>,
        /// The `else` block.
        orelse: Vec<Stmt>,
        /// The `finally` block.
        finalbody: Vec<Stmt>,
    },
    /// A function.
    Def(Def),
    /// A class.
    Class(Class),
    /// `return`.
    Return(Option<Expr>),
    /// `raise`.
    Raise(Option<Expr>),
    /// `import a.b as c`: path and the name bound, if one is given.
    Import(Vec<(String, Option<String>)>),
    /// `from module import name as alias`.
    ImportFrom {
        /// Leading dots of a relative import.
        level: u32,
        /// The module, empty in `from . import x`.
        module: String,
        /// Names and aliases; `*` stands for itself.
        names: Vec<(String, Option<String>)>,
    },
    /// `assert test`.
    Assert(Expr),
    /// `pass`, `global`, `nonlocal`, `del`: no effect on the schema.
    Pass,
    /// `break`.
    Break,
    /// `continue`.
    Continue,
    /// Anything else, by name.
    Other(&'static str),
}

/// A function definition.
#[derive(Debug)]
pub struct Def {
    /// Its name.
    pub name: String,
    /// Parameters that may be given by position.
    pub params: Vec<Param>,
    /// Name of `*args`.
    pub vararg: Option<String>,
    /// Parameters that are given by keyword only.
    pub kwonly: Vec<Param>,
    /// Name of `**kwargs`.
    pub kwarg: Option<String>,
    /// The body.
    pub body: Vec<Stmt>,
    /// True if it has decorators, is `async` or a generator: calls of it are not evaluated.
    pub special: bool,
}

/// A parameter of a function.
#[derive(Debug)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its default.
    pub default: Option<Expr>,
}

/// A class definition.
#[derive(Debug)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// Its base classes.
    pub bases: Vec<Expr>,
    /// The body.
    pub body: Vec<Stmt>,
}

/// An expression.
#[derive(Debug)]
pub struct Expr {
    /// Its place.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

/// What an expression is.
#[derive(Debug)]
pub enum ExprKind {
    /// A string literal, decoded, with the way back to the file; f-strings too.
    Str(Vec<StrPart>),
    /// A bytes literal.
    Bytes,
    /// An integer.
    Int(i64),
    /// Any other number, as written.
    Number(String),
    /// `True` or `False`.
    Bool(bool),
    /// `None`.
    None,
    /// `...`
    Ellipsis,
    /// A name.
    Name(String),
    /// `value.attr`.
    Attribute {
        /// The object.
        value: Box<Expr>,
        /// The attribute.
        attr: String,
    },
    /// A call.
    Call {
        /// What is called.
        func: Box<Expr>,
        /// Positional arguments.
        args: Vec<Expr>,
        /// Keyword arguments; `**mapping` has no name.
        keywords: Vec<(Option<String>, Expr)>,
    },
    /// `value[index]`.
    Subscript {
        /// The object.
        value: Box<Expr>,
        /// The index.
        index: Box<Expr>,
    },
    /// `lower:upper` without a step, inside a subscript.
    Slice(Option<Box<Expr>>, Option<Box<Expr>>),
    /// `[..]`
    List(Vec<Expr>),
    /// `(..)`
    Tuple(Vec<Expr>),
    /// `{a, b}`
    Set(Vec<Expr>),
    /// `{k: v}`; `**mapping` has no key.
    Dict(Vec<(Option<Expr>, Expr)>),
    /// `*value`
    Starred(Box<Expr>),
    /// `left op right`
    Bin {
        /// Left operand.
        left: Box<Expr>,
        /// Operator.
        op: BinOp,
        /// Right operand.
        right: Box<Expr>,
    },
    /// `not`, `-`, `+`, `~`
    Unary {
        /// Operator.
        op: UnaryOp,
        /// Operand.
        operand: Box<Expr>,
    },
    /// `a and b`, `a or b`
    Bool2 {
        /// True for `and`.
        and: bool,
        /// The operands.
        values: Vec<Expr>,
    },
    /// A chain of comparisons.
    Compare {
        /// First operand.
        left: Box<Expr>,
        /// The rest.
        rest: Vec<(CmpOp, Expr)>,
    },
    /// `body if test else orelse`
    IfElse {
        /// Condition.
        test: Box<Expr>,
        /// Value if true.
        body: Box<Expr>,
        /// Value if false.
        orelse: Box<Expr>,
    },
    /// A list, set or generator comprehension, or a dict one if there is a key.
    Comp {
        /// Key of a dict comprehension.
        key: Option<Box<Expr>>,
        /// The element or value.
        element: Box<Expr>,
        /// The loops.
        loops: Vec<CompFor>,
    },
    /// `name := value`
    Named {
        /// The target.
        target: Box<Expr>,
        /// The value.
        value: Box<Expr>,
    },
    /// `lambda`: its parameters' names and its body.
    Lambda {
        /// Names of the plain parameters.
        params: Vec<String>,
        /// The body.
        body: Box<Expr>,
    },
    /// Anything else, by name.
    Other(&'static str),
}

/// One `for` of a comprehension.
#[derive(Debug)]
pub struct CompFor {
    /// Loop variable.
    pub target: Expr,
    /// What is looped over.
    pub iter: Expr,
    /// Conditions.
    pub ifs: Vec<Expr>,
}

/// A piece of a string literal.
#[derive(Debug)]
pub enum StrPart {
    /// Decoded text.
    Text(Text),
    /// `{value}` of an f-string.
    Value {
        /// The value.
        value: Expr,
        /// False if a conversion (`!r`), a debug `=` or a format specification changes how it is printed.
        plain: bool,
    },
}

/// A binary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `//`
    FloorDiv,
    /// `%`
    Mod,
    /// `|`
    Or,
    /// `&`
    And,
    /// Any other.
    Other,
}

/// A unary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// `not`
    Not,
    /// `-`
    Neg,
    /// `+`
    Pos,
    /// `~`
    Invert,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CmpOp {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `is`
    Is,
    /// `is not`
    IsNot,
    /// `in`
    In,
    /// `not in`
    NotIn,
}
