//! The parse nodes, each declared once.

/// Declares parse nodes: the C struct, the safe view and the field table come from the same text.
///
/// ```text
/// /// What it stands for.
/// RangeVar = 3 {             name and `NodeTag` number
///     relname: Text,         C fields in the order of the header, without the leading tag
///     alias: Of<Alias>,
/// }
/// Sub = 7 extends Base { … } a struct that begins with another node instead of a tag
/// ```
///
/// The field types are those of `tree/field.rs`; each view has one method per field with the C name. After a change
/// `tree/layout.rs` must be brought up to date, and a new node must be listed in `tree/node.rs`: both are checked when
/// this is compiled.
macro_rules! nodes {
    ($(
        $(#[$doc:meta])*
        $name:ident = $tag:literal $(extends $base:ident)? { $($field:ident : $ty:ty),* $(,)? }
    )*) => {
        /// The C structs.
        pub(in crate::sql::tree) mod raw {
            #[allow(unused_imports, reason = "each topic uses some")]
            use crate::sql::tree::{codes::*, field::*, node::Node, nodes::raw::*};

            $(
                #[repr(C)]
                pub(crate) struct $name {
                    head: $crate::sql::tree::nodes::head!($($base)?),
                    $($field: $ty,)*
                }

                impl $name {
                    /// For the layout check.
                    pub(in crate::sql::tree) const OFFSETS: &[usize] = &[$(std::mem::offset_of!($name, $field)),*];
                }

                // SAFETY: declared field by field after the C header; checked by `tree/layout.rs`.
                unsafe impl RawNode for $name {
                    const TAG: u32 = $tag;
                    type View<'t> = super::$name<'t>;

                    fn view(&self) -> super::$name<'_> {
                        super::$name(self)
                    }

                    #[allow(unused_variables, reason = "not every node has children")]
                    fn children<'t>(&'t self, out: &mut Vec<Node<'t>>) {
                        $( <$base as RawNode>::children(&self.head, out); )?
                        // SAFETY: references to nodes are made from live trees only.
                        $( unsafe { Field::children(&self.$field, out) }; )*
                    }

                    #[allow(unused_variables, reason = "not every node has fields")]
                    fn fields<'t>(&'t self, show: &mut dyn FnMut(&'static str, Value<'t>)) {
                        $( show("base", Value::Of(Some(<$base as RawNode>::view(&self.head).into()))); )?
                        $(
                            // SAFETY: references to nodes are made from live trees only.
                            let value = unsafe { Field::value(&self.$field) };
                            show(stringify!($field).trim_start_matches("r#"), value);
                        )*
                    }
                }

                impl<'t> super::$name<'t> {
                    /// The C `NodeTag`.
                    pub(in crate::sql::tree) const TAG: u32 = $tag;

                    $(
                        /// The node that this one begins with.
                        pub(crate) fn base(self) -> super::$base<'t> {
                            <$base as RawNode>::view(&self.0.head)
                        }
                    )?
                    $(
                        /// The C field of this name.
                        #[inline]
                        pub(crate) fn $field(self) -> <$ty as Field>::View<'t> {
                            // SAFETY: references to nodes are made from live trees only.
                            unsafe { Field::view(&self.0.$field) }
                        }
                    )*
                }
            )*
        }

        $(
            $(#[$doc])*
            #[derive(Clone, Copy)]
            pub(crate) struct $name<'t>(pub(in crate::sql::tree) &'t raw::$name);
        )*
    };
}

/// What a C struct begins with.
macro_rules! head {
    () => {
        u32
    };
    ($base:ident) => {
        $base
    };
}
pub(in crate::sql::tree) use head;

pub(crate) mod expr;
pub(crate) mod json;
pub(crate) mod object;
pub(crate) mod query;
pub(crate) mod table;
pub(crate) mod utility;
pub(crate) mod value;

/// The C structs of all topics.
pub(super) mod raw {
    pub(in crate::sql::tree) use super::expr::raw::*;
    pub(in crate::sql::tree) use super::json::raw::*;
    pub(in crate::sql::tree) use super::object::raw::*;
    pub(in crate::sql::tree) use super::query::raw::*;
    pub(in crate::sql::tree) use super::table::raw::*;
    pub(in crate::sql::tree) use super::utility::raw::*;
    pub(in crate::sql::tree) use super::value::raw::*;
}
