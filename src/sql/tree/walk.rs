//! Walking a tree without recursion: a chain of 100,000 operators is a tree 100,000 nodes deep.

use super::node::Node;

/// What to do after a node was visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walk {
    /// Go on with its children.
    Enter,
    /// Leave its children out.
    Skip,
    /// End the walk.
    Stop,
}

/// Visits `root` and all nodes below it, each before its children, children in the order of the C fields. Lists are
/// visited only where they stand in place of a node; the literal of an `A_Const` is part of it and is not visited. True
/// unless it was stopped.
pub(crate) fn walk<'t>(root: Node<'t>, visit: &mut impl FnMut(Node<'t>) -> Walk) -> bool {
    let mut pending = vec![root];
    while let Some(node) = pending.pop() {
        match visit(node) {
            Walk::Enter => {
                let first = pending.len();
                node.children(&mut pending);
                pending[first..].reverse();
            }
            Walk::Skip => {}
            Walk::Stop => return false,
        }
    }
    true
}
