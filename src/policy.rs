//! What a team asks of its migrations beyond what PostgreSQL does: the `policies` of the configuration.
//!
//! Three rules read them: `name-off-pattern`, `required-column-missing`, `forbidden-by-policy`.

use regex::{Regex, RegexBuilder};

use crate::statement::{Ident, Kind, Name, ObjectKind, Statement};

/// Bytes that a compiled pattern may take: one that is larger is refused with the configuration.
const MOST_BYTES: usize = 1 << 20;

/// A pattern for names. It is looked for anywhere in the name unless it has `^` and `$`.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// A pattern from its text.
    ///
    /// # Errors
    /// What is wrong with it, on one line.
    pub fn new(text: &str) -> Result<Self, String> {
        let built = RegexBuilder::new(text)
            .size_limit(MOST_BYTES)
            .dfa_size_limit(MOST_BYTES)
            .nest_limit(50)
            .build();
        built.map(Self).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            error => {
                let text = error.to_string();
                let last = text.trim_end().rsplit('\n').next().unwrap_or_default();
                last.trim_start_matches("error: ").to_owned()
            }
        })
    }

    /// True if it is found in the name.
    #[must_use]
    pub fn is_in(&self, name: &str) -> bool {
        self.0.is_match(name)
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// One entry of `policies`.
#[derive(Debug, Clone)]
pub enum Policy {
    /// New names of some objects have to match.
    Names {
        /// The objects; of [`OBJECTS`].
        object: ObjectKind,
        /// What the names look like.
        pattern: Pattern,
        /// What to tell those who are stopped.
        message: Option<String>,
    },
    /// New tables need a column.
    RequiredColumn {
        /// Its name.
        name: String,
        /// Its type, in PostgreSQL's or SQL's spelling.
        ty: Option<String>,
        /// It has to be NOT NULL.
        not_null: bool,
        /// The tables; all if none is given.
        tables: Option<Pattern>,
        /// What to tell those who are stopped.
        message: Option<String>,
    },
    /// Something must not be used.
    Forbid {
        /// What.
        what: Forbidden,
        /// Its names.
        pattern: Pattern,
        /// What to tell those who are stopped.
        message: Option<String>,
    },
    /// New objects go into these schemas only.
    Schemas(Vec<String>),
}

/// What a policy can forbid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forbidden {
    /// Types of columns.
    Type,
    /// Functions in defaults and generated columns.
    Function,
    /// Kinds of statements, by their command tag: `TRUNCATE`.
    Statement,
    /// Tables and other relations that a statement locks, by their qualified name.
    Object,
}

impl Forbidden {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Type, Self::Function, Self::Statement, Self::Object];

    /// The word in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Function => "function",
            Self::Statement => "statement",
            Self::Object => "object",
        }
    }
}

/// Objects whose names can be asked for.
pub const OBJECTS: [ObjectKind; 12] = [
    ObjectKind::Table,
    ObjectKind::Column,
    ObjectKind::Index,
    ObjectKind::Constraint,
    ObjectKind::View,
    ObjectKind::MaterializedView,
    ObjectKind::Sequence,
    ObjectKind::Type,
    ObjectKind::Domain,
    ObjectKind::Function,
    ObjectKind::Trigger,
    ObjectKind::Schema,
];

/// Names that a statement brings: the kind of the object, its name, and for those that stand in a schema by themselves
/// the whole name.
#[must_use]
pub fn new_names(statement: &Statement) -> Vec<(ObjectKind, Ident, Option<Name>)> {
    let mut names = Vec::new();
    let whole = |name: &Name| {
        let own = Ident::new(name.name.clone(), name.span);
        (own, Some(name.clone()))
    };
    let mut put = |kind, (own, whole): (Ident, Option<Name>)| names.push((kind, own, whole));
    match &statement.kind {
        Kind::CreateTable(create) => {
            put(ObjectKind::Table, whole(&create.name));
            for column in &create.columns {
                put(ObjectKind::Column, (column.name.clone(), None));
            }
            let at_columns = create.columns.iter().flat_map(|column| &column.constraints);
            for name in at_columns
                .chain(&create.constraints)
                .filter_map(|def| def.name.as_ref())
            {
                put(ObjectKind::Constraint, (name.clone(), None));
            }
        }
        Kind::CreateTableAs(create) if create.materialized => {
            put(ObjectKind::MaterializedView, whole(&create.name));
        }
        Kind::CreateTableAs(create) => put(ObjectKind::Table, whole(&create.name)),
        Kind::AlterTable(_) => {
            for (_, add) in statement.added_columns() {
                put(ObjectKind::Column, (add.column.name.clone(), None));
                for name in add
                    .column
                    .constraints
                    .iter()
                    .filter_map(|def| def.name.as_ref())
                {
                    put(ObjectKind::Constraint, (name.clone(), None));
                }
            }
            for name in statement
                .added_constraints()
                .filter_map(|(_, def)| def.name.as_ref())
            {
                put(ObjectKind::Constraint, (name.clone(), None));
            }
        }
        Kind::Rename(rename) => put(rename.object, (rename.to.clone(), None)),
        Kind::CreateIndex(create) => {
            if let Some(name) = &create.name {
                put(ObjectKind::Index, (name.clone(), None));
            }
        }
        Kind::CreateView(create) => put(ObjectKind::View, whole(&create.name)),
        Kind::CreateSequence(create) => put(ObjectKind::Sequence, whole(&create.name)),
        Kind::CreateType(create) => put(ObjectKind::Type, whole(&create.name)),
        Kind::CreateDomain(create) => put(ObjectKind::Domain, whole(&create.name)),
        Kind::CreateFunction(create) => put(ObjectKind::Function, whole(&create.name)),
        Kind::CreateTrigger(create) => put(ObjectKind::Trigger, (create.name.clone(), None)),
        Kind::CreateSchema { name, .. } => put(ObjectKind::Schema, (name.clone(), None)),
        _ => {}
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_limited_and_their_errors_are_one_line() {
        assert!(Pattern::new("^[a-z_]+$").is_ok_and(|p| p.is_in("a_b") && !p.is_in("aB")));
        for (text, expected) in [
            ("(", "unclosed group"),
            ("\\w{1000}{1000}", "it is too large"),
            ("(a)\\1", "backreferences are not supported"),
        ] {
            assert_eq!(
                Pattern::new(text).err().as_deref(),
                Some(expected),
                "{text}"
            );
        }
        let deep = "(".repeat(1000) + &")".repeat(1000);
        assert!(Pattern::new(&deep).is_err());
    }
}
