//! Comparison of our view of a tree with what the C library itself says, for the project's tests.

use serde_json::{Map, Number, Value as Json};

use super::{Mode, Node, Tree, Value, with_tree};

/// Checks that the tree read in place equals the tree that `pg_query::parse` hands out as protocol buffers: every
/// node, every field, every location, or the same error message.
///
/// Texts nested too deeply for the protocol buffers (about 47 operators) cannot be compared; for them it is only
/// checked that they parse.
pub fn agrees_with_protobuf(sql: &str) -> Result<(), String> {
    let theirs = pg_query::parse(sql, 0);
    with_tree(sql, Mode::Statements, |ours| match (ours, theirs) {
        (Ok(tree), Ok(theirs)) => {
            let theirs =
                serde_json::to_value(&theirs.protobuf.stmts).map_err(|error| error.to_string())?;
            let ours = Json::Array(
                tree.roots()
                    .iter()
                    .map(|raw| message(raw, Style::Protobuf))
                    .collect(),
            );
            difference("stmts", &ours, &plain(theirs)).map_or(Ok(()), Err)
        }
        (Ok(_), Err(pg_query::Error::Decode(_)))
        | (Err(_), Err(pg_query::Error::Conversion(_))) => Ok(()),
        (Err(ours), Err(pg_query::Error::Parse(theirs))) if ours.message == theirs => Ok(()),
        (Ok(_), Err(theirs)) => Err(format!("we have a tree, pg_query says: {theirs}")),
        (Err(ours), Ok(_)) => Err(format!("pg_query has a tree, we say: {ours}")),
        (Err(ours), Err(theirs)) => Err(format!("we say: {ours}; pg_query says: {theirs}")),
    })
}

/// How a tree is written down.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// As the C library writes JSON.
    Json,
    /// As the protocol buffers of `pg_query` serialize, after [`plain`].
    Protobuf,
}

/// The whole tree as the C library writes it.
pub(super) fn json(tree: Tree<'_>) -> Json {
    Json::Array(
        tree.roots()
            .iter()
            .map(|raw| message(raw, Style::Json))
            .collect(),
    )
}

/// A node with the name of its kind. Recursive: for trees of tests.
fn wrapped(node: Option<Node<'_>>, style: Style) -> Json {
    let Some(node) = node else {
        return Json::Object(Map::new());
    };
    let content = message(node, style);
    match style {
        Style::Json => object(node.kind(), content),
        Style::Protobuf => object("node", object(&plain_name(node.kind()), content)),
    }
}

/// The fields of a node. Empty fields are left out, as the C library does, with the same exceptions.
fn message(node: Node<'_>, style: Style) -> Json {
    let mut map = Map::new();
    let null = matches!(node, Node::A_Const(constant) if constant.isnull());
    let always = match node {
        Node::A_Const(_) => Some("location"),
        Node::Boolean(_) => Some("boolval"),
        Node::Float(_) => Some("fval"),
        Node::String(_) => Some("sval"),
        Node::BitString(_) => Some("bsval"),
        _ => None,
    };
    node.fields(&mut |name, value| {
        let keep = style == Style::Json && always == Some(name);
        let json = match value {
            Value::Text(text) => {
                (keep || text.is_some_and(|text| !text.is_empty())).then(|| text.into())
            }
            Value::Flag(flag) => (keep || flag).then_some(Json::Bool(flag)),
            Value::Letter(letter) => (letter != '\0').then(|| letter.to_string().into()),
            Value::Int(number) => (keep || number != 0).then(|| Json::Number(Number::from(number))),
            Value::Code { name, rank } => Some(match style {
                Style::Json => name.into(),
                Style::Protobuf => (i64::try_from(rank).unwrap_or(-2) + 1).into(),
            }),
            Value::Any(node) => node.map(|node| wrapped(Some(node), style)),
            Value::Of(node) => node.map(|node| message(node, style)),
            Value::Items(list) => (!list.is_empty())
                .then(|| Json::Array(list.cells().map(|node| wrapped(node, style)).collect())),
            Value::Literal(node) => {
                if let Some(node) = node.filter(|_| !null) {
                    literal(&mut map, node, style);
                }
                None
            }
            Value::Unset => None,
        };
        if let Some(json) = json {
            let name = match (style, name) {
                (Style::Json, name) => name.to_owned(),
                (Style::Protobuf, "base") => "basestmt".to_owned(),
                (Style::Protobuf, name) => plain_name(name),
            };
            map.insert(name, json);
        }
    });
    Json::Object(map)
}

/// The literal of an `A_Const`, which goes by the name of its C union member.
fn literal(map: &mut Map<String, Json>, node: Node<'_>, style: Style) {
    let name = match node {
        Node::Integer(_) => "ival",
        Node::Float(_) => "fval",
        Node::Boolean(_) => "boolval",
        Node::String(_) => "sval",
        Node::BitString(_) => "bsval",
        _ => "unexpected",
    };
    match (style, node) {
        (Style::Json, Node::Boolean(value)) if !value.boolval() => {
            map.insert(name.to_owned(), Json::Object(Map::new()));
        }
        (Style::Json, _) => {
            map.insert(name.to_owned(), message(node, style));
        }
        (Style::Protobuf, _) => {
            map.insert("val".to_owned(), object(name, message(node, style)));
        }
    }
}

fn object(name: &str, content: Json) -> Json {
    Json::Object(Map::from_iter([(name.to_owned(), content)]))
}

/// One spelling for C names and the names that Rust's protocol buffers make of them.
fn plain_name(name: &str) -> String {
    name.chars()
        .filter(|letter| *letter != '_')
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// Without empty fields, under plain names.
fn plain(json: Json) -> Json {
    match json {
        Json::Object(map) => Json::Object(
            map.into_iter()
                .filter(|(_, value)| match value {
                    Json::Null | Json::Bool(false) => false,
                    Json::Number(number) => number.as_i64() != Some(0),
                    Json::String(text) => !text.is_empty(),
                    Json::Array(items) => !items.is_empty(),
                    _ => true,
                })
                .map(|(name, value)| (plain_name(&name), plain(value)))
                .collect(),
        ),
        Json::Array(items) => Json::Array(items.into_iter().map(plain).collect()),
        other => other,
    }
}

/// The first place where two trees differ.
pub(super) fn difference(place: &str, ours: &Json, theirs: &Json) -> Option<String> {
    match (ours, theirs) {
        (Json::Object(left), Json::Object(right)) => left
            .keys()
            .chain(right.keys().filter(|key| !left.contains_key(*key)))
            .find_map(|key| {
                let place = format!("{place}.{key}");
                difference(
                    &place,
                    left.get(key).unwrap_or(&Json::Null),
                    right.get(key).unwrap_or(&Json::Null),
                )
            }),
        (Json::Array(left), Json::Array(right)) if left.len() == right.len() => left
            .iter()
            .zip(right)
            .enumerate()
            .find_map(|(index, (left, right))| {
                difference(&format!("{place}[{index}]"), left, right)
            }),
        _ => (ours != theirs)
            .then(|| format!("{place}: we read {ours}, the C library says {theirs}")),
    }
}
