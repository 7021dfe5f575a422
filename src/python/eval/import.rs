//! Imports: the other files of the project, and what is known of packages.

use crate::python::tree::Expr;
use crate::python::value::Value;
use crate::source::Span;

use super::Machine;

impl<'a> Machine<'a> {
    /// Follows the top level of another file, once. What it calls there is not part of the revision.
    pub(super) fn load(&mut self, index: usize) {
        if std::mem::replace(&mut self.loaded[index], true) {
            return;
        }
        let trace = std::mem::take(&mut self.trace);
        let locals = std::mem::take(&mut self.locals);
        let batches = std::mem::take(&mut self.batches);
        let (home, steps, exhausted) = (self.home, self.steps, self.exhausted);
        let (unrolls, conditional, autocommit) = (self.unrolls, self.conditional, self.autocommit);
        self.home = index;
        self.steps = 0;
        self.conditional = 0;
        self.block(&self.library.module(index).body);
        self.trace = trace;
        self.locals = locals;
        self.batches = batches;
        (self.home, self.steps, self.exhausted) = (home, steps, exhausted);
        (self.unrolls, self.conditional, self.autocommit) = (unrolls, conditional, autocommit);
    }

    /// `from <dots><module> import <name>`.
    pub(super) fn import_from(
        &mut self,
        level: u32,
        module: &str,
        name: &str,
        span: Span,
    ) -> Value<'a> {
        if let Some(index) = self.library.imported(self.home, level, module) {
            self.load(index);
            if let Some(value) = self.globals[index].get(name) {
                return value.clone();
            }
        }
        let dot = if module.is_empty() { "" } else { "." };
        let full = format!("{module}{dot}{name}");
        if let Some(index) = self.library.imported(self.home, level, &full) {
            self.load(index);
            return Value::Module(index);
        }
        import(&format!("{}{full}", ".".repeat(level as usize)), span)
    }

    /// `from <dots><module> import *`.
    pub(super) fn import_all(&mut self, level: u32, module: &str) {
        let Some(index) = self.library.imported(self.home, level, module) else {
            return;
        };
        self.load(index);
        let all = self.globals[index].clone();
        let public = all.into_iter().filter(|(name, _)| !name.starts_with('_'));
        let scope = self.locals.last_mut();
        scope.unwrap_or(&mut self.globals[self.home]).extend(public);
    }

    /// `module.name`.
    pub(super) fn module_attribute(&self, index: usize, name: &str, span: Span) -> Value<'a> {
        self.globals[index].get(name).cloned().unwrap_or_else(|| {
            let path = self.library.path(index);
            Value::opaque(format!("`{path}` does not define `{name}`"), span)
        })
    }

    /// The value of an expression at the top level of a file of the library.
    pub(in crate::python) fn value_in(&mut self, index: usize, expr: &'a Expr) -> Value<'a> {
        self.load(index);
        let home = std::mem::replace(&mut self.home, index);
        let value = self.expr(expr);
        self.home = home;
        value
    }

    /// The value of a name at the top level of a file of the library.
    pub(in crate::python) fn name_in(&mut self, index: usize, name: &str) -> Option<Value<'a>> {
        self.load(index);
        self.globals[index].get(name).cloned()
    }
}

/// What an imported path stands for.
pub(super) fn import<'a>(path: &str, span: Span) -> Value<'a> {
    match path {
        "alembic.op" => Value::Op,
        "alembic.context" => Value::Context,
        _ => Value::path(path, span),
    }
}
