//! `DROP`, `RENAME` and the like, types, domains, functions, schemas, comments.

use super::Lower;
use super::name::{object_kind, option};
use crate::source::{Fragment, Span};
use crate::sql::tree::{self, DropBehavior, FunctionParameterMode as Mode, List, Node};
use crate::statement::{
    AlterDomain, AlterDomainAction, AlterEnum, AlterFunction, Comment, CreateDomain,
    CreateFunction, CreateType, Drop, Ident, Kind, Name, ObjectKind, Rename, SetSchema,
    TypeDefinition, TypeName, Volatility,
};

impl Lower<'_> {
    pub(super) fn object_kind(&self, node: Node<'_>) -> Option<(Kind, &'static str)> {
        Some(match node {
            Node::DropStmt(drop) => {
                let drop = self.drop(drop);
                let tag = drop_tag(drop.object);
                (Kind::Drop(drop), tag)
            }
            Node::RenameStmt(rename) => self.rename(rename),
            Node::AlterObjectSchemaStmt(alter) => {
                let object = object_kind(alter.objectType());
                let set = SetSchema {
                    object,
                    name: alter.relation().map_or_else(
                        || self.object_name(alter.object()),
                        |var| self.range_var(var),
                    ),
                    signature: self.signature(alter.object()),
                    schema: self.last_ident(alter.newschema().unwrap_or("")),
                    if_exists: alter.missing_ok(),
                };
                (Kind::SetSchema(set), alter_tag(object))
            }
            Node::AlterOwnerStmt(alter) => {
                let object = object_kind(alter.objectType());
                let name = alter.relation().map_or_else(
                    || self.object_name(alter.object()),
                    |var| self.range_var(var),
                );
                (Kind::OwnerTo(object, name), alter_tag(object))
            }
            Node::CommentStmt(comment) => {
                let object = object_kind(comment.objtype());
                let name = self.object_name(comment.object());
                let (name, part) = self.owner_and_part(object, name, comment.object());
                (
                    Kind::Comment(Comment {
                        object,
                        name,
                        part,
                        text: comment.comment().map(Into::into),
                    }),
                    "COMMENT",
                )
            }
            Node::CompositeTypeStmt(create) => {
                let columns = create
                    .coldeflist()
                    .of::<tree::ColumnDef<'_>>()
                    .map(|c| self.column(c))
                    .collect();
                self.create_type(
                    self.relation(create.typevar()),
                    TypeDefinition::Composite(columns),
                )
            }
            Node::CreateEnumStmt(create) => {
                let labels = self.idents(create.vals(), self.whole());
                self.create_type(
                    self.list_name(create.typeName()),
                    TypeDefinition::Enum(labels),
                )
            }
            Node::CreateRangeStmt(create) => {
                self.create_type(self.list_name(create.typeName()), TypeDefinition::Range)
            }
            Node::DefineStmt(define) if object_kind(define.kind()) == ObjectKind::Type => {
                self.create_type(self.list_name(define.defnames()), TypeDefinition::Base)
            }
            Node::AlterEnumStmt(alter) => {
                let label = |text: &str| Ident::new(text, self.whole());
                let alter = AlterEnum {
                    name: self.list_name(alter.typeName()),
                    old_label: alter.oldVal().map(label),
                    new_label: label(alter.newVal().unwrap_or("")),
                    neighbour: alter
                        .newValNeighbor()
                        .map(|text| (label(text), alter.newValIsAfter())),
                    if_not_exists: alter.skipIfNewValExists(),
                };
                (Kind::AlterEnum(alter), "ALTER TYPE")
            }
            Node::CreateDomainStmt(create) => {
                let name = self.list_name(create.domainname());
                let mut default = None;
                let mut constraints = Vec::new();
                let value = Ident::new("value", name.span);
                for constraint in create.constraints().of::<tree::Constraint<'_>>() {
                    if constraint.contype() == tree::ConstrType::CONSTR_DEFAULT {
                        default = self.opt_expr(constraint.raw_expr());
                    } else {
                        constraints.extend(self.constraint(constraint, Some(&value)));
                    }
                }
                let create = CreateDomain {
                    name,
                    base: self.type_name(create.typeName()?),
                    constraints,
                    default,
                };
                (Kind::CreateDomain(Box::new(create)), "CREATE DOMAIN")
            }
            Node::AlterDomainStmt(alter) => {
                let name = self.list_name(alter.typeName());
                let ident = || self.last_ident(alter.name().unwrap_or(""));
                let action = match alter.subtype() {
                    'T' => AlterDomainAction::Default(self.opt_expr(alter.def())),
                    'N' => AlterDomainAction::DropNotNull,
                    'O' => AlterDomainAction::SetNotNull,
                    'C' => match alter.def() {
                        Some(Node::Constraint(def)) => {
                            let value = Ident::new("value", name.span);
                            AlterDomainAction::AddConstraint(self.constraint(def, Some(&value))?)
                        }
                        _ => return None,
                    },
                    'X' => AlterDomainAction::DropConstraint(ident()),
                    'V' => AlterDomainAction::ValidateConstraint(ident()),
                    _ => return None,
                };
                (
                    Kind::AlterDomain(Box::new(AlterDomain { name, action })),
                    "ALTER DOMAIN",
                )
            }
            Node::AlterFunctionStmt(alter) => {
                let function = Node::ObjectWithArgs(alter.func()?);
                let volatility = option(alter.actions(), "volatility")
                    .and_then(|option| self.option_text(option.arg()));
                let alter = AlterFunction {
                    name: self.object_name(Some(function)),
                    signature: self.signature(Some(function)),
                    volatility: volatility.map(|text| volatility_of(&text)),
                };
                (Kind::AlterFunction(Box::new(alter)), "ALTER FUNCTION")
            }
            Node::CreateFunctionStmt(create) => {
                let tag = if create.is_procedure() {
                    "CREATE PROCEDURE"
                } else {
                    "CREATE FUNCTION"
                };
                (Kind::CreateFunction(Box::new(self.function(create))), tag)
            }
            Node::CreateSchemaStmt(create) => {
                let owner = create.authrole().and_then(|role| role.rolename());
                let name = create.schemaname().or(owner).unwrap_or("");
                (
                    Kind::CreateSchema {
                        name: self.last_ident(name),
                        if_not_exists: create.if_not_exists(),
                    },
                    "CREATE SCHEMA",
                )
            }
            Node::CreateExtensionStmt(create) => (
                Kind::CreateExtension(self.last_ident(create.extname().unwrap_or(""))),
                "CREATE EXTENSION",
            ),
            _ => return None,
        })
    }

    fn create_type(&self, name: Name, definition: TypeDefinition) -> (Kind, &'static str) {
        (
            Kind::CreateType(CreateType { name, definition }),
            "CREATE TYPE",
        )
    }

    /// An identifier with the place where the statement first mentions it.
    fn last_ident(&self, text: &str) -> Ident {
        let span = self
            .find_ident(self.range.start as usize, text)
            .unwrap_or_else(|| self.whole());
        Ident::new(text, span)
    }

    fn drop(&self, drop: tree::DropStmt<'_>) -> Drop {
        let object = object_kind(drop.removeType());
        let mut on = None;
        let mut names = Vec::new();
        for node in drop.objects().iter() {
            let name = self.object_name(Some(node));
            let (owner, part) = self.owner_and_part(object, name, Some(node));
            match part {
                Some(part) => {
                    on = Some(owner);
                    names.push(Name {
                        schema: None,
                        name: part.text,
                        span: part.span,
                    });
                }
                None => names.push(self.located(owner)),
            }
        }
        Drop {
            object,
            signatures: drop
                .objects()
                .iter()
                .map(|node| self.signature(Some(node)))
                .collect(),
            names,
            on,
            concurrently: drop.concurrent(),
            if_exists: drop.missing_ok(),
            cascade: drop.behavior() == DropBehavior::DROP_CASCADE,
        }
    }

    /// Types of the arguments that name one of several functions.
    fn signature(&self, node: Option<Node<'_>>) -> Option<Vec<TypeName>> {
        match node {
            Some(Node::ObjectWithArgs(object)) if !object.args_unspecified() => Some(
                object
                    .objargs()
                    .of::<tree::TypeName<'_>>()
                    .map(|ty| self.type_name(ty))
                    .collect(),
            ),
            _ => None,
        }
    }

    /// The parser does not say where the names of a `DROP` stand; they are looked up in its text.
    fn located(&self, name: Name) -> Name {
        let span = self
            .find_ident(self.range.start as usize, &name.name)
            .unwrap_or(name.span);
        Name { span, ..name }
    }

    /// A column, trigger, policy, rule or constraint comes as `table.part`; everything else is a name of its own.
    fn owner_and_part(
        &self,
        object: ObjectKind,
        name: Name,
        node: Option<Node<'_>>,
    ) -> (Name, Option<Ident>) {
        let has_owner = matches!(
            object,
            ObjectKind::Column
                | ObjectKind::Trigger
                | ObjectKind::Policy
                | ObjectKind::Rule
                | ObjectKind::Constraint
        );
        let (true, Some(Node::List(list))) = (has_owner, node) else {
            return (name, None);
        };
        let parts: Vec<&str> = list.strings().collect();
        match parts.split_last() {
            Some((part, owner)) if !owner.is_empty() => (
                self.located(self.parts_name(owner, self.whole())),
                Some(self.last_ident(part)),
            ),
            _ => (name, None),
        }
    }

    fn rename(&self, rename: tree::RenameStmt<'_>) -> (Kind, &'static str) {
        let object = object_kind(rename.renameType());
        let relation_kind = object_kind(rename.relationType());
        let owns_part = matches!(
            object,
            ObjectKind::Column
                | ObjectKind::Attribute
                | ObjectKind::Constraint
                | ObjectKind::DomainConstraint
                | ObjectKind::Trigger
                | ObjectKind::Policy
                | ObjectKind::Rule
        );
        let relation = match (rename.relation(), rename.object()) {
            (Some(var), _) => self.range_var(var),
            (None, Some(node)) => self.object_name(Some(node)),
            (None, None) => Name::new(None, rename.subname().unwrap_or(""), self.whole()),
        };
        let from = relation.span;
        let after = |ident: &str| {
            let start = rename
                .relation()
                .and_then(|var| var.location())
                .unwrap_or(self.range.start as usize);
            Ident::new(ident, self.find_ident(start, ident).unwrap_or(from))
        };
        // Only for columns and attributes the parser says what kind of relation they belong to.
        let relation_kind = match object {
            ObjectKind::Constraint
            | ObjectKind::Trigger
            | ObjectKind::Policy
            | ObjectKind::Rule => ObjectKind::Table,
            ObjectKind::DomainConstraint => ObjectKind::Domain,
            _ => relation_kind,
        };
        let tag = match object {
            ObjectKind::Trigger => "ALTER TRIGGER",
            ObjectKind::Policy => "ALTER POLICY",
            ObjectKind::Rule => "ALTER RULE",
            _ if owns_part => alter_tag(relation_kind),
            _ => alter_tag(object),
        };
        let lowered = Rename {
            object,
            relation_kind: if owns_part { relation_kind } else { object },
            relation,
            part: rename.subname().filter(|_| owns_part).map(after),
            signature: self.signature(rename.object()),
            to: after(rename.newname().unwrap_or("")),
            if_exists: rename.missing_ok(),
        };
        (Kind::Rename(Box::new(lowered)), tag)
    }

    fn function(&self, create: tree::CreateFunctionStmt<'_>) -> CreateFunction {
        let options = create.options();
        let mut arguments = Vec::new();
        let mut argument_names = Vec::new();
        for parameter in create.parameters().of::<tree::FunctionParameter<'_>>() {
            argument_names.extend(parameter.name().map(Into::into));
            if !matches!(
                parameter.mode(),
                Mode::FUNC_PARAM_OUT | Mode::FUNC_PARAM_TABLE
            ) && let Some(ty) = parameter.argType()
            {
                arguments.push(self.type_name(ty));
            }
        }
        let volatility = option(options, "volatility")
            .and_then(|option| self.option_text(option.arg()))
            .map_or(Volatility::Volatile, |text| volatility_of(&text));
        let language = option(options, "language")
            .and_then(|option| self.option_text(option.arg()))
            .map_or_else(
                || "sql".to_owned(),
                |language| language.to_ascii_lowercase(),
            );
        let sql_expression = match create.sql_body() {
            Some(Node::ReturnStmt(body)) => self.opt_expr(body.returnval()),
            _ => None,
        };
        CreateFunction {
            name: self.list_name(create.funcname()),
            procedure: create.is_procedure(),
            or_replace: create.replace(),
            arguments,
            argument_names,
            returns: create.returnType().map(|ty| self.type_name(ty)),
            language: language.into(),
            volatility,
            sql_expression,
            body: self.body(options),
            atomic: create.sql_body().is_some(),
        }
    }

    /// The text of `AS '…'` with its place, for `CREATE FUNCTION` and `DO`.
    pub(super) fn body(&self, options: List<'_>) -> Option<Fragment> {
        let text = match option(options, "as")?.arg()? {
            Node::List(parts) => parts.strings().next()?,
            Node::String(text) => text.sval()?,
            _ => return None,
        };
        // Dollar-quoted text stands in the statement byte for byte; other strings do if they hold no escape.
        let haystack = &self.text[self.range.range()];
        let at = memchr::memmem::find_iter(haystack.as_bytes(), text.as_bytes()).find(|at| {
            at.checked_sub(1)
                .is_some_and(|before| matches!(haystack.as_bytes()[before], b'$' | b'\''))
        });
        let map = match at {
            Some(at) => {
                let start = self.range.start as usize + at;
                self.map.part(Span::new(start, start + text.len()))
            }
            None => crate::source::SpanMap::generated(self.whole()),
        };
        Some(Fragment {
            sql: text.into(),
            map,
        })
    }
}

fn volatility_of(word: &str) -> Volatility {
    match word {
        "immutable" => Volatility::Immutable,
        "stable" => Volatility::Stable,
        _ => Volatility::Volatile,
    }
}

fn drop_tag(object: ObjectKind) -> &'static str {
    match object {
        ObjectKind::Table => "DROP TABLE",
        ObjectKind::ForeignTable => "DROP FOREIGN TABLE",
        ObjectKind::View => "DROP VIEW",
        ObjectKind::MaterializedView => "DROP MATERIALIZED VIEW",
        ObjectKind::Index => "DROP INDEX",
        ObjectKind::Sequence => "DROP SEQUENCE",
        ObjectKind::Type => "DROP TYPE",
        ObjectKind::Domain => "DROP DOMAIN",
        ObjectKind::Schema => "DROP SCHEMA",
        ObjectKind::Function => "DROP FUNCTION",
        ObjectKind::Procedure => "DROP PROCEDURE",
        ObjectKind::Trigger => "DROP TRIGGER",
        ObjectKind::Policy => "DROP POLICY",
        ObjectKind::Rule => "DROP RULE",
        ObjectKind::Extension => "DROP EXTENSION",
        ObjectKind::Statistics => "DROP STATISTICS",
        ObjectKind::Publication => "DROP PUBLICATION",
        ObjectKind::EventTrigger => "DROP EVENT TRIGGER",
        _ => "DROP",
    }
}

fn alter_tag(object: ObjectKind) -> &'static str {
    match object {
        ObjectKind::Table => "ALTER TABLE",
        ObjectKind::ForeignTable => "ALTER FOREIGN TABLE",
        ObjectKind::View => "ALTER VIEW",
        ObjectKind::MaterializedView => "ALTER MATERIALIZED VIEW",
        ObjectKind::Index => "ALTER INDEX",
        ObjectKind::Sequence => "ALTER SEQUENCE",
        ObjectKind::Type => "ALTER TYPE",
        ObjectKind::Domain => "ALTER DOMAIN",
        ObjectKind::Schema => "ALTER SCHEMA",
        ObjectKind::Function => "ALTER FUNCTION",
        ObjectKind::Procedure => "ALTER PROCEDURE",
        ObjectKind::Database => "ALTER DATABASE",
        ObjectKind::Role => "ALTER ROLE",
        ObjectKind::Statistics => "ALTER STATISTICS",
        ObjectKind::Publication => "ALTER PUBLICATION",
        _ => "ALTER",
    }
}
