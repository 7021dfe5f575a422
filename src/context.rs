//! What a rule may ask.

/// Context.
pub struct Cx<'a> {
    marker: std::marker::PhantomData<&'a ()>,
}
