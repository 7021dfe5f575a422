//! What an `env.py` tells about how the revisions run.

use std::sync::Arc;

use super::eval::Machine;
use super::library::{Library, Modules};
use super::syntax;
use super::tree::{Expr, ExprKind, Module, Stmt, StmtKind, StrPart};
use super::value::Value;

/// Settings found in an `env.py`, read from its syntax alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Env {
    /// `transaction_per_migration=True` is given to `context.configure`: each revision has its own transaction.
    pub transaction_per_migration: bool,
    /// `SET` statements that stand in string literals, such as `SET lock_timeout = '4s'`, in order.
    pub sets: Vec<String>,
    /// The `naming_convention` of a `MetaData`, as written: kind (`ix`, `uq`, `ck`, `fk`, `pk`) and template.
    pub naming_convention: Option<Vec<(String, String)>>,
}

/// Reads an `env.py`; a file that does not parse yields what does. The naming convention may stand in a file that it
/// imports, directly or not; the first one found is taken.
#[must_use]
pub fn read_env(text: &str, path: &str, modules: &dyn Modules) -> Env {
    let module = Arc::new(syntax::parse(text));
    let mut env = settings(&module);
    env.naming_convention = convention(path, module, modules);
    env
}

fn settings(module: &Module) -> Env {
    let mut env = Env::default();
    walk(&module.body, &mut |expr| match &expr.kind {
        ExprKind::Call { keywords, .. } => {
            for (name, value) in keywords {
                if let (Some("transaction_per_migration"), ExprKind::Bool(true)) =
                    (name.as_deref(), &value.kind)
                {
                    env.transaction_per_migration = true;
                }
            }
        }
        ExprKind::Str(parts) => {
            for statement in constant(parts).iter().flat_map(|text| text.split(';')) {
                let statement = statement.trim();
                let first = statement.split_ascii_whitespace().next().unwrap_or("");
                if first.eq_ignore_ascii_case("set") && statement.len() > first.len() {
                    env.sets.push(statement.to_owned());
                }
            }
        }
        _ => {}
    });
    env
}

fn constant(parts: &[StrPart]) -> Option<String> {
    match parts {
        [StrPart::Text(text)] => Some(text.as_str().to_owned()),
        // An f-string still shows which setting is made; its value stays open.
        parts => Some(
            parts
                .iter()
                .map(|part| match part {
                    StrPart::Text(text) => text.as_str(),
                    StrPart::Value { .. } => "?",
                })
                .collect(),
        ),
    }
}

/// The naming convention that a file, or one that it imports, gives to a `MetaData`.
#[must_use]
pub fn convention(
    path: &str,
    module: Arc<Module>,
    modules: &dyn Modules,
) -> Option<Vec<(String, String)>> {
    let library = Library::of_env(path, module, modules);
    for index in 0..library.len() {
        let mut given = None;
        walk(&library.module(index).body, &mut |expr| {
            if let ExprKind::Call { keywords, .. } = &expr.kind {
                let named = keywords
                    .iter()
                    .find(|(name, _)| name.as_deref() == Some("naming_convention"));
                if let Some((_, value)) = named {
                    given.get_or_insert(value);
                }
            }
        });
        let Some(given) = given else { continue };
        if let Value::Dict(map) = Machine::new(&library).value_in(index, given) {
            let pairs = map.items.iter().filter_map(|(key, value)| {
                let key = match (key.as_text(), key.as_path()) {
                    (Some(key), _) => key.as_str(),
                    // `sqlalchemy.Index` itself may be the key.
                    (None, path) => path?.rsplit('.').next()?,
                };
                Some((key.to_owned(), value.as_text()?.as_str().to_owned()))
            });
            return Some(pairs.collect());
        }
    }
    None
}

/// Visits every expression. The tree's depth is bounded by the parser, and so is this recursion.
fn walk<'a>(body: &'a [Stmt], visit: &mut impl FnMut(&'a Expr)) {
    for stmt in body {
        match &stmt.kind {
            StmtKind::Expr(value) | StmtKind::Assert(value) => walk_expr(value, visit),
            StmtKind::Return(value) | StmtKind::Raise(value) => {
                if let Some(value) = value {
                    walk_expr(value, visit);
                }
            }
            StmtKind::Assign { value, .. } | StmtKind::AugAssign { value, .. } => {
                walk_expr(value, visit)
            }
            StmtKind::If(branches) => {
                for (test, body) in branches {
                    if let Some(test) = test {
                        walk_expr(test, visit);
                    }
                    walk(body, visit);
                }
            }
            StmtKind::For {
                iter: head,
                body,
                orelse,
                ..
            }
            | StmtKind::While {
                test: head,
                body,
                orelse,
            } => {
                walk_expr(head, visit);
                walk(body, visit);
                walk(orelse, visit);
            }
            StmtKind::With { items, body } => {
                for (item, _) in items {
                    walk_expr(item, visit);
                }
                walk(body, visit);
            }
            StmtKind::Try {
                body,
                handlers,
                orelse,
                finalbody,
            } => {
                walk(body, visit);
                for handler in handlers {
                    walk(handler, visit);
                }
                walk(orelse, visit);
                walk(finalbody, visit);
            }
            StmtKind::Def(def) => walk(&def.body, visit),
            StmtKind::Class(class) => walk(&class.body, visit),
            StmtKind::Import(_)
            | StmtKind::ImportFrom { .. }
            | StmtKind::Pass
            | StmtKind::Declare { .. }
            | StmtKind::Break
            | StmtKind::Continue
            | StmtKind::Other(_) => {}
        }
    }
}

fn walk_expr<'a>(expr: &'a Expr, visit: &mut impl FnMut(&'a Expr)) {
    visit(expr);
    let mut all = |exprs: &[&'a Expr]| exprs.iter().for_each(|expr| walk_expr(expr, visit));
    match &expr.kind {
        ExprKind::Call {
            func,
            args,
            keywords,
        } => {
            all(&[func]);
            all(&args
                .iter()
                .chain(keywords.iter().map(|(_, value)| value))
                .collect::<Vec<_>>());
        }
        ExprKind::Attribute { value, .. } | ExprKind::Starred(value) => all(&[value]),
        ExprKind::List(items)
        | ExprKind::Tuple(items)
        | ExprKind::Set(items)
        | ExprKind::Bool2 { values: items, .. } => {
            all(&items.iter().collect::<Vec<_>>());
        }
        ExprKind::Dict(items) => all(&items.iter().map(|(_, value)| value).collect::<Vec<_>>()),
        ExprKind::Bin { left, right, .. } => all(&[left, right]),
        ExprKind::IfElse { body, orelse, .. } => all(&[body, orelse]),
        ExprKind::Named { value, .. } | ExprKind::Unary { operand: value, .. } => all(&[value]),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::NoModules;

    #[test]
    fn settings_are_found_where_they_stand() {
        let env = read_env(
            r#"
from alembic import context
convention = 1
target_metadata = MetaData(naming_convention={"ix": "ix_%(column_0_label)s", "pk": "pk_%(table_name)s"})

def run_migrations_online():
    with connectable.connect() as connection:
        connection.execute(text("SET lock_timeout = '4s'; set statement_timeout = 0"))
        connection.exec_driver_sql(f"SET search_path TO {tenant}")
        context.configure(connection=connection, transaction_per_migration=True)
        print("settings", "set")
"#,
            "env.py",
            &NoModules,
        );
        assert!(env.transaction_per_migration);
        assert_eq!(
            env.sets,
            [
                "SET lock_timeout = '4s'",
                "set statement_timeout = 0",
                "SET search_path TO ?"
            ]
        );
        let convention = env.naming_convention.expect("it is given");
        assert_eq!(
            convention[1],
            ("pk".to_owned(), "pk_%(table_name)s".to_owned())
        );
        assert_eq!(
            read_env(
                "context.configure(transaction_per_migration=False)",
                "env.py",
                &NoModules
            ),
            Env::default()
        );
    }
}
