//! Expressions.

use crate::python::text::Text;
use crate::python::tree::{BinOp, CmpOp, CompFor, Expr, ExprKind, StrPart, UnaryOp};
use crate::python::value::{Args, SymKind, UNKNOWN_PART, Value};
use crate::source::Span;

use super::{MAX_BYTES, MAX_UNROLLS, Machine, Scope};

/// Reason of a value that is not known and whose making has no effect on the database.
pub(super) const NO_EFFECT: &str = "the value is known only at run time";

/// Functions of Python that are followed.
const BUILTINS: &[&str] = &[
    "str",
    "int",
    "float",
    "bool",
    "list",
    "tuple",
    "set",
    "frozenset",
    "dict",
    "len",
    "range",
    "zip",
    "enumerate",
    "sorted",
    "reversed",
    "print",
    "isinstance",
    "getattr",
    "hasattr",
    "min",
    "max",
    "sum",
    "any",
    "all",
    "map",
    "filter",
    "repr",
    "type",
    "format",
    "next",
    "iter",
    "super",
    "open",
    "abs",
    "round",
    "vars",
    "locals",
    "globals",
];

/// True for constructors and helpers whose call alone does nothing to the database.
pub(super) fn is_harmless(path: &str) -> bool {
    let root = path.split('.').next().unwrap_or(path);
    match root {
        "sqlalchemy" => !path.ends_with(".create_engine"),
        "logging" | "warnings" | "time" | "sys" | "os" | "re" | "json" | "uuid" | "datetime"
        | "typing" | "enum" | "textwrap" | "collections" | "itertools" | "functools"
        | "pathlib" | "decimal" | "string" | "random" | "secrets" | "hashlib" | "math" | "copy"
        | "pprint" | "traceback" | "tqdm" | "loguru" | "structlog" | "sqlmodel"
        | "sqlalchemy_utils" | "geoalchemy2" | "pgvector" | "citext" | "flask" | "pytz"
        | "dateutil" | "click" | "csv" | "yaml" => true,
        _ => matches!(
            path,
            "alembic.util.messaging.log" | "alembic.context.get_x_argument"
        ),
    }
}

/// True if calling this for its effect has none on the database: a constructor, or a method of a logger and the like.
pub(super) fn is_harmless_call(value: &Value<'_>) -> bool {
    if let Some((path, ..)) = value.as_call() {
        return is_harmless(path);
    }
    let mut at = value.clone();
    while let Value::Sym(sym) = at {
        at = match &sym.kind {
            SymKind::Path(path) => return is_harmless(path) && !path.starts_with("sqlalchemy"),
            SymKind::Call { func, .. } => func.clone(),
            SymKind::Attr { base, .. } => base.clone(),
            SymKind::Binary { .. } | SymKind::Unary { .. } => return true,
        };
    }
    false
}

impl<'a> Machine<'a> {
    pub(super) fn exprs(&mut self, exprs: &'a [Expr]) -> Vec<Value<'a>> {
        let mut values = Vec::with_capacity(exprs.len());
        for expr in exprs {
            if let ExprKind::Starred(inner) = &expr.kind {
                let value = self.expr(inner);
                match value.items() {
                    Some(items) => values.extend(items),
                    None => values.push(Value::opaque(
                        format!("unpacked value is unknown: {}", value.describe()),
                        expr.span,
                    )),
                }
            } else {
                values.push(self.expr(expr));
            }
        }
        values
    }

    pub(super) fn expr(&mut self, expr: &'a Expr) -> Value<'a> {
        if self.depth > super::MAX_DEPTH {
            return Value::opaque("nested too deeply to follow", expr.span);
        }
        self.depth += 1;
        let value = self.expr_inner(expr);
        self.depth -= 1;
        value
    }

    fn expr_inner(&mut self, expr: &'a Expr) -> Value<'a> {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Str(parts) => self.string(parts, span),
            ExprKind::Int(value) => Value::Int(*value),
            ExprKind::Number(text) => Value::Number(text.as_str().into()),
            ExprKind::Bool(value) => Value::Bool(*value),
            ExprKind::None => Value::None,
            ExprKind::Name(name) => self.name(name, span),
            ExprKind::Attribute { value, attr } => match self.expr(value) {
                Value::Module(index) => self.module_attribute(index, attr, span),
                base => self.known_module(attribute(base, attr, span)),
            },
            ExprKind::Call {
                func,
                args,
                keywords,
            } => self.call_expr(func, args, keywords, span),
            ExprKind::Subscript { value, index } => {
                let base = self.expr(value);
                self.subscript(&base, index, span)
            }
            ExprKind::List(items) | ExprKind::Set(items) => {
                let items = self.exprs(items);
                Value::list(items, span)
            }
            ExprKind::Tuple(items) => {
                let items = self.exprs(items);
                Value::tuple(items, span)
            }
            ExprKind::Dict(pairs) => self.dict(pairs, span),
            ExprKind::Bin { left, op, right } => {
                let left = self.expr(left);
                let right = self.expr(right);
                self.binary(*op, left, right, span)
            }
            ExprKind::Unary { op, operand } => {
                let operand = self.expr(operand);
                unary(*op, operand, span)
            }
            ExprKind::Bool2 { and, values } => {
                let mut last = Value::Bool(*and);
                for value in values {
                    last = self.expr(value);
                    match last.truth() {
                        Some(truth) if truth == *and => {}
                        Some(_) => return last,
                        None => {
                            // A known answer further right still decides.
                            let decided = values.iter().any(|value| {
                                matches!(value.kind, ExprKind::Bool(truth) if truth != *and)
                            });
                            return if decided {
                                Value::Bool(!*and)
                            } else {
                                Value::opaque(last.describe(), span)
                            };
                        }
                    }
                }
                last
            }
            ExprKind::Compare { left, rest } => self.compare(left, rest, span),
            ExprKind::IfElse { test, body, orelse } => match self.expr(test).truth() {
                Some(true) => self.expr(body),
                Some(false) => self.expr(orelse),
                None => {
                    let first = self.expr(body);
                    let second = self.expr(orelse);
                    if first.equals(&second) == Some(true) {
                        first
                    } else {
                        Value::opaque("the value depends on a condition", span)
                    }
                }
            },
            ExprKind::Comp {
                key,
                element,
                loops,
            } => self.comprehension(key.as_deref(), element, loops, span),
            ExprKind::Named { target, value } => {
                let value = self.expr(value);
                self.bind(target, value.clone());
                value
            }
            ExprKind::Lambda { params, body } => Value::Lambda(params, body, self.home),
            ExprKind::Starred(inner) => self.expr(inner),
            ExprKind::Bytes => Value::opaque("bytes are not followed", span),
            ExprKind::Ellipsis => Value::opaque("`...`", span),
            ExprKind::Slice(..) => Value::opaque("a slice is not followed here", span),
            ExprKind::Other(what) => Value::opaque(format!("{what} is not followed"), span),
        }
    }

    /// The file that a dotted path names, where `import a.b` has loaded it.
    fn known_module(&self, value: Value<'a>) -> Value<'a> {
        let found = value
            .as_path()
            .and_then(|path| self.library.imported(self.home, 0, path));
        found.map_or(value, Value::Module)
    }

    fn name(&mut self, name: &str, span: Span) -> Value<'a> {
        if let Some(value) = self.lookup(name) {
            return value.clone();
        }
        if let Some(builtin) = BUILTINS.iter().find(|builtin| **builtin == name) {
            return Value::Builtin(builtin);
        }
        match name {
            "__name__" | "__file__" => Value::opaque(NO_EFFECT, span),
            "op" => Value::Op,
            _ => Value::opaque(format!("`{name}` is not defined in this file"), span),
        }
    }

    fn string(&mut self, parts: &'a [StrPart], span: Span) -> Value<'a> {
        if let [StrPart::Text(text)] = parts {
            return Value::str(text.clone());
        }
        let mut out = Text::default();
        let mut unknown = None;
        for part in parts {
            match part {
                StrPart::Text(text) => out.push(text),
                StrPart::Value { value, plain } => {
                    let value = self.expr(value);
                    if *plain {
                        push_part(&mut out, &value, &mut unknown);
                    } else {
                        out.push_str(UNKNOWN_PART);
                        unknown.get_or_insert_with(|| match to_text(&value) {
                            Some(_) => "a formatted value is not followed".to_owned(),
                            None => value.describe(),
                        });
                    }
                }
            }
        }
        self.built(out, unknown, span)
    }

    /// A string that was put together: its length counts against the budget.
    pub(super) fn built(&mut self, text: Text, unknown: Option<String>, span: Span) -> Value<'a> {
        self.bytes += text.as_str().len();
        if self.bytes > MAX_BYTES {
            return Value::opaque("strings grew too long to follow", span);
        }
        Value::template(text, unknown)
    }

    fn dict(&mut self, pairs: &'a [(Option<Expr>, Expr)], span: Span) -> Value<'a> {
        let mut items: Vec<(Value<'a>, Value<'a>)> = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            let value = self.expr(value);
            let Some(key) = key else {
                match value {
                    Value::Dict(map) => items.extend(map.items.iter().cloned()),
                    other => return Value::opaque(other.describe(), span),
                }
                continue;
            };
            let key = self.expr(key);
            items.push((key, value));
        }
        Value::dict(items, span)
    }

    pub(super) fn binary(
        &mut self,
        op: BinOp,
        left: Value<'a>,
        right: Value<'a>,
        span: Span,
    ) -> Value<'a> {
        match (op, &left, &right) {
            (BinOp::Add, Value::Int(a), Value::Int(b)) => {
                return a.checked_add(*b).map_or(Value::None, Value::Int);
            }
            (BinOp::Sub, Value::Int(a), Value::Int(b)) => {
                return a.checked_sub(*b).map_or(Value::None, Value::Int);
            }
            (BinOp::Mul, Value::Int(a), Value::Int(b)) => {
                return a.checked_mul(*b).map_or(Value::None, Value::Int);
            }
            (BinOp::FloorDiv, Value::Int(a), Value::Int(b)) if *b > 0 => {
                return Value::Int(a.div_euclid(*b));
            }
            (BinOp::Mod, Value::Int(a), Value::Int(b)) if *b > 0 => {
                return Value::Int(a.rem_euclid(*b));
            }
            (BinOp::Add, Value::List(a), Value::List(b)) => {
                return Value::list(a.items.iter().chain(&b.items).cloned().collect(), span);
            }
            (BinOp::Add, Value::Tuple(a), Value::Tuple(b)) => {
                return Value::tuple(a.items.iter().chain(&b.items).cloned().collect(), span);
            }
            _ => {}
        }
        let is_string =
            |value: &Value<'_>| value.as_text().is_some() || matches!(value, Value::Template(_));
        let may_be_string =
            |value: &Value<'_>| is_string(value) || matches!(value, Value::Opaque(_));
        if op == BinOp::Add
            && (is_string(&left) && may_be_string(&right)
                || may_be_string(&left) && is_string(&right))
        {
            let (mut out, mut unknown) = (Text::default(), None);
            push_part(&mut out, &left, &mut unknown);
            push_part(&mut out, &right, &mut unknown);
            return self.built(out, unknown, span);
        }
        if let (BinOp::Mod, Some(template)) = (op, left.as_text()) {
            return match percent(template, &right) {
                Some((text, unknown)) => self.built(text, unknown, span),
                None => Value::opaque(right.describe(), span),
            };
        }
        if matches!(left, Value::Opaque(_)) || matches!(right, Value::Opaque(_)) {
            let unknown = if matches!(left, Value::Opaque(_)) {
                &left
            } else {
                &right
            };
            return Value::opaque(unknown.describe(), span);
        }
        if matches!(left, Value::Sym(_)) || matches!(right, Value::Sym(_)) {
            let op = match op {
                BinOp::Add => "+",
                BinOp::Sub => "-",
                BinOp::Mul => "*",
                BinOp::Div => "/",
                BinOp::Mod => "%",
                BinOp::And => "AND",
                BinOp::Or => "OR",
                BinOp::FloorDiv | BinOp::Other => {
                    return Value::opaque("this operator is not followed", span);
                }
            };
            return Value::sym(SymKind::Binary { op, left, right }, span);
        }
        Value::opaque("the result of this operator is not known", span)
    }

    fn compare(&mut self, left: &'a Expr, rest: &'a [(CmpOp, Expr)], span: Span) -> Value<'a> {
        let mut left = self.expr(left);
        let mut all = true;
        for (op, right) in rest {
            let right = self.expr(right);
            let symbolic = |value: &Value<'a>| matches!(value, Value::Sym(_));
            if rest.len() == 1 && (symbolic(&left) || symbolic(&right)) {
                let op = match op {
                    CmpOp::Eq => "=",
                    CmpOp::Ne => "!=",
                    CmpOp::Lt => "<",
                    CmpOp::Le => "<=",
                    CmpOp::Gt => ">",
                    CmpOp::Ge => ">=",
                    _ => return Value::opaque(NO_EFFECT, span),
                };
                return Value::sym(SymKind::Binary { op, left, right }, span);
            }
            match known_comparison(*op, &left, &right) {
                Some(answer) => all &= answer,
                None => {
                    let unknown = if matches!(left, Value::Opaque(_)) {
                        &left
                    } else {
                        &right
                    };
                    return Value::opaque(unknown.describe(), span);
                }
            }
            left = right;
        }
        Value::Bool(all)
    }

    fn subscript(&mut self, base: &Value<'a>, index: &'a Expr, span: Span) -> Value<'a> {
        if let ExprKind::Slice(lower, upper) = &index.kind {
            let lower = lower
                .as_ref()
                .map_or(Value::Int(0), |bound| self.expr(bound));
            let upper = upper
                .as_ref()
                .map_or(Value::Int(i64::MAX), |bound| self.expr(bound));
            let (Value::Int(lower), Value::Int(upper)) = (lower, upper) else {
                return Value::opaque("the bounds of this slice are not known", span);
            };
            return slice(base, lower, upper, span);
        }
        let key = self.expr(index);
        match (base, &key) {
            (Value::Dict(map), key) => {
                let unknown = || Value::opaque("the key is not known", span);
                for (known, value) in map.items.iter().rev() {
                    match known.equals(key) {
                        Some(true) => return value.clone(),
                        Some(false) => {}
                        None => return unknown(),
                    }
                }
                unknown()
            }
            (Value::List(seq) | Value::Tuple(seq), Value::Int(at)) => {
                position(*at, seq.items.len())
                    .and_then(|at| seq.items.get(at).cloned())
                    .unwrap_or_else(|| Value::opaque("the index is out of range", span))
            }
            // `table.c["name"]` is the same as `table.c.name`.
            (Value::Sym(_), Value::Str(name)) => Value::sym(
                SymKind::Attr {
                    base: base.clone(),
                    name: name.as_str().to_owned(),
                },
                span,
            ),
            (Value::Class(class), Value::Str(name)) if class.is_enum => class
                .members
                .iter()
                .find(|(member, _)| *member == **name)
                .map_or_else(
                    || Value::opaque("no such member", span),
                    |member| Value::Member(member.clone().into()),
                ),
            _ => Value::opaque(base.describe(), span),
        }
    }

    fn comprehension(
        &mut self,
        key: Option<&'a Expr>,
        element: &'a Expr,
        loops: &'a [CompFor],
        span: Span,
    ) -> Value<'a> {
        // The loop variables are local to the comprehension: a copy of the scope holds them.
        let scope: Scope<'a> = self.locals.last().cloned().unwrap_or_default();
        self.locals.push(scope);
        let mut pairs = Vec::new();
        let known = self.comprehend(key, element, loops, &mut pairs);
        self.locals.pop();
        match known {
            Err(unknown) => Value::opaque(unknown.describe(), span),
            Ok(()) if key.is_some() => Value::dict(pairs, span),
            Ok(()) => Value::list(pairs.into_iter().map(|(_, value)| value).collect(), span),
        }
    }

    fn comprehend(
        &mut self,
        key: Option<&'a Expr>,
        element: &'a Expr,
        loops: &'a [CompFor],
        pairs: &mut Vec<(Value<'a>, Value<'a>)>,
    ) -> Result<(), Value<'a>> {
        let Some((first, rest)) = loops.split_first() else {
            let key = key.map_or(Value::None, |key| self.expr(key));
            let value = self.expr(element);
            pairs.push((key, value));
            return Ok(());
        };
        let over = self.expr(&first.iter);
        let Some(items) = over.items() else {
            return Err(over);
        };
        'items: for item in items {
            self.unrolls += 1;
            if self.unrolls > MAX_UNROLLS {
                return Err(Value::opaque(
                    "the loop has too many rounds to follow",
                    first.iter.span,
                ));
            }
            self.bind(&first.target, item);
            for test in &first.ifs {
                let test = self.expr(test);
                match test.truth() {
                    Some(true) => {}
                    Some(false) => continue 'items,
                    None => return Err(test),
                }
            }
            self.comprehend(key, element, rest, pairs)?;
        }
        Ok(())
    }
}

fn position(at: i64, len: usize) -> Option<usize> {
    let len = i64::try_from(len).ok()?;
    usize::try_from(if at < 0 { at.checked_add(len)? } else { at }).ok()
}

fn slice<'a>(base: &Value<'a>, lower: i64, upper: i64, span: Span) -> Value<'a> {
    let bounds = |len: usize| {
        let clamp = |at: i64| position(at, len).unwrap_or(0).min(len);
        let (from, to) = (clamp(lower), clamp(upper));
        (from, to.max(from))
    };
    match base {
        Value::Str(text) => {
            let offsets: Vec<usize> = text
                .as_str()
                .char_indices()
                .map(|(at, _)| at)
                .chain([text.as_str().len()])
                .collect();
            let (from, to) = bounds(offsets.len() - 1);
            Value::str(text.slice(offsets[from], offsets[to]))
        }
        Value::List(seq) | Value::Tuple(seq) => {
            let (from, to) = bounds(seq.items.len());
            Value::list(seq.items[from..to].to_vec(), span)
        }
        other => Value::opaque(other.describe(), span),
    }
}

fn unary(op: UnaryOp, operand: Value<'_>, span: Span) -> Value<'_> {
    match (op, &operand) {
        (UnaryOp::Neg, Value::Int(value)) => value.checked_neg().map_or(Value::None, Value::Int),
        (UnaryOp::Neg, Value::Number(text)) => Value::Number(format!("-{text}").into()),
        (UnaryOp::Pos, _) => operand,
        (UnaryOp::Not, _) => match operand.truth() {
            Some(truth) => Value::Bool(!truth),
            None => Value::opaque(operand.describe(), span),
        },
        (UnaryOp::Invert, Value::Sym(_)) => Value::sym(SymKind::Unary { op: "NOT", operand }, span),
        (UnaryOp::Neg, Value::Sym(_)) => Value::sym(SymKind::Unary { op: "-", operand }, span),
        _ => Value::opaque(operand.describe(), span),
    }
}

fn known_comparison(op: CmpOp, left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
    Some(match op {
        CmpOp::Eq => left.equals(right)?,
        CmpOp::Ne => !left.equals(right)?,
        CmpOp::Is | CmpOp::IsNot => {
            let same = match (left, right) {
                (Value::Opaque(_), _) | (_, Value::Opaque(_)) => return None,
                (Value::None, Value::None) => true,
                (Value::None, _) | (_, Value::None) => false,
                _ => left.equals(right)?,
            };
            same == (op == CmpOp::Is)
        }
        CmpOp::In | CmpOp::NotIn => {
            let found = if let (Some(part), Some(whole)) = (left.as_text(), right.as_text()) {
                whole.as_str().contains(part.as_str())
            } else {
                let mut unknown = false;
                let found = right.items()?.iter().any(|item| {
                    let equal = item.equals(left);
                    unknown |= equal.is_none();
                    equal == Some(true)
                });
                if !found && unknown {
                    return None;
                }
                found
            };
            found == (op == CmpOp::In)
        }
        CmpOp::Lt | CmpOp::Le | CmpOp::Gt | CmpOp::Ge => {
            let (Value::Int(left), Value::Int(right)) = (left, right) else {
                return None;
            };
            match op {
                CmpOp::Lt => left < right,
                CmpOp::Le => left <= right,
                CmpOp::Gt => left > right,
                _ => left >= right,
            }
        }
    })
}

/// What `str(value)` gives, with the way back for strings.
pub(super) fn to_text(value: &Value<'_>) -> Option<Text> {
    Some(match value {
        Value::Str(text) => (**text).clone(),
        Value::Int(value) => value.to_string().into(),
        Value::Number(text) => (**text).into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::None => "None".into(),
        Value::List(seq) => listing(&seq.items, "[", "]")?,
        Value::Tuple(seq) if seq.items.len() != 1 => listing(&seq.items, "(", ")")?,
        Value::Tuple(seq) => listing(&seq.items, "(", ",)")?,
        _ => match value.as_call() {
            // `str(sa.text("x"))`
            Some((path, args, _)) if path.ends_with(".text") => {
                args.pos.first()?.as_text()?.clone()
            }
            _ => return None,
        },
    })
}

/// `repr` of a list or tuple whose items are plain.
fn listing(items: &[Value<'_>], open: &str, close: &str) -> Option<Text> {
    let mut out = Text::from(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        match item {
            Value::Str(text) if !text.as_str().contains(['\'', '\\', '\n', '\r', '\t']) => {
                out.push_str("'");
                out.push(text);
                out.push_str("'");
            }
            Value::Int(_) | Value::Number(_) | Value::Bool(_) | Value::None => {
                out.push(&to_text(item)?)
            }
            _ => return None,
        }
    }
    out.push_str(close);
    Some(out)
}

/// Appends what `str(value)` gives, or the mark of an unknown part.
fn push_part(out: &mut Text, value: &Value<'_>, unknown: &mut Option<String>) {
    match (to_text(value), value) {
        (Some(text), _) => out.push(&text),
        (None, Value::Template(template)) => {
            out.push(&template.0);
            unknown.get_or_insert_with(|| template.1.clone());
        }
        (None, _) => {
            out.push_str(UNKNOWN_PART);
            unknown.get_or_insert_with(|| value.describe());
        }
    }
}

/// `template % values` for `%s`, `%d`, `%%` and `%(name)s`, and why parts of it are unknown.
fn percent(template: &Text, values: &Value<'_>) -> Option<(Text, Option<String>)> {
    let mut out = Text::default();
    let mut unknown = None;
    let mut next = match values {
        Value::Tuple(seq) => seq.items.clone(),
        other => vec![other.clone()],
    }
    .into_iter();
    let all = template.as_str();
    let mut at = 0;
    while let Some(found) = all[at..].find('%') {
        let percent = at + found;
        out.push(&template.slice(at, percent));
        let rest = &all[percent + 1..];
        if rest.starts_with('%') {
            out.push_str("%");
            at = percent + 2;
        } else if rest.starts_with(['s', 'd']) {
            push_part(&mut out, &next.next()?, &mut unknown);
            at = percent + 2;
        } else if let Some(name) = rest.strip_prefix('(') {
            let close = name.find(')')?;
            if !name[close + 1..].starts_with(['s', 'd']) {
                return None;
            }
            let Value::Dict(map) = values else {
                return None;
            };
            let value = map.items.iter().find(|(key, _)| {
                key.as_text()
                    .is_some_and(|key| key.as_str() == &name[..close])
            });
            push_part(&mut out, &value?.1, &mut unknown);
            at = percent + 1 + 1 + close + 2;
        } else {
            return None;
        }
    }
    out.push(&template.slice(at, all.len()));
    Some((out, unknown))
}

/// `template.format(..)` for `{}`, `{0}` and `{name}`.
pub(super) fn format_text(template: &Text, args: &Args<'_>) -> Option<(Text, Option<String>)> {
    let mut out = Text::default();
    let mut unknown = None;
    let all = template.as_str();
    let (mut at, mut auto) = (0, 0);
    while let Some(found) = all[at..].find(['{', '}']) {
        let brace = at + found;
        out.push(&template.slice(at, brace));
        let rest = &all[brace..];
        if rest.starts_with("{{") || rest.starts_with("}}") {
            out.push(&template.slice(brace, brace + 1));
            at = brace + 2;
            continue;
        }
        let close = rest.find('}')?;
        let field = rest.get(1..close)?;
        let value = if field.is_empty() {
            auto += 1;
            args.pos.get(auto - 1)?
        } else if let Ok(position) = field.parse::<usize>() {
            args.pos.get(position)?
        } else {
            args.named(field)?
        };
        push_part(&mut out, value, &mut unknown);
        at = brace + close + 1;
    }
    out.push(&template.slice(at, all.len()));
    Some((out, unknown))
}

/// `base.name`.
pub(super) fn attribute<'a>(base: Value<'a>, name: &str, span: Span) -> Value<'a> {
    match (&base, name) {
        (Value::Bind | Value::Context, "dialect") => return Value::Dialect,
        (Value::Bind, "engine" | "connection" | "bind") => return Value::Bind,
        (Value::Context, "bind" | "connection") => return Value::Bind,
        (Value::Context, "as_sql") => return Value::Bool(false),
        (Value::Context, "impl") => return Value::Context,
        (Value::Dialect, "name") => return Value::str("postgresql"),
        (Value::Member(member), "value") => return member.1.clone(),
        (Value::Member(member), "name") => return Value::str(member.0.clone()),
        (Value::Class(class), _) => {
            if let Some(member) = class.members.iter().find(|(member, _)| member == name) {
                return if class.is_enum {
                    Value::Member(member.clone().into())
                } else {
                    member.1.clone()
                };
            }
            if class.is_enum && name == "__members__" {
                let members = class.members.iter().map(|member| {
                    (
                        Value::str(member.0.clone()),
                        Value::Member(member.clone().into()),
                    )
                });
                return Value::dict(members.collect(), span);
            }
            return if name == "__name__" {
                Value::str(class.name.as_str())
            } else {
                Value::opaque(
                    format!("class `{}` has no known `{name}`", class.name),
                    span,
                )
            };
        }
        (Value::Opaque(opaque), _) => return Value::opaque(opaque.reason.clone(), span),
        _ => {}
    }
    if let Some(path) = base.as_path() {
        return super::import(&format!("{path}.{name}"), span);
    }
    Value::sym(
        SymKind::Attr {
            base,
            name: name.to_owned(),
        },
        span,
    )
}
