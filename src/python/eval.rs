//! A small abstract interpreter: what `upgrade()` would call, without running it.
//!
//! Statements are followed in order. Where a condition is not known, both branches are followed and what they call is
//! marked as conditional. Nothing is skipped silently: whatever could reach the database and could not be evaluated is
//! listed in [`Trace::not_analysed`].

use std::collections::HashMap;

use crate::source::Span;

use super::library::Library;
use super::revision::{NotAnalysed, Problem, Trap};
use super::text::Text;
use super::tree::{BinOp, Class, Def, Expr, ExprKind, Stmt, StmtKind};
use super::value::{Args, ClassValue, Value};

mod call;
mod expr;
mod import;

use import::import;

/// Statements that are followed in one script.
const MAX_STEPS: u32 = 20_000;
/// Calls inside calls of functions of the file.
const MAX_CALLS: u32 = 12;
/// Rounds of loops that are unrolled in one script.
const MAX_UNROLLS: u32 = 2_000;
/// Nesting of expressions and statements, over all calls together: bounds the stack.
const MAX_DEPTH: u32 = 160;
/// Classes behind classes.
const MAX_BASES: u16 = 30;
/// Bytes of strings that are built in one script.
const MAX_BYTES: usize = 16 << 20;

/// A call of a directive with evaluated arguments.
#[derive(Debug)]
pub(super) struct Directive<'a> {
    pub(super) name: String,
    pub(super) args: Args<'a>,
    pub(super) span: Span,
    /// Table and schema of the batch block that it belongs to.
    pub(super) batch: Option<(Value<'a>, Value<'a>)>,
    pub(super) autocommit: Option<u32>,
    pub(super) conditional: bool,
}

/// What following a function gave.
#[derive(Debug, Default)]
pub(super) struct Trace<'a> {
    pub(super) directives: Vec<Directive<'a>>,
    pub(super) not_analysed: Vec<NotAnalysed>,
    pub(super) problems: Vec<Problem>,
}

type Scope<'a> = HashMap<String, Value<'a>>;

/// How a block ended.
#[derive(Debug, Clone)]
enum Flow<'a> {
    Normal,
    Return(Value<'a>),
    Raise,
    Break,
    Continue,
}

#[derive(Debug)]
struct BatchBlock<'a> {
    table: Value<'a>,
    schema: Value<'a>,
    queue: Vec<Directive<'a>>,
}

/// The interpreter's state.
#[derive(Debug)]
pub(super) struct Machine<'a> {
    library: &'a Library,
    /// The top-level names of each file of the library, empty until it is loaded.
    globals: Vec<Scope<'a>>,
    loaded: Vec<bool>,
    /// The file whose code is followed.
    home: usize,
    /// The call in the revision that led into another file: the place of everything found there.
    site: Option<Span>,
    locals: Vec<Scope<'a>>,
    trace: Trace<'a>,
    batches: Vec<BatchBlock<'a>>,
    autocommit: Option<u32>,
    blocks: u32,
    conditional: u32,
    steps: u32,
    unrolls: u32,
    calls: u32,
    depth: u32,
    bytes: usize,
    exhausted: bool,
}

impl<'a> Machine<'a> {
    /// Follows the module's top level, so that its constants, imports, functions and classes are known.
    pub(super) fn new(library: &'a Library) -> Self {
        let mut machine = Self {
            library,
            globals: (0..library.len()).map(|_| Scope::new()).collect(),
            loaded: vec![false; library.len()],
            home: 0,
            site: None,
            locals: Vec::new(),
            trace: Trace::default(),
            batches: Vec::new(),
            autocommit: None,
            blocks: 0,
            conditional: 0,
            steps: 0,
            unrolls: 0,
            calls: 0,
            depth: 0,
            bytes: 0,
            exhausted: false,
        };
        machine.loaded[0] = true;
        machine.block(&library.module(0).body);
        machine
    }

    /// The place of something in the revision.
    fn here(&self, span: Span) -> Span {
        self.site.unwrap_or(span)
    }

    /// The value of a module-level name.
    pub(super) fn global(&self, name: &str) -> Option<&Value<'a>> {
        self.globals[0].get(name)
    }

    /// Forgets what was recorded and returns it.
    pub(super) fn take_trace(&mut self) -> Trace<'a> {
        self.steps = 0;
        self.unrolls = 0;
        self.bytes = 0;
        self.exhausted = false;
        self.conditional = 0;
        self.autocommit = None;
        self.batches.clear();
        std::mem::take(&mut self.trace)
    }

    /// Follows `upgrade` or `downgrade`. A parameter called `op` is the operations object, others are unknown.
    pub(super) fn run(&mut self, def: &'a Def, span: Span) -> Trace<'a> {
        self.take_trace();
        let mut scope = Scope::new();
        for param in def.params.iter().chain(&def.kwonly) {
            let value = match (param.name.as_str(), &param.default) {
                ("op" | "operations", _) => Value::Op,
                ("bind" | "conn" | "connection", None) => Value::Bind,
                (_, Some(default)) => self.expr(default),
                (name, None) => Value::opaque(format!("parameter `{name}` is not known"), span),
            };
            scope.insert(param.name.clone(), value);
        }
        self.locals.push(scope);
        self.block(&def.body);
        self.locals.pop();
        self.flush(0);
        self.take_trace()
    }

    fn not_analysed(&mut self, span: Span, reason: impl Into<String>) {
        let entry = NotAnalysed {
            span: self.here(span),
            reason: reason.into(),
        };
        // One reason tells enough about a call into another file.
        if let (Some(site), Some(last)) = (self.site, self.trace.not_analysed.last())
            && last.span == site
        {
            return;
        }
        if self.trace.not_analysed.last() != Some(&entry) {
            self.trace.not_analysed.push(entry);
        }
    }

    /// Notes a statement that runs while directives before it wait for the end of their batch block.
    fn overtaking(&mut self, span: Span) {
        let waiting = self
            .batches
            .iter()
            .rev()
            .find(|batch| !batch.queue.is_empty());
        let Some(batch) = waiting else { return };
        let table = batch.table.as_text().map_or("the table", Text::as_str);
        let (first, count) = (&batch.queue[0].name, batch.queue.len());
        let others = if count > 1 {
            format!("`{first}` and {} more", count - 1)
        } else {
            format!("`{first}`")
        };
        let problem = Problem {
            span: self.here(span),
            trap: Trap::Overtakes,
            message: format!(
                "this runs before {others} of the batch block on `{table}`, which runs at the end of the block"
            ),
            help: Some("move it behind the block, or into a block of its own".to_owned()),
        };
        self.trace.problems.push(problem);
    }

    fn lookup(&self, name: &str) -> Option<&Value<'a>> {
        // Enclosing functions come last: only names that are neither local nor global are free names of a closure.
        let (inner, outer) = self
            .locals
            .split_last()
            .map_or((None, &[][..]), |(inner, outer)| (Some(inner), outer));
        inner
            .and_then(|scope| scope.get(name))
            .or_else(|| self.globals[self.home].get(name))
            .or_else(|| outer.iter().rev().find_map(|scope| scope.get(name)))
    }

    fn assign(&mut self, name: &str, value: Value<'a>) {
        let scope = self
            .locals
            .last_mut()
            .unwrap_or(&mut self.globals[self.home]);
        scope.insert(name.to_owned(), value);
    }

    /// Counts a step; false once the budget is spent, which is then reported once.
    fn step(&mut self, span: Span) -> bool {
        self.steps += 1;
        if self.steps <= MAX_STEPS && self.depth <= MAX_DEPTH {
            return true;
        }
        if !self.exhausted {
            self.exhausted = true;
            self.not_analysed(span, "the script is too long to follow");
        }
        false
    }

    fn block(&mut self, body: &'a [Stmt]) -> Flow<'a> {
        for stmt in body {
            if !self.step(stmt.span) {
                return Flow::Return(Value::None);
            }
            self.depth += 1;
            let flow = self.stmt(stmt);
            self.depth -= 1;
            if !matches!(flow, Flow::Normal) {
                return flow;
            }
        }
        Flow::Normal
    }

    fn stmt(&mut self, stmt: &'a Stmt) -> Flow<'a> {
        match &stmt.kind {
            StmtKind::Expr(expr) => self.expr_stmt(expr),
            StmtKind::Assign { targets, value, .. } => {
                let value = self.expr(value);
                for target in targets {
                    self.bind(target, value.clone());
                }
            }
            StmtKind::AugAssign { target, op, value } => {
                let left = self.expr(target);
                let right = self.expr(value);
                let value = match (op, &left) {
                    (BinOp::Add, Value::List(list)) => match right.items() {
                        Some(more) => {
                            Value::list(list.items.iter().cloned().chain(more).collect(), stmt.span)
                        }
                        None => right,
                    },
                    _ => self.binary(*op, left, right, stmt.span),
                };
                self.bind(target, value);
            }
            StmtKind::If(branches) => return self.branches(branches),
            StmtKind::For {
                target,
                iter,
                body,
                orelse,
            } => return self.for_loop(target, iter, body, orelse),
            StmtKind::While { test, body, orelse } => {
                if self.expr(test).truth() != Some(false) {
                    self.maybe(|machine| machine.block(body));
                }
                return self.block(orelse);
            }
            StmtKind::With { items, body } => return self.with(items, body),
            StmtKind::Try {
                body,
                handlers,
                orelse,
                finalbody,
            } => {
                let flow = self.block(body);
                for handler in handlers {
                    self.maybe(|machine| machine.block(handler));
                }
                let flow = if matches!(flow, Flow::Normal) {
                    self.block(orelse)
                } else {
                    flow
                };
                let last = self.block(finalbody);
                // A `raise` inside `try` may be caught right there.
                return match (last, flow) {
                    (Flow::Normal, Flow::Raise) if !handlers.is_empty() => Flow::Normal,
                    (Flow::Normal, flow) => flow,
                    (last, _) => last,
                };
            }
            StmtKind::Def(def) => {
                let value = if def.special {
                    Value::opaque(
                        format!("`{}` is decorated or asynchronous", def.name),
                        stmt.span,
                    )
                } else {
                    Value::Func(def, self.home)
                };
                self.assign(&def.name, value);
            }
            StmtKind::Class(class) => self.class(class),
            StmtKind::Return(value) => {
                let value = value.as_ref().map_or(Value::None, |value| self.expr(value));
                return Flow::Return(value);
            }
            StmtKind::Raise(_) => return Flow::Raise,
            StmtKind::Import(names) => {
                for (path, alias) in names {
                    let found = self.library.imported(self.home, 0, path);
                    if let Some(found) = found {
                        self.load(found);
                    }
                    match (alias, found) {
                        (Some(alias), Some(found)) => self.assign(alias, Value::Module(found)),
                        (None, Some(found)) if !path.contains('.') => {
                            self.assign(path, Value::Module(found));
                        }
                        (Some(alias), None) => self.assign(alias, import(path, stmt.span)),
                        (None, _) => {
                            let root = path.split('.').next().unwrap_or(path);
                            self.assign(root, Value::path(root, stmt.span));
                        }
                    }
                }
            }
            StmtKind::ImportFrom {
                level,
                module,
                names,
            } => {
                for (name, alias) in names {
                    if name == "*" {
                        self.import_all(*level, module);
                        continue;
                    }
                    let value = self.import_from(*level, module, name, stmt.span);
                    self.assign(alias.as_ref().unwrap_or(name), value);
                }
            }
            StmtKind::Assert(test) => {
                self.expr(test);
            }
            StmtKind::Pass | StmtKind::Declare { .. } => {}
            StmtKind::Break => return Flow::Break,
            StmtKind::Continue => return Flow::Continue,
            StmtKind::Other(what) => {
                self.not_analysed(stmt.span, format!("{what} is not followed"))
            }
        }
        Flow::Normal
    }

    /// Follows something that may not run: what it calls is conditional, what it assigns is unknown afterwards.
    fn maybe(&mut self, follow: impl FnOnce(&mut Self) -> Flow<'a>) -> Flow<'a> {
        let before = self
            .locals
            .last()
            .unwrap_or(&self.globals[self.home])
            .clone();
        self.conditional += 1;
        let flow = follow(self);
        self.conditional -= 1;
        let scope = self
            .locals
            .last_mut()
            .unwrap_or(&mut self.globals[self.home]);
        let after = std::mem::replace(scope, before);
        if matches!(flow, Flow::Normal | Flow::Break | Flow::Continue) {
            merge(scope, after);
        }
        flow
    }

    fn branches(&mut self, branches: &'a [(Option<Expr>, Vec<Stmt>)]) -> Flow<'a> {
        let Some(((test, body), rest)) = branches.split_first() else {
            return Flow::Normal;
        };
        let Some(test_expr) = test else {
            return self.block(body);
        };
        let test = self.expr(test_expr);
        match test.truth() {
            Some(true) => return self.block(body),
            Some(false) => return self.branches(rest),
            None => {}
        }
        let before = self
            .locals
            .last()
            .unwrap_or(&self.globals[self.home])
            .clone();
        self.conditional += 1;
        let first = self.block(body);
        let scope = self
            .locals
            .last_mut()
            .unwrap_or(&mut self.globals[self.home]);
        let after_first = std::mem::replace(scope, before);
        self.depth += 1;
        let second = if self.step(test_expr.span) {
            self.branches(rest)
        } else {
            Flow::Normal
        };
        self.depth -= 1;
        self.conditional -= 1;
        let scope = self
            .locals
            .last_mut()
            .unwrap_or(&mut self.globals[self.home]);
        match (first, second) {
            (Flow::Normal, Flow::Normal) => {
                merge(scope, after_first);
                Flow::Normal
            }
            // One way ends here: the rest runs only on the other one. A `raise` is a guard, not a choice.
            (Flow::Raise, second) => second,
            (first, Flow::Raise) => {
                *scope = after_first;
                first
            }
            (Flow::Normal, _) => {
                *scope = after_first;
                self.conditional += 1;
                Flow::Normal
            }
            (_, Flow::Normal) => {
                self.conditional += 1;
                Flow::Normal
            }
            (_, second) => second,
        }
    }

    fn for_loop(
        &mut self,
        target: &'a Expr,
        iter: &'a Expr,
        body: &'a [Stmt],
        orelse: &'a [Stmt],
    ) -> Flow<'a> {
        let over = self.expr(iter);
        let Some(items) = over.items() else {
            let flow = self.maybe(|machine| {
                let unknown = Value::opaque(
                    format!("looped over something unknown: {}", over.describe()),
                    iter.span,
                );
                machine.bind(target, unknown);
                machine.block(body)
            });
            return match flow {
                Flow::Return(_) | Flow::Raise => Flow::Normal,
                _ => self.block(orelse),
            };
        };
        // A `return` that only some rounds take makes what follows conditional; the count is restored behind the loop.
        let conditional = self.conditional;
        for item in items {
            self.unrolls += 1;
            if self.unrolls > MAX_UNROLLS {
                self.not_analysed(iter.span, "the loop has too many rounds to follow");
                break;
            }
            self.bind(target, item);
            match self.block(body) {
                Flow::Normal | Flow::Continue => {}
                Flow::Break => {
                    self.conditional = conditional;
                    return Flow::Normal;
                }
                flow => return flow,
            }
        }
        self.conditional = conditional;
        self.block(orelse)
    }

    fn with(&mut self, items: &'a [(Expr, Option<Expr>)], body: &'a [Stmt]) -> Flow<'a> {
        let open = self.batches.len();
        let outer = self.autocommit;
        for (item, name) in items {
            let mut value = self.expr(item);
            match &value {
                Value::Autocommit => {
                    self.blocks += 1;
                    self.autocommit = Some(self.blocks);
                    value = Value::None;
                }
                Value::Opaque(_)
                    if matches!(item.kind, ExprKind::Call { .. }) && name.is_none() =>
                {
                    let reason = value.describe();
                    self.not_analysed(item.span, format!("context manager is not known: {reason}"));
                }
                _ => {}
            }
            if let Some(name) = name {
                self.bind(name, value);
            }
        }
        let flow = self.block(body);
        self.flush(open);
        self.autocommit = outer;
        flow
    }

    /// Closes batch blocks: their directives run when the block ends.
    fn flush(&mut self, open: usize) {
        while self.batches.len() > open {
            if let Some(batch) = self.batches.pop() {
                self.trace.directives.extend(batch.queue);
            }
        }
    }

    fn class(&mut self, class: &'a Class) {
        let mut bases: Vec<Value<'a>> = class.bases.iter().map(|base| self.expr(base)).collect();
        let is_enum = bases.iter().any(|base| match base {
            Value::Class(base) => base.is_enum,
            _ => base.as_path().is_some_and(|path| {
                matches!(
                    path,
                    "enum.Enum" | "enum.StrEnum" | "enum.IntEnum" | "enum.Flag" | "enum.IntFlag"
                )
            }),
        });
        self.locals.push(Scope::new());
        let mut members = Vec::new();
        for stmt in &class.body {
            if let StmtKind::Assign { targets, value, .. } = &stmt.kind
                && let [
                    Expr {
                        kind: ExprKind::Name(name),
                        span: place,
                    },
                ] = targets.as_slice()
                && self.step(stmt.span)
            {
                let mut value = self.expr(value);
                if is_enum {
                    if value
                        .as_call()
                        .is_some_and(|(path, ..)| path == "enum.auto")
                    {
                        value = Value::Int(i64::try_from(members.len()).unwrap_or(0) + 1);
                    }
                    if name.starts_with('_') {
                        continue;
                    }
                }
                self.assign(name, value.clone());
                let mut text = Text::default();
                text.push_copied(name, place.start as usize);
                members.push((text, value));
            }
        }
        self.locals.pop();
        let nesting = bases.iter().map(|base| match base {
            Value::Class(base) => base.nesting + 1,
            _ => 1,
        });
        let nesting = nesting.max().unwrap_or(1);
        let sizes = bases.iter().map(|base| match base {
            Value::Class(base) => base.size,
            _ => 0,
        });
        let mut size = sizes.fold(1, u16::saturating_add);
        // A chain of classes is dropped class inside class, and whoever asks them asks all of them.
        if nesting > MAX_BASES || size > 2 * MAX_BASES {
            bases.clear();
            size = 1;
        }
        let value = ClassValue {
            name: class.name.clone(),
            is_enum,
            members,
            bases,
            nesting,
            size,
            def: class,
            home: self.home,
        };
        self.assign(&class.name, Value::Class(value.into()));
    }

    /// Assigns a value to a target.
    fn bind(&mut self, target: &'a Expr, value: Value<'a>) {
        match &target.kind {
            ExprKind::Name(name) => self.assign(name, value),
            ExprKind::Tuple(targets) | ExprKind::List(targets) => {
                let items = value.items().filter(|items| items.len() == targets.len());
                for (index, target) in targets.iter().enumerate() {
                    let item = items.as_ref().map_or_else(
                        || Value::opaque(value.describe(), target.span),
                        |items| items[index].clone(),
                    );
                    self.bind(target, item);
                }
            }
            ExprKind::Subscript { value: base, index } => {
                if let ExprKind::Name(name) = &base.kind {
                    let key = self.expr(index);
                    let changed = match self.lookup(name) {
                        Some(Value::Dict(map)) => {
                            let mut items = map.items.clone();
                            items.retain(|(known, _)| known.equals(&key) != Some(true));
                            items.push((key, value));
                            Value::dict(items, target.span)
                        }
                        _ => Value::opaque(format!("`{name}` was changed"), target.span),
                    };
                    self.assign(name, changed);
                }
            }
            _ => {}
        }
    }

    fn expr_stmt(&mut self, expr: &'a Expr) {
        let before = (
            self.trace.not_analysed.len(),
            self.trace.directives.len(),
            self.queued(),
        );
        let value = self.expr(expr);
        let after = (
            self.trace.not_analysed.len(),
            self.trace.directives.len(),
            self.queued(),
        );
        if before != after || !matches!(expr.kind, ExprKind::Call { .. }) {
            return;
        }
        // A call for its effect that nothing is known about.
        match &value {
            Value::Opaque(opaque) if opaque.reason == expr::NO_EFFECT => {}
            // A message for people, whoever writes it.
            _ if is_logging(expr) => {}
            Value::Opaque(opaque) => {
                let reason = opaque.reason.clone();
                self.not_analysed(expr.span, reason);
            }
            Value::Sym(_) => {
                if !expr::is_harmless_call(&value) {
                    self.not_analysed(expr.span, value.describe());
                }
            }
            _ => {}
        }
    }

    fn queued(&self) -> usize {
        self.batches.iter().map(|batch| batch.queue.len()).sum()
    }
}

/// True for `anything.info(..)` and its sisters.
fn is_logging(expr: &Expr) -> bool {
    const LEVELS: &[&str] = &[
        "debug",
        "info",
        "warning",
        "warn",
        "error",
        "exception",
        "critical",
    ];
    match &expr.kind {
        ExprKind::Call { func, .. } => match &func.kind {
            ExprKind::Attribute { attr, .. } => LEVELS.contains(&attr.as_str()),
            _ => false,
        },
        _ => false,
    }
}

/// What `str(value)` gives, if that is known.
pub(super) fn printed(value: &Value<'_>) -> Option<Text> {
    expr::to_text(value)
}

/// After a branch that may or may not have run: what differs is not known.
fn merge<'a>(scope: &mut Scope<'a>, other: Scope<'a>) {
    // The order in which the names are visited does not matter: each is decided alone.
    #[expect(clippy::iter_over_hash_type, reason = "each name is decided alone")]
    for (name, theirs) in other {
        match scope.get(&name) {
            Some(ours) if ours.equals(&theirs) == Some(true) || identical(ours, &theirs) => {}
            Some(_) => {
                let unknown =
                    Value::opaque(format!("`{name}` depends on a condition"), Span::default());
                scope.insert(name, unknown);
            }
            // Assigned on one way only: using it means that way was taken.
            None => {
                scope.insert(name, theirs);
            }
        }
    }
}

/// True if both are one and the same object.
fn identical(left: &Value<'_>, right: &Value<'_>) -> bool {
    use std::rc::Rc;
    match (left, right) {
        (Value::Sym(left), Value::Sym(right)) => Rc::ptr_eq(left, right),
        (Value::Dict(left), Value::Dict(right)) => Rc::ptr_eq(left, right),
        (Value::List(left), Value::List(right)) | (Value::Tuple(left), Value::Tuple(right)) => {
            Rc::ptr_eq(left, right)
        }
        (Value::Class(left), Value::Class(right)) => Rc::ptr_eq(left, right),
        (Value::Opaque(left), Value::Opaque(right)) => Rc::ptr_eq(left, right),
        (Value::Member(left), Value::Member(right)) => Rc::ptr_eq(left, right),
        (Value::Func(left, _), Value::Func(right, _)) => std::ptr::eq(*left, *right),
        (Value::Batch(left), Value::Batch(right)) => left == right,
        _ => {
            std::mem::discriminant(left) == std::mem::discriminant(right)
                && matches!(
                    left,
                    Value::Op
                        | Value::Context
                        | Value::Bind
                        | Value::Dialect
                        | Value::Autocommit
                        | Value::Builtin(_)
                )
        }
    }
}
