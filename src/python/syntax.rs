//! Python text to our own small tree. The only module that names the parser.
//!
//! The parser recovers from errors, so a broken file still yields what parses, with its errors located. Nesting is
//! bounded: files nested deeper than Python itself accepts are refused with an error, and expressions deeper than
//! `MAX_DEPTH` become [`ExprKind::Other`].

use ruff_python_ast as ast;
use ruff_python_ast::StringFlags;
use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, ParseOptions, lexer, parse_unchecked};
use ruff_text_size::{Ranged, TextRange};

use crate::source::Span;

use super::literal::align;
use super::text::Text;
use super::tree::{
    BinOp, Class, CmpOp, CompFor, Def, Expr, ExprKind, Module, Param, Stmt, StmtKind, StrPart,
    UnaryOp,
};

/// Nesting of brackets that CPython's tokenizer accepts (`MAXLEVEL`); a file beyond it is no Python.
const MAX_BRACKETS: usize = 200;
/// Levels of indentation that CPython's tokenizer accepts (`MAXINDENT`).
const MAX_INDENT: usize = 100;
/// Tokens of one expression without a comma between them. The tree of such a chain (`a.b.c`, `not not x`) is as deep as
/// the chain is long, and dropping it costs a stack frame for each level.
const MAX_CHAIN: usize = 5_000;
/// Depth of the tree that is converted, in nodes.
const MAX_DEPTH: usize = 150;

/// Parses a file.
#[must_use]
pub fn parse(text: &str) -> Module {
    parse_as(text, true)
}

/// Parses a file that others import: its strings do not remember their place, which nobody would find in the importing
/// file.
#[must_use]
pub fn parse_foreign(text: &str) -> Module {
    parse_as(text, false)
}

fn parse_as(text: &str, copied: bool) -> Module {
    if let Some((span, message)) = too_deep(text) {
        return Module {
            errors: vec![(span, message.to_owned())],
            ..Module::default()
        };
    }
    let parsed = parse_unchecked(text, ParseOptions::from(Mode::Module));
    let errors = parsed
        .errors()
        .iter()
        .map(|error| (span(error.location), error.error.to_string()))
        .collect();
    let comments = parsed
        .tokens()
        .iter()
        .filter(|token| token.kind() == TokenKind::Comment)
        .map(|token| span(token.range()))
        .collect();
    let body = match parsed.syntax() {
        ast::Mod::Module(module) => Converter {
            text,
            depth: 0,
            copied,
        }
        .body(&module.body),
        ast::Mod::Expression(_) => Vec::new(),
    };
    Module {
        body,
        errors,
        comments,
    }
}

fn span(range: TextRange) -> Span {
    Span::new(range.start().to_usize(), range.end().to_usize())
}

/// Why a file is not given to the parser: its nesting could exhaust the stack.
///
/// A look at the bytes answers for almost every file; only those that could be too deep are cut into tokens.
fn too_deep(text: &str) -> Option<(Span, &'static str)> {
    if !may_be_deep(text) {
        return None;
    }
    let mut lexer = lexer::lex(text, Mode::Module);
    // One counter of tokens since the last comma for each open bracket.
    let mut chains = vec![0_usize];
    let mut indent = 0_usize;
    loop {
        let kind = lexer.next_token();
        let refuse = |message| Some((Span::new(0, 0), message));
        match kind {
            TokenKind::EndOfFile => return None,
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => {
                let chain = chains.last_mut()?;
                *chain += 1;
                if *chain > MAX_CHAIN {
                    return refuse("expression is too long");
                }
                chains.push(0);
                if chains.len() > MAX_BRACKETS {
                    return refuse("too many nested brackets");
                }
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                if chains.len() > 1 {
                    chains.pop();
                }
            }
            TokenKind::Indent => {
                indent += 1;
                if indent > MAX_INDENT {
                    return refuse("too many levels of indentation");
                }
            }
            TokenKind::Dedent => indent = indent.saturating_sub(1),
            TokenKind::Comma | TokenKind::Newline | TokenKind::Semi => *chains.last_mut()? = 0,
            TokenKind::Comment | TokenKind::NonLogicalNewline => {}
            _ => {
                let chain = chains.last_mut()?;
                *chain += 1;
                if *chain > MAX_CHAIN {
                    return refuse("expression is too long");
                }
            }
        }
    }
}

/// False only if no reading of the bytes (strings or not) comes near one of the limits.
fn may_be_deep(text: &str) -> bool {
    let mut brackets = 0_usize;
    let mut chain = 0_usize;
    let mut indent = 0_usize;
    let mut at_start = true;
    for byte in text.bytes() {
        match byte {
            // Closing brackets are not counted back: one in a string or comment must not hide an open one.
            b'(' | b'[' | b'{' => brackets += 1,
            b',' => chain = 0,
            b'\n' | b'\r' => {
                at_start = true;
                indent = 0;
                continue;
            }
            b' ' | b'\t' if at_start => {
                indent += 1;
                if indent > MAX_INDENT {
                    return true;
                }
                continue;
            }
            _ => {}
        }
        at_start = false;
        chain += 1;
        if brackets > 4 * MAX_BRACKETS || chain > MAX_CHAIN {
            return true;
        }
    }
    false
}

struct Converter<'a> {
    text: &'a str,
    depth: usize,
    /// Whether strings remember where they stand.
    copied: bool,
}

impl Converter<'_> {
    fn body(&mut self, body: &[ast::Stmt]) -> Vec<Stmt> {
        body.iter().map(|stmt| self.stmt(stmt)).collect()
    }

    fn stmt(&mut self, stmt: &ast::Stmt) -> Stmt {
        let place = span(stmt.range());
        if self.depth > MAX_DEPTH {
            return Stmt {
                span: place,
                kind: StmtKind::Other("statement nested too deeply"),
            };
        }
        self.depth += 1;
        let kind = self.stmt_kind(stmt);
        self.depth -= 1;
        Stmt { span: place, kind }
    }

    fn stmt_kind(&mut self, stmt: &ast::Stmt) -> StmtKind {
        match stmt {
            ast::Stmt::Expr(node) => StmtKind::Expr(self.expr(&node.value)),
            ast::Stmt::Assign(node) => StmtKind::Assign {
                targets: self.exprs(&node.targets),
                value: self.expr(&node.value),
                annotation: None,
            },
            ast::Stmt::AnnAssign(node) => match &node.value {
                Some(value) => StmtKind::Assign {
                    targets: vec![self.expr(&node.target)],
                    value: self.expr(value),
                    annotation: Some(self.expr(&node.annotation)),
                },
                None => StmtKind::Declare {
                    target: self.expr(&node.target),
                    annotation: self.expr(&node.annotation),
                },
            },
            ast::Stmt::AugAssign(node) => StmtKind::AugAssign {
                target: self.expr(&node.target),
                op: bin_op(node.op),
                value: self.expr(&node.value),
            },
            ast::Stmt::If(node) => {
                let mut branches = vec![(Some(self.expr(&node.test)), self.body(&node.body))];
                for clause in &node.elif_else_clauses {
                    let test = clause.test.as_ref().map(|test| self.expr(test));
                    branches.push((test, self.body(&clause.body)));
                }
                StmtKind::If(branches)
            }
            ast::Stmt::For(node) => StmtKind::For {
                target: self.expr(&node.target),
                iter: self.expr(&node.iter),
                body: self.body(&node.body),
                orelse: self.body(&node.orelse),
            },
            ast::Stmt::While(node) => StmtKind::While {
                test: self.expr(&node.test),
                body: self.body(&node.body),
                orelse: self.body(&node.orelse),
            },
            ast::Stmt::With(node) => StmtKind::With {
                items: node
                    .items
                    .iter()
                    .map(|item| {
                        let name = item.optional_vars.as_ref().map(|name| self.expr(name));
                        (self.expr(&item.context_expr), name)
                    })
                    .collect(),
                body: self.body(&node.body),
            },
            ast::Stmt::Try(node) => StmtKind::Try {
                body: self.body(&node.body),
                handlers: node
                    .handlers
                    .iter()
                    .map(|ast::ExceptHandler::ExceptHandler(handler)| self.body(&handler.body))
                    .collect(),
                orelse: self.body(&node.orelse),
                finalbody: self.body(&node.finalbody),
            },
            ast::Stmt::FunctionDef(node) => StmtKind::Def(self.def(node)),
            ast::Stmt::ClassDef(node) => StmtKind::Class(Class {
                name: node.name.to_string(),
                bases: node
                    .arguments
                    .as_ref()
                    .map(|args| self.exprs(&args.args))
                    .unwrap_or_default(),
                body: self.body(&node.body),
            }),
            ast::Stmt::Return(node) => {
                StmtKind::Return(node.value.as_ref().map(|value| self.expr(value)))
            }
            ast::Stmt::Raise(node) => {
                StmtKind::Raise(node.exc.as_ref().map(|value| self.expr(value)))
            }
            ast::Stmt::Import(node) => StmtKind::Import(node.names.iter().map(alias).collect()),
            ast::Stmt::ImportFrom(node) => StmtKind::ImportFrom {
                level: node.level,
                module: node
                    .module
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                names: node.names.iter().map(alias).collect(),
            },
            ast::Stmt::Assert(node) => StmtKind::Assert(self.expr(&node.test)),
            ast::Stmt::Pass(_)
            | ast::Stmt::Global(_)
            | ast::Stmt::Nonlocal(_)
            | ast::Stmt::Delete(_)
            | ast::Stmt::TypeAlias(_) => StmtKind::Pass,
            ast::Stmt::Break(_) => StmtKind::Break,
            ast::Stmt::Continue(_) => StmtKind::Continue,
            ast::Stmt::Match(_) => StmtKind::Other("`match` statement"),
            ast::Stmt::IpyEscapeCommand(_) => StmtKind::Other("IPython command"),
        }
    }

    fn def(&mut self, node: &ast::StmtFunctionDef) -> Def {
        let parameters = &node.parameters;
        let name = |param: &ast::Parameter| param.name.to_string();
        let params = parameters
            .posonlyargs
            .iter()
            .chain(&parameters.args)
            .map(|param| self.param(param))
            .collect();
        let kwonly = parameters
            .kwonlyargs
            .iter()
            .map(|param| self.param(param))
            .collect();
        Def {
            name: node.name.to_string(),
            params,
            vararg: parameters.vararg.as_deref().map(name),
            kwonly,
            kwarg: parameters.kwarg.as_deref().map(name),
            body: self.body(&node.body),
            special: node.is_async || !node.decorator_list.is_empty(),
        }
    }

    fn param(&mut self, param: &ast::ParameterWithDefault) -> Param {
        Param {
            name: param.parameter.name.to_string(),
            default: param.default.as_ref().map(|default| self.expr(default)),
        }
    }

    fn exprs(&mut self, exprs: &[ast::Expr]) -> Vec<Expr> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    fn boxed(&mut self, expr: &ast::Expr) -> Box<Expr> {
        Box::new(self.expr(expr))
    }

    fn expr(&mut self, expr: &ast::Expr) -> Expr {
        let place = span(expr.range());
        if self.depth > MAX_DEPTH {
            return Expr {
                span: place,
                kind: ExprKind::Other("expression nested too deeply"),
            };
        }
        self.depth += 1;
        let kind = self.expr_kind(expr);
        self.depth -= 1;
        Expr { span: place, kind }
    }

    fn expr_kind(&mut self, expr: &ast::Expr) -> ExprKind {
        match expr {
            ast::Expr::StringLiteral(node) => {
                let mut text = Text::default();
                for part in &node.value {
                    self.string(part, &mut text);
                }
                ExprKind::Str(vec![StrPart::Text(text)])
            }
            ast::Expr::FString(node) => ExprKind::Str(self.f_string(node)),
            ast::Expr::BytesLiteral(_) => ExprKind::Bytes,
            ast::Expr::NumberLiteral(node) => match &node.value {
                ast::Number::Int(int) => match int.as_i64() {
                    Some(int) => ExprKind::Int(int),
                    None => ExprKind::Number(int.to_string()),
                },
                ast::Number::Float(float) => ExprKind::Number(format!("{float:?}")),
                ast::Number::Complex { .. } => ExprKind::Other("complex number"),
            },
            ast::Expr::BooleanLiteral(node) => ExprKind::Bool(node.value),
            ast::Expr::NoneLiteral(_) => ExprKind::None,
            ast::Expr::EllipsisLiteral(_) => ExprKind::Ellipsis,
            ast::Expr::Name(node) => ExprKind::Name(node.id.to_string()),
            ast::Expr::Attribute(node) => ExprKind::Attribute {
                value: self.boxed(&node.value),
                attr: node.attr.to_string(),
            },
            ast::Expr::Call(node) => ExprKind::Call {
                func: self.boxed(&node.func),
                args: self.exprs(&node.arguments.args),
                keywords: node
                    .arguments
                    .keywords
                    .iter()
                    .map(|keyword| {
                        (
                            keyword.arg.as_ref().map(ToString::to_string),
                            self.expr(&keyword.value),
                        )
                    })
                    .collect(),
            },
            ast::Expr::Subscript(node) => ExprKind::Subscript {
                value: self.boxed(&node.value),
                index: self.boxed(&node.slice),
            },
            ast::Expr::Slice(node) if node.step.is_none() => ExprKind::Slice(
                node.lower.as_ref().map(|bound| self.boxed(bound)),
                node.upper.as_ref().map(|bound| self.boxed(bound)),
            ),
            ast::Expr::List(node) => ExprKind::List(self.exprs(&node.elts)),
            ast::Expr::Tuple(node) => ExprKind::Tuple(self.exprs(&node.elts)),
            ast::Expr::Set(node) => ExprKind::Set(self.exprs(&node.elts)),
            ast::Expr::Dict(node) => ExprKind::Dict(
                node.items
                    .iter()
                    .map(|item| {
                        (
                            item.key.as_ref().map(|key| self.expr(key)),
                            self.expr(&item.value),
                        )
                    })
                    .collect(),
            ),
            ast::Expr::Starred(node) => ExprKind::Starred(self.boxed(&node.value)),
            ast::Expr::BinOp(node) => ExprKind::Bin {
                left: self.boxed(&node.left),
                op: bin_op(node.op),
                right: self.boxed(&node.right),
            },
            ast::Expr::UnaryOp(node) => ExprKind::Unary {
                op: match node.op {
                    ast::UnaryOp::Not => UnaryOp::Not,
                    ast::UnaryOp::USub => UnaryOp::Neg,
                    ast::UnaryOp::UAdd => UnaryOp::Pos,
                    ast::UnaryOp::Invert => UnaryOp::Invert,
                },
                operand: self.boxed(&node.operand),
            },
            ast::Expr::BoolOp(node) => ExprKind::Bool2 {
                and: node.op == ast::BoolOp::And,
                values: self.exprs(&node.values),
            },
            ast::Expr::Compare(node) => ExprKind::Compare {
                left: self.boxed(&node.left),
                rest: node
                    .ops
                    .iter()
                    .zip(&node.comparators)
                    .map(|(op, right)| (cmp_op(*op), self.expr(right)))
                    .collect(),
            },
            ast::Expr::If(node) => ExprKind::IfElse {
                test: self.boxed(&node.test),
                body: self.boxed(&node.body),
                orelse: self.boxed(&node.orelse),
            },
            ast::Expr::ListComp(node) => self.comp(None, &node.elt, &node.generators),
            ast::Expr::SetComp(node) => self.comp(None, &node.elt, &node.generators),
            ast::Expr::Generator(node) => self.comp(None, &node.elt, &node.generators),
            ast::Expr::DictComp(node) => {
                self.comp(node.key.as_deref(), &node.value, &node.generators)
            }
            ast::Expr::Named(node) => ExprKind::Named {
                target: self.boxed(&node.target),
                value: self.boxed(&node.value),
            },
            ast::Expr::Lambda(node) => ExprKind::Lambda {
                params: node
                    .parameters
                    .iter()
                    .flat_map(|params| params.iter_non_variadic_params())
                    .map(|param| param.parameter.name.to_string())
                    .collect(),
                body: self.boxed(&node.body),
            },
            ast::Expr::Slice(_) => ExprKind::Other("slice with a step"),
            ast::Expr::Await(_) => ExprKind::Other("`await`"),
            ast::Expr::Yield(_) | ast::Expr::YieldFrom(_) => ExprKind::Other("`yield`"),
            ast::Expr::TString(_) => ExprKind::Other("template string"),
            ast::Expr::IpyEscapeCommand(_) => ExprKind::Other("IPython command"),
        }
    }

    fn comp(
        &mut self,
        key: Option<&ast::Expr>,
        element: &ast::Expr,
        loops: &[ast::Comprehension],
    ) -> ExprKind {
        ExprKind::Comp {
            key: key.map(|key| self.boxed(key)),
            element: self.boxed(element),
            loops: loops
                .iter()
                .map(|part| CompFor {
                    target: self.expr(&part.target),
                    iter: self.expr(&part.iter),
                    ifs: self.exprs(&part.ifs),
                })
                .collect(),
        }
    }

    fn string(&self, literal: &ast::StringLiteral, out: &mut Text) {
        if !self.copied {
            return out.push_str(&literal.value);
        }
        let flags = literal.flags;
        let start = literal.range().start().to_usize() + flags.opener_len().to_usize();
        let end = literal
            .range()
            .end()
            .to_usize()
            .saturating_sub(flags.closer_len().to_usize());
        align(
            self.text,
            start,
            end,
            &literal.value,
            flags.prefix().is_raw(),
            false,
            out,
        );
    }

    fn f_string(&mut self, node: &ast::ExprFString) -> Vec<StrPart> {
        let mut parts = Vec::new();
        let mut text = Text::default();
        for part in &node.value {
            match part {
                ast::FStringPart::Literal(literal) => self.string(literal, &mut text),
                ast::FStringPart::FString(literal) => {
                    let raw = literal.flags.prefix().is_raw();
                    for element in &literal.elements {
                        match element {
                            ast::InterpolatedStringElement::Literal(piece) => {
                                if !self.copied {
                                    text.push_str(&piece.value);
                                    continue;
                                }
                                let place = span(piece.range());
                                let (start, end) = (place.start as usize, place.end as usize);
                                align(self.text, start, end, &piece.value, raw, true, &mut text);
                            }
                            ast::InterpolatedStringElement::Interpolation(piece) => {
                                if !text.is_empty() {
                                    parts.push(StrPart::Text(std::mem::take(&mut text)));
                                }
                                let conversion = matches!(
                                    piece.conversion,
                                    ast::ConversionFlag::None | ast::ConversionFlag::Str
                                );
                                parts.push(StrPart::Value {
                                    value: self.expr(&piece.expression),
                                    plain: conversion
                                        && piece.debug_text.is_none()
                                        && piece.format_spec.is_none(),
                                });
                            }
                        }
                    }
                }
            }
        }
        if !text.is_empty() || parts.is_empty() {
            parts.push(StrPart::Text(text));
        }
        parts
    }
}

fn alias(alias: &ast::Alias) -> (String, Option<String>) {
    (
        alias.name.to_string(),
        alias.asname.as_ref().map(ToString::to_string),
    )
}

fn bin_op(op: ast::Operator) -> BinOp {
    match op {
        ast::Operator::Add => BinOp::Add,
        ast::Operator::Sub => BinOp::Sub,
        ast::Operator::Mult => BinOp::Mul,
        ast::Operator::Div => BinOp::Div,
        ast::Operator::FloorDiv => BinOp::FloorDiv,
        ast::Operator::Mod => BinOp::Mod,
        ast::Operator::BitOr => BinOp::Or,
        ast::Operator::BitAnd => BinOp::And,
        _ => BinOp::Other,
    }
}

fn cmp_op(op: ast::CmpOp) -> CmpOp {
    match op {
        ast::CmpOp::Eq => CmpOp::Eq,
        ast::CmpOp::NotEq => CmpOp::Ne,
        ast::CmpOp::Lt => CmpOp::Lt,
        ast::CmpOp::LtE => CmpOp::Le,
        ast::CmpOp::Gt => CmpOp::Gt,
        ast::CmpOp::GtE => CmpOp::Ge,
        ast::CmpOp::Is => CmpOp::Is,
        ast::CmpOp::IsNot => CmpOp::IsNot,
        ast::CmpOp::In => CmpOp::In,
        ast::CmpOp::NotIn => CmpOp::NotIn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Fragment;

    fn literal(text: &str) -> Fragment {
        let module = parse(text);
        assert_eq!(module.errors, vec![], "{text}");
        let Some(Stmt {
            kind:
                StmtKind::Expr(Expr {
                    kind: ExprKind::Str(parts),
                    ..
                }),
            ..
        }) = module.body.first()
        else {
            panic!("not a string: {text}");
        };
        let [StrPart::Text(text)] = parts.as_slice() else {
            panic!("not constant")
        };
        text.clone().into_fragment(Span::new(0, 0))
    }

    #[test]
    fn literals_lead_back_to_the_file() {
        // (source, a word, the same word's place found by searching the source)
        for source in [
            "'select word'",
            "\"\"\"\n  select\n word\"\"\"",
            "'a\\n\\x41\\u00e9\\101\\N{BULLET}word'",
            "'a\\\n  word'",
            "'drop ' \"table \" r'\\d' 'word'",
            "r'\\n\\word'",
            "f'{{x}} word'",
            "'\\d\\' word'",
            "'é\\tword'",
            "'''a\r\nword'''",
        ] {
            let fragment = literal(source);
            let at = fragment
                .sql
                .find("word")
                .expect("decoded text holds the word");
            let place = fragment.map.to_file(Span::new(at, at + 4));
            assert_eq!(
                &source[place.range()],
                "word",
                "{source:?} -> {:?}",
                fragment.sql
            );
        }
        assert_eq!(
            &*literal("'a\\n\\x41\\u00e9\\101\\N{BULLET}'").sql,
            "a\nAéA•"
        );
        assert_eq!(&*literal("f'{{x}}'").sql, "{x}");
        assert_eq!(&*literal("'\\d\\w'").sql, "\\d\\w");
    }

    #[test]
    fn broken_files_yield_what_parses() {
        let module = parse("op.a('x')\nop.b('y',\nop.c('z')\n");
        assert!(!module.errors.is_empty());
        assert!(matches!(module.body[0].kind, StmtKind::Expr(_)));
        let module = parse("a = 1 # why\n# lockgate: allow x\n");
        assert_eq!(module.comments, vec![Span::new(6, 11), Span::new(12, 31)]);
    }

    #[test]
    fn hostile_nesting_is_refused() {
        let n = 100_000;
        let deep: Vec<String> = vec![
            "(".repeat(n),
            format!("x = {}1{}", "(".repeat(n), ")".repeat(n)),
            format!("x = {}", "not ".repeat(n)),
            format!("x = {}1", "-".repeat(n)),
            format!("x = a{}", ".b".repeat(n)),
            format!("x = a{}", "()".repeat(n)),
            format!("x = 1{}", "+1".repeat(n)),
            format!("x = {}1", "lambda: ".repeat(n)),
            format!("x = {}1", "a if b else ".repeat(n)),
            format!("x = 2{}", "**2".repeat(n)),
            format!("f'{}'", "{(".repeat(n)),
            "f'{".repeat(n),
            (0..300)
                .map(|depth| format!("{}if x:\n", " ".repeat(depth)))
                .collect(),
            format!(
                "x = '{}' + f'{{{}1{}}}'",
                "]".repeat(n),
                "[".repeat(n),
                "]".repeat(n)
            ),
            "[{(".repeat(n),
            format!("with {}", "(".repeat(n)),
            format!("match x:\n case {}", "[".repeat(n)),
            "x[".repeat(n),
            "@".repeat(n),
            "*".repeat(n),
            format!("x: {}", "list[".repeat(n)),
        ];
        for text in deep {
            let module = parse(&text);
            assert!(!module.errors.is_empty(), "{}", &text[..40]);
        }
        for link in ["not ", "-", "lambda: ", "a if b else ", "a.", "a()()()"] {
            let text = format!("x = {}1", link.repeat(1_000));
            assert!(!parse(&text).body.is_empty(), "{link}");
        }
        let shallow = format!("x = [{}]", "(1, 'a'),".repeat(n));
        assert_eq!(parse(&shallow).errors, vec![]);
        let many = "op.f('a')(b)\n".repeat(10_000);
        assert_eq!(parse(&many).body.len(), 10_000);
    }
}
