//! Remedies as SQL: steps that a finding offers, written the way the tool at hand runs them.

use super::Cx;
use crate::diagnostic::{NewFile, Place, Step};
use crate::effect;
use crate::layout::{Direction, Outside};
use crate::schema::Origin;
use crate::source::Span;
use crate::sql;
use crate::sql::lex::Lexer;
use crate::statement::{
    AlterAction, Bound, ConstraintDef, Expr, Ident, Kind, Name, PartitionOf, Statement, TypeName,
    quoted,
};

/// Rows of one batch in the loops that are suggested.
const BATCH: u32 = 5_000;

/// Text to put in place of a part of a statement.
pub(crate) type Replace = (Span, String);

impl Cx<'_> {
    /// Steps from their SQL: one or more statements each, on lines of their own, with or without a `;` at the end. A
    /// step that holds `…` is a sketch.
    ///
    /// None where they could not be followed as they stand: for a statement inside of a `DO` block, and for further
    /// migrations where the script is not one of those that go forward once.
    #[must_use]
    pub fn remedy(&self, steps: impl IntoIterator<Item = (Place, String)>) -> Vec<Step> {
        let steps: Vec<Step> = steps
            .into_iter()
            .map(|(place, sql)| self.step_at(place, &sql))
            .collect();
        let nested = self.current().is_some_and(super::Step::is_nested);
        let migration = self
            .migration
            .map(|index| &self.replay.history.migrations[index]);
        let up = migration.is_none_or(|migration| migration.direction == Direction::Up);
        let fits = steps
            .iter()
            .all(|step| step.place == Place::Look || (!nested && (up || !step.place.is_own())));
        if fits && !self.would_fail(&steps) {
            steps
        } else {
            Vec::new()
        }
    }

    /// True if PostgreSQL is certain to refuse one of the steps, as far as the history tells.
    fn would_fail(&self, steps: &[Step]) -> bool {
        let Some(current) = self.current() else {
            return false;
        };
        let mut ordered: Vec<&Step> = steps.iter().filter(|s| s.place != Place::Look).collect();
        ordered.sort_by_key(|step| match step.place {
            Place::Earlier => 0,
            Place::Before => 1,
            Place::Instead => 2,
            _ => 3,
        });
        let stays = !steps.iter().any(|step| step.place.replaces());
        let mut schema = self.before().clone();
        let mut batch = schema.batch();
        let mut statement_ran = !stays;
        let origin = |batch| Origin {
            location: self.location_of(current),
            batch,
            statement: 0,
        };
        for step in ordered {
            if !statement_ran && !matches!(step.place, Place::Earlier | Place::Before) {
                schema.apply(current.statement, origin(batch));
                statement_ran = true;
            }
            if step.place.is_own() {
                batch += 1;
                schema.begin_batch(batch);
                schema.begin_transaction();
            }
            for statement in sql::parse_text(&step.sql).statements {
                let situation = effect::Situation {
                    schema: &schema,
                    postgres: self.postgres(),
                    time_zone: None,
                    check_function_bodies: true,
                };
                if effect::effects(&statement, situation).fails.is_some() {
                    return true;
                }
                schema.apply(&statement, origin(batch));
            }
        }
        false
    }

    fn step_at(&self, wanted: Place, text: &str) -> Step {
        let mut sql = text.trim().to_owned();
        if !sql.ends_with(';') {
            sql.push(';');
        }
        let mut step = Step {
            place: wanted,
            outside: false,
            text: sql.clone(),
            sketch: sql.contains('…'),
            sql,
            beside: None,
        };
        if wanted == Place::Look {
            return step;
        }
        let statements = sql::parse_text(&step.sql).statements;
        let refusing = statements.iter().find(|one| self.refuses(one));
        if let Some(refusing) = refusing {
            // A line around it is all it takes where nothing else is committed by that.
            let alone = matches!(self.runner().outside, Outside::Block(_))
                && self.migration().statements.len() == 1;
            let here = alone || self.way_out_for(refusing).is_none();
            step.place = match wanted {
                _ if self.runner().outside == Outside::Never => Place::ByHand,
                Place::Instead if !here => Place::Own,
                // The statement stays, and what refuses a transaction seldom may have company.
                Place::Before => Place::Earlier,
                Place::Behind => Place::Later,
                place => place,
            };
            step.outside = step.place != Place::Instead;
        }
        self.write(&mut step, &statements, refusing);
        step
    }

    /// The place behind the current statement: in a migration of its own if nothing may stand beside that one.
    #[must_use]
    pub fn behind(&self) -> Place {
        if self.refuses(self.step().statement) {
            Place::Later
        } else {
            Place::Behind
        }
    }

    /// True for a statement that refuses a transaction block, such as a block of code that commits.
    fn refuses(&self, statement: &Statement) -> bool {
        let commits = matches!(statement.kind, Kind::Do)
            && statement
                .nested
                .iter()
                .any(|nested| matches!(nested.statement.kind, Kind::Transaction(_)));
        commits || effect::refuses_transaction(statement, self.before(), self.postgres()).is_some()
    }

    /// Writes a step as the tool has it, and what has to stand beside it.
    fn write(&self, step: &mut Step, statements: &[Statement], refusing: Option<&Statement>) {
        let runner = self.runner();
        let kept = runner.keeps.map(|around| kept(statements, around));
        if let Some(kept) = kept.filter(|_| step.place != Place::ByHand) {
            step.text = kept;
        }
        let sql = &step.text;
        let refusing = refusing.filter(|one| {
            let by_itself = runner.leaves_transaction_for;
            let block = matches!(runner.outside, Outside::Block(_)) && step.place == Place::Instead;
            (block && self.way_out_for(one).is_some() || step.place.is_own())
                && !by_itself.is_some_and(|leaves| leaves(one))
        });
        match (runner.outside, refusing) {
            (Outside::Block(block), refusing) => {
                let lines = statements.iter().map(|one| python(&one.source.sql));
                let lines: Vec<String> = match refusing {
                    Some(_) => std::iter::once(block.to_owned())
                        .chain(lines.map(|line| indented(&line)))
                        .collect(),
                    None => lines.collect(),
                };
                step.text = lines.join("\n");
            }
            (Outside::Top(top), Some(_)) => step.text = format!("{top}{}{sql}", runner.opens),
            (Outside::Mark(words), Some(_)) => {
                step.text = format!("{}{words}\n{sql}", runner.opens.trim_end());
            }
            (Outside::Beside(name, text), Some(_)) => {
                let text = text.to_owned();
                step.beside = Some(NewFile { name, text });
            }
            _ => {}
        }
    }

    /// The text of a statement with parts of it replaced. The parts are found in the statement as read from that text:
    /// places in it are places of the text. None if there are no such parts.
    #[must_use]
    pub fn rewritten(
        &self,
        statement: &Statement,
        parts: impl FnOnce(&Statement) -> Option<Vec<Replace>>,
    ) -> Option<String> {
        let text = &*statement.source.sql;
        let parsed = sql::parse_text(text);
        let [own] = parsed.statements.as_slice() else {
            return None;
        };
        let mut parts = parts(own)?;
        parts.sort_by_key(|(span, _)| *span);
        let (mut out, mut at) = (String::with_capacity(text.len()), 0);
        for (span, new) in parts {
            out.push_str(text.get(at..span.start as usize)?);
            out.push_str(&new);
            at = span.end as usize;
        }
        out.push_str(text.get(at..)?);
        Some(out.trim().to_owned())
    }

    /// The text of a statement with more text behind the last of some words at its beginning; of a word such as
    /// `UNIQUE?` it does not matter whether it is there.
    #[must_use]
    pub fn with_behind(&self, statement: &Statement, words: &[&str], more: &str) -> Option<String> {
        self.rewritten(statement, |own| {
            let at = super::edit::last_of(&own.source.sql, words)?.end;
            Some(vec![(Span { start: at, end: at }, more.to_owned())])
        })
    }

    /// The text of an `ALTER TABLE` with `NOT VALID` behind the constraint that its sub-command of that number adds.
    #[must_use]
    pub fn not_valid(&self, statement: &Statement, number: usize) -> Option<String> {
        self.rewritten(statement, |own| {
            let at = added_constraint(own, number)?.span.end;
            Some(vec![(Span { start: at, end: at }, " NOT VALID".to_owned())])
        })
    }

    /// The text of an `ALTER TABLE` with something else for the constraint that its sub-command of that number adds.
    #[must_use]
    pub fn other_constraint(
        &self,
        statement: &Statement,
        number: usize,
        other: String,
    ) -> Option<String> {
        self.rewritten(statement, |own| {
            Some(vec![(added_constraint(own, number)?.span, other)])
        })
    }

    /// The text of a statement without a constraint that stands at a column that it adds, and the text of that one;
    /// `is` finds the column and the constraint in the statement.
    #[must_use]
    pub fn without_at_column(
        &self,
        statement: &Statement,
        column: &Ident,
        is: impl Fn(&ConstraintDef) -> bool,
    ) -> Option<(String, String)> {
        let mut taken = String::new();
        let text = self.rewritten(statement, |own| {
            let (_, add) = own
                .added_columns()
                .find(|(_, add)| add.column.name == *column)?;
            let mut found = add.column.constraints.iter().filter(|def| is(def));
            let (def, None) = (found.next()?, found.next()) else {
                return None;
            };
            let span = trimmed(&own.source.sql, def.span);
            own.source.sql.get(span.range())?.clone_into(&mut taken);
            let blank = own.source.sql[..span.start as usize].trim_end().len();
            Some(vec![(Span::new(blank, span.end as usize), String::new())])
        })?;
        Some((text, taken))
    }

    /// The text of a statement with neither the default nor `NOT NULL` of a column that it adds, and the text of the
    /// default.
    #[must_use]
    pub fn bare_column(&self, statement: &Statement, column: &Ident) -> Option<(String, String)> {
        let mut default = String::new();
        let text = self.rewritten(statement, |own| {
            let sql = &*own.source.sql;
            let (_, add) = own
                .added_columns()
                .find(|(_, add)| add.column.name == *column)?;
            let mut parts = Vec::new();
            if let Some((span, value)) = default_in(sql, add.column.span) {
                parts.push((span, String::new()));
                value.clone_into(&mut default);
            }
            parts.extend(not_null_in(sql, add.column.span).map(|span| (span, String::new())));
            Some(parts)
        })?;
        Some((text, default))
    }

    /// A change of a table's rows as a loop in batches: none for one that reads other tables, or names the table in
    /// another way.
    #[must_use]
    pub fn batched(&self, statement: &Statement, table: &Name) -> Option<String> {
        let sql = &*statement.source.sql;
        let mut depth = 0_u32;
        let mut condition = None;
        let mut before = "";
        for (number, token) in Lexer::new(sql).filter(|t| !t.is_comment()).enumerate() {
            let text = token.text(sql);
            match text {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.saturating_sub(1),
                _ => {}
            }
            let is = |words: &[&str]| words.iter().any(|word| token.is_word(sql, word));
            if depth == 0 {
                let distinct = before.eq_ignore_ascii_case("distinct");
                let second = number == 1 && is(&["from"]);
                if is(&["with", "using", "returning", "only", "as"])
                    || (is(&["from"]) && !distinct && !second)
                {
                    return None;
                }
                if is(&["where"]) {
                    condition = Some(token.span);
                }
            }
            before = text;
        }
        let (change, condition) = match condition {
            Some(at) => (
                sql.get(..at.start as usize)?.trim_end(),
                format!("({})", sql.get(at.end as usize..)?.trim()),
            ),
            None => (sql.trim_end(), String::new()),
        };
        self.loop_over(table, change, &condition)
    }

    /// Steps to a column that is NOT NULL and was never scanned under a strong lock, behind the change of its rows.
    #[must_use]
    pub fn not_null_steps(&self, table: &Name, column: &str, first: Place) -> Vec<(Place, String)> {
        let name = quoted(&format!("{}_{column}_not_null", table.name));
        let column = quoted(column);
        let validate = format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name};");
        if self.postgres() >= 18 {
            return vec![
                (
                    first,
                    format!(
                        "ALTER TABLE {table} ADD CONSTRAINT {name} NOT NULL {column} NOT VALID;"
                    ),
                ),
                (Place::Later, validate),
            ];
        }
        vec![
            (
                first,
                format!(
                    "ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL) NOT VALID;"
                ),
            ),
            (Place::Later, validate),
            (
                Place::Later,
                format!(
                    "ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;\nALTER TABLE {table} DROP CONSTRAINT {name};"
                ),
            ),
        ]
    }

    /// A trigger with its function, which works on each row that is written; none if something of its name is there.
    #[must_use]
    pub fn trigger_on(&self, table: &Name, name: &str, body: &str) -> String {
        let function = Name::new(table.schema.as_deref(), name, table.span);
        let name = quoted(name);
        format!(
            "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$\n\
             BEGIN\n    {body}\n    RETURN NEW;\nEND\n$$;\n\
             CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}();"
        )
    }

    /// The condition that the rows of a partition with that bound meet; none for a bound that is not one of plain values
    /// of one column.
    #[must_use]
    pub fn bound_condition(&self, of: &PartitionOf, column: &str) -> Option<String> {
        let column = quoted(column);
        match limits(of)? {
            Limits::Range(from, to) => {
                let mut parts = vec![format!("{column} IS NOT NULL")];
                parts.extend(from.map(|from| format!("{column} >= {from}")));
                parts.extend(to.map(|to| format!("{column} < {to}")));
                Some(parts.join(" AND "))
            }
            Limits::List(values) => Some(format!("{column} IS NOT NULL AND {column} IN {values}")),
        }
    }

    /// The condition that all rows meet which are not of a partition with that bound; none where there is none, or for a
    /// bound that is not one of plain values of one column.
    #[must_use]
    pub fn outside_bound(&self, of: &PartitionOf, column: &str) -> Option<String> {
        let column = quoted(column);
        match limits(of)? {
            Limits::Range(None, None) => None,
            Limits::Range(from, to) => {
                let below = from.map(|from| format!("{column} < {from}"));
                let above = to.map(|to| format!("{column} >= {to}"));
                let parts: Vec<String> = below.into_iter().chain(above).collect();
                Some(parts.join(" OR "))
            }
            Limits::List(values) => Some(format!("{column} NOT IN {values}")),
        }
    }

    /// A loop that changes the rows of a table batch by batch, each in a transaction of its own: `assignment` for those
    /// that meet `condition`. None if no key of whole numbers tells the rows apart.
    #[must_use]
    pub fn in_batches(&self, table: &Name, assignment: &str, condition: &str) -> Option<String> {
        self.loop_over(
            table,
            &format!("UPDATE {table} SET {assignment}"),
            condition,
        )
    }

    /// The same for any change of a table's rows, which goes on with a WHERE.
    #[must_use]
    pub fn loop_over(&self, table: &Name, change: &str, condition: &str) -> Option<String> {
        let key = self.number_key(table)?;
        let condition = if condition.is_empty() {
            String::new()
        } else {
            format!(" AND {condition}")
        };
        Some(format!(
            "DO $$\n\
             DECLARE\n    \
                 last_key bigint := (SELECT min({key}) - 1 FROM {table});\n    \
                 top_key bigint := (SELECT max({key}) FROM {table});\n\
             BEGIN\n    \
                 WHILE last_key < top_key LOOP\n        \
                     {change} WHERE {key} > last_key AND {key} <= last_key + {BATCH}{condition};\n        \
                     last_key := last_key + {BATCH};\n        \
                     COMMIT;\n    \
                 END LOOP;\n\
             END $$;"
        ))
    }

    /// The column of a table's primary key, if that is one of whole numbers.
    #[must_use]
    pub fn number_key(&self, table: &Name) -> Option<String> {
        let known = self.before().table(table)?;
        let key = known.primary_key()?;
        let mut columns = known
            .columns
            .iter()
            .filter(|column| key.def.kind.mentions(&column.name));
        let (column, None) = (columns.next()?, columns.next()) else {
            return None;
        };
        let is_number =
            |ty: &TypeName| ["int2", "int4", "int8"].into_iter().any(|name| ty.is(name));
        column
            .ty
            .as_ref()
            .is_some_and(is_number)
            .then(|| quoted(&column.name))
    }
}

/// The bound of a partition in the words of its statement.
enum Limits {
    /// The first value in it and the first one behind it, unless it is open on that side.
    Range(Option<String>, Option<String>),
    /// Its values, in parentheses.
    List(String),
}

/// None for a bound that is not one of plain values of one column.
fn limits(of: &PartitionOf) -> Option<Limits> {
    let text = of.bound.split_whitespace().collect::<Vec<_>>().join(" ");
    let upper = text.to_ascii_uppercase();
    match &of.values {
        Bound::Range(from, to) if from.len() == 1 && to.len() == 1 => {
            let between = upper.find(") TO (")?;
            let limit = |value: &str, open: &str| {
                let value = value.trim();
                (!value.eq_ignore_ascii_case(open)).then(|| value.to_owned())
            };
            let from = text.get("FROM (".len()..between)?;
            let to = text.get(between + ") TO (".len()..text.len() - 1)?;
            Some(Limits::Range(
                limit(from, "minvalue"),
                limit(to, "maxvalue"),
            ))
        }
        Bound::List(values) if !values.iter().any(Expr::is_null) => {
            Some(Limits::List(text.get("IN ".len()..)?.to_owned()))
        }
        _ => None,
    }
}

fn added_constraint(own: &Statement, number: usize) -> Option<&ConstraintDef> {
    let Kind::AlterTable(alter) = &own.kind else {
        return None;
    };
    match alter.actions.get(number)? {
        AlterAction::AddConstraint(def) => Some(def),
        _ => None,
    }
}

/// A span without blanks at its end.
fn trimmed(sql: &str, span: Span) -> Span {
    let text = sql.get(span.range()).unwrap_or_default();
    Span::new(
        span.start as usize,
        span.start as usize + text.trim_end().len(),
    )
}

/// Words that can follow a default.
const BEHIND_DEFAULT: &[&str] = &[
    "not",
    "null",
    "constraint",
    "check",
    "unique",
    "primary",
    "references",
    "generated",
    "collate",
    "compression",
    "storage",
    "deferrable",
    "initially",
];

/// The default of a column definition, with the blank before it, and its text.
fn default_in(sql: &str, column: Span) -> Option<(Span, &str)> {
    let (mut depth, mut from, mut to) = (0_u32, None, column.end);
    for token in Lexer::new(sql).filter(|token| !token.is_comment()) {
        if token.span.start < column.start || token.span.start >= column.end {
            continue;
        }
        match token.text(sql) {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > 0 {
            continue;
        }
        if from.is_none() {
            from = token.is_word(sql, "default").then_some(token.span);
        } else if BEHIND_DEFAULT.iter().any(|word| token.is_word(sql, word))
            || token.text(sql) == ","
        {
            to = token.span.start;
            break;
        }
    }
    let from = from?;
    let value = sql.get(from.end as usize..to as usize)?.trim();
    let end = from.end as usize + sql[from.end as usize..].find(value)? + value.len();
    let start = sql[..from.start as usize].trim_end().len();
    Some((Span::new(start, end), value))
}

/// The `NOT NULL` of a column definition, with the blank before it.
fn not_null_in(sql: &str, column: Span) -> Option<Span> {
    let mut before: Option<Span> = None;
    let mut depth = 0_u32;
    for token in Lexer::new(sql).filter(|token| !token.is_comment()) {
        if token.span.start < column.start || token.span.start >= column.end {
            continue;
        }
        match token.text(sql) {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if let Some(not) = before.filter(|_| depth == 0 && token.is_word(sql, "null")) {
            let start = sql[..not.start as usize].trim_end().len();
            return Some(Span::new(start, token.span.end as usize));
        }
        before = token.is_word(sql, "not").then_some(token.span);
    }
    None
}

/// Statements, with lines around those that would be cut in two.
fn kept(statements: &[Statement], (begin, end): (&str, &str)) -> String {
    let texts = statements.iter().map(|statement| {
        let sql = &*statement.source.sql;
        if sql.contains(";\n") {
            format!("{begin}\n{sql};\n{end}")
        } else {
            format!("{sql};")
        }
    });
    texts.collect::<Vec<String>>().join("\n")
}

/// A statement as Alembic runs it.
fn python(sql: &str) -> String {
    let escaped = sql.replace('\\', "\\\\");
    if escaped.contains(['"', '\n']) {
        let escaped = escaped.replace("\"\"\"", "\\\"\\\"\\\"");
        format!("op.execute(\"\"\"\n{escaped}\n\"\"\")")
    } else {
        format!("op.execute(\"{escaped}\")")
    }
}

fn indented(text: &str) -> String {
    let lines = text.split('\n').map(|line| format!("    {line}"));
    lines.collect::<Vec<String>>().join("\n")
}
