//! YAML as a tree that knows where everything stands.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::Spanned;

use crate::source::{Problem, Source, Span};

/// A value with its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Value,
}

/// A value. What a scalar means is decided by what is expected there: `off` is a level and `0012` a version,
/// whatever YAML takes them for.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    /// A text, as it is meant if it is quoted, otherwise as it is written.
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key of a map.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) span: Span,
    pub(crate) name: String,
}

impl Node {
    /// Reads a whole file; an empty one is an empty map.
    pub(crate) fn read(source: &Source) -> Result<Self, Error> {
        let text: &str = &source.text;
        match serde_yaml::from_str::<Spanned<Raw>>(text) {
            Ok(raw) => Ok(node(raw, source)),
            Err(error) => {
                let span = error
                    .location()
                    .map_or(Span::default(), |location| error_span(source, &location));
                Err(Error {
                    span,
                    message: message(error.without_snippet()),
                })
            }
        }
    }

    /// What kind of thing it is, with its article.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Scalar(_) => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// Text that is no YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Error {
    /// Where it stops being YAML.
    pub(crate) span: Span,
    /// Why, in one line.
    pub(crate) message: String,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::new(error.span, error.message)
    }
}

/// The tree as the YAML reader builds it.
enum Raw {
    Null,
    Text(String),
    /// A number or boolean; what was written is in the file.
    Other,
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

fn node(raw: Spanned<Raw>, source: &Source) -> Node {
    let span = span_of(&raw.referenced);
    let written = source.slice(span_of(&raw.defined));
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Text(text) => Value::Scalar(text),
        Raw::Other => Value::Scalar(written.to_owned()),
        Raw::List(items) => Value::List(items.into_iter().map(|item| node(item, source)).collect()),
        Raw::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let span = span_of(&key.referenced);
                    let name = key.value;
                    (Key { span, name }, node(value, source))
                })
                .collect(),
        ),
    };
    Node { span, value }
}

fn span_of(location: &serde_yaml::Location) -> Span {
    let span = location.span();
    let offset = |value: Option<u64>| value.and_then(|value| usize::try_from(value).ok());
    let start = offset(span.byte_offset()).unwrap_or(0);
    Span::new(start, start + offset(span.byte_len()).unwrap_or(0))
}

/// The place of an error: the word that begins there, so that there is something to mark. Errors of the scanner know
/// only line and column.
fn error_span(source: &Source, location: &serde_yaml::Location) -> Span {
    let start = location
        .span()
        .byte_offset()
        .and_then(|at| usize::try_from(at).ok());
    let start = start.unwrap_or_else(|| offset(source, location));
    let rest = source.text.get(start..).unwrap_or("");
    let len = rest
        .find(|c: char| c.is_whitespace() || c == ':')
        .unwrap_or(rest.len());
    let end = source.text.len();
    Span::new(start.min(end), (start + len).min(end))
}

/// The byte that a line and column (in characters, both from 1) stand for.
fn offset(source: &Source, location: &serde_yaml::Location) -> usize {
    let from_one = |number: u64| {
        usize::try_from(number)
            .unwrap_or(usize::MAX)
            .saturating_sub(1)
    };
    let starts = source.line_starts();
    let Some(&start) = starts.get(from_one(location.line())) else {
        return source.text.len();
    };
    let line = &source.text[start as usize..];
    let column = from_one(location.column());
    let within = line
        .char_indices()
        .nth(column)
        .map_or(line.len(), |(at, _)| at);
    start as usize + within
}

/// What the YAML reader says, in one line and without the place.
fn message(error: &serde_yaml::Error) -> String {
    if let serde_yaml::Error::DuplicateMappingKey { key, .. } = error {
        return match key {
            Some(key) => format!("`{key}` is written twice"),
            None => "a key is written twice".to_owned(),
        };
    }
    if matches!(error, serde_yaml::Error::MultipleDocuments { .. }) {
        return "a second document begins here; the file is one".to_owned();
    }
    let text = error.to_string();
    let line = text.split('\n').next().unwrap_or(&text);
    let line = line.split(" at line ").next().unwrap_or(line);
    format!("this is not YAML: {}", line.trim())
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RawVisitor;
        impl<'de> Visitor<'de> for RawVisitor {
            type Value = Raw;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
                Ok(Raw::Other)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
                Ok(Raw::Other)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
                Ok(Raw::Other)
            }
            fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
                Ok(Raw::Other)
            }
            fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
                Ok(Raw::Other)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
                Ok(Raw::Other)
            }
            fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
                Ok(Raw::Text(value.to_owned()))
            }
            fn visit_unit<E>(self) -> Result<Raw, E> {
                Ok(Raw::Null)
            }
            fn visit_none<E>(self) -> Result<Raw, E> {
                Ok(Raw::Null)
            }
            fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Raw, D::Error> {
                Raw::deserialize(inner)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Raw::List(list))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
                let mut map = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    map.push(entry);
                }
                Ok(Raw::Map(map))
            }
        }
        deserializer.deserialize_any(RawVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;

    fn shown(node: &Node, source: &Source) -> String {
        match &node.value {
            Value::Null => "null".to_owned(),
            Value::Scalar(text) => {
                let written = source.slice(node.span);
                let is_alias = written.starts_with('*');
                assert!(
                    is_alias || written.contains(text.as_str()),
                    "the place of {text}"
                );
                text.clone()
            }
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(|item| shown(item, source)).collect();
                format!("[{}]", items.join(" "))
            }
            Value::Map(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| {
                        assert_eq!(source.slice(key.span), key.name);
                        format!("{}: {}", key.name, shown(value, source))
                    })
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }

    #[test]
    fn scalars_are_what_was_written_and_everything_knows_its_place() {
        for (text, expected) in [
            ("a: 0012\nbé: [x, 'y z']", "{a: 0012, bé: [x y z]}"),
            (
                "c:\n  d: off # not a boolean\n  yes: 1.10",
                "{c: {d: off, yes: 1.10}}",
            ),
            (
                "e: 20240101000000\r\nf:\r\n",
                "{e: 20240101000000, f: null}",
            ),
            ("\u{feff}a: '18'", "{a: 18}"),
            ("a: &x off\nb: *x\nc: [*x]", "{a: off, b: off, c: [off]}"),
            ("a: |\n  x\nb: ~", "{a: x\n, b: null}"),
            ("", "null"),
            ("# nothing\n", "null"),
        ] {
            let source = Source::new(SourceId(0), "lockgate.yaml", text);
            let node = Node::read(&source).expect("YAML");
            assert_eq!(shown(&node, &source), expected);
        }
    }

    #[test]
    fn text_that_is_no_yaml_is_an_error_with_its_place() {
        for text in [
            "a: [1",
            "a: b: c",
            "a:\n\t- b",
            "a: 1\na: 2",
            "\u{1}",
            "--- a\n--- b",
        ] {
            let source = Source::new(SourceId(0), "lockgate.yaml", text);
            let problem = Node::read(&source).expect_err(text);
            assert!(!problem.message.is_empty(), "{text}");
            assert!(
                problem.span.end as usize <= text.len(),
                "{text}: {problem:?}"
            );
        }
        let deep = "[".repeat(100_000);
        assert!(Node::read(&Source::new(SourceId(0), "lockgate.yaml", deep)).is_err());
    }
}
