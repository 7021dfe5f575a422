//! Placeholder until the reader is merged.
use crate::source::{Fragment, Span};
pub struct Guard {
    pub conditional: bool,
    pub looped: bool,
    pub handler: bool,
}
pub struct Part {
    pub span: Span,
    pub kind: PartKind,
    pub guard: Guard,
}
pub enum PartKind {
    Sql { sql: String },
    Execute { sql: Fragment },
    Dynamic { reason: String, pieces: Vec<String> },
    Transaction,
}
pub struct Body {
    pub parts: Vec<Part>,
    pub problems: Vec<(Span, String)>,
}
pub fn read(_: &str) -> Body {
    Body {
        parts: Vec::new(),
        problems: Vec::new(),
    }
}
