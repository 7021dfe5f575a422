//! `PostgreSQL`'s lists.

use std::mem::MaybeUninit;

use super::node::{Kind, Node};
use super::nodes::value::Str;

/// `struct List`: a header and an array of cells; an empty list is a null pointer.
#[repr(C)]
pub(crate) struct RawList {
    tag: u32,
    length: i32,
    max_length: i32,
    elements: *const Cell,
}

impl RawList {
    /// For the layout check.
    pub(super) const OFFSETS: [usize; 3] = [
        std::mem::offset_of!(RawList, length),
        std::mem::offset_of!(RawList, max_length),
        std::mem::offset_of!(RawList, elements),
    ];
}

/// `union ListCell`; a pointer in the lists of the grammar.
type Cell = MaybeUninit<*const u32>;

/// A list of nodes. `NIL` is the empty list.
#[derive(Clone, Copy, Default)]
pub(crate) struct List<'t>(Option<&'t RawList>);

impl<'t> List<'t> {
    /// The C tag of a list of pointers.
    pub(super) const TAG: u32 = 1;

    /// The view of a C list.
    ///
    /// # Safety
    /// `list` must be null or a list of a live tree.
    pub(super) unsafe fn at(list: *const RawList) -> Self {
        // SAFETY: the caller's promise. Lists of numbers (other tags) do not occur in the grammar's trees.
        Self(unsafe { list.as_ref() }.filter(|list| list.tag == Self::TAG))
    }

    /// The cells, also the empty ones: `DISTINCT` without columns and a `NONE` operand are lists with a null pointer.
    pub(crate) fn cells(
        self,
    ) -> impl DoubleEndedIterator<Item = Option<Node<'t>>> + ExactSizeIterator + 't {
        let cells: &'t [Cell] = match self.0 {
            Some(list) if !list.elements.is_null() => {
                let length = usize::try_from(list.length).unwrap_or_default();
                // SAFETY: a live list has `length` cells at `elements`.
                unsafe { std::slice::from_raw_parts(list.elements, length) }
            }
            _ => &[],
        };
        // SAFETY: the cells of a list of pointers are null or point to live nodes.
        cells
            .iter()
            .map(|cell| unsafe { Node::at(cell.assume_init()) })
    }

    /// The nodes in the list; empty cells are left out.
    pub(crate) fn iter(self) -> impl DoubleEndedIterator<Item = Node<'t>> + 't {
        self.cells().flatten()
    }

    /// The nodes of one kind in the list; others are left out.
    pub(crate) fn of<K: Kind<'t>>(self) -> impl DoubleEndedIterator<Item = K> + 't {
        self.iter().filter_map(K::cast)
    }

    /// The texts of the `String` nodes in the list: the parts of a qualified name.
    pub(crate) fn strings(self) -> impl DoubleEndedIterator<Item = &'t str> + 't {
        self.of::<Str<'t>>().filter_map(Str::sval)
    }

    /// Number of cells.
    pub(crate) fn len(self) -> usize {
        self.0
            .map_or(0, |list| usize::try_from(list.length).unwrap_or_default())
    }

    /// True if there is no cell.
    pub(crate) fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The node in cell `index`.
    pub(crate) fn get(self, index: usize) -> Option<Node<'t>> {
        self.cells().nth(index).flatten()
    }

    /// The node in the first cell.
    pub(crate) fn first(self) -> Option<Node<'t>> {
        self.get(0)
    }

    /// The node in the last cell.
    pub(crate) fn last(self) -> Option<Node<'t>> {
        self.cells().next_back().flatten()
    }
}

impl std::fmt::Debug for List<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.cells()).finish()
    }
}
