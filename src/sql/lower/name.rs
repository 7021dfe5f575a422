//! Names, types, small pieces.

use super::Lower;
use crate::source::Span;
use crate::sql::lex::next_token;
use crate::sql::tree::{self, Kind as _, List, Node, ObjectType};
use crate::statement::{Ident, Name, ObjectKind, Persistence, Relation, TypeName};

impl Lower<'_> {
    /// A relation's name.
    pub(super) fn range_var(&self, var: tree::RangeVar<'_>) -> Name {
        Name::new(
            var.schemaname(),
            var.relname().unwrap_or(""),
            self.qualified(var.location()),
        )
    }

    /// A relation's name where there must be one.
    pub(super) fn relation(&self, var: Option<tree::RangeVar<'_>>) -> Name {
        var.map_or_else(
            || Name::new(None, "", self.whole()),
            |var| self.range_var(var),
        )
    }

    /// Relations with their `ONLY`.
    pub(super) fn relations(&self, list: List<'_>) -> Vec<Relation> {
        list.of::<tree::RangeVar<'_>>()
            .map(|var| Relation {
                name: self.range_var(var),
                only: !var.inh(),
            })
            .collect()
    }

    /// A name given as a list of strings: `schema.name`, `database.schema.name`.
    pub(super) fn list_name(&self, list: List<'_>) -> Name {
        let parts: Vec<&str> = list.strings().collect();
        self.parts_name(&parts, self.whole())
    }

    pub(super) fn parts_name(&self, parts: &[&str], span: Span) -> Name {
        match parts {
            [.., "pg_catalog", name] => Name::new(None, name, span),
            [.., schema, name] => Name::new(Some(schema), name, span),
            [name] => Name::new(None, name, span),
            [] => Name::new(None, "", span),
        }
    }

    /// The name in an object node of `DROP`, `COMMENT`, `RENAME`: a list, a string, a type, a signature.
    pub(super) fn object_name(&self, node: Option<Node<'_>>) -> Name {
        match node {
            Some(Node::List(list)) => self.list_name(list),
            Some(Node::String(text)) => Name::new(None, text.sval().unwrap_or(""), self.whole()),
            Some(Node::TypeName(ty)) => {
                let parts: Vec<&str> = ty.names().strings().collect();
                self.parts_name(&parts, self.qualified(ty.location()))
            }
            Some(Node::ObjectWithArgs(object)) => self.list_name(object.objname()),
            Some(Node::RangeVar(var)) => self.range_var(var),
            _ => Name::new(None, "", self.whole()),
        }
    }

    /// The span of a possibly qualified name that begins at an offset: `a`, `a.b`, `a . b`.
    pub(super) fn qualified(&self, offset: Option<usize>) -> Span {
        let Some(start) = offset else {
            return self.whole();
        };
        let Some(first) = next_token(self.text, start) else {
            return self.whole();
        };
        let mut end = first.span;
        while let Some(dot) =
            next_token(self.text, end.end as usize).filter(|token| token.is_mark(self.text, "."))
        {
            let Some(part) = next_token(self.text, dot.span.end as usize) else {
                break;
            };
            end = part.span;
        }
        self.map.to_file(first.span.cover(end))
    }

    /// Identifiers given as strings; PostgreSQL's parser does not say where they stand.
    pub(super) fn idents(&self, list: List<'_>, span: Span) -> Vec<Ident> {
        list.strings().map(|text| Ident::new(text, span)).collect()
    }

    /// A type.
    pub(super) fn type_name(&self, ty: tree::TypeName<'_>) -> TypeName {
        let parts: Vec<&str> = ty.names().strings().collect();
        let name = self.parts_name(&parts, Span::default());
        let mut modifiers = Vec::new();
        let mut odd_modifier = ty.pct_type();
        for modifier in ty.typmods().iter() {
            match modifier {
                Node::A_Const(constant) => match constant.val() {
                    Some(Node::Integer(value)) => modifiers.push(value.ival()),
                    _ => odd_modifier = true,
                },
                // `numeric(10, -2)` is a minus sign and a number.
                Node::A_Expr(expr) => match (expr.lexpr(), expr.rexpr()) {
                    (None, Some(Node::A_Const(constant))) => match constant.val() {
                        Some(Node::Integer(value)) => modifiers.push(-value.ival()),
                        _ => odd_modifier = true,
                    },
                    _ => odd_modifier = true,
                },
                _ => odd_modifier = true,
            }
        }
        let mut name_text = name.name;
        // The grammar gives the bare SQL types `char` and `bit` a length of one, and `interval` a mask of its fields.
        if name.schema.is_none() && &*name_text == "bpchar" && parts.first() != Some(&"pg_catalog")
        {
            name_text = "bpchar".into();
        }
        TypeName {
            schema: name.schema,
            name: name_text,
            modifiers,
            odd_modifier,
            dimensions: u8::try_from(ty.arrayBounds().len()).unwrap_or(u8::MAX),
            set_of: ty.setof(),
            span: self.qualified(ty.location()),
        }
    }

    /// The value of an option as text: a string, a number, a keyword, a type.
    pub(super) fn option_text(&self, node: Option<Node<'_>>) -> Option<String> {
        match node? {
            Node::String(text) => text.sval().map(ToOwned::to_owned),
            Node::Integer(value) => Some(value.ival().to_string()),
            Node::Float(value) => value.fval().map(ToOwned::to_owned),
            Node::Boolean(value) => Some(value.boolval().to_string()),
            Node::A_Const(constant) => self.option_text(constant.val()),
            Node::TypeName(ty) => ty.names().strings().last().map(ToOwned::to_owned),
            Node::TypeCast(cast) => self.option_text(cast.arg()),
            Node::List(list) => Some(list.strings().collect::<Vec<_>>().join(".")),
            _ => None,
        }
    }

    /// True if a boolean option of that name is on: `(CONCURRENTLY)`, `(CONCURRENTLY true)`.
    pub(super) fn flag(&self, options: List<'_>, name: &str) -> bool {
        options
            .of::<tree::DefElem<'_>>()
            .filter(|option| option.defname() == Some(name))
            .any(|option| {
                !matches!(
                    self.option_text(option.arg()).as_deref(),
                    Some("false" | "off" | "0")
                )
            })
    }

    /// True if a boolean option of that name is switched off: `(create_slot = false)`.
    pub(super) fn is_off(&self, options: List<'_>, name: &str) -> bool {
        option(options, name).is_some() && !self.flag(options, name)
    }

    /// Finds an identifier among the statement's tokens from an offset on.
    pub(super) fn find_ident(&self, from: usize, ident: &str) -> Option<Span> {
        self.tokens(from)
            .find(|token| names(token.text(self.text), ident))
            .map(|token| self.map.to_file(token.span))
    }
}

/// True if a token's text is that identifier.
pub(super) fn names(token: &str, ident: &str) -> bool {
    match token
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(inner) => inner == ident || inner.replace("\"\"", "\"") == ident,
        None => token.eq_ignore_ascii_case(ident),
    }
}

/// Persistence by the parser's letter.
pub(super) fn persistence(letter: char) -> Persistence {
    match letter {
        't' => Persistence::Temporary,
        'u' => Persistence::Unlogged,
        _ => Persistence::Permanent,
    }
}

/// Our word for PostgreSQL's kinds of objects.
pub(super) fn object_kind(kind: ObjectType) -> ObjectKind {
    match kind {
        ObjectType::OBJECT_TABLE => ObjectKind::Table,
        ObjectType::OBJECT_FOREIGN_TABLE => ObjectKind::ForeignTable,
        ObjectType::OBJECT_VIEW => ObjectKind::View,
        ObjectType::OBJECT_MATVIEW => ObjectKind::MaterializedView,
        ObjectType::OBJECT_INDEX => ObjectKind::Index,
        ObjectType::OBJECT_SEQUENCE => ObjectKind::Sequence,
        ObjectType::OBJECT_TYPE => ObjectKind::Type,
        ObjectType::OBJECT_DOMAIN => ObjectKind::Domain,
        ObjectType::OBJECT_COLUMN => ObjectKind::Column,
        ObjectType::OBJECT_ATTRIBUTE => ObjectKind::Attribute,
        ObjectType::OBJECT_TABCONSTRAINT => ObjectKind::Constraint,
        ObjectType::OBJECT_DOMCONSTRAINT => ObjectKind::DomainConstraint,
        ObjectType::OBJECT_SCHEMA => ObjectKind::Schema,
        ObjectType::OBJECT_FUNCTION => ObjectKind::Function,
        ObjectType::OBJECT_PROCEDURE => ObjectKind::Procedure,
        ObjectType::OBJECT_ROUTINE => ObjectKind::Routine,
        ObjectType::OBJECT_AGGREGATE => ObjectKind::Aggregate,
        ObjectType::OBJECT_TRIGGER => ObjectKind::Trigger,
        ObjectType::OBJECT_EVENT_TRIGGER => ObjectKind::EventTrigger,
        ObjectType::OBJECT_POLICY => ObjectKind::Policy,
        ObjectType::OBJECT_RULE => ObjectKind::Rule,
        ObjectType::OBJECT_EXTENSION => ObjectKind::Extension,
        ObjectType::OBJECT_DATABASE => ObjectKind::Database,
        ObjectType::OBJECT_TABLESPACE => ObjectKind::Tablespace,
        ObjectType::OBJECT_ROLE => ObjectKind::Role,
        ObjectType::OBJECT_PUBLICATION => ObjectKind::Publication,
        ObjectType::OBJECT_SUBSCRIPTION => ObjectKind::Subscription,
        ObjectType::OBJECT_STATISTIC_EXT => ObjectKind::Statistics,
        _ => ObjectKind::Other,
    }
}

/// The only node of a kind in a list of options.
pub(super) fn option<'t>(options: List<'t>, name: &str) -> Option<tree::DefElem<'t>> {
    options
        .iter()
        .filter_map(tree::DefElem::cast)
        .find(|option| option.defname() == Some(name))
}
