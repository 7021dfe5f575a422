//! What a Python expression is known to be without running it.

use std::rc::Rc;

use crate::source::Span;

use super::text::Text;
use super::tree::{Class, Def, Expr, StmtKind};

/// What stands for the unknown parts of a string.
pub(super) const UNKNOWN_PART: &str = "lockgate_unknown";
/// Nesting of values; deeper ones become [`Value::Opaque`], so that walking and dropping them stays cheap.
const MAX_DEPTH: u8 = 100;
/// Nodes of one value, counted with repetitions.
const MAX_SIZE: u32 = 200_000;

/// An abstract value.
#[derive(Debug, Clone)]
pub(super) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// A number that is no `i64`, as it prints.
    Number(Rc<str>),
    Str(Rc<Text>),
    /// A string with [`UNKNOWN_PART`] where something is not known, and why it is not.
    Template(Rc<(Text, String)>),
    List(Rc<Seq<'a>>),
    Tuple(Rc<Seq<'a>>),
    Dict(Rc<Map<'a>>),
    /// A name that was imported, a constructor call, an attribute or an operator over such.
    Sym(Rc<Sym<'a>>),
    /// The `op` module or an object that is used like it.
    Op,
    /// `op.get_context()`, `alembic.context`.
    Context,
    /// A connection or session on the database that is migrated.
    Bind,
    /// The dialect of a connection.
    Dialect,
    /// `with op.batch_alter_table(..) as batch`: index of the open block.
    Batch(usize),
    /// `op.get_context().autocommit_block()`.
    Autocommit,
    /// A function, and the file of the library that it stands in.
    Func(&'a Def, usize),
    /// A lambda, and the file of the library that it stands in.
    Lambda(&'a [String], &'a Expr, usize),
    /// A file of the library.
    Module(usize),
    /// A function of Python itself.
    Builtin(&'static str),
    /// A class of this file.
    Class(Rc<ClassValue<'a>>),
    /// A member of an enumeration of this file.
    Member(Rc<(Text, Value<'a>)>),
    /// Not known.
    Opaque(Rc<Opaque>),
}

/// Why a value is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opaque {
    pub(super) reason: String,
    pub(super) span: Span,
}

/// A list, tuple or set.
#[derive(Debug, Clone)]
pub(super) struct Seq<'a> {
    pub(super) items: Vec<Value<'a>>,
    weight: Weight,
}

/// A dict in the order it was written.
#[derive(Debug, Clone)]
pub(super) struct Map<'a> {
    pub(super) items: Vec<(Value<'a>, Value<'a>)>,
    weight: Weight,
}

/// A node of a constructor tree.
#[derive(Debug)]
pub(super) struct Sym<'a> {
    pub(super) span: Span,
    pub(super) kind: SymKind<'a>,
    weight: Weight,
}

#[derive(Debug)]
pub(super) enum SymKind<'a> {
    /// A dotted path that was imported: `sqlalchemy.Column`.
    Path(String),
    Call {
        func: Value<'a>,
        args: Args<'a>,
    },
    Attr {
        base: Value<'a>,
        name: String,
    },
    Binary {
        op: &'static str,
        left: Value<'a>,
        right: Value<'a>,
    },
    Unary {
        op: &'static str,
        operand: Value<'a>,
    },
}

/// A class of the file.
#[derive(Debug)]
pub(super) struct ClassValue<'a> {
    pub(super) name: String,
    pub(super) is_enum: bool,
    pub(super) members: Vec<(Text, Value<'a>)>,
    pub(super) bases: Vec<Value<'a>>,
    /// How long the longest chain of classes behind it is.
    pub(super) nesting: u16,
    /// How many classes stand behind it, with repetitions.
    pub(super) size: u16,
    pub(super) def: &'a Class,
    /// The file of the library that it stands in.
    pub(super) home: usize,
}

/// The class of Flask applications that hands through all of SQLAlchemy.
pub(super) const FLASK_SQLALCHEMY: &str = "flask_sqlalchemy.SQLAlchemy";

impl ClassValue<'_> {
    /// True for a subclass of [`FLASK_SQLALCHEMY`].
    pub(super) fn is_flask_sqlalchemy(&self) -> bool {
        self.bases.iter().any(|base| match base {
            Value::Class(base) => base.is_flask_sqlalchemy(),
            base => base.as_path() == Some(FLASK_SQLALCHEMY),
        })
    }

    /// True if the class, or one behind it, defines a method.
    pub(super) fn defines(&self, method: &str) -> bool {
        let own = self.def.body.iter().any(|stmt| match &stmt.kind {
            StmtKind::Def(def) => def.name == method,
            _ => false,
        });
        own || self.bases.iter().any(|base| match base {
            Value::Class(base) => base.defines(method),
            _ => false,
        })
    }
}

/// Arguments of a call.
#[derive(Debug, Clone, Default)]
pub(super) struct Args<'a> {
    pub(super) pos: Vec<Value<'a>>,
    pub(super) kw: Vec<(String, Value<'a>)>,
    /// Set if `*x` or `**x` of something unknown was given: there may be more arguments.
    pub(super) open: Option<Span>,
}

#[derive(Debug, Clone, Copy)]
struct Weight {
    depth: u8,
    size: u32,
}

impl Weight {
    fn over<'v, 'a: 'v>(values: impl IntoIterator<Item = &'v Value<'a>>) -> Option<Self> {
        let mut total = Self { depth: 1, size: 1 };
        for value in values {
            let weight = value.weight();
            total.depth = total.depth.max(weight.depth.saturating_add(1));
            total.size = total.size.saturating_add(weight.size);
        }
        (total.depth <= MAX_DEPTH && total.size <= MAX_SIZE).then_some(total)
    }
}

impl<'a> Value<'a> {
    pub(super) fn str(text: impl Into<Text>) -> Self {
        Self::Str(Rc::new(text.into()))
    }

    pub(super) fn opaque(reason: impl Into<String>, span: Span) -> Self {
        Self::Opaque(Rc::new(Opaque {
            reason: reason.into(),
            span,
        }))
    }

    /// A string, parts of which may not be known.
    pub(super) fn template(text: Text, unknown: Option<String>) -> Self {
        match unknown {
            Some(reason) => Self::Template(Rc::new((text, reason))),
            None => Self::str(text),
        }
    }

    fn too_large(span: Span) -> Self {
        Self::opaque("value is too large", span)
    }

    pub(super) fn list(items: Vec<Self>, span: Span) -> Self {
        match Weight::over(&items) {
            Some(weight) => Self::List(Rc::new(Seq { items, weight })),
            None => Self::too_large(span),
        }
    }

    pub(super) fn tuple(items: Vec<Self>, span: Span) -> Self {
        match Weight::over(&items) {
            Some(weight) => Self::Tuple(Rc::new(Seq { items, weight })),
            None => Self::too_large(span),
        }
    }

    pub(super) fn dict(items: Vec<(Self, Self)>, span: Span) -> Self {
        match Weight::over(items.iter().flat_map(|(key, value)| [key, value])) {
            Some(weight) => Self::Dict(Rc::new(Map { items, weight })),
            None => Self::too_large(span),
        }
    }

    pub(super) fn path(path: impl Into<String>, span: Span) -> Self {
        Self::sym(SymKind::Path(path.into()), span)
    }

    pub(super) fn sym(kind: SymKind<'a>, span: Span) -> Self {
        let weight = match &kind {
            SymKind::Path(_) => Weight::over([]),
            SymKind::Call { func, args } => Weight::over(
                std::iter::once(func)
                    .chain(&args.pos)
                    .chain(args.kw.iter().map(|(_, value)| value)),
            ),
            SymKind::Attr { base, .. } => Weight::over([base]),
            SymKind::Binary { left, right, .. } => Weight::over([left, right]),
            SymKind::Unary { operand, .. } => Weight::over([operand]),
        };
        match weight {
            Some(weight) => Self::Sym(Rc::new(Sym { span, kind, weight })),
            None => Self::too_large(span),
        }
    }

    fn weight(&self) -> Weight {
        match self {
            Self::List(seq) | Self::Tuple(seq) => seq.weight,
            Self::Dict(map) => map.weight,
            Self::Sym(sym) => sym.weight,
            _ => Weight { depth: 1, size: 1 },
        }
    }

    /// The items of a list, tuple, set or dict (its keys).
    pub(super) fn items(&self) -> Option<Vec<Self>> {
        match self {
            Self::List(seq) | Self::Tuple(seq) => Some(seq.items.clone()),
            Self::Dict(map) => Some(map.items.iter().map(|(key, _)| key.clone()).collect()),
            _ => None,
        }
    }

    pub(super) fn as_text(&self) -> Option<&Text> {
        match self {
            Self::Str(text) => Some(text),
            Self::Member(member) => member.1.as_text(),
            _ => None,
        }
    }

    /// The function and arguments of a constructor call on an imported path: (`sqlalchemy.Column`, arguments).
    pub(super) fn as_call(&self) -> Option<(&str, &Args<'a>, Span)> {
        let Self::Sym(sym) = self else { return None };
        let SymKind::Call {
            func: Self::Sym(func),
            args,
        } = &sym.kind
        else {
            return None;
        };
        match &func.kind {
            SymKind::Path(path) => Some((path, args, sym.span)),
            _ => None,
        }
    }

    /// A call on an attribute: object, name, arguments.
    pub(super) fn as_method(&self) -> Option<(&Self, &str, &Args<'a>)> {
        let Self::Sym(sym) = self else { return None };
        let SymKind::Call {
            func: Self::Sym(func),
            args,
        } = &sym.kind
        else {
            return None;
        };
        match &func.kind {
            SymKind::Attr { base, name } => Some((base, name, args)),
            _ => None,
        }
    }

    pub(super) fn as_path(&self) -> Option<&str> {
        match self {
            Self::Sym(sym) => match &sym.kind {
                SymKind::Path(path) => Some(path),
                _ => None,
            },
            _ => None,
        }
    }

    /// Python's truth of the value, if known.
    pub(super) fn truth(&self) -> Option<bool> {
        Some(match self {
            Self::None => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Str(text) => !text.is_empty(),
            Self::List(seq) | Self::Tuple(seq) => !seq.items.is_empty(),
            Self::Dict(map) => !map.items.is_empty(),
            Self::Number(_) | Self::Sym(_) | Self::Template(_) | Self::Opaque(_) => return None,
            _ => true,
        })
    }

    /// Equality of known values; `None` if it cannot be told.
    pub(super) fn equals(&self, other: &Self) -> Option<bool> {
        if let (Some(left), Some(right)) = (self.as_text(), other.as_text()) {
            return Some(left == right);
        }
        match (self, other) {
            (Self::Opaque(_) | Self::Sym(_) | Self::Template(_), _)
            | (_, Self::Opaque(_) | Self::Sym(_) | Self::Template(_)) => None,
            (Self::None, Self::None) => Some(true),
            (Self::Bool(left), Self::Bool(right)) => Some(left == right),
            (Self::Int(left), Self::Int(right)) => Some(left == right),
            (Self::Number(left), Self::Number(right)) => Some(left == right),
            (Self::List(left), Self::List(right)) | (Self::Tuple(left), Self::Tuple(right)) => {
                if left.items.len() != right.items.len() {
                    return Some(false);
                }
                left.items
                    .iter()
                    .zip(&right.items)
                    .try_fold(true, |all, (a, b)| Some(all && a.equals(b)?))
            }
            (
                Self::None | Self::Bool(_) | Self::Int(_) | Self::Str(_),
                Self::None | Self::Bool(_) | Self::Int(_) | Self::Str(_),
            ) => Some(false),
            _ => None,
        }
    }

    /// Why this is not the value that was needed.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Opaque(opaque) => opaque.reason.clone(),
            Self::Template(template) => template.1.clone(),
            Self::Sym(sym) => match &sym.kind {
                SymKind::Path(path) => format!("`{path}` is defined outside this file"),
                SymKind::Call { func, .. } => match func {
                    Self::Sym(func) => match &func.kind {
                        SymKind::Path(path) => format!("the result of `{path}` is not known"),
                        SymKind::Attr { name, .. } => {
                            format!("the result of `{name}` is not known")
                        }
                        _ => "the result of a call is not known".to_owned(),
                    },
                    _ => "the result of a call is not known".to_owned(),
                },
                SymKind::Attr { name, .. } => format!("attribute `{name}` is not known"),
                _ => "the result of an operator is not known".to_owned(),
            },
            Self::Func(def, _) => format!("`{}` is a function", def.name),
            _ => "a value of another type was expected".to_owned(),
        }
    }
}

impl<'a> Args<'a> {
    /// True if the database, or a way to change it, is among the arguments.
    pub(super) fn reach_database(&self) -> bool {
        self.pos
            .iter()
            .chain(self.kw.iter().map(|(_, value)| value))
            .any(|value| {
                matches!(
                    value,
                    Value::Op | Value::Bind | Value::Batch(_) | Value::Context
                )
            })
    }

    /// The argument given by position or by name.
    pub(super) fn get(&self, position: usize, name: &str) -> Option<&Value<'a>> {
        self.pos.get(position).or_else(|| self.named(name))
    }

    /// The argument given by name.
    pub(super) fn named(&self, name: &str) -> Option<&Value<'a>> {
        self.kw
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }
}
