//! Partitions that a condition on the key leaves out when a statement is planned: they are not even locked.

use super::{Fact, at_least, collect, constant, excludes, is_word, less_than};
use crate::diagnostic::Certainty;
use crate::schema::{Schema, Table};
use crate::statement::{Bound, Expr, ExprKind, Literal, TypeName};

/// What a condition says about a partitioned table's partitions.
pub(in crate::effect) struct Pruning<'a> {
    facts: Vec<Fact<'a>>,
    /// Nothing but one comparison of the key with a constant is about the key.
    plain: bool,
    /// Some part of the condition is about the key, or about nothing that is known.
    about_key: bool,
    /// Values that decide where the rows are belong to another partition than the default one.
    elsewhere: bool,
}

impl<'a> Pruning<'a> {
    /// Reads a condition on the rows of a partitioned table.
    pub(in crate::effect) fn new(
        schema: &Schema,
        table: &'a Table,
        condition: Option<&'a Expr>,
    ) -> Self {
        let mut found = Self {
            facts: Vec::new(),
            plain: false,
            about_key: false,
            elsewhere: false,
        };
        let (Some(by), Some(condition)) = (&table.partition_by, condition) else {
            return found;
        };
        found.about_key = by.key.iter().any(|part| {
            part.column
                .as_ref()
                .is_none_or(|column| condition.columns().any(|name| *name == *column.text))
        }) || condition.columns().next().is_none();
        let [element] = by.key.as_slice() else {
            return found;
        };
        let Some(column) = element.column.as_ref().map(|column| &*column.text) else {
            return found;
        };
        let conjuncts: Vec<&Expr> = match &condition.kind {
            ExprKind::And(parts) => parts.iter().collect(),
            _ => vec![condition],
        };
        let mut plain = true;
        for conjunct in conjuncts {
            let mentions = conjunct.columns().any(|name| name == column);
            if !mentions {
                // A condition without any column may be false for all rows.
                plain &= conjunct.columns().next().is_some();
                continue;
            }
            let mut facts = Vec::new();
            collect(conjunct, table, column, &mut facts);
            // Only constants that PostgreSQL takes for values of the key's own type decide when it plans.
            if facts.is_empty() || !facts.iter().all(|fact| is_of_key(fact, table, column)) {
                plain = false;
                continue;
            }
            plain &= facts.len() == 1 && !matches!(facts[0], Fact::Either(_));
            found.facts.append(&mut facts);
        }
        found.plain = plain && found.facts.len() == 1;
        found.elsewhere = schema.children(&table.name).any(|child| {
            let bound = child.partition.as_ref().map(|partition| &partition.values);
            bound.is_some_and(|bound| found.holds_all(table, column, bound))
        });
        found
    }

    /// How sure it is that a partition is planned for; none if it is left out.
    pub(in crate::effect) fn certainty(
        &self,
        table: &Table,
        partition: &Table,
    ) -> Option<Certainty> {
        let Some(place) = &partition.partition else {
            // Inheritance children are locked before anything is excluded.
            return Some(Certainty::Certain);
        };
        if !self.about_key {
            return Some(Certainty::Certain);
        }
        let key = table.partition_by.as_ref().and_then(|by| by.key.first());
        let Some(column) = key.and_then(|part| part.column.as_ref()) else {
            return Some(Certainty::Possible);
        };
        if !self.facts.is_empty() && self.leaves_out(table, &column.text, &place.values) {
            return None;
        }
        let certain = self.plain && self.holds_all(table, &column.text, &place.values);
        Some(if certain {
            Certainty::Certain
        } else {
            Certainty::Possible
        })
    }

    /// No row that fits the condition is in a partition with that bound.
    fn leaves_out(&self, table: &Table, column: &str, bound: &Bound) -> bool {
        let constant = |expr| constant(expr, table, column);
        let facts = &self.facts;
        match bound {
            Bound::Default => self.elsewhere,
            Bound::Hash => false,
            Bound::List(values) => values.iter().all(|value| {
                constant(value).is_some_and(|value| {
                    *value == Literal::Null
                        || excludes(facts, value)
                        || (is_text(table, column) && self.is_other_text(value))
                })
            }),
            Bound::Range(lower, upper) => {
                let ([lower], [upper]) = (lower.as_slice(), upper.as_slice()) else {
                    return false;
                };
                constant(lower).is_some_and(|lower| less_than(facts, lower))
                    || constant(upper).is_some_and(|upper| at_least(facts, upper))
            }
        }
    }

    /// The condition allows only texts that are not this one.
    fn is_other_text(&self, value: &Literal) -> bool {
        self.facts.iter().any(|fact| match fact {
            Fact::Compared("=", wanted) => *wanted != value,
            Fact::OneOf(wanted) => !wanted.contains(&value),
            _ => false,
        })
    }

    /// All rows that fit the condition are in the partition with that bound.
    fn holds_all(&self, table: &Table, column: &str, bound: &Bound) -> bool {
        let constant = |expr| constant(expr, table, column);
        let facts = &self.facts;
        match bound {
            Bound::Default | Bound::Hash => false,
            Bound::List(values) => facts.iter().any(|fact| {
                let wanted = match fact {
                    Fact::Compared("=", value) => vec![*value],
                    Fact::OneOf(list) => list.clone(),
                    _ => return false,
                };
                wanted.into_iter().all(|wanted| {
                    let mut known = values.iter().filter_map(constant);
                    known.any(|known| known == wanted)
                })
            }),
            Bound::Range(lower, upper) => {
                let ([lower], [upper]) = (lower.as_slice(), upper.as_slice()) else {
                    return false;
                };
                !facts.is_empty()
                    && (is_word(lower, "minvalue")
                        || constant(lower).is_some_and(|lower| at_least(facts, lower)))
                    && (is_word(upper, "maxvalue")
                        || constant(upper).is_some_and(|upper| less_than(facts, upper)))
            }
        }
    }
}

/// True for a text whose equality is that of its bytes: a collation may say otherwise.
fn is_text(table: &Table, column: &str) -> bool {
    table.column(column).is_some_and(|column| {
        column.collation.is_none()
            && column
                .ty
                .as_ref()
                .is_some_and(|ty| ty.is("text") || ty.is("varchar"))
    })
}

/// True if the constants of a fact become values of the key's type while the statement is read.
fn is_of_key(fact: &Fact<'_>, table: &Table, column: &str) -> bool {
    let Some(ty) = table.column(column).and_then(|column| column.ty.as_ref()) else {
        return false;
    };
    let fits = |literal: &Literal| is_value_of(literal, ty);
    match fact {
        Fact::NotNull => true,
        Fact::Compared(_, value) => fits(value),
        Fact::OneOf(values) | Fact::NoneOf(values) => values.iter().all(|value| fits(value)),
        Fact::Either(branches) => branches
            .iter()
            .flatten()
            .all(|fact| is_of_key(fact, table, column)),
    }
}

fn is_value_of(literal: &Literal, ty: &TypeName) -> bool {
    if ty.schema.is_some() || ty.dimensions > 0 {
        return false;
    }
    match literal {
        Literal::Int(_) => matches!(&*ty.name, "int2" | "int4" | "int8" | "numeric"),
        Literal::Number(text) => match &*ty.name {
            "numeric" => true,
            "int8" => text.bytes().all(|byte| byte.is_ascii_digit()),
            _ => false,
        },
        Literal::String(_) => matches!(
            &*ty.name,
            "text" | "varchar" | "date" | "timestamp" | "timestamptz" | "uuid"
        ),
        Literal::Bool(_) => &*ty.name == "bool",
        Literal::Null | Literal::Bits(_) => false,
    }
}
