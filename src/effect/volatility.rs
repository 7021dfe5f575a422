//! Volatility of expressions: what decides whether a default rewrites the table.
//!
//! PostgreSQL simplifies the default first and asks for volatile functions then (12 and later, measured): a SQL
//! function whose body is a constant is inlined and costs nothing, a PL/pgSQL function counts as it is declared.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::diagnostic::Certainty;
use crate::schema::Schema;
use crate::statement::{Expr, ExprKind, Volatility};

/// Volatility of every function in `pg_catalog`, measured on PostgreSQL 13 to 18.
static BUILTIN: LazyLock<BTreeMap<&'static str, Volatility>> = LazyLock::new(|| {
    let mut class = Volatility::Immutable;
    let mut functions = BTreeMap::new();
    for line in include_str!("volatility.txt").split('\n') {
        match line.trim_end() {
            "[immutable]" => class = Volatility::Immutable,
            "[stable]" => class = Volatility::Stable,
            "[volatile]" => class = Volatility::Volatile,
            line if line.starts_with('#') => {}
            line => functions.extend(
                line.split(' ')
                    .filter(|name| !name.is_empty())
                    .map(|name| (name, class)),
            ),
        }
    }
    functions
});

/// Name and number of arguments.
type Signature = (&'static str, usize);

/// First and last major.
type Majors = (u32, u32);

/// Functions in `pg_catalog` that not every major has: (name, number of arguments) to the first and last major with it.
static BY_MAJOR: LazyLock<BTreeMap<Signature, Majors>> = LazyLock::new(|| {
    let mut majors = (0, 0);
    let mut functions = BTreeMap::new();
    for line in include_str!("functions.txt")
        .split('\n')
        .map(str::trim_end)
        .filter(|line| !line.starts_with('#'))
    {
        let range = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
            .and_then(|range| range.split_once('-'));
        if let Some((first, last)) = range {
            majors = (first.parse().unwrap_or(0), last.parse().unwrap_or(0));
            continue;
        }
        for (name, count) in line.split(' ').filter_map(|entry| entry.split_once('/')) {
            if let Ok(count) = count.parse() {
                functions.insert((name, count), majors);
            }
        }
    }
    functions
});

/// A built-in function that an expression calls and that a major does not have, as `name()`.
#[must_use]
pub fn missing(expr: &Expr, schema: &Schema, postgres: u32) -> Option<String> {
    expr.walk().find_map(|part| match &part.kind {
        ExprKind::Call {
            schema: None,
            name,
            args,
            ..
        } => {
            // Written as syntax of their own, which each major gives to whatever function it has for them.
            if matches!(&**name, "extract" | "timezone") {
                return None;
            }
            let (first, last) = *BY_MAJOR.get(&(&**name, args.len()))?;
            let defined = !schema.functions_named(None, name).is_empty();
            (!(first..=last).contains(&postgres) && !defined).then(|| format!("{name}()"))
        }
        _ => None,
    })
}

/// Volatile functions of extensions that people use in defaults. Measured with the extensions installed.
const EXTENSION_VOLATILE: &[&str] = &[
    "gen_random_bytes",
    "gen_salt",
    "uuid_generate_v1",
    "uuid_generate_v1mc",
    "uuid_generate_v4",
];

/// Functions of the same extensions that are not.
const EXTENSION_IMMUTABLE: &[&str] = &[
    "uuid_generate_v3",
    "uuid_generate_v5",
    "uuid_nil",
    "uuid_ns_dns",
    "uuid_ns_oid",
    "uuid_ns_url",
    "uuid_ns_x500",
];

/// How deep user-defined SQL functions are followed into one another.
const DEEPEST_INLINING: usize = 8;

/// What an expression's volatility comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The class.
    pub volatility: Volatility,
    /// Certain unless a function is unknown.
    pub certainty: Certainty,
    /// The function that decides it, as written.
    pub function: Option<String>,
}

impl Verdict {
    const IMMUTABLE: Self = Self {
        volatility: Volatility::Immutable,
        certainty: Certainty::Certain,
        function: None,
    };

    fn or(self, other: Self) -> Self {
        let rank = |verdict: &Self| (verdict.volatility, verdict.certainty);
        if rank(&other) > rank(&self) {
            other
        } else {
            self
        }
    }
}

/// The class of a built-in function of that name; none if there is no such function.
#[must_use]
pub fn builtin(name: &str) -> Option<Volatility> {
    BUILTIN.get(name).copied()
}

/// The volatility of an expression, after what PostgreSQL simplifies.
#[must_use]
pub fn of(expr: &Expr, schema: &Schema) -> Verdict {
    judge(expr, schema, DEEPEST_INLINING)
}

fn judge(expr: &Expr, schema: &Schema, depth: usize) -> Verdict {
    let mut verdict = match &expr.kind {
        ExprKind::Call {
            schema: written,
            name,
            ..
        } => call(written.as_deref(), name, schema, depth),
        ExprKind::ValueFunction(name) => Verdict {
            volatility: Volatility::Stable,
            certainty: Certainty::Certain,
            function: Some((*name).to_owned()),
        },
        // A constant condition removes the branches behind it: the first argument that is a constant and not NULL ends
        // a COALESCE.
        ExprKind::Coalesce(args) => {
            let first = args.first();
            if first.is_some_and(|arg| matches!(&arg.kind, ExprKind::Literal(_)) && !arg.is_null())
            {
                return Verdict::IMMUTABLE;
            }
            Verdict::IMMUTABLE
        }
        ExprKind::Case(parts) => {
            if let [condition, _, rest @ ..] = parts.as_slice()
                && matches!(
                    condition.kind,
                    ExprKind::Literal(crate::statement::Literal::Bool(false))
                )
                && parts.len() % 2 == 1
            {
                return rest.iter().fold(Verdict::IMMUTABLE, |verdict, part| {
                    verdict.or(judge(part, schema, depth))
                });
            }
            Verdict::IMMUTABLE
        }
        _ => Verdict::IMMUTABLE,
    };
    for child in expr.children() {
        verdict = verdict.or(judge(child, schema, depth));
    }
    verdict
}

fn call(written: Option<&str>, name: &str, schema: &Schema, depth: usize) -> Verdict {
    let shown = || Some(format!("{name}()"));
    if written.is_none()
        && let Some(volatility) = builtin(name)
    {
        return Verdict {
            volatility,
            certainty: Certainty::Certain,
            function: shown(),
        };
    }
    let user = schema.functions_named(written, name);
    let judged =
        user.iter().map(
            |function| match (&function.sql_expression, &*function.language) {
                // A one-expression SQL function is inlined unless it is declared stricter than its body.
                (Some(body), "sql") if depth > 0 && function.volatility == Volatility::Volatile => {
                    judge(body, schema, depth - 1)
                }
                _ => Verdict {
                    volatility: function.volatility,
                    certainty: Certainty::Certain,
                    function: shown(),
                },
            },
        );
    if let Some(verdict) = judged.reduce(Verdict::or) {
        return verdict;
    }
    if EXTENSION_VOLATILE.contains(&name) {
        return Verdict {
            volatility: Volatility::Volatile,
            certainty: Certainty::Certain,
            function: shown(),
        };
    }
    if EXTENSION_IMMUTABLE.contains(&name) {
        return Verdict::IMMUTABLE;
    }
    // Not defined in the history and not built in: volatile is what PostgreSQL takes when nothing is declared.
    Verdict {
        volatility: Volatility::Volatile,
        certainty: Certainty::Possible,
        function: shown(),
    }
}
