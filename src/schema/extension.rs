//! What hangs on an extension: columns of its types, defaults, checks and views that call its functions, indexes with its
//! operator classes. Without CASCADE a `DROP EXTENSION` is refused for them (2BP01).
//!
//! The members are those that the servers' `pg_depend` names for the contributed extensions of 13 to 18, as far as people
//! use them by name.

use super::object::Origin;
use super::{Relation, Schema, Table};
use crate::statement::{ConstraintKind, Expr, ExprKind, QualifiedName};

struct Extension {
    name: &'static str,
    types: &'static [&'static str],
    functions: &'static [&'static str],
    operator_classes: &'static [&'static str],
    /// The access method for which it brings the operator classes of plain types.
    method: Option<&'static str>,
}

const NONE: Extension = Extension {
    name: "",
    types: &[],
    functions: &[],
    operator_classes: &[],
    method: None,
};

const EXTENSIONS: &[Extension] = &[
    Extension {
        name: "btree_gin",
        method: Some("gin"),
        ..NONE
    },
    Extension {
        name: "btree_gist",
        method: Some("gist"),
        ..NONE
    },
    Extension {
        name: "citext",
        types: &["citext"],
        functions: &["citext"],
        ..NONE
    },
    Extension {
        name: "cube",
        types: &["cube"],
        functions: &["cube"],
        ..NONE
    },
    Extension {
        name: "earthdistance",
        types: &["earth"],
        functions: &["earth", "earth_box", "earth_distance", "ll_to_earth"],
        ..NONE
    },
    Extension {
        name: "fuzzystrmatch",
        functions: &[
            "difference",
            "dmetaphone",
            "dmetaphone_alt",
            "levenshtein",
            "levenshtein_less_equal",
            "metaphone",
            "soundex",
        ],
        ..NONE
    },
    Extension {
        name: "hstore",
        types: &["hstore"],
        functions: &["akeys", "avals", "hstore", "skeys", "svals"],
        ..NONE
    },
    Extension {
        name: "intarray",
        types: &["query_int"],
        functions: &["icount", "idx", "subarray", "uniq"],
        operator_classes: &["gin__int_ops", "gist__int_ops", "gist__intbig_ops"],
        ..NONE
    },
    Extension {
        name: "isn",
        types: &[
            "ean13", "isbn", "isbn13", "ismn", "ismn13", "issn", "issn13", "upc",
        ],
        ..NONE
    },
    Extension {
        name: "ltree",
        types: &["lquery", "ltree", "ltxtquery"],
        functions: &[
            "lca",
            "ltree2text",
            "nlevel",
            "subltree",
            "subpath",
            "text2ltree",
        ],
        ..NONE
    },
    Extension {
        name: "pg_trgm",
        functions: &[
            "show_trgm",
            "similarity",
            "strict_word_similarity",
            "word_similarity",
        ],
        operator_classes: &["gin_trgm_ops", "gist_trgm_ops"],
        ..NONE
    },
    Extension {
        name: "pgcrypto",
        functions: &[
            "armor",
            "crypt",
            "dearmor",
            "decrypt",
            "digest",
            "encrypt",
            "gen_random_bytes",
            "gen_salt",
            "hmac",
            "pgp_pub_decrypt",
            "pgp_pub_encrypt",
            "pgp_sym_decrypt",
            "pgp_sym_encrypt",
        ],
        ..NONE
    },
    Extension {
        name: "postgis",
        types: &["box2d", "box3d", "geography", "geometry"],
        ..NONE
    },
    Extension {
        name: "seg",
        types: &["seg"],
        ..NONE
    },
    Extension {
        name: "unaccent",
        functions: &["unaccent"],
        ..NONE
    },
    Extension {
        name: "uuid-ossp",
        functions: &[
            "uuid_generate_v1",
            "uuid_generate_v1mc",
            "uuid_generate_v3",
            "uuid_generate_v4",
            "uuid_generate_v5",
            "uuid_nil",
            "uuid_ns_dns",
            "uuid_ns_url",
        ],
        ..NONE
    },
    Extension {
        name: "vector",
        types: &["halfvec", "sparsevec", "vector"],
        ..NONE
    },
];

/// Plain types for which neither `gin` nor `gist` has an operator class of its own.
const PLAIN: &[&str] = &[
    "date",
    "float4",
    "float8",
    "int2",
    "int4",
    "int8",
    "numeric",
    "text",
    "time",
    "timestamp",
    "timestamptz",
    "uuid",
    "varchar",
];

/// Something that goes with an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionUse {
    /// The table that it is on, or the index or view that it is.
    pub relation: QualifiedName,
    /// What it is.
    pub part: ExtensionPart,
}

/// Kinds of what goes with an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtensionPart {
    /// A column of one of its types.
    Column(Box<str>),
    /// The default of a column.
    Default(Box<str>),
    /// A CHECK.
    Check(Box<str>),
    /// An index.
    Index,
    /// A view.
    View,
}

impl ExtensionUse {
    /// In words.
    #[must_use]
    pub fn words(&self) -> String {
        let relation = &self.relation;
        match &self.part {
            ExtensionPart::Column(column) => format!("column {relation}.{column}"),
            ExtensionPart::Default(column) => format!("the default of {relation}.{column}"),
            ExtensionPart::Check(name) => format!("constraint {name} of {relation}"),
            ExtensionPart::Index => format!("index {relation}"),
            ExtensionPart::View => format!("view {relation}"),
        }
    }
}

impl Schema {
    /// Everything that hangs on an extension; none if its members are not known.
    #[must_use]
    pub fn extension_uses(&self, name: &str) -> Option<Vec<ExtensionUse>> {
        let extension = EXTENSIONS.iter().find(|known| known.name == name)?;
        let calls = |expr: &Expr| {
            expr.walk().any(|part| {
                matches!(&part.kind, ExprKind::Call { schema, name, .. }
                    if self.is_member(extension, schema.as_deref(), name))
            })
        };
        let mut found = Vec::new();
        for table in self.tables() {
            let mut add = |part| {
                found.push(ExtensionUse {
                    relation: table.name.clone(),
                    part,
                });
            };
            for column in &table.columns {
                let ty = column.ty.as_ref().filter(|_| column.user_type.is_none());
                let generated = column.generated.as_ref().map(|generated| &generated.expr);
                if ty.is_some_and(|ty| extension.types.contains(&&*ty.name))
                    || generated.is_some_and(calls)
                {
                    add(ExtensionPart::Column(column.name.clone()));
                } else if column.default.as_ref().is_some_and(calls) {
                    add(ExtensionPart::Default(column.name.clone()));
                }
            }
            for constraint in &table.constraints {
                if matches!(&constraint.def.kind, ConstraintKind::Check(expr) if calls(expr)) {
                    add(ExtensionPart::Check(constraint.name.clone()));
                }
            }
            for index in self.indexes_of(&table.name) {
                let is_on = index.elements.iter().any(|element| match &element.opclass {
                    Some(class) => extension.operator_classes.contains(&&**class),
                    None => {
                        extension.method == Some(&*index.method)
                            && element
                                .column
                                .as_ref()
                                .is_some_and(|column| is_plain(table, &column.text))
                    }
                });
                let elements = index.elements.iter().filter_map(|e| e.expr.as_ref());
                if is_on || elements.chain(&index.predicate).any(calls) {
                    found.push(ExtensionUse {
                        relation: index.name.clone(),
                        part: ExtensionPart::Index,
                    });
                }
            }
        }
        for view in self.views() {
            let mut called = view.query.calls.iter();
            if called.any(|call| self.is_member(extension, call.schema.as_deref(), &call.name)) {
                found.push(ExtensionUse {
                    relation: view.name.clone(),
                    part: ExtensionPart::View,
                });
            }
        }
        Some(found)
    }

    /// A function of the extension, unless the history has one of that name.
    fn is_member(&self, extension: &Extension, schema: Option<&str>, name: &str) -> bool {
        extension.functions.contains(&name) && self.functions_named(schema, name).is_empty()
    }

    /// `DROP EXTENSION … CASCADE`.
    pub(super) fn drop_extension(&mut self, name: &str, origin: Origin) {
        for used in self.extension_uses(name).unwrap_or_default() {
            let relation = &used.relation;
            match &used.part {
                ExtensionPart::Column(column) => {
                    self.drop_column(relation, column, true, false, origin);
                }
                ExtensionPart::Default(column) => self.edit_table(relation, |table| {
                    if let Some(column) = table.column_mut(column) {
                        column.default = None;
                    }
                }),
                ExtensionPart::Check(check) => {
                    self.drop_constraint(relation, check, true, false, origin);
                }
                ExtensionPart::Index => {
                    let Some(Relation::Index(index)) = self.relations.get(relation).cloned() else {
                        continue;
                    };
                    match &index.constraint {
                        Some(name) => {
                            self.drop_constraint(&index.table, name, true, false, origin);
                        }
                        None => self.drop_index(&index, origin),
                    }
                }
                ExtensionPart::View => self.drop_relation(relation, true, origin),
            }
        }
    }
}

fn is_plain(table: &Table, column: &str) -> bool {
    table
        .column(column)
        .filter(|column| column.user_type.is_none())
        .and_then(|column| column.ty.as_ref())
        .is_some_and(|ty| ty.schema.is_none() && ty.dimensions == 0 && PLAIN.contains(&&*ty.name))
}
