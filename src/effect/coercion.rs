//! Casts: which conversion PostgreSQL finds from one type to another, and which operator class an index gets.
//!
//! The facts are the servers' own (`types.txt`, from `pg_cast`, `pg_type` and `pg_opclass` of 13 to 18); the way through
//! them is that of `find_coercion_pathway` in the parser: an entry of `pg_cast` that the context allows, else the elements
//! of two arrays, else input and output functions for strings. Domains count as what they are over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crate::schema::{Schema, TypeKind};
use crate::statement::TypeName;

/// In which place a conversion is asked for; each allows what the ones before it do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Context {
    /// In an expression, such as a comparison.
    Implicit,
    /// Storing a value in a column.
    Assignment,
    /// A cast that is written.
    Explicit,
}

/// How a value becomes one of the other type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// It is of that type, apart from the modifier.
    Same,
    /// The same bits are a value of the other type.
    Binary,
    /// The same bits are, if the session's time zone is UTC.
    Zone,
    /// It is computed.
    Convert,
    /// There is no such cast.
    Missing,
    /// The types are not known well enough.
    Unknown,
}

/// How a type deals with a modifier such as a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// It has none.
    None,
    /// A function checks or changes the value, and PostgreSQL leaves it out where it has nothing to do.
    Support,
    /// A function always runs.
    Always,
}

/// What catalogs say about a type.
#[derive(Debug)]
struct Facts {
    majors: (u32, u32),
    /// Of the category of strings.
    string: bool,
    length: Length,
    /// The type that the default operator class of a btree compares.
    key: Option<&'static str>,
    /// Default operator classes: access method and class.
    classes: Vec<(&'static str, &'static str)>,
}

#[derive(Debug)]
struct Cast {
    majors: (u32, u32),
    context: Context,
    path: Path,
}

#[derive(Debug, Default)]
struct Catalog {
    types: BTreeMap<&'static str, Vec<Facts>>,
    /// By source, then by target.
    casts: BTreeMap<&'static str, BTreeMap<&'static str, Vec<Cast>>>,
    equal: BTreeSet<(&'static str, &'static str)>,
}

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let mut catalog = Catalog::default();
    let mut section = "";
    for line in include_str!("types.txt").split('\n').map(str::trim_end) {
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        if line.starts_with('[') {
            section = line;
            continue;
        }
        let mut words: Vec<&'static str> = line.split(' ').collect();
        let majors = match words.last().and_then(|last| last.strip_prefix('@')) {
            Some(range) => {
                words.pop();
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                (first.parse().unwrap_or(0), last.parse().unwrap_or(u32::MAX))
            }
            None => (0, u32::MAX),
        };
        match (section, words.as_slice()) {
            ("[types]", [name, category, length, key, classes @ ..]) => {
                catalog.types.entry(name).or_default().push(Facts {
                    majors,
                    string: category.starts_with('S'),
                    length: match *length {
                        "support" => Length::Support,
                        "always" => Length::Always,
                        _ => Length::None,
                    },
                    key: Some(*key).filter(|key| *key != "-"),
                    classes: classes
                        .iter()
                        .filter_map(|class| class.split_once('='))
                        .collect(),
                });
            }
            ("[casts]", [from, to, how]) => {
                let casts = catalog.casts.entry(from).or_default();
                casts.entry(to).or_default().push(Cast {
                    majors,
                    context: match how.get(..1) {
                        Some("i") => Context::Implicit,
                        Some("a") => Context::Assignment,
                        _ => Context::Explicit,
                    },
                    path: match how.get(1..) {
                        Some("b") => Path::Binary,
                        Some("z") => Path::Zone,
                        _ => Path::Convert,
                    },
                });
            }
            ("[equal]", [left, right]) => {
                catalog.equal.insert((left, right));
            }
            _ => {}
        }
    }
    catalog
});

/// The facts about a type of that name on a major.
fn facts(name: &str, postgres: u32) -> Option<&'static Facts> {
    CATALOG
        .types
        .get(name)?
        .iter()
        .find(|facts| (facts.majors.0..=facts.majors.1).contains(&postgres))
}

/// What a type is to the catalogs.
enum Shape<'a> {
    /// A built-in one, or one of a known extension.
    Base(&'a str, &'static Facts),
    Array(TypeName),
    Enum,
    Unknown,
}

fn shape<'a>(schema: &Schema, ty: &'a TypeName) -> Shape<'a> {
    if ty.is_unknown() || ty.set_of {
        return Shape::Unknown;
    }
    if ty.dimensions > 0 {
        return Shape::Array(TypeName {
            dimensions: 0,
            ..ty.clone()
        });
    }
    if let Some(known) = schema.type_named(ty.schema.as_deref(), &ty.name) {
        return match known.kind {
            TypeKind::Enum(_) => Shape::Enum,
            _ => Shape::Unknown,
        };
    }
    match facts(&ty.name, schema.postgres()) {
        Some(facts) => Shape::Base(&ty.name, facts),
        None => Shape::Unknown,
    }
}

/// How deep domains over domains are followed.
const DEEPEST_DOMAIN: usize = 16;

/// The type under a domain, through domains over domains; and if one of them has a constraint.
#[must_use]
pub fn under_domains(schema: &Schema, ty: &TypeName) -> (TypeName, bool) {
    let mut base = ty.clone();
    let mut constrained = false;
    for _ in 0..DEEPEST_DOMAIN {
        if base.dimensions > 0 {
            break;
        }
        let Some(known) = schema.type_named(base.schema.as_deref(), &base.name) else {
            break;
        };
        let TypeKind::Domain(domain) = &known.kind else {
            break;
        };
        constrained |= domain.not_null || !domain.checks.is_empty();
        base = domain.base.clone();
    }
    (base, constrained)
}

/// How a value of one type becomes one of another. Modifiers do not count.
#[must_use]
pub fn path(schema: &Schema, from: &TypeName, to: &TypeName, context: Context) -> Path {
    let (from, _) = under_domains(schema, from);
    let (to, _) = under_domains(schema, to);
    let found = between(schema, &from, &to, context);
    // A cast of the project's own may do what the built-in ones do not.
    if found == Path::Missing && schema.has_own_casts() {
        return Path::Unknown;
    }
    found
}

/// The entry of `pg_cast`.
fn cast(source: &Shape<'_>, target: &Shape<'_>, postgres: u32) -> Option<&'static Cast> {
    let name = |shape: &Shape<'_>| match shape {
        Shape::Base(name, _) => Some((*name).to_owned()),
        Shape::Array(element) => Some(format!("{}[]", element.name)),
        Shape::Enum | Shape::Unknown => None,
    };
    let (source, target) = (name(source)?, name(target)?);
    let casts = CATALOG.casts.get(source.as_str())?.get(target.as_str())?;
    casts
        .iter()
        .find(|cast| (cast.majors.0..=cast.majors.1).contains(&postgres))
}

fn between(schema: &Schema, from: &TypeName, to: &TypeName, context: Context) -> Path {
    let same_name = from.name == to.name && from.schema == to.schema;
    if same_name && (from.dimensions > 0) == (to.dimensions > 0) && !from.is_unknown() {
        return Path::Same;
    }
    let (source, target) = (shape(schema, from), shape(schema, to));
    if let Some(cast) = cast(&source, &target, schema.postgres()) {
        return if context >= cast.context {
            cast.path
        } else {
            Path::Missing
        };
    }
    if let (Shape::Array(from), Shape::Array(to)) = (&source, &target) {
        match path(schema, from, to, context) {
            Path::Missing => {}
            Path::Same => return Path::Same,
            Path::Unknown => return Path::Unknown,
            // Also where the elements keep their bits, as far as the server can see (measured).
            Path::Binary | Path::Zone | Path::Convert => return Path::Convert,
        }
    }
    let string = |shape: &Shape<'_>| matches!(shape, Shape::Base(_, facts) if facts.string);
    if (context >= Context::Assignment && string(&target))
        || (context == Context::Explicit && string(&source))
    {
        // What is not known may have a cast of its own, which keeps the bits.
        return match (&source, &target) {
            (Shape::Unknown, _) | (_, Shape::Unknown) => Path::Unknown,
            _ => Path::Convert,
        };
    }
    match (&source, &target) {
        (Shape::Unknown, _) | (_, Shape::Unknown) => Path::Unknown,
        _ => Path::Missing,
    }
}

/// How the type deals with its modifier. None for a type that is not known.
#[must_use]
pub fn length(schema: &Schema, ty: &TypeName) -> Option<Length> {
    match shape(schema, ty) {
        Shape::Base(_, facts) => Some(facts.length),
        Shape::Array(element) => match length(schema, &element)? {
            // An array is computed anew, element by element (measured).
            Length::Support => Some(Length::Always),
            other => Some(other),
        },
        Shape::Enum => Some(Length::None),
        Shape::Unknown => None,
    }
}

/// What an index on a column gets when no operator class is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperatorClass {
    /// This one.
    Default(&'static str),
    /// The type has none for the access method: the command fails.
    Missing,
    /// The type or the access method is not known well enough.
    Unknown,
}

/// Access methods that the data tells about.
const METHODS: &[&str] = &["brin", "btree", "gin", "gist", "hash", "spgist"];

/// The default operator class of a type for an access method.
#[must_use]
pub fn operator_class(schema: &Schema, ty: &TypeName, method: &str) -> OperatorClass {
    let (base, _) = under_domains(schema, ty);
    let facts = match shape(schema, &base) {
        Shape::Base(_, facts) => Some(facts),
        Shape::Array(_) => facts("(array)", schema.postgres()),
        Shape::Enum => facts("(enum)", schema.postgres()),
        Shape::Unknown => None,
    };
    let Some(facts) = facts.filter(|_| METHODS.contains(&method)) else {
        return OperatorClass::Unknown;
    };
    match facts.classes.iter().find(|(am, _)| *am == method) {
        Some((_, class)) => OperatorClass::Default(class),
        // Extensions (btree_gin, btree_gist, pg_trgm's are not default) add classes for these.
        None if matches!(method, "gin" | "gist") => OperatorClass::Unknown,
        None => OperatorClass::Missing,
    }
}

/// True if PostgreSQL can compare a foreign key's column with the one it references; none if it cannot be told. An
/// operator of the referenced index's family for both types, or an implicit cast of the referencing value.
#[must_use]
pub fn comparable(schema: &Schema, referenced: &TypeName, referencing: &TypeName) -> Option<bool> {
    let (target, _) = under_domains(schema, referenced);
    let (own, _) = under_domains(schema, referencing);
    // A domain is no enum to the operators that take any of them (measured; arrays and ranges are looked through).
    let domain = target != *referenced || own != *referencing;
    if domain && matches!(shape(schema, &target), Shape::Enum) {
        return Some(false);
    }
    if target.name == own.name
        && target.schema == own.schema
        && (target.dimensions > 0) == (own.dimensions > 0)
    {
        return Some(true);
    }
    match (shape(schema, &target), shape(schema, &own)) {
        (Shape::Unknown, _) | (_, Shape::Unknown) => None,
        (Shape::Base(_, facts), Shape::Base(own_name, _)) => {
            let key = facts.key?;
            Some(
                key == own_name
                    || CATALOG.equal.contains(&(key, own_name))
                    || matches!(
                        path(schema, &own, &TypeName::builtin(key), Context::Implicit),
                        Path::Same | Path::Binary | Path::Zone | Path::Convert
                    ),
            )
        }
        (Shape::Array(target), Shape::Array(own)) => Some(target.name == own.name),
        (Shape::Enum, Shape::Enum) => Some(target.name == own.name && target.schema == own.schema),
        _ => schema.has_own_casts().then_some(true).or(Some(false)),
    }
}
