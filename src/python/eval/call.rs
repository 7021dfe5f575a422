//! Calls: directives, connections, methods, functions of the file and of Python.

use crate::python::text::Text;
use crate::python::tree::{Def, Expr, ExprKind};
use crate::python::value::{Args, FLASK_SQLALCHEMY, SymKind, Value};
use crate::source::Span;

use super::expr::{NO_EFFECT, attribute, format_text, is_harmless, to_text};
use super::{BatchBlock, Directive, Flow, MAX_CALLS, MAX_UNROLLS, Machine, Scope};

impl<'a> Machine<'a> {
    pub(super) fn call_expr(
        &mut self,
        func: &'a Expr,
        args: &'a [Expr],
        keywords: &'a [(Option<String>, Expr)],
        span: Span,
    ) -> Value<'a> {
        // Methods that change a list or dict in place need the variable, not its value.
        if let ExprKind::Attribute { value: base, attr } = &func.kind
            && let ExprKind::Name(name) = &base.kind
            && matches!(self.lookup(name), Some(Value::List(_) | Value::Dict(_)))
            && matches!(
                attr.as_str(),
                "append" | "extend" | "insert" | "add" | "update" | "remove" | "pop" | "clear"
            )
        {
            let args = self.args(args, keywords);
            let before = self.lookup(name).cloned().unwrap_or(Value::None);
            let after = mutate(&before, attr, &args, span);
            self.assign(name, after);
            return if attr == "pop" {
                Value::opaque(NO_EFFECT, span)
            } else {
                Value::None
            };
        }
        let callee = self.expr(func);
        let args = self.args(args, keywords);
        self.call(&callee, args, span)
    }

    fn args(&mut self, args: &'a [Expr], keywords: &'a [(Option<String>, Expr)]) -> Args<'a> {
        let mut out = Args::default();
        for arg in args {
            if let ExprKind::Starred(inner) = &arg.kind {
                match self.expr(inner).items() {
                    Some(items) => out.pos.extend(items),
                    None => out.open = Some(arg.span),
                }
            } else {
                out.pos.push(self.expr(arg));
            }
        }
        for (name, value) in keywords {
            let place = value.span;
            let value = self.expr(value);
            match (name, value) {
                (Some(name), value) => out.kw.push((name.clone(), value)),
                (None, Value::Dict(map)) => {
                    for (key, value) in &map.items {
                        match key.as_text() {
                            Some(key) => out.kw.push((key.as_str().to_owned(), value.clone())),
                            None => out.open = Some(place),
                        }
                    }
                }
                (None, _) => out.open = Some(place),
            }
        }
        out
    }

    pub(super) fn call(&mut self, callee: &Value<'a>, args: Args<'a>, span: Span) -> Value<'a> {
        match callee {
            Value::Sym(sym) => match &sym.kind {
                SymKind::Path(path) => self.call_path(path, callee, args, span),
                SymKind::Attr { base, name } => self.call_method(base, name, callee, args, span),
                SymKind::Call { .. } if let Some((function, mut all)) = partial(callee) => {
                    // What is given with the call wins.
                    all.kw.retain(|(name, _)| args.named(name).is_none());
                    all.pos.extend(args.pos);
                    all.kw.extend(args.kw);
                    all.open = all.open.or(args.open);
                    self.call(function, all, span)
                }
                // `Session = sessionmaker(..)`, `session = Session()`.
                SymKind::Call { .. } if is_session_factory(callee) => Value::Bind,
                _ => Value::opaque(callee.describe(), span),
            },
            Value::Func(def, home) => self.call_function(def, *home, &args, span),
            Value::Lambda(params, body, home) => {
                if self.calls >= MAX_CALLS || params.len() != args.pos.len() {
                    return Value::opaque("the call is not followed", span);
                }
                let mut scope = self.locals.last().cloned().unwrap_or_default();
                scope.extend(params.iter().cloned().zip(args.pos));
                self.calls += 1;
                self.locals.push(scope);
                let home = std::mem::replace(&mut self.home, *home);
                let value = self.expr(body);
                self.home = home;
                self.locals.pop();
                self.calls -= 1;
                value
            }
            Value::Builtin(name) => self.builtin(name, &args, span),
            Value::Class(class) if class.is_flask_sqlalchemy() => Value::path("sqlalchemy", span),
            Value::Class(_) => Value::sym(
                SymKind::Call {
                    func: callee.clone(),
                    args,
                },
                span,
            ),
            Value::Opaque(opaque) => {
                let reason = opaque.reason.clone();
                if args.reach_database() {
                    self.not_analysed(span, format!("call is not known: {reason}"));
                }
                Value::opaque(reason, span)
            }
            _ => Value::opaque(callee.describe(), span),
        }
    }

    fn record(&mut self, name: &str, args: Args<'a>, span: Span) {
        self.overtaking(span);
        let directive = Directive {
            name: name.to_owned(),
            args,
            span: self.here(span),
            batch: None,
            autocommit: self.autocommit,
            conditional: self.conditional > 0,
        };
        self.trace.directives.push(directive);
    }

    /// A call of an imported name.
    fn call_path(
        &mut self,
        path: &str,
        callee: &Value<'a>,
        args: Args<'a>,
        span: Span,
    ) -> Value<'a> {
        if let Some(name) = path.strip_prefix("alembic.op.") {
            return self.directive(name, args, span);
        }
        match path {
            "textwrap.dedent" | "inspect.cleandoc" => {
                if let ("textwrap.dedent", Some(text)) =
                    (path, args.pos.first().and_then(Value::as_text))
                {
                    return Value::str(text.dedent());
                }
                if let Some(Value::Template(template)) = args.pos.first() {
                    return Value::template(template.0.dedent(), Some(template.1.clone()));
                }
            }
            // It has what SQLAlchemy has: `db.Column`, `db.Integer`.
            FLASK_SQLALCHEMY => return Value::path("sqlalchemy", span),
            "alembic.context.is_offline_mode" => return Value::Bool(false),
            "alembic.context.get_bind" => return Value::Bind,
            "alembic.context.get_context" => return Value::Context,
            "collections.OrderedDict" => {
                if let Some(Value::Dict(_)) = args.pos.first() {
                    return args.pos[0].clone();
                }
            }
            "sqlalchemy.orm.Session" | "sqlalchemy.orm.session.Session" => return Value::Bind,
            "sqlalchemy.sql.quoted_name"
            | "sqlalchemy.quoted_name"
            | "sqlalchemy.sql.elements.quoted_name" => {
                if let Some(text) = args.pos.first().and_then(Value::as_text) {
                    let quote = match args.get(1, "quote") {
                        Some(Value::Bool(quote)) => Some(*quote),
                        _ => None,
                    };
                    return Value::str(text.clone().with_quote(quote));
                }
            }
            _ => {}
        }
        // A function of the project may use `op` on its own; a class, such as a column type, does not.
        let is_class = path
            .rsplit('.')
            .next()
            .is_some_and(|name| name.starts_with(|c: char| c.is_ascii_uppercase()));
        if !is_harmless(path) && (!is_class || args.reach_database()) {
            self.not_analysed(span, format!("`{path}` is defined outside this file"));
        }
        Value::sym(
            SymKind::Call {
                func: callee.clone(),
                args,
            },
            span,
        )
    }

    fn call_method(
        &mut self,
        base: &Value<'a>,
        name: &str,
        callee: &Value<'a>,
        args: Args<'a>,
        span: Span,
    ) -> Value<'a> {
        match base {
            Value::Op => self.directive(name, args, span),
            Value::Batch(index) => self.batch_directive(*index, name, args, span),
            Value::Context => match name {
                "autocommit_block" => Value::Autocommit,
                "is_offline_mode" => Value::Bool(false),
                "get_bind" => Value::Bind,
                "get_context" => Value::Context,
                "execute" => self.directive(name, args, span),
                _ => Value::opaque(NO_EFFECT, span),
            },
            Value::Bind => self.bind_method(name, args, span),
            Value::Str(text) => self.str_method(text, name, &args, span),
            Value::Template(template) => match self.str_method(&template.0, name, &args, span) {
                Value::Str(text) => Value::template((*text).clone(), Some(template.1.clone())),
                Value::Template(text) => Value::Template(text),
                _ => Value::opaque(template.1.clone(), span),
            },
            Value::Member(_) if name == "lower" || name == "upper" => base.as_text().map_or_else(
                || Value::opaque(NO_EFFECT, span),
                |text| self.str_method(text, name, &args, span),
            ),
            Value::List(_) | Value::Tuple(_) | Value::Dict(_) => {
                collection_method(base, name, &args, span)
            }
            Value::Sym(_) => {
                let is_type = base
                    .as_call()
                    .is_some_and(|(path, ..)| is_schema_type(path));
                if matches!(name, "create" | "drop") && is_type {
                    let mut all = Args {
                        pos: vec![base.clone()],
                        ..Args::default()
                    };
                    all.kw = args.kw;
                    self.record(
                        if name == "create" {
                            "create_type"
                        } else {
                            "drop_type"
                        },
                        all,
                        span,
                    );
                    return Value::None;
                }
                let ends_in_effect = matches!(
                    name,
                    "create" | "drop" | "create_all" | "drop_all" | "execute"
                );
                if ends_in_effect && args.reach_database() {
                    self.not_analysed(span, format!("`{name}` of this object is not followed"));
                    return Value::opaque(NO_EFFECT, span);
                }
                Value::sym(
                    SymKind::Call {
                        func: callee.clone(),
                        args,
                    },
                    span,
                )
            }
            Value::Opaque(opaque) => {
                let reason = opaque.reason.clone();
                if args.reach_database() {
                    self.not_analysed(span, reason.clone());
                }
                Value::opaque(reason, span)
            }
            _ => Value::opaque(callee.describe(), span),
        }
    }

    /// `op.name(..)`.
    fn directive(&mut self, name: &str, args: Args<'a>, span: Span) -> Value<'a> {
        match name {
            "f" => match args.pos.first().and_then(Value::as_text) {
                Some(text) => Value::str(text.clone().into_final()),
                None => args.pos.into_iter().next().unwrap_or(Value::None),
            },
            "get_bind" => Value::Bind,
            "get_context" => Value::Context,
            "inline_literal" => args.pos.into_iter().next().unwrap_or(Value::None),
            "batch_alter_table" => {
                let table = args.get(0, "table_name").cloned().unwrap_or(Value::None);
                let schema = args.get(1, "schema").cloned().unwrap_or(Value::None);
                if args
                    .named("recreate")
                    .and_then(Value::as_text)
                    .is_some_and(|mode| mode == "always")
                {
                    self.not_analysed(
                        span,
                        "`recreate=\"always\"` copies the table, which needs a live database",
                    );
                }
                self.batches.push(BatchBlock {
                    table,
                    schema,
                    queue: Vec::new(),
                });
                Value::Batch(self.batches.len() - 1)
            }
            // The table that was made can be filled with `bulk_insert`.
            "create_table" => {
                let table = Value::sym(
                    SymKind::Call {
                        func: Value::path("sqlalchemy.Table", span),
                        args: args.clone(),
                    },
                    span,
                );
                self.record(name, args, span);
                table
            }
            _ => {
                self.record(name, args, span);
                Value::opaque("the result of a directive is known only at run time", span)
            }
        }
    }

    fn batch_directive(
        &mut self,
        index: usize,
        name: &str,
        args: Args<'a>,
        span: Span,
    ) -> Value<'a> {
        match name {
            // `batch_op.f` and `batch_op.execute` act at once, ahead of what the block has queued.
            "f" | "execute" | "get_bind" | "get_context" | "inline_literal" => {
                self.directive(name, args, span)
            }
            _ => {
                let (autocommit, conditional) = (self.autocommit, self.conditional > 0);
                let span = self.here(span);
                match self.batches.get_mut(index) {
                    Some(batch) => batch.queue.push(Directive {
                        name: name.to_owned(),
                        args,
                        span,
                        batch: Some((batch.table.clone(), batch.schema.clone())),
                        autocommit,
                        conditional,
                    }),
                    None => self.not_analysed(span, "the batch block is closed already"),
                }
                Value::None
            }
        }
    }

    fn bind_method(&mut self, name: &str, args: Args<'a>, span: Span) -> Value<'a> {
        match name {
            "execute" | "scalar" | "scalars" => {
                self.record("execute", args, span);
                Value::opaque("the result of a query is known only at run time", span)
            }
            "exec_driver_sql" => {
                self.record("exec_driver_sql", args, span);
                Value::opaque("the result of a query is known only at run time", span)
            }
            "execution_options" | "connect" | "begin" | "begin_nested" | "connection"
            | "get_bind" | "__enter__" => {
                if name == "execution_options" && args.named("isolation_level").is_some() {
                    self.not_analysed(span, "the isolation level is changed by hand");
                }
                Value::Bind
            }
            "commit" | "rollback" => {
                self.record(name, args, span);
                Value::None
            }
            "flush" | "close" | "expire_all" | "in_transaction" => Value::opaque(NO_EFFECT, span),
            "add"
            | "add_all"
            | "delete"
            | "merge"
            | "bulk_save_objects"
            | "bulk_insert_mappings"
            | "bulk_update_mappings" => {
                self.not_analysed(span, format!("`{name}` writes rows through an ORM session"));
                Value::None
            }
            "run_callable" | "run_sync" => {
                self.not_analysed(span, format!("`{name}` is not followed"));
                Value::opaque(NO_EFFECT, span)
            }
            _ => Value::opaque(
                format!("the result of `{name}` on the connection is not known"),
                span,
            ),
        }
    }

    fn str_method(&mut self, text: &Text, name: &str, args: &Args<'a>, span: Span) -> Value<'a> {
        let first = args.pos.first();
        let unknown = || {
            Value::opaque(
                first.map_or_else(|| NO_EFFECT.to_owned(), Value::describe),
                span,
            )
        };
        match name {
            "strip" | "lstrip" | "rstrip" => {
                let set = match first {
                    None | Some(Value::None) => None,
                    Some(value) => match value.as_text() {
                        Some(set) => Some(set.as_str()),
                        None => return unknown(),
                    },
                };
                Value::str(text.trim(set, name != "rstrip", name != "lstrip"))
            }
            "format" => match format_text(text, args) {
                Some((text, unknown)) => self.built(text, unknown, span),
                None => {
                    let blame = args
                        .pos
                        .iter()
                        .chain(args.kw.iter().map(|(_, value)| value));
                    let reason = blame
                        .filter(|value| to_text(value).is_none())
                        .map(Value::describe)
                        .next();
                    Value::opaque(
                        reason.unwrap_or_else(|| "the format is not followed".to_owned()),
                        span,
                    )
                }
            },
            "replace" => match (
                first.and_then(Value::as_text),
                args.pos.get(1).and_then(Value::as_text),
            ) {
                (Some(from), Some(to)) => {
                    let text = text.replace(from.as_str(), to);
                    self.built(text, None, span)
                }
                _ => unknown(),
            },
            "upper" => Value::str(text.as_str().to_uppercase()),
            "lower" => Value::str(text.as_str().to_lowercase()),
            "title" | "capitalize" | "encode" => Value::opaque(NO_EFFECT, span),
            "startswith" | "endswith" => match first.and_then(Value::as_text) {
                Some(part) if name == "startswith" => {
                    Value::Bool(text.as_str().starts_with(part.as_str()))
                }
                Some(part) => Value::Bool(text.as_str().ends_with(part.as_str())),
                None => unknown(),
            },
            "split" => match first {
                Some(by) => match by.as_text() {
                    Some(by) => Value::list(
                        text.split(by.as_str())
                            .into_iter()
                            .map(Value::str)
                            .collect(),
                        span,
                    ),
                    None => unknown(),
                },
                None => {
                    let all = text.as_str();
                    let start = all.as_ptr() as usize;
                    let words = all.split_whitespace().map(|word| {
                        let at = word.as_ptr() as usize - start;
                        Value::str(text.slice(at, at + word.len()))
                    });
                    Value::list(words.collect(), span)
                }
            },
            "splitlines" => {
                Value::list(text.split("\n").into_iter().map(Value::str).collect(), span)
            }
            "join" => {
                let Some(items) = first.and_then(Value::items) else {
                    return unknown();
                };
                let mut out = Text::default();
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(text);
                    }
                    match item.as_text() {
                        Some(item) => out.push(item),
                        None => return Value::opaque(item.describe(), span),
                    }
                }
                self.built(out, None, span)
            }
            _ => Value::opaque(format!("string method `{name}` is not followed"), span),
        }
    }

    fn call_function(
        &mut self,
        def: &'a Def,
        home: usize,
        args: &Args<'a>,
        span: Span,
    ) -> Value<'a> {
        if self.calls >= MAX_CALLS {
            self.not_analysed(span, "calls are nested too deeply to follow");
            return Value::opaque("calls are nested too deeply to follow", span);
        }
        let caller = (std::mem::replace(&mut self.home, home), self.site);
        if caller.0 == 0 && home != 0 {
            self.site = Some(self.here(span));
        }
        let mut scope = Scope::new();
        for (index, param) in def.params.iter().chain(&def.kwonly).enumerate() {
            let positional = if index < def.params.len() {
                args.pos.get(index)
            } else {
                None
            };
            let value = positional.or_else(|| args.named(&param.name)).cloned();
            let value = match (value, &param.default) {
                (Some(value), _) => value,
                (None, _) if args.open.is_some() => {
                    Value::opaque("the arguments are not known", span)
                }
                (None, Some(default)) => self.expr(default),
                (None, None) => {
                    Value::opaque(format!("parameter `{}` was not given", param.name), span)
                }
            };
            scope.insert(param.name.clone(), value);
        }
        if let Some(name) = &def.vararg {
            let rest = args.pos.get(def.params.len()..).unwrap_or(&[]).to_vec();
            scope.insert(name.clone(), Value::tuple(rest, span));
        }
        if let Some(name) = &def.kwarg {
            let known = |key: &str| {
                def.params
                    .iter()
                    .chain(&def.kwonly)
                    .any(|param| param.name == key)
            };
            let rest = args.kw.iter().filter(|(key, _)| !known(key));
            let rest = rest
                .map(|(key, value)| (Value::str(key.as_str()), value.clone()))
                .collect();
            scope.insert(name.clone(), Value::dict(rest, span));
        }
        let conditional = self.conditional;
        self.calls += 1;
        self.locals.push(scope);
        let flow = self.block(&def.body);
        self.locals.pop();
        self.calls -= 1;
        (self.home, self.site) = caller;
        // A `return` on an unknown condition makes the rest of that function conditional, not the rest of its caller.
        let unsure = self.conditional > conditional;
        self.conditional = conditional;
        match flow {
            Flow::Return(_) if unsure => Value::opaque("the result depends on a condition", span),
            Flow::Return(value) => value,
            _ => Value::None,
        }
    }

    fn builtin(&mut self, name: &'static str, args: &Args<'a>, span: Span) -> Value<'a> {
        let first = args.pos.first();
        let items = first.and_then(Value::items);
        let unknown = || {
            Value::opaque(
                first.map_or_else(|| NO_EFFECT.to_owned(), Value::describe),
                span,
            )
        };
        match (name, items) {
            ("print" | "isinstance" | "hasattr" | "open", _) => Value::opaque(NO_EFFECT, span),
            ("str", _) => first.and_then(to_text).map_or_else(unknown, Value::str),
            ("int", _) => match first {
                Some(Value::Int(value)) => Value::Int(*value),
                Some(Value::Str(text)) => text
                    .as_str()
                    .trim()
                    .parse()
                    .map_or_else(|_| unknown(), Value::Int),
                _ => unknown(),
            },
            ("len", Some(items)) => Value::Int(i64::try_from(items.len()).unwrap_or(i64::MAX)),
            ("len", None) => match first.and_then(Value::as_text) {
                Some(text) => {
                    Value::Int(i64::try_from(text.as_str().chars().count()).unwrap_or(i64::MAX))
                }
                None => unknown(),
            },
            ("dict", _) if args.open.is_none() => {
                let mut pairs = match first {
                    None => Vec::new(),
                    Some(Value::Dict(map)) => map.items.clone(),
                    Some(_) => return unknown(),
                };
                pairs.extend(
                    args.kw
                        .iter()
                        .map(|(key, value)| (Value::str(key.as_str()), value.clone())),
                );
                Value::dict(pairs, span)
            }
            ("list" | "set" | "frozenset" | "iter", None) if first.is_none() => {
                Value::list(Vec::new(), span)
            }
            ("list" | "set" | "frozenset" | "iter" | "reversed", Some(mut items)) => {
                if name == "reversed" {
                    items.reverse();
                }
                Value::list(items, span)
            }
            ("list", None) => match first {
                Some(Value::Class(class)) if class.is_enum => Value::list(
                    class
                        .members
                        .iter()
                        .map(|member| Value::Member(member.clone().into()))
                        .collect(),
                    span,
                ),
                _ => unknown(),
            },
            ("tuple", Some(items)) => Value::tuple(items, span),
            ("sorted", Some(mut items)) if args.kw.is_empty() => {
                let texts: Option<Vec<&Text>> = items.iter().map(Value::as_text).collect();
                if texts.is_none() {
                    return unknown();
                }
                items.sort_by(|a, b| {
                    a.as_text()
                        .map(Text::as_str)
                        .cmp(&b.as_text().map(Text::as_str))
                });
                Value::list(items, span)
            }
            ("enumerate", Some(items)) => {
                let numbered = (0_i64..)
                    .zip(items)
                    .map(|(index, item)| Value::tuple(vec![Value::Int(index), item], span));
                Value::list(numbered.collect(), span)
            }
            ("zip", Some(items)) => {
                let Some(second) = args.pos.get(1).and_then(Value::items) else {
                    return unknown();
                };
                let pairs = items
                    .into_iter()
                    .zip(second)
                    .map(|(a, b)| Value::tuple(vec![a, b], span));
                Value::list(pairs.collect(), span)
            }
            ("range", _) => range(args, span).unwrap_or_else(unknown),
            ("getattr", _) => match (first, args.pos.get(1).and_then(Value::as_text)) {
                (Some(base), Some(name)) => attribute(base.clone(), name.as_str(), span),
                _ => unknown(),
            },
            _ => unknown(),
        }
    }
}

fn range<'a>(args: &Args<'a>, span: Span) -> Option<Value<'a>> {
    let bound = |index: usize| match args.pos.get(index) {
        Some(Value::Int(value)) => Some(*value),
        _ => None,
    };
    let (start, stop, step) = match args.pos.len() {
        1 => (0, bound(0)?, 1),
        2 => (bound(0)?, bound(1)?, 1),
        3 => (bound(0)?, bound(1)?, bound(2)?),
        _ => return None,
    };
    let step = usize::try_from(step).ok().filter(|step| *step > 0)?;
    // One more than is ever unrolled, so that the loop reports its length itself.
    let values = (start..stop)
        .step_by(step)
        .take(MAX_UNROLLS as usize + 1)
        .map(Value::Int);
    Some(Value::list(values.collect(), span))
}

/// The function and the arguments of `functools.partial(function, ..)`.
fn partial<'v, 'a>(value: &'v Value<'a>) -> Option<(&'v Value<'a>, Args<'a>)> {
    let (path, args, _) = value.as_call()?;
    let (function, rest) = args.pos.split_first()?;
    let bound = Args {
        pos: rest.to_vec(),
        kw: args.kw.clone(),
        open: args.open,
    };
    (path == "functools.partial").then_some((function, bound))
}

/// True for what `sessionmaker(..)` or `scoped_session(..)` gives.
fn is_session_factory(value: &Value<'_>) -> bool {
    value.as_call().is_some_and(|(path, ..)| {
        path.starts_with("sqlalchemy.orm") && path.ends_with(".sessionmaker")
            || path.ends_with(".scoped_session")
    })
}

/// Types that are objects of the database themselves.
fn is_schema_type(path: &str) -> bool {
    path.starts_with("sqlalchemy")
        && matches!(
            path.rsplit('.').next(),
            Some("Enum" | "ENUM" | "DOMAIN" | "Sequence")
        )
}

fn collection_method<'a>(base: &Value<'a>, name: &str, args: &Args<'a>, span: Span) -> Value<'a> {
    match (base, name) {
        (Value::Dict(map), "items") => {
            let pairs = map
                .items
                .iter()
                .map(|(key, value)| Value::tuple(vec![key.clone(), value.clone()], span));
            Value::list(pairs.collect(), span)
        }
        (Value::Dict(map), "values") => Value::list(
            map.items.iter().map(|(_, value)| value.clone()).collect(),
            span,
        ),
        (Value::Dict(map), "keys") => {
            Value::list(map.items.iter().map(|(key, _)| key.clone()).collect(), span)
        }
        (_, "copy") => base.clone(),
        (Value::Dict(map), "get") => {
            let Some(key) = args.pos.first() else {
                return Value::opaque(NO_EFFECT, span);
            };
            for (known, value) in map.items.iter().rev() {
                match known.equals(key) {
                    Some(true) => return value.clone(),
                    Some(false) => {}
                    None => return Value::opaque("the key is not known", span),
                }
            }
            args.pos.get(1).cloned().unwrap_or(Value::None)
        }
        _ => Value::opaque(format!("method `{name}` is not followed"), span),
    }
}

/// A list or dict after a method that changes it.
fn mutate<'a>(before: &Value<'a>, method: &str, args: &Args<'a>, span: Span) -> Value<'a> {
    let unknown = || Value::opaque(format!("changed by `{method}`"), span);
    match (before, method, args.pos.first()) {
        (_, "clear", _) => Value::list(Vec::new(), span),
        (Value::List(list), "append" | "add", Some(item)) => Value::list(
            list.items.iter().cloned().chain([item.clone()]).collect(),
            span,
        ),
        (Value::List(list), "extend" | "update", Some(more)) => match more.items() {
            Some(more) => Value::list(list.items.iter().cloned().chain(more).collect(), span),
            None => unknown(),
        },
        (Value::Dict(map), "update", Some(Value::Dict(more))) => {
            let mut items = map.items.clone();
            for (key, value) in &more.items {
                items.retain(|(known, _)| known.equals(key) != Some(true));
                items.push((key.clone(), value.clone()));
            }
            Value::dict(items, span)
        }
        _ => unknown(),
    }
}
