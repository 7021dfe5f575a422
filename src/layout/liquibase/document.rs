//! Changelogs in XML, YAML and JSON as one kind of tree.
//!
//! Hostile files are read as well: XML with a DTD is refused, so that no entity is expanded, and what is nested deeper
//! than anybody writes is left out.

use roxmltree::{Document, NodeType, ParsingOptions};

use super::property::Properties;
use super::text::Text;
use crate::source::{Source, Span};
use crate::yaml::{self, Key, Node, Value};

/// The key or element that makes a file a changelog.
pub(super) const ROOT: &str = "databaseChangeLog";
/// Elements nested deeper than this are left out.
const MAX_DEPTH: usize = 64;
/// Files with more elements than this are refused.
const MAX_NODES: u32 = 4_000_000;

/// An element of XML, or a key of YAML or JSON with what stands below it.
#[derive(Debug, Clone)]
pub(super) struct Element {
    /// Its name.
    pub(super) name: String,
    /// The place that stands for it: the tag, or the key.
    pub(super) head: Span,
    /// All of it.
    pub(super) span: Span,
    /// Attributes, or keys with a single value.
    attributes: Vec<(String, Text)>,
    /// Elements in it.
    pub(super) children: Vec<Element>,
    /// Text in it.
    pub(super) text: Option<Text>,
}

/// A file that cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// Where.
    pub(super) span: Span,
    /// Why.
    pub(super) message: String,
}

impl Element {
    /// An attribute's value; an empty one counts as none.
    pub(super) fn get(&self, name: &str) -> Option<&Text> {
        self.attributes
            .iter()
            .find(|(own, value)| own == name && !value.value.is_empty())
            .map(|(_, value)| value)
    }

    /// An attribute's value, even if it is empty.
    pub(super) fn given(&self, name: &str) -> Option<&Text> {
        self.attributes
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value)
    }

    /// An attribute's value as a string.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.get(name).map(|text| text.value.trim())
    }

    /// True if an attribute says `true`.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(Text::is_true)
    }

    /// True if an attribute says `false`.
    pub(super) fn is_off(&self, name: &str) -> bool {
        self.value(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("false"))
    }

    /// The first element of that name in it.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The elements of that name in it.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// A text that stands in it or in an attribute of that name.
    pub(super) fn text_or(&self, name: &str) -> Option<&Text> {
        let own = self
            .text
            .as_ref()
            .filter(|text| !text.value.trim().is_empty());
        own.or_else(|| self.get(name))
            .or_else(|| self.child(name).and_then(|child| child.text.as_ref()))
    }

    /// The element with its parameters filled in.
    pub(super) fn filled(&self, properties: &Properties<'_>) -> Self {
        Self {
            name: self.name.clone(),
            head: self.head,
            span: self.span,
            attributes: self
                .attributes
                .iter()
                .map(|(name, value)| (name.clone(), value.filled(properties)))
                .collect(),
            children: self
                .children
                .iter()
                .map(|child| child.filled(properties))
                .collect(),
            text: self.text.as_ref().map(|text| text.filled(properties)),
        }
    }
}

/// Reads a changelog. None if it is no changelog.
pub(super) fn read(source: &Source, extension: &str) -> Result<Option<Element>, Broken> {
    let root = if extension == "xml" {
        xml(&source.text)?
    } else {
        yaml(source)?
    };
    Ok((root.name == ROOT).then_some(root))
}

fn xml(text: &str) -> Result<Element, Broken> {
    // A byte order mark is no part of the document; the parser would count without it.
    let (lead, text) = match text.strip_prefix('\u{feff}') {
        Some(rest) => ('\u{feff}'.len_utf8(), rest),
        None => (0, text),
    };
    let options = ParsingOptions {
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|error| {
        let position = error.pos();
        let line = usize::try_from(position.row).unwrap_or(1).saturating_sub(1);
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        let rest = text[start..].split('\n').next().unwrap_or_default();
        let message = error.to_string();
        let message = message.split(" at ").next().unwrap_or_default().to_owned();
        Broken {
            span: Span::new(lead + start, lead + start + rest.trim_end().len()),
            message,
        }
    })?;
    Ok(element(text, lead, document.root_element(), 0))
}

fn element(text: &str, lead: usize, node: roxmltree::Node<'_, '_>, depth: usize) -> Element {
    let at = |range: std::ops::Range<usize>| Span::new(range.start + lead, range.end + lead);
    let range = node.range();
    let raw = text.get(range.clone()).unwrap_or_default();
    let attributes: Vec<(String, Text)> = node
        .attributes()
        .map(|attribute| {
            let range = attribute.range_value();
            let raw = text.get(range.clone()).unwrap_or_default();
            let value = Text::new(attribute.value().to_owned(), raw, at(range));
            (attribute.name().to_owned(), value)
        })
        .collect();
    let head_end = node
        .attributes()
        .next_back()
        .map_or(range.start, |attribute| attribute.range().end);
    let close = text
        .get(head_end..range.end)
        .and_then(|rest| rest.find('>'))
        .map_or(range.end, |close| head_end + close + 1);
    let mut children = Vec::new();
    let mut words = String::new();
    for child in node.children() {
        match child.node_type() {
            NodeType::Element if depth < MAX_DEPTH => {
                children.push(element(text, lead, child, depth + 1));
            }
            NodeType::Text => words.push_str(child.text().unwrap_or_default()),
            _ => {}
        }
    }
    let inner = raw
        .rfind("</")
        .map_or(close, |end| range.start + end)
        .max(close);
    let own = (!words.trim().is_empty()).then(|| {
        Text::new(
            words,
            text.get(close..inner).unwrap_or_default(),
            at(close..inner),
        )
    });
    let line = text.get(range.start..close).unwrap_or_default();
    let first = line.split(['\n', '\r']).next().unwrap_or_default();
    Element {
        name: node.tag_name().name().to_owned(),
        head: at(range.start..range.start + first.len()),
        span: at(range),
        attributes,
        children,
        text: own,
    }
}

fn yaml(source: &Source) -> Result<Element, Broken> {
    // JSON may be indented with tabs, YAML may not; a blank is as long.
    let spaced = source.text.contains('\t').then(|| {
        let text = source.text.replace('\t', " ");
        Source::new(source.id, source.path.clone(), text)
    });
    let node = Node::read(source)
        .or_else(|error| spaced.as_ref().map_or(Err(error), Node::read))
        .map_err(|yaml::Error { span, message }| Broken { span, message })?;
    let Value::Map(entries) = &node.value else {
        return Ok(Element::empty(String::new(), node.span));
    };
    let root = entries.iter().find(|(key, _)| key.name == ROOT);
    Ok(match root {
        Some((key, value)) => node_element(source, &key.name, key.span, value, 0),
        None => Element::empty(String::new(), node.span),
    })
}

impl Element {
    fn empty(name: String, span: Span) -> Self {
        Self {
            name,
            head: span,
            span,
            attributes: Vec::new(),
            children: Vec::new(),
            text: None,
        }
    }
}

/// A key with its value: maps hold attributes and elements, lists hold elements, and anything else is text.
fn node_element(source: &Source, name: &str, head: Span, node: &Node, depth: usize) -> Element {
    let mut own = Element::empty(name.to_owned(), head);
    own.span = head.cover(node.span);
    if depth >= MAX_DEPTH {
        return own;
    }
    match &node.value {
        Value::Null => {}
        Value::Scalar(_) => own.text = scalar(source, node),
        Value::List(items) => own.add_items(source, items, depth),
        Value::Map(entries) => {
            for (key, value) in entries {
                own.add(source, key, value, depth, false);
            }
        }
    }
    own
}

impl Element {
    /// Adds a key: a single value as an attribute, anything else as an element. What XML has no element for is left
    /// out between: the lists `changes` and `columns`. In a list `- sql: select 1` is an element with a text.
    fn add(&mut self, source: &Source, key: &Key, node: &Node, depth: usize, in_list: bool) {
        let name = key.name.as_str();
        match &node.value {
            Value::Scalar(_) => {
                let Some(text) = scalar(source, node) else {
                    return;
                };
                if in_list && matches!(name, "sql" | "rollback" | "comment") {
                    let mut child = Self::empty(name.to_owned(), key.span);
                    child.span = key.span.cover(node.span);
                    child.text = Some(text);
                    self.children.push(child);
                } else {
                    self.attributes.push((name.to_owned(), text));
                }
            }
            Value::Null if !in_list => {}
            Value::List(items) if matches!(name, "changes" | "columns") => {
                self.add_items(source, items, depth);
            }
            _ => self
                .children
                .push(node_element(source, name, key.span, node, depth + 1)),
        }
    }

    fn add_items(&mut self, source: &Source, items: &[Node], depth: usize) {
        for item in items {
            match &item.value {
                Value::Map(entries) => {
                    for (key, value) in entries {
                        self.add(source, key, value, depth, true);
                    }
                }
                Value::Scalar(_) if self.text.is_none() => self.text = scalar(source, item),
                _ => {}
            }
        }
    }
}

fn scalar(source: &Source, node: &Node) -> Option<Text> {
    let Value::Scalar(value) = &node.value else {
        return None;
    };
    Some(Text::new(value.clone(), source.slice(node.span), node.span))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;

    fn parsed(extension: &str, text: &str) -> Result<Option<Element>, Broken> {
        let source = Source::new(SourceId(0), "a", text);
        read(&source, extension)
    }

    /// The tree as a line, with every value checked to stand where it says.
    fn shown(element: &Element, file: &str) -> String {
        for (name, value) in &element.attributes {
            let place = value.map.to_file(Span::new(0, value.value.len()));
            assert!(
                file[place.range()].contains(value.value.trim()),
                "{name}: {}",
                value.value
            );
        }
        let attributes: String = element
            .attributes
            .iter()
            .map(|(name, value)| format!(" {name}={}", value.value))
            .collect();
        let text = element
            .text
            .as_ref()
            .map_or(String::new(), |text| format!(" '{}'", text.value.trim()));
        let children: Vec<String> = element
            .children
            .iter()
            .map(|child| shown(child, file))
            .collect();
        format!("({}{attributes}{text}{})", element.name, children.concat())
    }

    #[test]
    fn the_three_formats_are_one_tree() {
        let expected = "(databaseChangeLog(changeSet id=1(createTable tableName=t(column name=a(constraints nullable=false)))(sql 'select 1')))";
        let xml = "\u{feff}<databaseChangeLog xmlns='x'><!-- c --><changeSet id='1'><createTable tableName='t'><column name='a'>\n<constraints nullable='false'/></column></createTable><sql><![CDATA[select 1]]></sql></changeSet></databaseChangeLog>";
        let root = parsed("xml", xml).unwrap().unwrap();
        assert_eq!(shown(&root, xml), expected);
        let yaml = "databaseChangeLog:\n- changeSet:\n    id: 1\n    changes:\n    - createTable:\n        tableName: t\n        columns:\n        - column:\n            name: a\n            constraints: {nullable: false}\n    - sql: select 1\n";
        let json = "{\"databaseChangeLog\": [\n\t{\"changeSet\": {\"id\": \"1\", \"changes\": [{\"createTable\": {\"tableName\": \"t\", \"columns\": [{\"column\": {\"name\": \"a\", \"constraints\": {\"nullable\": false}}}]}}, {\"sql\": \"select 1\"}]}}]}";
        for text in [yaml, json] {
            let root = parsed("yaml", text).unwrap().unwrap();
            assert_eq!(shown(&root, text), expected);
        }
    }

    #[test]
    fn hostile_files_are_refused_or_cut_short() {
        let bomb = "<!DOCTYPE a [<!ENTITY b 'cccc'>]><databaseChangeLog>&b;</databaseChangeLog>";
        assert!(parsed("xml", bomb).is_err());
        assert!(parsed("xml", "<databaseChangeLog").is_err());
        assert!(parsed("xml", "").is_err());
        assert_eq!(parsed("xml", "<project/>").unwrap().map(|_| ()), None);
        assert_eq!(parsed("yaml", "a: 1").unwrap().map(|_| ()), None);
        assert_eq!(parsed("yaml", "").unwrap().map(|_| ()), None);
        let deep = format!(
            "<databaseChangeLog>{}{}</databaseChangeLog>",
            "<a>".repeat(10_000),
            "</a>".repeat(10_000)
        );
        let root = parsed("xml", &deep);
        assert!(root.is_err() || root.is_ok_and(|root| root.is_some()));
    }
}
