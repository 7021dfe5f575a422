//! A revision file: its identity and what its `upgrade` and `downgrade` send to the database.

use std::sync::Arc;

use crate::source::{Fragment, Span};

use super::emit::{Convention, Emitter};
use super::eval::{Machine, Trace};
use super::library::{Library, Modules, NoModules};
use super::syntax;
use super::tree::{Def, Expr, ExprKind, Module, Stmt, StmtKind, StrPart};
use super::value::Value;

/// A revision file as it was read.
#[derive(Debug, Clone)]
pub struct Revision {
    /// True if the file sets `revision` or `down_revision` at its top level.
    pub is_revision: bool,
    /// The revision's id.
    pub revision: Option<Id>,
    /// The revisions it follows: `None` if the name is not set or not known, empty for the first revision.
    pub down_revision: Option<Vec<Id>>,
    /// Place of the value of `down_revision`.
    pub down_revision_span: Option<Span>,
    /// Revisions of other branches that must have run.
    pub depends_on: Vec<Id>,
    /// Names of the branch that starts here.
    pub branch_labels: Vec<Id>,
    /// First line of the file's docstring.
    pub message: Option<String>,
    /// What `upgrade` does; absent if there is no such function.
    pub upgrade: Option<Script>,
    /// What `downgrade` does; absent if there is no such function.
    pub downgrade: Option<Script>,
    /// Defects that Alembic itself does not report, or reports only when the revision runs.
    pub problems: Vec<Problem>,
    /// Syntax errors, with what the parser says.
    pub syntax_errors: Vec<Problem>,
    /// Places of `#` comments, in order.
    pub comments: Vec<Span>,
}

/// An identifier and the place of the text that gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Id {
    /// The identifier.
    pub text: String,
    /// Its place, without the quotes where it is a plain literal.
    pub span: Span,
}

/// A defect of a revision file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its place.
    pub span: Span,
    /// What kind of defect it is.
    pub trap: Trap,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// Kinds of defects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trap {
    /// Python does not parse the file.
    Syntax,
    /// A variable that Alembic reads is set to something not known.
    NotKnown,
    /// An argument that has no effect.
    IgnoredArgument,
    /// A constraint that is written down and that nothing creates.
    NeverCreated,
    /// A constraint is dropped that has no name.
    UnnamedDrop,
    /// A colon makes a bind parameter, and no value is given for it.
    UnsetParameter,
    /// Alembic or SQLAlchemy raises an exception.
    Refused,
    /// A statement runs ahead of directives that stand before it.
    Overtakes,
    /// An expression is taken for the name of a column.
    ExpressionAsName,
}

/// What one function of a revision does.
#[derive(Debug, Clone)]
pub struct Script {
    /// Place of the function.
    pub span: Span,
    /// The statements it sends, in order.
    pub ops: Vec<Op>,
    /// What could reach the database and could not be evaluated.
    pub not_analysed: Vec<NotAnalysed>,
    /// What the function's body is.
    pub body: BodyKind,
    /// Number of directives that are called.
    pub calls: usize,
    /// Number of those whose arguments are known well enough to say what they send.
    pub known: usize,
}

/// What a function's body is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyKind {
    /// Statements.
    Ops,
    /// `pass` or `...` alone.
    Pass,
    /// A docstring alone.
    Docstring,
    /// It raises an exception first of all: its text.
    Raises {
        /// The `raise` statement as written.
        text: String,
    },
}

/// One statement.
#[derive(Debug, Clone)]
pub struct Op {
    /// Place of the call that sends it.
    pub span: Span,
    /// The SQL and the way back into the file.
    pub fragment: Fragment,
    /// Number (from 1) of the `autocommit_block` it runs in.
    pub autocommit: Option<u32>,
    /// True if it runs only under a condition that is not known.
    pub conditional: bool,
    /// True if a placeholder stands for something that is not known.
    pub approximate: bool,
    /// Name of the directive: `add_column`, `execute` ...
    pub directive: &'static str,
}

/// Something that could reach the database and could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAnalysed {
    /// Its place.
    pub span: Span,
    /// Why.
    pub reason: String,
}

/// What is around a revision file.
#[derive(Clone, Copy)]
pub struct Surroundings<'s> {
    /// The file's path, from which its imports are looked up.
    pub path: &'s str,
    /// The project's other files.
    pub modules: &'s dyn Modules,
    /// The naming convention of the `MetaData` that `env.py` gives to Alembic.
    pub convention: Option<&'s Convention>,
}

/// Reads a revision file that stands alone. Never fails: what cannot be read is listed.
#[must_use]
pub fn read(text: &str) -> Revision {
    read_in(
        text,
        &Surroundings {
            path: "",
            modules: &NoModules,
            convention: None,
        },
    )
}

/// Reads a revision file of a project.
#[must_use]
pub fn read_in(text: &str, around: &Surroundings<'_>) -> Revision {
    let module = Arc::new(syntax::parse(text));
    let library = Library::new(around.path, Arc::clone(&module), around.modules);
    let mut machine = Machine::new(&library);
    let top_level = machine.take_trace();
    let mut problems = Vec::new();

    let ids = |name: &str| -> Option<(Vec<Id>, Span)> {
        let (value, span) = (machine.global(name)?, assigned(&module, name)?.span);
        let id = |value: &Value<'_>| {
            let text = value.as_text()?;
            Some(Id {
                text: text.as_str().to_owned(),
                span: text.file_span().unwrap_or(span),
            })
        };
        match value {
            Value::None => Some((Vec::new(), span)),
            value => match value.items() {
                Some(items) => items
                    .iter()
                    .map(id)
                    .collect::<Option<Vec<_>>>()
                    .map(|ids| (ids, span)),
                None => id(value).map(|id| (vec![id], span)),
            },
        }
    };
    let revision = ids("revision").and_then(|(ids, _)| ids.into_iter().next());
    let down = ids("down_revision");
    let depends_on = ids("depends_on").map(|(ids, _)| ids).unwrap_or_default();
    let branch_labels = ids("branch_labels").map(|(ids, _)| ids).unwrap_or_default();
    for name in ["revision", "down_revision", "depends_on"] {
        if let (Some(value), None) = (assigned(&module, name), ids(name)) {
            problems.push(Problem {
                span: value.span,
                trap: Trap::NotKnown,
                help: None,
                message: format!("the value of `{name}` is not known"),
            });
        }
    }
    let is_revision = ["revision", "down_revision"]
        .iter()
        .any(|name| assigned(&module, name).is_some());

    let mut script = |name: &str| {
        let (def, span) = function(&module, name)?;
        let trace = machine.run(def, span);
        let emitter = Emitter::new(around.convention);
        let script = lower(trace, emitter, def, span, text, &mut problems);
        Some(script)
    };
    let mut upgrade = script("upgrade");
    let downgrade = script("downgrade");
    // Calls at the top level run whenever the file is loaded.
    let mut module_level = top_level.not_analysed;
    module_level.extend(top_level.directives.iter().map(|directive| NotAnalysed {
        span: directive.span,
        reason: format!(
            "`{}` is called when the file is loaded, outside of `upgrade`",
            directive.name
        ),
    }));
    if is_revision && let Some(upgrade) = &mut upgrade {
        upgrade.not_analysed.splice(0..0, module_level);
    }
    problems.sort_by_key(|problem| (problem.span, problem.trap, problem.message.clone()));
    problems.dedup();

    Revision {
        is_revision,
        revision,
        down_revision_span: down.as_ref().map(|(_, span)| *span),
        down_revision: down.map(|(ids, _)| ids),
        depends_on,
        branch_labels,
        message: message(&module),
        upgrade,
        downgrade,
        problems,
        syntax_errors: module
            .errors
            .iter()
            .map(|(span, message)| Problem {
                span: *span,
                trap: Trap::Syntax,
                help: None,
                message: message.clone(),
            })
            .collect(),
        comments: module.comments.clone(),
    }
}

/// The SQL of what a function calls.
fn lower(
    trace: Trace<'_>,
    mut emitter: Emitter,
    def: &Def,
    span: Span,
    text: &str,
    problems: &mut Vec<Problem>,
) -> Script {
    let mut not_analysed = trace.not_analysed;
    let mut ops = Vec::new();
    let (calls, mut known) = (trace.directives.len(), 0);
    for directive in &trace.directives {
        match emitter.lower(directive) {
            Ok(lowered) => {
                known += 1;
                ops.extend(lowered.statements.into_iter().map(|sql| Op {
                    span: directive.span,
                    fragment: sql.into_fragment(directive.span),
                    autocommit: directive.autocommit,
                    conditional: directive.conditional,
                    approximate: lowered.approximate,
                    directive: lowered.name,
                }));
            }
            // It is known that nothing is sent, and a problem says why.
            Err(fail)
                if emitter.problems.last().is_some_and(|problem| {
                    problem.span == directive.span && problem.message == fail.0
                }) =>
            {
                known += 1;
            }
            Err(fail) => not_analysed.push(NotAnalysed {
                span: directive.span,
                reason: fail.0,
            }),
        }
    }
    problems.append(&mut emitter.problems);
    problems.extend(trace.problems);
    not_analysed.sort_by_key(|entry| entry.span);
    Script {
        span,
        ops,
        not_analysed,
        body: body_kind(def, text),
        calls,
        known,
    }
}

/// The value last assigned to a name at the top level.
fn assigned<'m>(module: &'m Module, name: &str) -> Option<&'m Expr> {
    module.body.iter().rev().find_map(|stmt| match &stmt.kind {
        StmtKind::Assign { targets, value, .. } => targets
            .iter()
            .any(|target| matches!(&target.kind, ExprKind::Name(known) if known == name))
            .then_some(value),
        _ => None,
    })
}

fn function<'m>(module: &'m Module, name: &str) -> Option<(&'m Def, Span)> {
    module.body.iter().rev().find_map(|stmt| match &stmt.kind {
        StmtKind::Def(def) if def.name == name => Some((def, stmt.span)),
        _ => None,
    })
}

fn docstring(stmt: &Stmt) -> Option<&str> {
    match &stmt.kind {
        StmtKind::Expr(Expr {
            kind: ExprKind::Str(parts),
            ..
        }) => match parts.as_slice() {
            [StrPart::Text(text)] => Some(text.as_str()),
            _ => None,
        },
        _ => None,
    }
}

fn message(module: &Module) -> Option<String> {
    let text = docstring(module.body.first()?)?;
    let line = text.trim().split(['\n', '\r']).next()?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

fn body_kind(def: &Def, text: &str) -> BodyKind {
    let mut documented = false;
    let mut passes = false;
    for stmt in &def.body {
        match &stmt.kind {
            _ if docstring(stmt).is_some() => documented = true,
            StmtKind::Pass
            | StmtKind::Expr(Expr {
                kind: ExprKind::Ellipsis,
                ..
            }) => passes = true,
            StmtKind::Return(
                None
                | Some(Expr {
                    kind: ExprKind::None,
                    ..
                }),
            ) => passes = true,
            StmtKind::Raise(_) => {
                return BodyKind::Raises {
                    text: text.get(stmt.span.range()).unwrap_or("").to_owned(),
                };
            }
            _ => return BodyKind::Ops,
        }
    }
    if documented && !passes {
        BodyKind::Docstring
    } else {
        BodyKind::Pass
    }
}

#[cfg(test)]
mod tests;
