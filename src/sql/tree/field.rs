//! The field types of `PostgreSQL`'s parse nodes: how each is laid out in C and what it reads as in Rust.
//!
//! Every type here is the C type in memory and accepts every bit pattern the C type accepts: flags, letters and
//! enumerations are kept as integers and converted when they are read, so that an unexpected value is a wrong answer
//! at worst, never undefined behaviour.

use std::ffi::{CStr, c_char, c_long, c_void};
use std::marker::PhantomData;
use std::mem::MaybeUninit;

use super::list::{List, RawList};
use super::node::Node;

/// A parse node as C lays it out.
///
/// # Safety
/// The implementing type must be the `repr(C)` twin of the C struct that carries the tag [`RawNode::TAG`], and begin
/// with that tag.
pub(crate) unsafe trait RawNode: Sized + 'static {
    /// The C `NodeTag`.
    const TAG: u32;
    /// The safe view of this node.
    type View<'t>: Into<Node<'t>>;
    /// The view of a node of a live tree.
    fn view(&self) -> Self::View<'_>;
    /// Appends the child nodes, in the order of the fields.
    fn children<'t>(&'t self, out: &mut Vec<Node<'t>>);
    /// Shows every field by name, in the order of declaration.
    fn fields<'t>(&'t self, show: &mut dyn FnMut(&'static str, Value<'t>));
}

/// A field of a parse node.
pub(crate) trait Field {
    /// What the accessor answers.
    type View<'t>
    where
        Self: 't;

    /// Reads the field.
    ///
    /// # Safety
    /// `self` must be part of a node of a live tree: its pointers are null or point to live, correctly laid out
    /// objects of the kind that the field's type says.
    unsafe fn view(&self) -> Self::View<'_>;

    /// Reads the field without its type.
    ///
    /// # Safety
    /// As for [`Field::view`].
    unsafe fn value(&self) -> Value<'_>;

    /// Appends the nodes that the field holds.
    ///
    /// # Safety
    /// As for [`Field::view`].
    unsafe fn children<'t>(&'t self, _out: &mut Vec<Node<'t>>) {}
}

/// A field's content without its static type, for whoever treats all nodes alike.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'t> {
    /// A C string.
    Text(Option<&'t str>),
    /// A `bool`.
    Flag(bool),
    /// A `char`; NUL if not set.
    Letter(char),
    /// Any other number.
    Int(i64),
    /// An enumeration: the C name of the value and its rank among its values.
    Code {
        /// The C name.
        name: &'static str,
        /// Index of the value in the declaration.
        rank: usize,
    },
    /// A pointer to any node.
    Any(Option<Node<'t>>),
    /// A pointer to a node of one kind, or a node inside this one.
    Of(Option<Node<'t>>),
    /// A list.
    Items(List<'t>),
    /// The literal of an `A_Const`.
    Literal(Option<Node<'t>>),
    /// A field that the grammar never sets.
    Unset,
}

macro_rules! numbers {
    ($($ty:ty),*) => {$(
        impl Field for $ty {
            type View<'t> = $ty;
            unsafe fn view(&self) -> $ty { *self }
            unsafe fn value(&self) -> Value<'_> { Value::Int(i64::from(*self)) }
        }
    )*};
}
numbers!(i16, i32, u32);

/// `char *`.
#[repr(transparent)]
pub(crate) struct Text(*const c_char);

impl Field for Text {
    type View<'t> = Option<&'t str>;
    unsafe fn view(&self) -> Option<&'_ str> {
        // SAFETY: a string of a live tree ends in NUL and lives as long as the tree.
        (!self.0.is_null()).then(|| utf8(unsafe { CStr::from_ptr(self.0) }))
    }
    unsafe fn value(&self) -> Value<'_> {
        // SAFETY: the caller's promise.
        Value::Text(unsafe { self.view() })
    }
}

/// The text, up to the first byte that is not UTF-8. The parser is handed UTF-8 and checks what escapes produce, so
/// nothing should ever be cut off.
fn utf8(text: &CStr) -> &str {
    let bytes = text.to_bytes();
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    }
}

/// `bool`.
#[repr(transparent)]
pub(crate) struct Flag(u8);

impl Field for Flag {
    type View<'t> = bool;
    unsafe fn view(&self) -> bool {
        self.0 != 0
    }
    unsafe fn value(&self) -> Value<'_> {
        Value::Flag(self.0 != 0)
    }
}

/// `char`; reads as NUL if not set.
#[repr(transparent)]
pub(crate) struct Letter(u8);

impl Field for Letter {
    type View<'t> = char;
    unsafe fn view(&self) -> char {
        char::from(self.0)
    }
    unsafe fn value(&self) -> Value<'_> {
        Value::Letter(char::from(self.0))
    }
}

/// `long`, the one type whose size differs between 64-bit systems.
#[repr(transparent)]
pub(crate) struct Long(c_long);

impl Field for Long {
    type View<'t> = i64;
    #[allow(clippy::useless_conversion, reason = "c_long is an i32 on Windows")]
    unsafe fn view(&self) -> i64 {
        i64::from(self.0)
    }
    unsafe fn value(&self) -> Value<'_> {
        // SAFETY: the caller's promise.
        Value::Int(unsafe { self.view() })
    }
}

/// `ParseLoc`: a byte offset into the text, -1 if unknown.
#[repr(transparent)]
pub(crate) struct Place(i32);

impl Field for Place {
    type View<'t> = Option<usize>;
    unsafe fn view(&self) -> Option<usize> {
        usize::try_from(self.0).ok()
    }
    unsafe fn value(&self) -> Value<'_> {
        Value::Int(i64::from(self.0))
    }
}

/// A C enumeration; implemented by `codes!`.
pub(crate) trait CEnum: Copy {
    /// The value for a number of C; the last, `Unknown`, for numbers that C does not name.
    fn of(code: u32) -> Self;
    /// The C name.
    fn name(self) -> &'static str;
    /// Index in the declaration.
    fn rank(self) -> usize;
}

/// An `enum`.
#[repr(transparent)]
pub(crate) struct Code<E>(u32, PhantomData<E>);

impl<E: CEnum> Field for Code<E> {
    type View<'t>
        = E
    where
        Self: 't;
    unsafe fn view(&self) -> E {
        E::of(self.0)
    }
    unsafe fn value(&self) -> Value<'_> {
        let code = E::of(self.0);
        Value::Code {
            name: code.name(),
            rank: code.rank(),
        }
    }
}

/// `Node *` and `Expr *`.
#[repr(transparent)]
pub(crate) struct Any(*const u32);

impl Field for Any {
    type View<'t> = Option<Node<'t>>;
    unsafe fn view(&self) -> Option<Node<'_>> {
        // SAFETY: the caller's promise: null or a live node.
        unsafe { Node::at(self.0) }
    }
    unsafe fn value(&self) -> Value<'_> {
        // SAFETY: the caller's promise.
        Value::Any(unsafe { self.view() })
    }
    unsafe fn children<'t>(&'t self, out: &mut Vec<Node<'t>>) {
        // SAFETY: the caller's promise.
        out.extend(unsafe { self.view() });
    }
}

/// A pointer to a node of one kind. A node with another tag reads as `None`.
#[repr(transparent)]
pub(crate) struct Of<T>(*const T);

impl<T: RawNode> Of<T> {
    /// # Safety
    /// As for [`Field::view`].
    unsafe fn get<'t>(&self) -> Option<&'t T> {
        // SAFETY: null or a live node; every node begins with its tag, and the tag says the layout.
        (!self.0.is_null() && unsafe { *self.0.cast::<u32>() } == T::TAG)
            .then(|| unsafe { &*self.0 })
    }
}

impl<T: RawNode> Field for Of<T> {
    type View<'t> = Option<T::View<'t>>;
    unsafe fn view(&self) -> Option<T::View<'_>> {
        // SAFETY: the caller's promise.
        unsafe { self.get() }.map(T::view)
    }
    unsafe fn value(&self) -> Value<'_> {
        // SAFETY: the caller's promise.
        Value::Of(unsafe { self.view() }.map(Into::into))
    }
    unsafe fn children<'t>(&'t self, out: &mut Vec<Node<'t>>) {
        // SAFETY: the caller's promise.
        out.extend(unsafe { self.view() }.map(Into::into));
    }
}

/// `List *`.
#[repr(transparent)]
pub(crate) struct Items(*const RawList);

impl Field for Items {
    type View<'t> = List<'t>;
    unsafe fn view(&self) -> List<'_> {
        // SAFETY: the caller's promise: null or a live list.
        unsafe { List::at(self.0) }
    }
    unsafe fn value(&self) -> Value<'_> {
        // SAFETY: the caller's promise.
        Value::Items(unsafe { self.view() })
    }
    unsafe fn children<'t>(&'t self, out: &mut Vec<Node<'t>>) {
        // SAFETY: the caller's promise.
        out.extend(unsafe { self.view() }.iter());
    }
}

/// `union ValUnion`: a value node inside an `A_Const`, all zero if the constant is NULL. Every value node is a tag
/// followed by an `int`, a `bool` or a pointer: two words at most.
#[repr(C)]
pub(crate) struct Literal([MaybeUninit<usize>; 2]);

impl Field for Literal {
    type View<'t> = Option<Node<'t>>;
    unsafe fn view(&self) -> Option<Node<'_>> {
        // SAFETY: the union begins with a tag, and the tag says which value node is in it.
        unsafe { Node::at((&raw const self.0).cast()) }
            .filter(|node| !matches!(node, Node::Other(_)))
    }
    unsafe fn value(&self) -> Value<'_> {
        // SAFETY: the caller's promise.
        Value::Literal(unsafe { self.view() })
    }
}

/// A pointer that the grammar never sets.
#[repr(transparent)]
pub(crate) struct Unset(*const c_void);

impl Field for Unset {
    type View<'t> = ();
    unsafe fn view(&self) {}
    unsafe fn value(&self) -> Value<'_> {
        Value::Unset
    }
}
