//! Migrations of Django: `migrations.RunSQL` among the operations.

use std::collections::BTreeMap;

use super::program::{Call, Program, is_sql};
use crate::layout::Direction;
use crate::python::syntax;
use crate::python::tree::{Class, Expr, ExprKind, StmtKind, StrPart};
use crate::source::Fragment;

/// Lists of operations in operations are followed so deep.
const MAX_DEPTH: usize = 8;

/// Finds the SQL of a file.
pub(super) fn read(text: &str) -> Program {
    let module = syntax::parse(text);
    let mut reader = Reader {
        constants: BTreeMap::new(),
        program: Program::default(),
        back: Vec::new(),
    };
    reader.program.unread = !module.errors.is_empty();
    let mut class = None;
    for statement in &module.body {
        match &statement.kind {
            StmtKind::Assign { targets, value, .. } => {
                for target in targets {
                    if let ExprKind::Name(name) = &target.kind {
                        // Assigned twice: nobody knows which one is meant.
                        let known = reader.constants.insert(name.as_str(), Some(value));
                        if known.is_some() {
                            reader.constants.insert(name, None);
                        }
                    }
                }
            }
            StmtKind::Class(found) if found.name == "Migration" => {
                class = Some((statement.span, found));
            }
            _ => {}
        }
    }
    let Some((span, class)) = class else {
        reader.program.unread = true;
        return reader.program;
    };
    reader.program.ways.push((Direction::Up, span));
    reader.class(class);
    // The way back undoes the operations from the last to the first.
    reader.back.reverse();
    let back = reader.back.into_iter().flatten();
    reader.program.calls.extend(back);
    reader.program
}

struct Reader<'m> {
    /// Names of the module, with what they stand for.
    constants: BTreeMap<&'m str, Option<&'m Expr>>,
    program: Program,
    /// What each operation runs on the way back.
    back: Vec<Vec<Call>>,
}

impl<'m> Reader<'m> {
    fn class(&mut self, class: &'m Class) {
        for statement in &class.body {
            let StmtKind::Assign { targets, value, .. } = &statement.kind else {
                self.program.unread |=
                    !matches!(statement.kind, StmtKind::Pass | StmtKind::Expr(_));
                continue;
            };
            for target in targets {
                let ExprKind::Name(name) = &target.kind else {
                    continue;
                };
                match name.as_str() {
                    "atomic" => {
                        self.program.outside = [matches!(value.kind, ExprKind::Bool(false)); 2];
                    }
                    "operations" => self.operations(value, 0),
                    "dependencies" => self.program.links[0] = self.links(value),
                    "run_before" => self.program.links[1] = self.links(value),
                    "replaces" => self.program.links[2] = self.links(value),
                    _ => {}
                }
            }
        }
    }

    /// Migrations named in a list: `application.name`; with no application where the project's setting names it.
    fn links(&self, list: &'m Expr) -> Vec<String> {
        let (ExprKind::List(items) | ExprKind::Tuple(items)) = &list.kind else {
            return Vec::new();
        };
        let text = |value: &'m Expr| self.text(value).map(|text| text.sql.to_string());
        let mut links = Vec::new();
        for item in items {
            match &item.kind {
                ExprKind::Tuple(pair) | ExprKind::List(pair) => {
                    if let [app, name] = pair.as_slice()
                        && let (Some(app), Some(name)) = (text(app), text(name))
                    {
                        links.push(format!("{app}.{name}"));
                    }
                }
                // `migrations.swappable_dependency(settings.AUTH_USER_MODEL)`
                ExprKind::Call { .. } => links.push(".__first__".to_owned()),
                _ => {}
            }
        }
        links
    }

    fn operations(&mut self, list: &'m Expr, depth: usize) {
        let (ExprKind::List(items) | ExprKind::Tuple(items)) = &list.kind else {
            self.program.unread = true;
            return;
        };
        for item in items {
            if !self.operation(item, depth) {
                self.program.unread = true;
            }
        }
    }

    /// False if the operation is not known.
    fn operation(&mut self, operation: &'m Expr, depth: usize) -> bool {
        let ExprKind::Call {
            func,
            args,
            keywords,
        } = &operation.kind
        else {
            return false;
        };
        let name = match &func.kind {
            ExprKind::Attribute { attr, .. } => attr,
            ExprKind::Name(name) => name,
            _ => return false,
        };
        let argument = |place: usize, name: &str| {
            let named = keywords
                .iter()
                .find(|(key, _)| key.as_deref() == Some(name));
            named.map(|(_, value)| value).or_else(|| args.get(place))
        };
        match name.as_str() {
            "SeparateDatabaseAndState" if depth < MAX_DEPTH => {
                if let Some(list) = argument(0, "database_operations") {
                    self.operations(list, depth + 1);
                }
                true
            }
            "RunSQL" => {
                let up = argument(0, "sql").map(|sql| self.texts(sql));
                let down = argument(1, "reverse_sql").map(|sql| self.texts(sql));
                let calls = |direction, texts: Vec<Fragment>| {
                    texts.into_iter().filter(is_sql).map(move |fragment| Call {
                        direction,
                        fragment,
                        wraps: None,
                    })
                };
                let is_known = !matches!(up, None | Some(None)) && !matches!(down, Some(None));
                self.program
                    .calls
                    .extend(calls(Direction::Up, up.flatten().unwrap_or_default()));
                self.back
                    .push(calls(Direction::Down, down.flatten().unwrap_or_default()).collect());
                is_known
            }
            _ => false,
        }
    }

    /// The statements of an argument of `RunSQL`; none if they are not all known.
    fn texts(&self, value: &'m Expr) -> Option<Vec<Fragment>> {
        match &self.meant(value)?.kind {
            // `migrations.RunSQL.noop`
            ExprKind::Attribute { attr, .. } if attr == "noop" => Some(Vec::new()),
            ExprKind::None => Some(Vec::new()),
            ExprKind::Str(_) => Some(vec![self.text(value)?]),
            ExprKind::List(items) | ExprKind::Tuple(items) => {
                items.iter().map(|item| self.text(item)).collect()
            }
            _ => None,
        }
    }

    /// A string, also one in a pair with no parameters.
    fn text(&self, value: &'m Expr) -> Option<Fragment> {
        let value = self.meant(value)?;
        match &value.kind {
            ExprKind::Str(parts) => {
                let mut whole = crate::python::text::Text::default();
                for part in parts {
                    let StrPart::Text(text) = part else {
                        return None;
                    };
                    whole.push(text);
                }
                Some(whole.into_fragment(value.span))
            }
            ExprKind::Tuple(pair) => match pair.as_slice() {
                [sql, none] if matches!(none.kind, ExprKind::None) => match &sql.kind {
                    ExprKind::Str(_) => self.text(sql),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    /// What a name of the module stands for.
    fn meant(&self, value: &'m Expr) -> Option<&'m Expr> {
        match &value.kind {
            ExprKind::Name(name) => self.constants.get(name.as_str()).copied().flatten(),
            _ => Some(value),
        }
    }
}
