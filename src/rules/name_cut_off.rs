//! See `rules/name-cut-off.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{AlterAction, ConstraintDef, Ident, Kind, Name, Statement};

/// What is left of a name is at least so long: the cut falls before a character that does not fit.
const SHORTEST: usize = 60;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (what, name) in new_names(statement) {
        if name.len() < SHORTEST || !is_cut(&statement.source.sql, &name) {
            continue;
        }
        let finding = Finding::new(
            statement.span,
            format!(
                "the name of this {what} has more than 63 bytes: PostgreSQL cuts it off to `{name}`"
            ),
        )
        .help("choose a name of 63 bytes or less");
        cx.report(finding);
    }
}

/// Names that the statement gives, as PostgreSQL's parser keeps them.
fn new_names(statement: &Statement) -> Vec<(&'static str, Box<str>)> {
    let mut names: Vec<(&'static str, Box<str>)> = Vec::new();
    let of = |name: &Name| name.name.clone();
    let constraint = |def: &ConstraintDef| {
        let name: Option<&Ident> = def.name.as_ref();
        name.map(|name| ("constraint", name.text.clone()))
    };
    match &statement.kind {
        Kind::CreateTable(create) => {
            names.push(("table", of(&create.name)));
            for column in &create.columns {
                names.push(("column", column.name.text.clone()));
                names.extend(column.constraints.iter().filter_map(constraint));
            }
            names.extend(create.constraints.iter().filter_map(constraint));
        }
        Kind::CreateTableAs(create) => names.push(("table", of(&create.name))),
        Kind::CreateView(create) => names.push(("view", of(&create.name))),
        Kind::CreateSequence(create) => names.push(("sequence", of(&create.name))),
        Kind::CreateType(create) => names.push(("type", of(&create.name))),
        Kind::CreateFunction(create) => names.push(("function", of(&create.name))),
        Kind::CreateTrigger(create) => names.push(("trigger", create.name.text.clone())),
        Kind::CreateIndex(create) => {
            names.extend(create.name.iter().map(|name| ("index", name.text.clone())));
        }
        Kind::Rename(rename) => names.push((rename.object.as_str(), rename.to.text.clone())),
        Kind::AlterTable(alter) => {
            for action in &alter.actions {
                match action {
                    AlterAction::AddColumn(add) => {
                        names.push(("column", add.column.name.text.clone()));
                        names.extend(add.column.constraints.iter().filter_map(constraint));
                    }
                    AlterAction::AddConstraint(def) => names.extend(constraint(def)),
                    _ => {}
                }
            }
        }
        _ => {}
    }
    names
}

/// The text goes on where the parser's name ends.
fn is_cut(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_ascii_lowercase(), name.to_ascii_lowercase());
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
    let bytes = text.as_bytes();
    let mut whole = false;
    let mut longer = false;
    for (at, _) in text.match_indices(name.as_str()) {
        let before = at.checked_sub(1).map(|at| bytes[at]);
        if before.is_some_and(is_word) {
            continue;
        }
        match bytes.get(at + name.len()) {
            Some(byte) if is_word(*byte) => longer = true,
            _ => whole = true,
        }
    }
    longer && !whole
}
