//! What a rule may ask.

/// Context.
pub struct Cx<'a> {
    marker: std::marker::PhantomData<&'a ()>,
}

impl Cx<'_> {
    /// What is wrong with the suppression comments, of one kind.
    pub(crate) fn suppression_problems(
        &self,
        _kind: crate::suppress::ProblemKind,
    ) -> Vec<crate::suppress::Problem> {
        let _ = self.marker;
        Vec::new()
    }

    /// Reports a finding.
    pub(crate) fn report(&mut self, _finding: crate::rule::Finding) {}
}
