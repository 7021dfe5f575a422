//! Constants that the type of their column does not take: refused while the statement is read, for no row as well.
//!
//! Measured on 13 to 18 (`fixtures/refused.sql`). Only what every major and every setting refuses is said: words that
//! mean a date, and forms of numbers that newer majors take, are left alone.

use super::compute::Collector;
use crate::schema::Table;
use crate::statement::{
    AlterAction, ColumnChange, Expr, ExprKind, Kind, Literal, Name, Statement, TypeName, quoted,
};

/// Why a constant is refused: the SQLSTATE, and the words behind `'x'`.
type Refused = (&'static str, &'static str);

impl Collector<'_> {
    /// Refuses a statement with a constant that is no value of its column's type.
    pub(super) fn constants(&mut self, statement: &Statement) {
        let refused = match &statement.kind {
            Kind::Insert(insert) => self.table_known(&insert.table).and_then(|table| {
                let named: Vec<&str> = if insert.columns.is_empty() {
                    table.columns.iter().map(|column| &*column.name).collect()
                } else {
                    insert.columns.iter().map(|column| &*column.text).collect()
                };
                let mut values = insert.values.iter().flat_map(|row| named.iter().zip(row));
                // With further sources a value may stand for another column than its place says.
                let plain = insert.query.from.as_ref().is_none_or(Vec::is_empty);
                values.find_map(|(column, value)| in_column(table, column, value).filter(|_| plain))
            }),
            Kind::Change(change) => self.table_known(&change.table.name).and_then(|table| {
                let mut assigned = change.assignments.iter();
                assigned.find_map(|(column, value)| in_column(table, &column.text, value))
            }),
            Kind::CreateTable(create) => create.columns.iter().find_map(|column| {
                of_type(
                    &column.name.text,
                    column.ty.as_ref()?,
                    column.default.as_ref()?,
                )
            }),
            Kind::AlterTable(alter) => alter.actions.iter().find_map(|action| match action {
                AlterAction::AddColumn(add) => {
                    let column = &add.column;
                    of_type(
                        &column.name.text,
                        column.ty.as_ref()?,
                        column.default.as_ref()?,
                    )
                }
                AlterAction::AlterColumn(change) => match &change.change {
                    // With another sub-command the column may have another type by then.
                    ColumnChange::SetDefault(value) if alter.actions.len() == 1 => {
                        let table = self.table_known(&alter.name)?;
                        in_column(table, &change.column.text, value)
                    }
                    _ => None,
                },
                _ => None,
            }),
            _ => None,
        };
        if let Some((sqlstate, reason)) = refused {
            self.refuse(sqlstate, reason);
        }
    }

    fn table_known(&self, name: &Name) -> Option<&Table> {
        let schema = self.situation.schema;
        let table = schema.table(name).filter(|table| table.known)?;
        schema.doubt(&table.name).is_none().then_some(table)
    }
}

fn in_column(table: &Table, column: &str, value: &Expr) -> Option<(&'static str, String)> {
    of_type(column, table.column(column)?.ty.as_ref()?, value)
}

fn of_type(column: &str, ty: &TypeName, value: &Expr) -> Option<(&'static str, String)> {
    let ExprKind::Literal(literal) = &value.kind else {
        return None;
    };
    let (text, (sqlstate, reason)) = match literal {
        Literal::String(text) => (format!("'{text}'"), of_text(text, ty)?),
        Literal::Int(number) => (number.to_string(), of_number(&number.to_string(), ty)?),
        Literal::Number(number) => (number.to_string(), of_number(number, ty)?),
        Literal::Bool(value) if takes_no_other(ty) && !ty.is("bool") => {
            (value.to_string(), ("42804", "is a truth value, for type"))
        }
        _ => return None,
    };
    Some((
        sqlstate,
        format!("{text} for {} {reason} {ty}", quoted(column)),
    ))
}

const NO_VALUE: Refused = ("22P02", "is no value of type");
const TOO_LARGE: Refused = ("22003", "is too large for type");

/// True for a type that no constant of another kind is turned into.
fn takes_no_other(ty: &TypeName) -> bool {
    highest(ty).is_some()
        || ["bool", "uuid", "date", "timestamp", "timestamptz"]
            .iter()
            .any(|name| ty.is(name))
}

/// The highest value of an integer type.
fn highest(ty: &TypeName) -> Option<i128> {
    [
        ("int2", i128::from(i16::MAX)),
        ("int4", i128::from(i32::MAX)),
        ("int8", i128::from(i64::MAX)),
    ]
    .into_iter()
    .find(|(name, _)| ty.is(name))
    .map(|(_, highest)| highest)
}

fn of_text(text: &str, ty: &TypeName) -> Option<Refused> {
    let blank = |c: char| c.is_ascii_whitespace() || c == '\x0b';
    let trimmed = text.trim_matches(blank);
    if let Some(highest) = highest(ty) {
        let (negative, digits) = match trimmed.strip_prefix(['+', '-']) {
            Some(digits) => (trimmed.starts_with('-'), digits),
            None => (false, trimmed),
        };
        // `0x10` and `1_000` are numbers from 16 on.
        let newer = digits.contains('_')
            || digits
                .strip_prefix('0')
                .is_some_and(|rest| rest.starts_with(['x', 'X', 'o', 'O', 'b', 'B']));
        if newer {
            return None;
        }
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(NO_VALUE);
        }
        let limit = highest + i128::from(negative);
        let fits = digits.trim_start_matches('0').len() < 30
            && digits.parse::<i128>().is_ok_and(|number| number <= limit);
        return (!fits).then_some(TOO_LARGE);
    }
    if ty.is("bool") {
        let word = trimmed.to_ascii_lowercase();
        let begins = |whole: &str, least: usize| word.len() >= least && whole.starts_with(&word);
        let is_value = ["true", "false", "yes", "no"]
            .iter()
            .any(|whole| begins(whole, 1))
            || begins("on", 2)
            || begins("off", 2)
            || matches!(&*word, "1" | "0");
        return (!is_value).then_some(NO_VALUE);
    }
    if ty.is("uuid") {
        let inner = text
            .strip_prefix('{')
            .and_then(|inner| inner.strip_suffix('}'))
            .unwrap_or(text);
        let digits = inner.bytes().filter(|byte| *byte != b'-');
        let is_value =
            digits.clone().count() == 32 && digits.clone().all(|byte| byte.is_ascii_hexdigit());
        return (!is_value).then_some(NO_VALUE);
    }
    if ["date", "timestamp", "timestamptz"]
        .iter()
        .any(|name| ty.is(name))
    {
        if trimmed.is_empty() {
            return Some(("22007", "is no value of type"));
        }
        return (!may_be_date(trimmed)).then_some(("22008", "is no day of the calendar, for type"));
    }
    None
}

/// False for a text that begins with `2024-02-30`: a day that there is not.
fn may_be_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shape = bytes.len() >= 10
        && bytes[..10].iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
        && bytes.get(10).is_none_or(|byte| matches!(byte, b' ' | b'T'));
    // Years before ours are written behind the day.
    if !shape || text.to_ascii_lowercase().contains("bc") {
        return true;
    }
    let number = |range: std::ops::Range<usize>| text[range].parse::<u32>().unwrap_or(0);
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    year > 0 && (1..=days).contains(&day)
}

fn of_number(text: &str, ty: &TypeName) -> Option<Refused> {
    if ["bool", "uuid", "date", "timestamp", "timestamptz"]
        .iter()
        .any(|name| ty.is(name))
    {
        return Some(("42804", "is a number, for type"));
    }
    let highest = highest(ty)?;
    // Others are rounded.
    let whole = text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = !whole || text.parse::<i128>().is_ok_and(|number| number <= highest);
    (!fits).then_some(TOO_LARGE)
}
