//! Column types.

use crate::python::text::Text;
use crate::python::value::{Args, Value};

use super::expr::Scope;
use super::name::{ident, literal, qualified};
use super::{
    Emitter, Fail, Given, Result, UNKNOWN_TYPE, concat, fail, flag, join, needed, optional,
    sqlalchemy,
};

/// Types that print as their own upper-case name, whatever their arguments.
const PLAIN: &[(&str, &str)] = &[
    ("BIGINT", "BIGINT"),
    ("BLOB", "BLOB"),
    ("BOOLEAN", "BOOLEAN"),
    ("BYTEA", "BYTEA"),
    ("BigInteger", "BIGINT"),
    ("Boolean", "BOOLEAN"),
    ("CIDR", "CIDR"),
    ("CITEXT", "CITEXT"),
    ("CLOB", "CLOB"),
    ("DATE", "DATE"),
    ("DATEMULTIRANGE", "DATEMULTIRANGE"),
    ("DATERANGE", "DATERANGE"),
    ("DATETIME", "DATETIME"),
    ("DOUBLE", "DOUBLE"),
    ("DOUBLE_PRECISION", "DOUBLE PRECISION"),
    ("Date", "DATE"),
    ("Double", "DOUBLE PRECISION"),
    ("HSTORE", "HSTORE"),
    ("INET", "INET"),
    ("INT", "INTEGER"),
    ("INT4MULTIRANGE", "INT4MULTIRANGE"),
    ("INT4RANGE", "INT4RANGE"),
    ("INT8MULTIRANGE", "INT8MULTIRANGE"),
    ("INT8RANGE", "INT8RANGE"),
    ("INTEGER", "INTEGER"),
    ("Integer", "INTEGER"),
    ("JSON", "JSON"),
    ("JSONB", "JSONB"),
    ("JSONPATH", "JSONPATH"),
    ("LargeBinary", "BYTEA"),
    ("MACADDR", "MACADDR"),
    ("MACADDR8", "MACADDR8"),
    ("MONEY", "MONEY"),
    ("MatchType", "BOOLEAN"),
    ("NUMMULTIRANGE", "NUMMULTIRANGE"),
    ("NUMRANGE", "NUMRANGE"),
    ("OID", "OID"),
    ("PickleType", "BYTEA"),
    ("REAL", "REAL"),
    ("REGCLASS", "REGCLASS"),
    ("REGCONFIG", "REGCONFIG"),
    ("SMALLINT", "SMALLINT"),
    ("SmallInteger", "SMALLINT"),
    ("TSMULTIRANGE", "TSMULTIRANGE"),
    ("TSQUERY", "TSQUERY"),
    ("TSRANGE", "TSRANGE"),
    ("TSTZMULTIRANGE", "TSTZMULTIRANGE"),
    ("TSTZRANGE", "TSTZRANGE"),
    ("TSVECTOR", "TSVECTOR"),
];

/// Types of other packages whose PostgreSQL form is fixed.
const THIRD_PARTY: &[(&str, &str)] = &[
    ("sqlalchemy_utils", "UUIDType=UUID"),
    ("sqlalchemy_utils", "TSVectorType=TSVECTOR"),
    ("sqlalchemy_utils", "LtreeType=LTREE"),
    ("sqlalchemy_utils", "JSONType=JSON"),
    ("sqlalchemy_utils", "IPAddressType=VARCHAR(50)"),
    ("sqlalchemy_utils", "EmailType=VARCHAR(255)"),
    ("sqlalchemy_utils", "URLType=TEXT"),
    ("citext", "CIText=CITEXT"),
];

/// A named type of the database: an enum or a domain.
#[derive(Debug)]
pub(super) struct NamedType {
    pub(super) name: Text,
    pub(super) schema: Option<Text>,
    /// The statement that creates it.
    create: Text,
    /// True if a table that uses it creates it.
    with_table: bool,
    domain: bool,
}

/// A type given as `Integer` or as `Integer()`: its name, package path and arguments.
fn parts<'v, 'a>(value: &'v Value<'a>, none: &'v Args<'a>) -> Option<(&'v str, &'v Args<'a>)> {
    match value.as_call() {
        Some((path, args, _)) => Some((path, args)),
        None => value.as_path().map(|path| (path, none)),
    }
}

/// The variant for PostgreSQL of a type with `.with_variant(..)`, and whatever other methods are chained.
fn variant<'v, 'a>(mut value: &'v Value<'a>) -> &'v Value<'a> {
    while let Some((base, method, args)) = value.as_method() {
        if method == "with_variant" {
            let dialects = args
                .pos
                .get(1..)
                .unwrap_or(&[])
                .iter()
                .chain(args.named("dialect_name"));
            let mut postgresql = dialects.filter_map(Value::as_text).map(Text::as_str);
            if let (true, Some(chosen)) = (
                postgresql.any(|name| name == "postgresql"),
                args.get(0, "type_"),
            ) {
                value = chosen;
                continue;
            }
        }
        value = base;
    }
    value
}

/// `SERIAL` and its sisters for an integer type.
pub(super) fn serial(value: &Value<'_>) -> Option<&'static str> {
    let none = Args::default();
    // The type's affinity is that of the generic type, its size that of the variant.
    let generic = {
        let mut at = value;
        while let Some((base, ..)) = at.as_method() {
            at = base;
        }
        at
    };
    let affinity = sqlalchemy(parts(generic, &none)?.0)?;
    if !matches!(
        affinity,
        "Integer"
            | "INTEGER"
            | "INT"
            | "BigInteger"
            | "BIGINT"
            | "SmallInteger"
            | "SMALLINT"
            | "Numeric"
            | "NUMERIC"
            | "DECIMAL"
    ) {
        return None;
    }
    Some(match sqlalchemy(parts(variant(value), &none)?.0)? {
        "BigInteger" | "BIGINT" => "BIGSERIAL",
        "SmallInteger" | "SMALLINT" => "SMALLSERIAL",
        _ => "SERIAL",
    })
}

impl Emitter {
    /// The type as it is printed; a marker if it is not known.
    pub(super) fn type_name(&mut self, value: &Value<'_>) -> Result<Text> {
        let value = variant(value);
        let none = Args::default();
        if let Value::Class(class) = class_of(value) {
            // Which type PostgreSQL gets is decided at run time.
            if class.defines("load_dialect_impl") {
                return Ok(self.unknown_type());
            }
            // A `TypeDecorator` of this file prints what it wraps.
            return match class.members.iter().find(|(name, _)| name == "impl") {
                Some((_, inner)) if !matches!(class_of(inner), Value::Class(_)) => {
                    self.type_name(inner)
                }
                _ => Ok(self.unknown_type()),
            };
        }
        let Some((path, args)) = parts(value, &none) else {
            return Ok(self.unknown_type());
        };
        let Some(name) = sqlalchemy(path) else {
            return self.foreign_type(path, args);
        };
        if let Ok(found) = PLAIN.binary_search_by_key(&name, |(name, _)| name) {
            return Ok(PLAIN[found].1.into());
        }
        Ok(match name {
            "String" | "VARCHAR" | "Unicode" | "AutoString" => self.string_type("VARCHAR", args),
            "Text" | "UnicodeText" | "TEXT" => self.string_type("TEXT", args),
            "CHAR" | "NCHAR" | "NVARCHAR" => self.string_type(name, args),
            "DateTime" | "TIMESTAMP" => self.time_type("TIMESTAMP", args, name == "TIMESTAMP"),
            "Time" | "TIME" => self.time_type("TIME", args, name == "TIME"),
            "Float" | "FLOAT" => match self.number(args.get(0, "precision")) {
                Some(precision) if precision != "0" => format!("FLOAT({precision})").into(),
                _ => "FLOAT".into(),
            },
            "Numeric" | "NUMERIC" | "DECIMAL" => {
                let word = if name == "DECIMAL" {
                    "DECIMAL"
                } else {
                    "NUMERIC"
                };
                match (
                    self.number(args.get(0, "precision")),
                    self.number(args.get(1, "scale")),
                ) {
                    (None, _) => word.into(),
                    (Some(precision), None) => format!("{word}({precision})").into(),
                    (Some(precision), Some(scale)) => {
                        format!("{word}({precision}, {scale})").into()
                    }
                }
            }
            "Interval" => match self.number(args.get(1, "second_precision")) {
                Some(precision) => format!("INTERVAL ({precision})").into(),
                None => "INTERVAL".into(),
            },
            "INTERVAL" => {
                let mut out = Text::from("INTERVAL");
                if let Some(fields) = args.get(1, "fields").and_then(Value::as_text) {
                    out = concat(&[&out, &" ", fields]);
                }
                if let Some(precision) = self.number(args.get(0, "precision")) {
                    out.push_str(&format!(" ({precision})"));
                }
                out
            }
            "BINARY" | "VARBINARY" => match self.number(args.get(0, "length")) {
                Some(length) => format!("{name}({length})").into(),
                None => name.into(),
            },
            "BIT" => {
                let varying = args.get(1, "varying").and_then(Value::truth) == Some(true);
                match (varying, self.number(args.get(0, "length"))) {
                    (true, Some(length)) => format!("BIT VARYING({length})").into(),
                    (true, None) => "BIT VARYING".into(),
                    (false, length) => {
                        format!("BIT({})", length.unwrap_or_else(|| "1".to_owned())).into()
                    }
                }
            }
            "Uuid" | "UUID" => {
                let native = args.get(1, "native_uuid").and_then(Value::truth) != Some(false);
                (if native || name == "UUID" {
                    "UUID"
                } else {
                    "CHAR(32)"
                })
                .into()
            }
            "ARRAY" => self.array(args)?,
            "Enum" | "ENUM" => match self.native_enum(value)? {
                Some(named) => qualified(named.schema.as_ref(), &named.name, false),
                None => {
                    let length = self.enum_length(args)?;
                    format!("VARCHAR({length})").into()
                }
            },
            "DOMAIN" => {
                let schema = optional(args.named("schema"), "schema")?;
                qualified(
                    schema.as_ref(),
                    &needed(args.get(0, "name"), "name")?,
                    false,
                )
            }
            "NullType" | "NULLTYPE" => return fail("a column needs a type"),
            _ => self.unknown_type(),
        })
    }

    fn unknown_type(&mut self) -> Text {
        self.approximate = true;
        UNKNOWN_TYPE.into()
    }

    /// Types of other packages.
    fn foreign_type(&mut self, path: &str, args: &Args<'_>) -> Result<Text> {
        let root = path.split('.').next().unwrap_or(path);
        let name = path.rsplit('.').next().unwrap_or(path);
        let plain = THIRD_PARTY.iter().find_map(|(package, entry)| {
            let (known, sql) = entry.split_once('=')?;
            (*package == root && known == name).then_some(sql)
        });
        if let Some(sql) = plain {
            return Ok(sql.into());
        }
        Ok(match (root, name) {
            ("pgvector", "Vector" | "VECTOR" | "HALFVEC" | "HalfVector" | "SPARSEVEC") => {
                let word = match name {
                    "Vector" | "VECTOR" => "VECTOR",
                    "SPARSEVEC" => "SPARSEVEC",
                    _ => "HALFVEC",
                };
                match self.number(args.get(0, "dim")) {
                    Some(dimension) => format!("{word}({dimension})").into(),
                    None => word.into(),
                }
            }
            ("geoalchemy2", "Geometry" | "Geography" | "Raster") => {
                // It also builds a GiST index unless told otherwise, which is not shown.
                self.approximate = true;
                let word = name.to_lowercase();
                let kind = args.get(0, "geometry_type").and_then(Value::as_text);
                let srid = self
                    .number(args.get(1, "srid"))
                    .unwrap_or_else(|| "-1".to_owned());
                match kind {
                    Some(kind) => format!("{word}({},{srid})", kind.as_str()).into(),
                    None => format!("{word}(GEOMETRY,{srid})").into(),
                }
            }
            _ => self.unknown_type(),
        })
    }

    /// A number argument as printed; an unknown one is left out and makes the statement approximate.
    fn number(&mut self, value: Option<&Value<'_>>) -> Option<String> {
        match value? {
            Value::None => None,
            Value::Int(value) => Some(value.to_string()),
            Value::Number(text) => Some(text.to_string()),
            _ => {
                self.approximate = true;
                None
            }
        }
    }

    fn string_type(&mut self, word: &str, args: &Args<'_>) -> Text {
        let mut out = Text::from(word);
        if let Some(length) = self
            .number(args.get(0, "length"))
            .filter(|length| length != "0")
        {
            out.push_str(&format!("({length})"));
        }
        if let Some(collation) = args.get(1, "collation").and_then(Value::as_text) {
            out = concat(&[&out, &" COLLATE \"", collation, &"\""]);
        }
        out
    }

    fn time_type(&mut self, word: &str, args: &Args<'_>, precise: bool) -> Text {
        let zone = args
            .get(0, "timezone")
            .and_then(Value::truth)
            .unwrap_or(false);
        let precision = if precise {
            self.number(args.get(1, "precision"))
        } else {
            None
        };
        let precision = precision
            .map(|precision| format!("({precision})"))
            .unwrap_or_default();
        format!(
            "{word}{precision} {} TIME ZONE",
            if zone { "WITH" } else { "WITHOUT" }
        )
        .into()
    }

    fn array(&mut self, args: &Args<'_>) -> Result<Text> {
        let Some(item) = args.get(0, "item_type") else {
            return fail("an array needs the type of its items");
        };
        let inner = self.type_name(item)?;
        let dimensions = match args.get(2, "dimensions") {
            Some(Value::Int(dimensions)) => usize::try_from(*dimensions).unwrap_or(1).clamp(1, 16),
            _ => 1,
        };
        let brackets = "[]".repeat(dimensions);
        // The brackets go in front of a collation.
        let at = inner
            .as_str()
            .find(" COLLATE")
            .unwrap_or(inner.as_str().len());
        Ok(concat(&[
            &inner.slice(0, at),
            &brackets,
            &inner.slice(at, inner.as_str().len()),
        ]))
    }

    /// The labels of an enum, from strings or from an enumeration of the file.
    fn labels(&mut self, args: &Args<'_>) -> Result<(Vec<Text>, Option<String>)> {
        if let [Value::Class(class)] = args.pos.as_slice()
            && class.is_enum
        {
            let labels: Option<Vec<Text>> = match args.named("values_callable") {
                None | Some(Value::None) => {
                    Some(class.members.iter().map(|(name, _)| name.clone()).collect())
                }
                // `values_callable` nearly always maps members to their values.
                Some(_) => class
                    .members
                    .iter()
                    .map(|(_, value)| value.as_text().cloned())
                    .collect(),
            };
            let labels =
                labels.ok_or_else(|| Fail("the labels of the enum are not known".to_owned()))?;
            return Ok((labels, Some(class.name.to_lowercase())));
        }
        let labels: Option<Vec<Text>> = args
            .pos
            .iter()
            .map(|value| value.as_text().cloned())
            .collect();
        match labels {
            Some(labels) => Ok((labels, None)),
            None => fail("the labels of the enum are not known"),
        }
    }

    fn enum_length(&mut self, args: &Args<'_>) -> Result<usize> {
        let (labels, _) = self.labels(args)?;
        let longest = labels
            .iter()
            .map(|label| label.as_str().chars().count())
            .max()
            .unwrap_or(0);
        Ok(match args.named("length") {
            Some(Value::Int(length)) => usize::try_from(*length).unwrap_or(longest),
            _ => longest,
        })
    }

    /// The labels a non-native enum is checked against, if its CHECK constraint was asked for.
    pub(super) fn enum_check(
        &mut self,
        value: &Value<'_>,
    ) -> Result<Option<(Vec<Text>, Option<Text>)>> {
        let Some((path, args, _)) = variant(value).as_call() else {
            return Ok(None);
        };
        let asked = |name| args.named(name).and_then(Value::truth);
        if sqlalchemy(path) == Some("Enum")
            && asked("native_enum") == Some(false)
            && asked("create_constraint") == Some(true)
        {
            let (labels, class) = self.labels(args)?;
            let name = optional(args.named("name"), "name")?.or_else(|| class.map(Text::from));
            return Ok(Some((labels, name)));
        }
        Ok(None)
    }

    /// The enum or domain that a type names, also inside an array; `None` for other types.
    pub(super) fn named_type(&mut self, value: &Value<'_>) -> Result<Option<NamedType>> {
        let value = variant(value);
        match value.as_call() {
            Some((path, args, _)) => match sqlalchemy(path) {
                Some("ARRAY") => match args.get(0, "item_type") {
                    Some(item) => self.named_type(item),
                    None => Ok(None),
                },
                Some("Enum" | "ENUM") => self.native_enum(value),
                Some("DOMAIN") => self.domain(args).map(Some),
                _ => Ok(None),
            },
            None => Ok(None),
        }
    }

    fn native_enum(&mut self, value: &Value<'_>) -> Result<Option<NamedType>> {
        let Some((path, args, _)) = value.as_call() else {
            return fail("an enum needs its labels");
        };
        let no = |name| args.named(name).and_then(Value::truth) == Some(false);
        if no("native_enum") {
            return Ok(None);
        }
        let known = self.labels(args);
        let class = known.as_ref().ok().and_then(|(_, class)| class.clone());
        let Some(name) = optional(args.named("name"), "name")?.or_else(|| class.map(Text::from))
        else {
            return fail("an enum needs a name");
        };
        let schema = optional(args.named("schema"), "schema")?;
        let labels: Vec<Text> = match known {
            Ok((labels, _)) => labels.iter().map(literal).collect(),
            Err(_) => {
                self.approximate = true;
                Vec::new()
            }
        };
        let full = qualified(schema.as_ref(), &name, false);
        // `create_type` is an argument of the dialect's own class only; the generic one ignores it.
        let with_table =
            !(path.ends_with(".ENUM") && no("create_type")) && args.named("metadata").is_none();
        let create = concat(&[
            &"CREATE TYPE ",
            &full,
            &" AS ENUM (",
            &join(&labels, ", "),
            &")",
        ]);
        Ok(Some(NamedType {
            name,
            schema,
            create,
            with_table,
            domain: false,
        }))
    }

    fn domain(&mut self, args: &Args<'_>) -> Result<NamedType> {
        let name = needed(args.get(0, "name"), "name")?;
        let schema = optional(args.named("schema"), "schema")?;
        let Some(inner) = args.get(1, "data_type") else {
            return fail("a domain needs a type");
        };
        let inner = self.type_name(inner)?;
        let mut create = concat(&[
            &"CREATE DOMAIN ",
            &qualified(schema.as_ref(), &name, false),
            &" AS ",
            &inner,
        ]);
        if let Some(collation) = optional(args.named("collation"), "collation")? {
            create = concat(&[&create, &" COLLATE ", &ident(&collation)]);
        }
        if let Some(default) = args
            .named("default")
            .filter(|value| !matches!(value, Value::None))
        {
            let default = self.server_default(default)?;
            create = concat(&[&create, &" DEFAULT ", &default]);
        }
        if let Some(constraint) = optional(args.named("constraint_name"), "constraint_name")? {
            create = concat(&[&create, &" CONSTRAINT ", &ident(&constraint)]);
        }
        if flag(args.named("not_null"), "not_null")? == Some(true) {
            create.push_str(" NOT NULL");
        }
        if let Some(check) = args
            .named("check")
            .filter(|value| !matches!(value, Value::None))
        {
            let check = self.condition(check, Scope::Bare)?;
            create = concat(&[&create, &" CHECK (", &check, &")"]);
        }
        let with_table = args.named("create_type").and_then(Value::truth) != Some(false);
        Ok(NamedType {
            name,
            schema,
            create,
            with_table,
            domain: true,
        })
    }

    /// `CREATE TYPE` in front of a table that uses the type, unless this run has created it.
    pub(super) fn create_with_table(
        &mut self,
        value: &Value<'_>,
        out: &mut Vec<Text>,
    ) -> Result<()> {
        if let Some(named) = self.named_type(value)?
            && named.with_table
        {
            let full = qualified(named.schema.as_ref(), &named.name, false)
                .as_str()
                .to_owned();
            if !self.types.contains(&full) {
                self.types.push(full);
                out.push(named.create);
            }
        }
        Ok(())
    }

    /// `enum.create(bind)`, `enum.drop(bind)`, and the same for a domain or a sequence.
    pub(super) fn type_object(
        &mut self,
        args: &mut Given<'_, '_>,
        create: bool,
    ) -> Result<Vec<Text>> {
        let Some(value) = args.next("type") else {
            return fail("no type was given");
        };
        if let Some((path, sequence, _)) = value.as_call()
            && sqlalchemy(path) == Some("Sequence")
        {
            let statement = if create {
                self.create_sequence(sequence)?
            } else {
                drop_sequence(sequence)?
            };
            return Ok(vec![statement]);
        }
        let Some(named) = self.named_type(value)? else {
            // A non-native enum is no object of the database.
            return Ok(Vec::new());
        };
        if create {
            return Ok(vec![named.create]);
        }
        let full = qualified(named.schema.as_ref(), &named.name, false);
        Ok(vec![concat(&[
            &if named.domain {
                "DROP DOMAIN "
            } else {
                "DROP TYPE "
            },
            &full,
        ])])
    }

    pub(super) fn create_sequence(&mut self, args: &Args<'_>) -> Result<Text> {
        let mut out = concat(&[&"CREATE SEQUENCE ", &sequence_name(args)?]);
        if let Some(kind) = args
            .named("data_type")
            .filter(|value| !matches!(value, Value::None))
        {
            let kind = self.type_name(kind)?;
            out = concat(&[&out, &" AS ", &kind]);
        }
        let options = self.sequence_options(args, 1);
        if !options.is_empty() {
            out.push_str(&format!(" {options}"));
        }
        Ok(out)
    }

    /// The options of a sequence or an identity column; `first` is the position of `start`.
    pub(super) fn sequence_options(&mut self, args: &Args<'_>, first: usize) -> String {
        let mut out = Vec::new();
        for (name, position, word) in [
            ("increment", first + 1, "INCREMENT BY"),
            ("start", first, "START WITH"),
            ("minvalue", first + 2, "MINVALUE"),
            ("maxvalue", first + 3, "MAXVALUE"),
        ] {
            if let Some(value) = self.number(args.get(position, name)) {
                out.push(format!("{word} {value}"));
            }
        }
        for (name, word) in [("nominvalue", "NO MINVALUE"), ("nomaxvalue", "NO MAXVALUE")] {
            if args
                .named(name)
                .is_some_and(|value| !matches!(value, Value::None))
            {
                out.push(word.to_owned());
            }
        }
        if let Some(cache) = self.number(args.named("cache")) {
            out.push(format!("CACHE {cache}"));
        }
        if let Some(cycle) = args.named("cycle").and_then(Value::truth) {
            out.push(if cycle { "CYCLE" } else { "NO CYCLE" }.to_owned());
        }
        out.join(" ")
    }
}

pub(super) fn sequence_name(args: &Args<'_>) -> Result<Text> {
    let schema = optional(args.named("schema"), "schema")?;
    Ok(qualified(
        schema.as_ref(),
        &needed(args.get(0, "name"), "name")?,
        false,
    ))
}

pub(super) fn drop_sequence(args: &Args<'_>) -> Result<Text> {
    Ok(concat(&[&"DROP SEQUENCE ", &sequence_name(args)?]))
}

/// The class of a type given as a class of the file or as an instance of one.
fn class_of<'v, 'a>(value: &'v Value<'a>) -> &'v Value<'a> {
    use crate::python::value::SymKind;
    if let Value::Sym(sym) = value
        && let SymKind::Call { func, .. } = &sym.kind
        && matches!(func, Value::Class(_))
    {
        return func;
    }
    value
}

#[cfg(test)]
mod tests {
    #[test]
    fn tables_are_sorted() {
        assert!(super::PLAIN.is_sorted_by_key(|(name, _)| *name));
    }
}
